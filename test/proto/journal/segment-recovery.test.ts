/** What opening a journal finds and does after every kind of stop and damage: one row a case, on real files. */
import { readFileSync, writeFileSync, rmSync, renameSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemFiles } from '../../../native/host/files.js';
import { asSequence } from '../../../proto/change.js';
import { frameLength, type Frame, type JournalEnd } from '../../../proto/journal/frame.js';
import { segmentHead, segmentTail } from '../../../proto/journal/layout.js';
import { recoveryVerdict } from '../../../proto/journal/segment-recovery.js';
import { SegmentLog } from '../../../proto/journal/segment-log.js';
import { encodeSegmentHead, segmentFileName } from '../../../proto/journal/segment.js';
import { chain, foreignJournal, journal, nextFrame, start } from './frames.js';

/** Ten frames of two changes, three frames a segment: sealed at 1, 7 and 13, active at 19 with one frame. */
const frames = chain(10);
const segmentSizeBytes = segmentHead.length + 3 * Math.max(...frames.map(frameLength));
const bytesOfFrames = (from: number, to: number): number => frames.slice(from, to).reduce((sum, frame) => sum + frameLength(frame), 0);
const activeHeadEnd = segmentHead.length;

interface Place {
  readonly path: (first: number) => string;
  readonly edit: (first: number, change: (bytes: Buffer) => Buffer | void) => void;
}

interface Row {
  readonly label: string;
  readonly damage: (place: Place) => void;
  readonly floor?: bigint;
  /** What opening throws; absent when it opens. */
  readonly refused?: RegExp;
  /** Last sequence that is found. */
  readonly through?: bigint;
  readonly cut?: number;
  /** Segments in which damage is reported. */
  readonly damaged?: readonly bigint[];
  /** The sequences that can be read before reading fails, when it must. */
  readonly readable?: bigint;
}

const flip = (at: number) => (bytes: Buffer): void => void (bytes[at < 0 ? bytes.byteLength + at : at]! ^= 0x10);
const seal19 = { from: activeHeadEnd, to: activeHeadEnd + frameLength(frames[9]!) };

