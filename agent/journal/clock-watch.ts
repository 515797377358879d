/** Sees when the wall clock is set: by how much it moved while monotonic time moved less or more. */
import type { Clock } from '../../native/host/clock.js';

/** Steps up to this size pass for slewing and for the time between two readings. */
const stepNsMin = 1_000_000_000n;

export class ClockWatch {
  readonly #clock: Clock;
  #wallNs: bigint;
  #monotonicMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wallNs = clock.wallNs();
    this.#monotonicMs = clock.monotonicMs();
  }

  /**
   * The step since the last look, in nanoseconds, negative for a clock set back; undefined when there
   * was none. A suspended machine shows as a step forward: monotonic time may stand still meanwhile.
   */
  look(): bigint | undefined {
    const wallNs = this.#clock.wallNs();
    const monotonicMs = this.#clock.monotonicMs();
    const stepNs = wallNs - this.#wallNs - BigInt(Math.round((monotonicMs - this.#monotonicMs) * 1e6));
    this.#wallNs = wallNs;
    this.#monotonicMs = monotonicMs;
    return stepNs > stepNsMin || stepNs < -stepNsMin ? stepNs : undefined;
  }
}
