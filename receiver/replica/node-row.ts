/** Turns the state of a node into a row of the replica's database and back. */
import type { NodeId, NodeKind } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import { fromStored, toStored } from './databases.js';

const kinds: readonly NodeKind[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'block-device', 'character-device'];

/** What tells a node's entry on the replica's disk apart from every other, also across renames and restarts. */
export interface DiskMark {
  readonly ino: bigint;
  /** 0n where the file system keeps no birth time. Device numbers change between boots, so they do not count. */
  readonly birthNs: bigint;
}

export const sameMark = (a: DiskMark, b: DiskMark): boolean => a.ino === b.ino && (a.birthNs === b.birthNs || a.birthNs === 0n || b.birthNs === 0n);

/** A node as the replica knows it: its state in the journal, and where its entry is on disk. */
export interface ReplicaNode {
  state: NodeState;
  /** Undefined until the entry was made on disk. */
  mark: DiskMark | undefined;
  /** Its entry is in the staging directory, because none of its names is in the tree. */
  staged: boolean;
}

export interface NodeRow {
  readonly node: bigint;
  readonly kind: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly modify_ns: bigint;
  readonly size: bigint;
  readonly links: bigint;
  readonly device_major: bigint | null;
  readonly device_minor: bigint | null;
  readonly target: Buffer | null;
  readonly xattrs: Buffer | null;
  readonly ino: bigint | null;
  readonly birth_ns: bigint | null;
  readonly staged: bigint;
}

export const nodeColumns = ['node', 'kind', 'mode', 'uid', 'gid', 'modify_ns', 'size', 'links', 'device_major', 'device_minor', 'target', 'xattrs', 'ino', 'birth_ns', 'staged'] as const;

export function encodeNode({ state, mark, staged }: ReplicaNode): (bigint | number | Buffer | null)[] {
  const { node, nodeKind, mode, uid, gid, modifyNs, size, links, device, target, xattrs } = state;
  return [
    toStored(node), kinds.indexOf(nodeKind), mode, uid, gid, modifyNs, size, links,
    device?.major ?? null, device?.minor ?? null, target ?? null, xattrs === undefined || xattrs.size === 0 ? null : encodeXattrs(xattrs),
    mark === undefined ? null : toStored(mark.ino), mark === undefined ? null : toStored(mark.birthNs), staged ? 1 : 0,
  ];
}

export function decodeNode(row: NodeRow): ReplicaNode {
  const nodeKind = kinds[Number(row.kind)];
  if (nodeKind === undefined) throw new FormatError('read node of the replica', { node: row.node, kind: row.kind });
  const state: NodeState = {
    node: fromStored(row.node) as NodeId,
    nodeKind,
    mode: Number(row.mode),
    uid: Number(row.uid),
    gid: Number(row.gid),
    modifyNs: row.modify_ns,
    size: Number(row.size),
    links: Number(row.links),
    ...(row.device_major === null ? {} : { device: { major: Number(row.device_major), minor: Number(row.device_minor ?? 0n) } }),
    ...(row.target === null ? {} : { target: row.target }),
    ...(row.xattrs === null ? {} : { xattrs: decodeXattrs(row.xattrs) }),
  };
  const mark = row.ino === null ? undefined : { ino: fromStored(row.ino), birthNs: BigInt.asIntN(64, row.birth_ns ?? 0n) };
  return { state, mark, staged: row.staged !== 0n };
}

/** The same state with buffers of its own: those of a change are views of a whole frame, which they would keep in memory. */
export function ownState(state: NodeState): NodeState {
  const { target, xattrs } = state;
  if (target === undefined && xattrs === undefined) return state;
  return {
    ...state,
    ...(target === undefined ? {} : { target: owned(target) }),
    ...(xattrs === undefined ? {} : { xattrs: new Map([...xattrs].map(([key, value]) => [key, owned(value)])) }),
  };
}

function owned(bytes: Buffer): Buffer {
  return bytes.buffer.byteLength > 4 * bytes.byteLength + 16384 ? Buffer.from(bytes) : bytes;
}

/** Length and bytes of key and value in turn. */
function encodeXattrs(xattrs: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of xattrs) {
    for (const bytes of [Buffer.from(key, 'latin1'), value]) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.byteLength);
      parts.push(length, bytes);
    }
  }
  return Buffer.concat(parts);
}

function decodeXattrs(bytes: Buffer): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  let at = 0;
  const next = (): Buffer => {
    const length = bytes.readUInt32LE(at);
    const part = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  while (at < bytes.byteLength) {
    const key = next().toString('latin1');
    xattrs.set(key, next());
  }
  return xattrs;
}
