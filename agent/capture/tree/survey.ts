/** Looks at directories of the protected tree and gathers where they differ from the index; changes no journal. */
import { setImmediate } from 'node:timers/promises';
import type { Directory, EntryStat } from '../../../native/host/directory.js';
import { displayPath, type Name } from '../../../proto/name.js';
import type { ChildRow, NodeRow } from './capture-index.js';
import { isText } from './text-name.js';
import { isGone, isReadFailure, messageOf } from './read-failure.js';
import { canBe, identityOf, nodeBytes, type Seen, signatureOf } from './seen.js';
import { type DirectoryPlace, MovedError, TreeAccess } from './tree-access.js';
import type { VolumeParts } from './volume-parts.js';

/** A directory to look at: all of it, or some names; `deep` goes on into the directories found in it. */
export interface SurveyTask {
  readonly directory: number;
  /** Taken out as they are looked at. */
  readonly names?: Set<string>;
  readonly deep: boolean;
}

/** A name that another node has now than in the index; 0 when it has none. */
export interface FoundPosition {
  readonly parent: number;
  readonly name: string;
  readonly node: number;
}

/** A node that is not in the index yet: provisional numbers are negative until it is created. */
export interface FoundNode {
  readonly seen: Seen;
  readonly seenAtNs: bigint;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** A node in the index whose content or metadata may differ. */
export interface FoundDifference {
  readonly node: number;
  readonly parent: number;
  readonly name: string;
}

const pageRows = 500;
/** Names that differ are planned together, which takes time in one piece: so many at most. */
export const positionsMax = 1024;

/** How an entry is looked at: `now` judges a name that is gone at once. */
interface Look {
  readonly deep: boolean;
  readonly seenAtNs: bigint;
  readonly now: boolean;
}

export class Survey implements AsyncDisposable {
  readonly #parts: VolumeParts;
  readonly #root: Directory;
  readonly rootStat: EntryStat;
  readonly access: TreeAccess;
  readonly tasks: SurveyTask[] = [];
  /** By `parent/name`. */
  readonly positions = new Map<string, FoundPosition>();
  readonly newNodes = new Map<number, FoundNode>();
  readonly differences = new Map<number, FoundDifference>();
  /** Directories that were not where they should be, or whose names moved meanwhile: to be looked at again. */
  readonly retry = new Set<number>();
  /** Names that are gone; a whole-tree walk judges them at its end, when moved nodes have been seen. */
  readonly vanished: { readonly parent: number; readonly name: string }[] = [];
  /** Entries listed. */
  entries = 0;
  readonly #provisional = new Map<string, number>();
  readonly #places = new Map<number, DirectoryPlace>();
  readonly #paths = new Map<number, readonly Name[] | undefined>();
  readonly #deferVanished: boolean;
  #nextProvisional = -1;

  /**
   * Files that are read though size and times are as they were: those of which that was to be done some
   * time after a write; at once all of those, where what is promised must not wait for the times to tell of stores
   * through a mapping; or every file, where the times never tell of such.
   */
  readsAgain: 'due' | 'mapped' | 'all' = 'due';

  constructor(parts: VolumeParts, root: { readonly directory: Directory; readonly stat: EntryStat }, options: { readonly deferVanished: boolean }) {
    this.#parts = parts;
    this.#root = root.directory;
    this.rootStat = root.stat;
    this.#deferVanished = options.deferVanished;
    this.access = new TreeAccess(root.directory, 1, (directory) => this.#place(directory), (stat) => this.identify(stat));
  }

  identify(stat: EntryStat): string {
    return identityOf(stat, this.rootStat.dev);
  }

  get pending(): number {
    return this.positions.size + this.differences.size;
  }

  /** Looks at one task; what it finds is in the public fields afterwards. */
  async run(task: SurveyTask, signal: AbortSignal): Promise<void> {
    let handle: Directory;
    try {
      handle = await this.access.open(task.directory);
    } catch (error) {
      await this.#cannotOpen(task.directory, error);
      return;
    }
    try {
      if (task.names === undefined) await this.#list(handle, task, signal);
      else await this.#lookUp(handle, task.directory, task.names, task.deep);
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      this.#report(task.directory, undefined, `cannot be listed: ${messageOf(error)}`);
    }
    await this.access.trim();
  }

  /** Looks at one name; used to see whether a moved node is still where it was. */
  async recheck(parent: number, name: string): Promise<void> {
    await this.#lookUp(await this.access.open(parent), parent, new Set([name]), false, true);
  }

  async #lookUp(handle: Directory, directory: number, names: Set<string>, deep: boolean, now = false): Promise<void> {
    const { index, volume, clock } = this.#parts;
    for (const name of names) {
      if (this.positions.size >= positionsMax && !now) {
        this.tasks.push({ directory, names, deep });
        return;
      }
      names.delete(name);
      const seenAtNs = clock.wallNs();
      const stat = await handle.lookup(nodeBytes(name));
      const row = directory > 0 ? index.child(volume, directory, name) : undefined;
      if (stat === undefined) this.#gone(directory, name, row, now);
      else await this.#observe(handle, directory, name, stat, row, { deep, seenAtNs, now });
    }
  }

