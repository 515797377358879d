/** Bytes of every format version, kept for ever: they read as they always did, and are still written so. */
import { readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemFiles } from '../../../native/host/files.js';
import type { Change } from '../../../proto/change.js';
import { encodeFrame, frameChanges, readFrame, zeroDigest, type Frame } from '../../../proto/journal/frame.js';
import { segmentHead, segmentTail } from '../../../proto/journal/layout.js';
import { SegmentLog } from '../../../proto/journal/segment-log.js';
import { decodeSegmentHead, decodeSegmentTail, encodeSegmentHead, encodeSegmentTail, segmentFileName } from '../../../proto/journal/segment.js';
import { asSequence } from '../../../proto/change.js';
import { goldenDirectory } from '../../golden/files.js';
import { compressibleChanges, everyKindChanges, everyKindPreviousDigest, goldenJournal, segmentChanges, segmentPreviousDigest } from '../../golden/literals.js';
import { encodeUncompressed } from '../../golden/uncompressed.js';
import { allKinds } from '../seeded.js';
import { bytesOf } from './frames.js';

const golden = (name: string): Buffer => readFileSync(join(goldenDirectory, name));

const frames = [
  { name: 'every-kind-none.frame', codec: 'none', previousDigest: everyKindPreviousDigest, changes: everyKindChanges },
  { name: 'every-kind-zstd.frame', codec: 'zstd', previousDigest: everyKindPreviousDigest, changes: everyKindChanges },
  { name: 'compressible-zstd.frame', codec: 'zstd', previousDigest: zeroDigest, changes: compressibleChanges },
] as const;

for (const { name, codec, previousDigest, changes } of frames) {
  t.test(`${name} reads as the literal, and the literal is written so that it reads the same`, (t) => {
    const frame = readFrame(golden(name));
    t.equal(frame.header.codec, codec);
    t.ok(frame.header.journal.equals(goldenJournal) && frame.header.previousDigest.equals(previousDigest));
    t.strictSame(frameChanges(frame).changes, changes);
    const again = readFrame(bytesOf(encodeFrame({ journal: goldenJournal, previousDigest, changes })));
    t.strictSame(frameChanges(again).changes, changes);
    t.ok(frameChanges(again).raw.equals(frameChanges(frame).raw), 'the raw payload is the same to the byte');
    t.end();
  });
}

t.test('the uncompressed frame is written the same to the byte', (t) => {
  const bytes = encodeUncompressed({ journal: goldenJournal, previousDigest: everyKindPreviousDigest, changes: everyKindChanges });
  t.ok(bytes.equals(golden('every-kind-none.frame')));
  t.end();
});

t.test('the literal has a change of every kind', (t) => {
  t.strictSame(new Set(everyKindChanges.map(({ body }) => body.kind)), new Set(allKinds));
  t.end();
});

t.test('head and tail of the sealed segment are written the same to the byte', (t) => {
  const bytes = golden('sealed.segment');
  const headBytes = bytes.subarray(0, segmentHead.length);
  const tailBytes = bytes.subarray(-segmentTail.length);
  const head = decodeSegmentHead(headBytes);
  t.strictSame(head, { journal: goldenJournal, firstSequence: 41n, previousDigest: segmentPreviousDigest });
  t.ok(encodeSegmentHead(head).equals(headBytes));
  const tail = decodeSegmentTail(tailBytes)!;
  t.match(tail, { firstSequence: 41n, lastSequence: 46n, lastTimeNs: 207n, frameCount: 3, framesBytes: bytes.byteLength - headBytes.byteLength - tailBytes.byteLength });
  t.ok(encodeSegmentTail(tail).equals(tailBytes));
  t.end();
});

t.test('the sealed segment opens as a journal that goes on', async (t) => {
  const log = await openGolden(t.testdir(), 'sealed.segment');
  t.strictSame(log.damage, []);
  t.equal(log.cutBytes, 0);
  t.strictSame(await changesOf(log), segmentChanges.flat());
  t.equal(log.durableThrough, 46n);
  await log.append(encodeFrame({ journal: goldenJournal, previousDigest: log.end.digest, changes: [{ ...segmentChanges[0]![0]!, sequence: asSequence(47n), timeNs: 300n }] }));
  t.equal((await changesOf(log)).length, 7);
  await log.close();
});

t.test('the torn segment opens without its last frame, and takes that frame again', async (t) => {
  const log = await openGolden(t.testdir(), 'torn.segment');
  t.equal(log.cutBytes, 130);
  t.strictSame(await changesOf(log), segmentChanges.slice(0, 2).flat());
  await log.append(encodeFrame({ journal: goldenJournal, previousDigest: log.end.digest, changes: segmentChanges[2]! }));
  await log.seal();
  t.ok(readFileSync(join(log.directory, segmentFileName(asSequence(41n)))).equals(golden('sealed.segment')), 'which makes it the sealed one, to the byte');
  await log.close();
});

async function openGolden(root: string, name: string): Promise<SegmentLog & { readonly directory: string }> {
  const directory = join(root, 'log');
  await mkdir(directory);
  await cp(join(goldenDirectory, name), join(directory, segmentFileName(asSequence(41n))));
  return Object.assign(await SegmentLog.open({ files: systemFiles, directory, journal: goldenJournal }), { directory });
}

async function changesOf(log: SegmentLog): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const { frame } of log.frames(log.trimmedThrough)) changes.push(...frameChanges(frame satisfies Frame).changes);
  return changes;
}
