/** Restores of a device volume to image files, against a model: fresh, in place, planned, and stopped half-way. */
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nativeUnavailableReason, systemDirectories } from '../../../native/index.js';
import type { ImageTarget } from '../../../native/image/image-target.js';
import { openImageTarget } from '../../../native/image/open-target.js';
import { restoreImage, type ImageRestoreReport, type RestoreImageOptions } from '../../../native/image/restore-image.js';
import type { TreeItem } from '../../../native/tree/items.js';
import { nameFromText } from '../../../proto/name.js';
import { decodeRestoreItem, encodeRestoreItem } from '../../../proto/wire/messages.js';
import type { Sequence } from '../../../proto/change.js';
import { diffPoints } from '../../../receiver/recovery/diff.js';
import { openPoint, type Point } from '../../../receiver/recovery/point.js';
import { restoreItems } from '../../../receiver/recovery/restore-source.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { verifyPoint } from '../../../receiver/recovery/verify.js';
import type { VolumeTimeline } from '../../../receiver/recovery/volume-timeline.js';
import { place } from '../../native/tree/disk-tree.js';
import { DeviceModel } from './device-model.js';
import { Dice, printedSeed } from './dice.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';

const blockBytes = 4096;
const changesARound = 300;

interface Source {
  readonly point: Point;
  readonly volume: VolumeTimeline;
  readonly reader: MemoryJournal;
}

interface Instant {
  readonly sequence: Sequence;
  readonly bytes: Buffer;
}

/** A random history, and the device as it was at some of its instants. */
function history(dice: Dice, instants: number): { readonly list: ChangeList; readonly at: readonly Instant[] } {
  const list = new ChangeList();
  list.define(1, 'disk', { volumeKind: 'device' });
  const model = new DeviceModel((200 + dice.below(3000)) * 512, { resizes: true });
  const at: Instant[] = [{ sequence: list.add(1, model.begin()), bytes: model.copy() }];
  for (let round = 0; round < instants; round += 1) {
    let sequence = list.add(1, model.change(dice));
    for (let count = dice.below(changesARound / instants); count > 0; count -= 1) sequence = list.add(1, model.change(dice));
    at.push({ sequence, bytes: model.copy() });
  }
  return { list, at };
}

async function open(list: ChangeList, sequence: Sequence): Promise<Source> {
  const reader = new MemoryJournal(list.changes, { changesAFrame: 20 });
  const volume = (await loadTimeline(reader)).latest('disk')!;
  return { reader, volume, point: await openPoint({ reader, volume, instant: { sequence, timeNs: (await reader.timeOf(sequence))! } }) };
}

/** As it travels: every item encoded and decoded. */
async function* wired({ point, volume }: Source, more: Partial<Parameters<typeof restoreItems>[0]> = {}): AsyncGenerator<TreeItem, void, undefined> {
  for await (const item of restoreItems({ point, volume, ...more })) yield decodeRestoreItem(encodeRestoreItem(item));
}

interface Wanted extends Partial<Omit<RestoreImageOptions, 'target'>> {
  readonly wrap?: (target: ImageTarget) => ImageTarget;
}

async function restored(source: Source, path: string, mode: 'fresh' | 'in-place', { wrap = (target) => target, ...more }: Wanted = {}): Promise<ImageRestoreReport> {
  const target = await openImageTarget({ directories: systemDirectories, target: path, mode, dryRun: more.dryRun === true, overwrite: undefined });
  return restoreImage({ target: wrap(target), items: wired(source), mode, sync: true, ...more });
}

/** Passes everything on, and looks at what is written before it is. */
function watched(target: ImageTarget, onChange: (offset: number, length: number) => void): ImageTarget {
  return {
    place: target.place, kind: target.kind, isBlank: target.isBlank, sizeBytes: target.sizeBytes,
    begin: (sizeBytes) => target.begin(sizeBytes),
    read: (buffer, position) => target.read(buffer, position),
    nextData: (offset) => target.nextData(offset),
    finish: (options) => target.finish(options),
    abandon: () => target.abandon(),
    async write(source, position) {
      onChange(position, source.byteLength);
      await target.write(source, position);
    },
    async zero(span) {
      onChange(span.offset, span.length);
      await target.zero(span);
    },
  };
}

function sameBytes(t: Test, found: Buffer, wanted: Buffer, what: string): void {
  t.equal(found.byteLength, wanted.byteLength, `${what}: the size`);
  t.ok(found.equals(wanted), `${what}: the bytes`);
}

/** Whether any byte of the 4 KiB blocks that a range touches differs. */
function differs(a: Buffer, b: Buffer, block: number): boolean {
  return !a.subarray(block * blockBytes, (block + 1) * blockBytes).equals(b.subarray(block * blockBytes, (block + 1) * blockBytes));
}

