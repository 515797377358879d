/** What the exact engine needs of the system that it runs on. */
import type { DiskPart } from '../../../native/capture/disks.js';
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { Kept } from '../../../native/capture/keeper.js';
import type { NameStream } from '../../../native/capture/names.js';
import type { CaptureStream, StreamState } from '../../../native/capture/stream.js';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import type { BlockReader } from './device-window.js';

/** What the kernel gives; tests hand in their own. */
export interface ExactKernel {
  openStream(): CaptureStream;
  openNames(): NameStream;
  /** Absent where capture ends with the engine. */
  readonly keeping?: Keeping | undefined;
  openHandles(path: Buffer): HandleAccess;
  /** The superblock's device number of a path, as records carry it. */
  deviceOf(path: Buffer): Promise<number>;
  /** Where a block device lies on its disk. Throws for one that cannot be captured. */
  diskPart(path: Buffer): Promise<DiskPart>;
  /** Whether a directory's file system lies on a device. */
  liesOn(directory: string, part: DiskPart): Promise<boolean>;
  /** Opens a device for reads of at most so many bytes. */
  openDisk(path: Buffer, bytesMax: number): Promise<BlockReader>;
  /** Gives entries with their inodes' generations. */
  readonly directories: DirectoryOpener;
  /** Whether a thread is one of this process. */
  isOwnThread(tid: number): boolean;
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): bigint;
}

/** Capture that goes on while no engine runs, for the next one. */
export interface Keeping {
  /** Whether it is to go on; what a predecessor left is taken over in any case. */
  readonly isWanted: boolean;
  /** Names this boot of the machine and the capture programs: what was left can go on only where both are the same. */
  epoch(): string;
  /** Has the names' descriptors kept; throws when nobody takes them. */
  keep(names: readonly NameStream[]): Promise<Kept>;
  /** Lets the stream go on without this process, and closes it. */
  suspend(stream: CaptureStream, kept: Kept): StreamState;
  /** Goes on with both. Throws when they are not there any more; nothing is left of them then. */
  takeOver(suspended: { readonly stream: StreamState; readonly kept: Kept; readonly devices: readonly number[] }): { readonly stream: CaptureStream; readonly names: readonly NameStream[] };
  /** Ends what is kept for a next engine, if anything is. */
  discard(kept?: Kept): void;
}
