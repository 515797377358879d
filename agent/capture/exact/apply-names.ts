/** Gives the names that fanotify told of their place in the order of changes, and applies them to the volumes they concern. */
import type { InodeKey } from '../../../native/capture/names.js';
import type { NodeMetadata } from '../../../proto/change.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { metadataOf } from '../tree/seen.js';
import type { ExactVolume } from './exact-volume.js';
import type { FileSystem } from './file-system.js';
import { nameBits, type QueuedName } from './name-queue.js';
import type { NamedInode, Place } from './volume-names.js';

/** What the record of the call told of the inode that it made. */
export interface MadeInode {
  readonly inode: InodeKey;
  readonly metadata: NodeMetadata;
}

const latestMax = 10_000;

interface Located {
  readonly volume: ExactVolume;
  readonly place: Place;
}

export class NameApplier {
  readonly #fileSystem: FileSystem;
  /** The latest event applied to a name while earlier ones of the queue wait: those must not undo it. */
  readonly #latest = new Map<string, number>();
  #purgeSize = latestMax;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** Applies the events of one call. `made` is the inode that it made; `isNew`: the call makes a new inode, whose content the stream tells. */
  async apply(claimed: readonly QueuedName[], bit: number, facts: ChangeFacts, how: { readonly made?: MadeInode; readonly isNew: boolean }): Promise<void> {
    const [first, second] = claimed;
    if (first === undefined) return;
    const isSwapped = second !== undefined && (await this.#exchange(first, second, facts));
    if (isSwapped) this.#applied(second);
    for (const queued of claimed) {
      if (!isSwapped) await this.#applyOne(queued, bit, facts, how);
      if (queued.unsure) await this.lookUp(queued, { cause: 'names changed faster than they could be told apart', sinceNs: facts.timeNs! });
    }
  }

  /** The names that an event concerns are looked up, since nothing tells what they are now. */
  async lookUp({ event }: QueuedName, why: { readonly cause: string; readonly sinceNs: bigint }): Promise<void> {
    for (const located of [this.#locate(event.directory, event.name), this.#locate(event.toDirectory, event.toName)]) {
      await located?.volume.lookUp(located.place.directory, [located.place.name], why);
    }
  }

  async #applyOne(queued: QueuedName, bit: number, facts: ChangeFacts, how: { readonly made?: MadeInode; readonly isNew: boolean }): Promise<void> {
    const { event } = queued;
    await this.#bringDirectories(queued, facts);
    const at = this.#locate(event.directory, event.name);
    if (bit === nameBits.create) {
      if (at !== undefined && event.target !== undefined && !this.#isSuperseded(queued, event.directory, event.name)) await at.volume.names.set(at.place, this.#named(event.target, event.isDirectory, how), facts);
    } else if (bit === nameBits.delete) {
      if (at !== undefined && !this.#isSuperseded(queued, event.directory, event.name)) await at.volume.names.unset(at.place, event.target, facts);
    } else await this.#rename(queued, facts);
    this.#applied(queued);
  }

  async #rename(queued: QueuedName, facts: ChangeFacts): Promise<void> {
    const { event } = queued;
    const from = this.#locate(event.directory, event.name);
    const to = this.#locate(event.toDirectory, event.toName);
    const fromStands = from !== undefined && !this.#isSuperseded(queued, event.directory, event.name);
    const toStands = to !== undefined && !this.#isSuperseded(queued, event.toDirectory, event.toName);
    if (fromStands && toStands && from.volume === to.volume && (await from.volume.names.rename(from.place, to.place, event.target, facts)) !== 0) return;
    if (toStands && event.target !== undefined) await to.volume.names.set(to.place, this.#named(event.target, event.isDirectory, { isNew: false }), facts);
    if (fromStands) await from.volume.names.unset(from.place, event.target, facts);
  }

  /** The two halves of an exchange as one change, where both names are in one volume. */
  async #exchange(first: QueuedName, second: QueuedName, facts: ChangeFacts): Promise<boolean> {
    const { event } = first;
    if (event.target === undefined || second.event.target === undefined) return false;
    await this.#bringDirectories(first, facts);
    const one = this.#locate(event.directory, event.name);
    const other = this.#locate(event.toDirectory, event.toName);
    if (one === undefined || other === undefined || one.volume !== other.volume) return false;
    if (this.#isSuperseded(first, event.directory, event.name) || this.#isSuperseded(first, event.toDirectory, event.toName)) return false;
    const done = await one.volume.names.exchange({ ...one.place, inode: event.target }, { ...other.place, inode: second.event.target }, facts);
    if (done) this.#applied(first);
    return done;
  }

  /** A directory that is not known yet may have been made by a call that has not returned. */
  async #bringDirectories(queued: QueuedName, facts: ChangeFacts): Promise<void> {
    for (const directory of [queued.event.directory, queued.event.toDirectory]) {
      if (directory === undefined || this.#fileSystem.find(directory) !== undefined) continue;
      const naming = this.#fileSystem.queue.naming(directory);
      if (naming !== undefined && naming.index < queued.index && isMaking(naming)) await this.applyEarly(naming, facts);
    }
  }

  /** Applies an event that gave a name before its call returned: something that came of it is told already. */
  async applyEarly(queued: QueuedName, facts: ChangeFacts): Promise<void> {
    this.#fileSystem.queue.take(queued, nameBits.create);
    // Whether the call made the inode is not told yet: a file that had no name before may have content already.
    await this.#applyOne(queued, nameBits.create, facts, { isNew: queued.event.isDirectory });
  }

  /** What was applied out of the queue's order, for a later engine to go on with. */
  get latest(): ReadonlyMap<string, number> {
    return this.#latest;
  }
  restore(latest: ReadonlyMap<string, number>): void {
    for (const [register, index] of latest) this.#latest.set(register, index);
  }

  #locate(directory: InodeKey | undefined, name: Buffer | undefined): Located | undefined {
    if (directory === undefined || name === undefined || name.length === 0) return undefined;
    const found = this.#fileSystem.find(directory);
    return found === undefined ? undefined : { volume: found.volume, place: { directory: found.node, name: name.toString('latin1') } };
  }

  #named(inode: InodeKey, isDirectory: boolean, { made, isNew }: { readonly made?: MadeInode; readonly isNew: boolean }): NamedInode {
    return {
      inode,
      isDirectory,
      isNew,
      metadata: () => {
        const found = this.#fileSystem.handles.look(inode);
        if (made !== undefined && made.inode.ino === inode.ino && made.inode.generation === inode.generation) return found === undefined || found.xattrs.size === 0 ? made.metadata : { ...made.metadata, xattrs: found.xattrs };
        if (found === undefined) return undefined;
        return metadataOf({ stat: found.stat, identity: '', ...(found.target === undefined ? {} : { target: found.target }) }, found.xattrs);
      },
    };
  }

  #isSuperseded(queued: QueuedName, directory: InodeKey | undefined, name: Buffer | undefined): boolean {
    return !queued.merged && directory !== undefined && name !== undefined && (this.#latest.get(registerOf(directory, name)) ?? -1) > queued.index;
  }

  /** Remembers what was applied out of the queue's order, for as long as something earlier waits. */
  #applied({ index, event }: QueuedName): void {
    const first = this.#fileSystem.queue.firstWaiting;
    if (first > index) {
      if (first === Infinity) this.#latest.clear();
      return;
    }
    for (const [directory, name] of [[event.directory, event.name], [event.toDirectory, event.toName]] as const) {
      if (directory !== undefined && name !== undefined) this.#latest.set(registerOf(directory, name), index);
    }
    // Nothing that waits is earlier than the first, so what came before it can undo nothing.
    if (this.#latest.size < this.#purgeSize) return;
    for (const [register, at] of this.#latest) if (at < first) this.#latest.delete(register);
    // As long as the same one waits another try soon would find no more.
    this.#purgeSize = Math.max(latestMax, 2 * this.#latest.size);
  }
}

/** Whether an event may be applied before its call: a move would take effect before its time, and what moves in is read anyway. */
export function isMaking({ waiting }: QueuedName): boolean {
  return (waiting & nameBits.create) !== 0;
}

function registerOf({ ino, generation, tree }: InodeKey, name: Buffer): string {
  return `${ino}:${generation}:${tree}/${name.toString('latin1')}`;
}
