/** Files in memory with a page cache that power loss empties, a capacity, and failures at chosen calls. */
import type { File, FileEntry, Files, Space } from '../../../native/host/files.js';

class Inode {
  bytes = Buffer.alloc(0);
  durable = Buffer.alloc(0);
}

export type Deed = 'write' | 'datasync' | 'create' | 'remove' | 'syncDirectory' | 'truncate' | 'rename';

export class MemoryFiles implements Files {
  #entries = new Map<string, Inode>();
  #durableEntries = new Map<string, Inode>();
  capacityBytes = Infinity;
  totalBytes = 1024 ** 4;
  /** A code makes the call fail with it. */
  fault: ((deed: Deed, path: string) => string | undefined) | undefined;
  /** Awaited within each write, before it does anything. */
  duringWrite: (() => Promise<void>) | undefined;
  /** Awaited within each datasync of a path. */
  duringSync: ((path: string) => Promise<void>) | undefined;
  readonly counts = new Map<Deed, number>();
  /** Faults that fired. */
  fired = 0;

  get usedBytes(): number {
    let sum = 0;
    for (const inode of this.#entries.values()) sum += inode.bytes.byteLength;
    return sum;
  }

  /** What a machine finds that lost power now. */
  afterPowerLoss(): MemoryFiles {
    const after = new MemoryFiles();
    for (const [path, inode] of this.#durableEntries) after.#put(path, inode.durable);
    return after;
  }

  /** What another process finds when this one is killed: all that was written. */
  afterKill(): MemoryFiles {
    const after = new MemoryFiles();
    for (const [path, inode] of this.#entries) after.#put(path, inode.bytes);
    return after;
  }

  paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  content(path: string): Buffer {
    return this.#inode(path).bytes;
  }

  #put(path: string, bytes: Buffer): void {
    const inode = new Inode();
    inode.bytes = Buffer.from(bytes);
    inode.durable = Buffer.from(bytes);
    this.#entries.set(path, inode);
    this.#durableEntries.set(path, inode);
  }

  #did(deed: Deed, path: string): void {
    this.counts.set(deed, (this.counts.get(deed) ?? 0) + 1);
    const code = this.fault?.(deed, path);
    if (code === undefined) return;
    this.fired += 1;
    throw failure(code, deed, path);
  }

  #inode(path: string): Inode {
    const inode = this.#entries.get(path);
    if (inode === undefined) throw failure('ENOENT', 'open', path);
    return inode;
  }

  async open(path: string): Promise<File> {
    return this.#handle(path, this.#inode(path));
  }

  async create(path: string): Promise<File> {
    this.#did('create', path);
    if (this.#entries.has(path)) throw failure('EEXIST', 'create', path);
    const inode = new Inode();
    this.#entries.set(path, inode);
    return this.#handle(path, inode);
  }

  async list(path: string): Promise<FileEntry[]> {
    return this.paths().filter((each) => each.startsWith(`${path}/`)).map((each) => ({ name: each.slice(path.length + 1), isDirectory: false }));
  }

  async makeDirectory(): Promise<void> {}

  async rename(source: string, target: string): Promise<void> {
    this.#did('rename', source);
    this.#entries.set(target, this.#inode(source));
    this.#entries.delete(source);
  }

  async remove(path: string): Promise<void> {
    this.#did('remove', path);
    this.#entries.delete(path);
  }

  async exists(path: string): Promise<boolean> {
    return this.#entries.has(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#did('syncDirectory', path);
    for (const each of new Set([...this.#entries.keys(), ...this.#durableEntries.keys()])) {
      if (each.slice(0, each.lastIndexOf('/')) !== path) continue;
      const inode = this.#entries.get(each);
      if (inode === undefined) this.#durableEntries.delete(each);
      else this.#durableEntries.set(each, inode);
    }
  }

  async space(): Promise<Space> {
    return { freeBytes: Math.max(0, Math.min(this.totalBytes, this.capacityBytes) - this.usedBytes), totalBytes: this.totalBytes };
  }

  #handle(path: string, inode: Inode): File {
    return {
      path,
      read: async (target, position) => {
        const bytes = inode.bytes.subarray(position, position + target.byteLength);
        target.set(bytes);
        return bytes.byteLength;
      },
      write: async (parts, position) => {
        await this.duringWrite?.();
        this.#did('write', path);
        const bytes = Buffer.concat(parts);
        const growth = Math.max(0, position + bytes.byteLength - inode.bytes.byteLength);
        const room = Math.max(0, this.capacityBytes - this.usedBytes);
        // As much as fits is written before the disk says that it is full.
        put(inode, bytes.subarray(0, Math.max(0, bytes.byteLength - Math.max(0, growth - room))), position);
        if (growth > room) throw failure('ENOSPC', 'write', path);
      },
      truncate: async (sizeBytes) => {
        this.#did('truncate', path);
        const bytes = Buffer.alloc(sizeBytes);
        inode.bytes.copy(bytes);
        inode.bytes = bytes;
      },
      datasync: async () => {
        const bytes = Buffer.from(inode.bytes);
        await this.duringSync?.(path);
        this.#did('datasync', path);
        inode.durable = bytes;
      },
      sizeBytes: async () => inode.bytes.byteLength,
      close: async () => {},
    };
  }
}

function put(inode: Inode, bytes: Buffer, position: number): void {
  if (bytes.byteLength === 0) return;
  const end = position + bytes.byteLength;
  if (end > inode.bytes.byteLength) {
    const grown = Buffer.alloc(end);
    inode.bytes.copy(grown);
    inode.bytes = grown;
  }
  bytes.copy(inode.bytes, position);
}

function failure(code: string, deed: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${deed} ${path}`), { code });
}
