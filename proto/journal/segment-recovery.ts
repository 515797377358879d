/** Finds out what a directory of segments holds after any kind of stop, and cuts a torn tail back. */
import { asSequence, noSequence, type Sequence } from '../change.js';
import { FormatError } from '../errors.js';
import { chainFault, type JournalEnd, type JournalId } from './frame.js';
import { segmentHead, segmentTail } from './layout.js';
import type { LogFile, LogFiles } from './segment-log.js';
import { readSegmentEnds, scanFrames, type SegmentEnds } from './segment-scan.js';
import { segmentFileName, segmentFromFileName } from './segment.js';

/** A segment as the log keeps track of it. */
export interface SegmentState {
  readonly firstSequence: Sequence;
  /** One less than `firstSequence` while it holds no frame. */
  lastSequence: Sequence;
  sizeBytes: number;
  frameCount: number;
  /** Where the frames end, once sealed. */
  framesEnd?: number;
}

/** Bytes of a journal that are not what they should be, and that no torn write explains. */
export interface Damage {
  readonly segment: Sequence;
  readonly offset: number;
  readonly fault: string;
}

export type RecoveryVerdict = 'whole' | 'cut' | 'damaged';

/**
 * What to do with the bytes at which reading a segment without a tail stopped.
 * Only bytes after the last sequence known to be durable can be an unfinished write.
 */
export function recoveryVerdict(found: { readonly faulty: boolean; readonly isLast: boolean; readonly nextSequence: Sequence; readonly durableFloor: Sequence }): RecoveryVerdict {
  for (const row of recoveryTable) if (row.when(found)) return row.verdict;
  return 'damaged';
}

const recoveryTable: readonly { readonly label: string; readonly when: (found: Parameters<typeof recoveryVerdict>[0]) => boolean; readonly verdict: RecoveryVerdict }[] = [
  { label: 'a segment before the last has no tail', when: (f) => !f.isLast, verdict: 'damaged' },
  { label: 'the journal ends before what was durable', when: (f) => f.nextSequence <= f.durableFloor, verdict: 'damaged' },
  { label: 'a torn tail of the active segment', when: (f) => f.faulty, verdict: 'cut' },
  { label: 'an intact active segment', when: (f) => !f.faulty, verdict: 'whole' },
];

export interface RecoveredSegments {
  readonly segments: SegmentState[];
  /** The active segment, open for writing; none when the last one is sealed or there is none. */
  readonly active: LogFile | undefined;
  readonly end: JournalEnd;
  readonly damage: Damage[];
  readonly cutBytes: number;
  /** Offset in the last segment after which nothing is known to have reached the disk; undefined when all is. */
  readonly inDoubtFrom: number | undefined;
}

/**
 * Recovers a log. Sealed segments are believed by head and tail (a later read checks every frame);
 * the last one, sealed or active, is read whole. Throws FormatError where the journal's end itself is damaged.
 */
