/** Random changes against a second opinion: a model that keeps nothing but a list of names and a table of nodes. */
import t from 'tap';
import { asNodeId, rootNode, type ChangeBody, type NodeId } from '../../../proto/change.js';
import { nameFromText, type Name } from '../../../proto/name.js';
import { MemoryNamespace } from '../../../proto/tree/memory-table.js';
import { applyToNamespace, pathOf } from '../../../proto/tree/namespace.js';
import { chance, type Chance } from '../seeded.js';

interface Entry {
  parent: NodeId;
  name: Name;
  node: NodeId;
}

/** Nodes live while a name leads to them or none was ever given; everything else follows by searching the list. */
class Model {
  readonly nodes = new Map<NodeId, { isDirectory: boolean; isFile: boolean; size: number; wasNamed: boolean }>([[rootNode, { isDirectory: true, isFile: false, size: 0, wasNamed: false }]]);
  entries: Entry[] = [];

  find(parent: NodeId, name: Name): Entry | undefined {
    return this.entries.find((entry) => entry.parent === parent && entry.name === name);
  }

  holds(ancestor: NodeId, node: NodeId): boolean {
    if (ancestor === node) return true;
    const above = this.entries.find((entry) => entry.node === node);
    return above !== undefined && this.holds(ancestor, above.parent);
  }

  apply(body: ChangeBody): void {
    switch (body.kind) {
      case 'create': {
        if (this.nodes.has(body.node) || (body.parent !== undefined && !this.#isDirectory(body.parent))) return;
        const { nodeKind, target } = body.metadata;
        this.nodes.set(body.node, { isDirectory: nodeKind === 'directory', isFile: nodeKind === 'file', size: target?.byteLength ?? 0, wasNamed: false });
        if (body.parent !== undefined) this.#name({ parent: body.parent, name: body.name!, node: body.node });
        break;
      }
      case 'link':
        if (!this.nodes.has(body.node) || this.#isDirectory(body.node) || !this.#isDirectory(body.parent)) return;
        this.#name({ parent: body.parent, name: body.name, node: body.node });
        break;
      case 'unlink':
        this.entries = this.entries.filter((entry) => entry.parent !== body.parent || entry.name !== body.name);
        break;
      case 'rename': {
        const one = this.find(body.parent, body.name);
        const other = this.find(body.toParent, body.toName);
        if (one === undefined || one.node === other?.node) return;
        if (body.exchange) {
          if (other === undefined || this.holds(one.node, body.toParent) || this.holds(other.node, body.parent)) return;
          [one.node, other.node] = [other.node, one.node];
        } else {
          if (!this.#isDirectory(body.toParent) || this.holds(one.node, body.toParent)) return;
          this.entries = this.entries.filter((entry) => entry !== one);
          this.#name({ parent: body.toParent, name: body.toName, node: one.node });
        }
        break;
      }
      case 'write': {
        const node = this.nodes.get(body.node);
        if (node?.isFile === true) node.size = Math.max(node.size, body.offset + body.data.byteLength);
        break;
      }
      case 'truncate': {
        const node = this.nodes.get(body.node);
        if (node?.isFile === true) node.size = body.size;
        break;
      }
      default:
        throw new RangeError(body.kind);
    }
    this.#sweep();
  }

  #isDirectory(node: NodeId): boolean {
    return this.nodes.get(node)?.isDirectory === true;
  }

  #name(entry: Entry): void {
    this.entries = this.entries.filter((known) => known.parent !== entry.parent || known.name !== entry.name);
    this.entries.push(entry);
    this.nodes.get(entry.node)!.wasNamed = true;
  }

  /** Ends what lost its last name, and then what that held, until nothing changes. */
  #sweep(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const [node, { wasNamed }] of this.nodes) {
        if (wasNamed && !this.entries.some((entry) => entry.node === node)) {
          this.nodes.delete(node);
          this.entries = this.entries.filter((entry) => entry.parent !== node);
          changed = true;
        }
      }
    }
  }
}

const names = ['a', 'b', 'c'].map(nameFromText);
const kinds = ['file', 'file', 'directory', 'directory', 'symlink'] as const;

