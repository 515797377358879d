/** What changed between two points. */
import t from 'tap';
import { rootNode, type NodeId, type Sequence } from '../../../proto/change.js';
import { displayPath, nameFromText } from '../../../proto/name.js';
import { diffPoints } from '../../../receiver/recovery/diff.js';
import { openPoint, type Point } from '../../../receiver/recovery/point.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { Dice, printedSeed } from './dice.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';
import { TreeModel } from './tree-model.js';

const id = (value: number): NodeId => BigInt(value) as NodeId;

function created(list: ChangeList, node: number, parent: number, name: string, content?: string): Sequence {
  const last = list.add(1, { kind: 'create', node: id(node), parent: id(parent), name: nameFromText(name), metadata: { nodeKind: content === undefined ? 'directory' : 'file', mode: 0o644, uid: 0, gid: 0, modifyNs: 1n } });
  return content === undefined || content === '' ? last : list.add(1, { kind: 'write', node: id(node), offset: 0, data: Buffer.from(content) });
}

async function opened(list: ChangeList, sequence: Sequence): Promise<Point> {
  const reader = new MemoryJournal(list.changes);
  const volume = (await loadTimeline(reader)).latest('home')!;
  return openPoint({ reader, volume, instant: { sequence, timeNs: (await reader.timeOf(sequence))! } });
}

async function diffed(list: ChangeList, from: Sequence, to: Sequence): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of diffPoints({ from: await opened(list, from), to: await opened(list, to) })) {
    const path = displayPath(entry.path);
    if (entry.kind === 'renamed') found.push(`renamed ${displayPath(entry.fromPath)} -> ${path}`);
    else if (entry.kind === 'modified') found.push(`modified ${path}${entry.replaced ? ' replaced' : ''} ${entry.ranges.map(({ offset, length }) => `${offset}+${length}`).join(' ')} [${entry.metadata.join(' ')}]`);
    else found.push(`${entry.kind} ${path}`);
  }
  return found;
}

function begun(): { list: ChangeList; start: Sequence } {
  const list = new ChangeList();
  list.define(1, 'home');
  created(list, 2, 1, 'docs');
  created(list, 3, 2, 'a', 'aaaa');
  created(list, 4, 2, 'b', 'bbbb');
  const start = created(list, 5, 1, 'c', 'cccc');
  return { list, start };
}

t.test('each kind of difference', async (t) => {
  const cases: readonly (readonly [string, (list: ChangeList) => void, readonly string[]])[] = [
    ['nothing', () => undefined, []],
    ['added', (list) => created(list, 9, 2, 'new', 'x'), ['added docs/new']],
    ['removed', (list) => list.add(1, { kind: 'unlink', parent: id(2), name: nameFromText('a') }), ['removed docs/a']],
    ['renamed', (list) => list.add(1, { kind: 'rename', parent: id(2), name: nameFromText('a'), toParent: id(1), toName: nameFromText('z'), exchange: false }), ['renamed docs/a -> z']],
    ['a directory renamed counts once', (list) => list.add(1, { kind: 'rename', parent: id(1), name: nameFromText('docs'), toParent: id(1), toName: nameFromText('papers'), exchange: false }), ['renamed docs -> papers']],
    ['content', (list) => list.add(1, { kind: 'write', node: id(3), offset: 1, data: Buffer.from('XY') }), ['modified docs/a 1+2 []']],
    ['the same bytes again', (list) => list.add(1, { kind: 'write', node: id(3), offset: 1, data: Buffer.from('aa') }), []],
    ['grown', (list) => list.add(1, { kind: 'write', node: id(3), offset: 6, data: Buffer.from('z') }), ['modified docs/a 4+3 [size]']],
    ['cut', (list) => list.add(1, { kind: 'truncate', node: id(3), size: 1 }), ['modified docs/a 1+3 [size]']],
    ['zeroes for a hole', (list) => (list.add(1, { kind: 'truncate', node: id(3), size: 8 }), list.add(1, { kind: 'zero', node: id(3), offset: 4, length: 4 })), ['modified docs/a 4+4 [size]']],
    ['mode, owner and time', (list) => list.add(1, { kind: 'attributes', node: id(3), mode: 0o600, uid: 3, modifyNs: 9n }), ['modified docs/a  [mode owner modified]']],
    ['attribute', (list) => list.add(1, { kind: 'xattr-set', node: id(2), key: 'user.x', value: Buffer.from('1') }), ['modified docs  [xattr user.x]']],
    ['a further name', (list) => list.add(1, { kind: 'link', node: id(3), parent: id(1), name: nameFromText('hard') }), ['added hard']],
    ['exchanged', (list) => list.add(1, { kind: 'rename', parent: id(2), name: nameFromText('a'), toParent: id(2), toName: nameFromText('b'), exchange: true }), ['renamed docs/b -> docs/a', 'renamed docs/a -> docs/b']],
    ['written anew and renamed into place', (list) => (created(list, 9, 2, 'a.tmp', 'aaab'), list.add(1, { kind: 'rename', parent: id(2), name: nameFromText('a.tmp'), toParent: id(2), toName: nameFromText('a'), exchange: false })), ['modified docs/a replaced 3+1 []']],
    ['moved over another one', (list) => list.add(1, { kind: 'rename', parent: id(1), name: nameFromText('c'), toParent: id(2), toName: nameFromText('a'), exchange: false }), ['renamed c -> docs/a', 'removed docs/a']],
  ];
  for (const [label, change, expected] of cases) {
    const { list, start } = begun();
    change(list);
    t.strictSame((await diffed(list, start, list.changes.at(-1)!.sequence)).sort(), [...expected].sort(), label);
  }
});

