/** Reads the frames of one segment in order, checking each; says where and why it ended. */
import type { Sequence } from '../change.js';
import { FormatError } from '../errors.js';
import { decodeHeader, readFrame, type Frame, type FrameHeader } from './frame.js';
import { frame as frameLayout, frameBytesMax, segmentHead, segmentTail } from './layout.js';
import { decodeSegmentHead, decodeSegmentTail, type SegmentHead, type SegmentTail } from './segment.js';

/** Reads into `target` from `position`; fewer bytes than asked only at the end. */
export type ReadAt = (target: Uint8Array, position: number) => Promise<number>;

/** A frame and where it lies: byte offset of its header in the segment file. */
export interface LocatedFrame {
  readonly frame: Frame;
  readonly offset: number;
}

/** Where a frame lies in a journal. */
export interface FrameLocation {
  /** First sequence of the segment, which names it. */
  readonly segment: Sequence;
  readonly offset: number;
  readonly length: number;
}

/** A segment's two ends. Without a tail it is active, or its sealing did not finish. */
export interface SegmentEnds {
  readonly head: SegmentHead;
  readonly tail: SegmentTail | undefined;
  readonly sizeBytes: number;
}

/** Reads head and tail. Throws FormatError when the head is not intact. */
export async function readSegmentEnds(read: ReadAt, sizeBytes: number): Promise<SegmentEnds> {
  const bytes = Buffer.alloc(segmentHead.length);
  const got = await read(bytes, 0);
  const head = decodeSegmentHead(bytes.subarray(0, got));
  const from = sizeBytes - segmentTail.length;
  if (from < segmentHead.length) return { head, tail: undefined, sizeBytes };
  const last = Buffer.alloc(segmentTail.length);
  await read(last, from);
  const tail = decodeSegmentTail(last);
  const whole = tail !== undefined && tail.framesBytes === from - segmentHead.length && tail.firstSequence === head.firstSequence && tail.journal.equals(head.journal);
  return { head, tail: whole ? tail : undefined, sizeBytes };
}

/** Why and where scanning ended: at the end of the bytes, or at bytes that are no intact next frame. */
export interface ScanEnd {
  readonly offset: number;
  readonly fault: FormatError | undefined;
}

const chunkBytes = 4 * 1024 * 1024;

/**
 * Yields frames from byte `from` (a frame's start) to byte `to`, each with checksums verified; the
 * return value says where it stopped. Frames view a shared chunk: copy what must outlive it for long.
 */
export async function* scanFrames(read: ReadAt, from: number, to: number): AsyncGenerator<LocatedFrame, ScanEnd> {
  let chunk = Buffer.alloc(0);
  let chunkAt = from;
  let offset = from;
  const fill = async (need: number): Promise<Buffer> => {
    if (offset + need <= chunkAt + chunk.byteLength) return chunk.subarray(offset - chunkAt);
    const size = Math.min(Math.max(chunkBytes, need), to - offset);
    const next = Buffer.allocUnsafeSlow(size);
    const got = await read(next, offset);
    chunk = next.subarray(0, got);
    chunkAt = offset;
    return chunk;
  };
  while (offset < to) {
    try {
      const begun = await fill(Math.min(frameLayout.length, to - offset));
      const header = decodeHeader(begun);
      const length = frameLayout.length + header.storedLength;
      if (offset + length > to) throw new FormatError('read frame', { sequence: header.firstSequence, fault: 'cut short' });
      const bytes = await fill(length);
      const frame = readFrame(bytes.subarray(0, length));
      yield { frame, offset };
      offset += length;
    } catch (error) {
      if (error instanceof FormatError) return { offset, fault: error };
      throw error;
    }
  }
  return { offset, fault: undefined };
}

/** Yields headers alone, which is what finding a sequence in a segment takes; ends at the first that is not intact. */
export async function* scanHeaders(read: ReadAt, from: number, to: number): AsyncGenerator<{ readonly header: FrameHeader; readonly offset: number }, ScanEnd> {
  const bytes = Buffer.alloc(frameLayout.length);
  let offset = from;
  while (offset < to) {
    const got = await read(bytes, offset);
    let header: FrameHeader;
    try {
      header = decodeHeader(bytes.subarray(0, got));
    } catch (error) {
      if (error instanceof FormatError) return { offset, fault: error };
      throw error;
    }
    const length = frameLayout.length + header.storedLength;
    if (length > frameBytesMax || offset + length > to) return { offset, fault: new FormatError('read frame', { sequence: header.firstSequence, fault: 'cut short' }) };
    yield { header, offset };
    offset += length;
  }
  return { offset, fault: undefined };
}
