/**
 * Gives entries their inode flags: after everything else, because flags keep even root from changing
 * what they lie on. For the same reason what is there is unlocked before it is brought to the point.
 */
import type { Directory } from '../host/directory.js';
import { decodeFlags, FileFlag, flagsKey, setFlags, unlock } from '../host/file-flags.js';
import { attempt, type AttemptParts } from './attempt.js';
import type { DirectoryCache } from './directory-cache.js';
import { entryState } from './entry-table.js';

/** Only of use, or only to be set, while a file is empty. */
const beforeContent = FileFlag.noCopyOnWrite | FileFlag.compressed | FileFlag.notCompressed;
/** What an entry has without it having been asked for is left: a file system gives its files some of its own accord. */
const taken = FileFlag.immutable | FileFlag.appendOnly | FileFlag.noDump | FileFlag.noAccessTime | FileFlag.synchronous | FileFlag.synchronousDirectory;
/** What file systems of all kinds know. */
const common = FileFlag.immutable | FileFlag.appendOnly | FileFlag.noDump | FileFlag.noAccessTime | FileFlag.synchronous;

export class FlagWriter {
  readonly #parts: AttemptParts & { readonly directories: DirectoryCache };
  /** What entries had that were unlocked. */
  readonly #before = new Map<number, number>();
  readonly #pending = new Map<number, number>();

  constructor(parts: AttemptParts & { readonly directories: DirectoryCache }) {
    this.#parts = parts;
  }

  /** Before anything is done to an entry that is locked. It gets back what it had where it is not brought to other flags. */
  async unlock(index: number, directory: Directory, name: Buffer | undefined): Promise<void> {
    const { table, dryRun } = this.#parts;
    if (dryRun) return;
    const flags = await unlock(directory, name);
    if (flags === undefined) return;
    // A file is brought to the point by the first of its names.
    const first = table.linkOf(index) ?? index;
    this.#before.set(first, flags);
    this.#pending.set(first, flags);
  }

  /** A file was made, and holds nothing yet. */
  async begin(index: number, directory: Directory, name: Buffer): Promise<void> {
    const flags = this.#wanted(index) & beforeContent;
    if (flags === 0) return;
    // What is refused now is refused, and reported, at the end.
    await setFlags(directory, name, flags).catch(() => undefined);
  }

  /** Whether an entry is to have other flags than it had; they are set at the end. */
  settle(index: number, found: Buffer | undefined): boolean {
    const wanted = this.#wanted(index);
    const now = decodeFlags(found);
    const isAs = (flags: number): boolean => (wanted & ~flags) === 0 && (flags & ~wanted & taken) === 0;
    if (isAs(now)) this.#pending.delete(index);
    else this.#pending.set(index, wanted | (now & ~taken));
    return !isAs(this.#before.get(index) ?? now);
  }

  /** Sets all that is left to set. */
  async finish(): Promise<void> {
    const { table, directories, dryRun } = this.#parts;
    if (dryRun) return;
    for (const [index, flags] of this.#pending) {
      if (table.state(index) === entryState.skip) continue;
      if (table.kind(index) === 'directory') await directories.use(index, (directory) => this.#set(index, flags, directory, undefined));
      else await directories.useParent(index, (directory, name) => this.#set(index, flags, directory, name));
    }
    this.#pending.clear();
  }

  async #set(index: number, flags: number, directory: Directory, name: Buffer | undefined): Promise<void> {
    const set = (those: number): Promise<void> => setFlags(directory, name, those);
    const done = await attempt(this.#parts, index, 'one of its inode flags', () => set(flags));
    // All or none are set at once: those that any file system takes are not to be lost with the others.
    if (!done && (flags & common) !== 0 && (flags & ~common) !== 0) await set(flags & common).catch(() => undefined);
  }

  #wanted(index: number): number {
    return decodeFlags(this.#parts.table.xattrs(index).get(flagsKey));
  }
}
