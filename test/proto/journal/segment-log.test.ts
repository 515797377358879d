/** A log takes frames in order, rotates, seals, trims, and gives every frame back from any sequence. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemFiles } from '../../../native/host/files.js';
import { asSequence, type Sequence } from '../../../proto/change.js';
import { frameChanges, frameLength } from '../../../proto/journal/frame.js';
import { segmentHead } from '../../../proto/journal/layout.js';
import { SegmentLog } from '../../../proto/journal/segment-log.js';
import { segmentFileName } from '../../../proto/journal/segment.js';
import { chance } from '../seeded.js';
import { FaultyFiles } from './faulty-files.js';
import { chain, endOfFrames, journal, nextFrame, start } from './frames.js';

const segmentSizeBytes = 1000;
const open = (directory: string, options: { segmentSizeBytes?: number } = {}): Promise<SegmentLog> => SegmentLog.open({ files: systemFiles, directory, journal, segmentSizeBytes, ...options });
const sequences = async (log: SegmentLog, after: bigint): Promise<bigint[]> => {
  const found: bigint[] = [];
  for await (const { frame } of log.frames(asSequence(after))) for (const change of frameChanges(frame).changes) found.push(change.sequence);
  return found;
};
const sizeOf = (directory: string, firstSequence: Sequence): number => statSync(join(directory, segmentFileName(firstSequence))).size;
const range = (from: number, to: number): bigint[] => Array.from({ length: to - from + 1 }, (_, k) => BigInt(from + k));

t.test('frames appended are read back from any sequence, also from within a frame', async (t) => {
  const directory = join(t.testdir(), 'not', 'there', 'yet');
  const log = await open(directory);
  t.equal(log.trimmedThrough, 0n);
  t.strictSame(await sequences(log, 0n), []);
  const frames = chain(12, { count: 3 });
  const locations = [];
  for (const frame of frames) locations.push(await log.append(frame));
  t.equal(log.writtenThrough, 36n);
  t.ok(log.segments.length > 3, `${log.segments.length} segments`);
  for (let after = 0; after <= 36; after += 1) {
    const frameStart = after - (after % 3) + 1;
    t.strictSame(await sequences(log, BigInt(after)), after === 36 ? [] : range(frameStart, 36), `after ${after}`);
  }
  const places = [];
  for await (const { frame, offset, segment } of log.frames(asSequence(0n))) places.push({ segment, offset, length: frameLength(frame) });
  t.strictSame(places, locations, 'each where append said it is');
  t.strictSame(readdirSync(directory).sort(), log.segments.map(({ firstSequence }) => segmentFileName(firstSequence)), 'files and segments agree');
  for (const { sizeBytes } of log.segments) t.ok(sizeBytes <= segmentSizeBytes + 104, 'no segment much past its size');
  t.equal(log.sizeBytes, log.segments.reduce((sum, { firstSequence }) => sum + sizeOf(directory, firstSequence), 0));
  await log.close();
  const again = await open(directory);
  t.strictSame(again.end, endOfFrames(frames));
  t.strictSame(again.segments, log.segments, 'reopening tells the same segments');
  t.strictSame(await sequences(again, 0n), range(1, 36));
  await again.close();
});

t.test('a frame larger than a segment has one for itself', async (t) => {
  const log = await open(join(t.testdir(), 'log'), { segmentSizeBytes: 300 });
  for (const frame of chain(3, { size: 2000 })) await log.append(frame);
  t.strictSame(log.segments.map(({ frameCount }) => frameCount), [1, 1, 1]);
  await log.close();
});

t.test('only what follows is taken', async (t) => {
  const log = await open(join(t.testdir(), 'log'));
  const [first, second, third] = chain(3);
  await log.append(first!);
  await t.rejects(log.append(third!), { name: 'FormatError', message: /append frame.*expected 3/ });
  await t.rejects(log.append(first!), { name: 'FormatError' });
  await log.append(second!);
  await log.append(third!);
  t.equal(log.writtenThrough, 6n);
  await log.close();
  await t.rejects(log.append(nextFrame(log.end)), { name: 'DurabilityError', message: /it is closed/ });
  await t.rejects(log.sync(), { name: 'DurabilityError' });
});

t.test('sync makes durable what was written, and nothing costs nothing', async (t) => {
  const files = new FaultyFiles();
  const log = await SegmentLog.open({ files, directory: join(t.testdir(), 'log'), journal });
  t.equal(await log.sync(), 0n, 'an empty log');
  await log.append(nextFrame(log.end));
  t.equal(log.durableThrough, 0n);
  t.equal(await log.sync(), 2n);
  const syncs = files.calls.get('datasync');
  t.equal(await log.sync(), 2n);
  t.equal(files.calls.get('datasync'), syncs, 'a second sync has nothing to do');
  await log.close();
});

t.test('sealing ends a segment, and the next append begins one', async (t) => {
  const directory = join(t.testdir(), 'log');
  const log = await open(directory);
  await log.seal();
  t.equal(log.segments.length, 0, 'there is nothing to seal in an empty log');
  await log.append(nextFrame(log.end));
  await log.seal();
  await log.seal();
  t.equal(log.durableThrough, 2n, 'sealing makes durable');
  t.not(log.segments[0]!.framesEnd, undefined);
  await log.append(nextFrame(log.end));
  t.strictSame(log.segments.map(({ firstSequence }) => firstSequence), [1n, 3n]);
  t.strictSame(await sequences(log, 0n), range(1, 4));
  await log.close();
});

t.test('removing gives up whole segments only, and never the last', async (t) => {
  const directory = join(t.testdir(), 'log');
  const log = await open(directory);
  for (const frame of chain(12, { count: 3 })) await log.append(frame);
  const [first, second] = log.segments.map(({ lastSequence }) => lastSequence);
  await log.removeThrough(asSequence(first! - 1n));
  t.equal(log.trimmedThrough, 0n, 'a segment that is needed in part stays');
  await log.removeThrough(first!);
  t.equal(log.trimmedThrough, first);
  t.strictSame((await sequences(log, first!))[0], first! + 1n);
  await t.rejects(sequences(log, 0n), { name: 'FormatError', message: /only sequences after/ });
  await log.removeThrough(asSequence(10n ** 9n));
  t.equal(log.segments.length, 1);
  t.equal(readdirSync(directory).length, 1);
  await log.append(nextFrame(log.end, { count: 3 }));
  await log.close();
  const again = await open(directory);
  t.equal(again.writtenThrough, 39n);
  t.ok(again.trimmedThrough >= second!);
  await again.close();
});

t.test('a reader goes on while frames are appended and segments sealed', async (t) => {
  const log = await open(join(t.testdir(), 'log'));
  for (const frame of chain(2)) await log.append(frame);
  const found: bigint[] = [];
  for await (const { frame } of log.frames(asSequence(0n))) {
    found.push(frame.header.firstSequence);
    if (log.writtenThrough < 60n) for (let k = 0; k < 3; k += 1) await log.append(nextFrame(log.end));
  }
  t.strictSame(found, range(1, Number(log.writtenThrough)).filter((sequence) => sequence % 2n === 1n));
  await log.close();
});

t.test('syncs beside appends and seals: every promise holds, and never two at once', async (t) => {
  const c = chance(t);
  const files = new FaultyFiles();
  const log = await SegmentLog.open({ files, directory: join(t.testdir(), 'log'), journal, segmentSizeBytes });
  files.duringSync = () => new Promise((resolve) => setTimeout(resolve, c.below(3)));
  const syncs: Promise<void>[] = [];
  for (let round = 0; round < 120; round += 1) {
    await log.append(nextFrame(log.end));
    if (c.below(3) > 0) {
      const written = log.writtenThrough;
      syncs.push(log.sync().then((through) => void t.ok(through >= written && log.durableThrough >= written, `durable through ${written}`)));
    }
    if (c.below(20) === 0) await log.seal();
  }
  await Promise.all(syncs);
  t.equal(files.syncsAtOnceMax, 1);
  t.strictSame(await sequences(log, 0n), range(1, 240));
  await log.close();
});

t.test('a hole between segments stops a reader with an error', async (t) => {
  const directory = join(t.testdir(), 'log');
  const log = await open(directory);
  for (const frame of chain(9)) await log.append(frame);
  const middle = log.segments[1]!;
  await log.close();
  await systemFiles.remove(join(directory, segmentFileName(middle.firstSequence)));
  const again = await open(directory);
  await t.rejects(sequences(again, 0n), { name: 'FormatError', message: new RegExp(`sequence ${middle.firstSequence}.*missing`) });
  await again.close();
});

t.test('an append after reopening continues the active segment', async (t) => {
  const directory = join(t.testdir(), 'log');
  let end = start;
  for (let round = 1; round <= 10; round += 1) {
    const log = await open(directory, { segmentSizeBytes: 1_000_000 });
    t.strictSame(log.end, end);
    await log.append(nextFrame(log.end));
    end = log.end;
    t.equal(log.segments.length, 1);
    await log.close();
  }
  t.ok(sizeOf(directory, asSequence(1n)) > segmentHead.length);
});
