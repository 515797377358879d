/** What ingest needs of the rest of the receiver; whoever composes the stages hands it in. */
import type { Change, Sequence, TimeNs } from '../../proto/change.js';
import type { Frame, JournalEnd, JournalId } from '../../proto/journal/frame.js';
import type { Damage } from '../../proto/journal/segment-recovery.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';
import type { ReceiverState, Report } from '../../proto/wire/messages.js';

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

/** The one writer of a journal. Appends do not overlap; `sync` may run beside them. */
export interface FrameAppender extends AsyncDisposable {
  /** The end of what is written. */
  readonly end: JournalEnd;
  readonly durableThrough: Sequence;
  readonly damage: readonly Damage[];
  /** False once a failure has left the journal's end in doubt: it has to be closed and opened again. */
  readonly usable: boolean;
  /** A failure that leaves the appender usable (a full disk, as a rule) changed nothing, and may be tried again. */
  append(frame: Frame): Promise<FrameLocation>;
  /** Makes durable what was written before the call. A failure leaves the appender unusable. */
  sync(): Promise<Sequence>;
}

export interface FrameStore {
  openAppender(journal: JournalId, durableFloor: Sequence): Promise<FrameAppender>;
}

/** A durable frame: where it lies and what it spans. */
export interface DurableFrame {
  readonly segment: Sequence;
  /** Where the frame ends in its segment. */
  readonly endOffset: number;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly firstTimeNs: TimeNs;
  readonly lastTimeNs: TimeNs;
}

export interface DurableProgress {
  readonly through: Sequence;
  /** Time of the change at `through`. */
  readonly timeNs: TimeNs;
  /** Since the last progress, in order. */
  readonly frames: readonly DurableFrame[];
  /** Control changes in those frames, without flushes and durable edges. */
  readonly control: readonly Change[];
}

/** Told what happens, after the fact. Must not throw, and must not be waited for: durability does not hang on it. */
export interface IngestObserver {
  durable(journal: JournalId, progress: DurableProgress): void;
  state(journal: JournalId, state: Pick<ReceiverState, 'state' | 'message'>): void;
  connected(journal: JournalId, agent: { readonly platform: string; readonly agentVersion: string }): void;
  disconnected(journal: JournalId): void;
  reported(journal: JournalId, report: Report): void;
}

/** Free and total bytes of the file system that holds the journals. */
export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}
