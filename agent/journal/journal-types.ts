/** What goes into the agent's journal and what it tells: options, results, position and state. */
import type { Logger } from 'pino';
import type { Change, Sequence, TimeNs } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Clock } from '../../native/host/clock.js';
import type { Files } from '../../native/host/files.js';
import type { SpoolState } from './admission.js';
import type { SyncPolicy } from './group-sync.js';
import type { ReconcileVerdict } from './reconcile.js';

export type JournalLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export interface JournalOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: JournalLogger;
  /** The agent's state directory; the spool is `spool` in it. */
  readonly stateDirectory: string;
  readonly journal: JournalId;
  /** Names this run of the operating system; another one after each boot. */
  readonly bootId: string;
  /** Changes up to here are part of the engine's durable state; see `setKeepAfter`. */
  readonly keepAfter?: Sequence;
  readonly spoolBytesMax?: number;
  /** Size at which a spool segment is sealed. Trimming removes whole segments, and the last one stays. */
  readonly segmentSizeBytes?: number;
  /** Bytes that the spool leaves free on its disk, which is usually the applications' too. */
  readonly freeBytesMin?: number;
  /** Memory for frames that were just written, so that shipping need not read them back. */
  readonly recentBytesMax?: number;
  readonly syncPolicy?: SyncPolicy;
  /** Takes changes that came back from the receiver, in order, before anything is appended after them. */
  readonly onRecovered?: (changes: readonly Change[]) => Promise<void>;
}

/** The shape of an engine's append result. */
export type TakeResult = { readonly taken: true; readonly firstSequence: Sequence; readonly lastSequence: Sequence; readonly lastTimeNs: TimeNs } | { readonly taken: false };

export interface JournalPosition {
  /** First sequence that the spool holds; 0 when it holds none. */
  readonly heldFrom: Sequence;
  readonly capturedThrough: Sequence;
  readonly capturedTimeNs: TimeNs;
  readonly writtenThrough: Sequence;
  /** Survives power loss on this host. */
  readonly locallyDurableThrough: Sequence;
  /** Durable at the receiver. */
  readonly durableThrough: Sequence;
  /** Visible in the replica. */
  readonly appliedThrough: Sequence;
  /** Time of the oldest change that the receiver has not made durable; 0 when there is none. */
  readonly oldestUndurableNs: TimeNs;
  readonly undurableBytes: number;
  /** Bytes of the spool's segments, and of frames on their way there. */
  readonly spoolBytes: number;
}

export interface JournalState {
  readonly state: SpoolState;
  /** Why it is not `ok`; empty when it is. */
  readonly message: string;
  /** Why appending waits, when it waits for the receiver to say what it holds. */
  readonly waitingFor: string | undefined;
}

export interface Reconciliation {
  readonly verdict: ReconcileVerdict;
  /** In words, for logs and status. */
  readonly message: string;
  /** Shipping goes on after this sequence; meaningless when the verdict is `forked` or `lost`. */
  readonly after: Sequence;
}

/** Whole frames of the journal after a sequence, from the receiver. */
export type ReadFrames = (after: Sequence) => AsyncIterable<Buffer>;
