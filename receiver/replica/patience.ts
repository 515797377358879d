/** Waits out a full disk: repeats an operation until there is room, and says meanwhile that it is waiting. */
import type { Clock } from '../../native/host/clock.js';
import { isDiskFull } from './divergence.js';

export const diskFull = 'disk full';

export interface PatienceOptions {
  readonly clock: Clock;
  readonly retryMs: number;
  readonly signal: AbortSignal;
  /** Told why when a wait begins, and undefined when it is over. */
  readonly onStall: (reason: string | undefined) => void;
}

export class Patience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Runs an operation that may be repeated when it failed for want of space. Rejects with the signal's reason when that ends the waiting. */
  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    const { clock, retryMs, signal, onStall } = this.#options;
    let stalled = false;
    try {
      for (;;) {
        try {
          return await operation();
        } catch (error) {
          if (!isDiskFull(error)) throw error;
        }
        if (!stalled) onStall(diskFull);
        stalled = true;
        await clock.sleep(retryMs, signal);
      }
    } finally {
      if (stalled) onStall(undefined);
    }
  }
}
