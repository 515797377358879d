/**
 * Directory trees as the kernel sees them: names are bytes, every operation is relative to an open
 * directory and takes a single name, and no operation follows a symbolic link. A tree reached this
 * way cannot be left, whatever names or links it holds, and its depth is not bounded by PATH_MAX.
 *
 * The system implementation is in system-directory.ts (native addon; openat and friends), the
 * plain one over node:fs in plain-directory.ts, the one for simulation in memory-directory.ts.
 */

/** One path component; any bytes but `/` and NUL, and never empty, `.` or `..`. */
export type EntryName = Buffer;

export type EntryKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block-device' | 'character-device';

/** What lstat tells of an entry. 64-bit fields whose values may pass 2^53 are bigint. */
export interface EntryStat {
  readonly kind: EntryKind;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Nanoseconds since the epoch; 0n where the file system keeps no birth time. Tells reused inode numbers apart. */
  readonly birthNs: bigint;
  /** Permission bits, set-id and sticky bits included (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  /** Bytes. Sizes past 2^53 - 1 are refused with EFBIG by whatever returns this. */
  readonly size: number;
  /** Bytes that the file system allocated for content. */
  readonly allocatedBytes: number;
  readonly accessNs: bigint;
  readonly modifyNs: bigint;
  readonly changeNs: bigint;
  /** Major and minor number of a device node; 0 otherwise. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** There where an inode flag (see file-flags.ts) lets nobody change the entry, or only append to it, whatever its mode. */
  readonly isLocked?: boolean;
  /** With `ino`, who the inode is; only from directories that handledDirectories opened, and where its handles are known. */
  readonly inode?: InodeIdentity;
}

/** What tells an inode from all others of its file system, those that had its number before it included. */
export interface InodeIdentity {
  /** The kernel's i_generation: another one each time that an inode number is used again. */
  readonly generation: number;
  /** Root objectid of the subvolume on btrfs, whose inode numbers count anew in each; 0n elsewhere. */
  readonly tree: bigint;
}

export interface ListedEntry {
  readonly name: EntryName;
  readonly stat: EntryStat;
}

export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
}

/** An open regular file of a tree. Positions and lengths are bytes. */
export interface TreeFile {
  stat(): Promise<EntryStat>;
  /** Bytes read; fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  write(source: Uint8Array, position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Deallocates a range without changing the size; writes zeroes where holes are not supported. */
  punch(span: ByteSpan): Promise<void>;
  /** The next span at or after `offset` that may hold data, or undefined when only a hole follows. */
  nextData(offset: number): Promise<ByteSpan | undefined>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface OwnerAndMode {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

export interface Times {
  readonly accessNs?: bigint;
  readonly modifyNs?: bigint;
}

export interface SpecialNode {
  readonly kind: 'fifo' | 'socket' | 'block-device' | 'character-device';
  readonly mode: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/**
 * An open directory. Errors carry Node's `code` and `syscall`, and the name in `entry`.
 * A name that is not a valid EntryName is refused with code EINVAL before anything is touched.
 * Close it when done; entries opened from it stay valid.
 */
export interface Directory {
  /** The directory's own lstat. */
  stat(): Promise<EntryStat>;
  /** All entries with their lstat, in no order; an entry that vanishes meanwhile is left out. */
  list(): Promise<ListedEntry[]>;
  /** lstat of one entry, or undefined when it does not exist. */
  lookup(name: EntryName): Promise<EntryStat | undefined>;
  /** Opens a sub-directory; ENOTDIR or ELOOP when the entry is anything else. */
  openDirectory(name: EntryName): Promise<Directory>;
  /** Opens an existing regular file, not waiting on anything; ELOOP for a symlink, EINVAL for any other kind. */
  openFile(name: EntryName, mode: 'read' | 'write'): Promise<TreeFile>;
  /** Creates a regular file that must not exist yet. Its mode is 0600 until set. */
  createFile(name: EntryName): Promise<TreeFile>;
  /** Creates a directory that must not exist yet, with mode 0700 until set. */
  makeDirectory(name: EntryName): Promise<void>;
  makeSymlink(name: EntryName, target: Buffer): Promise<void>;
  readSymlink(name: EntryName): Promise<Buffer>;
  /** EPERM where this user may not make such a node, ENOTSUP where the platform has none. */
  makeSpecial(name: EntryName, node: SpecialNode): Promise<void>;
  /** A further hard link, in `target` (same tree), to the entry `name` of this directory. Never follows a symlink. */
  link(name: EntryName, target: Directory, targetName: EntryName): Promise<void>;
  /** Replaces `targetName` when it exists, as rename(2) does. */
  rename(name: EntryName, target: Directory, targetName: EntryName): Promise<void>;
  /** Swaps two entries atomically; ENOTSUP where the platform cannot. */
  exchange(name: EntryName, target: Directory, targetName: EntryName): Promise<void>;
  unlink(name: EntryName): Promise<void>;
  removeDirectory(name: EntryName): Promise<void>;
  /** Owner first, then mode (a chown clears set-id bits). `name` undefined means this directory itself. */
  setOwnerAndMode(name: EntryName | undefined, change: OwnerAndMode): Promise<void>;
  setTimes(name: EntryName | undefined, times: Times): Promise<void>;
  /** All extended attributes, ACLs and capabilities included, and inode flags as `flagsKey` (file-flags.ts); empty where the platform has none. EACCES where the mode keeps this user from one. */
  xattrs(name: EntryName | undefined): Promise<Map<string, Buffer>>;
  setXattr(name: EntryName | undefined, key: string, value: Buffer): Promise<void>;
  removeXattr(name: EntryName | undefined, key: string): Promise<void>;
  /** Makes everything written below this directory survive power loss (syncfs where there is one). */
  syncTree(): Promise<void>;
  close(): Promise<void>;
}

/** Opens directories by ordinary path: the roots that everything else is reached from. */
export interface DirectoryOpener {
  /** The root itself may be given through symbolic links; nothing below it is. */
  openRoot(path: string | Buffer): Promise<Directory>;
}

/** Refuses what is not a single path component. The error's code is EINVAL. */
export function checkEntryName(name: Uint8Array): void {
  const bad =
    name.length === 0 ||
    (name.length === 1 && name[0] === 0x2e) ||
    (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e) ||
    name.includes(0x2f) ||
    name.includes(0);
  if (!bad) return;
  throw Object.assign(new Error(`EINVAL: not a file name: ${JSON.stringify(Buffer.from(name).toString('latin1'))}`), {
    code: 'EINVAL',
    entry: Buffer.from(name),
  });
}
