/** Restores of points to a real disk against the model: fresh, in place, and of parts. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { rootNode, type Sequence } from '../../../proto/change.js';
import { nameFromText, type Path } from '../../../proto/name.js';
import { decodeRestoreItem, encodeRestoreItem, type RestoreItem } from '../../../proto/wire/messages.js';
import type { Directory } from '../../../native/host/directory.js';
import { nativeUnavailableReason, systemDirectories } from '../../../native/index.js';
import type { TreeRestoreReport } from '../../../native/tree/report.js';
import { restoreTree, type RestoreTreeOptions } from '../../../native/tree/restore-tree.js';
import { openPoint, type Point } from '../../../receiver/recovery/point.js';
import { coalesce, restoreItems, type RestoreSourceOptions } from '../../../receiver/recovery/restore-source.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import type { VolumeTimeline } from '../../../receiver/recovery/volume-timeline.js';
import { content, lines, linesAt, place, type ToldEntry } from '../../native/tree/disk-tree.js';
import { Dice, printedSeed } from './dice.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';
import { dataRanges, TreeModel } from './tree-model.js';

const asRoot = process.geteuid?.() === 0;
const reason = nativeUnavailableReason() ?? (asRoot ? undefined : 'needs root: owners and devices are part of the model');
const skip = reason ?? false;

/** Random changes of one volume; returns the sequence up to which `model` is true. */
function grow(dice: Dice, list: ChangeList, model: TreeModel, count: number): Sequence {
  let last = list.changes.at(-1)!.sequence;
  for (let index = 0; index < count; index += 1) last = list.add(1, model.change(dice));
  return last;
}

function begun(): { list: ChangeList; model: TreeModel } {
  const list = new ChangeList();
  list.define(1, 'home');
  list.add(1, { kind: 'create', node: rootNode, metadata: { nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n } });
  return { list, model: new TreeModel() };
}

async function open(list: ChangeList, sequence: Sequence): Promise<{ point: Point; volume: VolumeTimeline; reader: MemoryJournal }> {
  const reader = new MemoryJournal(list.changes, { changesAFrame: 50 });
  const volume = (await loadTimeline(reader)).latest('home')!;
  return { reader, volume, point: await openPoint({ reader, volume, instant: { sequence, timeNs: (await reader.timeOf(sequence))! } }) };
}

/** As it travels: every item encoded and decoded. */
async function* wired(items: AsyncIterable<RestoreItem>): AsyncGenerator<RestoreItem, void, undefined> {
  for await (const item of items) yield decodeRestoreItem(encodeRestoreItem(item));
}

function restored(source: RestoreSourceOptions, target: string, mode: RestoreTreeOptions['mode'], more: Partial<RestoreTreeOptions> = {}): Promise<TreeRestoreReport> {
  return restoreTree({ directories: systemDirectories, target, items: wired(restoreItems(source)), mode, ...(source.paths === undefined ? {} : { paths: source.paths }), ...more });
}

function told(model: TreeModel): ToldEntry[] {
  return model.entries().map(({ path, node }) => ({ ...node, path, content: node.bytes, group: node.id.toString() }));
}

/** Bytes of holes that lie in whole, aligned blocks must not be allocated. */
async function holesKept(t: Test, target: string, model: TreeModel): Promise<void> {
  const root = await systemDirectories.openRoot(target);
  let blocks = 0;
  for (const { path, node } of model.entries()) {
    if (node.kind !== 'file' || node.bytes.byteLength < 65_536) continue;
    const data = dataRanges(node);
    const file = await openPath(root, path);
    for (let at = 0; at + 65_536 <= node.bytes.byteLength; at += 65_536) {
      if (data.some(({ offset, length }) => offset < at + 65_536 && offset + length > at)) continue;
      blocks += 1;
      const next = await file.nextData(at);
      if (next !== undefined && next.offset < at + 65_536) t.fail(`${path.join('/')}: the hole at ${at} holds data`);
    }
    await file.close();
  }
  await root.close();
  t.comment(`${blocks} blocks of holes`);
}

