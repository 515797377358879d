/** The clock a stage is handed: wall time, monotonic time and waiting; real here, seeded in simulation. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Wall-clock nanoseconds since the Unix epoch. May step backwards when the host's clock is set. */
  wallNs(): bigint;
  /** Milliseconds that never go backwards; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` every `ms` milliseconds until the returned function is called. */
  every(ms: number, run: () => void): () => void;
  /** Calls `run` once after `ms` milliseconds unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  wallNs: () => {
    // Date gives milliseconds only; performance.timeOrigin drifts from a stepped clock, so the
    // wall clock supplies the milliseconds and hrtime the sub-millisecond digits.
    const fraction = process.hrtime.bigint() % 1_000_000n;
    return BigInt(Date.now()) * 1_000_000n + fraction;
  },
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
