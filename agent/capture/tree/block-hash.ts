/** Hashes of 4 KiB blocks, and the rows of 1,024 of them that the index keeps for each 4 MiB of a file. */
import xxhash, { type XXHashAPI } from 'xxhash-wasm';

export const blockBytes = 4096;
export const chunkBlocks = 1024;
export const chunkBytes = blockBytes * chunkBlocks;

/** The journal holds a hole here: never written, or punched. */
export const holeHash = 0n;
/** The journal holds something here whose hash is not known: it differs from anything. */
export const unknownHash = 1n;

/** Hashes blocks; a short last block counts as if zeroes followed, so that growing by zeroes changes nothing. */
export class BlockHasher {
  readonly #api: XXHashAPI;
  readonly #padded = new Uint8Array(blockBytes);
  readonly zeroHash: bigint;

  private constructor(api: XXHashAPI) {
    this.#api = api;
    this.zeroHash = this.hash(new Uint8Array(blockBytes));
  }

  static async create(): Promise<BlockHasher> {
    return new BlockHasher(await xxhash());
  }

  hash(block: Uint8Array): bigint {
    let whole = block;
    if (block.byteLength < blockBytes) {
      whole = this.#padded;
      whole.set(block);
      whole.fill(0, block.byteLength);
    }
    const hash = this.#api.h64Raw(whole);
    // The two lowest values have a meaning of their own.
    return hash > unknownHash ? hash : hash + 2n;
  }
}

/** Hashes of one chunk; blocks past its stored length are holes. */
export class HashChunk {
  readonly #hashes: BigUint64Array;
  #used: number;

  constructor(stored?: Uint8Array) {
    this.#hashes = new BigUint64Array(chunkBlocks);
    this.#used = 0;
    if (stored !== undefined && stored.byteLength > 0) {
      new Uint8Array(this.#hashes.buffer).set(stored.subarray(0, chunkBlocks * 8));
      this.#used = Math.min(chunkBlocks, stored.byteLength >> 3);
    }
  }

  /** `into`: a chunk that nobody uses any more. */
  copy(into = new HashChunk()): HashChunk {
    into.#hashes.set(this.#hashes);
    into.#used = this.#used;
    return into;
  }

  get(block: number): bigint {
    return this.#hashes[block]!;
  }

  set(block: number, hash: bigint): void {
    this.#hashes[block] = hash;
    if (block >= this.#used) this.#used = block + 1;
  }

  fill(hash: bigint, from: number, to: number): void {
    this.#hashes.fill(hash, from, to);
    if (to > this.#used) this.#used = to;
  }

  /** The bytes to store, trailing holes left out; empty when there is nothing but holes. */
  stored(): Buffer {
    let used = this.#used;
    while (used > 0 && this.#hashes[used - 1] === holeHash) used -= 1;
    return Buffer.from(this.#hashes.buffer, 0, used * 8);
  }
}