async function openPath(root: Directory, path: Path): ReturnType<Directory['openFile']> {
  let at = root;
  for (const name of path.slice(0, -1)) {
    const next = await at.openDirectory(Buffer.from(name, 'latin1'));
    if (at !== root) await at.close();
    at = next;
  }
  const file = await at.openFile(Buffer.from(path.at(-1)!, 'latin1'), 'read');
  if (at !== root) await at.close();
  return file;
}

t.test('a fresh restore equals the model in content, holes, metadata and links', { skip }, async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 4; round += 1) {
    const dice = new Dice(seed + round);
    const { list, model } = begun();
    const sequence = grow(dice, list, model, 400);
    const { point, volume, reader } = await open(list, sequence);
    const target = join(await place(t), 'restored');
    const report = await restored({ point, volume }, target, 'fresh');
    t.strictSame(await linesAt(target), lines(told(model)), `seed ${seed + round}`);
    t.strictSame([report.skipped, report.notRepresented], [[], []]);
    t.equal(report.created.count, model.entries().length);
    t.ok([...reader.reads.values()].every((count) => count === 1), 'each frame was read once');
    await holesKept(t, target, model);
    const again = await restored({ point, volume }, target, 'in-place');
    t.match(again, { bytesWritten: 0, created: { count: 0 }, changed: { count: 0 }, deleted: { count: 0 } }, 'in place over itself nothing is written');
  }
});

t.test('an in-place restore over another version equals the model and writes what differs', { skip }, async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 4; round += 1) {
    const dice = new Dice(seed + round);
    const { list, model } = begun();
    const early = grow(dice, list, model, 300);
    const old = model.copy();
    const late = grow(dice, list, model, 1 + dice.below(300));
    const [before, after] = [await open(list, early), await open(list, late)];
    const target = join(await place(t), 'restored');
    await restored(before, target, 'fresh');
    const plan = await restored(after, target, 'in-place', { dryRun: true });
    t.strictSame(await linesAt(target), lines(told(old)), 'a dry run writes nothing');
    const report = await restored(after, target, 'in-place');
    t.strictSame(await linesAt(target), lines(told(model)), `forwards, seed ${seed + round}`);
    t.equal(plan.created.count, report.created.count, 'the dry run said what would be created');
    t.equal(plan.deleted.count, report.deleted.count, 'and deleted');
    t.ok(plan.changed.count <= report.changed.count, 'and changed, but for directories whose time changes by that');
    await restored(before, target, 'in-place');
    t.strictSame(await linesAt(target), lines(told(old)), `and back, seed ${seed + round}`);
  }
});

t.test('in place only the blocks that differ are written', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list } = begun();
  const bytes = dice.bytes(2_000_000);
  const node = 2n as never;
  list.add(1, { kind: 'create', node, parent: rootNode, name: nameFromText('big'), metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 5n } });
  for (let at = 0; at < bytes.byteLength; at += 100_000) list.add(1, { kind: 'write', node, offset: at, data: bytes.subarray(at, at + 100_000) });
  const early = list.changes.at(-1)!.sequence;
  list.add(1, { kind: 'write', node, offset: 777_777, data: Buffer.from([0]) });
  const late = list.add(1, { kind: 'write', node, offset: 1_500_000, data: bytes.subarray(1_500_000, 1_600_000) });
  const target = join(await place(t), 'restored');
  await restored(await open(list, early), target, 'fresh');
  const report = await restored(await open(list, late), target, 'in-place');
  t.ok(report.bytesWritten > 0 && report.bytesWritten <= 8192, `${report.bytesWritten} bytes written`);
  t.equal(report.bytesWritten + report.bytesEqual, 2_000_000);
  t.equal(report.changed.count, 1);
});

