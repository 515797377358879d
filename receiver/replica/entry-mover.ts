/** Makes, moves and removes the entries of a replica's tree, and keeps book of which names have one. */
import type { NodeId } from '../../proto/change.js';
import { errorCode } from '../../proto/errors.js';
import { nameBytes, type Name } from '../../proto/name.js';
import { pathOf, type NodeState } from '../../proto/tree/namespace.js';
import type { EntryName, EntryStat } from '../../native/host/directory.js';
import { DivergenceError, isUnrepresentableName, shownPath, type Deviations } from './divergence.js';
import { makeEntry, type MadeEntry } from './make-entry.js';
import { sameMark } from './node-row.js';
import type { OpenFiles } from './open-files.js';
import type { Patience } from './patience.js';
import { stagedName, type Lease, type Places, type Spot } from './places.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import type { Touched } from './touched.js';
import type { Trash } from './trash.js';

export interface MoverParts {
  readonly namespace: SqliteNamespace;
  readonly places: Places;
  readonly files: OpenFiles;
  readonly trash: Trash;
  readonly patience: Patience;
  readonly touched: Touched;
  readonly deviations: Deviations;
}

export interface NamedEntry {
  readonly directory: Lease;
  readonly name: Name;
  readonly node: NodeId;
}

export interface Move {
  readonly node: NodeId;
  readonly from: Lease;
  readonly name: Name;
  readonly toParent: NodeId;
  readonly toName: Name;
  /** The new name has an entry, which goes. */
  readonly replaces: boolean;
}

const defaultAcl = 'system.posix_acl_default';
const swapName: EntryName = Buffer.from('x');

export class EntryMover {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** Makes the entry of a node that has none yet: at its name, or staged when it has none or none that this file system can hold. */
  async make(state: NodeState, at: { readonly parent: NodeId; readonly name: Name } | undefined): Promise<void> {
    const { namespace, places, patience, touched } = this.#parts;
    if (at !== undefined) {
      const lease = await places.lease(at.parent);
      try {
        const name = nameBytes(at.name);
        const made = await this.#unlessUnrepresentable(lease, at.parent, at.name, () => places.permitted(lease, undefined, () => patience.run(() => makeEntry(lease.directory, name, state))));
        if (made !== undefined) {
          namespace.setPresent(at.parent, at.name);
          await this.#made(state, made);
          // A default ACL that the directory has, or still has on disk, gives new entries attributes that the source's may not have.
          const inherits = namespace.node(at.parent)?.xattrs?.has(defaultAcl) === true || touched.hasXattrs(at.parent);
          touched.add(state.node, state.xattrs !== undefined || inherits);
          touched.add(at.parent);
          return;
        }
      } finally {
        lease.release();
      }
      this.#noteAbsent(at.parent, at.name);
    }
    const made = await patience.run(() => makeEntry(places.staging, stagedName(state.node), state));
    namespace.setStaged(state.node, true);
    await this.#made(state, made);
    touched.add(state.node, true);
  }

