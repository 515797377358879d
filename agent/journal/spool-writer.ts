/** Writes closed frames to the spool one after the other; keeps them in memory while the disk is full. */
import { DurabilityError, errorCode } from '../../proto/errors.js';
import { frameLength, type Frame } from '../../proto/journal/frame.js';
import type { SegmentLog } from '../../proto/journal/segment-log.js';
import { Waiters } from './waiters.js';

export interface SpoolWriterOptions {
  /** The log at the time of asking: adopting the receiver's end replaces it. */
  readonly log: () => SegmentLog;
  /** The frame is in the log (not yet durable). */
  readonly written: (frame: Frame) => void;
  /** The disk became full, or is not any more. */
  readonly fullChanged: () => void;
  /** Nothing more can be written, ever, in this process. */
  readonly failed: (error: DurabilityError) => void;
}

/** How a try to write a frame failed: worth another try once there is space, or the end of the log. */
export function writeVerdict(error: unknown): 'retry' | 'broken' {
  const code = errorCode(error instanceof Error ? error.cause : undefined);
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'retry' : 'broken';
}

export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly #queue: Frame[] = [];
  readonly #idle = new Waiters();
  #queuedBytes = 0;
  #isRunning = false;
  #fullCause: string | undefined;

  constructor(options: SpoolWriterOptions) {
    this.#options = options;
  }

  /** Bytes of frames that are closed and not yet written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** What the system said when the disk had no room; undefined while it has. */
  get fullCause(): string | undefined {
    return this.#fullCause;
  }

  enqueue(frame: Frame): void {
    this.#queue.push(frame);
    this.#queuedBytes += frameLength(frame);
    if (this.#fullCause === undefined) this.#start();
  }

  /** Tries again after the disk was full; to be called about once a second. */
  retry(): void {
    if (this.#fullCause !== undefined) this.#start();
  }

  /** Seals the log's active segment, unless frames are being written: then it is not the time. */
  seal(): void {
    if (this.#isRunning || this.#queue.length > 0) return;
    this.#isRunning = true;
    void this.#seal();
  }

  /** Resolves once nothing is being written: all is, or the disk is full, or the log is broken. */
  whenIdle(signal?: AbortSignal): Promise<void> {
    return this.#idle.wait(() => !this.#isRunning, signal);
  }

  #start(): void {
    if (this.#isRunning || this.#queue.length === 0) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (let frame = this.#queue[0]; frame !== undefined; frame = this.#queue[0]) {
        await this.#options.log().append(frame);
        this.#queue.shift();
        this.#queuedBytes -= frameLength(frame);
        this.#options.written(frame);
      }
      this.#becomeFull(undefined);
    } catch (error) {
      // A sync may find the disk full as well, and breaks the log all the same.
      if (writeVerdict(error) === 'retry' && this.#options.log().usable) this.#becomeFull((error as Error).message);
      else this.#options.failed(error instanceof DurabilityError ? error : new DurabilityError('append frame', { cause: error }));
    } finally {
      this.#isRunning = false;
      this.#idle.check();
    }
  }

  async #seal(): Promise<void> {
    try {
      await this.#options.log().seal();
    } catch (error) {
      // Without room for the tail the segment stays as it is.
      if (writeVerdict(error) === 'broken' || !this.#options.log().usable) this.#options.failed(error instanceof DurabilityError ? error : new DurabilityError('seal segment', { cause: error }));
    } finally {
      this.#isRunning = false;
      this.#idle.check();
    }
    if (this.#fullCause === undefined) this.#start();
  }

  #becomeFull(cause: string | undefined): void {
    const changed = (cause === undefined) !== (this.#fullCause === undefined);
    this.#fullCause = cause;
    if (changed) this.#options.fullChanged();
  }
}
