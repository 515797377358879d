/** Opens the directories of a protected tree by node: from the root, one name at a time, a few kept open. */
import type { Directory, EntryStat } from '../../../native/host/directory.js';
import { nodeBytes } from './seen.js';

/** Where a directory is now, as far as is known, and which inode it should be. */
export interface DirectoryPlace {
  readonly parent: number;
  readonly name: string;
  readonly identity: string | null;
}

/** A directory is not where it was thought to be: look at its parent again. */
export class MovedError extends Error {
  override readonly name = 'MovedError';
  readonly parent: number;
  readonly entry: string;

  constructor(parent: number, entry: string, cause?: unknown) {
    super('directory moved', { cause });
    this.parent = parent;
    this.entry = entry;
  }
}

const openMax = 64;
const chainMax = 100_000;

export class TreeAccess implements AsyncDisposable {
  readonly #root: Directory;
  readonly #rootNode: number;
  readonly #place: (directory: number) => DirectoryPlace | undefined;
  readonly #identify: (stat: EntryStat) => string;
  readonly #open = new Map<number, Directory>();

  /** `root` stays the caller's to close. */
  constructor(root: Directory, rootNode: number, place: (directory: number) => DirectoryPlace | undefined, identify: (stat: EntryStat) => string) {
    this.#root = root;
    this.#rootNode = rootNode;
    this.#place = place;
    this.#identify = identify;
  }

  /** The open directory; valid until the next `trim` or `clear`. Throws MovedError, or what opening threw. */
  async open(directory: number): Promise<Directory> {
    const missing: { node: number; place: DirectoryPlace }[] = [];
    let at = directory;
    let handle = this.#cached(at);
    while (handle === undefined) {
      const place = this.#place(at);
      if (place === undefined) throw new MovedError(0, '');
      missing.push({ node: at, place });
      if (missing.length > chainMax) throw new Error('directories form a circle');
      at = place.parent;
      handle = this.#cached(at);
    }
    for (let level = missing.length - 1; level >= 0; level -= 1) {
      const { node, place } = missing[level]!;
      // Far ancestors of a deep directory are not kept: they would only crowd out others.
      const passing = level + 1 < missing.length && level + 1 >= openMax / 2 ? handle : undefined;
      try {
        handle = await this.#enter(handle, place);
      } finally {
        await passing?.close();
      }
      if (level < openMax / 2) this.#open.set(node, handle);
    }
    return handle;
  }

  async #enter(parent: Directory, place: DirectoryPlace): Promise<Directory> {
    let opened: Directory;
    try {
      opened = await parent.openDirectory(nodeBytes(place.name));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ESTALE') throw new MovedError(place.parent, place.name, error);
      throw error;
    }
    if (place.identity === null) return opened;
    try {
      if (this.#identify(await opened.stat()) === place.identity) return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
    await opened.close();
    throw new MovedError(place.parent, place.name);
  }

  #cached(directory: number): Directory | undefined {
    if (directory === this.#rootNode) return this.#root;
    const handle = this.#open.get(directory);
    if (handle === undefined) return undefined;
    this.#open.delete(directory);
    this.#open.set(directory, handle);
    return handle;
  }

  /** Closes what was used longest ago, down to a bound. */
  async trim(): Promise<void> {
    for (const [directory, handle] of this.#open) {
      if (this.#open.size <= openMax) return;
      this.#open.delete(directory);
      await handle.close();
    }
  }

  /** Closes all; needed whenever directories moved or got other numbers. */
  async clear(): Promise<void> {
    const handles = [...this.#open.values()];
    this.#open.clear();
    for (const handle of handles) await handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.clear();
  }
}