  async #list(handle: Directory, { directory, deep }: SurveyTask, signal: AbortSignal): Promise<void> {
    const { index, volume, clock } = this.#parts;
    const seenAtNs = clock.wallNs();
    const found = new Map<string, EntryStat>();
    for (const entry of await handle.list()) found.set(entry.name.toString('latin1'), entry.stat);
    this.entries += found.size;
    if (directory > 0) {
      for (let after = ''; ; ) {
        const rows = index.children(volume, directory, after, pageRows);
        for (const row of rows) {
          const stat = found.get(row.name);
          found.delete(row.name);
          if (stat === undefined) this.#gone(directory, row.name, row, false);
          else await this.#observe(handle, directory, row.name, stat, row, { deep, seenAtNs, now: false });
        }
        if (rows.length < pageRows) break;
        after = rows.at(-1)!.name;
        // Large directories must not hold up everything else.
        await setImmediate();
        signal.throwIfAborted();
      }
    }
    let count = 0;
    for (const [name, stat] of found) {
      if (this.positions.size >= positionsMax) {
        // What is new in a large directory is recorded piece by piece, in bounded memory.
        this.tasks.push({ directory, names: new Set(found.keys()), deep });
        return;
      }
      found.delete(name);
      await this.#observe(handle, directory, name, stat, undefined, { deep, seenAtNs, now: false });
      count += 1;
      if (count % pageRows === 0) await setImmediate();
    }
  }

  #gone(directory: number, name: string, row: ChildRow | undefined, now: boolean): void {
    if (row === undefined) {
      // A position gathered before may have gone again.
      this.positions.delete(`${directory}/${name}`);
      return;
    }
    if (this.#deferVanished && !now) this.vanished.push({ parent: directory, name });
    else this.positions.set(`${directory}/${name}`, { parent: directory, name, node: 0 });
  }

  async #observeOnce(handle: Directory, parent: number, name: string, stat: EntryStat, row: ChildRow | undefined, { deep, seenAtNs, now }: Look): Promise<void> {
    const { index, volume, excludes } = this.#parts;
    if (excludes.isExcluded(excludes.needsPath ? this.#textPath(parent, name) : '', stat)) return this.#gone(parent, name, row, now);
    if (stat.kind === 'directory' && stat.dev !== this.rootStat.dev) {
      this.#parts.report(this.display(parent, name), 'another file system is mounted here; it is not captured as part of this volume', true);
      return;
    }
    const identity = this.identify(stat);
    if (row !== undefined && row.identity === identity && (await this.#isUnchanged(handle, row, { stat, identity }))) {
      this.positions.delete(`${parent}/${name}`);
      if (this.#mayDiffer(row, stat, seenAtNs)) this.differences.set(row.node, { node: row.node, parent, name });
      if (stat.kind === 'directory' && !isText(name)) this.#parts.onUnwatchable(row.node);
      if (deep && stat.kind === 'directory') this.tasks.push({ directory: row.node, deep });
      return;
    }
    const seen: Seen = stat.kind === 'symlink' ? await readLink(handle, name, stat, identity) : { stat, identity };
    let known = index.nodeByIdentity(volume, identity);
    if (known !== undefined && !canBe(known, seen)) {
      this.#parts.recorder.touch();
      index.setIdentity(volume, known.node, null);
      known = undefined;
    }
    // Asked again: another name of the node may have told its inode since the row was read.
    if (known === undefined && row !== undefined && row.identity === null && index.node(volume, row.node)?.identity === null && canBe(row, seen)) {
      // The inode was not known, as after a crash: the name tells which node it is.
      this.#parts.recorder.touch();
      index.setIdentity(volume, row.node, identity);
      this.differences.set(row.node, { node: row.node, parent, name });
      if (deep && stat.kind === 'directory') this.tasks.push({ directory: row.node, deep });
      return;
    }
    await this.#differs(handle, { parent, name }, seen, known?.node, { deep, seenAtNs });
  }

  async #differs(
    handle: Directory, place: { readonly parent: number; readonly name: string }, seen: Seen, known: number | undefined,
    { deep, seenAtNs }: { readonly deep: boolean; readonly seenAtNs: bigint },
  ): Promise<void> {
    const { parent, name } = place;
    let node = known ?? this.#provisional.get(seen.identity);
    if (node === undefined) {
      node = this.#nextProvisional;
      this.#nextProvisional -= 1;
      this.#provisional.set(seen.identity, node);
      let xattrs: ReadonlyMap<string, Buffer> = new Map();
      try {
        xattrs = await handle.xattrs(nodeBytes(name));
      } catch (error) {
        if (!isGone(error)) this.#report(parent, name, `extended attributes cannot be read: ${messageOf(error)}`);
      }
      this.newNodes.set(node, { seen, seenAtNs, xattrs });
    }
    if (seen.stat.kind === 'directory') {
      const before = this.#places.get(node);
      if (before !== undefined) {
        // It moved while being looked for; a directory has one name only, and the later look counts.
        this.positions.delete(`${before.parent}/${before.name}`);
        this.retry.add(before.parent);
      }
      this.#places.set(node, { parent, name, identity: seen.identity });
      if (deep || node < 0) this.tasks.push({ directory: node, deep: true });
    }
    if (known !== undefined) this.differences.set(known, { node: known, parent, name });
    this.positions.set(`${parent}/${name}`, { parent, name, node });
  }

  async #observe(handle: Directory, parent: number, name: string, stat: EntryStat, row: ChildRow | undefined, how: Look): Promise<void> {
    try {
      await this.#observeOnce(handle, parent, name, stat, row, how);
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      if (!isGone(error)) this.#report(parent, name, `cannot be read: ${messageOf(error)}`);
      else this.retry.add(parent);
    }
  }

  /** The parts of a node that never change in place are compared where its times say that something did. */
  async #isUnchanged(handle: Directory, row: ChildRow, seen: Seen): Promise<boolean> {
    if (row.signature === signatureOf(seen.stat) || (row.kind !== 'symlink' && row.device === null)) return true;
    return canBe(row, row.kind === 'symlink' ? await readLink(handle, row.name, seen.stat, seen.identity) : seen);
  }