t.test('a new image equals the device at every instant, and holes take no space', async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 3; round += 1) {
    const { list, at } = history(new Dice(seed + round), 4);
    const directory = await place(t);
    for (const { sequence, bytes } of at) {
      const path = join(directory, `image-${sequence}`);
      const report = await restored(await open(list, sequence), path, 'fresh');
      sameBytes(t, await readFile(path), bytes, `seed ${seed + round}, seq:${sequence}`);
      t.match(report, { kind: 'file', created: true, sizeBytes: bytes.byteLength, bytesCompared: 0, bytesZeroed: 0, notes: [] });
      const blocks = Array.from({ length: Math.ceil(bytes.byteLength / blockBytes) }, (_, block) => block).filter((block) => bytes.subarray(block * blockBytes, (block + 1) * blockBytes).some((byte) => byte !== 0));
      if (process.platform === 'linux') t.ok((await stat(path)).blocks * 512 <= (blocks.length + 16) * blockBytes, 'only blocks with data are allocated');
      t.equal((await stat(path)).mode & 0o777, 0o600, 'nobody else may read it');
    }
    t.strictSame((await readdir(directory)).filter((name) => name.startsWith('.')), [], 'no draft is left');
  }
});

t.test('in place an image equals the device afterwards, and blocks that were right are not written', async (t) => {
  const seed = printedSeed(t);
  for (let round = 0; round < 4; round += 1) {
    const dice = new Dice(seed + round);
    const { list, at } = history(dice, 4);
    const path = join(await place(t), 'image');
    let now = at[0]!;
    await restored(await open(list, now.sequence), path, 'fresh');
    for (let turn = 0; turn < 6; turn += 1) {
      const next = dice.pick(at);
      const source = await open(list, next.sequence);
      const plan = await restored(source, path, 'in-place', { dryRun: true });
      sameBytes(t, await readFile(path), now.bytes, 'a dry run writes nothing');
      const before = Buffer.alloc(next.bytes.byteLength);
      now.bytes.copy(before);
      const needless: number[] = [];
      const report = await restored(source, path, 'in-place', {
        wrap: (target) => watched(target, (offset, length) => {
          for (let block = Math.floor(offset / blockBytes); block * blockBytes < offset + length; block += 1) if (!differs(before, next.bytes, block)) needless.push(block);
        }),
      });
      sameBytes(t, await readFile(path), next.bytes, `seed ${seed + round}, seq:${now.sequence} to seq:${next.sequence}`);
      t.strictSame(needless, [], 'nothing was written over what is the same');
      // At the old end a block is longer once the file is.
      for (const count of ['bytesWritten', 'bytesZeroed'] as const) t.ok(Math.abs(plan[count] - report[count]) < (now.bytes.byteLength === next.bytes.byteLength ? 1 : blockBytes), `the dry run said as much: ${count} ${plan[count]}, ${report[count]}`);
      t.equal(report.sizeBytesBefore, now.bytes.byteLength);
      now = next;
    }
    t.match(await restored(await open(list, now.sequence), path, 'in-place'), { bytesWritten: 0, bytesZeroed: 0 }, 'over itself nothing is written');
  }
});

t.test('in place an image of any size and content becomes the device', async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list, at } = history(dice, 3);
  const { sequence, bytes } = at.at(-1)!;
  const path = join(await place(t), 'image');
  for (const size of [0, 1, 511, 5000, bytes.byteLength - 1, bytes.byteLength, bytes.byteLength + 1, bytes.byteLength + 1_000_000]) {
    await writeFile(path, dice.bytes(Math.min(size, 100_000)));
    await truncate(path, size);
    await restored(await open(list, sequence), path, 'in-place');
    sameBytes(t, await readFile(path), bytes, `from ${size} bytes`);
  }
});

t.test('a device that is one hole becomes a file that is one hole, of exactly its size', async (t) => {
  const list = new ChangeList();
  list.define(1, 'disk', { volumeKind: 'device' });
  const sequence = list.add(1, { kind: 'truncate', node: 1n as never, size: 5 * 1024 ** 4 + 512 });
  const path = join(await place(t), 'image');
  await restored(await open(list, sequence), path, 'fresh');
  const { size, blocks } = await stat(path);
  t.equal(size, 5 * 1024 ** 4 + 512);
  t.equal(blocks, 0);
});

t.test('a dry run to a new image says what would be written', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 3);
  const { sequence } = at.at(-1)!;
  const directory = await place(t);
  const path = join(directory, 'image');
  const source = await open(list, sequence);
  const plan = await restored(source, path, 'fresh', { dryRun: true });
  t.strictSame(await readdir(directory), []);
  const report = await restored(source, path, 'fresh');
  t.strictSame({ ...plan, dryRun: false }, report);
});

