/** Those who wait for a condition: each is let go when it holds, when their signal aborts, or when all fails. */

interface Waiter {
  readonly isReady: () => boolean;
  readonly settle: (error?: unknown) => void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();
  #failure: Error | undefined;

  /** Resolves once `isReady()` holds at a `check`, at once when it holds already. */
  wait(isReady: () => boolean, signal?: AbortSignal): Promise<void> {
    if (isReady()) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', aborted);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      const aborted = (): void => settle(signal?.reason ?? new Error('aborted'));
      const waiter: Waiter = { isReady, settle };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Lets go everyone whose condition holds now. */
  check(): void {
    for (const waiter of this.#waiting) if (waiter.isReady()) waiter.settle();
  }

  /** Rejects everyone who waits, and whoever would have to wait from now on. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting) waiter.settle(this.#failure);
  }
}
