/** Points against a model that keeps every version of a tree. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { asNodeId, asSequence, rootNode, type Sequence } from '../../../proto/change.js';
import { nameFromText, pathFromDisplay } from '../../../proto/name.js';
import { pieceBytesMax } from '../../../receiver/recovery/piece-reader.js';
import { openPoint, type Point } from '../../../receiver/recovery/point.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { Dice, printedSeed } from './dice.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';
import { dataRanges, TreeModel, type ModelEntry } from './tree-model.js';

async function openAt(reader: MemoryJournal, name: string, sequence: Sequence): Promise<Point> {
  const timeline = await loadTimeline(reader);
  return openPoint({ reader, volume: timeline.latest(name)!, instant: { sequence, timeNs: (await reader.timeOf(sequence))! } });
}

async function joined(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

const hash = (bytes: Buffer): string => `${bytes.byteLength} ${createHash('sha1').update(bytes).digest('hex')}`;

/** Everything that a point tells of its tree, in lines that can be compared. */
async function told(point: Point): Promise<string[]> {
  const lines: string[] = [];
  const contents = new Map<bigint, Buffer>();
  const nodes = new Set<ReturnType<typeof asNodeId>>();
  for await (const { path, state } of point.walk()) {
    nodes.add(state.node);
    const ranges: string[] = [];
    let end = -1;
    for await (const batch of point.extents(state.node)) {
      for (const { offset, length } of batch) {
        if (offset === end) ranges[ranges.length - 1] = `${ranges.at(-1)!.split('-')[0]}-${offset + length}`;
        else ranges.push(`${offset}-${offset + length}`);
        end = offset + length;
      }
    }
    const content = state.nodeKind === 'file' ? await joined(point.readNode(state.node)) : Buffer.alloc(0);
    if (state.nodeKind === 'file') contents.set(state.node, content);
    lines.push(line({ path, links: path.length === 0 ? 1 : state.links, node: { ...state, id: state.node, kind: state.nodeKind, xattrs: state.xattrs ?? new Map(), bytes: content } }, ranges));
  }
  const rebuilt = new Map([...contents].map(([node, content]) => [node, Buffer.alloc(content.byteLength)]));
  for await (const { node, offset, data } of point.pieces(nodes)) {
    if (data.byteLength > pieceBytesMax) throw new Error(`a piece of ${data.byteLength} bytes`);
    data.copy(rebuilt.get(node)!, offset);
  }
  for (const [node, content] of contents) if (!content.equals(rebuilt.get(node)!)) lines.push(`pieces of node ${node} differ from its content`);
  return lines;
}

type Told = Omit<Pick<ModelEntry['node'], 'id' | 'kind' | 'mode' | 'uid' | 'gid' | 'modifyNs' | 'bytes'>, never> & { readonly target?: Buffer | undefined; readonly device?: object | undefined; readonly xattrs: ReadonlyMap<string, Buffer> };