t.test('progress reaches its total', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 3);
  const path = join(await place(t), 'image');
  for (const [mode, { sequence }] of [['fresh', at[1]!], ['in-place', at[3]!]] as const) {
    let last = { doneBytes: 0, totalBytes: -1 };
    await restored(await open(list, sequence), path, mode, { onProgress: (progress) => {
      t.ok(progress.doneBytes >= last.doneBytes);
      last = progress;
    } });
    t.equal(last.doneBytes, last.totalBytes, mode);
  }
});

t.test('what may not be a target is refused before anything is written', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 1);
  const source = await open(list, at[1]!.sequence);
  const directory = await place(t);
  const path = join(directory, 'image');
  await writeFile(path, 'as it was');
  await t.rejects(restored(source, path, 'fresh'), { name: 'TreeRestoreError', code: 'target', message: /exists; restore to another place, or use --in-place/ });
  t.equal(await readFile(path, 'utf8'), 'as it was');
  await t.rejects(restored(source, directory, 'in-place'), { code: 'target', message: /is a directory/ });
  await t.rejects(restored(source, join(directory, 'none', 'image'), 'fresh'), { code: 'target', message: /cannot be opened/ });
  await t.rejects(openImageTarget({ directories: systemDirectories, target: join(directory, 'new'), mode: 'fresh', dryRun: false, overwrite: '/dev/sdz' }), { code: 'target', message: /--yes-overwrite is for block devices/ });
  if (process.platform === 'linux') await t.rejects(restored(source, '/dev/sd-that-is-not-there', 'fresh'), { code: 'target', message: /there is no device/ });
});

t.test('a restore that is stopped leaves nothing new, and says when an old image is a mixture', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 3);
  const source = await open(list, at.at(-1)!.sequence);
  const directory = await place(t);
  const path = join(directory, 'image');
  const stopAt = (count: number): { signal: AbortSignal; items: AsyncIterable<TreeItem> } => {
    const controller = new AbortController();
    async function* items(): AsyncGenerator<TreeItem, void, undefined> {
      let pieces = 0;
      for await (const item of wired(source)) {
        if (item.kind === 'piece' && (pieces += 1) > count) controller.abort(new Error('stopped by SIGINT'));
        yield item;
      }
    }
    return { signal: controller.signal, items: items() };
  };
  await t.rejects(restored(source, path, 'fresh', stopAt(1)), { message: 'stopped by SIGINT' });
  t.strictSame(await readdir(directory), [], 'neither image nor draft');
  await writeFile(path, Buffer.alloc(100, 1));
  await t.rejects(restored(source, path, 'in-place', stopAt(1)), { message: /^stopped by SIGINT; .*image now holds a mixture/ });
  t.strictSame(await readdir(directory), ['image']);
  await restored(source, join(directory, 'whole'), 'fresh');
  sameBytes(t, await readFile(join(directory, 'whole')), at.at(-1)!.bytes, 'another one afterwards');
});

t.test('a draft that a killed restore has left is replaced', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 1);
  const { sequence, bytes } = at.at(-1)!;
  const directory = await place(t);
  const path = join(directory, 'image');
  let draft = '';
  await t.rejects(restored(await open(list, sequence), path, 'fresh', { wrap: (target) => ({ ...watched(target, () => undefined), abandon: async () => undefined, write: async () => {
    draft = (await readdir(directory)).join();
    throw new Error('killed');
  } }) }), { message: 'killed' });
  t.match(draft, /^\.afterimage-restore-/);
  await restored(await open(list, sequence), path, 'fresh');
  sameBytes(t, await readFile(path), bytes, 'afterwards');
  t.strictSame(await readdir(directory), ['image']);
});

