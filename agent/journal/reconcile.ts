/** What to do when this journal and the receiver's copy of it meet again: one table, decided before anything is sent. */
import type { Sequence } from '../../proto/change.js';

export interface ReconcileFacts {
  /** What the receiver holds durably now. */
  readonly receiverThrough: Sequence;
  /** What the receiver said before to hold durably, as far as is remembered. */
  readonly acknowledgedThrough: Sequence;
  /** The spool no longer holds changes up to here. */
  readonly trimmedThrough: Sequence;
  /** The end of the spool. */
  readonly writtenThrough: Sequence;
  /** The last sequence given out; ahead of `writtenThrough` while frames are under way to the disk. */
  readonly capturedThrough: Sequence;
  /** This spool has never agreed with the receiver: what the receiver holds was not captured by an engine that is still here. */
  readonly isNew: boolean;
  /** Changes up to here are part of the engine's state. */
  readonly keepAfter: Sequence;
  /** Whether the local frame that ends at `receiverThrough` has the receiver's digest; `none`: no frame here ends there. */
  readonly digests: 'equal' | 'different' | 'none';
}

/**
 * `follow`: ship what comes after. `resend`: the same, but the receiver lost what it had acknowledged.
 * `fetch`: get what is missing here. `adopt`: go on after the receiver's end without its history;
 * `adopt-fetch`: the same, with the part that the engine's state lacks. `forked` and `lost`: stop.
 */
export type ReconcileVerdict = 'follow' | 'resend' | 'fetch' | 'adopt' | 'adopt-fetch' | 'forked' | 'lost';

export interface ReconcileRow {
  readonly label: string;
  readonly when: (facts: ReconcileFacts) => boolean;
  readonly verdict: ReconcileVerdict;
  readonly message: (facts: ReconcileFacts) => string;
}

const nothingHere = (f: ReconcileFacts): boolean => f.capturedThrough === 0n;

export const reconcileTable: readonly ReconcileRow[] = [
  {
    label: 'both are empty',
    when: (f) => nothingHere(f) && f.receiverThrough === 0n && f.keepAfter === 0n,
    verdict: 'follow',
    message: () => 'a new journal',
  },
  {
    label: 'the engine knows more than either holds',
    when: (f) => f.keepAfter > f.receiverThrough && f.keepAfter > f.writtenThrough,
    verdict: 'lost',
    message: (f) => `neither the spool nor the receiver holds changes ${(f.writtenThrough > f.receiverThrough ? f.writtenThrough : f.receiverThrough) + 1n}..${f.keepAfter}, which were captured and durable once`,
  },
  {
    label: 'nothing here, and the engine begins anew',
    when: (f) => nothingHere(f) && ((f.isNew && f.keepAfter === 0n) || f.keepAfter === f.receiverThrough),
    verdict: 'adopt',
    message: (f) => `this host's spool is new; the journal goes on after change ${f.receiverThrough} at the receiver`,
  },
  {
    label: 'nothing here, and the engine lacks the end',
    when: (f) => nothingHere(f) && f.keepAfter > 0n,
    verdict: 'adopt-fetch',
    message: (f) => `this host's spool is new; changes ${f.keepAfter + 1n}..${f.receiverThrough} are fetched from the receiver`,
  },
  {
    label: 'the receiver lost what is trimmed here',
    when: (f) => f.receiverThrough < f.trimmedThrough,
    verdict: 'lost',
    message: (f) => `the receiver lost acknowledged changes ${f.receiverThrough + 1n}..${f.trimmedThrough}, which are no longer held here`,
  },
  {
    label: 'the receiver is ahead, while changes here await writing',
    when: (f) => f.receiverThrough > f.writtenThrough && f.capturedThrough > f.writtenThrough,
    verdict: 'forked',
    message: (f) => `the receiver holds changes ${f.writtenThrough + 1n}..${f.receiverThrough} that did not come from this spool, which has given out ${f.capturedThrough} itself`,
  },
  {
    label: 'the receiver is ahead',
    when: (f) => f.receiverThrough > f.writtenThrough,
    verdict: 'fetch',
    message: (f) => `changes ${f.writtenThrough + 1n}..${f.receiverThrough} had reached the receiver but not this disk; they are fetched`,
  },
  {
    label: 'the receiver holds something else',
    when: (f) => f.digests !== 'equal',
    verdict: 'forked',
    message: (f) => (f.digests === 'none' ? `no frame here ends at the receiver's change ${f.receiverThrough}` : `the receiver's frame that ends at change ${f.receiverThrough} is not the one here`),
  },
  {
    label: 'the receiver lost what is still here',
    when: (f) => f.receiverThrough < f.acknowledgedThrough,
    verdict: 'resend',
    message: (f) => `the receiver lost acknowledged changes ${f.receiverThrough + 1n}..${f.acknowledgedThrough}; they are still here and are sent again`,
  },
  {
    label: 'the receiver is within the spool',
    when: () => true,
    verdict: 'follow',
    message: (f) => (f.receiverThrough === f.writtenThrough ? 'the receiver holds everything' : `the receiver lacks changes after ${f.receiverThrough}`),
  },
];

/** The first row that holds. */
export function reconcileRow(facts: ReconcileFacts): ReconcileRow {
  return reconcileTable.find((row) => row.when(facts))!;
}