export async function recoverSegments(options: {
  readonly files: LogFiles;
  readonly directory: string;
  readonly journal: JournalId;
  readonly durableFloor: Sequence;
  readonly start: JournalEnd;
  readonly beforeCut?: (() => Promise<void>) | undefined;
}): Promise<RecoveredSegments> {
  const { files, directory, journal, durableFloor, beforeCut } = options;
  const names = (await files.list(directory)).map((entry) => entry.name).filter((name) => segmentFromFileName(name) !== undefined);
  names.sort();
  const segments: SegmentState[] = [];
  const damage: Damage[] = [];
  let end = options.start;
  let active: LogFile | undefined;
  let cutBytes = 0;
  let inDoubtFrom: number | undefined;
  for (const [place, name] of names.entries()) {
    const firstSequence = segmentFromFileName(name)!;
    const path = `${directory}/${segmentFileName(firstSequence)}`;
    const isLast = place === names.length - 1;
    const file = await files.open(path, isLast ? 'write' : 'read');
    inDoubtFrom = undefined;
    let keepOpen = false;
    try {
      const sizeBytes = await file.sizeBytes();
      let ends: SegmentEnds;
      try {
        ends = await readSegmentEnds((target, position) => file.read(target, position), sizeBytes);
        if (ends.head.firstSequence !== firstSequence) throw new FormatError('read segment head', { fault: `it names sequence ${ends.head.firstSequence}` });
      } catch (cause) {
        if (!(cause instanceof FormatError)) throw cause;
        // A segment is synced with its head before a frame goes in, so a bad head on an unneeded last segment is an unfinished creation.
        if (isLast && firstSequence > durableFloor && sizeBytes <= segmentHead.length) {
          await files.remove(path);
          cutBytes += sizeBytes;
          continue;
        }
        if (isLast) throw new FormatError('recover journal', { path, offset: 0, cause });
        damage.push({ segment: firstSequence, offset: 0, fault: cause.message });
        continue;
      }
      if (!ends.head.journal.equals(journal)) throw new FormatError('recover journal', { path, fault: 'the segment belongs to another journal' });
      const follows = firstSequence === end.lastSequence + 1n && ends.head.previousDigest.equals(end.digest);
      // What came before the first segment may have been removed, so that one has nothing to follow.
      if (!follows && segments.length > 0) damage.push({ segment: firstSequence, offset: 0, fault: `it does not follow sequence ${end.lastSequence}` });
      const before: JournalEnd = { journal, lastSequence: asSequence(firstSequence - 1n), lastTimeNs: follows ? end.lastTimeNs : 0n, digest: ends.head.previousDigest };
      // Head and tail of the last segment may have reached the disk without what is between them.
      if (ends.tail !== undefined && (!isLast || ends.tail.lastSequence <= durableFloor || (await isWhole(file, before, ends)))) {
        const { lastSequence, lastTimeNs, lastDigest, frameCount, framesBytes } = ends.tail;
        segments.push({ firstSequence, lastSequence, sizeBytes, frameCount, framesEnd: segmentHead.length + framesBytes });
        if (lastSequence > durableFloor) inDoubtFrom = segmentHead.length;
        end = { journal, lastSequence, lastTimeNs, digest: lastDigest };
        continue;
      }
      const scanned = await scanActive(file, before, sizeBytes, durableFloor);
      inDoubtFrom = scanned.inDoubtFrom;
      const verdict = recoveryVerdict({ faulty: scanned.fault !== undefined, isLast, nextSequence: asSequence(scanned.end.lastSequence + 1n), durableFloor });
      if (verdict === 'damaged') {
        const fault = scanned.fault ?? `it ends at sequence ${scanned.end.lastSequence}, but ${durableFloor} was durable`;
        if (isLast) throw new FormatError('recover journal', { path, offset: scanned.offset, fault });
        damage.push({ segment: firstSequence, offset: scanned.offset, fault });
      } else if (verdict === 'cut') {
        cutBytes += sizeBytes - scanned.offset;
        await beforeCut?.();
        await file.truncate(scanned.offset);
      }
      segments.push({ firstSequence, lastSequence: scanned.end.lastSequence, sizeBytes: scanned.offset, frameCount: scanned.frameCount });
      end = scanned.end;
      if (isLast) {
        active = file;
        keepOpen = true;
      }
    } finally {
      if (!keepOpen) await file.close();
    }
  }
  if (end.lastSequence < durableFloor) {
    throw new FormatError('recover journal', { directory, fault: `it ends at sequence ${end.lastSequence}, but ${durableFloor} was durable` });
  }
  return { segments, active, end, damage, cutBytes, inDoubtFrom };
}

async function isWhole(file: LogFile, before: JournalEnd, { tail, sizeBytes }: SegmentEnds): Promise<boolean> {
  const { end, fault } = await scanActive(file, before, sizeBytes - segmentTail.length, noSequence);
  return fault === undefined && end.lastSequence === tail?.lastSequence && end.digest.equals(tail.lastDigest);
}

async function scanActive(file: LogFile, before: JournalEnd, sizeBytes: number, durableFloor: Sequence): Promise<{ end: JournalEnd; offset: number; frameCount: number; inDoubtFrom: number | undefined; fault: string | undefined }> {
  const scan = scanFrames((target, position) => file.read(target, position), segmentHead.length, sizeBytes);
  let end = before;
  let frameCount = 0;
  let inDoubtFrom: number | undefined;
  for (let step = await scan.next(); ; step = await scan.next()) {
    if (step.done === true) return { end, offset: step.value.offset, frameCount, inDoubtFrom, fault: step.value.fault?.message };
    const { frame, offset } = step.value;
    const fault = chainFault(end, frame.header);
    if (fault !== undefined) return { end, offset, frameCount, inDoubtFrom, fault };
    if (frame.header.lastSequence > durableFloor) inDoubtFrom ??= offset;
    end = { journal: before.journal, lastSequence: frame.header.lastSequence, lastTimeNs: frame.header.lastTimeNs, digest: Buffer.from(frame.digest) };
    frameCount += 1;
  }
}