t.test('items that are not those of one image are refused', async (t) => {
  const directory = await place(t);
  const metadata = { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 0n } as const;
  const head: TreeItem = { kind: 'head', entries: 1, bytes: 10 };
  const entry: TreeItem = { kind: 'entry', index: 0, path: [], metadata, size: 100, data: [{ offset: 5, length: 10 }] };
  const piece = (offset: number, length: number, index = 0): TreeItem => ({ kind: 'piece', index, offset, data: Buffer.alloc(length, 1) });
  const end: TreeItem = { kind: 'end', entries: 1, bytes: 10 };
  const rows: readonly [label: string, items: readonly TreeItem[], says: RegExp][] = [
    ['nothing at all', [], /ended early/],
    ['no head', [entry], /begin with its head/],
    ['two entries announced', [{ ...head, entries: 2 }, entry], /one entry/],
    ['a directory', [head, { ...entry, metadata: { ...metadata, nodeKind: 'directory' }, data: [] }, end], /directory/],
    ['a second entry', [head, entry, { ...entry, index: 1, path: ['x'] }], /among the pieces/],
    ['data past the size', [head, { ...entry, size: 12 }], /past its size/],
    ['a piece of another entry', [head, entry, piece(5, 10, 1)], /outside/],
    ['a piece outside of the data', [head, entry, piece(6, 10)], /outside/],
    ['a piece twice', [head, entry, piece(5, 10), piece(5, 10)], /sent twice/],
    ['too few bytes', [head, entry, piece(5, 9), { ...end, bytes: 9 }], /incomplete/],
    ['no end', [head, entry, piece(5, 10)], /ended early/],
    ['an end that counts otherwise', [head, entry, piece(5, 10), { ...end, bytes: 11 }], /incomplete/],
  ];
  async function* stream(items: readonly TreeItem[]): AsyncGenerator<TreeItem, void, undefined> {
    yield* items;
  }
  for (const [label, items, says] of rows) {
    const target = await openImageTarget({ directories: systemDirectories, target: join(directory, 'image'), mode: 'fresh', dryRun: false, overwrite: undefined });
    await t.rejects(restoreImage({ target, items: stream(items), mode: 'fresh' }), { name: 'TreeRestoreError', message: says }, label);
    t.strictSame(await readdir(directory), [], label);
  }
});

t.test('of a device the whole image is sent, whatever paths are asked for', async (t) => {
  const { list, at } = history(new Dice(printedSeed(t)), 1);
  const source = await open(list, at[1]!.sequence);
  const [all, some]: [TreeItem[], TreeItem[]] = [[], []];
  for await (const item of wired(source)) all.push(item);
  for await (const item of wired(source, { paths: [[nameFromText('etc'), nameFromText('passwd')]] })) some.push(item);
  t.strictSame(some, all);
});

t.test('many small extents are sent as few ranges, and the image is the same', async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list, at } = history(dice, 3);
  const { sequence, bytes } = at.at(-1)!;
  const source = await open(list, sequence);
  const path = join(await place(t), 'image');
  await restored(source, path, 'fresh', { items: wired(source, { rangesMax: 3 }) });
  sameBytes(t, await readFile(path), bytes, 'three ranges');
});

t.test('a difference of two instants is told in ranges, and damage by the volume', async (t) => {
  const seed = printedSeed(t);
  const { list, at } = history(new Dice(seed), 3);
  const [from, to] = [await open(list, at[1]!.sequence), await open(list, at[3]!.sequence)];
  const entries = [];
  for await (const entry of diffPoints({ from: from.point, to: to.point })) entries.push(entry);
  t.equal(entries.length, 1, `seed ${seed}`);
  const [entry] = entries;
  if (entry?.kind !== 'modified') return t.fail('the image is not modified');
  t.strictSame(entry.path, []);
  const [old, now] = [at[1]!.bytes, at[3]!.bytes];
  const changed = (offset: number): boolean => old[offset] !== now[offset];
  const inside = (offset: number): boolean => entry.ranges.some((range) => offset >= range.offset && offset < range.offset + range.length);
  for (let offset = 0; offset < Math.max(old.byteLength, now.byteLength); offset += 1) if (changed(offset) && !inside(offset)) return t.fail(`${offset} differs and is not told`);
  for (const { offset, length } of entry.ranges) t.ok(changed(offset) && changed(offset + length - 1), 'ranges begin and end with a difference');
  t.equal((await verifyPoint({ reader: to.reader, point: to.point })).damageCount, 0);
  const written = list.changes.findLast(({ body, sequence }) => body.kind === 'write' && sequence <= at[3]!.sequence)!;
  to.reader.damage(written.sequence);
  const { damage } = await verifyPoint({ reader: to.reader, point: to.point });
  t.match(damage, [{ volumes: ['disk'], files: { count: 1, first: ['.'] } }]);
});

t.test('without the native addon an image is restored, too', { skip: nativeUnavailableReason() === undefined ? false : 'it is missing anyway' }, async (t) => {
  const { plainDirectories } = await import('../../../native/host/plain-directory.js');
  const { list, at } = history(new Dice(printedSeed(t)), 3);
  const path = join(await place(t), 'image');
  for (const [mode, { sequence, bytes }] of [['fresh', at[2]!], ['in-place', at[1]!], ['in-place', at[3]!]] as const) {
    const target = await openImageTarget({ directories: plainDirectories, target: path, mode, dryRun: false, overwrite: undefined });
    await restoreImage({ target, items: wired(await open(list, sequence)), mode });
    sameBytes(t, await readFile(path), bytes, mode);
  }
});
