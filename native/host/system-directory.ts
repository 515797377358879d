/** Directories through the addon: every operation is one *at() system call on an open descriptor. */
import type { NativeAddon } from './addon.js';
import { OpenDescriptor } from './descriptor.js';
import { checkNoNul, directoryError, errorCode } from './directory-error.js';
import {
  checkEntryName,
  type Directory,
  type DirectoryOpener,
  type EntryName,
  type EntryStat,
  type ListedEntry,
  type OwnerAndMode,
  type SpecialNode,
  type Times,
  type TreeFile,
} from './directory.js';
import { NODE_RECORD_BYTES, STAT_RECORD_BYTES, decodeListing, decodeNodeStat, decodeStat, modeTypeOf } from './stat-record.js';
import { SystemFile, type SystemOptions } from './system-file.js';

/** What chown takes for "leave it as it is". */
const UNCHANGED_ID = 0xffff_ffff;

export class SystemDirectory implements Directory {
  readonly #addon: NativeAddon;
  readonly #descriptor: OpenDescriptor;
  readonly #options: SystemOptions;
  /** Reused for each stat: it is decoded before anything else can run. */
  readonly #record: Buffer;

  /** Takes over `fd`. */
  constructor(addon: NativeAddon, fd: number, options: SystemOptions) {
    this.#addon = addon;
    this.#descriptor = new OpenDescriptor(addon, fd, { closeQuickly: true });
    this.#options = options;
    this.#record = Buffer.alloc(options.handled ? NODE_RECORD_BYTES : STAT_RECORD_BYTES);
  }

  async stat(): Promise<EntryStat> {
    return this.#stat(this.#descriptor.number(), undefined)!;
  }

