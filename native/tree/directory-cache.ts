/** The directories of a restore by entry, opened from the root one name at a time and kept open while they are used. */
import type { Directory } from '../host/directory.js';
import type { EntryTable } from './entry-table.js';
import { HandleCache } from './handle-cache.js';

const openDirectoriesMax = 256;

/** Where the root of a restore is, or is to be. */
export interface TargetPlace {
  /** The directory that holds it. */
  readonly container: Directory;
  readonly name: Buffer;
}

export class DirectoryCache {
  readonly #table: EntryTable;
  readonly #place: TargetPlace;
  #root: Directory | undefined;
  readonly #cache = new HandleCache<Directory>(openDirectoriesMax);

  /** Takes over `root`, where it exists already. */
  constructor(table: EntryTable, place: TargetPlace, root: Directory | undefined) {
    this.#table = table;
    this.#place = place;
    this.#root = root;
  }

  /** Runs `run` with an open directory entry. */
  async use<Result>(index: number, run: (directory: Directory) => Promise<Result>): Promise<Result> {
    if (index === 0) return run((this.#root ??= await this.#place.container.openDirectory(this.#place.name)));
    // From the nearest open one down, one at a time: a chain of calls could be deeper than the stack.
    const chain: number[] = [];
    for (let at = this.#table.parent(index); at !== undefined && at !== 0 && !this.#cache.has(at); at = this.#table.parent(at)) chain.push(at);
    for (const at of chain.reverse()) await this.#cache.use(at, () => this.#open(at), async () => undefined);
    return this.#cache.use(index, () => this.#open(index), run);
  }

  /** Runs `run` with the directory that holds an entry, and the entry's name in it. */
  async useParent<Result>(index: number, run: (directory: Directory, name: Buffer) => Promise<Result>): Promise<Result> {
    const parent = this.#table.parent(index);
    if (parent === undefined) return run(this.#place.container, this.#place.name);
    const name = this.#table.name(index);
    return this.use(parent, (directory) => run(directory, name));
  }

  async close(): Promise<void> {
    await this.#cache.closeAll();
    await this.#root?.close();
  }

  #open(index: number): Promise<Directory> {
    return this.useParent(index, (directory, name) => directory.openDirectory(name));
  }
}
