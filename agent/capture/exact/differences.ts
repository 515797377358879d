/** Finds where a node of the model and its inode differ, without recording anything. */
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey } from '../../../native/capture/names.js';
import type { Directory, EntryStat, TreeFile } from '../../../native/host/directory.js';
import { type BlockHasher, blockBytes, chunkBlocks, chunkBytes, type HashChunk, holeHash, unknownHash } from '../tree/block-hash.js';
import type { CaptureIndex, NodeRow } from '../tree/capture-index.js';
import type { Excludes } from '../tree/excludes.js';
import { textPathOf } from '../tree/index-path.js';
import { deviceOf, differingXattrs, identityOf, nodeBytes } from '../tree/seen.js';

export type Difference =
  | { readonly what: 'content'; readonly node: number; readonly low: number; readonly high: number }
  | { readonly what: 'metadata'; readonly node: number }
  | { readonly what: 'names'; readonly node: number; readonly names: readonly string[] };

/** Content of which the model knows no hash, as it was read. */
export interface Unhashed {
  readonly node: number;
  readonly offset: number;
  readonly data: Buffer;
  readonly hashes: readonly bigint[];
}

/** What a number of looks found. */
export class Findings {
  readonly differences: Difference[] = [];
  readonly unhashed: Unhashed[] = [];
  bytesRead = 0;
}

/** Where the model of content is. */
export interface ComparedModel {
  readonly volume: number;
  readonly index: CaptureIndex;
  readonly hasher: BlockHasher;
}

/** What is asked of a file to compare its content. */
export type ComparedFile = Pick<TreeFile, 'read' | 'nextData'> & { stat(): Promise<Pick<EntryStat, 'size'>> };

export interface ComparedVolume extends ComparedModel {
  readonly excludes: Excludes;
  readonly handles: HandleAccess;
}

const pageRows = 500;
const pieceBytes = 1024 * 1024;

/** Whether the inode is there, is what it was, and has the metadata that the model has. */
export function compareMetadata({ handles, index, volume }: ComparedVolume, row: NodeRow, inode: InodeKey, found: Findings): EntryStat | undefined {
  const look = handles.look(inode);
  if (look === undefined || look.stat.kind !== row.kind) {
    for (const { parent, name } of index.linksOf(volume, row.node)) found.differences.push({ what: 'names', node: parent, names: [name] });
    return undefined;
  }
  const { stat, target, xattrs } = look;
  const { set, remove } = differingXattrs(row.xattrs, xattrs);
  const isSame =
    row.mode === stat.mode && row.uid === stat.uid && row.gid === stat.gid &&
    (row.modifyNs === '' || row.modifyNs === String(stat.modifyNs)) &&
    set.length === 0 && remove.length === 0 && row.device === deviceOf(stat) &&
    (target === undefined || row.target?.equals(target) === true);
  if (!isSame) found.differences.push({ what: 'metadata', node: row.node });
  if (row.kind === 'file' && row.size !== stat.size) found.differences.push({ what: 'content', node: row.node, low: Math.min(row.size, stat.size), high: Number.MAX_SAFE_INTEGER });
  return stat;
}

/** The names of an open directory against the model's; what is left out or belongs to another file system is passed over. */
export async function compareNames({ index, volume, excludes }: ComparedVolume, directory: number, handle: Directory, rootDevice: bigint, found: Findings): Promise<void> {
  const there = new Map<string, EntryStat>();
  for (const { name, stat } of await handle.list()) there.set(name.toString('latin1'), stat);
  const above = excludes.needsPath ? textPathOf(index, volume, directory) : [];
  const isLeftOut = (name: string, stat: EntryStat | undefined): boolean => {
    if (stat?.kind === 'directory' && stat.dev !== rootDevice) return true;
    return excludes.isExcluded(excludes.needsPath ? [...above, nodeBytes(name).toString()].join('/') : '', stat);
  };
  const names: string[] = [];
  for (let after = ''; ; ) {
    const rows = index.children(volume, directory, after, pageRows);
    for (const row of rows) {
      const stat = there.get(row.name);
      there.delete(row.name);
      // An inode that is not known yet is found by the next look.
      if (stat !== undefined && (row.identity === null || identityOf(stat, rootDevice) === row.identity)) continue;
      if (!isLeftOut(row.name, stat)) names.push(row.name);
    }
    if (rows.length < pageRows) break;
    after = rows.at(-1)!.name;
  }
  for (const [name, stat] of there) if (!isLeftOut(name, stat)) names.push(name);
  if (names.length > 0) found.differences.push({ what: 'names', node: directory, names });
}

/**
 * Content in [from, to) by block, up to `bytesMax` of it at a time. Resolves to the offset to go on from;
 * undefined when all is compared.
 */
