/** A frame reads back as it was, follows only its own predecessor, and is refused for anything else. */
import t from 'tap';
import { asNodeId, asSequence, asVolumeId, type Change } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { chainFault, decodeHeader, encodeFrame, frameChanges, frameLength, framePayload, readFrame, zeroDigest, type JournalEnd } from '../../../proto/journal/frame.js';
import { hash64 } from '../../../proto/journal/hash.js';
import { frame as at, frameBytesMax, frameChangesMax, frameRawBytesMax } from '../../../proto/journal/layout.js';
import { anyChanges, chance } from '../seeded.js';
import { bytesOf, chain, endOf, foreignJournal, journal, nextFrame, start, withHeader } from './frames.js';

const flush = (sequence: bigint, timeNs = 5n): Change => ({ sequence: asSequence(sequence), timeNs, volume: asVolumeId(1), body: { kind: 'flush' } });
const write = (data: Buffer): Change => ({ sequence: asSequence(1n), timeNs: 5n, volume: asVolumeId(1), body: { kind: 'write', node: asNodeId(2n), offset: 0, data } });
const encode = (changes: readonly Change[]) => encodeFrame({ journal, previousDigest: zeroDigest, changes });

t.test('random frames read back as they were', (t) => {
  const c = chance(t);
  for (let round = 0; round < 40; round += 1) {
    const changes = anyChanges(c, 1 + c.below(60), 1n + BigInt(c.below(2 ** 31)) * 2n ** 22n);
    const frame = encodeFrame({ journal, previousDigest: c.bytes(32), changes });
    const read = readFrame(bytesOf(frame));
    t.strictSame(read.header, frame.header);
    t.ok(read.digest.equals(frame.digest));
    t.equal(frameLength(read), bytesOf(frame).byteLength);
    t.strictSame(frameChanges(read).changes, changes);
  }
  t.end();
});

t.test('content that shrinks is compressed, content that does not is kept as it is', (t) => {
  const c = chance(t);
  const shrinks = encode([write(Buffer.alloc(100_000, 'ab'))]);
  t.equal(shrinks.header.codec, 'zstd');
  t.ok(shrinks.payload.byteLength < 1000);
  const noise = encode([write(c.bytes(10_000))]);
  t.equal(noise.header.codec, 'none');
  t.equal(framePayload(noise), noise.payload, 'and needs no copy to read');
  t.end();
});

t.test('the last sequences there are can be written, and what breaks the rules cannot', (t) => {
  const max = 2n ** 64n - 1n;
  const frame = readFrame(bytesOf(encode([flush(max - 1n, max), flush(max, max)])));
  t.equal(frame.header.lastSequence, max);
  t.equal(frame.header.lastTimeNs, max);
  t.throws(() => encode([]), RangeError, 'no changes');
  t.throws(() => encode([flush(0n)]), RangeError, 'sequence 0');
  t.throws(() => encode([flush(max), flush(max + 1n)]), RangeError, 'past the last sequence');
  t.throws(() => encode([flush(1n), flush(3n)]), RangeError, 'a hole');
  t.throws(() => encode([flush(1n), flush(5n), flush(3n)]), RangeError, 'a disorder between right ends');
  t.throws(() => encode([flush(1n, 6n), flush(2n, 5n)]), RangeError, 'a time that goes back');
  t.throws(() => encode(Array.from({ length: frameChangesMax + 1 }, (_, k) => flush(BigInt(k + 1)))), RangeError, 'too many changes');
  t.throws(() => encode([write(Buffer.alloc(frameRawBytesMax))]), RangeError, 'too many bytes');
  t.throws(() => encodeFrame({ journal: Buffer.alloc(15), previousDigest: zeroDigest, changes: [flush(1n)] }), RangeError, 'a short journal id');
  t.throws(() => encodeFrame({ journal, previousDigest: Buffer.alloc(33), changes: [flush(1n)] }), RangeError, 'a long digest');
  t.doesNotThrow(() => encode(Array.from({ length: frameChangesMax }, (_, k) => flush(BigInt(k + 1)))), 'exactly as many as may be');
  t.end();
});

t.test('a flipped bit anywhere is noticed', (t) => {
  const c = chance(t);
  for (const bytes of [bytesOf(encode([write(Buffer.alloc(5000, 'ab'))])), bytesOf(nextFrame(start))]) {
    for (let byte = 0; byte < bytes.byteLength; byte += 1) {
      const flipped = Buffer.from(bytes);
      flipped[byte]! ^= 1 << c.below(8);
      t.throws(() => readFrame(flipped), FormatError, `byte ${byte}`);
    }
  }
  t.end();
});

t.test('a frame of any other length is refused', (t) => {
  const bytes = bytesOf(nextFrame(start));
  for (let length = 0; length < bytes.byteLength; length += 1) t.throws(() => readFrame(bytes.subarray(0, length)), FormatError, `${length} bytes`);
  t.throws(() => readFrame(Buffer.concat([bytes, Buffer.alloc(1)])), { message: /bytes instead of/ }, 'one byte more');
  t.end();
});

