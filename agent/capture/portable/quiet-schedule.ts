/** When a volume is next to be looked at as a whole without a reason: rarely at rest, soon after activity. */
import type { Random } from '../../../native/host/random.js';

/** A whole look takes a tenth of the time at most. */
const restPerWork = 9;

export class QuietSchedule {
  readonly #random: Random;
  #nextMs = 0;
  /** However busy the volume is, a look is not put off past this. */
  #latestMs = Infinity;
  /** Looks do not follow each other closer than their own work allows. */
  #restUntilMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get nextMs(): number {
    return this.#nextMs;
  }

  /** As soon as possible. */
  hasten(): void {
    this.#nextMs = 0;
  }

  /** Something changed just now: a look follows once it has been quiet for a while. */
  changed(nowMs: number, quietMs: number): void {
    this.#nextMs = Math.min(Math.max(nowMs + quietMs, this.#restUntilMs), this.#latestMs);
  }

  /** A look that took `tookMs` has ended; the next one is due after `intervalMs`. */
  looked(nowMs: number, tookMs: number, intervalMs: number): void {
    // Volumes begun together are not to be scanned together for ever.
    const jitter = 0.9 + 0.2 * this.#random.fraction();
    this.#restUntilMs = nowMs + restPerWork * tookMs;
    this.#nextMs = Math.max(nowMs + intervalMs * jitter, this.#restUntilMs);
    this.#latestMs = this.#nextMs;
  }

  /** The look found something, so another one is due before long. */
  again(nowMs: number, tookMs: number, quietMs: number): void {
    this.#nextMs = Math.min(this.#latestMs, nowMs + Math.max(quietMs, restPerWork * tookMs));
  }
}