t.test('parts are restored, and nothing outside of them is touched', { skip }, async (t) => {
  const { list } = begun();
  let last = 1n;
  const put = (parent: bigint, name: string, content?: string): bigint => {
    last += 1n;
    list.add(1, { kind: 'create', node: last as never, parent: parent as never, name: nameFromText(name), metadata: { nodeKind: content === undefined ? 'directory' : 'file', mode: 0o700, uid: 0, gid: 0, modifyNs: last } });
    if (content !== undefined) list.add(1, { kind: 'write', node: last as never, offset: 0, data: Buffer.from(content) });
    return last;
  };
  const etc = put(1n, 'etc');
  const nginx = put(etc, 'nginx');
  put(nginx, 'nginx.conf', 'server');
  put(etc, 'passwd', 'root');
  put(etc, 'hosts', 'localhost');
  put(1n, 'home');
  const early = list.changes.at(-1)!.sequence;
  const { point, volume } = await open(list, early);
  const target = join(await place(t), 'restored');
  const paths = [['etc', 'nginx'], ['etc', 'hosts']].map((path) => path.map(nameFromText));
  await restored({ point, volume, paths }, target, 'fresh');
  const names = async (): Promise<string[]> => (await linesAt(target)).map((line) => (JSON.parse(line) as string[])[0]!);
  t.strictSame(await names(), ['', 'etc', 'etc/hosts', 'etc/nginx', 'etc/nginx/nginx.conf']);
  const root = await systemDirectories.openRoot(target);
  const directory = await root.openDirectory(Buffer.from('etc'));
  for (const name of ['extra', '.afterimage-restore-0']) await (await directory.createFile(Buffer.from(name))).close();
  const inner = await directory.openDirectory(Buffer.from('nginx'));
  await (await inner.createFile(Buffer.from('extra'))).close();
  await directory.setTimes(undefined, { modifyNs: 42n });
  await directory.setOwnerAndMode(undefined, { mode: 0o711 });
  const report = await restored({ point, volume, paths }, target, 'in-place');
  t.strictSame(await names(), ['', 'etc', 'etc/.afterimage-restore-0', 'etc/extra', 'etc/hosts', 'etc/nginx', 'etc/nginx/nginx.conf'], 'only extras within what was asked for go');
  t.strictSame(report.deleted.first, ['etc/nginx/extra']);
  const stat = await directory.stat();
  t.strictSame([stat.mode, stat.modifyNs], [0o711, 42n], 'what leads there is left as it is');
  t.strictSame(await content(directory, Buffer.from('hosts')), Buffer.from('localhost'));
  for (const open of [inner, directory, root]) await open.close();
});

t.test('a restore can be planned, refused and advised', async (t) => {
  const { list, model } = begun();
  const dice = new Dice(printedSeed(t));
  grow(dice, list, model, 100);
  list.add(1, { kind: 'create', node: 999n as never, parent: rootNode, name: nameFromText('report.txt'), metadata: { nodeKind: 'directory', mode: 0o700, uid: 0, gid: 0, modifyNs: 0n } });
  const exact = list.changes.at(-1)!.sequence;
  list.add(1, { kind: 'gap', edge: 'open', gap: 1, label: 'unknown', cause: 'the agent was down', sinceNs: list.timeNs + 1n });
  const unknown = list.add(1, { kind: 'flush' });
  const gather = async (options: Partial<RestoreSourceOptions>, sequence = unknown): Promise<RestoreItem[]> => {
    const items: RestoreItem[] = [];
    for await (const item of restoreItems({ ...(await open(list, sequence)), ...options })) items.push(item);
    return items;
  };
  const items = await gather({ planOnly: true });
  t.match(items[0], { kind: 'head', label: 'unknown', cause: 'the agent was down', advice: [/^the nearest better point before is .*: exact$/], platform: 'linux' });
  t.equal(items.filter(({ kind }) => kind === 'piece').length, 0);
  t.match(items.at(-1), { kind: 'end', bytes: 0 });
  const whole = await gather({});
  const [head, end] = [whole[0]!, whole.at(-1)!];
  t.ok(head.kind === 'head' && end.kind === 'end' && head.bytes === end.bytes && head.entries === end.entries && head.bytes > 0, 'the head announces what comes');
  await t.rejects(gather({ exactOnly: true }), { name: 'UsageError', message: /unknown \(the agent was down\).*nearest better point before/ });
  t.match((await gather({ exactOnly: true }, exact))[0], { label: 'exact', advice: [] });
  await t.rejects(gather({ paths: [[nameFromText('raport.txt')]] }), { name: 'UsageError', message: /raport.txt does not exist.*did you mean report.txt/ });
  await t.rejects(gather({ paths: [['report.txt', 'x', 'y'].map(nameFromText)] }), { name: 'UsageError', message: /report.txt\/x\/y does not exist/ });
});

