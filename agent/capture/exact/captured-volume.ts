/** What the exact engine asks of a volume that it captures, be it a tree or a block device. */
import type { ProtectedVolume, SourceStatus } from '../change-source.js';

/** What is asked for of a volume until all is read back is looked at again after so long. */
export const flushPollMs = 5;
/** A batch that could not be applied holds changes of the last moments. */
export const failureReachNs = 1_000_000_000n;
export const spoolCause = 'the spool budget is spent';

/** Before a step is tried again after so many failures in a row. */
export function retryDelayMs(failures: number): number {
  return Math.min(10_000, 50 * 2 ** failures);
}

export interface CapturedVolume {
  readonly definition: ProtectedVolume;
  /** Monotonic milliseconds from which on `step` has something to do. */
  readonly dueMs: number;
  /** Whether everything up to now is captured once the stream is applied. */
  readonly isInStep: boolean;
  /** Whether something waits for the stream to be applied further. */
  readonly isWaitingForStream: boolean;
  /** Does one bounded piece of work. The stream is not applied meanwhile. */
  step(signal: AbortSignal): Promise<void>;
  /** The stream was applied up to `through`. */
  applied(through: bigint): Promise<void>;
  /** Something was lost and nothing tells where: everything is compared. */
  lostAll(cause: string, sinceNs: bigint): Promise<void>;
  /** Reads back now what waits for its time; resolves once everything is read back. */
  readAllBack(): Promise<void>;
  /** The journal has no room, and has room again. */
  refused(): Promise<void>;
  roomAgain(): void;
  /** A step failed and its batch was dropped. */
  failedStep(error: unknown): Promise<void>;
  /** Nothing more is captured before a restart. */
  fail(error: Error): void;
  end(): void;
  status(): SourceStatus;
}
