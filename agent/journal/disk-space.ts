/** Watches the free space of the spool's disk: it is usually the applications' too, and must not be filled by us. */
import type { Files } from '../../native/host/files.js';

const mebibyte = 1024 * 1024;
const freeBytesMinDefault = 256 * mebibyte;
/** On a small disk the share counts instead, but what is being gathered and the engines' state need some room on any. */
const freeShareMin = 0.05;
const roomBytes = 4 * mebibyte;
/** Space must be this much above the minimum before content is taken again. */
const roomFactor = 1.25;

export interface DiskSpaceOptions {
  readonly files: Files;
  readonly directory: string;
  readonly freeBytesMin?: number;
  /** Bytes that are taken and not yet on the disk. */
  readonly pendingBytes: () => number;
  readonly changed: () => void;
}

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #looking: Promise<void> | undefined;
  #isLow = false;
  #freeBytes = 0;
  /** What may still be written before the next look: much can be taken within a second. */
  #allowanceBytes = Number.POSITIVE_INFINITY;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  get message(): string {
    return `the spool's disk has only ${this.#freeBytes} bytes left`;
  }

  /** So many bytes more are going to the disk. */
  spend(bytes: number): void {
    this.#allowanceBytes -= bytes;
    this.#freeBytes = Math.max(0, this.#freeBytes - bytes);
    if (this.#allowanceBytes >= 0 || this.#isLow) return;
    this.#isLow = true;
    this.#options.changed();
  }

  /** The disk had no room for a write, whatever the last look said. */
  exhausted(): void {
    this.#allowanceBytes = 0;
    this.#isLow = true;
    this.#options.changed();
  }

  /** Looks at the disk unless a look is under way; to be called about once a second. */
  look(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { files, directory, freeBytesMin, pendingBytes, changed } = this.#options;
    const before = this.#isLow;
    try {
      const { freeBytes, totalBytes } = await files.space(directory);
      const min = Math.min(freeBytesMin ?? freeBytesMinDefault, Math.max(totalBytes * freeShareMin, Math.min(roomBytes, totalBytes / 4)));
      this.#freeBytes = freeBytes;
      const spareBytes = freeBytes - pendingBytes();
      this.#isLow = spareBytes < (before ? min * roomFactor : min);
      this.#allowanceBytes = spareBytes - min;
    } catch {
      // Where space cannot be told, a write that fails for want of it will tell.
      this.#isLow = false;
      this.#allowanceBytes = Number.POSITIVE_INFINITY;
    }
    if (this.#isLow !== before) changed();
  }
}
