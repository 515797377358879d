/** Brings the capture index up to a change: the same for a change just captured and one replayed. */
import { type ChangeBody, type NodeMetadata, rootNode } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { type BlockHasher, blockBytes, chunkBlocks, chunkBytes, HashChunk, holeHash, unknownHash } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';

/**
 * Applies one change to the rows of a volume. Throws FormatError for one that does not fit what is there.
 * `hashes` are those of a write's blocks where the caller has them already; it starts on a block then.
 */
export function applyChange(index: CaptureIndex, hasher: BlockHasher, volume: number, body: ChangeBody, timeNs: bigint, hashes?: readonly bigint[]): void {
  switch (body.kind) {
    case 'create': {
      const node = Number(body.node);
      index.insertNode(volume, { node, ...metadataColumns(body.metadata) });
      index.raiseNextNode(volume, node + 1);
      if (body.parent !== undefined && body.name !== undefined) index.insertLink(volume, Number(body.parent), body.name, node);
      return;
    }
    case 'link':
      index.insertLink(volume, Number(body.parent), body.name, Number(body.node));
      return;
    case 'unlink':
      removeName(index, volume, Number(body.parent), body.name);
      return;
    case 'rename':
      rename(index, volume, { parent: Number(body.parent), name: body.name }, { parent: Number(body.toParent), name: body.toName }, body.exchange);
      return;
    case 'write': {
      const node = Number(body.node);
      const end = body.offset + body.data.byteLength;
      const size = Math.max(sizeOf(index, volume, node), end);
      setRange(index, volume, node, body.offset, end, size, (offset) => {
        const at = offset - body.offset;
        return hashes?.[at / blockBytes] ?? hasher.hash(body.data.subarray(at, at + blockBytes));
      });
      index.setSize(volume, node, size);
      return;
    }
    case 'zero': {
      const node = Number(body.node);
      const end = body.offset + body.length;
      const size = Math.max(sizeOf(index, volume, node), end);
      setRange(index, volume, node, body.offset, end, size, () => hasher.zeroHash);
      index.setSize(volume, node, size);
      return;
    }
    case 'punch': {
      const node = Number(body.node);
      const size = sizeOf(index, volume, node);
      setRange(index, volume, node, body.offset, Math.min(body.offset + body.length, size), size, holes);
      index.setSize(volume, node, size);
      return;
    }
    case 'clone': {
      const node = Number(body.node);
      const end = body.offset + body.length;
      const size = Math.max(sizeOf(index, volume, node), end);
      setRange(index, volume, node, body.offset, end, size, () => unknownHash);
      index.setSize(volume, node, size);
      return;
    }
    case 'truncate':
      truncate(index, volume, Number(body.node), body.size);
      return;
    case 'attributes': {
      const node = Number(body.node);
      const row = known(index, volume, node);
      index.setAttributes(volume, node, {
        mode: body.mode ?? row.mode,
        uid: body.uid ?? row.uid,
        gid: body.gid ?? row.gid,
        modifyNs: body.modifyNs === undefined ? row.modifyNs : String(body.modifyNs),
      });
      return;
    }
    case 'xattr-set':
    case 'xattr-remove': {
      const node = Number(body.node);
      const xattrs = decodeXattrs(known(index, volume, node).xattrs);
      if (body.kind === 'xattr-set') xattrs.set(body.key, body.value);
      else xattrs.delete(body.key);
      index.setXattrs(volume, node, encodeXattrs(xattrs));
      return;
    }
    case 'baseline':
      index.setBaseline(volume, body.edge === 'begin' ? 'begun' : 'done');
      // The least that a start after a crash must know: from when on it was not watching.
      if (body.edge === 'end') index.setKnownThrough(volume, timeNs);
      return;
    case 'gap':
      if (body.edge === 'open') index.openGap(volume, body);
      else index.closeGap(volume, body.gap);
      return;
    case 'settled':
      index.setSettled(volume, timeNs);
      return;
    case 'retired':
      index.removeVolume(volume);
      return;
    case 'discard': {
      // What the device reads from there afterwards is its own affair.
      const root = Number(rootNode);
      setRange(index, volume, root, body.offset, body.offset + body.length, sizeOf(index, volume, root), () => unknownHash);
      return;
    }
    case 'flush':
    case 'mark':
    case 'clock':
    case 'durable':
    case 'volume':
      return;
  }
}

const holes = (): bigint => holeHash;

interface NameAt {
  readonly parent: number;
  readonly name: string;
}

