/** Reads a journal straight from a simulated disk, without the components that wrote it and without taking time. */
import type { Change } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import { chainFault, decodeHeader, frameChanges, readFrame, zeroDigest, type JournalEnd, type JournalId } from '../../proto/journal/frame.js';
import { frame as frameLayout, segmentHead, segmentTail } from '../../proto/journal/layout.js';
import { decodeSegmentHead, decodeSegmentTail, segmentFromFileName } from '../../proto/journal/segment.js';
import type { SimDisk } from './sim-disk.js';

export interface InspectedJournal {
  /** One before the first sequence held. */
  readonly trimmedThrough: bigint;
  /** The last sequence up to which all is whole and linked. */
  readonly lastSequence: bigint;
  /** Why it ends there, where that is not the end of the bytes. */
  readonly fault: string | undefined;
}

export interface InspectOptions {
  readonly disk: SimDisk;
  readonly directory: string;
  readonly journal: JournalId;
  readonly view: 'cache' | 'durable';
  readonly each: (change: Change) => void;
  /** Frames whose changes were seen to be right, by digest, with their last sequence: they need not be decoded again. */
  readonly verified: Map<string, bigint>;
}

/** Follows segments and frames as far as they are whole and linked. */
export function inspect({ disk, directory, journal, view, each, verified }: InspectOptions): InspectedJournal {
  const contents = [...disk.contents(directory, view)].filter(([name]) => segmentFromFileName(name) !== undefined);
  contents.sort(([a], [b]) => (a < b ? -1 : 1));
  let end: JournalEnd | undefined;
  let trimmedThrough = 0n;
  const result = (fault?: string): InspectedJournal => ({ trimmedThrough, lastSequence: end?.lastSequence ?? trimmedThrough, fault });
  for (const [name, bytes] of contents) {
    try {
      const head = decodeSegmentHead(bytes.subarray(0, segmentHead.length));
      if (end === undefined) {
        trimmedThrough = head.firstSequence - 1n;
        if (trimmedThrough === 0n && !head.previousDigest.equals(zeroDigest)) return result(`${name} begins the journal with a digest`);
        end = { journal, lastSequence: (head.firstSequence - 1n) as never, lastTimeNs: 0n, digest: head.previousDigest };
      }
      if (head.firstSequence !== end.lastSequence + 1n || !head.previousDigest.equals(end.digest)) return result(`${name} does not follow ${end.lastSequence}`);
      const tail = bytes.byteLength >= segmentHead.length + segmentTail.length ? decodeSegmentTail(bytes.subarray(bytes.byteLength - segmentTail.length)) : undefined;
      const to = tail === undefined ? bytes.byteLength : bytes.byteLength - segmentTail.length;
      for (let offset: number = segmentHead.length; offset < to; ) {
        const header = decodeHeader(bytes.subarray(offset, to));
        const length = frameLayout.length + header.storedLength;
        const frame = readFrame(bytes.subarray(offset, Math.min(offset + length, to)));
        const fault = chainFault(end, header);
        if (fault !== undefined) return result(`${name} at ${offset}: ${fault}`);
        const key = frame.digest.toString('latin1');
        if (!verified.has(key)) {
          let lastTimeNs = end.lastTimeNs;
          for (const change of frameChanges(frame).changes) {
            if (change.timeNs < lastTimeNs) return result(`the time of change ${change.sequence} is before that of the one before it`);
            lastTimeNs = change.timeNs;
            each(change);
          }
          verified.set(key, header.lastSequence);
        }
        end = { journal, lastSequence: header.lastSequence, lastTimeNs: header.lastTimeNs, digest: frame.digest };
        offset += length;
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return result(`${name}: ${error.message}`);
    }
  }
  return result();
}