t.test('too many ranges become fewer, and zeroes are sent for the holes between', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list, model } = begun();
  let sequence = grow(dice, list, model, 200);
  const file = model.entries().find(({ node }) => node.kind === 'file')!.node;
  for (let at = 0; at < 60; at += 1) {
    const offset = file.bytes.byteLength + 1 + dice.below(3000);
    const data = dice.bytes(10);
    const [bytes, map] = [Buffer.alloc(offset + 10), Buffer.alloc(offset + 10)];
    file.bytes.copy(bytes);
    data.copy(bytes, offset);
    file.bytes = bytes;
    file.data = map;
    sequence = list.add(1, { kind: 'write', node: file.id, offset, data });
  }
  const { point, volume } = await open(list, sequence);
  const most = { ranges: 0 };
  for await (const item of restoreItems({ point, volume, rangesMax: 7 })) if (item.kind === 'entry') most.ranges = Math.max(most.ranges, item.data.length);
  t.equal(most.ranges, 7);
  const target = join(await place(t), 'restored');
  await restored({ point, volume, rangesMax: 7 }, target, 'fresh');
  t.strictSame(await linesAt(target), lines(told(model)));
});

t.test('the shortest holes are given up first', async (t) => {
  const ranges = [0, 10, 25, 100, 104].map((offset) => ({ offset, length: 3 }));
  t.strictSame(coalesce(ranges, 5), { ranges, padding: [] });
  t.strictSame(coalesce(ranges, 3), { ranges: [{ offset: 0, length: 13 }, { offset: 25, length: 3 }, { offset: 100, length: 7 }], padding: [{ offset: 3, length: 7 }, { offset: 103, length: 1 }] });
  t.strictSame(coalesce(ranges, 1).ranges, [{ offset: 0, length: 107 }]);
});

t.test('a device is restored to one file', { skip }, async (t) => {
  const list = new ChangeList();
  list.define(1, 'home', { volumeKind: 'device' });
  list.add(1, { kind: 'truncate', node: rootNode, size: 500_000 });
  const sequence = list.add(1, { kind: 'write', node: rootNode, offset: 100_000, data: Buffer.alloc(1000, 7) });
  const image = join(await place(t), 'disk.img');
  const source = await open(list, sequence);
  await restored(source, image, 'fresh');
  const root = await systemDirectories.openRoot(join(image, '..'));
  const wanted = Buffer.alloc(500_000).fill(7, 100_000, 101_000);
  t.ok((await content(root, Buffer.from('disk.img'))).equals(wanted));
  await t.rejects(restored(source, image, 'fresh'), { code: 'target', message: /--in-place/ });
  const file = await root.openFile(Buffer.from('disk.img'), 'write');
  await file.write(Buffer.from('dirt'), 200_000);
  await file.close();
  await restored(source, image, 'in-place');
  t.ok((await content(root, Buffer.from('disk.img'))).equals(wanted), 'in place');
  await root.close();
});