const table: readonly Row[] = [
  { label: 'nothing happened', damage: () => undefined, through: 20n, cut: 0 },
  { label: 'a torn frame header', damage: ({ edit }) => edit(19, (b) => b.subarray(0, activeHeadEnd + 50)), through: 18n, cut: 50 },
  { label: 'a torn payload', damage: ({ edit }) => edit(19, (b) => b.subarray(0, -1)), through: 18n, cut: frameLength(frames[9]!) - 1 },
  { label: 'a frame of zeroes: its size reached the disk before its content', damage: ({ edit }) => edit(19, (b) => void b.fill(0, activeHeadEnd)), through: 18n, cut: frameLength(frames[9]!) },
  { label: 'garbage after the last frame', damage: ({ edit }) => edit(19, (b) => Buffer.concat([b, Buffer.alloc(300, 0xee)])), through: 20n, cut: 300 },
  { label: 'a torn tail: sealing did not finish', damage: ({ edit, path }) => { rmSync(path(19)); edit(13, (b) => b.subarray(0, -40)); }, through: 18n, cut: segmentTail.length - 40 },
  { label: 'a tail that is damaged: sealing did not finish', damage: ({ edit, path }) => { rmSync(path(19)); edit(13, flip(-1)); }, through: 18n, cut: segmentTail.length },
  { label: 'sealed without a successor', damage: ({ path }) => rmSync(path(19)), through: 18n, cut: 0 },
  { label: 'a segment that was created without a byte', damage: ({ edit }) => edit(19, () => Buffer.alloc(0)), through: 18n, cut: 0 },
  { label: 'a torn head: creation did not finish', damage: ({ edit }) => edit(19, (b) => b.subarray(0, 40)), through: 18n, cut: 40 },
  { label: 'a head of zeroes: creation did not finish', damage: ({ edit }) => edit(19, () => Buffer.alloc(segmentHead.length)), through: 18n, cut: segmentHead.length },
  { label: 'a head without frames', damage: ({ edit }) => edit(19, (b) => b.subarray(0, segmentHead.length)), through: 18n, cut: 0 },
  { label: 'a torn head where durable changes were', damage: ({ edit }) => edit(19, (b) => b.subarray(0, 40)), floor: 19n, refused: /recover journal.*19\.segment/ },
  { label: 'a damaged head before frames', damage: ({ edit }) => edit(19, flip(30)), refused: /19\.segment.*checksum/ },
  { label: 'a head of a newer version', damage: ({ edit }) => edit(19, (b) => void b.writeUInt16LE(2, 4)), refused: /format version 2; this program reads version 1/ },
  { label: 'a flipped bit above the floor', damage: ({ edit }) => edit(19, flip(-1)), floor: 18n, through: 18n, cut: frameLength(frames[9]!) },
  { label: 'a flipped bit at the floor', damage: ({ edit }) => edit(19, flip(-1)), floor: 19n, refused: /offset 72.*payload checksum/ },
  { label: 'a flipped bit in a header at the floor', damage: ({ edit }) => edit(19, flip(activeHeadEnd + 30)), floor: 20n, refused: /offset 72.*header checksum/ },
  { label: 'an active segment that ends below the floor', damage: ({ edit }) => edit(19, (b) => b.subarray(0, activeHeadEnd)), floor: 19n, refused: /ends at sequence 18, but 19 was durable/ },
  { label: 'a whole last segment that is missing below the floor', damage: ({ path }) => rmSync(path(19)), floor: 20n, refused: /ends at sequence 18, but 20 was durable/ },
  { label: 'an active segment that ends at the floor', damage: () => undefined, floor: 20n, through: 20n, cut: 0 },
  { label: 'frames twice: the second do not follow', damage: ({ edit }) => edit(19, (b) => Buffer.concat([b, b.subarray(seal19.from, seal19.to)])), through: 20n, cut: frameLength(frames[9]!) },
  { label: 'a segment of another journal', damage: ({ edit }) => edit(19, () => encodeSegmentHead({ journal: foreignJournal, firstSequence: asSequence(19n), previousDigest: frames[8]!.digest })), refused: /another journal/ },
  { label: 'an old segment without its tail', damage: ({ edit }) => edit(7, (b) => b.subarray(0, -segmentTail.length)), through: 20n, cut: 0, damaged: [7n], readable: 20n },
  { label: 'an old segment cut within a frame', damage: ({ edit }) => edit(7, (b) => b.subarray(0, segmentHead.length + bytesOfFrames(3, 5) + 10)), through: 20n, damaged: [7n, 13n], readable: 10n },
  { label: 'an old segment with a damaged head', damage: ({ edit }) => edit(7, flip(10)), through: 20n, damaged: [7n, 13n], readable: 6n },
  { label: 'an old segment that is missing', damage: ({ path }) => rmSync(path(7)), through: 20n, damaged: [13n], readable: 6n },
  { label: 'a damaged frame in a sealed segment', damage: ({ edit }) => edit(7, flip(segmentHead.length + frameLength(frames[3]!) + 130)), through: 20n, readable: 8n },
  { label: 'old segments that were removed', damage: ({ path }) => { rmSync(path(1)); rmSync(path(7)); }, through: 20n, cut: 0 },
  { label: 'two old segments whose names were swapped', damage: ({ path }) => swap(path(7), path(13)), through: 20n, damaged: [7n, 13n, 19n], readable: 6n },
  { label: 'the last segment under another name', damage: ({ path }) => renameSync(path(19), path(25)), refused: /25\.segment.*names sequence 19/ },
  { label: 'files that are no segments', damage: ({ path }) => { writeFileSync(`${path(19)}.new`, 'x'); writeFileSync(path(3).replace(/segment$/, 'index'), 'x'); writeFileSync(path(19).replace(/\d{20}/, '3'), 'x'); }, through: 20n, cut: 0 },
  { label: 'an empty directory', damage: ({ path }) => [1, 7, 13, 19].forEach((first) => rmSync(path(first))), through: 0n, cut: 0 },
  { label: 'an empty directory where durable changes were', damage: ({ path }) => [1, 7, 13, 19].forEach((first) => rmSync(path(first))), floor: 1n, refused: /ends at sequence 0, but 1 was durable/ },
];