function removeName(index: CaptureIndex, volume: number, parent: number, name: string): void {
  const node = index.childNode(volume, parent, name);
  if (node === 0) throw new FormatError('apply unlink to capture index', { volume, parent, name: JSON.stringify(name) });
  index.deleteLink(volume, parent, name, node);
  if (known(index, volume, node).links <= 0) index.deleteNode(volume, node);
}

function rename(index: CaptureIndex, volume: number, source: NameAt, target: NameAt, exchange: boolean): void {
  const node = index.childNode(volume, source.parent, source.name);
  const replaced = index.childNode(volume, target.parent, target.name);
  if (node === 0 || (exchange && replaced === 0)) throw new FormatError('apply rename to capture index', { volume, parent: source.parent, name: JSON.stringify(source.name) });
  if (node === replaced) return;
  if (exchange) index.deleteLink(volume, target.parent, target.name, replaced);
  else if (replaced !== 0) removeName(index, volume, target.parent, target.name);
  index.deleteLink(volume, source.parent, source.name, node);
  index.insertLink(volume, target.parent, target.name, node);
  if (exchange) index.insertLink(volume, source.parent, source.name, replaced);
}

/** Sets the hashes of a range; blocks covered in part become unknown, unless nothing but the file's end follows. */
function setRange(index: CaptureIndex, volume: number, node: number, from: number, to: number, size: number, hashAt: (offset: number) => bigint): void {
  let chunkNumber = -1;
  let chunk: HashChunk | undefined;
  for (let offset = from - (from % blockBytes); offset < to; offset += blockBytes) {
    const wanted = Math.floor(offset / chunkBytes);
    if (wanted !== chunkNumber) {
      chunkNumber = wanted;
      chunk = index.alterChunk(volume, node, chunkNumber);
      if (chunk === undefined && hashAt === holes) {
        // A chunk without a row is all holes already.
        chunkNumber = -1;
        offset = (wanted + 1) * chunkBytes - blockBytes;
        continue;
      }
      if (chunk === undefined) index.setChunk(volume, node, chunkNumber, (chunk = new HashChunk()));
    }
    const whole = offset >= from && (offset + blockBytes <= to || to >= size);
    chunk!.set((offset / blockBytes) % chunkBlocks, whole ? hashAt(offset) : unknownHash);
  }
}

function truncate(index: CaptureIndex, volume: number, node: number, size: number): void {
  if (size < sizeOf(index, volume, node)) {
    const chunkNumber = Math.floor(size / chunkBytes);
    index.deleteChunksFrom(volume, node, chunkNumber + 1);
    const chunk = index.alterChunk(volume, node, chunkNumber);
    if (chunk !== undefined) {
      const inChunk = size - chunkNumber * chunkBytes;
      const kept = Math.ceil(inChunk / blockBytes);
      chunk.fill(holeHash, kept, chunkBlocks);
      // What is left of the block that was cut was not hashed on its own.
      if (inChunk % blockBytes !== 0 && chunk.get(kept - 1) !== holeHash) chunk.set(kept - 1, unknownHash);
    }
  }
  index.setSize(volume, node, size);
}

function sizeOf(index: CaptureIndex, volume: number, node: number): number {
  return known(index, volume, node).size;
}

function known(index: CaptureIndex, volume: number, node: number): NonNullable<ReturnType<CaptureIndex['node']>> {
  const row = index.node(volume, node);
  if (row === undefined) throw new FormatError('apply change to capture index', { volume, node, root: rootNode, fault: 'no such node' });
  return row;
}

function metadataColumns(metadata: NodeMetadata): Omit<NonNullable<ReturnType<CaptureIndex['node']>>, 'node' | 'links' | 'size' | 'identity' | 'signature' | 'verifyAfterMs'> {
  return {
    kind: metadata.nodeKind,
    mode: metadata.mode,
    uid: metadata.uid,
    gid: metadata.gid,
    modifyNs: String(metadata.modifyNs),
    target: metadata.target ?? null,
    device: metadata.device === undefined ? null : `${metadata.device.major}:${metadata.device.minor}`,
    xattrs: encodeXattrs(metadata.xattrs ?? new Map()),
  };
}

/** Extended attributes as a column: null when there are none. */
export function encodeXattrs(xattrs: ReadonlyMap<string, Buffer>): string | null {
  if (xattrs.size === 0) return null;
  const pairs = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(pairs.map(([key, value]) => [key, value.toString('base64')]));
}

export function decodeXattrs(column: string | null): Map<string, Buffer> {
  if (column === null) return new Map();
  return new Map((JSON.parse(column) as [string, string][]).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}