  list(): Promise<ListedEntry[]> {
    return this.#descriptor.use(async (fd) =>
      this.#options.handled
        ? decodeListing(await this.#addon.listNodes(fd), { nodes: true })
        : decodeListing(await this.#addon.list(fd)),
    );
  }

  async lookup(name: EntryName): Promise<EntryStat | undefined> {
    return this.#stat(this.#numberFor(name), name);
  }

  async openDirectory(name: EntryName): Promise<Directory> {
    return new SystemDirectory(this.#addon, this.#addon.openDirectory(this.#numberFor(name), name), this.#options);
  }

  async openFile(name: EntryName, mode: 'read' | 'write'): Promise<TreeFile> {
    const fd = this.#addon.openFile(this.#numberFor(name), name, mode === 'write');
    return new SystemFile(this.#addon, fd, this.#options);
  }

  async createFile(name: EntryName): Promise<TreeFile> {
    return new SystemFile(this.#addon, this.#addon.createFile(this.#numberFor(name), name), this.#options);
  }

  async makeDirectory(name: EntryName): Promise<void> {
    this.#addon.makeDirectory(this.#numberFor(name), name);
  }

  async makeSymlink(name: EntryName, target: Buffer): Promise<void> {
    const fd = this.#numberFor(name);
    checkNoNul(target, 'symlinkat', name);
    this.#addon.makeSymlink(fd, name, target);
  }

  async readSymlink(name: EntryName): Promise<Buffer> {
    return this.#addon.readSymlink(this.#numberFor(name), name);
  }

  async makeSpecial(name: EntryName, node: SpecialNode): Promise<void> {
    const fd = this.#numberFor(name);
    const isDevice = node.kind === 'block-device' || node.kind === 'character-device';
    const major = isDevice ? node.deviceMajor : 0;
    const minor = isDevice ? node.deviceMinor : 0;
    this.#addon.makeNode(fd, name, modeTypeOf(node.kind), major, minor);
    // mknod masks the mode with the process's umask; this does not.
    this.#addon.setMode(fd, name, node.mode);
  }

  async link(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const fd = this.#numberFor(name);
    this.#addon.link(fd, name, this.#targetNumber('linkat', target, targetName), targetName);
  }

  async rename(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const fd = this.#numberFor(name);
    this.#addon.rename(fd, name, this.#targetNumber('renameat', target, targetName), targetName, false);
  }

  async exchange(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const fd = this.#numberFor(name);
    const targetFd = this.#targetNumber('renameat2', target, targetName);
    try {
      this.#addon.rename(fd, name, targetFd, targetName, true);
    } catch (error) {
      // File systems without exchange say EINVAL. So does a swap of a directory with something inside
      // it, for which any other way to swap them fails as well.
      if (errorCode(error) === 'EINVAL') throw directoryError('ENOTSUP', 'renameat2', name);
      throw error;
    }
  }

  async unlink(name: EntryName): Promise<void> {
    this.#addon.unlink(this.#numberFor(name), name, false);
  }

  async removeDirectory(name: EntryName): Promise<void> {
    this.#addon.unlink(this.#numberFor(name), name, true);
  }

  async setOwnerAndMode(name: EntryName | undefined, change: OwnerAndMode): Promise<void> {
    const fd = this.#numberFor(name);
    if (change.uid !== undefined || change.gid !== undefined) {
      this.#addon.setOwner(fd, name, change.uid ?? UNCHANGED_ID, change.gid ?? UNCHANGED_ID);
    }
    if (change.mode !== undefined) this.#addon.setMode(fd, name, change.mode);
  }

  async setTimes(name: EntryName | undefined, times: Times): Promise<void> {
    this.#addon.setTimes(this.#numberFor(name), name, times.accessNs, times.modifyNs);
  }

  async xattrs(name: EntryName | undefined): Promise<Map<string, Buffer>> {
    const flat = this.#addon.xattrs(this.#numberFor(name), name);
    const found = new Map<string, Buffer>();
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const [key, value] = [flat[at], flat[at + 1]];
      if (key !== undefined && value !== undefined) found.set(key.toString('latin1'), value);
    }
    return found;
  }

  async setXattr(name: EntryName | undefined, key: string, value: Buffer): Promise<void> {
    const fd = this.#numberFor(name);
    this.#addon.setXattr(fd, name, xattrKey(key, 'setxattr', name), value);
  }

  async removeXattr(name: EntryName | undefined, key: string): Promise<void> {
    const fd = this.#numberFor(name);
    this.#addon.removeXattr(fd, name, xattrKey(key, 'removexattr', name));
  }

  syncTree(): Promise<void> {
    return this.#descriptor.use((fd) => this.#addon.syncFileSystem(fd));
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  #stat(fd: number, name: EntryName | undefined): EntryStat | undefined {
    if (this.#options.handled) return this.#addon.statNode(fd, name, this.#record) ? decodeNodeStat(this.#record, name) : undefined;
    return this.#addon.stat(fd, name, this.#record) ? decodeStat(this.#record, name) : undefined;
  }

  #numberFor(name: EntryName | undefined): number {
    if (name !== undefined) checkEntryName(name);
    return this.#descriptor.number();
  }

  #targetNumber(syscall: string, target: Directory, targetName: EntryName): number {
    checkEntryName(targetName);
    if (!(target instanceof SystemDirectory)) throw directoryError('EXDEV', syscall, targetName);
    return target.#descriptor.number();
  }
}

/** Keys are strings of bytes: one character a byte. */
function xattrKey(key: string, syscall: string, name: EntryName | undefined): Buffer {
  const bytes = Buffer.from(key, 'latin1');
  if (bytes.toString('latin1') !== key) throw directoryError('EINVAL', syscall, name, 'attribute key is not bytes');
  checkNoNul(bytes, syscall, name);
  return bytes;
}

/** Opens roots through `addon`. */
export function systemDirectoryOpener(addon: NativeAddon, options: SystemOptions = { handled: false }): DirectoryOpener {
  return {
    async openRoot(path) {
      const bytes = Buffer.from(path);
      checkNoNul(bytes, 'open', bytes);
      return new SystemDirectory(addon, addon.openRoot(bytes), options);
    },
  };
}
