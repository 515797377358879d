/** The history of a process that is to be killed, the same in it and in the one who checks. */
import { appendInFrames, seededRandom } from './fixture.js';
import { MemoryJournal } from './memory-journal.js';
import { RandomHistory } from './random-history.js';

export function journalOf({ seed, count, asRoot }: { readonly seed: number; readonly count: number; readonly asRoot: boolean }): MemoryJournal {
  const random = seededRandom(seed);
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot, bytesMax: 10_000 }).next(count), random);
  return journal;
}
