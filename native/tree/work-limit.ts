/** Several writes at once, bounded in number and bytes; the first failure stops the rest. */

interface Waiter {
  readonly resolve: () => void;
}

export class WorkLimit {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #count = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiters: Waiter[] = [];

  constructor(options: { readonly countMax: number; readonly bytesMax: number }) {
    this.#countMax = options.countMax;
    this.#bytesMax = options.bytesMax;
  }

  /** Starts `run` once there is room (a piece larger than the whole bound goes alone). Throws an earlier failure. */
  async start(bytes: number, run: () => Promise<void>): Promise<void> {
    while (this.#count > 0 && (this.#count >= this.#countMax || this.#bytes + bytes > this.#bytesMax)) await this.#change();
    this.#rethrow();
    this.#count += 1;
    this.#bytes += bytes;
    void run()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#count -= 1;
        this.#bytes -= bytes;
        const waiters = this.#waiters;
        this.#waiters = [];
        for (const { resolve } of waiters) resolve();
      });
  }

  /** Waits for all that was started; throws the first failure. */
  async finish(): Promise<void> {
    await this.settle();
    this.#rethrow();
  }

  /** Waits for all that was started, whatever became of it. */
  async settle(): Promise<void> {
    while (this.#count > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ resolve }));
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
