/** The planner turns any namespace into any other by valid steps. */
import t from 'tap';
import { type NamespaceFacts, type NamespaceStep, parkingPrefix, planNamespace, type Position } from '../../../agent/capture/tree/namespace-plan.js';
import { seededRandom, seedFromEnvironment } from './seeded.js';

/** A namespace as a strict model: every step is checked as the system call would check it. */
class Model {
  readonly links = new Map<number, Map<string, number>>([[1, new Map()]]);
  readonly directories = new Set([1]);

  names(directory: number): Map<string, number> {
    const names = this.links.get(directory);
    if (names === undefined) throw new Error(`directory ${directory} does not exist`);
    return names;
  }

  parentOf(node: number): number | undefined {
    for (const [parent, names] of this.links) for (const child of names.values()) if (child === node) return parent;
    return undefined;
  }

  linkCount(node: number): number {
    let count = 0;
    for (const names of this.links.values()) for (const child of names.values()) if (child === node) count += 1;
    return count;
  }

  isWithin(directory: number, ancestor: number): boolean {
    for (let at: number | undefined = directory; at !== undefined; at = this.parentOf(at)) if (at === ancestor) return true;
    return false;
  }

  remove(parent: number, name: string): void {
    const node = this.names(parent).get(name);
    if (node === undefined) throw new Error(`unlink of missing ${parent}/${name}`);
    if (this.directories.has(node)) {
      if (this.names(node).size > 0) throw new Error(`directory ${node} is not empty`);
      this.links.delete(node);
    }
    this.names(parent).delete(name);
  }

  removeTree(parent: number, name: string): void {
    const node = this.names(parent).get(name)!;
    for (const [child, childNode] of [...this.names(node)]) {
      if (this.directories.has(childNode)) this.removeTree(node, child);
      else this.remove(node, child);
    }
    this.remove(parent, name);
  }

  apply(step: NamespaceStep, isDirectory: (node: number) => boolean): void {
    const names = this.names(step.parent);
    switch (step.step) {
      case 'create':
        if (names.has(step.name)) throw new Error('create over an existing name');
        if (this.linkCount(step.node) > 0) throw new Error('created twice');
        names.set(step.name, step.node);
        if (isDirectory(step.node)) {
          this.links.set(step.node, new Map());
          this.directories.add(step.node);
        }
        return;
      case 'link':
        if (names.has(step.name)) throw new Error('link over an existing name');
        if (isDirectory(step.node) || this.linkCount(step.node) === 0) throw new Error(`link of dead node ${step.node}`);
        names.set(step.name, step.node);
        return;
      case 'unlink':
        if (this.directories.has(names.get(step.name)!)) throw new Error('unlink of a directory');
        this.remove(step.parent, step.name);
        return;
      case 'remove-tree':
        if (names.get(step.name) !== step.node) throw new Error('remove-tree of another node');
        this.removeTree(step.parent, step.name);
        return;
      case 'rename': {
        const node = names.get(step.name);
        const target = this.names(step.toParent).get(step.toName);
        if (node === undefined) throw new Error('rename of a missing name');
        if (node === target) throw new Error('rename onto itself does nothing');
        if (this.directories.has(node) && this.isWithin(step.toParent, node)) throw new Error('rename below itself');
        if (step.exchange) {
          if (target === undefined) throw new Error('exchange with nothing');
          if (this.directories.has(target) && this.isWithin(step.parent, target)) throw new Error('exchange below itself');
          names.set(step.name, target);
        } else {
          if (target !== undefined && (this.directories.has(node) || this.directories.has(target))) throw new Error('rename over a directory or by one');
          names.delete(step.name);
        }
        this.names(step.toParent).set(step.toName, node);
      }
    }
  }

  /** Links in one comparable shape. */
  listing(): string[] {
    const all: string[] = [];
    for (const [parent, names] of this.links) for (const [name, node] of names) all.push(`${parent}/${name}=${node}`);
    return all.sort();
  }

  clone(): Model {
    const copy = new Model();
    copy.links.clear();
    for (const [parent, names] of this.links) copy.links.set(parent, new Map(names));
    for (const directory of this.directories) copy.directories.add(directory);
    return copy;
  }
}

function randomNamespace(pick: (below: number) => number, nodes: readonly number[], isDirectory: (node: number) => boolean): Model {
  const model = new Model();
  const placed = [1];
  const name = (): string => `n${pick(4)}`;
  for (const node of nodes) {
    if (pick(4) === 0) continue;
    const links = isDirectory(node) ? 1 : 1 + (pick(3) === 0 ? 1 + pick(2) : 0);
    let done = false;
    for (let k = 0; k < links; k += 1) {
      const parent = placed[pick(placed.length)]!;
      const at = name();
      if (model.names(parent).has(at)) continue;
      model.names(parent).set(at, node);
      done = true;
      if (isDirectory(node)) {
        model.links.set(node, new Map());
        model.directories.add(node);
        break;
      }
    }
    if (done && isDirectory(node)) placed.push(node);
  }
  return model;
}

