/** Where the journals' segments are kept: a local directory now, an object store behind the same interface later. */
import type { Sequence } from '../../proto/change.js';
import type { JournalEnd, Frame, JournalId } from '../../proto/journal/frame.js';
import type { Damage } from '../../proto/journal/segment-recovery.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';

/** A segment as a listing tells it. */
export interface SegmentInfo {
  readonly segment: Sequence;
  /** Absent while the segment is active; readers then find the last sequence by reading. */
  readonly lastSequence?: Sequence;
  readonly sealed: boolean;
  readonly sizeBytes: number;
}

/** The one writer of a journal. Appends must not overlap; `sync` may run beside them. */
export interface SegmentAppender extends AsyncDisposable {
  readonly end: JournalEnd;
  readonly durableThrough: Sequence;
  /** Damage found when the journal was opened; what could still be read stays readable. */
  readonly damage: readonly Damage[];
  /** False once a failure has left the journal's end in doubt: it has to be closed and opened again. */
  readonly usable: boolean;
  append(frame: Frame): Promise<FrameLocation>;
  sync(): Promise<Sequence>;
}

export interface SegmentStore {
  /** Journals that the store holds anything of. */
  journals(): Promise<JournalId[]>;
  /** Opens a journal for appending and recovers it. Throws FormatError when its end cannot be told. */
  openAppender(journal: JournalId, durableFloor: Sequence): Promise<SegmentAppender>;
  /** All segments of a journal, in order. */
  list(journal: JournalId): Promise<SegmentInfo[]>;
  /** Bytes of a segment, sealed or active; fewer than asked only at its end. */
  read(journal: JournalId, segment: Sequence, target: Uint8Array, position: number): Promise<number>;
  /** Stores a whole segment at once (compaction, import); visible only when durable. Replaces none. */
  put(journal: JournalId, segment: Sequence, parts: AsyncIterable<Uint8Array>): Promise<void>;
  remove(journal: JournalId, segment: Sequence): Promise<void>;
}
