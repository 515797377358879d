/** Writes the golden files of the present format version, by hand, once: those that exist are never overwritten. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFrame, frameLength, zeroDigest, type Frame } from '../../proto/journal/frame.js';
import { segmentHead } from '../../proto/journal/layout.js';
import { encodeSegmentHead, encodeSegmentTail } from '../../proto/journal/segment.js';
import { goldenDirectory } from './files.js';
import { encodeUncompressed } from './uncompressed.js';
import { compressibleChanges, everyKindChanges, everyKindPreviousDigest, goldenJournal, segmentChanges, segmentPreviousDigest, tornBytes } from './literals.js';

const bytesOf = (frame: Frame): Buffer => Buffer.from(frame.bytes);

function save(name: string, bytes: Buffer): void {
  writeFileSync(join(goldenDirectory, name), bytes, { flag: 'wx' });
  process.stdout.write(`${name}: ${bytes.byteLength} bytes\n`);
}

mkdirSync(goldenDirectory, { recursive: true });

save('every-kind-none.frame', encodeUncompressed({ journal: goldenJournal, previousDigest: everyKindPreviousDigest, changes: everyKindChanges }));
save('every-kind-zstd.frame', bytesOf(encodeFrame({ journal: goldenJournal, previousDigest: everyKindPreviousDigest, changes: everyKindChanges })));
save('compressible-zstd.frame', bytesOf(encodeFrame({ journal: goldenJournal, previousDigest: zeroDigest, changes: compressibleChanges })));

const frames: Frame[] = [];
let digest = segmentPreviousDigest;
for (const changes of segmentChanges) {
  const frame = encodeFrame({ journal: goldenJournal, previousDigest: digest, changes });
  frames.push(frame);
  digest = frame.digest;
}
const firstSequence = frames[0]!.header.firstSequence;
const { lastSequence, lastTimeNs } = frames[frames.length - 1]!.header;
const head = encodeSegmentHead({ journal: goldenJournal, firstSequence, previousDigest: segmentPreviousDigest });
const framesBytes = frames.reduce((sum, frame) => sum + frameLength(frame), 0);
const tail = encodeSegmentTail({ journal: goldenJournal, firstSequence, lastSequence, lastTimeNs, framesBytes, frameCount: frames.length, lastDigest: digest });
const unsealed = Buffer.concat([head, ...frames.map(bytesOf)]);
save('sealed.segment', Buffer.concat([unsealed, tail]));
save('torn.segment', unsealed.subarray(0, segmentHead.length + framesBytes - frameLength(frames[frames.length - 1]!) + tornBytes));
