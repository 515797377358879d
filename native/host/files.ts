/**
 * The plain files a stage keeps its own state in (segments, spool): opened by path, written
 * sequentially, synced explicitly. Simulation replaces it to inject torn writes and failed syncs.
 *
 * Protected trees and restore targets are not reached through this seam: see directory.ts.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readFully } from './read-fully.js';

/** An open file. Writes may sit in the page cache until `datasync` returns. */
export interface File {
  readonly path: string;
  /** Bytes read into `target` from `position`; fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `parts` one after the other from `position` on. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Returns once content and size survive power loss. A rejection means the content is unknown. */
  datasync(): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface FileEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Free and total bytes of the file system that holds a path, as an ordinary user may use them. */
export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface Files {
  /** Opens an existing file. Errors carry `code` as Node's do (ENOENT, ENOSPC, EIO, …). */
  open(path: string, mode: 'read' | 'write'): Promise<File>;
  /** Creates a file that must not exist (EEXIST otherwise), with mode 0600. */
  create(path: string): Promise<File>;
  /** Entries of a directory, in no order; ENOENT when it does not exist. */
  list(path: string): Promise<FileEntry[]>;
  /** Creates a directory and its missing parents, with mode 0700. */
  makeDirectory(path: string): Promise<void>;
  rename(source: string, target: string): Promise<void>;
  /** Removes a file; no error when it is absent. */
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes creations, renames and removals in a directory survive power loss. */
  syncDirectory(path: string): Promise<void>;
  space(path: string): Promise<Space>;
}

/** Reads a whole file of at most `sizeBytesMax` bytes. */
export async function readWhole(files: Files, path: string, sizeBytesMax = 64 * 1024 * 1024): Promise<Buffer> {
  const file = await files.open(path, 'read');
  try {
    const size = await file.sizeBytes();
    if (size > sizeBytesMax) throw new RangeError(`${path} has ${size} bytes, more than the ${sizeBytesMax} expected at most`);
    const content = Buffer.alloc(size);
    const got = await file.read(content, 0);
    return content.subarray(0, got);
  } finally {
    await file.close();
  }
}

/** Replaces a file so that after a crash either the old or the new content is there, whole. */
export async function replaceFile(files: Files, path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await files.remove(draft);
  const file = await files.create(draft);
  try {
    await file.write([content], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(draft, path);
  // Sync the directory too: otherwise the rename may not survive power loss.
  await files.syncDirectory(dirname(path));
}

class SystemFile implements File {
  readonly path: string;
  readonly #handle: import('node:fs/promises').FileHandle;

  constructor(path: string, handle: import('node:fs/promises').FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return readFully(this.#handle, target, position);
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<void> {
    let pending = parts.filter((part) => part.byteLength > 0);
    let at = position;
    while (pending.length > 0) {
      const { bytesWritten } = await this.#handle.writev(pending, at);
      at += bytesWritten;
      let done = bytesWritten;
      const rest: Uint8Array[] = [];
      for (const part of pending) {
        if (done >= part.byteLength) done -= part.byteLength;
        else {
          rest.push(part.subarray(done));
          done = 0;
        }
      }
      pending = rest;
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const systemFiles: Files = {
  async open(path, mode) {
    return new SystemFile(path, await open(path, mode === 'read' ? 'r' : 'r+'));
  },
  async create(path) {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return new SystemFile(path, await open(path, flags, 0o600));
  },
  async list(path) {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  },
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  rename: (source, target) => rename(source, target),
  remove: (path) => rm(path, { force: true }),
  async exists(path) {
    try {
      await stat(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  },
  async syncDirectory(path) {
    if (process.platform === 'win32') return; // a directory cannot be opened for syncing there; NTFS journals its metadata
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async space(path) {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
};

