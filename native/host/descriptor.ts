/** Holds one file descriptor number and closes it only when no operation on it is under way. */
import type { NativeAddon } from './addon.js';
import { directoryError } from './directory-error.js';

/**
 * The kernel reuses a number as soon as it is closed. Without this, a read still on the thread pool
 * could end up in another file when its own is closed meanwhile.
 */
export class OpenDescriptor {
  readonly #addon: NativeAddon;
  readonly #fd: number;
  readonly #closeQuickly: boolean;
  #uses = 0;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  /** Takes over `fd`. `closeQuickly`: closing it never waits for the disk (directories). */
  constructor(addon: NativeAddon, fd: number, options: { closeQuickly: boolean }) {
    this.#addon = addon;
    this.#fd = fd;
    this.#closeQuickly = options.closeQuickly;
  }

  /** The number, for a synchronous call made at once. EBADF after close. */
  number(): number {
    if (this.#closing !== undefined) throw directoryError('EBADF', 'use after close');
    return this.#fd;
  }

  /** Runs an operation during which the descriptor stays open. */
  async use<Result>(run: (fd: number) => Promise<Result>): Promise<Result> {
    const fd = this.number();
    this.#uses += 1;
    try {
      return await run(fd);
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#drained?.();
    }
  }

  /** Closes after the last use; closing again waits for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenUnused();
    return this.#closing;
  }

  async #closeWhenUnused(): Promise<void> {
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    if (this.#closeQuickly) this.#addon.closeNow(this.#fd);
    else await this.#addon.close(this.#fd);
  }
}
