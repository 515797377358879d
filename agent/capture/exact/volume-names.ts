/**
 * Brings the names of one volume to what an event says, whatever the model holds: a name is a register
 * that is set to an inode or emptied. In step with the kernel each event is exactly one change; while a
 * volume is copied or compared, what a look already saw is not recorded twice.
 */
import type { InodeKey } from '../../../native/capture/names.js';
import { asNodeId, type NodeId, type NodeMetadata } from '../../../proto/change.js';
import type { Name } from '../../../proto/name.js';
import { removeTree } from '../tree/apply-survey.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { inodeIdentity } from '../tree/seen.js';
import type { VolumeParts } from '../tree/volume-parts.js';

export interface Place {
  readonly directory: number;
  readonly name: string;
}

/** An inode that got a name. */
export interface NamedInode {
  readonly inode: InodeKey;
  readonly isDirectory: boolean;
  /** Its metadata now, or undefined when it is gone already. */
  metadata(): NodeMetadata | undefined;
  /** Whether it was made by the call, so that all its content comes with the stream. */
  readonly isNew: boolean;
}

export interface VolumeNamesOptions {
  /** A node was made whose content, or whose entries, the stream does not tell: they have to be read. */
  onUnread(node: number, isDirectory: boolean, timeNs: bigint | undefined): void;
  /** A node was made: changes of its metadata before that have been told of nobody that was known. */
  onCreated(node: number): void;
  /** Entries of a directory changed, so its times did. */
  onTouched(directory: number): void;
  isExcluded(place: Place): boolean;
}

export class VolumeNames {
  readonly #parts: VolumeParts;
  readonly #options: VolumeNamesOptions;