function line(entry: { readonly path: readonly string[]; readonly links: number; readonly node: Told }, ranges: readonly string[]): string {
  const { id, kind, mode, uid, gid, modifyNs, target, device, xattrs, bytes } = entry.node;
  const shown = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value.toString('hex')}`);
  return JSON.stringify([entry.path.join('/'), id.toString(), kind, mode, uid, gid, modifyNs.toString(), entry.links, target?.toString('hex'), device, shown, kind === 'file' ? hash(bytes) : '', ranges]);
}

function expected(model: TreeModel): string[] {
  return model.entries().map((entry) => line(entry, entry.node.kind === 'file' ? dataRanges(entry.node).map(({ offset, length }) => `${offset}-${offset + length}`) : []));
}

/** A random history of one volume amid changes of another; `keep` says after which changes the model is kept. */
function history(dice: Dice, count: number, keep: (index: number) => boolean): { list: ChangeList; versions: { sequence: Sequence; model: TreeModel }[] } {
  const list = new ChangeList();
  list.define(2, 'other');
  list.define(1, 'home');
  list.add(1, { kind: 'create', node: rootNode, metadata: { nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n } });
  const [model, other] = [new TreeModel(), new TreeModel()];
  const versions: { sequence: Sequence; model: TreeModel }[] = [];
  for (let index = 0; index < count; index += 1) {
    // Both volumes use the same node numbers: they must never mix.
    if (dice.chance(0.3)) list.add(2, other.change(dice));
    if (dice.chance(0.1)) list.add(1, { kind: 'flush' });
    const sequence = list.add(1, model.change(dice));
    if (keep(index)) versions.push({ sequence, model: model.copy() });
  }
  return { list, versions };
}

t.test('a point at every sequence of short histories equals the model of that moment', async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 6; round += 1) {
    const dice = new Dice(seed + round);
    const { list, versions } = history(dice, 60, () => true);
    const reader = new MemoryJournal(list.changes, { changesAFrame: 1 + dice.below(20) });
    for (const { sequence, model } of versions) {
      const point = await openAt(reader, 'home', sequence);
      if (point.anomalies.count > 0 || JSON.stringify(await told(point)) !== JSON.stringify(expected(model))) {
        t.strictSame(await told(point), expected(model), `seed ${seed + round}, sequence ${sequence}`);
        t.strictSame(point.anomalies.first, []);
        return;
      }
    }
    t.pass(`${versions.length} points of seed ${seed + round}`);
  }
});

t.test('points at random sequences of a long history equal the model', async (t) => {
  const seed = printedSeed(t);
  const dice = new Dice(seed);
  const { list, versions } = history(dice, 2000, () => dice.chance(0.003));
  const reader = new MemoryJournal(list.changes, { changesAFrame: 100 });
  for (const { sequence, model } of versions) {
    const point = await openAt(reader, 'home', sequence);
    t.strictSame(await told(point), expected(model), `sequence ${sequence}`);
    t.equal(point.anomalies.count, 0);
  }
});

async function fixture(t: Test): Promise<{ list: ChangeList; put(name: string, content: string | Buffer, parent?: bigint): bigint; directory(name: string, parent?: bigint): bigint; open(): Promise<{ point: Point; reader: MemoryJournal }> }> {
  const list = new ChangeList();
  list.define(1, 'home');
  let last = 1n;
  const create = (name: string, kind: 'file' | 'directory', parent: bigint): bigint => {
    last += 1n;
    list.add(1, { kind: 'create', node: asNodeId(last), parent: asNodeId(parent), name: nameFromText(name), metadata: { nodeKind: kind, mode: 0o644, uid: 0, gid: 0, modifyNs: 1n } });
    return last;
  };
  return {
    list,
    put(name, content, parent = 1n) {
      const node = create(name, 'file', parent);
      list.add(1, { kind: 'write', node: asNodeId(node), offset: 0, data: Buffer.from(content) });
      return node;
    },
    directory: (name, parent = 1n) => create(name, 'directory', parent),
    async open() {
      const reader = new MemoryJournal(list.changes);
      const point = await openAt(reader, 'home', await reader.lastSequence());
      t.teardown(() => point[Symbol.asyncDispose]());
      return { point, reader };
    },
  };
}

t.test('a directory is listed in pages of bytewise order', async (t) => {
  const tree = await fixture(t);
  const d = tree.directory('d');
  for (const name of ['b', 'B', 'a', 'aa', '\u00e9', 'c']) tree.put(name, name, d);
  const { point } = await tree.open();
  const first = (await point.list(pathFromDisplay('d'), { limit: 4 }))!;
  t.strictSame(first.entries.map(({ name }) => name), ['B', 'a', 'aa', 'b']);
  t.equal(first.more, true);
  const second = (await point.list(pathFromDisplay('d'), { limit: 4, after: first.entries.at(-1)!.name }))!;
  t.strictSame(second.entries.map(({ name }) => name), ['c', '\xc3\xa9']);
  t.equal(second.more, false);
  t.equal(await point.list(pathFromDisplay('d/a')), undefined, 'a file is no directory');
  t.equal(await point.list(pathFromDisplay('nothing')), undefined);
});

t.test('reading honours range, holes and the end of the file', async (t) => {
  const tree = await fixture(t);
  const node = asNodeId(tree.put('f', 'hello'));
  tree.list.add(1, { kind: 'truncate', node, size: 3_000_000 });
  tree.list.add(1, { kind: 'write', node, offset: 2_000_000, data: Buffer.from('world') });
  const { point } = await tree.open();
  const path = pathFromDisplay('f');
  t.equal((await joined(point.read(path))).byteLength, 3_000_000);
  t.strictSame(await joined(point.read(path, { offset: 1_999_998, length: 9 })), Buffer.from('\0\0world\0\0'));
  t.strictSame(await joined(point.read(path, { offset: 3, length: 4 })), Buffer.from('lo\0\0'));
  t.equal((await joined(point.read(path, { offset: 2_999_990, length: 100 }))).byteLength, 10);
  t.equal((await joined(point.read(path, { offset: 9_000_000, length: 1 }))).byteLength, 0);
  await t.rejects(joined(point.read(pathFromDisplay('g'))), { name: 'UsageError' });
  await t.rejects(joined(point.read([])), { name: 'UsageError', message: /no file/ });
});

t.test('pieces read each frame once, in segment order, with touching writes joined', async (t) => {
  const tree = await fixture(t);
  const [a, b] = [asNodeId(tree.put('a', 'a0')), asNodeId(tree.put('b', 'b0'))];
  for (let at = 1; at < 40; at += 1) for (const [node, name] of [[a, 'a'], [b, 'b']] as const) tree.list.add(1, { kind: 'write', node, offset: at * 2, data: Buffer.from(`${name}${at % 10}`) });
  const { point, reader } = await tree.open();
  const order: bigint[] = [];
  let pieces = 0;
  for await (const { node } of point.pieces([b, a])) {
    pieces += 1;
    order.push(node);
  }
  t.ok([...reader.reads.values()].every((count) => count === 1), 'each frame was read once');
  t.ok(pieces < 40, `${pieces} pieces of 80 writes`);
  const segments = [...reader.reads.keys()].map((key) => Number(key.split('/')[0]));
  t.strictSame(segments, [...segments].sort((x, y) => x - y), 'frames were read in order');
});

t.test('a walk of sub-paths shows what leads there, and each path once', async (t) => {
  const tree = await fixture(t);
  const [d, e] = [tree.directory('d'), tree.directory('e')];
  const dd = tree.directory('dd', d);
  tree.put('x', 'x', dd);
  tree.put('y', 'y', d);
  tree.put('z', 'z', e);
  const { point } = await tree.open();
  const shown = async (...paths: string[]): Promise<string[]> => {
    const found: string[] = [];
    for await (const { path, isWithin } of point.walk(paths.map(pathFromDisplay))) found.push(`${path.join('/')}${isWithin ? '' : '?'}`);
    return found;
  };
  t.strictSame(await shown('d/dd'), ['?', 'd?', 'd/dd', 'd/dd/x']);
  t.strictSame(await shown('e/z', 'd/dd/x', 'd/dd/x'), ['?', 'd?', 'd/dd?', 'd/dd/x', 'e?', 'e/z']);
  t.strictSame(await shown('d/dd/x', 'd'), ['?', 'd', 'd/dd', 'd/dd/x', 'd/y']);
  t.strictSame(await shown('d', 'd/dd/x'), ['?', 'd', 'd/dd', 'd/dd/x', 'd/y']);
  t.strictSame(await shown('nothing', 'd/y/below'), ['?', 'd?']);
  t.equal((await shown('')).length, 7);
});

t.test('changes that do not fit are counted as anomalies and change nothing', async (t) => {
  const tree = await fixture(t);
  tree.list.add(1, { kind: 'write', node: asNodeId(99n), offset: 0, data: Buffer.from('x') });
  tree.list.add(1, { kind: 'clone', node: asNodeId(tree.put('f', 'hello')), offset: 1, length: 2, sourceNode: asNodeId(77n), sourceOffset: 0 });
  const { point } = await tree.open();
  t.equal(point.anomalies.count, 2);
  t.match(point.anomalies.first[0], /^seq:\d+: content of node 99/);
  t.strictSame(await joined(point.read(pathFromDisplay('f'))), Buffer.from('h\0\0lo'));
});

t.test('a device is one file, in which discarded and zeroed ranges are holes', async (t) => {
  const list = new ChangeList();
  list.define(1, 'disk', { volumeKind: 'device' });
  list.add(1, { kind: 'truncate', node: rootNode, size: 100_000 });
  list.add(1, { kind: 'write', node: rootNode, offset: 0, data: Buffer.alloc(10_000, 1) });
  list.add(1, { kind: 'discard', offset: 1000, length: 1000 });
  list.add(1, { kind: 'zero', node: rootNode, offset: 4000, length: 1000 });
  const reader = new MemoryJournal(list.changes);
  const point = await openAt(reader, 'disk', asSequence(7n));
  t.match(await point.stat([]), { nodeKind: 'file', size: 100_000 });
  const content = await joined(point.read([]));
  const wanted = Buffer.alloc(100_000);
  wanted.fill(1, 0, 10_000).fill(0, 1000, 2000).fill(0, 4000, 5000);
  t.ok(content.equals(wanted));
  let bytes = 0;
  for await (const { data } of point.pieces([rootNode])) bytes += data.byteLength;
  t.equal(bytes, 8000);
});

t.test('opening stops at damage and says where', async (t) => {
  const tree = await fixture(t);
  for (let at = 0; at < 30; at += 1) tree.put(`f${at}`, 'x');
  const reader = new MemoryJournal(tree.list.changes);
  const place = reader.damage(20n);
  await t.rejects(openAt(reader, 'home', asSequence(40n)), { name: 'FormatError', place: { segment: place.segment, offset: place.offset } });
  await t.resolves(openAt(reader, 'home', asSequence(10n)), 'before the damage nothing is wrong');
});

t.test('opening can be stopped', async (t) => {
  const tree = await fixture(t);
  for (let at = 0; at < 30; at += 1) tree.put(`f${at}`, 'x');
  const reader = new MemoryJournal(tree.list.changes);
  const timeline = await loadTimeline(reader);
  const stop = new AbortController();
  const opening = openPoint({ reader, volume: timeline.latest('home')!, instant: timeline.end, signal: stop.signal, onProgress: () => stop.abort(new Error('stopped')) });
  await t.rejects(opening, { message: 'stopped' });
});
