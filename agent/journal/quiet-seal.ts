/**
 * Says when to seal the active segment of a spool that has gone quiet. The last segment is never
 * trimmed, so a burst would keep a whole segment on the disk; sealed, it goes with the next frame.
 * Segments are large all the same: each sealing is a sync, which a busy host should have rarely.
 */
import type { Sequence } from '../../proto/change.js';
import type { SegmentState } from '../../proto/journal/segment-recovery.js';

/** Looks in a row, about a second apart, without a new frame. */
const quietLooks = 5;
/** What is smaller is not worth a sync. */
const sizeBytesMin = 4 * 1024 * 1024;

export class QuietSeal {
  #writtenThrough: Sequence | undefined;
  #looks = 0;

  /** True when the last segment, all of which may go, is to be sealed now. */
  look({ writtenThrough, removableThrough, last }: { readonly writtenThrough: Sequence; readonly removableThrough: Sequence; readonly last: SegmentState | undefined }): boolean {
    this.#looks = writtenThrough === this.#writtenThrough ? this.#looks + 1 : 0;
    this.#writtenThrough = writtenThrough;
    return this.#looks >= quietLooks && last !== undefined && last.framesEnd === undefined && last.lastSequence <= removableThrough && last.sizeBytes >= sizeBytesMin;
  }
}