  constructor(parts: VolumeParts, options: VolumeNamesOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** The name now leads to the inode. Resolves to its node, or 0 when it is left out. */
  async set(place: Place, named: NamedInode, facts: ChangeFacts): Promise<number> {
    const { index, recorder, volume } = this.#parts;
    const identity = inodeIdentity(named.inode);
    const known = index.nodeByIdentity(volume, identity);
    const current = index.childNode(volume, place.directory, place.name);
    if (known !== undefined && current === known.node) return current;
    if (known?.kind === 'directory') {
      await this.#moveDirectory(known.node, place, facts);
      return known.node;
    }
    if (current !== 0) await this.#remove(place, current, facts);
    // Taking away what was there may have taken this one with it.
    const still = known === undefined ? undefined : index.node(volume, known.node);
    if (still !== undefined) {
      await recorder.add(volume, { kind: 'link', node: id(still.node), parent: id(place.directory), name: place.name as Name }, facts);
      this.#options.onTouched(place.directory);
      return still.node;
    }
    return this.#create(place, named, identity, facts);
  }

  async #create(place: Place, named: NamedInode, identity: string, facts: ChangeFacts): Promise<number> {
    const { index, recorder, volume } = this.#parts;
    // Gone already: it was there all the same, and what removed it is told of later.
    const metadata = named.metadata() ?? { nodeKind: named.isDirectory ? 'directory' : 'file', mode: named.isDirectory ? 0o700 : 0o600, uid: 0, gid: 0, modifyNs: facts.timeNs ?? 0n };
    if (this.#options.isExcluded(place)) return 0;
    const node = index.volume(volume)!.nextNode;
    await recorder.add(volume, { kind: 'create', node: id(node), parent: id(place.directory), name: place.name as Name, metadata }, facts);
    index.setIdentity(volume, node, identity);
    this.#options.onTouched(place.directory);
    this.#options.onCreated(node);
    if (!named.isNew && (metadata.nodeKind === 'file' || metadata.nodeKind === 'directory')) this.#options.onUnread(node, metadata.nodeKind === 'directory', facts.timeNs);
    return node;
  }

  /** A file without a name yet. */
  async createNameless(inode: InodeKey, metadata: NodeMetadata, facts: ChangeFacts): Promise<number> {
    const { index, recorder, volume } = this.#parts;
    const node = index.volume(volume)!.nextNode;
    await recorder.add(volume, { kind: 'create', node: id(node), metadata }, facts);
    index.setIdentity(volume, node, inodeIdentity(inode));
    return node;
  }

  /** The name leads nowhere now; nothing happens when it leads to another inode than the one that was removed. */
  async unset(place: Place, removed: InodeKey | undefined, facts: ChangeFacts): Promise<void> {
    const { index, volume } = this.#parts;
    const current = index.childNode(volume, place.directory, place.name);
    if (current === 0 || !this.#isMaybe(current, removed)) return;
    await this.#remove(place, current, facts);
  }

  /** A name moved within the volume. Resolves to the node, or 0 when the old name did not lead to it. */
  async rename(from: Place, to: Place, moved: InodeKey | undefined, facts: ChangeFacts): Promise<number> {
    const { index, recorder, volume } = this.#parts;
    const node = index.childNode(volume, from.directory, from.name);
    if (node === 0 || !this.#isMaybe(node, moved)) return 0;
    // An older move than what a look has seen already: a directory is never below itself.
    if (this.#isBelow(to.directory, node)) return 0;
    const replaced = index.childNode(volume, to.directory, to.name);
    if (replaced === node) {
      // Two names of one inode: rename(2) does nothing then, so the event means that the old one went.
      await this.#remove(from, node, facts);
      return node;
    }
    if (replaced !== 0 && this.#isFilled(replaced)) await this.#remove(to, replaced, facts);
    await recorder.add(volume, { kind: 'rename', parent: id(from.directory), name: from.name as Name, toParent: id(to.directory), toName: to.name as Name, exchange: false }, facts);
    this.#options.onTouched(from.directory);
    this.#options.onTouched(to.directory);
    return node;
  }

  /** Two names swapped their nodes; false when they did not lead where the event says. */
  async exchange(one: Place & { readonly inode: InodeKey }, other: Place & { readonly inode: InodeKey }, facts: ChangeFacts): Promise<boolean> {
    const { index, recorder, volume } = this.#parts;
    for (const { directory, name, inode } of [one, other]) {
      const node = index.childNode(volume, directory, name);
      // Swapped already, as a look may have seen it, it must not be swapped back.
      if (node === 0 || index.node(volume, node)?.identity !== inodeIdentity(inode)) return false;
    }
    if (this.#isBelow(one.directory, index.childNode(volume, other.directory, other.name)) || this.#isBelow(other.directory, index.childNode(volume, one.directory, one.name))) return false;
    await recorder.add(volume, { kind: 'rename', parent: id(one.directory), name: one.name as Name, toParent: id(other.directory), toName: other.name as Name, exchange: true }, facts);
    this.#options.onTouched(one.directory);
    this.#options.onTouched(other.directory);
    return true;
  }

  /** A directory has one name only: wherever it is in the model, it moves. */
  async #moveDirectory(node: number, to: Place, facts: ChangeFacts): Promise<void> {
    const { index, recorder, volume } = this.#parts;
    const from = index.linksOf(volume, node)[0];
    // The root has no name, and nothing moves below itself.
    if (from === undefined || this.#isBelow(to.directory, node)) return;
    const replaced = index.childNode(volume, to.directory, to.name);
    if (replaced !== 0) await this.#remove(to, replaced, facts);
    await recorder.add(volume, { kind: 'rename', parent: id(from.parent), name: from.name as Name, toParent: id(to.directory), toName: to.name as Name, exchange: false }, facts);
    this.#options.onTouched(from.parent);
    this.#options.onTouched(to.directory);
  }

  async #remove(place: Place, node: number, facts: ChangeFacts): Promise<void> {
    const { index, recorder, volume } = this.#parts;
    if (index.node(volume, node)?.kind === 'directory') {
      await removeTree(this.#parts, { node, parent: place.directory, name: place.name }, facts);
    } else {
      await recorder.add(volume, { kind: 'unlink', parent: id(place.directory), name: place.name as Name }, facts);
    }
    this.#options.onTouched(place.directory);
  }

  #isMaybe(node: number, inode: InodeKey | undefined): boolean {
    if (inode === undefined) return true;
    const identity = this.#parts.index.node(this.#parts.volume, node)?.identity ?? null;
    return identity === null || identity === inodeIdentity(inode);
  }

  #isFilled(node: number): boolean {
    const { index, volume } = this.#parts;
    return index.node(volume, node)?.kind === 'directory' && index.children(volume, node, '', 1).length > 0;
  }

  #isBelow(directory: number, ancestor: number): boolean {
    const { index, volume } = this.#parts;
    for (let at = directory; ; ) {
      if (at === ancestor) return true;
      const link = index.linksOf(volume, at)[0];
      if (link === undefined) return false;
      at = link.parent;
    }
  }
}

function id(node: number): NodeId {
  return asNodeId(BigInt(node));
}
