/** Directory trees in memory, for simulation: failures and crashes can be put before any operation. */
import { checkNoNul, directoryError } from './directory-error.js';
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
import { MemoryFile, MemoryHandle } from './memory-file.js';
import { copyTree, memoryStat, type MemoryInode } from './memory-inode.js';
import { MemoryRules, type MemoryTreeOptions } from './memory-rules.js';

const XATTR_VALUE_BYTES_MAX = 64 * 1024;

class MemoryDirectory implements Directory {
  readonly #handle: MemoryHandle;
  readonly #rules: MemoryRules;

  constructor(rules: MemoryRules, inode: MemoryInode) {
    this.#handle = new MemoryHandle(rules, inode);
    this.#rules = rules;
  }

  async stat(): Promise<EntryStat> {
    return memoryStat(this.#handle.inode());
  }

  async list(): Promise<ListedEntry[]> {
    const entries = [...this.#handle.inode().entries];
    return entries.map(([name, inode]) => ({ name: Buffer.from(name, 'latin1'), stat: memoryStat(inode) }));
  }

  async lookup(name: EntryName): Promise<EntryStat | undefined> {
    checkEntryName(name);
    const inode = this.#rules.find(this.#handle.inode(), name);
    return inode === undefined ? undefined : memoryStat(inode);
  }

  async openDirectory(name: EntryName): Promise<Directory> {
    const inode = this.#get(name, 'open');
    if (inode.kind !== 'directory') throw directoryError('ENOTDIR', 'open', name);
    return new MemoryDirectory(this.#rules, inode);
  }

  async openFile(name: EntryName, mode: 'read' | 'write'): Promise<TreeFile> {
    const inode = this.#get(name, 'open');
    if (inode.kind === 'symlink') throw directoryError('ELOOP', 'open', name);
    if (inode.kind !== 'file') throw directoryError('EINVAL', 'open', name);
    return new MemoryFile(this.#rules, inode, mode === 'write');
  }

  async createFile(name: EntryName): Promise<TreeFile> {
    const directory = await this.#change('createFile', name);
    const inode = this.#rules.makeInode('file', 0o600);
    this.#rules.add(directory, name, inode, 'open');
    return new MemoryFile(this.#rules, inode, true);
  }

  async makeDirectory(name: EntryName): Promise<void> {
    const directory = await this.#change('makeDirectory', name);
    this.#rules.add(directory, name, this.#rules.makeInode('directory', 0o700), 'mkdir');
  }

  async makeSymlink(name: EntryName, target: Buffer): Promise<void> {
    checkEntryName(name);
    checkNoNul(target, 'symlink', name);
    if (target.length === 0) throw directoryError('ENOENT', 'symlink', name);
    const directory = await this.#change('makeSymlink', name);
    this.#rules.add(directory, name, this.#rules.makeInode('symlink', 0o777, { target: Buffer.from(target) }), 'symlink');
  }

  async readSymlink(name: EntryName): Promise<Buffer> {
    const inode = this.#get(name, 'readlink');
    if (inode.kind !== 'symlink') throw directoryError('EINVAL', 'readlink', name);
    return Buffer.from(inode.target);
  }

  async makeSpecial(name: EntryName, node: SpecialNode): Promise<void> {
    const directory = await this.#change('makeSpecial', name);
    const isDevice = node.kind === 'block-device' || node.kind === 'character-device';
    const numbers = isDevice ? { deviceMajor: node.deviceMajor, deviceMinor: node.deviceMinor } : {};
    this.#rules.add(directory, name, this.#rules.makeInode(node.kind, node.mode, numbers), 'mknod');
  }

  async link(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const { directory, targetDirectory } = await this.#changeBoth('link', name, target, targetName);
    const inode = this.#rules.get(directory, name, 'link');
    if (inode.kind === 'directory') throw directoryError('EPERM', 'link', name);
    this.#rules.add(targetDirectory, targetName, inode, 'link');
    inode.changeNs = this.#rules.now();
  }

  async rename(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const { directory, targetDirectory } = await this.#changeBoth('rename', name, target, targetName);
    this.#rules.rename(directory, name, targetDirectory, targetName);
  }

  async exchange(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const { directory, targetDirectory } = await this.#changeBoth('exchange', name, target, targetName);
    this.#rules.exchange(directory, name, targetDirectory, targetName);
  }

  async unlink(name: EntryName): Promise<void> {
    this.#rules.remove(await this.#change('unlink', name), name, 'other');
  }

  async removeDirectory(name: EntryName): Promise<void> {
    this.#rules.remove(await this.#change('removeDirectory', name), name, 'directory');
  }

  async setOwnerAndMode(name: EntryName | undefined, change: OwnerAndMode): Promise<void> {
    const inode = await this.#changeEntry('setOwnerAndMode', name);
    if (change.uid !== undefined || change.gid !== undefined) {
      inode.uid = change.uid ?? inode.uid;
      inode.gid = change.gid ?? inode.gid;
      // As chown(2) does: set-group-id without group execute is something else, and stays.
      if (inode.kind === 'file') inode.mode &= (inode.mode & 0o010) !== 0 ? ~0o6000 : ~0o4000;
    }
    if (change.mode !== undefined && inode.kind !== 'symlink') inode.mode = change.mode & 0o7777;
    inode.changeNs = this.#rules.now();
  }

  async setTimes(name: EntryName | undefined, times: Times): Promise<void> {
    const inode = await this.#changeEntry('setTimes', name);
    inode.accessNs = times.accessNs ?? inode.accessNs;
    inode.modifyNs = times.modifyNs ?? inode.modifyNs;
    inode.changeNs = this.#rules.now();
  }

  async xattrs(name: EntryName | undefined): Promise<Map<string, Buffer>> {
    const inode = name === undefined ? this.#handle.inode() : this.#get(name, 'listxattr');
    return new Map([...inode.xattrs].map(([key, value]) => [key, Buffer.from(value)]));
  }

  async setXattr(name: EntryName | undefined, key: string, value: Buffer): Promise<void> {
    const inode = await this.#changeEntry('setXattr', name);
    // Linux keeps user attributes on files and directories only.
    const holdsUserKeys = inode.kind === 'file' || inode.kind === 'directory';
    if (key.startsWith('user.') && !holdsUserKeys) throw directoryError('EPERM', 'setxattr', name);
    checkNoNul(Buffer.from(key, 'latin1'), 'setxattr', name);
    if (value.length > XATTR_VALUE_BYTES_MAX) throw directoryError('E2BIG', 'setxattr', name);
    inode.xattrs.set(key, Buffer.from(value));
    inode.changeNs = this.#rules.now();
  }

  async removeXattr(name: EntryName | undefined, key: string): Promise<void> {
    const inode = await this.#changeEntry('removeXattr', name);
    if (!inode.xattrs.delete(key)) throw directoryError('ENODATA', 'removexattr', name);
    inode.changeNs = this.#rules.now();
  }

  async syncTree(): Promise<void> {
    await this.#handle.change('syncTree');
  }

  async close(): Promise<void> {
    this.#handle.close();
  }

  #get(name: EntryName, syscall: string): MemoryInode {
    checkEntryName(name);
    return this.#rules.get(this.#handle.inode(), name, syscall);
  }

  async #change(operation: string, name: EntryName): Promise<MemoryInode> {
    checkEntryName(name);
    return this.#handle.change(operation);
  }

  async #changeEntry(operation: string, name: EntryName | undefined): Promise<MemoryInode> {
    if (name !== undefined) checkEntryName(name);
    const directory = await this.#handle.change(operation);
    return name === undefined ? directory : this.#rules.get(directory, name, operation);
  }

  async #changeBoth(operation: string, name: EntryName, target: Directory, targetName: EntryName) {
    checkEntryName(name);
    checkEntryName(targetName);
    if (!(target instanceof MemoryDirectory) || target.#rules !== this.#rules) {
      throw directoryError('EXDEV', operation, targetName);
    }
    target.#handle.inode();
    const directory = await this.#handle.change(operation);
    return { directory, targetDirectory: target.#handle.inode() };
  }
}

/** The state of a tree at one moment. May be restored any number of times. */
export interface MemorySnapshot {
  readonly root: MemoryInode;
}

export class MemoryTree implements DirectoryOpener {
  readonly #rules: MemoryRules;

  constructor(options: MemoryTreeOptions = {}) {
    this.#rules = new MemoryRules(options);
  }

  /** Opens a directory by its path from the root of this tree; `/` or an empty path is the root itself. */
  async openRoot(path: string | Buffer = '/'): Promise<Directory> {
    let inode = this.#rules.root;
    for (const part of Buffer.from(path).toString('latin1').split('/')) {
      if (part === '' || part === '.') continue;
      const name = Buffer.from(part, 'latin1');
      inode = this.#rules.get(inode, name, 'open');
      if (inode.kind !== 'directory') throw directoryError('ENOTDIR', 'open', name);
    }
    return new MemoryDirectory(this.#rules, inode);
  }

  snapshot(): MemorySnapshot {
    return { root: copyTree(this.#rules.root) };
  }

  /** Goes back to a snapshot. What was open fails with ESTALE from then on, as a crash leaves no handles. */
  restore(snapshot: MemorySnapshot): void {
    this.#rules.replaceRoot(copyTree(snapshot.root));
  }
}
