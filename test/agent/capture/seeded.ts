/** A random generator that one printed number replays. */
import { randomInt } from 'node:crypto';
import type { Random } from '../../../native/host/random.js';

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    fraction: () => next() / 2 ** 32,
  };
}

/** The seed to use: AFTERIMAGE_SEED when set, else a fresh one; printed, so that a failure can be replayed. */
export function seedFromEnvironment(t: { comment(...parts: unknown[]): void }): number {
  const given = process.env['AFTERIMAGE_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  return seed;
}
