/** How far each journal is applied to its replica: told by the replica, asked by the streams of agents. */
import { noSequence, type Sequence } from '../proto/change.js';
import type { JournalId } from '../proto/journal/frame.js';

type Listener = (through: Sequence) => void;

export class AppliedBoard {
  readonly #through = new Map<string, Sequence>();
  readonly #listeners = new Map<string, Set<Listener>>();

  /** 0 while nothing is known. */
  through(journal: JournalId): Sequence {
    return this.#through.get(journal.toString('hex')) ?? noSequence;
  }

  /** Calls `applied` at every progress of a journal; returns how to stop that. */
  subscribe(journal: JournalId, applied: Listener): () => void {
    const key = journal.toString('hex');
    let listeners = this.#listeners.get(key);
    if (listeners === undefined) this.#listeners.set(key, (listeners = new Set()));
    listeners.add(applied);
    return () => {
      listeners.delete(applied);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  note(journal: JournalId, through: Sequence): void {
    const key = journal.toString('hex');
    if (through <= (this.#through.get(key) ?? noSequence)) return;
    this.#through.set(key, through);
    for (const listener of this.#listeners.get(key) ?? []) listener(through);
  }
}
