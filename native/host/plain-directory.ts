/**
 * Directories through node:fs alone, for where the addon is not built. Same promises against what a
 * tree holds (names, links), weaker ones against who else is changing it: each operation first looks
 * that its directory is still the one that was opened, and that the entry is not a symbolic link, and
 * then acts by path. A local attacker who swaps a directory for a link in between is not kept out.
 *
 * Also weaker: a directory that is renamed while open is lost (ESTALE), paths end at PATH_MAX, times
 * are set to the microsecond, and there are no extended attributes, special nodes, holes or exchange.
 */
import { constants, type BigIntStats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { resolve, toNamespacedPath } from 'node:path';
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
import { PlainFile } from './plain-file.js';
import { plainStat } from './plain-stat.js';
import { windowsName } from './windows-name.js';

/** Bytes where file names are bytes, text on Windows. */
type Path = Buffer | string;
const onWindows = process.platform === 'win32';

/** What identifies a directory whatever its path. */
type Identity = Pick<BigIntStats, 'dev' | 'ino'>;

function joined(directory: Path, name: EntryName): Path {
  if (typeof directory !== 'string') return Buffer.concat([directory, Buffer.from('/'), name]);
  const text = windowsName(name);
  if (text === undefined) throw directoryError('EINVAL', 'open', name, 'not a file name on Windows');
  return `${directory}\\${text}`;
}

/** Adds the entry's name to what node:fs throws. */
async function about<Result>(entry: EntryName | undefined, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (entry !== undefined && error instanceof Error && !('entry' in error)) Object.assign(error, { entry });
    throw error;
  }
}

/** Seconds as utimes takes them. A Date, since Node replaces negative numbers by the present. */
function seconds(ns: bigint): number | Date {
  return ns < 0n ? new Date(Number(ns / 1_000_000n)) : Number(ns / 1000n) / 1e6;
}

export class PlainDirectory implements Directory {
  readonly #path: Path;
  readonly #identity: Identity;
  #closed = false;

  constructor(path: Path, identity: Identity) {
    this.#path = path;
    this.#identity = identity;
  }

