/** Finds what differs between a file and the journal, by block hash, and records it as changes. */
import type { TreeFile } from '../../../native/host/directory.js';
import { asNodeId, type VolumeId, writeBytesMax } from '../../../proto/change.js';
import { type BlockHasher, blockBytes, chunkBlocks, chunkBytes, HashChunk, holeHash } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';
import type { Recorder } from './recorder.js';

const pieceBytes = 1024 * 1024;
/** A run of zeroes costs nothing to carry, but its blocks are marked one by one. */
const zeroRunBytesMax = 64 * 1024 * 1024;

export interface ContentParts {
  readonly index: CaptureIndex;
  readonly hasher: BlockHasher;
  readonly recorder: Recorder;
  readonly volume: VolumeId;
}

/** What is asked of a file. */
export type ContentFile = Pick<TreeFile, 'read' | 'nextData'>;

export interface ContentSource {
  readonly file: ContentFile;
  readonly node: number;
  readonly size: number;
  /** The file may have holes. */
  readonly sparse: boolean;
  /** Only blocks that lie in [from, to), in part at least; all when absent. The size is made right in any case. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * Makes the journal's content of a node that of an open file of `size` bytes. A file that ends early
 * is recorded as far as it goes. Resolves to the bytes read.
 */
export async function captureContent(parts: ContentParts, source: ContentSource): Promise<number> {
  return new ContentCapture(parts, source.file, source.node, source.size).run(source);
}

class ContentCapture {
  readonly #parts: ContentParts;
  readonly #file: ContentFile;
  readonly #node: number;
  readonly #size: number;
  #buffer: Buffer | undefined;
  #zero: { offset: number; end: number } | undefined;
  #bytesRead = 0;

  constructor(parts: ContentParts, file: ContentFile, node: number, size: number) {
    this.#parts = parts;
    this.#file = file;
    this.#node = node;
    this.#size = size;
  }

