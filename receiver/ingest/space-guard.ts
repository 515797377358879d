/** Says when the disk is too full to append: some space is left for the catalogue and the replica to live on. */
import type { Clock } from '../../native/host/clock.js';
import type { Space } from './parts.js';

export interface SpaceGuardOptions {
  readonly space: () => Promise<Space>;
  readonly clock: Clock;
  /** Bytes to leave free; otherwise 64 MiB or 1 % of the file system, whichever is less. */
  readonly reserveBytes?: number;
}

const reserveBytesMost = 64 * 1024 * 1024;
const checkEveryMs = 1000;

/** The reserve of a file system of this size. */
export function reserveOf(totalBytes: number): number {
  return Math.min(reserveBytesMost, Math.floor(totalBytes / 100));
}

export class SpaceGuard {
  readonly #options: SpaceGuardOptions;
  #checkedMs: number | undefined;
  /** Bytes that may still be appended before the next look. */
  #allowanceBytes = 0;

  constructor(options: SpaceGuardOptions) {
    this.#options = options;
  }

  /** Why `bytes` more must not be appended now, or undefined when they may. Looks at the disk about once a second. */
  async fault(bytes: number): Promise<string | undefined> {
    const nowMs = this.#options.clock.monotonicMs();
    const fresh = this.#checkedMs !== undefined && nowMs - this.#checkedMs < checkEveryMs;
    if (fresh && bytes <= this.#allowanceBytes) {
      this.#allowanceBytes -= bytes;
      return undefined;
    }
    let space: Space;
    try {
      space = await this.#options.space();
    } catch {
      // Not knowing is no reason to stop: a full disk is still told by the append itself.
      return undefined;
    }
    const reserveBytes = this.#options.reserveBytes ?? reserveOf(space.totalBytes);
    const spareBytes = space.freeBytes - reserveBytes;
    if (spareBytes < bytes) {
      this.#checkedMs = undefined;
      return `${space.freeBytes} bytes are free and ${reserveBytes} are kept in reserve`;
    }
    this.#checkedMs = nowMs;
    // Others write to the disk as well, so half is as far as one look is trusted.
    this.#allowanceBytes = Math.floor(spareBytes / 2) - bytes;
    return undefined;
  }
}
