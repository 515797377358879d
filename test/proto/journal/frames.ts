/** Frames for tests: a journal's id, chains of frames, and bytes with one thing wrong. */
import { asNodeId, asSequence, asVolumeId, type Change } from '../../../proto/change.js';
import { encodeFrame, zeroDigest, type Frame, type JournalEnd } from '../../../proto/journal/frame.js';
import { hash64 } from '../../../proto/journal/hash.js';
import { frame as at } from '../../../proto/journal/layout.js';
import { seeded } from '../seeded.js';

export const journal = Buffer.from('0123456789abcdef');
export const foreignJournal = Buffer.from('fedcba9876543210');
export const start: JournalEnd = { journal, lastSequence: asSequence(0n), lastTimeNs: 0n, digest: zeroDigest };

export function bytesOf(frame: Frame): Buffer {
  return Buffer.from(frame.bytes);
}

export function endOf({ header, digest }: Frame): JournalEnd {
  return { journal: header.journal, lastSequence: header.lastSequence, lastTimeNs: header.lastTimeNs, digest };
}

/** A frame of `count` writes of `size` incompressible bytes that follows `end`. */
export function nextFrame(end: JournalEnd, { count = 2, size = 100 } = {}): Frame {
  const noise = seeded(Number(end.lastSequence & 0xffffn));
  const changes = Array.from({ length: count }, (_, place): Change => ({
    sequence: asSequence(end.lastSequence + 1n + BigInt(place)),
    timeNs: end.lastTimeNs + BigInt(place),
    volume: asVolumeId(1),
    body: { kind: 'write', node: asNodeId(7n), offset: place * size, data: noise.bytes(size) },
  }));
  return encodeFrame({ journal: end.journal, previousDigest: end.digest, changes });
}

/** `count` frames, each after the one before. */
export function chain(count: number, options: { readonly from?: JournalEnd; readonly count?: number; readonly size?: number } = {}): Frame[] {
  const frames: Frame[] = [];
  let end = options.from ?? start;
  for (let place = 0; place < count; place += 1) {
    const frame = nextFrame(end, options);
    frames.push(frame);
    end = endOf(frame);
  }
  return frames;
}

/** A copy of a frame's bytes with something else in its header, and a header checksum that matches. */
export function withHeader(bytes: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeBigUInt64LE(hash64(copy.subarray(0, at.headerHash)), at.headerHash);
  return copy;
}

/** Where a journal of these frames ends. */
export function endOfFrames(frames: readonly Frame[]): JournalEnd {
  return frames.length === 0 ? start : endOf(frames[frames.length - 1]!);
}
