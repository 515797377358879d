/** Rules of an in-memory tree: what may be linked, renamed and removed, as Linux has it for root. */
import { directoryError } from './directory-error.js';
import type { EntryKind, EntryName } from './directory.js';
import { SparseContent, type MemoryInode } from './memory-inode.js';

export interface MemoryTreeOptions {
  /** Device number of every entry; give trees of one simulation different ones. */
  readonly dev?: bigint;
  /** Nanoseconds since the epoch. Without it a counter: each call is one microsecond later. */
  readonly wallNs?: () => bigint;
  /**
   * Called before each operation that changes the tree or makes it durable, with the method's name
   * (`write`, `rename`, `datasync`, …). What it throws is the operation's error, and nothing changed.
   */
  readonly onOperation?: (name: string) => void | Promise<void>;
}

const NAME_BYTES_MAX = 255;

/** The tree's root and the operations on its inodes. None waits, so each is atomic. */
export class MemoryRules {
  readonly #options: MemoryTreeOptions;
  #lastIno = 1n;
  #counterNs = 1_700_000_000_000_000_000n;
  #root: MemoryInode;
  #generation = 0;

  constructor(options: MemoryTreeOptions = {}) {
    this.#options = options;
    this.#root = this.makeInode('directory', 0o755);
    this.#root.linkCount = 2;
  }

  get root(): MemoryInode {
    return this.#root;
  }

  replaceRoot(root: MemoryInode): void {
    this.#root = root;
    this.#generation += 1;
  }

  /** Changes whenever open handles lose their validity. */
  get generation(): number {
    return this.#generation;
  }

  now(): bigint {
    if (this.#options.wallNs !== undefined) return this.#options.wallNs();
    this.#counterNs += 1000n;
    return this.#counterNs;
  }

  async announce(operation: string): Promise<void> {
    await this.#options.onOperation?.(operation);
  }

  makeInode(kind: EntryKind, mode: number, more: Partial<MemoryInode> = {}): MemoryInode {
    const now = this.now();
    this.#lastIno += 1n;
    return {
      kind, mode, dev: this.#options.dev ?? 1n, ino: this.#lastIno, birthNs: now, accessNs: now, modifyNs: now, changeNs: now,
      uid: 0, gid: 0, linkCount: 0, deviceMajor: 0, deviceMinor: 0,
      xattrs: new Map(), content: new SparseContent(), entries: new Map(), parent: undefined, target: Buffer.alloc(0),
      ...more,
    };
  }

  find(directory: MemoryInode, name: EntryName): MemoryInode | undefined {
    if (name.length > NAME_BYTES_MAX) throw directoryError('ENAMETOOLONG', 'lookup', name);
    return directory.entries.get(name.toString('latin1'));
  }

  get(directory: MemoryInode, name: EntryName, syscall: string): MemoryInode {
    const inode = this.find(directory, name);
    if (inode === undefined) throw directoryError('ENOENT', syscall, name);
    return inode;
  }

  /** Enters a new or further name for `inode`. */
  add(directory: MemoryInode, name: EntryName, inode: MemoryInode, syscall: string): void {
    // A directory that was removed while open takes no new entries.
    if (directory.linkCount === 0) throw directoryError('ENOENT', syscall, name);
    if (this.find(directory, name) !== undefined) throw directoryError('EEXIST', syscall, name);
    this.#attach(directory, name, inode);
    if (inode.kind !== 'directory') inode.linkCount += 1;
    else if (inode.linkCount === 0) inode.linkCount = 2;
  }

  remove(directory: MemoryInode, name: EntryName, wanted: 'directory' | 'other'): void {
    const syscall = wanted === 'directory' ? 'rmdir' : 'unlink';
    const inode = this.get(directory, name, syscall);
    if (wanted === 'directory' && inode.kind !== 'directory') throw directoryError('ENOTDIR', syscall, name);
    if (wanted === 'other' && inode.kind === 'directory') throw directoryError('EISDIR', syscall, name);
    if (inode.entries.size > 0) throw directoryError('ENOTEMPTY', syscall, name);
    this.#detach(directory, name, inode);
    this.#forget(inode);
  }

  rename(directory: MemoryInode, name: EntryName, target: MemoryInode, targetName: EntryName): void {
    const inode = this.get(directory, name, 'rename');
    const replaced = this.find(target, targetName);
    if (target.linkCount === 0) throw directoryError('ENOENT', 'rename', targetName);
    if (holds(inode, target)) throw directoryError('EINVAL', 'rename', name);
    // Two names of one file: rename(2) does nothing.
    if (replaced === inode) return;
    if (replaced !== undefined) {
      if (inode.kind === 'directory' && replaced.kind !== 'directory') throw directoryError('ENOTDIR', 'rename', name);
      if (inode.kind !== 'directory' && replaced.kind === 'directory') throw directoryError('EISDIR', 'rename', name);
      if (replaced.entries.size > 0) throw directoryError('ENOTEMPTY', 'rename', targetName);
      this.#detach(target, targetName, replaced);
      this.#forget(replaced);
    }
    this.#detach(directory, name, inode);
    this.#attach(target, targetName, inode);
    inode.changeNs = this.now();
  }

  exchange(directory: MemoryInode, name: EntryName, target: MemoryInode, targetName: EntryName): void {
    const one = this.get(directory, name, 'renameat2');
    const other = this.get(target, targetName, 'renameat2');
    if (holds(one, target) || holds(other, directory)) throw directoryError('EINVAL', 'renameat2', name);
    this.#detach(directory, name, one);
    this.#detach(target, targetName, other);
    this.#attach(directory, name, other);
    this.#attach(target, targetName, one);
    one.changeNs = other.changeNs = this.now();
  }

  #attach(directory: MemoryInode, name: EntryName, inode: MemoryInode): void {
    directory.entries.set(name.toString('latin1'), inode);
    if (inode.kind === 'directory') {
      inode.parent = directory;
      directory.linkCount += 1;
    }
    directory.modifyNs = directory.changeNs = this.now();
  }

  #detach(directory: MemoryInode, name: EntryName, inode: MemoryInode): void {
    directory.entries.delete(name.toString('latin1'));
    if (inode.kind === 'directory') directory.linkCount -= 1;
    directory.modifyNs = directory.changeNs = this.now();
  }

  #forget(inode: MemoryInode): void {
    if (inode.kind === 'directory') inode.linkCount = 0;
    else inode.linkCount -= 1;
    inode.changeNs = this.now();
  }
}

/** Whether `directory` is `inode` or lies below it. */
function holds(inode: MemoryInode, directory: MemoryInode): boolean {
  for (let at: MemoryInode | undefined = directory; at !== undefined; at = at.parent) if (at === inode) return true;
  return false;
}