t.test('a difference of random versions names exactly the paths that differ', async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 10; round += 1) {
    const dice = new Dice(seed + round);
    const list = new ChangeList();
    list.define(1, 'home');
    list.add(1, { kind: 'create', node: rootNode, metadata: { nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n } });
    const model = new TreeModel();
    let sequence: Sequence | undefined;
    for (let step = 0; step < 150; step += 1) sequence = list.add(1, model.change(dice));
    const [before, from] = [model.copy(), sequence!];
    for (let step = 0; step < 60; step += 1) sequence = list.add(1, model.change(dice));
    const touched = new Map<string, Set<string>>();
    const note = (path: string, kind: string): void => void (touched.get(path) ?? touched.set(path, new Set()).get(path)!).add(kind);
    const [points] = [[await opened(list, from), await opened(list, sequence!)] as const];
    for await (const entry of diffPoints({ from: points[0], to: points[1] })) {
      note(entry.path.join('/'), entry.kind);
      if (entry.kind === 'renamed') note(entry.fromPath.join('/'), 'renamed away');
    }
    const [old, now] = [before, model].map((one) => new Map(one.entries().map(({ path, node }) => [path.join('/'), node])));
    for (const [path, node] of now!) {
      const was = old!.get(path);
      const same = was !== undefined && was.id === node.id && was.mode === node.mode && was.uid === node.uid && was.gid === node.gid && was.modifyNs === node.modifyNs && was.bytes.equals(node.bytes) && JSON.stringify([...was.xattrs].sort()) === JSON.stringify([...node.xattrs].sort());
      // Only one of the names of a node is named when its content differs; a moved directory stands for all in it.
      if (same && touched.get(path)?.has('modified') === true) t.fail(`seed ${seed + round}: ${path} did not change`);
    }
    const oldNodes = new Set([...old!.values()].map(({ id }) => id));
    const nowNodes = new Set([...now!.values()].map(({ id }) => id));
    for (const [path, node] of now!) if (!oldNodes.has(node.id) && !['added', 'modified'].some((kind) => touched.get(path)?.has(kind) === true)) t.fail(`seed ${seed + round}: ${path} is new`);
    for (const [path, node] of old!) if (!nowNodes.has(node.id) && !['removed', 'modified'].some((kind) => touched.get(path)?.has(kind) === true)) t.fail(`seed ${seed + round}: ${path} is gone`);
    t.pass(`${touched.size} paths differ`);
  }
});
