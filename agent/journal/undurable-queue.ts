/** What the receiver has not made durable yet, frame by frame: the source of lag. Bounded; coarser when long. */
import type { Sequence, TimeNs } from '../../proto/change.js';

export interface UndurableSpan {
  readonly lastSequence: Sequence;
  readonly firstTimeNs: TimeNs;
  readonly bytes: number;
}

/** Spans kept at most. Past it neighbours are joined, so lag errs towards too much, never too little. */
const spansMax = 8192;

export class UndurableQueue {
  #spans: UndurableSpan[] = [];
  #head = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get spanCount(): number {
    return this.#spans.length - this.#head;
  }

  /** Time of the oldest change in it. */
  get oldestNs(): TimeNs | undefined {
    return this.#spans[this.#head]?.firstTimeNs;
  }

  push(span: UndurableSpan): void {
    this.#spans.push(span);
    this.#bytes += span.bytes;
    if (this.spanCount > spansMax) this.#join();
  }

  /** Drops what ends at or before `through`. */
  dropThrough(through: Sequence): void {
    for (let span = this.#spans[this.#head]; span !== undefined && span.lastSequence <= through; span = this.#spans[this.#head]) {
      this.#bytes -= span.bytes;
      this.#head += 1;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#spans.length) {
      this.#spans = this.#spans.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Puts other spans in the place of those up to `through`; those after it stay. */
  replace(spans: UndurableQueue, through: Sequence): void {
    const later = this.#spans.slice(this.#head).filter((span) => span.lastSequence > through);
    this.#spans = [...spans.#spans.slice(spans.#head), ...later];
    this.#head = 0;
    this.#bytes = this.#spans.reduce((sum, span) => sum + span.bytes, 0);
  }

  #join(): void {
    const joined: UndurableSpan[] = [];
    for (let at = this.#head; at < this.#spans.length; at += 2) {
      const left = this.#spans[at]!;
      const right = this.#spans[at + 1];
      joined.push(right === undefined ? left : { lastSequence: right.lastSequence, firstTimeNs: left.firstTimeNs, bytes: left.bytes + right.bytes });
    }
    this.#spans = joined;
    this.#head = 0;
  }
}