for (const row of table) {
  t.test(row.label, async (t) => {
    const directory = join(t.testdir(), 'log');
    await writeJournal(directory);
    const path = (first: number): string => join(directory, segmentFileName(asSequence(BigInt(first))));
    const edit: Place['edit'] = (first, change) => {
      const bytes = readFileSync(path(first));
      writeFileSync(path(first), change(bytes) ?? bytes);
    };
    row.damage({ path, edit });
    const open = (): Promise<SegmentLog> => SegmentLog.open({ files: systemFiles, directory, journal, segmentSizeBytes, durableFloor: asSequence(row.floor ?? 0n) });
    if (row.refused !== undefined) {
      const before = [1, 7, 13, 19].map((first) => existsSync(path(first)) && readFileSync(path(first)).toString('hex'));
      await t.rejects(open(), { name: 'FormatError', message: row.refused });
      t.strictSame([1, 7, 13, 19].map((first) => existsSync(path(first)) && readFileSync(path(first)).toString('hex')), before, 'nothing was cut or removed');
      return;
    }
    const log = await open();
    t.equal(log.writtenThrough, row.through);
    t.equal(log.durableThrough, row.through);
    if (row.cut !== undefined) t.equal(log.cutBytes, row.cut, 'bytes cut');
    t.strictSame(log.damage.map(({ segment }) => segment), row.damaged ?? [], 'damage reported');
    const { through, error } = await readAll(log);
    t.equal(through, row.readable ?? row.through, 'readable through');
    if (row.readable !== undefined && row.readable !== row.through) t.match(error, { name: 'FormatError' }, 'reading fails at the damage');
    else t.equal(error, undefined, 'all can be read');
    // Whatever was found, the journal goes on from there and the next opening agrees.
    await log.append(nextFrame(log.end));
    await log.sync();
    const end = log.end;
    await log.close();
    const again = await open();
    t.strictSame(again.end, end);
    t.equal(again.cutBytes, 0);
    await again.close();
  });
}

t.test('what was found is decided by the first row that fits', (t) => {
  const rows = [
    { label: 'no tail before the last segment', faulty: false, isLast: false, next: 9n, floor: 0n, verdict: 'damaged' },
    { label: 'faulty before the last segment', faulty: true, isLast: false, next: 9n, floor: 0n, verdict: 'damaged' },
    { label: 'intact, short of the floor', faulty: false, isLast: true, next: 9n, floor: 9n, verdict: 'damaged' },
    { label: 'faulty at the floor', faulty: true, isLast: true, next: 9n, floor: 9n, verdict: 'damaged' },
    { label: 'faulty just after the floor', faulty: true, isLast: true, next: 9n, floor: 8n, verdict: 'cut' },
    { label: 'intact to the floor', faulty: false, isLast: true, next: 9n, floor: 8n, verdict: 'whole' },
  ] as const;
  for (const { label, faulty, isLast, next, floor, verdict } of rows) {
    t.equal(recoveryVerdict({ faulty, isLast, nextSequence: asSequence(next), durableFloor: asSequence(floor) }), verdict, label);
  }
  t.end();
});

t.test('an end kept elsewhere does not make the frames of a spool look torn', async (t) => {
  const directory = join(t.testdir(), 'log');
  await writeJournal(directory);
  for (const first of [1n, 7n, 13n]) rmSync(join(directory, segmentFileName(asSequence(first))));
  const elsewhere: JournalEnd = { journal, lastSequence: asSequence(19n), lastTimeNs: 10n ** 18n, digest: Buffer.alloc(32, 9) };
  const log = await SegmentLog.open({ files: systemFiles, directory, journal, startAfter: elsewhere });
  t.equal(log.writtenThrough, 20n);
  t.equal(log.cutBytes, 0);
  await log.close();
});

t.test('an empty log begins after an end kept elsewhere', async (t) => {
  const directory = join(t.testdir(), 'log');
  const end: JournalEnd = { journal, lastSequence: asSequence(99n), lastTimeNs: 500n, digest: Buffer.alloc(32, 9) };
  const log = await SegmentLog.open({ files: systemFiles, directory, journal, startAfter: end });
  t.strictSame(log.end, end);
  t.equal(log.trimmedThrough, 99n);
  await t.rejects(log.append(nextFrame(start)), { message: /expected 100/ });
  await log.append(nextFrame(end));
  await log.close();
  const again = await SegmentLog.open({ files: systemFiles, directory, journal });
  t.equal(again.writtenThrough, 101n);
  t.equal(again.trimmedThrough, 99n);
  await again.close();
});

async function writeJournal(directory: string): Promise<void> {
  const log = await SegmentLog.open({ files: systemFiles, directory, journal, segmentSizeBytes });
  for (const frame of frames) await log.append(frame);
  await log.sync();
  await log.close();
}

async function readAll(log: SegmentLog): Promise<{ through: bigint; error: unknown }> {
  let through: bigint = log.trimmedThrough;
  try {
    for await (const { frame } of log.frames(log.trimmedThrough)) through = check(frame, through);
  } catch (error) {
    return { through, error };
  }
  return { through, error: undefined };
}

function check({ header }: Frame, after: bigint): bigint {
  if (header.firstSequence !== after + 1n) throw new RangeError(`frame at ${header.firstSequence} after ${after}`);
  return header.lastSequence;
}

function swap(one: string, other: string): void {
  renameSync(one, `${one}.away`);
  renameSync(other, one);
  renameSync(`${one}.away`, other);
}
