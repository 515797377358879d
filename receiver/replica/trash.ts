/** Removes whole directories: moves them into the staging directory first, so that the tree shows all or nothing of it. */
import type { NodeId } from '../../proto/change.js';
import type { Directory, EntryName, EntryStat } from '../../native/host/directory.js';
import { stagedName } from './places.js';

/** Says that an entry among what is removed belongs to a node that lives on. */
export type Survivor = (stat: EntryStat) => NodeId | undefined;

export interface TrashOptions {
  readonly staging: Directory;
  /** Told when a survivor was moved to the staging directory under its staged name. */
  readonly onStaged: (node: NodeId, stat: EntryStat) => void;
}

const prefix = 't';

/**
 * Directories are flattened: each sub-directory is itself moved up into the staging directory. So no
 * depth of nesting needs more than one open directory, or a path of any length.
 */
export class Trash {
  readonly #options: TrashOptions;
  #next = 1;
  readonly #pending: EntryName[] = [];

  constructor(options: TrashOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier process left: everything in the staging directory is looked at again. */
  static async resume(options: TrashOptions): Promise<Trash> {
    const trash = new Trash(options);
    for (const { name } of await options.staging.list()) {
      const number = /^t([0-9]{1,15})$/.exec(name.toString('latin1'))?.[1];
      if (number !== undefined) trash.#next = Math.max(trash.#next, Number(number) + 1);
    }
    return trash;
  }

  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Moves an entry, of whatever kind, out of its directory; it is gone after `empty`. */
  async take(directory: Directory, name: EntryName): Promise<void> {
    const taken = Buffer.from(`${prefix}${this.#next}`);
    this.#next += 1;
    await directory.rename(name, this.#options.staging, taken);
    this.#pending.push(taken);
  }

  /** Puts an entry in the staging directory under its node's name there; a further name of the same file only goes. */
  async stage(node: NodeId, directory: Directory, name: EntryName, stat: EntryStat): Promise<void> {
    const { staging, onStaged } = this.#options;
    const target = stagedName(node);
    const there = await staging.lookup(target);
    if (there !== undefined && there.ino === stat.ino) {
      if (directory !== staging || !name.equals(target)) await directory.unlink(name);
    } else {
      if (there !== undefined) await this.take(staging, target);
      await directory.rename(name, staging, target);
    }
    onStaged(node, stat);
  }

  /** Removes all that was taken, saving what `survivor` names. */
  async empty(survivor: Survivor = () => undefined): Promise<void> {
    const { staging } = this.#options;
    for (let name = this.#pending.pop(); name !== undefined; name = this.#pending.pop()) {
      const stat = await staging.lookup(name);
      if (stat === undefined) continue;
      if (stat.kind !== 'directory') {
        const node = survivor(stat);
        if (node === undefined) await staging.unlink(name);
        else await this.stage(node, staging, name, stat);
        continue;
      }
      // Modes of the source must not keep the replica's own user from emptying it.
      await staging.setOwnerAndMode(name, { mode: 0o700 });
      const directory = await staging.openDirectory(name);
      try {
        for (const entry of await directory.list()) await this.#clear(directory, entry.name, entry.stat, survivor);
      } finally {
        await directory.close();
      }
      await staging.removeDirectory(name);
    }
  }

  async #clear(directory: Directory, name: EntryName, stat: EntryStat, survivor: Survivor): Promise<void> {
    const node = survivor(stat);
    if (stat.kind === 'directory') await directory.setOwnerAndMode(name, { mode: 0o700 });
    if (node !== undefined) await this.stage(node, directory, name, stat);
    else if (stat.kind === 'directory') await this.take(directory, name);
    else await directory.unlink(name);
  }
}
