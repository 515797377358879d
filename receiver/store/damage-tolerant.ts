/** Reads a journal past damage: each damaged stretch is reported, and reading goes on at the next segment. */
import { asSequence, type Change, type Sequence } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import { frameChanges, frameLength, type JournalId } from '../../proto/journal/frame.js';
import { StoreJournalReader } from './journal-reader.js';
import type { FrameNote } from './journal-tables.js';
import type { SegmentStore } from './segment-store.js';

/** Sequences of a journal that cannot be read, and why. */
export interface DamagedStretch {
  readonly journal: JournalId;
  readonly after: Sequence;
  /** Where reading goes on; undefined when nothing follows. */
  readonly next: Sequence | undefined;
  readonly fault: string;
}

export interface NotedFrame {
  readonly note: FrameNote;
  readonly changes: readonly Change[];
}

/** Every frame that can be read after `after`, up to `through` where given. */
export async function* readPastDamage(options: {
  readonly store: Pick<SegmentStore, 'list' | 'read'>;
  readonly journal: JournalId;
  readonly after: Sequence;
  readonly through?: Sequence;
  readonly signal?: AbortSignal;
  readonly damaged: (stretch: DamagedStretch) => void;
}): AsyncGenerator<NotedFrame> {
  const { store, journal, through, signal, damaged } = options;
  const reader = new StoreJournalReader({ store, journal });
  const first = (await store.list(journal))[0];
  if (first === undefined) return;
  // What retention removed is not damage.
  let after = options.after < first.segment - 1n ? asSequence(first.segment - 1n) : options.after;
  for (;;) {
    try {
      for await (const { frame, location } of reader.frames({ after, ...(through === undefined ? {} : { through }), ...(signal === undefined ? {} : { signal }) })) {
        const { header } = frame;
        const { changes } = frameChanges(frame);
        yield {
          note: {
            segment: location.segment, endOffset: location.offset + frameLength(frame),
            firstSequence: header.firstSequence, lastSequence: header.lastSequence, firstTimeNs: header.firstTimeNs, lastTimeNs: header.lastTimeNs,
          },
          changes,
        };
        after = header.lastSequence;
      }
      return;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const next = (await store.list(journal)).find((info) => info.segment > after + 1n)?.segment;
      damaged({ journal, after, next, fault: error.message });
      if (next === undefined) return;
      after = asSequence(next - 1n);
    }
  }
}
