/** Carries out what the reconcile table decides: compares digests, fetches what is missing, adopts the receiver's end. */
import { asSequence, type Change, type Sequence } from '../../proto/change.js';
import { DurabilityError } from '../../proto/errors.js';
import { frameChanges, type Frame, type JournalEnd } from '../../proto/journal/frame.js';
import type { SegmentLog } from '../../proto/journal/segment-log.js';
import type { Welcome } from '../../proto/wire/messages.js';
import { fetchFrames, ForkedError } from './fetch.js';
import type { JournalLogger, ReadFrames, Reconciliation } from './journal-types.js';
import { reconcileRow, type ReconcileFacts } from './reconcile.js';

/** What reconciling needs of the journal. */
export interface ReconcileSubject {
  readonly log: () => SegmentLog;
  readonly logger: JournalLogger;
  readonly capturedThrough: () => Sequence;
  readonly acknowledgedThrough: () => Sequence;
  readonly isNew: () => boolean;
  readonly keepAfter: () => Sequence;
  /** From the call on appending waits; resolves once a next start would know that too. */
  readonly hold: () => Promise<void>;
  /** Replaces the log, which holds no frame, by one that goes on after `end`. */
  readonly restartAfter: (end: JournalEnd) => Promise<void>;
  /** The log's end moved: sequences go on after it. */
  readonly moved: () => void;
  readonly onRecovered: (changes: readonly Change[]) => Promise<void>;
}

export async function reconcileJournal(subject: ReconcileSubject, welcome: Welcome, readFrames: ReadFrames): Promise<Reconciliation> {
  const facts = await gather(subject, welcome);
  const row = reconcileRow(facts);
  const message = row.message(facts);
  const after = welcome.durableThrough;
  const place = { verdict: row.verdict, receiverThrough: after, writtenThrough: facts.writtenThrough, trimmedThrough: facts.trimmedThrough };
  if (row.verdict === 'follow') subject.logger.debug(place, message);
  else if (row.verdict === 'fetch' || row.verdict === 'adopt' || row.verdict === 'adopt-fetch') subject.logger.info(place, message);
  else subject.logger.error(place, message);
  try {
    if (row.verdict === 'adopt') await adopt(subject, welcome);
    else if (row.verdict === 'fetch') await fetch(subject, welcome, { frames: readFrames(facts.writtenThrough), end: subject.log().end, replayAfter: facts.keepAfter > facts.writtenThrough ? facts.keepAfter : facts.writtenThrough });
    else if (row.verdict === 'adopt-fetch') await fetch(subject, welcome, { frames: readFrames(facts.keepAfter), end: undefined, replayAfter: facts.keepAfter });
  } catch (error) {
    if (!(error instanceof ForkedError)) throw error;
    subject.logger.error({ ...place, err: error }, 'this journal and the receiver hold different histories');
    return { verdict: 'forked', message: error.message, after };
  }
  return { verdict: row.verdict, message, after };
}

async function gather(subject: ReconcileSubject, welcome: Welcome): Promise<ReconcileFacts> {
  const receiverThrough = welcome.durableThrough;
  const digests = receiverThrough > subject.log().end.lastSequence ? 'none' : await compareDigests(subject.log(), welcome);
  // Read after the last wait: what is decided on must be what holds when it is acted on.
  const { end, trimmedThrough } = subject.log();
  return {
    receiverThrough,
    digests,
    trimmedThrough,
    acknowledgedThrough: subject.acknowledgedThrough(),
    writtenThrough: end.lastSequence,
    capturedThrough: subject.capturedThrough(),
    isNew: subject.isNew(),
    keepAfter: subject.keepAfter(),
  };
}

async function compareDigests(log: SegmentLog, { durableThrough, digest }: Welcome): Promise<ReconcileFacts['digests']> {
  const local = await digestAt(log, durableThrough);
  return local === undefined ? 'none' : local.equals(digest) ? 'equal' : 'different';
}

/** The digest of the frame that ends at `sequence`; undefined when none here does. */
async function digestAt(log: SegmentLog, sequence: Sequence): Promise<Buffer | undefined> {
  if (sequence === log.end.lastSequence) return log.end.digest;
  if (sequence < log.trimmedThrough) return undefined;
  const atStart = sequence === log.trimmedThrough;
  for await (const { frame } of log.frames(atStart ? sequence : asSequence(sequence - 1n))) {
    if (atStart) return frame.header.previousDigest;
    return frame.header.lastSequence === sequence ? frame.digest : undefined;
  }
  return undefined;
}

async function adopt(subject: ReconcileSubject, { durableThrough, lastTimeNs, digest }: Welcome): Promise<void> {
  await subject.hold();
  await subject.restartAfter({ journal: subject.log().end.journal, lastSequence: durableThrough, lastTimeNs, digest });
  subject.moved();
}

/** What was fetched before a break stays, and the next try goes on behind it. */
async function fetch(subject: ReconcileSubject, welcome: Welcome, from: { readonly frames: AsyncIterable<Buffer>; readonly end: JournalEnd | undefined; readonly replayAfter: Sequence }): Promise<void> {
  await subject.hold();
  const { frames, end, replayAfter } = from;
  try {
    await fetchFrames({
      journal: subject.log().end.journal, end, frames, through: welcome.durableThrough, digest: welcome.digest,
      begin: async (start) => {
        if (end === undefined) await subject.restartAfter(start);
      },
      take: async (frame) => {
        await subject.log().append(frame);
        await recover(subject, changesAfter(frame, replayAfter));
      },
    });
  } finally {
    subject.moved();
  }
}

/**
 * The frame is in the log by now, so the next reconciliation would go on behind it: an engine that did
 * not take it over must not append after it. Only a start, which replays the log, puts that right.
 */
async function recover({ onRecovered }: ReconcileSubject, changes: readonly Change[]): Promise<void> {
  try {
    await onRecovered(changes);
  } catch (error) {
    // Not as the cause: an engine's full disk is not one that the log can wait out.
    throw new DurabilityError('hand fetched changes to the engine', { fault: (error as Error).message });
  }
}

/** The changes of a frame that come after `after`. */
export function changesAfter(frame: Frame, after: Sequence): readonly Change[] {
  const { changes } = frameChanges(frame);
  const skip = after < frame.header.firstSequence ? 0 : Number(after - frame.header.firstSequence) + 1;
  return skip === 0 ? changes : changes.slice(skip);
}
