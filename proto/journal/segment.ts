/** Segment headers and tails: what surrounds the frames of a segment file. */
import type { Sequence, TimeNs } from '../change.js';
import { FormatError } from '../errors.js';
import type { JournalId } from './frame.js';
import { hash64 } from './hash.js';
import { digestBytes, formatVersion, journalIdBytes, segmentHead as head, segmentMagic, segmentTail as tail, segmentTailMagic } from './layout.js';

export interface SegmentHead {
  readonly journal: JournalId;
  readonly firstSequence: Sequence;
  /** Digest of the last frame of the segment before. */
  readonly previousDigest: Buffer;
}

/** Written when a segment is sealed; its presence is what makes a segment sealed. */
export interface SegmentTail {
  readonly journal: JournalId;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly lastTimeNs: TimeNs;
  /** Bytes between head and tail. */
  readonly framesBytes: number;
  readonly frameCount: number;
  readonly lastDigest: Buffer;
}

/** File name of a segment: its first sequence in 20 digits, so that names sort as sequences do. */
export function segmentFileName(firstSequence: Sequence): string {
  return `${firstSequence.toString().padStart(20, '0')}.segment`;
}

/** The first sequence that a file name tells, or undefined when it is no segment's. */
export function segmentFromFileName(name: string): Sequence | undefined {
  const match = /^(\d{20})\.segment$/.exec(name);
  if (match === null) return undefined;
  const sequence = BigInt(match[1]!);
  return sequence >= 1n && sequence < 2n ** 64n ? (sequence as Sequence) : undefined;
}

export function encodeSegmentHead(value: SegmentHead): Buffer {
  const bytes = Buffer.alloc(head.length);
  bytes.writeUInt32LE(segmentMagic, head.magic);
  bytes.writeUInt16LE(formatVersion, head.version);
  bytes.writeUInt16LE(head.length, head.headerLength);
  bytes.set(value.journal, head.journal);
  bytes.writeBigUInt64LE(value.firstSequence, head.firstSequence);
  bytes.set(value.previousDigest, head.previousDigest);
  bytes.writeBigUInt64LE(hash64(bytes.subarray(0, head.headerHash)), head.headerHash);
  return bytes;
}

/** Throws FormatError for anything but a whole, intact head of a known version. */
export function decodeSegmentHead(bytes: Buffer): SegmentHead {
  const deed = 'read segment head';
  if (bytes.byteLength < head.length) throw new FormatError(deed, { fault: `only ${bytes.byteLength} of ${head.length} bytes` });
  if (bytes.readUInt32LE(head.magic) !== segmentMagic) throw new FormatError(deed, { fault: 'this is no segment' });
  const version = bytes.readUInt16LE(head.version);
  if (version !== formatVersion) throw new FormatError(deed, { fault: `format version ${version}; this program reads version ${formatVersion}` });
  if (bytes.readBigUInt64LE(head.headerHash) !== hash64(bytes.subarray(0, head.headerHash))) throw new FormatError(deed, { fault: 'checksum does not match' });
  if (bytes.readUInt16LE(head.headerLength) !== head.length) throw new FormatError(deed, { fault: 'header length' });
  if (bytes.readBigUInt64LE(head.firstSequence) === 0n) throw new FormatError(deed, { fault: 'sequence 0' });
  return {
    journal: Buffer.from(bytes.subarray(head.journal, head.journal + journalIdBytes)),
    firstSequence: bytes.readBigUInt64LE(head.firstSequence) as Sequence,
    previousDigest: Buffer.from(bytes.subarray(head.previousDigest, head.previousDigest + digestBytes)),
  };
}

export function encodeSegmentTail(value: SegmentTail): Buffer {
  const bytes = Buffer.alloc(tail.length);
  bytes.writeUInt32LE(segmentTailMagic, tail.magic);
  bytes.writeUInt16LE(formatVersion, tail.version);
  bytes.writeUInt16LE(tail.length, tail.tailLength);
  bytes.set(value.journal, tail.journal);
  bytes.writeBigUInt64LE(value.firstSequence, tail.firstSequence);
  bytes.writeBigUInt64LE(value.lastSequence, tail.lastSequence);
  bytes.writeBigUInt64LE(value.lastTimeNs, tail.lastTime);
  bytes.writeBigUInt64LE(BigInt(value.framesBytes), tail.framesBytes);
  bytes.writeUInt32LE(value.frameCount, tail.frameCount);
  bytes.set(value.lastDigest, tail.lastDigest);
  bytes.writeBigUInt64LE(hash64(bytes.subarray(0, tail.tailHash)), tail.tailHash);
  return bytes;
}

/** The tail in the last bytes of a segment, or undefined when they are no tail: the segment is still active. */
export function decodeSegmentTail(bytes: Buffer): SegmentTail | undefined {
  if (bytes.byteLength !== tail.length || bytes.readUInt32LE(tail.magic) !== segmentTailMagic) return undefined;
  if (bytes.readBigUInt64LE(tail.tailHash) !== hash64(bytes.subarray(0, tail.tailHash))) return undefined;
  if (bytes.readUInt16LE(tail.version) !== formatVersion || bytes.readUInt16LE(tail.tailLength) !== tail.length || bytes.readUInt32LE(tail.reserved) !== 0) return undefined;
  if (bytes.readBigUInt64LE(tail.lastSequence) < bytes.readBigUInt64LE(tail.firstSequence)) return undefined;
  return {
    journal: Buffer.from(bytes.subarray(tail.journal, tail.journal + journalIdBytes)),
    firstSequence: bytes.readBigUInt64LE(tail.firstSequence) as Sequence,
    lastSequence: bytes.readBigUInt64LE(tail.lastSequence) as Sequence,
    lastTimeNs: bytes.readBigUInt64LE(tail.lastTime),
    framesBytes: Number(bytes.readBigUInt64LE(tail.framesBytes)),
    frameCount: bytes.readUInt32LE(tail.frameCount),
    lastDigest: Buffer.from(bytes.subarray(tail.lastDigest, tail.lastDigest + digestBytes)),
  };
}