export async function compareContent(volume: ComparedModel, node: number, file: ComparedFile, span: { readonly from: number; readonly to: number; readonly bytesMax: number }, found: Findings): Promise<number | undefined> {
  const { size } = await file.stat();
  const to = Math.min(size, Math.ceil(span.to / blockBytes) * blockBytes);
  let at = span.from - (span.from % blockBytes);
  const limit = found.bytesRead + span.bytesMax;
  while (at < to) {
    if (found.bytesRead >= limit) return at;
    const data = await file.nextData(at);
    const start = data === undefined ? to : Math.min(to, data.offset - (data.offset % blockBytes));
    if (start > at) compareHole(volume, node, at, start, found);
    if (data === undefined || start >= to) return undefined;
    at = Math.min(to, Math.ceil(Math.min(start + pieceBytes, data.offset + data.length) / blockBytes) * blockBytes);
    if (!(await comparePiece(volume, node, file, { from: start, to: at }, found))) return undefined;
  }
  return undefined;
}

/** False when the file ended before the piece did. */
async function comparePiece({ index, volume, hasher }: ComparedModel, node: number, file: ComparedFile, { from, to }: { readonly from: number; readonly to: number }, found: Findings): Promise<boolean> {
  const bytes = Buffer.allocUnsafeSlow(to - from);
  const got = await file.read(bytes, from);
  found.bytesRead += got;
  const model = new ModelHashes(index, volume, node);
  const unhashed = new Runs<bigint>((first, hashes) => {
    const offset = from + first * blockBytes;
    const data = Buffer.from(bytes.subarray(first * blockBytes, Math.min(got, (first + hashes.length) * blockBytes)));
    found.unhashed.push({ node, offset, data, hashes });
  });
  const differing = new Runs<bigint>((first, { length }) => {
    const low = from + first * blockBytes;
    found.differences.push({ what: 'content', node, low, high: low + length * blockBytes });
  });
  for (let block = 0; block * blockBytes < got; block += 1) {
    const known = model.at(from + block * blockBytes);
    const hash = hasher.hash(bytes.subarray(block * blockBytes, Math.min(got, (block + 1) * blockBytes)));
    if (known === unknownHash) unhashed.add(block, hash);
    else if (known !== hash && (known !== holeHash || hash !== hasher.zeroHash)) differing.add(block, hash);
  }
  unhashed.end();
  differing.end();
  return got === to - from;
}

/** A hole reads as zeroes, and so must what the model has there. */
function compareHole({ index, volume, hasher }: ComparedModel, node: number, from: number, to: number, found: Findings): void {
  const differing = new Runs<number>((first, { length }) => {
    found.differences.push({ what: 'content', node, low: first * blockBytes, high: (first + length) * blockBytes });
  });
  for (const number of index.chunksWithin(volume, node, from, to)) {
    const chunk = index.chunk(volume, node, number);
    const first = Math.max(from / blockBytes, number * chunkBlocks);
    const last = Math.min(to / blockBytes, (number + 1) * chunkBlocks);
    for (let block = first; block < last; block += 1) {
      const hash = chunk?.get(block - number * chunkBlocks) ?? holeHash;
      if (hash !== holeHash && hash !== hasher.zeroHash) differing.add(block, block);
    }
  }
  differing.end();
}

/** Hashes of blocks that are asked for one after the other. */
class ModelHashes {
  readonly #index: CaptureIndex;
  readonly #volume: number;
  readonly #node: number;
  #number = -1;
  #chunk: HashChunk | undefined;

  constructor(index: CaptureIndex, volume: number, node: number) {
    this.#index = index;
    this.#volume = volume;
    this.#node = node;
  }

  at(offset: number): bigint {
    const number = Math.floor(offset / chunkBytes);
    if (number !== this.#number) {
      this.#number = number;
      this.#chunk = this.#index.chunk(this.#volume, this.#node, number);
    }
    return this.#chunk?.get((offset / blockBytes) % chunkBlocks) ?? holeHash;
  }
}

/** Gathers neighbours. */
class Runs<T> {
  readonly #onRun: (first: number, values: readonly T[]) => void;
  #first = 0;
  #values: T[] = [];

  constructor(onRun: (first: number, values: readonly T[]) => void) {
    this.#onRun = onRun;
  }

  add(at: number, value: T): void {
    if (this.#values.length > 0 && at !== this.#first + this.#values.length) this.end();
    if (this.#values.length === 0) this.#first = at;
    this.#values.push(value);
  }

  end(): void {
    if (this.#values.length > 0) this.#onRun(this.#first, this.#values);
    this.#values = [];
  }
}
