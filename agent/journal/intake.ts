/** The way into the journal: takes, refuses or keeps batches waiting, in the order of the calls. */
import { isControl, type CapturedChange } from '../../proto/change.js';
import type { Admission } from './admission.js';
import type { TakeResult } from './journal-types.js';
import { changeFault } from './sequencer.js';

interface WaitingBatch {
  readonly changes: readonly CapturedChange[];
  readonly controlOnly: boolean;
  readonly resolve: (result: TakeResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface IntakeOptions {
  /** What is to become of a batch now. */
  readonly admission: (controlOnly: boolean) => Admission;
  /** Takes a batch at once. Throws when the journal breaks over it. */
  readonly take: (changes: readonly CapturedChange[]) => TakeResult;
}

export class Intake {
  readonly #options: IntakeOptions;
  #waiting: WaitingBatch[] = [];
  #failure: Error | undefined;
  #isPumping = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async append(changes: readonly CapturedChange[]): Promise<TakeResult> {
    if (this.#failure !== undefined) throw this.#failure;
    let controlOnly = true;
    for (const change of changes) {
      const fault = changeFault(change);
      if (fault !== undefined) throw new RangeError(fault);
      if (controlOnly && !isControl(change.body)) controlOnly = false;
    }
    const verdict = this.#options.admission(controlOnly);
    if (verdict === 'refuse') return { taken: false };
    // Whoever came first goes first: the changes of one engine must not overtake each other.
    if (verdict === 'take' && this.#waiting.length === 0) return this.#options.take(changes);
    return new Promise((resolve, reject) => this.#waiting.push({ changes, controlOnly, resolve, reject }));
  }

  /** Looks again at those who wait; to be called when anything changed that decides about them. */
  pump(): void {
    if (this.#isPumping || this.#waiting.length === 0) return;
    this.#isPumping = true;
    const still: WaitingBatch[] = [];
    for (const batch of this.#waiting) {
      const verdict = this.#options.admission(batch.controlOnly);
      if (verdict === 'refuse') batch.resolve({ taken: false });
      else if (verdict === 'wait' || still.length > 0) still.push(batch);
      else {
        try {
          batch.resolve(this.#options.take(batch.changes));
        } catch (error) {
          batch.reject(error);
        }
      }
    }
    this.#waiting = still;
    this.#isPumping = false;
    if (this.#failure !== undefined) this.#rejectAll(this.#failure);
  }

  /** Rejects everyone who waits and whoever comes. */
  fail(error: Error): void {
    this.#failure ??= error;
    if (!this.#isPumping) this.#rejectAll(this.#failure);
  }

  #rejectAll(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of waiting) batch.reject(error);
  }
}
