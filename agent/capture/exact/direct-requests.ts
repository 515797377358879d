/** Files with direct asynchronous writes that may still be under way: what is read of them may be older than what was told. */

export const asynchronousCause = 'a file was written by asynchronous or direct I/O';

const nodesMax = 4096;

export class DirectRequests {
  readonly #withinMs: number;
  /** Nodes of this period, and of the one before. */
  #recent = new Set<number>();
  #former = new Set<number>();
  #sinceMs = 0;
  /** There were too many to tell them apart. */
  #allUntilMs = 0;

  /** For so long at least a request counts as under way. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  note(node: number, nowMs: number): void {
    this.#turn(nowMs);
    if (this.#recent.size < nodesMax) this.#recent.add(node);
    else if (!this.#recent.has(node)) this.#allUntilMs = nowMs + this.#withinMs;
  }

  isUnderWay(node: number, nowMs: number): boolean {
    if (nowMs < this.#allUntilMs) return true;
    if (this.#recent.size === 0 && this.#former.size === 0) return false;
    this.#turn(nowMs);
    return this.#recent.has(node) || this.#former.has(node);
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#sinceMs + this.#withinMs) return;
    const isNext = nowMs < this.#sinceMs + 2 * this.#withinMs;
    // What is of two periods ago is over.
    this.#former = isNext ? this.#recent : new Set();
    this.#recent = new Set();
    this.#sinceMs = isNext ? this.#sinceMs + this.#withinMs : nowMs;
  }
}
