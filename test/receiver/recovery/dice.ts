/** Chance for tests: one printed number replays it. */
import { randomInt } from 'node:crypto';

export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1) bytes[at] = 1 + this.below(255);
    return bytes;
  }
}

/** The seed to use: AFTERIMAGE_SEED when set, else a fresh one; printed, so that a failure can be replayed. */
export function printedSeed(t: { comment(...parts: unknown[]): void }): number {
  const given = process.env['AFTERIMAGE_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  return seed;
}
