/** Ranges of bytes, ascending and apart, in bounded memory: too many of them become fewer and wider. */

export interface Range {
  readonly low: number;
  readonly high: number;
}

const rangesMax = 4096;

export class Ranges {
  #ranges: Range[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }
  get bytes(): number {
    return this.#ranges.reduce((sum, { low, high }) => sum + high - low, 0);
  }

  clear(): void {
    this.#ranges = [];
  }

  add({ low, high }: Range): void {
    if (high <= low) return;
    const from = this.#first(low);
    let to = from;
    let [least, most] = [low, high];
    for (; to < this.#ranges.length && this.#ranges[to]!.low <= high; to += 1) [least, most] = [Math.min(least, this.#ranges[to]!.low), Math.max(most, this.#ranges[to]!.high)];
    this.#ranges.splice(from, to - from, { low: least, high: most });
    if (this.#ranges.length > rangesMax) this.#widen();
  }

  /** Takes out at most `bytesMax` from the start of the first range; undefined when there is none. */
  take(bytesMax: number): Range | undefined {
    const first = this.#ranges[0];
    if (first === undefined) return undefined;
    const { low } = first;
    const high = Math.min(first.high, low + bytesMax);
    if (high === first.high) this.#ranges.shift();
    else this.#ranges[0] = { low: high, high: first.high };
    return { low, high };
  }

  /** What of a range is in none of these. */
  without({ low, high }: Range): Range[] {
    const left: Range[] = [];
    let at = low;
    for (let next = this.#first(low); at < high; next += 1) {
      const covered = this.#ranges[next];
      const end = Math.min(high, covered?.low ?? high);
      if (end > at) left.push({ low: at, high: end });
      if (covered === undefined || covered.low >= high) break;
      at = Math.max(at, covered.high);
    }
    return left;
  }

  *[Symbol.iterator](): Iterator<Range> {
    yield* this.#ranges;
  }

  /** The first range that ends at `low` or after it. */
  #first(low: number): number {
    let [from, to] = [0, this.#ranges.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#ranges[middle]!.high < low) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Each two neighbours become one. */
  #widen(): void {
    const wider: Range[] = [];
    for (let at = 0; at < this.#ranges.length; at += 2) wider.push({ low: this.#ranges[at]!.low, high: (this.#ranges[at + 1] ?? this.#ranges[at]!).high });
    this.#ranges = wider;
  }
}
