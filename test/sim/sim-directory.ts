/** Directories of a simulated disk: what is seen, and which names a power cut may take or bring back. */
import type { Chance } from './chance.js';
import { SimInode } from './sim-inode.js';

export type SimNode = SimDirectory | SimInode;

/** One creation, rename or removal: whole on the disk, or not at all. */
export interface DirectoryEdit {
  readonly puts: readonly { readonly directory: SimDirectory; readonly name: string; readonly node: SimNode | undefined }[];
}

export class SimDirectory {
  readonly entries = new Map<string, SimNode>();
  readonly #durable = new Map<string, SimNode>();
  #pending: DirectoryEdit[] = [];

  /** What a power cut now leaves at the least. */
  get durableEntries(): ReadonlyMap<string, SimNode> {
    return this.#durable;
  }

  /** The edits that a sync which begins now makes durable. */
  pending(): readonly DirectoryEdit[] {
    return [...this.#pending];
  }

  /** Makes the names that were seen when `edits` was taken survive. */
  sync(edits: readonly DirectoryEdit[]): void {
    for (const edit of edits) if (this.#pending.includes(edit)) commit(edit);
  }

  /** Each edit since the last sync arrived or did not; what is below follows. */
  cutPower(chance: Chance): void {
    const share = chance.pick([0, 0.5, 1]);
    for (const edit of [...this.#pending]) {
      if (chance.fraction() < share) commit(edit);
      else withdraw(edit);
    }
    this.entries.clear();
    for (const [name, node] of this.#durable) {
      this.entries.set(name, node);
      node.cutPower(chance);
    }
  }

  static apply(edit: DirectoryEdit): void {
    for (const { directory, name, node } of edit.puts) {
      put(directory.entries, name, node);
      if (!directory.#pending.includes(edit)) directory.#pending.push(edit);
    }
  }

  static commit(edit: DirectoryEdit): void {
    for (const { directory, name, node } of edit.puts) put(directory.#durable, name, node);
    SimDirectory.withdraw(edit);
  }

  static withdraw(edit: DirectoryEdit): void {
    for (const { directory } of edit.puts) directory.#pending = directory.#pending.filter((known) => known !== edit);
  }
}

const { commit, withdraw } = SimDirectory;

function put(entries: Map<string, SimNode>, name: string, node: SimNode | undefined): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}