  async run({ sparse, from = 0, to = this.#size }: ContentSource): Promise<number> {
    const last = Math.min(this.#size, Math.ceil(to / blockBytes) * blockBytes);
    if (this.#size < this.#journalSize()) await this.#add({ kind: 'truncate', node: asNodeId(BigInt(this.#node)), size: this.#size });
    for (let at = from - (from % blockBytes); at < last; ) {
      const data = sparse ? await this.#file.nextData(at) : { offset: at, length: this.#size - at };
      const start = data === undefined ? last : Math.min(last, data.offset - (data.offset % blockBytes));
      if (start > at) await this.#punch(at, start);
      if (data === undefined || start >= last) break;
      const end = Math.min(this.#size, Math.ceil(Math.min(last, data.offset + data.length) / blockBytes) * blockBytes);
      for (let piece = Math.max(start, at); piece < end; piece += pieceBytes) {
        if (!(await this.#compare(piece, Math.min(end, piece + pieceBytes)))) return this.#finish(false);
      }
      at = end;
    }
    return this.#finish(true);
  }

  async #finish(whole: boolean): Promise<number> {
    await this.#flushZero();
    if (whole && this.#journalSize() < this.#size) await this.#add({ kind: 'truncate', node: asNodeId(BigInt(this.#node)), size: this.#size });
    return this.#bytesRead;
  }

  #journalSize(): number {
    return this.#parts.index.node(this.#parts.volume, this.#node)?.size ?? 0;
  }

  async #add(body: Parameters<Recorder['add']>[1], hashes?: readonly bigint[]): Promise<void> {
    await this.#parts.recorder.add(this.#parts.volume, body, hashes === undefined ? {} : { hashes });
  }

  /** Reads a stretch and records the blocks that differ; false when the file ended before it. */
  async #compare(offset: number, end: number): Promise<boolean> {
    const { index, hasher, volume } = this.#parts;
    const length = end - offset;
    this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.#size));
    const got = await this.#file.read(this.#buffer.subarray(0, length), offset);
    this.#bytesRead += got;
    const piece = this.#buffer.subarray(0, got);
    const blocks = Math.ceil(got / blockBytes);
    const hashes: bigint[] = new Array<bigint>(blocks);
    const differs: boolean[] = new Array<boolean>(blocks);
    let differing = 0;
    // A stretch may lie across two chunks when it does not start on a whole MiB.
    let chunkNumber = -1;
    let chunk: HashChunk | undefined;
    for (let block = 0; block < blocks; block += 1) {
      const at = offset + block * blockBytes;
      const wanted = Math.floor(at / chunkBytes);
      if (wanted !== chunkNumber) {
        chunkNumber = wanted;
        chunk = index.chunk(volume, this.#node, chunkNumber);
      }
      const hash = hasher.hash(piece.subarray(block * blockBytes, (block + 1) * blockBytes));
      hashes[block] = hash;
      differs[block] = (chunk?.get((at / blockBytes) % chunkBlocks) ?? holeHash) !== hash;
      if (differs[block] && hash !== hasher.zeroHash) differing += 1;
    }
    // Handing over a few blocks of a large buffer would keep all of it in memory, so those are copied.
    const handOver = differing * 4 > blocks;
    for (let block = 0; block < blocks; ) {
      if (!differs[block]) {
        block += 1;
        continue;
      }
      const zero = hashes[block] === hasher.zeroHash;
      let next = block + 1;
      while (next < blocks && differs[next] && (hashes[next] === hasher.zeroHash) === zero && (zero || (next - block) * blockBytes < writeBytesMax)) next += 1;
      const from = block * blockBytes;
      const to = Math.min(next * blockBytes, got);
      if (zero) {
        await this.#addZero(offset + from, offset + to);
      } else {
        await this.#flushZero();
        const data = handOver ? piece.subarray(from, to) : Buffer.from(piece.subarray(from, to));
        await this.#add({ kind: 'write', node: asNodeId(BigInt(this.#node)), offset: offset + from, data }, hashes.slice(block, next));
      }
      block = next;
    }
    if (handOver && differing > 0) this.#buffer = undefined;
    return got === length;
  }

  /** Allocated zeroes travel as a range: it keeps them allocated and carries no bytes. */
  async #addZero(offset: number, end: number): Promise<void> {
    if (this.#zero !== undefined && (this.#zero.end !== offset || end - this.#zero.offset > zeroRunBytesMax)) await this.#flushZero();
    if (this.#zero === undefined) this.#zero = { offset, end };
    else this.#zero.end = end;
  }

  async #flushZero(): Promise<void> {
    if (this.#zero === undefined) return;
    const { offset, end } = this.#zero;
    this.#zero = undefined;
    await this.#add({ kind: 'zero', node: asNodeId(BigInt(this.#node)), offset, length: end - offset });
  }

  /** The file has a hole here: what the journal has in it goes. */
  async #punch(from: number, to: number): Promise<void> {
    await this.#flushZero();
    const { index, volume } = this.#parts;
    // Past the journal's own end there is nothing to take away.
    const journalSize = this.#journalSize();
    for (const number of index.chunksWithin(volume, this.#node, from, to)) {
      const chunk = index.chunk(volume, this.#node, number);
      if (chunk === undefined) continue;
      const base = number * chunkBlocks;
      const first = Math.max(0, Math.ceil(from / blockBytes) - base);
      const last = Math.min(chunkBlocks, Math.ceil(to / blockBytes) - base);
      for (let block = first; block < last; ) {
        if (chunk.get(block) === holeHash) {
          block += 1;
          continue;
        }
        let next = block + 1;
        while (next < last && chunk.get(next) !== holeHash) next += 1;
        const offset = (base + block) * blockBytes;
        const end = Math.min((base + next) * blockBytes, journalSize);
        if (end <= offset) break;
        await this.#add({ kind: 'punch', node: asNodeId(BigInt(this.#node)), offset, length: end - offset });
        block = next;
      }
    }
  }
}
