/** The files of a simulated machine as one process sees them: everything takes time, and nothing outlives the process. */
import type { File, FileEntry, Files, Space } from '../../native/host/files.js';
import type { CrashKind, SimProcess } from './process.js';
import { SimDirectory } from './sim-directory.js';
import { diskError, type SimDisk } from './sim-disk.js';
import type { SimInode } from './sim-inode.js';

interface Underway {
  /** Does what the operation does to the disk, once. */
  readonly perform: () => void;
}

export class SimFiles implements Files {
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #underway = new Set<Underway>();

  constructor(process: SimProcess, disk: SimDisk) {
    this.#process = process;
    this.#disk = disk;
    process.onDeath((kind) => this.#die(kind));
  }

  open(path: string, mode: 'read' | 'write'): Promise<File> {
    return this.#operation('open', () => this.#handle(path, this.#disk.file(path, 'open'), mode === 'write'));
  }

  create(path: string): Promise<File> {
    return this.#operation('create', () => this.#handle(path, this.#disk.create(path), true));
  }

  list(path: string): Promise<FileEntry[]> {
    return this.#operation('list', () => [...this.#disk.directory(path, 'scandir').entries].map(([name, node]) => ({ name, isDirectory: node instanceof SimDirectory })));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#operation('mkdir', () => this.#disk.makeDirectory(path));
  }

  rename(source: string, target: string): Promise<void> {
    return this.#operation('rename', () => this.#disk.rename(source, target));
  }

  remove(path: string): Promise<void> {
    return this.#operation('remove', () => this.#disk.remove(path));
  }

  exists(path: string): Promise<boolean> {
    return this.#operation('exists', () => this.#disk.node(path) !== undefined);
  }

  syncDirectory(path: string): Promise<void> {
    const directory = this.#disk.node(path);
    const edits = directory instanceof SimDirectory ? directory.pending() : [];
    return this.#operation('syncDirectory', () => this.#disk.directory(path, 'fsync').sync(edits), 2);
  }

  space(): Promise<Space> {
    return this.#operation('statfs', () => ({ freeBytes: this.#disk.freeBytes, totalBytes: this.#disk.capacityBytes }));
  }

  #handle(path: string, inode: SimInode, writable: boolean): File {
    let isOpen = true;
    const on = <T>(deed: string, perform: () => T, slowness = 1): Promise<T> => {
      if (!isOpen) return Promise.reject(diskError('EBADF', deed, path));
      return this.#operation(deed, perform, slowness);
    };
    const checkWritable = (deed: string): void => {
      if (!writable) throw diskError('EBADF', deed, path);
    };
    const disk = this.#disk;
    return {
      path,
      read: (target, position) => on('read', () => inode.read(target, position)),
      write: (parts, position) =>
        on('write', () => {
          checkWritable('write');
          disk.write(inode, Buffer.concat(parts), position, path);
        }),
      truncate: (sizeBytes) =>
        on('truncate', () => {
          checkWritable('ftruncate');
          inode.truncate(sizeBytes);
        }),
      datasync: () => {
        const { version } = inode;
        return on('datasync', () => disk.datasync(inode, version, path), 4);
      },
      sizeBytes: () => on('stat', () => inode.size),
      close: () =>
        on('close', () => {
          isOpen = false;
        }),
    };
  }

  /** Performs an operation after a while; a process that dies meanwhile never hears of it. */
  #operation<T>(deed: string, perform: () => T, slowness = 1): Promise<T> {
    if (!this.#process.isAlive) return new Promise(() => undefined);
    const { chance, faults } = this.#disk;
    let delayUs = 20 + chance.fraction() ** 3 * 2000 * slowness;
    if (chance.fraction() < faults.stall) {
      this.#disk.fired('disk stall');
      delayUs *= 500;
    }
    return new Promise<T>((resolve, reject) => {
      const underway: Underway = { perform };
      this.#underway.add(underway);
      this.#process.later(delayUs, deed, () => {
        this.#underway.delete(underway);
        try {
          resolve(perform());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /** What was under way when the process died happened, or did not. */
  #die(kind: CrashKind): void {
    for (const { perform } of this.#underway) {
      if (this.#disk.chance.oneIn(2)) continue;
      try {
        perform();
      } catch {
        // Nobody is left to be told.
      }
    }
    this.#underway.clear();
    if (kind === 'power') this.#disk.cutPower();
    else if (this.#disk.chance.oneIn(2)) this.#disk.evict();
  }
}
