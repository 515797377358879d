/** A clock that a test moves by hand. */
import type { Clock } from '../../native/host/clock.js';

interface Timer {
  dueMs: number;
  readonly order: number;
  readonly run: () => void;
  readonly everyMs: number | undefined;
}

export class ManualClock implements Clock {
  #monotonicMs = 1_000;
  #wallNs: bigint;
  #timers = new Set<Timer>();
  #order = 0;

  constructor(wallNs = 1_800_000_000_000_000_000n) {
    this.#wallNs = wallNs;
  }

  wallNs(): bigint {
    return this.#wallNs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Somebody sets the wall clock. */
  step(stepNs: bigint): void {
    this.#wallNs += stepNs;
  }

  /** Lets time pass: timers run in order, and what they lead to is finished before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#moveTo(timer.dueMs);
      if (timer.everyMs === undefined) this.#timers.delete(timer);
      else timer.dueMs += timer.everyMs;
      timer.run();
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        cancel();
        reject(signal!.reason as Error);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  every(ms: number, run: () => void): () => void {
    return this.#add(ms, run, ms);
  }

  after(ms: number, run: () => void): () => void {
    return this.#add(ms, run, undefined);
  }

  #add(ms: number, run: () => void, everyMs: number | undefined): () => void {
    const timer: Timer = { dueMs: this.#monotonicMs + ms, order: (this.#order += 1), run, everyMs };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order))) next = timer;
    }
    return next;
  }

  #moveTo(ms: number): void {
    if (ms <= this.#monotonicMs) return;
    this.#wallNs += BigInt(Math.round((ms - this.#monotonicMs) * 1e6));
    this.#monotonicMs = ms;
  }
}

/** Resolves once everything that can go on without time passing has gone on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
