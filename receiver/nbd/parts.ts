/** What the NBD server needs of the rest of the receiver; whoever composes the stages hands it in. */
import type { ByteRange } from '../../proto/change.js';

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

/** Consecutive bytes of a device. `hole`: nothing is stored; `zero`: stored, but nothing but zeroes; both read as zeroes. */
export interface BlockPart extends ByteRange {
  /** Bytes must not be altered. */
  readonly content: Buffer | 'zero' | 'hole';
}

/** The same without the bytes. */
export interface AllocationPart extends ByteRange {
  readonly state: 'data' | 'zero' | 'hole';
}

/** A device that can be read, by many at once. Ranges lie within it; parts ascend and cover the range. */
export interface BlockSource {
  readonly sizeBytes: number;
  read(range: ByteRange, signal: AbortSignal): AsyncIterable<BlockPart>;
  allocation(range: ByteRange, signal: AbortSignal): AsyncIterable<AllocationPart>;
}

/** What can be done to a device, by many at once: what a call did is seen by every read that begins after it. */
export interface BlockTarget {
  write(offset: number, data: Buffer): Promise<void>;
  /** The range becomes a hole. */
  punch(range: ByteRange): Promise<void>;
}

/** A device under the name by which clients ask for it. */
export interface NbdExport {
  readonly name: string;
  /** For people. */
  readonly description: string;
  readonly device: BlockSource;
  /** Writes to the device; without it clients can only read. */
  readonly target?: BlockTarget;
}
