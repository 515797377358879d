/** Keeps a volume's watcher: counts its hints, and remembers whether hints can be relied on. */
import type { Clock } from '../../../native/host/clock.js';
import { isText } from '../tree/text-name.js';
import type { Excludes } from '../tree/excludes.js';
import type { HintFactory, HintWatcher } from './hints.js';
import type { Logger } from '../tree/logger.js';
import { messageOf } from '../tree/read-failure.js';

export interface HintFeedOptions {
  readonly name: string;
  readonly path: Buffer;
  readonly clock: Clock;
  readonly hints: HintFactory;
  readonly excludes: Excludes;
  readonly logger: Logger;
  onHint(path: string, kind: 'entry' | 'list'): void;
  /** The watch is complete: what changed before may have given no hint. */
  onReady(): void;
  onLost(): void;
}

export class HintFeed {
  readonly #options: HintFeedOptions;
  readonly #watchable: boolean;
  #watcher: HintWatcher | undefined;
  #ready = false;
  #ended = false;
  #trouble: string | undefined;
  #lost: string | undefined;
  /** Grows with every hint, lost ones included. */
  serial = 0;

  constructor(options: HintFeedOptions) {
    this.#options = options;
    this.#watchable = isText(options.path.toString('latin1'));
  }

  /** Why hints cannot be relied on; undefined while they can. */
  get trouble(): string | undefined {
    return this.#trouble ?? (this.#watchable ? undefined : 'the path cannot be watched, so the volume is scanned at intervals');
  }

  /** Whether a change from now on gives a hint, as far as hints can be had at all. */
  get isComplete(): boolean {
    return this.#ready || this.trouble !== undefined;
  }

  get hasLost(): boolean {
    return this.#lost !== undefined;
  }

  /** What hints were lost by, once. */
  takeLost(): string | undefined {
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost !== undefined) this.serial += 1;
    return lost;
  }

  /** Watches the path as it is now, instead of what was there before; not any more after `end`. */
  restart(): void {
    const { name, path, clock, hints, excludes, logger } = this.#options;
    void this.#close();
    if (!this.#watchable || this.#ended) return;
    this.#trouble = undefined;
    let watcher: HintWatcher | undefined;
    const isCurrent = (): boolean => watcher !== undefined && this.#watcher === watcher;
    watcher = hints({
      path: path.toString('utf8'),
      clock,
      isUnwatched: (absolute, relative) => excludes.isUnwatched(absolute, relative),
      onHint: (hinted, kind) => {
        if (!isCurrent()) return;
        this.serial += 1;
        this.#options.onHint(hinted, kind);
      },
      onReady: () => {
        if (!isCurrent()) return;
        this.#ready = true;
        this.#options.onReady();
      },
      onTrouble: (error) => {
        // One episode: the many errors of one exhausted limit are told once.
        if (!isCurrent() || this.#trouble !== undefined) return;
        this.#trouble = `not all directories can be watched (${messageOf(error)}), so the volume is scanned at intervals`;
        this.#lost = `change hints were lost (${messageOf(error)})`;
        logger.warn({ volume: name, error: messageOf(error) }, 'watching is incomplete; scanning at intervals');
        this.#options.onLost();
      },
    });
    this.#watcher = watcher;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#close();
  }

  async #close(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#ready = false;
    await watcher?.close();
  }
}