function anyChange(c: Chance, next: NodeId): ChangeBody {
  const node = (): NodeId => asNodeId(1n + BigInt(c.below(Number(next) + 1)));
  const name = (): Name => c.pick(names);
  const nodeKind = c.pick(kinds);
  const metadata = { nodeKind, mode: 0, uid: 0, gid: 0, modifyNs: 0n, ...(nodeKind === 'symlink' ? { target: Buffer.from('to') } : {}) };
  switch (c.below(9)) {
    case 0: return { kind: 'create', node: next, metadata: { nodeKind: 'file', mode: 0, uid: 0, gid: 0, modifyNs: 0n } };
    case 1: return { kind: 'create', node: next, parent: rootNode, name: name(), metadata };
    case 2:
    case 3: return { kind: 'create', node: c.below(20) === 0 ? asNodeId(2n) : next, parent: node(), name: name(), metadata };
    case 4: return { kind: 'link', node: node(), parent: node(), name: name() };
    case 5: return { kind: 'unlink', parent: node(), name: name() };
    case 6:
    case 7: return { kind: 'rename', parent: c.sometimes() ? rootNode : node(), name: name(), toParent: c.sometimes() ? rootNode : node(), toName: name(), exchange: c.below(3) === 0 };
    default: return c.sometimes() ? { kind: 'write', node: node(), offset: c.below(50), data: Buffer.alloc(c.below(50)) } : { kind: 'truncate', node: node(), size: c.below(60) };
  }
}

t.test('the namespace and the model agree after every change', (t) => {
  const c = chance(t);
  for (let round = 0; round < 150; round += 1) {
    const namespace = MemoryNamespace.planted();
    const model = new Model();
    for (let step = 0; step < 100; step += 1) {
      const body = anyChange(c, asNodeId(2n + BigInt(step % 25)));
      const before = new Set(model.nodes.keys());
      const { ended, anomaly } = applyToNamespace(namespace, body);
      model.apply(body);
      const fault = difference(namespace, model) ?? wrongEnded(ended, before, model);
      if (fault !== undefined) {
        t.fail(`round ${round}, step ${step}: ${fault}`, { change: { ...body, data: undefined }, anomaly });
        return t.end();
      }
    }
  }
  t.pass('15,000 changes');
  t.end();
});

/** What ended is what the model lost, each once. */
function wrongEnded(ended: readonly NodeId[], before: ReadonlySet<NodeId>, model: Model): string | undefined {
  const lost = [...before].filter((node) => !model.nodes.has(node));
  const told = ended.filter((node) => before.has(node));
  return new Set(ended).size === ended.length && told.length === ended.length && lost.length === told.length && lost.every((node) => ended.includes(node)) ? undefined : `ended ${ended.join()}, lost ${lost.join()}`;
}

function difference(namespace: MemoryNamespace, model: Model): string | undefined {
  if (namespace.size !== model.nodes.size) return `${namespace.size} nodes, ${model.nodes.size} in the model`;
  for (const [node, { isDirectory, size }] of model.nodes) {
    const state = namespace.node(node);
    if (state === undefined) return `node ${node} is missing`;
    const entries = model.entries.filter((entry) => entry.node === node);
    if (state.size !== size) return `size of ${node} is ${state.size}, not ${size}`;
    if (state.links !== entries.length) return `links of ${node} are ${state.links}, not ${entries.length}`;
    if ((state.nodeKind === 'directory') !== isDirectory) return `kind of ${node}`;
    if (key([...namespace.names(node)]) !== key(entries)) return `names of ${node}: ${key([...namespace.names(node)])}, not ${key(entries)}`;
    const children = model.entries.filter((entry) => entry.parent === node);
    if (key([...namespace.children(node)]) !== key(children)) return `children of ${node}`;
    if (entries.length > 0 && namespace.child(entries[0]!.parent, entries[0]!.name) !== node) return `lookup of ${node}`;
    if (node !== rootNode && (pathOf(namespace, node) !== undefined) !== model.holds(rootNode, node)) return `path of ${node}`;
  }
  return undefined;
}

function key(entries: readonly Entry[]): string {
  return entries.map(({ parent, name, node }) => `${parent}/${name}=${node}`).sort().join(' ');
}
