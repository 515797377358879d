/** One thing at a time: what touches an engine's index takes turns, and what breaks it ends all capture. */
import type { Clock } from '../../../native/host/clock.js';
import { UsageError } from '../../../proto/errors.js';
import type { Recorder } from './recorder.js';

/** A commit that fails for want of space would undo the rows of changes that the journal has: it is put off instead. */
const commitRoomBytes = 2 * 1024 * 1024;
const closeCommitMs = 2000;

export interface TurnsOptions {
  readonly clock: Clock;
  /** The engine is being closed. */
  readonly stopped: AbortSignal;
  /** Where the index is. */
  readonly stateDirectory: string;
  /** Bytes free there. */
  readonly freeBytes?: (() => Promise<number>) | undefined;
  /** The journal or the index is broken; told once. */
  onFailure(failure: Error): void;
}

export class Turns {
  readonly #options: TurnsOptions;
  #lock: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** What ended capture; undefined while it goes on. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Capture cannot go on before a restart. */
  fail(error: unknown): void {
    if (this.#options.stopped.aborted || this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#options.onFailure(this.#failure);
  }

  /** Runs while nothing else touches the index; what it throws ends all capture. */
  async turn(run: () => Promise<void>): Promise<void> {
    await this.#after(run).catch((error: unknown) => this.fail(error));
  }

  /** The same for what a caller asked for, who gets to see why it failed. Throws UsageError when the index has no room to grow. */
  async exclusive(run: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#after(async () => {
      if (!(await this.hasRoom())) throw new UsageError(`the disk that ${this.#options.stateDirectory} is on is full: make room, then try again`);
      await run();
    });
  }

  #after(run: () => Promise<void>): Promise<void> {
    const turn = this.#lock.then(run);
    this.#lock = turn.catch(() => undefined);
    return turn;
  }

  async hasRoom(): Promise<boolean> {
    const freeBytes = await this.#options.freeBytes?.().catch(() => undefined);
    return freeBytes === undefined || freeBytes >= commitRoomBytes;
  }

  /** Something became due. */
  wake(): void {
    this.#wake?.();
  }

  /** Sleeps until a time (monotonic milliseconds), or until woken. */
  async idle(untilMs: number): Promise<void> {
    const { clock, stopped } = this.#options;
    const waitMs = Math.max(0, untilMs - clock.monotonicMs());
    if (waitMs === 0 || stopped.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(Math.ceil(waitMs), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** The last turn of all: what becomes durable shortly is worth keeping; the rest is replayed at the next start. */
  async last(recorder: Recorder): Promise<void> {
    await this.turn(async () => {
      if (this.#failure !== undefined) return;
      const limit = new AbortController();
      const cancel = this.#options.clock.after(closeCommitMs, () => limit.abort(new Error('not durable in time')));
      await recorder.commit(limit.signal).catch(() => recorder.drop());
      cancel();
    });
  }

  /** Resolves when whoever has a turn now is done. */
  async whenFree(): Promise<void> {
    await this.#lock;
  }
}
