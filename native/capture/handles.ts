/** Reaches inodes by identity, without their paths: open_by_handle_at through the addon. */
import { endianness } from 'node:os';
import { directoryError } from '../host/directory-error.js';
import type { EntryStat, TreeFile } from '../host/directory.js';
import { NODE_RECORD_BYTES, decodeNodeStat } from '../host/stat-record.js';
import { SystemFile } from '../host/system-file.js';
import { loadNative, nativeUnavailableReason, type NativeAddon } from '../index.js';

/** Who an inode of a file system is: see EntryStat. */
export interface InodeKey {
  readonly ino: bigint;
  readonly generation: number;
  /** Root objectid of the subvolume on btrfs; 0n elsewhere. */
  readonly tree: bigint;
}

export interface InodeLook {
  readonly stat: EntryStat;
  /** Of a symbolic link. */
  readonly target?: Buffer;
  readonly xattrs: Map<string, Buffer>;
}

/**
 * The inodes of one file system. An inode is there while it has a name or is open: what was unlinked
 * can still be looked at and read through its identity until its last user closes it. An identity is
 * never another inode's later. Errors are Node-shaped; EBADF after dispose.
 */
export interface HandleAccess extends Disposable {
  /** lstat, symlink target and readable extended attributes of an inode, or undefined when it is gone. */
  look(inode: InodeKey): InodeLook | undefined;
  /** The lstat only, which costs less. */
  stat(inode: InodeKey): EntryStat | undefined;
  /** A regular file for reading; ELOOP for a symbolic link, EINVAL for any other kind. */
  openFile(inode: InodeKey): Promise<TreeFile | undefined>;
  /**
   * Whether the way up from a directory meets `root`, itself included; undefined when the directory is
   * gone, ENOTDIR when it is none. Mounts over the way do not matter. Does not matter either which
   * mount the access was opened through on ext4 and btrfs; elsewhere that must show `root`. A
   * directory that is being moved may be found on either side.
   */
  isBelow(directory: InodeKey, root: InodeKey): boolean | undefined;
}

const IDENTITY_BYTES = 24;
const littleEndian = endianness() === 'LE';

class SystemHandleAccess implements HandleAccess {
  readonly #addon: NativeAddon;
  readonly #format: number;
  /** Reused: the addon copies identities and fills records before anything else can run. */
  readonly #identities = [Buffer.alloc(IDENTITY_BYTES), Buffer.alloc(IDENTITY_BYTES)] as const;
  readonly #views = this.#identities.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, IDENTITY_BYTES));
  readonly #record = Buffer.alloc(NODE_RECORD_BYTES);
  #fd: number | undefined;

  /** Takes over `fd`. */
  constructor(addon: NativeAddon, fd: number, format: number) {
    this.#addon = addon;
    this.#fd = fd;
    this.#format = format;
  }

  look(inode: InodeKey): InodeLook | undefined {
    const found = this.#addon.lookByHandle(this.#number(), this.#format, this.#encode(0, inode), this.#record);
    if (found === undefined) return undefined;
    const xattrs = new Map<string, Buffer>();
    for (let at = 1; at + 1 < found.length; at += 2) xattrs.set(found[at]!.toString('latin1'), found[at + 1]!);
    const [target] = found;
    return { stat: decodeNodeStat(this.#record), ...(target === undefined ? {} : { target }), xattrs };
  }

  stat(inode: InodeKey): EntryStat | undefined {
    const found = this.#addon.statByHandle(this.#number(), this.#format, this.#encode(0, inode), this.#record);
    return found ? decodeNodeStat(this.#record) : undefined;
  }

  async openFile(inode: InodeKey): Promise<TreeFile | undefined> {
    const fd = this.#addon.openByHandle(this.#number(), this.#format, this.#encode(0, inode));
    return fd === undefined ? undefined : new SystemFile(this.#addon, fd, { handled: true });
  }

  isBelow(directory: InodeKey, root: InodeKey): boolean | undefined {
    return this.#addon.isBelow(this.#number(), this.#format, this.#encode(0, directory), this.#encode(1, root));
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    this.#addon.closeNow(this.#fd);
    this.#fd = undefined;
  }

  #number(): number {
    if (this.#fd === undefined) throw directoryError('EBADF', 'use after close');
    return this.#fd;
  }

  /** IdentityRecord in src/handle-calls.cc. */
  #encode(slot: 0 | 1, { ino, tree, generation }: InodeKey): Buffer {
    const view = this.#views[slot]!;
    view.setBigUint64(0, ino, littleEndian);
    view.setBigUint64(8, tree, littleEndian);
    view.setUint32(16, generation, littleEndian);
    return this.#identities[slot];
  }
}

/**
 * Access to the file system that the directory `path` is on. Holds that directory open, so the file
 * system cannot be unmounted meanwhile. ENOTSUP where the machine or the file system opens nothing by
 * handle; EPERM without CAP_DAC_READ_SEARCH.
 */
export function openHandleAccess(path: Buffer): HandleAccess {
  const addon = loadNative();
  if (addon === undefined) throw directoryError('ENOTSUP', 'open_by_handle_at', path, nativeUnavailableReason() ?? 'no native addon');
  const fd = addon.openRoot(path);
  try {
    const format = new Uint32Array(1);
    if (!addon.handleFormat(fd, new Uint8Array(format.buffer))) {
      throw directoryError('ENOTSUP', 'open_by_handle_at', path, 'this file system opens no inodes by handle');
    }
    return new SystemHandleAccess(addon, fd, format[0]!);
  } catch (error) {
    addon.closeNow(fd);
    throw error;
  }
}
