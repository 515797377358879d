/** A simulated disk: files and directories behind a page cache, with the faults that disks have. */
import type { Chance } from './chance.js';
import { SimDirectory, type SimNode } from './sim-directory.js';
import { SimInode } from './sim-inode.js';

/** Which faults a disk shows, and how often. All probabilities are by operation. */
export interface DiskFaults {
  /** A write, creation or growth fails with ENOSPC although there is room, after some of it was written. */
  readonly fullBurst: number;
  /** A sync fails with EIO and what it was to make durable is lost. */
  readonly syncFails: number;
  /** A write fails with EIO after some of it was written. */
  readonly writeFails: number;
  /** A latency of this many times the usual. */
  readonly stall: number;
}

export const noDiskFaults: DiskFaults = { fullBurst: 0, syncFails: 0, writeFails: 0, stall: 0 };

/** Errors in Node's shape. */
export function diskError(code: string, deed: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${deed} '${path}'`), { code, syscall: deed, path });
}

export class SimDisk {
  readonly chance: Chance;
  capacityBytes: number;
  faults: DiskFaults = noDiskFaults;
  /** Told which fault fired. */
  readonly fired: (fault: string) => void;
  #root = new SimDirectory();

  constructor(options: { readonly chance: Chance; readonly capacityBytes: number; readonly fired: (fault: string) => void }) {
    this.chance = options.chance;
    this.capacityBytes = options.capacityBytes;
    this.fired = options.fired;
  }

  usedBytes(directory = this.#root): number {
    let sum = 0;
    for (const node of directory.entries.values()) sum += node instanceof SimInode ? node.size : this.usedBytes(node);
    return sum;
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes());
  }

  /** A directory's files by name: as they are read, or as the least that a power cut now leaves. */
  contents(path: string, view: 'cache' | 'durable'): Map<string, Buffer> {
    let at: SimNode | undefined = this.#root;
    for (const part of parts(path)) at = at instanceof SimDirectory ? (view === 'cache' ? at.entries : at.durableEntries).get(part) : undefined;
    const contents = new Map<string, Buffer>();
    if (at instanceof SimDirectory) {
      for (const [name, node] of view === 'cache' ? at.entries : at.durableEntries) if (node instanceof SimInode) contents.set(name, node.bytes(view));
    }
    return contents;
  }

  /** Makes a directory that was there before anything began. */
  prepare(path: string): void {
    this.makeDirectory(path);
    let at: SimNode | undefined = this.#root;
    for (const part of ['', ...parts(path)]) {
      at = part === '' ? at : at instanceof SimDirectory ? at.entries.get(part) : undefined;
      if (at instanceof SimDirectory) at.sync(at.pending());
    }
  }

  /** The page cache was short of memory. */
  evict(directory = this.#root): void {
    for (const node of directory.entries.values()) {
      if (node instanceof SimInode) node.evict();
      else this.evict(node);
    }
  }

  /** Somebody put in a new, empty disk. */
  replace(): void {
    this.#root = new SimDirectory();
  }

  /** The machine lost power. */
  cutPower(): void {
    this.#root.cutPower(this.chance);
  }

  node(path: string): SimNode | undefined {
    let node: SimNode = this.#root;
    for (const part of parts(path)) {
      const next: SimNode | undefined = node instanceof SimDirectory ? node.entries.get(part) : undefined;
      if (next === undefined) return undefined;
      node = next;
    }
    return node;
  }

  file(path: string, deed: string): SimInode {
    const node = this.node(path);
    if (node === undefined) throw diskError('ENOENT', deed, path);
    if (!(node instanceof SimInode)) throw diskError('EISDIR', deed, path);
    return node;
  }

  directory(path: string, deed: string): SimDirectory {
    const node = this.node(path);
    if (node === undefined) throw diskError('ENOENT', deed, path);
    if (!(node instanceof SimDirectory)) throw diskError('ENOTDIR', deed, path);
    return node;
  }

  create(path: string): SimInode {
    const { directory, name } = this.#parent(path, 'open');
    if (directory.entries.has(name)) throw diskError('EEXIST', 'open', path);
    if (this.#isFull()) throw diskError('ENOSPC', 'open', path);
    const inode = new SimInode();
    SimDirectory.apply({ puts: [{ directory, name, node: inode }] });
    return inode;
  }

  makeDirectory(path: string): void {
    let directory = this.#root;
    for (const name of parts(path)) {
      let next = directory.entries.get(name);
      if (next === undefined) {
        next = new SimDirectory();
        SimDirectory.apply({ puts: [{ directory, name, node: next }] });
      }
      if (!(next instanceof SimDirectory)) throw diskError('EEXIST', 'mkdir', path);
      directory = next;
    }
  }

  rename(source: string, target: string): void {
    const from = this.#parent(source, 'rename');
    const to = this.#parent(target, 'rename');
    const node = from.directory.entries.get(from.name);
    if (node === undefined) throw diskError('ENOENT', 'rename', source);
    SimDirectory.apply({ puts: [{ ...from, node: undefined }, { ...to, node }] });
  }

  remove(path: string): void {
    const node = this.node(path);
    if (node === undefined) return;
    if (!(node instanceof SimInode)) throw diskError('EISDIR', 'rm', path);
    SimDirectory.apply({ puts: [{ ...this.#parent(path, 'rm'), node: undefined }] });
  }

  /** Writes; when the disk is full or fails, as much as fits or chance allows, and throws. */
  write(inode: SimInode, bytes: Buffer, position: number, path: string): void {
    const growth = Math.max(0, position + bytes.byteLength - inode.size);
    const free = this.freeBytes;
    const isFull = growth > free;
    if (isFull || (growth > 0 && this.#burst())) {
      if (isFull) this.fired('disk full');
      inode.write(bytes.subarray(0, isFull ? Math.max(0, bytes.byteLength - (growth - free)) : this.chance.below(bytes.byteLength)), position);
      throw diskError('ENOSPC', 'write', path);
    }
    if (this.chance.fraction() < this.faults.writeFails) {
      this.fired('write fails');
      inode.write(bytes.subarray(0, this.chance.below(bytes.byteLength + 1)), position);
      throw diskError('EIO', 'write', path);
    }
    inode.write(bytes, position);
  }

  datasync(inode: SimInode, version: number, path: string): void {
    if (!inode.isClean && this.chance.fraction() < this.faults.syncFails) {
      this.fired('sync fails');
      inode.loseUnsynced(this.chance);
      throw diskError('EIO', 'fdatasync', path);
    }
    inode.sync(version);
  }

  #isFull(): boolean {
    return this.freeBytes <= 0 || this.#burst();
  }

  #burst(): boolean {
    if (this.chance.fraction() >= this.faults.fullBurst) return false;
    this.fired('full burst');
    return true;
  }

  #parent(path: string, deed: string): { readonly directory: SimDirectory; readonly name: string } {
    const all = parts(path);
    const name = all.pop();
    if (name === undefined) throw diskError('EINVAL', deed, path);
    return { directory: this.directory(all.join('/'), deed), name };
  }
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
