/** Brings the names on disk to those of the namespace, from whatever an interrupted process left. */
import { rootNode, type NodeId } from '../../proto/change.js';
import type { Name } from '../../proto/name.js';
import type { NamedNode } from '../../proto/tree/namespace.js';
import type { EntryStat, ListedEntry } from '../../native/host/directory.js';
import { DivergenceError } from './divergence.js';
import type { EntryMover } from './entry-mover.js';
import { stagedName, type Lease, type Places } from './places.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import type { Touched } from './touched.js';
import type { Trash } from './trash.js';

export interface ReconcileParts {
  readonly namespace: SqliteNamespace;
  readonly places: Places;
  readonly mover: EntryMover;
  readonly trash: Trash;
  readonly touched: Touched;
  readonly asRoot: boolean;
  readonly signal: AbortSignal;
  /** Has the function told of every node whose entry is moved to the staging directory. */
  readonly watchStaged: (onStaged: ((node: NodeId) => void) | undefined) => void;
}

/**
 * Nodes that were there at the last checkpoint are known by their marks (inode numbers), which no
 * other entry can have taken while they live. First every known entry that is not at its name goes
 * to the staging directory and every unknown one goes; then each name that lacks its entry gets it,
 * from the staging directory, as a further link, or made anew when its node is younger than the
 * checkpoint. A node that should be there and is nowhere is a divergence.
 */
export async function reconcile(parts: ReconcileParts): Promise<void> {
  const run = new Reconciliation(parts);
  parts.namespace.beginSearch();
  try {
    await run.run();
  } finally {
    parts.watchStaged(undefined);
  }
  parts.namespace.endSearch();
}

class Reconciliation {
  readonly #parts: ReconcileParts;
  readonly #toVisit: NodeId[] = [];
  readonly #missing: NamedNode[] = [];

  constructor(parts: ReconcileParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { namespace, places, trash, signal, watchStaged } = this.#parts;
    const stagedBefore = namespace.stagedOrUnmade().filter((node) => namespace.isStaged(node));
    namespace.clearStaged();
    watchStaged((node) => {
      if (namespace.node(node)?.nodeKind === 'directory') this.#toVisit.push(node);
    });
    for (const { name, stat } of await places.staging.list()) {
      const owner = this.#owner(stat);
      if (owner === undefined) await trash.take(places.staging, name);
      else await trash.stage(owner, places.staging, name, stat);
    }
    await this.#emptyTrash();
    const root = await places.lease(rootNode);
    this.#compare(rootNode, await root.directory.stat());
    this.#toVisit.push(rootNode);
    for (let node = this.#toVisit.pop(); node !== undefined; node = this.#toVisit.pop()) {
      signal.throwIfAborted();
      await this.#visit(node);
    }
    await this.#placeMissing();
    await this.#tidyStaging();
    for (const node of stagedBefore) {
      if (namespace.node(node) !== undefined && !namespace.isStaged(node) && namespace.presentName(node) === undefined) {
        throw new DivergenceError(`node ${node} has no entry on disk any more`);
      }
    }
  }

  /** The node that an entry is of, when it was there at the last checkpoint and lives on. */
  #owner(stat: EntryStat): NodeId | undefined {
    const { namespace } = this.#parts;
    const node = namespace.byMark(stat);
    const kind = node === undefined ? undefined : namespace.node(node)?.nodeKind;
    if (kind === stat.kind) return node;
    // An empty file stands in for what this machine could not make.
    return stat.kind === 'file' && kind !== undefined && kind !== 'directory' ? node : undefined;
  }

  async #emptyTrash(): Promise<void> {
    if (this.#parts.trash.isPending) await this.#parts.trash.empty((stat) => this.#owner(stat));
  }

  async #visit(node: NodeId): Promise<void> {
    const { namespace, places } = this.#parts;
    const lease = await places.lease(node);
    const found = new Set<Name>();
    try {
      const entries = await places.permitted(lease, undefined, () => lease.directory.list());
      for (const entry of entries) {
        const name = entry.name.toString('latin1') as Name;
        if (await this.#isInPlace(lease, node, name, entry)) found.add(name);
      }
      await this.#emptyTrash();
    } finally {
      lease.release();
    }
    for (const child of namespace.children(node)) {
      if (found.has(child.name) || !namespace.isRepresentable(node, child.name)) continue;
      namespace.setAwaited(node, child.name);
      this.#missing.push(child);
    }
  }

  /** Whether an entry is the right one; otherwise it is moved out of the way. */
  async #isInPlace(lease: Lease, parent: NodeId, name: Name, { name: entryName, stat }: ListedEntry): Promise<boolean> {
    const { namespace, places, trash, touched } = this.#parts;
    const owner = this.#owner(stat);
    if (owner !== undefined && namespace.child(parent, name) === owner && namespace.isRepresentable(parent, name)) {
      namespace.setPresent(parent, name);
      if (stat.kind === 'directory') this.#toVisit.push(owner);
      this.#compare(owner, stat);
      return true;
    }
    touched.add(parent);
    const entry = owner === undefined ? undefined : { name: entryName, node: owner };
    await places.permitted(lease, entry, async () => {
      // Moving a directory takes the right to write to it, which the source's modes may deny.
      if (stat.kind === 'directory') await lease.directory.setOwnerAndMode(entryName, { mode: 0o700 });
      if (owner !== undefined) await trash.stage(owner, lease.directory, entryName, stat);
      else if (stat.kind === 'directory') await trash.take(lease.directory, entryName);
      else await lease.directory.unlink(entryName);
    });
    return false;
  }

  /** An interrupted process may have loosened a mode, or changed a time, that no change of the range names. */
  #compare(node: NodeId, stat: EntryStat): void {
    const { namespace, touched, asRoot } = this.#parts;
    const state = namespace.node(node)!;
    const differs = state.modifyNs !== stat.modifyNs || (state.nodeKind !== 'symlink' && state.mode !== stat.mode) || (asRoot && (state.uid !== stat.uid || state.gid !== stat.gid));
    if (differs) touched.add(node);
  }

  async #placeMissing(): Promise<void> {
    const { namespace, mover } = this.#parts;
    for (let named = this.#missing.pop(); named !== undefined; named = this.#missing.pop()) {
      const { parent, name, node } = named;
      const state = namespace.node(node);
      if (state === undefined) continue;
      if (namespace.mark(node) === undefined) {
        await mover.make(state, { parent, name });
        if (state.nodeKind === 'directory') for (const child of namespace.children(node)) this.#missing.push(child);
      } else if (namespace.isStaged(node) || namespace.presentName(node) !== undefined) await mover.place(node, parent, name);
      else throw new DivergenceError(`node ${node} has no entry on disk any more`);
    }
  }

  /** Makes nodes that have no name, and removes staged entries of those that have one. */
  async #tidyStaging(): Promise<void> {
    const { namespace, mover, places } = this.#parts;
    for (const node of namespace.stagedOrUnmade()) {
      const state = namespace.node(node)!;
      if (namespace.mark(node) === undefined) await mover.make(state, undefined);
      else if (namespace.presentName(node) !== undefined) {
        await places.staging.unlink(stagedName(node));
        namespace.setStaged(node, false);
      } else this.#parts.touched.add(node, true);
    }
  }
}

