/** Applies one change to the namespace and carries it out in the replica's tree. */
import { rootNode, type ChangeBody, type Create, type Link, type NodeId, type Rename, type Unlink } from '../../proto/change.js';
import { nameBytes, type Name } from '../../proto/name.js';
import { applyToNamespace, type NamespaceEffect } from '../../proto/tree/namespace.js';
import type { EntryMover } from './entry-mover.js';
import type { OpenFiles } from './open-files.js';
import type { Lease, Places } from './places.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import type { Touched } from './touched.js';

export interface MirrorParts {
  readonly namespace: SqliteNamespace;
  readonly places: Places;
  readonly files: OpenFiles;
  readonly mover: EntryMover;
  readonly touched: Touched;
}

/** What a name led to before a change. */
interface Occupant {
  readonly node: NodeId;
  readonly present: boolean;
  readonly isDirectory: boolean;
  /** A directory that holds something. */
  readonly isFull: boolean;
}

/**
 * The namespace decides what a change means; this only repeats the outcome on disk. It relies on the
 * disk being as the namespace was before; where it is not, it rejects, and the volume is to be rebuilt.
 */
export class TreeMirror {
  readonly #parts: MirrorParts;

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  async apply(body: ChangeBody): Promise<NamespaceEffect> {
    switch (body.kind) {
      case 'create':
        return this.#create(body);
      case 'link':
        return this.#link(body);
      case 'unlink':
        return this.#unlink(body);
      case 'rename':
        return body.exchange ? this.#exchange(body) : this.#rename(body);
      default:
        return this.#inPlace(body);
    }
  }

  /** Whether a change would take away what a name leads to now. */
  displaces(body: ChangeBody): boolean {
    const { namespace } = this.#parts;
    if (body.kind === 'unlink') return true;
    if (body.kind === 'rename') return !body.exchange && namespace.child(body.toParent, body.toName) !== undefined;
    if (body.kind === 'link') return namespace.child(body.parent, body.name) !== undefined;
    return body.kind === 'create' && body.parent !== undefined && body.name !== undefined && namespace.child(body.parent, body.name) !== undefined;
  }

