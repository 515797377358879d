/** What the native addon exports: thin system calls that policy is built on in system-directory.ts. */

/** Raised together with kInterfaceVersion in src/addon.cc, so that a stale build is noticed. */
export const NATIVE_INTERFACE_VERSION = 5;

/**
 * Directories and files are descriptor numbers that the caller closes. Names are single
 * components; `undefined` in place of a name means the directory itself. Failures throw (or reject
 * with) Node-shaped errors that carry `code`, `errno`, `syscall` and `entry`; arguments of the wrong
 * type throw a TypeError. What may take long returns a promise and runs on the thread pool, on a
 * descriptor of its own.
 */
export interface NativeAddon {
  readonly interfaceVersion: number;
  openRoot(path: Uint8Array): number;
  openDirectory(fd: number, name: Uint8Array): number;
  openFile(fd: number, name: Uint8Array, forWriting: boolean): number;
  createFile(fd: number, name: Uint8Array): number;
  /** Packed entries: see decodeListing in stat-record.ts. */
  list(fd: number): Promise<Buffer>;
  /** Fills `target` (see decodeStat in stat-record.ts); false when there is no such entry. */
  stat(fd: number, name: Uint8Array | undefined, target: Uint8Array): boolean;
  makeDirectory(fd: number, name: Uint8Array): void;
  makeSymlink(fd: number, name: Uint8Array, target: Uint8Array): void;
  readSymlink(fd: number, name: Uint8Array): Buffer;
  /** `type` holds the S_IFMT bits; the node's mode is 0600. */
  makeNode(fd: number, name: Uint8Array, type: number, deviceMajor: number, deviceMinor: number): void;
  link(fd: number, name: Uint8Array, targetFd: number, targetName: Uint8Array): void;
  rename(fd: number, name: Uint8Array, targetFd: number, targetName: Uint8Array, exchange: boolean): void;
  unlink(fd: number, name: Uint8Array, isDirectory: boolean): void;
  /** 2^32 - 1 leaves an owner as it is. */
  setOwner(fd: number, name: Uint8Array | undefined, uid: number, gid: number): void;
  setMode(fd: number, name: Uint8Array | undefined, mode: number): void;
  setTimes(fd: number, name: Uint8Array | undefined, accessNs: bigint | undefined, modifyNs: bigint | undefined): void;
  /** Keys and values in turn. */
  xattrs(fd: number, name: Uint8Array | undefined): Buffer[];
  setXattr(fd: number, name: Uint8Array | undefined, key: Uint8Array, value: Uint8Array): void;
  removeXattr(fd: number, name: Uint8Array | undefined, key: Uint8Array): void;
  /** Never to be called twice for one opening: the number may be another file's by then. */
  close(fd: number): Promise<void>;
  /** The same at once, for directories, whose closing never waits for the disk. */
  closeNow(fd: number): void;
  /** False when the file system cannot make this range a hole. */
  punch(fd: number, offset: number, length: number): Promise<boolean>;
  /** Start and end of the next run of data, or undefined when only a hole follows. */
  nextData(fd: number, offset: number): [number, number] | undefined;
  syncFileSystem(fd: number): Promise<void>;

  /** As stat, with the inode's identity: see decodeNodeStat in stat-record.ts. */
  statNode(fd: number, name: Uint8Array | undefined, target: Uint8Array): boolean;
  /** As list, with the inodes' identities. */
  listNodes(fd: number): Promise<Buffer>;
  /** Puts how this file system writes its handles into the first four bytes, for the calls below; false where they open nothing. */
  handleFormat(fd: number, target: Uint8Array): boolean;
  /**
   * Calls by identity (24 bytes, see capture/handles.ts), in the file system that `fd` is on. What they
   * return for an inode that is gone: false, or undefined. `target` is as for statNode.
   */
  statByHandle(fd: number, format: number, identity: Uint8Array, target: Uint8Array): boolean;
  /** The target of a symbolic link, or undefined; then keys and values of extended attributes in turn. */
  lookByHandle(fd: number, format: number, identity: Uint8Array, target: Uint8Array): [Buffer | undefined, ...Buffer[]] | undefined;
  /** A descriptor for reading a regular file. */
  openByHandle(fd: number, format: number, identity: Uint8Array): number | undefined;
  isBelow(fd: number, format: number, directory: Uint8Array, root: Uint8Array): boolean | undefined;
  /** A descriptor of the root of the file system that `fd` is on, or of its mount where that is not known. */
  openTop(fd: number): number;

  fanotifyInit(flags: number, eventFlags: number): number;
  /** Marks what the directory descriptor is open on. */
  fanotifyMark(fd: number, flags: number, mask: number, directory: number): void;
  /** Bytes of packed events (see capture/names.ts) put into `target`, of at least 128 KiB; 0 when nothing is queued. */
  fanotifyRead(fd: number, target: Uint8Array): number;
  /** A descriptor of what `fd` is in another process: ESRCH when that has ended, EBADF when it has no such descriptor. */
  takeDescriptor(pid: number, fd: number): number;
  /** The eight bytes by which events tell the file system that `fd` is on. */
  fileSystemId(fd: number, target: Uint8Array): void;
}
