/** Decodes what the addon tells of entries: the structs of src/stat-record.h, in host byte order. */
import { endianness } from 'node:os';
import { directoryError } from './directory-error.js';
import type { EntryKind, EntryStat, ListedEntry } from './directory.js';

export const STAT_RECORD_BYTES = 96;
/** A stat and the identity of the same inode: NodeRecord in src/handle-identity.h. */
export const NODE_RECORD_BYTES = 112;
const littleEndian = endianness() === 'LE';

const kinds = new Map<number, EntryKind>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o060000, 'block-device'],
  [0o020000, 'character-device'],
]);

/** The kind that the type bits of a mode name; EINVAL for a type that Afterimage does not know. */
export function kindOfMode(mode: number, entry?: Uint8Array): EntryKind {
  const kind = kinds.get(mode & 0o170000);
  if (kind === undefined) throw directoryError('EINVAL', 'lstat', entry, `unknown file type ${(mode & 0o170000).toString(8)}`);
  return kind;
}

/** The S_IFMT bits of a kind. */
export function modeTypeOf(kind: EntryKind): number {
  for (const [bits, known] of kinds) if (known === kind) return bits;
  throw new TypeError(`no such kind: ${kind}`);
}

/** A size as a number; EFBIG when doubles cannot count its bytes. */
export function checkedSize(size: bigint, entry?: Uint8Array): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw directoryError('EFBIG', 'lstat', entry);
  return Number(size);
}

function decodeAt(view: DataView, at: number, entry: Uint8Array | undefined): EntryStat {
  const unsigned = (offset: number): number => view.getUint32(at + offset, littleEndian);
  const modeAndType = unsigned(64);
  return {
    kind: kindOfMode(modeAndType, entry),
    dev: view.getBigUint64(at, littleEndian),
    ino: view.getBigUint64(at + 8, littleEndian),
    birthNs: view.getBigInt64(at + 16, littleEndian),
    accessNs: view.getBigInt64(at + 24, littleEndian),
    modifyNs: view.getBigInt64(at + 32, littleEndian),
    changeNs: view.getBigInt64(at + 40, littleEndian),
    size: checkedSize(view.getBigUint64(at + 48, littleEndian), entry),
    allocatedBytes: checkedSize(view.getBigUint64(at + 56, littleEndian), entry),
    mode: modeAndType & 0o7777,
    uid: unsigned(68),
    gid: unsigned(72),
    linkCount: unsigned(76),
    deviceMajor: unsigned(80),
    deviceMinor: unsigned(84),
    ...(unsigned(88) === 0 ? {} : { isLocked: true }),
  };
}

/** Decodes one record of STAT_RECORD_BYTES bytes. */
export function decodeStat(record: Uint8Array, entry?: Uint8Array): EntryStat {
  return decodeAt(new DataView(record.buffer, record.byteOffset, STAT_RECORD_BYTES), 0, entry);
}

function decodeNodeAt(view: DataView, at: number, entry: Uint8Array | undefined): EntryStat {
  const stat = decodeAt(view, at, entry);
  if (view.getUint32(at + 108, littleEndian) === 0) return stat;
  const inode = { generation: view.getUint32(at + 104, littleEndian), tree: view.getBigUint64(at + 96, littleEndian) };
  return { ...stat, inode };
}

/** Decodes one record of NODE_RECORD_BYTES bytes: `inode` is there when the file system's handles are known. */
export function decodeNodeStat(record: Uint8Array, entry?: Uint8Array): EntryStat {
  return decodeNodeAt(new DataView(record.buffer, record.byteOffset, NODE_RECORD_BYTES), 0, entry);
}

/**
 * Decodes what the addon's list or listNodes returns. The names are copies: keeping one does not keep
 * the listing.
 */
export function decodeListing(packed: Uint8Array, options: { nodes?: boolean } = {}): ListedEntry[] {
  const recordBytes = options.nodes === true ? NODE_RECORD_BYTES : STAT_RECORD_BYTES;
  const decode = options.nodes === true ? decodeNodeAt : decodeAt;
  const entries: ListedEntry[] = [];
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.byteLength; ) {
    const length = view.getUint32(at + recordBytes, littleEndian);
    const nameAt = at + recordBytes + 8;
    const name = Buffer.from(packed.subarray(nameAt, nameAt + length));
    entries.push({ name, stat: decode(view, at, name) });
    at = nameAt + Math.ceil(length / 8) * 8;
  }
  return entries;
}
