/** Makes the directories of a restore, and decides in place what is kept, what is replaced and what goes. */
import { createHash } from 'node:crypto';
import { errorCode } from '../host/directory-error.js';
import type { Directory, EntryStat } from '../host/directory.js';
import type { DirectoryCache } from './directory-cache.js';
import { entryState, type EntryTable } from './entry-table.js';
import type { FlagWriter } from './flag-writer.js';
import { removeEntry } from './remove-tree.js';
import { cannotExist, type Report } from './report.js';

/** Names on disk of one inode that has several. */
interface LinkedInode {
  readonly linkCount: number;
  readonly entries: number[];
}

export class Preparation {
  readonly #table: EntryTable;
  readonly #directories: DirectoryCache;
  readonly #flags: FlagWriter;
  readonly #report: Report;
  readonly #dryRun: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #linked = new Map<string, LinkedInode>();

  constructor(options: { readonly table: EntryTable; readonly directories: DirectoryCache; readonly flags: FlagWriter; readonly report: Report; readonly dryRun: boolean; readonly signal: AbortSignal | undefined }) {
    this.#table = options.table;
    this.#directories = options.directories;
    this.#flags = options.flags;
    this.#report = options.report;
    this.#dryRun = options.dryRun;
    this.#signal = options.signal;
  }