function shuffle<T>(pick: (below: number) => number, items: T[]): T[] {
  for (let k = items.length - 1; k > 0; k -= 1) {
    const other = pick(k + 1);
    [items[k], items[other]] = [items[other]!, items[k]!];
  }
  return items;
}

t.test('any namespace becomes any other by steps that are each valid', async (t) => {
  const seed = seedFromEnvironment(t);
  const random = seededRandom(seed);
  const pick = (below: number): number => Math.floor(random.fraction() * below);
  for (let round = 0; round < 4000; round += 1) {
    const isDirectory = (node: number): boolean => node === 1 || node % 2 === 0;
    const count = 2 + pick(12);
    const pool = Array.from({ length: count }, (_, k) => k + 2);
    const before = randomNamespace(pick, shuffle(pick, [...pool]), isDirectory);
    const after = randomNamespace(pick, shuffle(pick, [...pool]), isDirectory);
    const alive = new Set([1, ...[...before.links.values()].flatMap((names) => [...names.values()])]);
    const kept = new Set([1, ...[...after.links.values()].flatMap((names) => [...names.values()])]);
    const positions: Position[] = [];
    for (const parent of new Set([...before.links.keys(), ...after.links.keys()])) {
      // What lies below a directory that goes is not listed, as a scan would not see it either.
      const gone = !kept.has(parent);
      for (const name of new Set([...(before.links.get(parent)?.keys() ?? []), ...(after.links.get(parent)?.keys() ?? [])])) {
        const old = before.links.get(parent)?.get(name) ?? 0;
        const want = after.links.get(parent)?.get(name) ?? 0;
        if (gone && !kept.has(old) && pick(2) === 0) continue;
        positions.push({ parent, name, old, want });
      }
    }
    const start = before.clone();
    const facts: NamespaceFacts = {
      root: 1,
      isDirectory,
      isNew: (node) => !alive.has(node),
      parentOf: (directory) => start.parentOf(directory),
      linkCount: (node) => start.linkCount(node),
      isFreeInRoot: (name) => !start.names(1).has(name),
    };
    const shown = `seed ${seed} round ${round}\nbefore ${before.listing().join(' ')}\nafter ${after.listing().join(' ')}`;
    let steps: NamespaceStep[] = [];
    try {
      steps = planNamespace(shuffle(pick, positions), facts);
      for (const step of steps) before.apply(step, isDirectory);
    } catch (error) {
      t.fail(`${shown}\nsteps ${JSON.stringify(steps)}\n${String(error)}`);
      return;
    }
    if (before.listing().join() !== after.listing().join()) {
      t.fail(`${shown}\nsteps ${JSON.stringify(steps)}\ngot ${before.listing().join(' ')}`);
      return;
    }
  }
  t.pass('4000 random pairs');
});

t.test('a replacing rename is one step, a swap is one exchange', async (t) => {
  const facts: NamespaceFacts = {
    root: 1,
    isDirectory: (node) => node === 1,
    isNew: () => false,
    parentOf: () => undefined,
    linkCount: () => 1,
    isFreeInRoot: () => true,
  };
  t.strictSame(
    planNamespace([{ parent: 1, name: 'a', old: 2, want: 0 }, { parent: 1, name: 'b', old: 3, want: 2 }], facts),
    [{ step: 'rename', parent: 1, name: 'a', toParent: 1, toName: 'b', exchange: false }],
  );
  t.match(
    planNamespace([{ parent: 1, name: 'a', old: 2, want: 3 }, { parent: 1, name: 'b', old: 3, want: 2 }], facts),
    [{ step: 'rename', exchange: true }],
  );
});

t.test('a directory and its own child change places by way of a spare name', async (t) => {
  const parents = new Map([[2, 1], [3, 2]]);
  const steps = planNamespace(
    [{ parent: 1, name: 'a', old: 2, want: 3 }, { parent: 2, name: 'a', old: 3, want: 0 }, { parent: 3, name: 'a', old: 0, want: 2 }],
    { root: 1, isDirectory: () => true, isNew: () => false, parentOf: (node) => parents.get(node), linkCount: () => 1, isFreeInRoot: () => true },
  );
  t.equal(steps.length, 3);
  t.ok(steps.some((step) => step.step === 'rename' && step.toName.startsWith(parkingPrefix)));
});

t.test('a thousand files shift their names in one step each', async (t) => {
  const count = 1000;
  const positions: Position[] = [];
  for (let k = 0; k <= count; k += 1) positions.push({ parent: 1, name: `log.${k}`, old: k < count ? k + 2 : 0, want: k === 0 ? 0 : k + 1 });
  const steps = planNamespace(positions, {
    root: 1,
    isDirectory: (node) => node === 1,
    isNew: () => false,
    parentOf: () => undefined,
    linkCount: () => 1,
    isFreeInRoot: () => true,
  });
  t.equal(steps.length, count);
  t.ok(steps.every((step) => step.step === 'rename' && !step.exchange));
});