  /** Gives a node, whose entry is elsewhere, the entry of one more of its names; noted when this file system cannot hold it. */
  async place(node: NodeId, parent: NodeId, name: Name): Promise<void> {
    const { namespace, places, patience, touched } = this.#parts;
    const target = nameBytes(name);
    const staged = namespace.isStaged(node);
    const to = await places.lease(parent);
    try {
      if (!(await this.#isVacant(to, parent, name, node))) return this.#noteAbsent(parent, name);
      const from = staged ? await places.spot(node) : await this.#spotBeside(node, parent, name);
      try {
        const put = (): Promise<void> => (staged ? from.directory.rename(from.name, to.directory, target) : from.directory.link(from.name, to.directory, target));
        await places.permitted(to, undefined, () => places.permitted(from, { name: from.name, node }, () => patience.run(put)));
      } catch (error) {
        // File systems bound how many names a file may have, or allow one only.
        if (staged || !['EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) throw error;
        return this.#noteAbsent(parent, name);
      } finally {
        from.release();
      }
    } finally {
      to.release();
    }
    namespace.setPresent(parent, name);
    if (staged) {
      namespace.setStaged(node, false);
      if (namespace.node(node)?.nodeKind === 'directory') await places.forgetAll();
    }
    touched.add(node);
    touched.add(parent);
  }

  /** Moves an entry to a name the namespace has already given its node. */
  async move({ node, from, name, toParent, toName, replaces }: Move): Promise<void> {
    const { namespace, places, patience } = this.#parts;
    const to = await places.lease(toParent);
    try {
      if (!replaces && !(await this.#isVacant(to, toParent, toName, node))) {
        this.#noteAbsent(toParent, toName);
        await this.detach(from, name, node);
        return;
      }
      const put = (): Promise<void> => from.directory.rename(nameBytes(name), to.directory, nameBytes(toName));
      await places.permitted(to, undefined, () => places.permitted(from, { name: nameBytes(name), node }, () => patience.run(put)));
    } finally {
      to.release();
    }
    if (namespace.node(node)?.nodeKind === 'directory') await places.forgetAll();
  }

  /** Swaps two entries, in three steps where the file system cannot at once. */
  async swap(one: NamedEntry, other: NamedEntry): Promise<void> {
    const { places, patience } = this.#parts;
    const [name, otherName] = [nameBytes(one.name), nameBytes(other.name)];
    const [from, to] = [one.directory.directory, other.directory.directory];
    await places.permitted(other.directory, { name: otherName, node: other.node }, () =>
      places.permitted(one.directory, { name, node: one.node }, () =>
        patience.run(async () => {
          try {
            await from.exchange(name, to, otherName);
          } catch (error) {
            if (errorCode(error) !== 'ENOTSUP') throw error;
            await from.rename(name, places.staging, swapName);
            await to.rename(otherName, from, name);
            await places.staging.rename(swapName, to, otherName);
          }
        }),
      ),
    );
  }

  /** Takes an entry away from a name that its node no longer has, keeping the node's content. */
  async detach(from: Lease, name: Name, node: NodeId): Promise<void> {
    const { namespace, places, patience, touched } = this.#parts;
    const entry = { name: nameBytes(name), node };
    const elsewhere = namespace.presentName(node) !== undefined || namespace.isStaged(node);
    await places.permitted(from, entry, () => patience.run(() => (elsewhere ? from.directory.unlink(entry.name) : from.directory.rename(entry.name, places.staging, stagedName(node)))));
    if (!elsewhere) {
      namespace.setStaged(node, true);
      if (namespace.node(node)?.nodeKind === 'directory') await places.forgetAll();
    }
    if (from.node !== undefined) touched.add(from.node);
  }

  /** Removes the entry of a node that ended; a directory that holds something as a whole. */
  async remove(from: Lease, name: EntryName, { node, isDirectory, isFull }: { readonly node: NodeId; readonly isDirectory: boolean; readonly isFull: boolean }): Promise<void> {
    const { places, files, trash, patience } = this.#parts;
    await files.forget(node);
    if (isDirectory) await places.forget(node);
    const entry = isFull ? { name, node } : undefined;
    await places.permitted(from, entry, () => patience.run(() => (!isDirectory ? from.directory.unlink(name) : isFull ? trash.take(from.directory, name) : from.directory.removeDirectory(name))));
  }

  /** Lets go of nodes that ended and removes what is left of them. */
  async ended(nodes: readonly NodeId[]): Promise<void> {
    const { namespace, places, files, trash, touched } = this.#parts;
    for (const node of nodes) {
      await files.forget(node);
      await places.forget(node);
      touched.delete(node);
    }
    for (const node of namespace.takeDroppedStaged()) await trash.take(places.staging, stagedName(node));
    if (!trash.isPending) return;
    // A file whose entry was in a removed directory may live on under names that this file system cannot hold.
    const unplaced = namespace.takeUnplaced();
    await trash.empty(unplaced.length === 0 ? undefined : (stat) => unplaced.find((node) => sameMark(namespace.mark(node)!, stat)));
  }

  async #made(state: NodeState, { mark, file, refusal }: MadeEntry): Promise<void> {
    const { namespace, files, deviations } = this.#parts;
    namespace.setMark(state.node, mark);
    if (file !== undefined) await files.adopt(state.node, file);
    if (refusal !== undefined) deviations.note(shownPath(pathOf(namespace, state.node)), refusal);
  }

  /** The entry of a node other than at one of its names. */
  async #spotBeside(node: NodeId, parent: NodeId, name: Name): Promise<Spot> {
    const { namespace, places } = this.#parts;
    const named = namespace.presentName(node, { parent, name });
    if (named === undefined) throw new DivergenceError(`node ${node} has no place on disk`);
    return { ...(await places.lease(named.parent)), name: nameBytes(named.name) };
  }

  /** Whether a name can be given an entry; false when this file system cannot hold it. Anything in the way is a divergence. */
  async #isVacant(lease: Lease, parent: NodeId, name: Name, node: NodeId): Promise<boolean> {
    const { namespace, places } = this.#parts;
    let found: EntryStat | undefined;
    try {
      found = await places.permitted(lease, undefined, () => lease.directory.lookup(nameBytes(name)));
    } catch (error) {
      if (isUnrepresentableName(error)) return false;
      throw error;
    }
    if (found === undefined) return true;
    const mark = namespace.mark(node);
    // Where names differ in case only, an entry can be in the way of its own new name.
    if (mark !== undefined && sameMark(mark, found) && found.linkCount <= 1) return true;
    if (this.#isSibling(parent, name, found)) return false;
    throw new DivergenceError(`${shownPath(pathOf(namespace, parent))} holds an entry ${JSON.stringify(name)} that the replica did not make`);
  }

  async #unlessUnrepresentable<Result>(lease: Lease, parent: NodeId, name: Name, run: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await run();
    } catch (error) {
      if (isUnrepresentableName(error)) return undefined;
      if (errorCode(error) !== 'EEXIST') throw error;
      const found = await lease.directory.lookup(nameBytes(name));
      if (found !== undefined && this.#isSibling(parent, name, found)) return undefined;
      throw error;
    }
  }

  /** Whether an entry found under a name is that of another name of the directory: the file system takes the two for one. */
  #isSibling(parent: NodeId, name: Name, found: EntryStat): boolean {
    const { namespace } = this.#parts;
    for (const child of namespace.children(parent)) {
      const mark = namespace.mark(child.node);
      if (child.name !== name && mark !== undefined && sameMark(mark, found) && namespace.isPresent(parent, child.name)) return true;
    }
    return false;
  }

  #noteAbsent(parent: NodeId, name: Name): void {
    const { namespace, deviations } = this.#parts;
    namespace.setAbsent(parent, name);
    deviations.note(shownPath([...(pathOf(namespace, parent) ?? []), name]), 'its name: this file system cannot hold it');
  }
}
