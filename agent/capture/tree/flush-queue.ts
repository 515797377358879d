/** Callers that wait for a look at the whole volume that began after they asked. */

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Looks in a row that one flush takes at most, when names keep moving while it looks. */
const looksMax = 5;

export class FlushQueue {
  #waiting: Waiter[] = [];
  #active: Waiter[] = [];
  #looks = 0;

  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Whether anyone waits for a look that has not begun. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }
  /** Whether the look under way is for someone. */
  get isActive(): boolean {
    return this.#active.length > 0;
  }

  /** A look begins: it serves all who wait. */
  begin(): void {
    this.#active.push(...this.#waiting.splice(0));
  }

  /** The look was broken off: those it was for wait for another. */
  breakOff(): void {
    this.#waiting.unshift(...this.#active.splice(0));
  }

  /** The look ended; when names moved meanwhile those it was for get another, within bounds. */
  end({ unstable }: { readonly unstable: boolean }): void {
    if (this.#active.length === 0) return;
    this.#looks += 1;
    if (unstable && this.#looks <= looksMax) return;
    this.#looks = 0;
    for (const waiter of this.#active.splice(0)) waiter.resolve();
  }

  resolveAll(): void {
    for (const waiter of [...this.#active.splice(0), ...this.#waiting.splice(0)]) waiter.resolve();
  }
  rejectAll(error: Error): void {
    for (const waiter of [...this.#active.splice(0), ...this.#waiting.splice(0)]) waiter.reject(error);
  }
}
