/** Watches the free space of the spool's disk: it is usually the applications' too, and must not be filled by us. */
import type { Files } from '../../native/host/files.js';

const freeBytesMinDefault = 256 * 1024 * 1024;
/** On a small disk the share counts instead. */
const freeShareMin = 0.05;
/** Space must be this much above the minimum before content is taken again. */
const roomFactor = 1.25;

export interface DiskSpaceOptions {
  readonly files: Files;
  readonly directory: string;
  readonly freeBytesMin?: number;
  readonly changed: () => void;
}

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #looking: Promise<void> | undefined;
  #isLow = false;
  #freeBytes = 0;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  get message(): string {
    return `the spool's disk has only ${this.#freeBytes} bytes left`;
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
    const { files, directory, freeBytesMin, changed } = this.#options;
    try {
      const { freeBytes, totalBytes } = await files.space(directory);
      const min = Math.min(freeBytesMin ?? freeBytesMinDefault, totalBytes * freeShareMin);
      const before = this.#isLow;
      this.#freeBytes = freeBytes;
      this.#isLow = freeBytes < (this.#isLow ? min * roomFactor : min);
      if (this.#isLow !== before) changed();
    } catch {
      // Where space cannot be told, a write that fails for want of it will tell.
      this.#isLow = false;
    }
  }
}
