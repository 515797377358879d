/** Keeps the remembered bounds of the spool fresh enough, one replacement of the file at a time. */
import { errorCode } from '../../proto/errors.js';
import { noSequence } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Clock } from '../../native/host/clock.js';
import type { Files } from '../../native/host/files.js';
import type { JournalLogger } from './journal-types.js';
import { saveMemory, type SpoolMemory } from './spool-state.js';

/** How old the bounds may get, each replacement being two syncs: with the sole copies here, and with the receiver having them too. */
const ageMs = { alone: 5_000, received: 30_000 };

export interface MemoryKeeperOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: JournalLogger;
  readonly directory: string;
  readonly journal: JournalId;
  /** What is to be remembered now. */
  readonly memory: () => SpoolMemory;
}

export class MemoryKeeper {
  readonly #options: MemoryKeeperOptions;
  #saving: Promise<void> = Promise.resolve();
  #isDue = false;
  #savedMs: number;
  #saved = { locallyDurableThrough: noSequence, receiverDurableThrough: noSequence };

  constructor(options: MemoryKeeperOptions) {
    this.#options = options;
    this.#savedMs = options.clock.monotonicMs();
  }

  /** Saves what is to be remembered at the time of the call, or later. A full disk is no error: the file lags, which it may. */
  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#save());
    return this.#saving;
  }

  /** Saves when the file has grown old; to be called about once a second. */
  tick(): void {
    const { clock, memory, logger } = this.#options;
    const { locallyDurableThrough, receiverDurableThrough } = memory();
    const isAlone = locallyDurableThrough > receiverDurableThrough && locallyDurableThrough > this.#saved.locallyDurableThrough;
    const isBehind = receiverDurableThrough > this.#saved.receiverDurableThrough;
    const sinceMs = clock.monotonicMs() - this.#savedMs;
    if (!this.#isDue && !(isAlone && sinceMs >= ageMs.alone) && !(isBehind && sinceMs >= ageMs.received)) return;
    this.#savedMs = clock.monotonicMs();
    this.save().catch((error: unknown) => logger.warn({ err: error }, 'the spool state could not be saved'));
  }

  async settled(): Promise<void> {
    await this.#saving.catch(() => undefined);
  }

  async #save(): Promise<void> {
    const { files, clock, logger, directory, journal, memory } = this.#options;
    const now = memory();
    this.#savedMs = clock.monotonicMs();
    try {
      await saveMemory(files, directory, journal, now);
      this.#saved = now;
      this.#isDue = false;
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
      this.#isDue = true;
      logger.warn({ err: error }, 'no space to save the spool state; it is tried again');
    }
  }
}
