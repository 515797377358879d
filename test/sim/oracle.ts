/** What the agent's journal accepted, change by change: the truth that everything else is compared with. */
import { createHash } from 'node:crypto';
import type { CapturedChange, Change, Sequence } from '../../proto/change.js';

export class Oracle {
  /** By sequence minus one. A hole is a change of the journal's own: a step of the clock. */
  readonly #changes: (CapturedChange | undefined)[] = [];
  readonly #digests: (string | undefined)[] = [];

  #generation = 0;

  /** Changes whenever something that was accepted is taken back. */
  get generation(): number {
    return this.#generation;
  }

  get lastSequence(): bigint {
    return BigInt(this.#changes.length);
  }

  accept(firstSequence: Sequence, changes: readonly CapturedChange[]): void {
    const at = Number(firstSequence) - 1;
    for (const [place, change] of changes.entries()) {
      if (this.#changes[at + place] !== undefined) throw new Error(`sequence ${at + place + 1} was given out twice`);
      while (this.#changes.length < at + place) {
        this.#changes.push(undefined);
        this.#digests.push(undefined);
      }
      this.#changes[at + place] = change;
      this.#digests[at + place] = digestOf(change);
    }
  }

  /** The tail was lost, legitimately. */
  cutAfter(sequence: bigint): void {
    if (sequence > this.lastSequence) {
      // Only steps of the clock can follow what was accepted.
      while (this.#changes.length < Number(sequence)) {
        this.#changes.push(undefined);
        this.#digests.push(undefined);
      }
    }
    if (sequence < this.lastSequence) this.#generation += 1;
    this.#changes.length = Number(sequence);
    this.#digests.length = Number(sequence);
  }

  /** What is wrong with a change found in a journal, or undefined. */
  fault(change: Change): string | undefined {
    const at = Number(change.sequence) - 1;
    const expected = this.#digests[at];
    if (expected === undefined) return change.body.kind === 'clock' && change.volume === 0 ? undefined : `change ${change.sequence} (${change.body.kind}) was never accepted`;
    if (digestOf(change) === expected) return undefined;
    return `change ${change.sequence} is a ${change.body.kind} of volume ${change.volume}, but a ${this.#changes[at]!.body.kind} of volume ${this.#changes[at]!.volume} was accepted, or its content differs`;
  }

  /** Changes with their sequences, from after one sequence through another. */
  *range(after: bigint, through: bigint): Generator<CapturedChange> {
    for (let at = Number(after); at < Number(through); at += 1) {
      const change = this.#changes[at];
      if (change !== undefined) yield change;
    }
  }
}

function digestOf({ volume, actor, body }: CapturedChange): string {
  const hash = createHash('sha1');
  const put = (value: unknown): void => {
    if (value instanceof Uint8Array) hash.update(`b${value.byteLength}:`).update(value);
    else if (value instanceof Map) put([...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
    else if (Array.isArray(value)) {
      hash.update(`[${value.length}`);
      for (const item of value) put(item);
    } else if (typeof value === 'object' && value !== null) {
      const fields = Object.entries(value).filter(([, field]) => field !== undefined);
      fields.sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, field] of fields) {
        hash.update(`${key}=`);
        put(field);
      }
    } else hash.update(`${typeof value}:${String(value)};`);
  };
  put([volume, actor, body]);
  return hash.digest('base64');
}
