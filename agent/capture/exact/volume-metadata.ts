/**
 * Records metadata at the end of a batch: as records told it last, and as it is where none told.
 *
 * What is read is ahead of the stream, which may tell of older states afterwards: where it does, what
 * was read is read once more when the stream has got to where it was then.
 */
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

/** The same with when the record was made, CLOCK_MONOTONIC. */
export interface ToldStamp extends Stamp {
  readonly toldNs: bigint;
}

/** What is to be read once more when the stream has got there, for a later engine to go on with. */
export interface MetadataState {
  readonly read: ReadonlyMap<number, { readonly through: bigint; readonly atNs: bigint; readonly told: boolean }>;
  readonly told: ReadonlySet<number>;
  readonly unsure: ReadonlySet<number>;
}

export interface VolumeMetadataOptions {
  readonly handles: HandleAccess;
  /** Subvolume of the volume's inodes. */
  readonly tree: bigint;
  /** How far the stream has got in the kernel. */
  position(): bigint;
  /** CLOCK_MONOTONIC, as the kernel stamps records. */
  monotonicNs(): bigint;
  /** Whether the volume is looked at, or was and the stream is not applied up to there. */
  isBehindLook(): boolean;
}

export class VolumeMetadata {
  readonly #parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>;
  readonly #options: VolumeMetadataOptions;
  readonly #stamps = new Map<number, Stamp>();
  /** Nodes whose metadata changed in a way that no record told. */
  readonly #unsure = new Set<number>();
  /** Nodes that were read by `atNs`, when the stream had got to `through`, and whether it told of older states since. */
  readonly #read = new Map<number, { readonly through: bigint; readonly atNs: bigint; told: boolean }>();
  /** Nodes that the stream told of while it was behind a look at the volume. */
  readonly #told = new Set<number>();

  constructor(parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>, options: VolumeMetadataOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  stamp(node: number, stamp: ToldStamp): void {
    this.#stamps.set(node, stamp);
    const read = this.#read.get(node);
    if (read !== undefined) {
      // A later state is told whole: what was read is over, whatever older ones came in between.
      if (stamp.toldNs > read.atNs) this.#read.delete(node);
      else read.told = true;
    }
    if (this.#options.isBehindLook()) this.#told.add(node);
  }

  /** Whether nodes wait for the stream to be read once more. */
  isWaiting(applied: bigint): boolean {
    for (const { through } of this.#read.values()) if (through > applied) return true;
    return false;
  }

  /** The stream is applied up to here: what it told of over something newer is read once more. */
  async applied(through: bigint): Promise<void> {
    for (const [node, read] of this.#read) {
      if (read.through > through) continue;
      this.#read.delete(node);
      if (read.told) this.#unsure.add(node);
    }
    if (this.#told.size > 0 && !this.#options.isBehindLook()) {
      for (const node of this.#told) this.#unsure.add(node);
      this.#told.clear();
    }
    if (this.#unsure.size > 0) await this.settle({});
  }

  look(node: number): void {
    this.#unsure.add(node);
  }

  get state(): MetadataState {
    return { read: this.#read, told: this.#told, unsure: this.#unsure };
  }

  restore({ read, told, unsure }: MetadataState): void {
    for (const [node, each] of read) this.#read.set(node, { ...each });
    for (const node of told) this.#told.add(node);
    for (const node of unsure) this.#unsure.add(node);
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
    const inode = row === undefined ? undefined : inodeOf(row.identity, this.#options.tree);
    const found = inode === undefined ? undefined : this.#options.handles.look(inode);
    // Gone already: what removed it is told of later.
    if (row === undefined || found === undefined || found.stat.kind !== row.kind) return;
    this.#read.set(node, { through: this.#options.position(), atNs: this.#options.monotonicNs(), told: false });
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
