/** What the exact engine asks of a volume that it captures, be it a tree or a block device. */
import type { ProtectedVolume, SourceStatus } from '../change-source.js';

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
