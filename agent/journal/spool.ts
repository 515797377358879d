/** Opens the spool's segments with what is remembered beside them, and begins them anew elsewhere. */
import { asSequence, noSequence } from '../../proto/change.js';
import type { Frame, JournalEnd } from '../../proto/journal/frame.js';
import { segmentHead } from '../../proto/journal/layout.js';
import { SegmentLog } from '../../proto/journal/segment-log.js';
import { segmentFileName } from '../../proto/journal/segment.js';
import { spoolBytesMaxDefault } from './admission.js';
import type { JournalOptions } from './journal-types.js';
import type { SpooledFrame } from './recent-frames.js';
import { durableFloor, isMarkedClean, loadMemory, mayBehindAtStart, saveMemory, takeCleanMark, type SpoolMemory } from './spool-state.js';
import type { UndurableSpan } from './undurable-queue.js';

const mebibyte = 1024 * 1024;
/** Large, because each segment costs the applications' disk three syncs; see quiet-seal.ts for idle spools. */
const segmentSizeBytesDefault = 64 * mebibyte;

export interface OpenedSpool {
  readonly directory: string;
  readonly log: SegmentLog;
  readonly memory: SpoolMemory | undefined;
  readonly mayBehind: boolean;
  /** What the receiver had not acknowledged when this was last remembered, a segment each. */
  readonly undurable: readonly UndurableSpan[];
  readonly takeCleanMark: () => Promise<void>;
}

export function spoolDirectory({ stateDirectory }: Pick<JournalOptions, 'stateDirectory'>): string {
  return `${stateDirectory}/spool`;
}

/** Throws FormatError when segments are damaged that only this host holds. */
export async function openSpool(options: JournalOptions): Promise<OpenedSpool> {
  const { files, journal, logger, bootId } = options;
  const directory = spoolDirectory(options);
  await files.makeDirectory(directory);
  // Sync what holds it too: otherwise the whole spool may not survive power loss.
  await files.syncDirectory(options.stateDirectory);
  const { memory, fault } = await loadMemory(files, directory, journal);
  if (fault !== undefined) logger.warn({ err: fault }, 'the spool state cannot be read; the receiver is asked what it holds');
  const log = await SegmentLog.open({
    files, directory, journal, segmentSizeBytes: await segmentSizeBytes(options), durableFloor: durableFloor(memory),
    ...(memory?.base === undefined ? {} : { startAfter: memory.base }),
    // Should this start end before it is done, the next one finds nothing left to cut.
    ...(memory === undefined ? {} : { beforeCut: () => saveMemory(files, directory, journal, { ...memory, mayBehind: true }) }),
  });
  for (const damage of log.damage) logger.error({ ...damage, segment: String(damage.segment) }, 'the spool is damaged');
  if (log.cutBytes > 0) logger.info({ bytes: log.cutBytes }, 'an unfinished write at the end of the spool was cut off');
  const isClean = await isMarkedClean(files, directory);
  const mayBehind = mayBehindAtStart({ memory, isClean, bootId, writtenThrough: log.end.lastSequence, isCut: log.cutBytes > 0 });
  if (mayBehind) logger.info({ writtenThrough: String(log.end.lastSequence) }, 'appending waits until the receiver has said what it holds');
  const undurable = await undurableSpans(log, memory);
  return { directory, log, memory, mayBehind, undurable, takeCleanMark: () => takeCleanMark(files, directory) };
}

/** Replaces a log that holds no frame by an empty one that goes on after `end`. */
export async function restartSpool(options: JournalOptions, log: SegmentLog, end: JournalEnd): Promise<SegmentLog> {
  const { files, journal } = options;
  const directory = spoolDirectory(options);
  if (log.segments.some((segment) => segment.frameCount > 0)) throw new RangeError('the spool holds frames');
  await log.close();
  for (const { firstSequence } of log.segments) await files.remove(`${directory}/${segmentFileName(firstSequence)}`);
  await files.syncDirectory(directory);
  return SegmentLog.open({ files, directory, journal, segmentSizeBytes: await segmentSizeBytes(options), startAfter: end });
}

/** A frame as it travels. */
export function spooled({ header: { firstSequence, lastSequence }, bytes }: Frame): SpooledFrame {
  return { firstSequence, lastSequence, bytes };
}

/** Small budgets and small disks get small segments: what one segment holds is trimmed together, and the last one stays. */
async function segmentSizeBytes(options: JournalOptions): Promise<number> {
  const { files, segmentSizeBytes: given, spoolBytesMax } = options;
  if (given !== undefined) return given;
  const { totalBytes } = await files.space(spoolDirectory(options)).catch(() => ({ totalBytes: Number.POSITIVE_INFINITY }));
  return Math.max(mebibyte, Math.min(segmentSizeBytesDefault, Math.floor((spoolBytesMax ?? spoolBytesMaxDefault) / 8), Math.floor(totalBytes / 32)));
}

/** One span a segment: reading every frame's header of a long spool would delay the start, and lag may err upwards. */
async function undurableSpans(log: SegmentLog, memory: SpoolMemory | undefined): Promise<UndurableSpan[]> {
  const acknowledged = memory?.receiverDurableThrough ?? noSequence;
  const spans: UndurableSpan[] = [];
  for (const { firstSequence, lastSequence, sizeBytes, frameCount } of log.segments) {
    if (frameCount === 0 || lastSequence <= acknowledged) continue;
    for await (const { frame } of log.frames(asSequence(firstSequence - 1n))) {
      spans.push({ lastSequence, firstTimeNs: frame.header.firstTimeNs, bytes: sizeBytes - segmentHead.length });
      break;
    }
  }
  return spans;
}
