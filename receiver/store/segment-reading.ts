/** Tells, for a segment that may be growing, where its frames end and what its last bytes mean. */
import { FormatError } from '../../proto/errors.js';
import { decodeHeader, type JournalId } from '../../proto/journal/frame.js';
import { frame as frameLayout, segmentHead, segmentTail } from '../../proto/journal/layout.js';
import type { ReadAt, ScanEnd } from '../../proto/journal/segment-scan.js';
import { decodeSegmentHead } from '../../proto/journal/segment.js';
import type { SegmentInfo } from './segment-store.js';

/** Where the first frame of every segment lies. */
export const fromBegin: number = segmentHead.length;

export interface OpenSegment extends SegmentInfo {
  /** Where frames end, or may end while the segment is active. */
  readonly framesEnd: number;
}

/** Undefined while the segment is only being created. Throws FormatError when its head is damaged. */
export async function openSegment(read: ReadAt, journal: JournalId, info: SegmentInfo): Promise<OpenSegment | undefined> {
  const bytes = Buffer.alloc(segmentHead.length);
  const got = await read(bytes, 0);
  if (got < segmentHead.length && !info.sealed) return undefined;
  try {
    const head = decodeSegmentHead(bytes.subarray(0, got));
    if (!head.journal.equals(journal)) throw new FormatError('read segment head', { fault: 'it belongs to another journal' });
    if (head.firstSequence !== info.segment) throw new FormatError('read segment head', { fault: `it is of the segment ${head.firstSequence}` });
  } catch (cause) {
    throw new FormatError('read segment', { journal: journal.toString('hex'), segment: info.segment, offset: 0, cause });
  }
  return { ...info, framesEnd: info.sealed ? info.sizeBytes - segmentTail.length : info.sizeBytes };
}

/**
 * What is wrong with the bytes at which a scan stopped, or undefined when they are the end of an
 * active segment: a frame or a tail that is not wholly there yet, or zeroes that a power cut left
 * where a frame was to be. All else is damage.
 */
export async function scanFault(read: ReadAt, segment: OpenSegment, { offset, fault }: ScanEnd): Promise<FormatError | undefined> {
  if (fault === undefined) return undefined;
  if (segment.sealed) return fault;
  const bytes = Buffer.alloc(frameLayout.length);
  const got = await read(bytes, offset);
  if (got < frameLayout.length || bytes.every((byte) => byte === 0)) return undefined;
  try {
    const header = decodeHeader(bytes);
    if (offset + frameLayout.length + header.storedLength > segment.framesEnd) return undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return fault;
}
