/** Records metadata at the end of a batch: as records told it last, and as it is where none told. */
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { asNodeId } from '../../../proto/change.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { differingXattrs } from '../tree/seen.js';
import type { NodeRow } from '../tree/capture-index.js';
import type { VolumeParts } from '../tree/volume-parts.js';

/** Attributes of a node as a record told them. */
export interface Stamp {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
}

export class VolumeMetadata {
  readonly #parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>;
  readonly #handles: HandleAccess;
  /** Subvolume of the volume's inodes. */
  readonly #tree: bigint;
  readonly #stamps = new Map<number, Stamp>();
  /** Nodes whose metadata changed in a way that no record told. */
  readonly #unsure = new Set<number>();

  constructor(parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>, { handles, tree }: { readonly handles: HandleAccess; readonly tree: bigint }) {
    this.#parts = parts;
    this.#handles = handles;
    this.#tree = tree;
  }

  stamp(node: number, stamp: Stamp): void {
    this.#stamps.set(node, stamp);
  }

  look(node: number): void {
    this.#unsure.add(node);
  }

  /** The batch was dropped. */
  clear(): void {
    this.#stamps.clear();
    this.#unsure.clear();
  }

  /** Writes per batch, not per record: many records tell the same. */
  async settle(facts: ChangeFacts): Promise<void> {
    // Taken out first: more may come while this waits for the journal.
    const [stamps, unsure] = [[...this.#stamps], [...this.#unsure]];
    this.clear();
    for (const [node, stamp] of stamps) await this.#record(node, stamp, facts);
    for (const node of unsure) await this.#lookAt(node, facts);
  }

  async #lookAt(node: number, facts: ChangeFacts): Promise<void> {
    const { index, recorder, volume } = this.#parts;
    const row = index.node(volume, node);
    const inode = row === undefined ? undefined : inodeOf(row.identity, this.#tree);
    const found = inode === undefined ? undefined : this.#handles.look(inode);
    // Gone already: what removed it is told of later.
    if (row === undefined || found === undefined || found.stat.kind !== row.kind) return;
    const { set, remove } = differingXattrs(row.xattrs, found.xattrs);
    const id = asNodeId(BigInt(node));
    for (const key of remove) await recorder.add(volume, { kind: 'xattr-remove', node: id, key }, facts);
    for (const [key, value] of set) await recorder.add(volume, { kind: 'xattr-set', node: id, key, value }, facts);
    await this.#record(node, found.stat, facts);
  }

  async #record(node: number, now: Stamp, facts: ChangeFacts): Promise<void> {
    const { index, recorder, volume } = this.#parts;
    const row: NodeRow | undefined = index.node(volume, node);
    if (row === undefined) return;
    const attributes = {
      ...(row.mode === now.mode ? {} : { mode: now.mode }),
      ...(row.uid === now.uid ? {} : { uid: now.uid }),
      ...(row.gid === now.gid ? {} : { gid: now.gid }),
      ...(row.modifyNs === String(now.modifyNs) ? {} : { modifyNs: now.modifyNs }),
    };
    if (Object.keys(attributes).length > 0) await recorder.add(volume, { kind: 'attributes', node: asNodeId(BigInt(node)), ...attributes }, facts);
  }
}

/** The inode that an identity in the index names; undefined for none. */
export function inodeOf(identity: string | null, tree: bigint): InodeKey | undefined {
  const match = identity === null ? null : /^i(\d+):(\d+)$/.exec(identity);
  return match === null ? undefined : { ino: BigInt(match[1]!), generation: Number(match[2]), tree };
}