  async stat(): Promise<EntryStat> {
    return plainStat(await this.#own());
  }

  async list(): Promise<ListedEntry[]> {
    await this.#own();
    const names =
      typeof this.#path === 'string'
        ? (await fs.readdir(this.#path)).map((name) => Buffer.from(name))
        : await fs.readdir(this.#path, { encoding: 'buffer' });
    const listed: ListedEntry[] = [];
    // Enough at a time to keep the thread pool busy, not so many that 10 million entries fill memory.
    for (let at = 0; at < names.length; at += 64) {
      const stats = await Promise.all(names.slice(at, at + 64).map((name) => this.#lookup(name)));
      stats.forEach((stat, index) => {
        const name = names[at + index];
        if (stat !== undefined && name !== undefined) listed.push({ name, stat });
      });
    }
    return listed;
  }

  async lookup(name: EntryName): Promise<EntryStat | undefined> {
    await this.#entry(name);
    return this.#lookup(name);
  }

  async openDirectory(name: EntryName): Promise<Directory> {
    const path = await this.#entry(name);
    return about(name, async () => {
      const found = await fs.lstat(path, { bigint: true });
      if (!found.isDirectory()) throw directoryError(found.isSymbolicLink() ? 'ELOOP' : 'ENOTDIR', 'open', name);
      // Opening is where the system says who may not read it; lstat would not.
      await (await fs.opendir(path as string)).close();
      return new PlainDirectory(path, found);
    });
  }

  async openFile(name: EntryName, mode: 'read' | 'write'): Promise<TreeFile> {
    const path = await this.#entry(name);
    return about(name, async () => {
      const found = await fs.lstat(path, { bigint: true });
      if (!found.isFile()) throw directoryError(found.isSymbolicLink() ? 'ELOOP' : 'EINVAL', 'open', name);
      const access = mode === 'read' ? constants.O_RDONLY : constants.O_RDWR;
      const handle = await fs.open(path, onWindows ? access : access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const opened = await handle.stat({ bigint: true });
        if (opened.dev !== found.dev || opened.ino !== found.ino) throw directoryError('ESTALE', 'open', name);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return new PlainFile(handle);
    });
  }

  async createFile(name: EntryName): Promise<TreeFile> {
    const path = await this.#entry(name);
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return about(name, async () => new PlainFile(await fs.open(path, flags, 0o600)));
  }

  async makeDirectory(name: EntryName): Promise<void> {
    const path = await this.#entry(name);
    await about(name, () => fs.mkdir(path, { mode: 0o700 }));
  }

  async makeSymlink(name: EntryName, target: Buffer): Promise<void> {
    const path = await this.#entry(name);
    checkNoNul(target, 'symlink', name);
    // node:fs turns an empty target into the current directory on some platforms.
    if (target.length === 0) throw directoryError('ENOENT', 'symlink', name);
    await about(name, () => fs.symlink(onWindows ? target.toString() : target, path));
  }

  async readSymlink(name: EntryName): Promise<Buffer> {
    const path = await this.#entry(name);
    return about(name, () => fs.readlink(path, { encoding: 'buffer' }));
  }

  async makeSpecial(name: EntryName, _node: SpecialNode): Promise<void> {
    await this.#entry(name);
    throw directoryError('ENOTSUP', 'mknod', name);
  }

  async link(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const path = await this.#entry(name);
    const targetPath = await this.#target('link', target, targetName);
    await about(name, async () => {
      // link(2) follows symbolic links everywhere but on Linux.
      if (process.platform !== 'linux' && (await fs.lstat(path)).isSymbolicLink()) {
        throw directoryError('ENOTSUP', 'link', name);
      }
      await fs.link(path, targetPath);
    });
  }

  async rename(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    const path = await this.#entry(name);
    const targetPath = await this.#target('rename', target, targetName);
    await about(name, () => fs.rename(path, targetPath));
  }

  async exchange(name: EntryName, target: Directory, targetName: EntryName): Promise<void> {
    await this.#entry(name);
    await this.#target('rename', target, targetName);
    throw directoryError('ENOTSUP', 'rename', name);
  }

  async unlink(name: EntryName): Promise<void> {
    const path = await this.#entry(name);
    await about(name, () => fs.unlink(path));
  }

  async removeDirectory(name: EntryName): Promise<void> {
    const path = await this.#entry(name);
    await about(name, () => fs.rmdir(path));
  }

  async setOwnerAndMode(name: EntryName | undefined, change: OwnerAndMode): Promise<void> {
    const path = await this.#entry(name);
    await about(name, async () => {
      const found = await fs.lstat(path);
      if ((change.uid !== undefined || change.gid !== undefined) && !onWindows) {
        await fs.lchown(path, change.uid ?? found.uid, change.gid ?? found.gid);
      }
      if (change.mode !== undefined && !found.isSymbolicLink()) await fs.chmod(path, change.mode);
    });
  }

  async setTimes(name: EntryName | undefined, times: Times): Promise<void> {
    const path = await this.#entry(name);
    await about(name, async () => {
      // node:fs sets both or none: what is left out is set to what it is.
      const found = await fs.lstat(path, { bigint: true });
      await fs.lutimes(path, seconds(times.accessNs ?? found.atimeNs), seconds(times.modifyNs ?? found.mtimeNs));
    });
  }

  async xattrs(name: EntryName | undefined): Promise<Map<string, Buffer>> {
    await about(name, async () => fs.lstat(await this.#entry(name)));
    return new Map();
  }

  async setXattr(name: EntryName | undefined, _key: string, _value: Buffer): Promise<void> {
    await this.#entry(name);
    throw directoryError('ENOTSUP', 'setxattr', name);
  }

  async removeXattr(name: EntryName | undefined, _key: string): Promise<void> {
    await this.#entry(name);
    throw directoryError('ENOTSUP', 'removexattr', name);
  }

  /** File by file, since node:fs has no syncfs: costs a walk of the whole tree. */
  async syncTree(): Promise<void> {
    for (const { name, stat } of await this.list()) {
      if (stat.kind === 'directory') {
        const child = await this.openDirectory(name);
        try {
          await child.syncTree();
        } finally {
          await child.close();
        }
      } else if (stat.kind === 'file') {
        // Windows flushes through handles that may write only, which read-only files do not give.
        if (onWindows && (stat.mode & 0o200) === 0) continue;
        const file = await this.openFile(name, onWindows ? 'write' : 'read');
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      }
    }
    if (onWindows) return; // a directory cannot be opened for syncing there; NTFS journals its metadata
    const own = await fs.open(this.#path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await own.sync();
    } finally {
      await own.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** lstat of this directory, after making sure that its path still leads to it. */
  async #own(): Promise<BigIntStats> {
    if (this.#closed) throw directoryError('EBADF', 'use after close');
    const found = await fs.lstat(this.#path, { bigint: true });
    if (found.dev !== this.#identity.dev || found.ino !== this.#identity.ino) throw directoryError('ESTALE', 'lstat');
    return found;
  }

  /** The path to use for an entry, or for this directory itself. */
  async #entry(name: EntryName | undefined): Promise<Path> {
    if (name !== undefined) checkEntryName(name);
    const path = name === undefined ? this.#path : joined(this.#path, name);
    await about(name, () => this.#own());
    return path;
  }

  async #target(syscall: string, target: Directory, targetName: EntryName): Promise<Path> {
    checkEntryName(targetName);
    if (!(target instanceof PlainDirectory)) throw directoryError('EXDEV', syscall, targetName);
    return target.#entry(targetName);
  }

  async #lookup(name: EntryName): Promise<EntryStat | undefined> {
    return about(name, async () => {
      try {
        return plainStat(await fs.lstat(joined(this.#path, name), { bigint: true }), name);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }
}

export const plainDirectories: DirectoryOpener = {
  async openRoot(path) {
    const bytes = Buffer.from(path);
    checkNoNul(bytes, 'open', bytes);
    // Links on the way to the root are resolved once, here; below it none is followed.
    const real: Path = onWindows
      ? toNamespacedPath(resolve(await fs.realpath(bytes.toString())))
      : await fs.realpath(bytes, { encoding: 'buffer' });
    const found = await fs.lstat(real, { bigint: true });
    if (!found.isDirectory()) throw directoryError('ENOTDIR', 'open', bytes);
    return new PlainDirectory(real, found);
  },
};
