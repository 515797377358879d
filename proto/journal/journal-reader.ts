/** A journal as those see it who only read: replica, recovery, verification. The store stands behind it. */
import type { Change, Sequence, TimeNs } from '../change.js';
import type { Frame, JournalId } from './frame.js';
import type { FrameLocation } from './segment-scan.js';

export interface StoredFrame {
  readonly frame: Frame;
  readonly location: FrameLocation;
}

export interface JournalReader {
  readonly journal: JournalId;
  /** Frames that hold sequences after `after`, up to and with `through` where given, else to what is there when reading ends. Throws FormatError at damage, naming segment and offset. */
  frames(options: { readonly after: Sequence; readonly through?: Sequence; readonly signal?: AbortSignal }): AsyncIterable<StoredFrame>;
  /** One frame again, verified. */
  frameAt(location: FrameLocation): Promise<Frame>;
  /** The last sequence whose time is not after `timeNs`; 0 when the journal begins later or is empty. */
  sequenceAt(timeNs: TimeNs): Promise<{ readonly sequence: Sequence; readonly timeNs: TimeNs }>;
  /** Time of a sequence; undefined when it is not in the journal. */
  timeOf(sequence: Sequence): Promise<TimeNs | undefined>;
  /** The last sequence that can be read now; 0 for an empty journal. */
  lastSequence(): Promise<Sequence>;
  /** Control changes (volumes, baselines, gaps, settled, marks, clock steps) in order, up to `through`. */
  controlChanges(through?: Sequence): Promise<readonly Change[]>;
}