  /** Takes the entries parents first; afterwards each has its state, and every directory exists. */
  async run(existing: EntryStat | undefined): Promise<void> {
    if (existing !== undefined) await this.#decide(0, existing, undefined);
    for (let index = 0; index < this.#table.count; index += 1) {
      this.#signal?.throwIfAborted();
      const parent = this.#table.parent(index);
      if (parent !== undefined && this.#table.state(parent) === entryState.skip) {
        this.#skip(index, 'its directory is not restored');
      } else if (this.#table.kind(index) === 'directory') {
        if (this.#table.state(index) === entryState.create) await this.#make(index);
        else if (this.#table.state(index) === entryState.reuse) await this.#look(index);
      }
    }
    this.#judgeLinked();
  }

  #skip(index: number, problem: string): void {
    this.#table.setState(index, entryState.skip);
    this.#report.notRepresented.add(problem, this.#table.path(index));
    // The data of a file still comes, to be dropped; it is done with after that.
    if (!this.#table.hasData(index)) this.#report.entryDone();
  }

  async #make(index: number): Promise<void> {
    this.#report.created.add(this.#table.path(index));
    if (this.#dryRun) return;
    try {
      await this.#directories.useParent(index, (directory, name) => directory.makeDirectory(name));
    } catch (error) {
      const problem = index === 0 ? undefined : cannotExist(errorCode(error));
      if (problem === undefined) throw error;
      this.#skip(index, problem);
    }
  }

  /** An existing directory: what it holds beside the entries goes, and what it holds of them is judged. */
  async #look(index: number): Promise<void> {
    await this.#openUp(index);
    await this.#directories.use(index, async (directory) => {
      if (this.#table.isLeading(index)) {
        for (const child of this.#table.leadingChildren(index)) {
          const name = this.#table.name(child);
          const stat = await directory.lookup(name);
          if (stat !== undefined) await this.#decide(child, stat, directory);
          await this.#removeDraft(index, directory, name);
        }
        return;
      }
      for (const { name, stat } of await directory.list()) {
        this.#signal?.throwIfAborted();
        const child = this.#table.find(index, name.toString('latin1'));
        if (child === undefined) await this.#remove(index, directory, name, stat);
        else await this.#decide(child, stat, directory);
      }
    });
  }

  /** An ordinary user may have to give himself access first; the mode is set at the end anyway. */
  async #openUp(index: number): Promise<void> {
    if (this.#dryRun || this.#table.isLeading(index) || process.geteuid?.() === 0) return;
    await this.#directories.useParent(index, async (directory, name) => {
      const stat = index === 0 ? undefined : await directory.lookup(name);
      if (stat !== undefined && (stat.mode & 0o700) !== 0o700) await directory.setOwnerAndMode(name, { mode: stat.mode | 0o700 }).catch(() => undefined);
    });
  }

  /** What a restore that was killed may have left where nothing else is cleared away. */
  async #removeDraft(parent: number, directory: Directory, name: Buffer): Promise<void> {
    const draft = draftName(this.#table, parent, name);
    if (!this.#dryRun && (await directory.lookup(draft))?.kind === 'file') await directory.unlink(draft);
  }

  async #remove(parent: number, directory: Directory, name: Buffer, stat: EntryStat): Promise<void> {
    const path = [...this.#table.path(parent), name.toString('latin1')];
    this.#report.deleted.add(path);
    if (this.#dryRun) return;
    for (const { path: below, problem } of await removeEntry(directory, name, stat)) this.#report.skipped.add(problem, [...path.slice(0, -1), ...below]);
  }

  /** What to do about an entry whose name exists on disk. */
  async #decide(index: number, stat: EntryStat, directory: Directory | undefined): Promise<void> {
    const kind = this.#table.kind(index);
    const name = this.#table.name(index);
    if (stat.isLocked === true) await this.#unlock(index, stat, directory);
    if (kind === 'directory' && stat.kind === 'directory') return this.#table.setState(index, entryState.reuse);
    if (directory !== undefined && (kind === 'directory' || stat.kind === 'directory')) {
      // Neither can be renamed over the other: what is there goes at once.
      this.#report.deleted.add(this.#table.path(index));
      if (this.#dryRun) return;
      const problems = await removeEntry(directory, name, stat);
      for (const { path, problem } of problems) this.#report.skipped.add(problem, [...this.#table.path(index).slice(0, -1), ...path]);
      if (problems.length > 0) this.#skip(index, 'something else is in its place that cannot be removed');
      return;
    }
    if (kind === 'file' && stat.kind === 'file' && stat.linkCount > 1) {
      // Whether all its names are ours shows only once every directory has been looked at.
      const key = `${stat.dev}:${stat.ino}`;
      const known = this.#linked.get(key);
      if (known === undefined) this.#linked.set(key, { linkCount: stat.linkCount, entries: [index] });
      else known.entries.push(index);
      return this.#table.setState(index, entryState.replace);
    }
    const isSame = directory !== undefined && stat.linkCount === 1 && this.#table.linkOf(index) === undefined && (await this.#isSameNode(index, stat, directory));
    this.#table.setState(index, isSame || (index === 0 && kind === stat.kind) ? entryState.reuse : entryState.replace);
  }

  async #unlock(index: number, stat: EntryStat, directory: Directory | undefined): Promise<void> {
    if (directory !== undefined) return this.#flags.unlock(index, directory, this.#table.name(index));
    if (stat.kind === 'directory') return this.#directories.use(index, (root) => this.#flags.unlock(index, root, undefined));
    return this.#directories.useParent(index, (container, name) => this.#flags.unlock(index, container, name));
  }

  async #isSameNode(index: number, stat: EntryStat, directory: Directory): Promise<boolean> {
    if (this.#table.kind(index) !== stat.kind) return false;
    switch (stat.kind) {
      case 'symlink':
        return (await directory.readSymlink(this.#table.name(index))).equals(this.#table.target(index));
      case 'block-device':
      case 'character-device': {
        const { major, minor } = this.#table.device(index);
        return stat.deviceMajor === major && stat.deviceMinor === minor;
      }
      default:
        return true;
    }
  }

  /**
   * A file with several names is written through only when all of them are names that this restore
   * gives to one file. Otherwise what hangs on another name, outside, would change with it.
   */
  #judgeLinked(): void {
    for (const { linkCount, entries } of this.#linked.values()) {
      const first = Math.min(...entries.map((index) => this.#table.linkOf(index) ?? index));
      const isOurs = entries.length === linkCount && entries.includes(first) && entries.every((index) => (this.#table.linkOf(index) ?? index) === first);
      if (!isOurs) continue;
      for (const index of entries) this.#table.setState(index, index === first ? entryState.reuse : entryState.keep);
    }
    this.#linked.clear();
  }
}

/** The name under which the replacement of `name` is written; always the same, so that a leftover is found again. */
export function draftName(table: EntryTable, parent: number | undefined, name: Buffer): Buffer {
  const base = draftBase(name);
  let draft = base;
  // A restored tree may itself hold the leftover of an earlier restore.
  for (let attempt = 1; parent !== undefined && table.find(parent, draft) !== undefined; attempt += 1) draft = `${base}-${attempt}`;
  return Buffer.from(draft, 'latin1');
}

export function draftBase(name: Buffer): string {
  return `.afterimage-restore-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