t.test('a header whose checksum is right but whose fields are not is refused', (t) => {
  const bytes = bytesOf(nextFrame(start));
  const rows: readonly [label: string, fault: RegExp, change: (header: Buffer) => void][] = [
    ['an older version', /format version 0; this program reads version 1/, (h) => h.writeUInt16LE(0, at.version)],
    ['a newer version', /format version 2; this program reads version 1/, (h) => h.writeUInt16LE(2, at.version)],
    ['another magic', /no frame begins here/, (h) => h.writeUInt32LE(0x47534941, at.magic)],
    ['a longer header', /header length/, (h) => h.writeUInt16LE(128, at.headerLength)],
    ['an unknown codec', /unknown codec/, (h) => h.writeUInt8(2, at.codec)],
    ['sequence 0', /sequence range/, (h) => h.writeBigUInt64LE(0n, at.firstSequence)],
    ['sequences that run backwards', /sequence range/, (h) => h.writeBigUInt64LE(3n, at.firstSequence)],
    ['more changes than may be', /sequence range/, (h) => h.writeBigUInt64LE(65537n, at.lastSequence)],
    ['times that run backwards', /times run backwards/, (h) => h.writeBigUInt64LE(9n, at.firstTime)],
    ['no raw bytes', /raw length/, (h) => h.writeUInt32LE(0, at.rawLength)],
    ['a raw length past the limit', /raw length/, (h) => h.writeUInt32LE(frameRawBytesMax + 1, at.rawLength)],
    ['no stored bytes', /stored length/, (h) => h.writeUInt32LE(0, at.storedLength)],
    ['a stored length past the limit', /stored length/, (h) => h.writeUInt32LE(frameBytesMax - at.length + 1, at.storedLength)],
    ['a stored length of 4 GiB', /stored length/, (h) => h.writeUInt32LE(0xffffffff, at.storedLength)],
    ['lengths that differ without compression', /uncompressed/, (h) => h.writeUInt32LE(h.readUInt32LE(at.rawLength) + 1, at.rawLength)],
    ['a reserved byte', /reserved/, (h) => h.writeUInt8(1, at.reserved + 2)],
    ['a reserved word', /reserved/, (h) => h.writeUInt32LE(1, at.reserved2)],
  ];
  for (const [label, fault, change] of rows) t.throws(() => decodeHeader(withHeader(bytes, change)), { name: 'FormatError', message: fault }, label);
  t.throws(() => readFrame(withHeader(bytes, (h) => h.writeBigUInt64LE(1n, at.payloadHash))), { message: /payload checksum/ });
  t.end();
});

t.test('a payload that expands to another length than told is refused', (t) => {
  const bomb = bytesOf(encode([write(Buffer.alloc(1_000_000, 0))]));
  const raw = bomb.readUInt32LE(at.rawLength);
  for (const told of [1, 4096, raw - 1, raw + 1, frameRawBytesMax]) {
    const frame = readFrame(withHeader(bomb, (h) => h.writeUInt32LE(told, at.rawLength)));
    t.throws(() => framePayload(frame), FormatError, `${told} bytes told`);
    t.throws(() => frameChanges(frame), FormatError);
  }
  t.equal(framePayload(readFrame(bomb)).byteLength, raw);
  t.end();
});

t.test('a payload that is no zstd, or has bytes after it, is refused', (t) => {
  const bytes = bytesOf(encode([write(Buffer.alloc(5000, 'ab'))]));
  const payload = bytes.subarray(at.length);
  const rows: Record<string, Buffer> = { garbage: Buffer.alloc(50, 0x55), 'trailing garbage': Buffer.concat([payload, Buffer.from('x')]), 'cut short': payload.subarray(0, -1), 'twice the payload': Buffer.concat([payload, payload]) };
  for (const [label, stored] of Object.entries(rows)) {
    const forged = withHeader(Buffer.concat([bytes.subarray(0, at.length), stored]), (h) => {
      h.writeUInt32LE(stored.byteLength, at.storedLength);
      h.writeBigUInt64LE(hash64(stored), at.payloadHash);
    });
    t.throws(() => frameChanges(readFrame(forged)), FormatError, label);
  }
  t.end();
});

t.test('a header that tells other sequences or times than the payload has is refused', (t) => {
  const bytes = bytesOf(nextFrame(start, { count: 3 }));
  const changes = (forged: Buffer) => () => frameChanges(readFrame(forged));
  t.throws(changes(withHeader(bytes, (h) => h.writeBigUInt64LE(2n, at.lastSequence))), FormatError, 'fewer');
  t.throws(changes(withHeader(bytes, (h) => h.writeBigUInt64LE(4n, at.lastSequence))), FormatError, 'more');
  t.throws(changes(withHeader(bytes, (h) => h.writeBigUInt64LE(99n, at.lastTime))), { message: /last time differs/ });
  t.end();
});

t.test('a frame follows the end of its journal or says why not', (t) => {
  const [first, second] = chain(2) as [ReturnType<typeof nextFrame>, ReturnType<typeof nextFrame>];
  const end = endOf(first);
  const rows: readonly { readonly label: string; readonly end: JournalEnd; readonly fault: RegExp | undefined }[] = [
    { label: 'the next frame', end, fault: undefined },
    { label: 'another journal', end: { ...end, journal: foreignJournal }, fault: /another journal/ },
    { label: 'a frame between is missing', end: { ...end, lastSequence: asSequence(1n) }, fault: /starts at sequence 3, expected 2/ },
    { label: 'the frame is there already', end: endOf(second), fault: /starts at sequence 3, expected 5/ },
    { label: 'another history', end: { ...end, digest: zeroDigest }, fault: /digest/ },
    { label: 'time goes back', end: { ...end, lastTimeNs: second.header.firstTimeNs + 1n }, fault: /time is before/ },
    { label: 'time stands still', end: { ...end, lastTimeNs: second.header.firstTimeNs }, fault: undefined },
  ];
  for (const { label, end, fault } of rows) {
    const found = chainFault(end, second.header);
    if (fault === undefined) t.equal(found, undefined, label);
    else t.match(found, fault, label);
  }
  t.equal(chainFault(start, first.header), undefined, 'the first frame of a journal');
  t.end();
});