  async #create(body: Create): Promise<NamespaceEffect> {
    const { namespace, mover, touched } = this.#parts;
    const { node, parent, name } = body;
    if (node === rootNode) {
      const effect = applyToNamespace(namespace, body);
      touched.add(rootNode, true);
      return effect;
    }
    const known = namespace.node(node) !== undefined;
    const at = parent === undefined || name === undefined ? undefined : { parent, name };
    const occupant = at === undefined ? undefined : this.#occupant(at.parent, at.name);
    const effect = applyToNamespace(namespace, body);
    const state = namespace.node(node);
    if (known || state === undefined) return effect;
    if (at !== undefined) await this.#vacate(at.parent, at.name, occupant, effect);
    await mover.make(state, at);
    return effect;
  }

  async #link(body: Link): Promise<NamespaceEffect> {
    const { namespace, mover } = this.#parts;
    const { node, parent, name } = body;
    const occupant = this.#occupant(parent, name);
    const effect = applyToNamespace(namespace, body);
    if (occupant?.node === node || namespace.child(parent, name) !== node) return effect;
    // The name has no entry yet: while what it displaces is removed, it must not count as one.
    namespace.setAwaited(parent, name);
    await this.#vacate(parent, name, occupant, effect);
    await mover.place(node, parent, name);
    return effect;
  }

  async #unlink(body: Unlink): Promise<NamespaceEffect> {
    const occupant = this.#occupant(body.parent, body.name);
    const effect = applyToNamespace(this.#parts.namespace, body);
    if (occupant !== undefined) await this.#vacate(body.parent, body.name, occupant, effect);
    return effect;
  }

  async #rename(body: Rename): Promise<NamespaceEffect> {
    const { namespace, places, mover, touched } = this.#parts;
    const { parent, name, toParent, toName } = body;
    const moved = this.#occupant(parent, name);
    const displaced = this.#occupant(toParent, toName);
    const isNothing = moved === undefined || displaced?.node === moved.node;
    // Opened before the names change, while they still lead there.
    const from = !isNothing && moved.present ? await places.lease(parent) : undefined;
    try {
      const effect = applyToNamespace(namespace, body);
      if (isNothing || namespace.child(parent, name) === moved.node) return effect;
      const replaces = from !== undefined && displaced?.present === true && !displaced.isDirectory && !moved.isDirectory && namespace.node(displaced.node) === undefined;
      const isRescued = from !== undefined && displaced?.isFull === true;
      // The name has no entry yet: while what it displaces is removed, it must not count as one.
      if (from === undefined || isRescued) namespace.setAwaited(toParent, toName);
      // It may be inside what it displaces, and must not go with that.
      if (isRescued) await mover.detach(from, name, moved.node);
      if (!replaces) await this.#vacate(toParent, toName, displaced, effect);
      if (from === undefined || isRescued) await mover.place(moved.node, toParent, toName);
      else await mover.move({ node: moved.node, from, name, toParent, toName, replaces });
      if (replaces) await mover.ended(effect.ended);
      touched.add(moved.node);
      touched.add(parent);
      touched.add(toParent);
      return effect;
    } finally {
      from?.release();
    }
  }

  async #exchange(body: Rename): Promise<NamespaceEffect> {
    const { namespace, places, mover, touched } = this.#parts;
    const { parent, name, toParent, toName } = body;
    const one = this.#occupant(parent, name);
    const other = this.#occupant(toParent, toName);
    if (one === undefined || other === undefined) return applyToNamespace(namespace, body);
    const from = await places.lease(parent);
    let to: Lease | undefined;
    try {
      to = await places.lease(toParent);
      const effect = applyToNamespace(namespace, body);
      if (effect.anomaly !== undefined) return effect;
      // Whether a name can have an entry depends on the name, not on what it leads to.
      if (!one.present) namespace.setAbsent(parent, name);
      if (!other.present) namespace.setAbsent(toParent, toName);
      if (one.node === other.node) return effect;
      if (one.present && other.present) await mover.swap({ directory: from, name, node: one.node }, { directory: to, name: toName, node: other.node });
      else if (one.present) {
        await mover.detach(from, name, one.node);
        await mover.place(other.node, parent, name);
      } else if (other.present) {
        await mover.detach(to, toName, other.node);
        await mover.place(one.node, toParent, toName);
      }
      if (one.isDirectory || other.isDirectory) await places.forgetAll();
      for (const node of [one.node, other.node, parent, toParent]) touched.add(node);
      return effect;
    } finally {
      from.release();
      to?.release();
    }
  }

  async #inPlace(body: ChangeBody): Promise<NamespaceEffect> {
    const { namespace, files, touched } = this.#parts;
    const effect = applyToNamespace(namespace, body);
    if (effect.anomaly !== undefined) return effect;
    if (body.kind === 'attributes') touched.add(body.node);
    else if (body.kind === 'xattr-set' || body.kind === 'xattr-remove') touched.add(body.node, true);
    else if (body.kind === 'clone' && namespace.node(body.sourceNode)?.nodeKind !== 'file') {
      await files.zero(body.node, body);
      return { ...effect, anomaly: `content of node ${body.node} is cloned from ${body.sourceNode}, which is no known file` };
    } else await files.apply(body);
    return effect;
  }

  #occupant(parent: NodeId, name: Name): Occupant | undefined {
    const { namespace } = this.#parts;
    const node = namespace.child(parent, name);
    if (node === undefined) return undefined;
    const state = namespace.node(node);
    // A name may outlive its node when a journal moves a directory over one that holds it.
    const isDirectory = state?.nodeKind === 'directory';
    const isFull = isDirectory && namespace.children(node)[Symbol.iterator]().next().done !== true;
    return { node, present: state !== undefined && namespace.isPresent(parent, name), isDirectory, isFull };
  }

  /** Takes what a name led to off the disk, as far as it is not needed under another name. */
  async #vacate(parent: NodeId, name: Name, occupant: Occupant | undefined, effect: NamespaceEffect): Promise<void> {
    const { namespace, places, mover, touched } = this.#parts;
    if (occupant?.present === true) {
      const lease = await places.lease(parent);
      try {
        if (namespace.node(occupant.node) !== undefined) await mover.detach(lease, name, occupant.node);
        else await mover.remove(lease, nameBytes(name), { node: occupant.node, isDirectory: occupant.isDirectory, isFull: occupant.isFull });
      } finally {
        lease.release();
      }
      touched.add(parent);
    }
    await mover.ended(effect.ended);
  }
}