  #mayDiffer(row: ChildRow, stat: EntryStat, nowNs: bigint): boolean {
    if (row.signature !== signatureOf(stat)) return true;
    return this.isToBeRead(row, nowNs);
  }

  /** Whether a file's content is to be compared though its size and times are as they were. */
  isToBeRead({ kind, verifyAfterMs }: Pick<NodeRow, 'kind' | 'verifyAfterMs'>, nowNs: bigint): boolean {
    if (kind !== 'file') return false;
    if (this.readsAgain === 'all') return true;
    return verifyAfterMs !== 0 && (this.readsAgain === 'mapped' || nowNs / 1_000_000n > BigInt(verifyAfterMs));
  }

  /** Numbers of created nodes become known: what is still to be looked at goes by those. */
  async settle(created: ReadonlyMap<number, number>): Promise<void> {
    const tasks = this.tasks.splice(0);
    for (const task of tasks) {
      const directory = task.directory > 0 ? task.directory : created.get(task.directory);
      if (directory !== undefined) this.tasks.push({ ...task, directory });
    }
    for (const directory of [...this.retry]) {
      if (directory > 0) continue;
      this.retry.delete(directory);
      const node = created.get(directory);
      if (node !== undefined) this.retry.add(node);
    }
    this.positions.clear();
    this.newNodes.clear();
    this.differences.clear();
    this.#provisional.clear();
    this.#places.clear();
    this.#paths.clear();
    await this.access.clear();
  }

  #place(directory: number): DirectoryPlace | undefined {
    const found = this.#places.get(directory);
    if (found !== undefined) return found;
    if (directory < 0) return undefined;
    const { index, volume } = this.#parts;
    const link = index.linksOf(volume, directory)[0];
    const row = link === undefined ? undefined : index.node(volume, directory);
    return link === undefined || row === undefined ? undefined : { ...link, identity: row.identity };
  }

  async #cannotOpen(directory: number, error: unknown): Promise<void> {
    if (error instanceof MovedError) {
      if (error.parent !== 0) this.retry.add(error.parent);
      return;
    }
    if (!isReadFailure(error)) throw error;
    this.#report(directory, undefined, `cannot be opened: ${messageOf(error)}`);
  }

  /** Components from the root; undefined when the directory hangs on nothing. */
  path(directory: number): readonly Name[] | undefined {
    if (directory === 1) return [];
    if (this.#paths.has(directory)) return this.#paths.get(directory);
    const names: Name[] = [];
    for (let at = directory; at !== 1; ) {
      const place = this.#place(at);
      if (place === undefined || names.length > 100_000) return undefined;
      names.push(place.name as Name);
      at = place.parent;
    }
    names.reverse();
    if (this.#paths.size > 1000) this.#paths.clear();
    this.#paths.set(directory, names);
    return names;
  }

  #textPath(parent: number, name: string): string {
    return [...(this.path(parent) ?? []), name].map((part) => nodeBytes(part).toString()).join('/');
  }

  display(parent: number, name: string | undefined): string {
    const names = this.path(parent) ?? [];
    return displayPath(name === undefined ? names : [...names, name as Name]);
  }

  #report(parent: number, name: string | undefined, problem: string): void {
    this.#parts.report(this.display(parent, name), problem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.access.clear();
    await this.#root.close();
  }
}

async function readLink(handle: Directory, name: string, stat: EntryStat, identity: string): Promise<Seen> {
  return { stat, identity, target: await handle.readSymlink(nodeBytes(name)) };
}
