/** Leads from a node to its entry on disk: open directories by node, least recently used closed first. */
import { rootNode, type NodeId } from '../../proto/change.js';
import { nameBytes } from '../../proto/name.js';
import type { Directory, EntryName } from '../../native/host/directory.js';
import { errorCode } from '../../proto/errors.js';
import { DivergenceError } from './divergence.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import type { Touched } from './touched.js';

/** An open directory that stays open until it is released. */
export interface Lease {
  readonly directory: Directory;
  /** Undefined for the staging directory. */
  readonly node: NodeId | undefined;
  release(): void;
}

/** An entry: its directory, held open, and its name there. */
export interface Spot extends Lease {
  readonly name: EntryName;
}

interface OpenPlace {
  readonly directory: Directory;
  pins: number;
}

export const stagedName = (node: NodeId): EntryName => Buffer.from(`n${node}`);

export interface PlacesOptions {
  readonly namespace: SqliteNamespace;
  readonly tree: Directory;
  readonly staging: Directory;
  readonly touched: Touched;
  readonly directoriesMax: number;
}

export class Places {
  readonly #options: PlacesOptions;
  readonly #open = new Map<NodeId, OpenPlace>();

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get staging(): Directory {
    return this.#options.staging;
  }

  /** The directory that a directory node is on disk. */
  async lease(node: NodeId): Promise<Lease> {
    const { namespace, tree, staging, directoriesMax } = this.#options;
    if (node === rootNode) return { directory: tree, node, release: () => {} };
    const chain: { node: NodeId; name: EntryName }[] = [];
    let at = node;
    let from: { directory: Directory; node: NodeId | undefined; place?: OpenPlace } | undefined;
    while (from === undefined) {
      const place = this.#open.get(at);
      if (at === rootNode) from = { directory: tree, node: rootNode };
      else if (place !== undefined) {
        from = { directory: place.directory, node: at, place };
        this.#open.delete(at);
        this.#open.set(at, place);
      } else if (namespace.isStaged(at)) {
        chain.push({ node: at, name: stagedName(at) });
        from = { directory: staging, node: undefined };
      } else {
        const named = namespace.presentName(at);
        if (named === undefined) throw new DivergenceError(`node ${at} has no place on disk`);
        chain.push({ node: at, name: nameBytes(named.name) });
        at = named.parent;
      }
    }
    let { directory, place } = from;
    let above = from.node;
    if (place !== undefined) place.pins += 1;
    for (const step of chain.reverse()) {
      const parent = directory;
      const held: OpenPlace | undefined = place;
      try {
        directory = await this.permitted({ directory: parent, node: above }, step, () => parent.openDirectory(step.name));
      } finally {
        if (held !== undefined) held.pins -= 1;
      }
      place = { directory, pins: 1 };
      // Two callers may have opened it at once; the later one stays in the cache.
      const before = this.#open.get(step.node);
      if (before !== undefined) await this.#close(step.node, before);
      this.#open.set(step.node, place);
      above = step.node;
      if (this.#open.size > directoriesMax) await this.#evict();
    }
    const leased = place!;
    let released = false;
    return {
      directory: leased.directory,
      node,
      release: () => {
        if (!released) leased.pins -= 1;
        released = true;
      },
    };
  }

  /** Where a node's entry is: one of its present names, or the staging directory. */
  async spot(node: NodeId): Promise<Spot> {
    const { namespace, staging } = this.#options;
    if (namespace.isStaged(node)) return { directory: staging, node: undefined, name: stagedName(node), release: () => {} };
    const named = namespace.presentName(node);
    if (named === undefined) throw new DivergenceError(`node ${node} has no place on disk`);
    return { ...(await this.lease(named.parent)), name: nameBytes(named.name) };
  }

  /**
   * Runs an operation in a directory. Where the modes that the source gave keep the replica's own user
   * out, they are loosened first and put back when metadata is next set.
   */
  async permitted<Result>(
    where: { readonly directory: Directory; readonly node: NodeId | undefined },
    entry: { readonly name: EntryName; readonly node: NodeId } | undefined,
    run: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (errorCode(error) !== 'EACCES') throw error;
    }
    const { touched } = this.#options;
    await where.directory.setOwnerAndMode(undefined, { mode: 0o700 });
    if (where.node !== undefined) touched.add(where.node);
    if (entry !== undefined) {
      const stat = await where.directory.lookup(entry.name);
      if (stat !== undefined && (stat.kind === 'file' || stat.kind === 'directory')) {
        await where.directory.setOwnerAndMode(entry.name, { mode: stat.kind === 'file' ? 0o600 : 0o700 });
        touched.add(entry.node);
      }
    }
    return run();
  }

  /** Forgets a directory that is gone. */
  async forget(node: NodeId): Promise<void> {
    const place = this.#open.get(node);
    if (place !== undefined) await this.#close(node, place);
  }

  /** Closes every directory but tree and staging: after one was moved, those opened by path lead nowhere. */
  async forgetAll(): Promise<void> {
    for (const [node, place] of [...this.#open]) await this.#close(node, place);
  }

  async #evict(): Promise<void> {
    for (const [node, place] of this.#open) {
      if (this.#open.size <= this.#options.directoriesMax) return;
      if (place.pins === 0) await this.#close(node, place);
    }
  }

  async #close(node: NodeId, place: OpenPlace): Promise<void> {
    if (this.#open.get(node) === place) this.#open.delete(node);
    await place.directory.close();
  }
}
