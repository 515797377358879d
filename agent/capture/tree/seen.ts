/** What a stat says about a node: which inode it is, whether it changed, and its metadata in the index's terms. */
import type { EntryStat } from '../../../native/host/directory.js';
import type { NodeMetadata } from '../../../proto/change.js';
import { decodeXattrs, encodeXattrs } from './apply-change.js';
import type { NodeRow } from './capture-index.js';

/** An entry of the tree as it was found, with what a create of it would need. */
export interface Seen {
  readonly stat: EntryStat;
  readonly identity: string;
  /** Where a symbolic link points. */
  readonly target?: Buffer;
}

export function nodeBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/**
 * The inode as the file system names it, with its kind and birth: a number that was used again is
 * another node. The device counts only where it is not the root's, since device numbers of the
 * same file system may change when the machine restarts.
 */
export function identityOf(stat: EntryStat, rootDevice: bigint): string {
  if (stat.inode !== undefined) return inodeIdentity({ ino: stat.ino, generation: stat.inode.generation });
  const device = stat.dev === rootDevice ? '' : `${stat.dev}/`;
  return `${device}${stat.kind}:${stat.ino}:${stat.birthNs}`;
}

/** The inode where the kernel's own name for it is known, as events give it. */
export function inodeIdentity({ ino, generation }: { readonly ino: bigint; readonly generation: number }): string {
  return `i${ino}:${generation}`;
}

/** Differs whenever content or metadata may have changed. */
export function signatureOf(stat: EntryStat): string {
  const size = stat.kind === 'file' ? stat.size : 0;
  return `${size}:${stat.modifyNs}:${stat.changeNs}:${stat.mode}:${stat.uid}:${stat.gid}`;
}

/**
 * Whether something could still change the entry without changing its times: the kernel's clock
 * for them ticks coarsely, and some file systems keep whole or even seconds.
 */
export function isFresh(stat: EntryStat, nowNs: bigint): boolean {
  const latest = stat.changeNs > stat.modifyNs ? stat.changeNs : stat.modifyNs;
  const window = stat.changeNs % 1_000_000_000n === 0n ? 2_100_000_000n : 25_000_000n;
  const age = nowNs - latest;
  return age < window && age > -window;
}

export function deviceOf(stat: EntryStat): string | null {
  return stat.kind === 'block-device' || stat.kind === 'character-device' ? `${stat.deviceMajor}:${stat.deviceMinor}` : null;
}

/** Whether a node can be the entry at all: kinds, link targets and device numbers never change in place. */
export function canBe(row: NodeRow, seen: Seen): boolean {
  if (row.kind !== seen.stat.kind) return false;
  if (seen.target !== undefined && (row.target === null || !row.target.equals(seen.target))) return false;
  return row.device === deviceOf(seen.stat);
}

export function metadataOf(seen: Seen, xattrs: ReadonlyMap<string, Buffer>): NodeMetadata {
  const { stat } = seen;
  return {
    nodeKind: stat.kind,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    modifyNs: stat.modifyNs,
    ...(deviceOf(stat) === null ? {} : { device: { major: stat.deviceMajor, minor: stat.deviceMinor } }),
    ...(seen.target === undefined ? {} : { target: seen.target }),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

export interface XattrDifference {
  readonly set: readonly (readonly [string, Buffer])[];
  readonly remove: readonly string[];
}

export function differingXattrs(column: string | null, found: ReadonlyMap<string, Buffer>): XattrDifference {
  if (column === encodeXattrs(found)) return { set: [], remove: [] };
  const before = decodeXattrs(column);
  const set = [...found].filter(([key, value]) => !(before.get(key)?.equals(value) ?? false));
  const remove = [...before.keys()].filter((key) => !found.has(key));
  return { set, remove };
}
