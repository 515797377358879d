/** The inodes of an in-memory tree: sparse content by 4 KiB block, entries, attributes. */
import { directoryError } from './directory-error.js';
import type { ByteSpan, EntryKind, EntryStat } from './directory.js';

const BLOCK_BYTES = 4096;

/** Content of a file. A block that was never written, or was punched, is absent and reads as zeroes. */
export class SparseContent {
  /** Blocks are never changed, only replaced, so copies of the content can share them. */
  readonly #blocks: Map<number, Uint8Array>;
  #size: number;

  constructor(blocks = new Map<number, Uint8Array>(), size = 0) {
    this.#blocks = blocks;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get allocatedBytes(): number {
    return this.#blocks.size * BLOCK_BYTES;
  }

  copy(): SparseContent {
    return new SparseContent(new Map(this.#blocks), this.#size);
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.byteLength, this.#size - position));
    eachBlock(position, length, (index, from, to, done) => {
      const block = this.#blocks.get(index);
      if (block === undefined) target.fill(0, done, done + to - from);
      else target.set(block.subarray(from, to), done);
    });
    return length;
  }

  write(source: Uint8Array, position: number): void {
    if (source.byteLength === 0) return;
    if (position + source.byteLength > Number.MAX_SAFE_INTEGER) throw directoryError('EFBIG', 'write');
    eachBlock(position, source.byteLength, (index, from, to, done) => {
      this.#replace(index, (block) => block.set(source.subarray(done, done + to - from), from));
    });
    this.#size = Math.max(this.#size, position + source.byteLength);
  }

  truncate(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0) throw directoryError('EINVAL', 'ftruncate');
    if (size < this.#size) {
      const last = Math.floor(size / BLOCK_BYTES);
      for (const index of this.#blocks.keys()) if (index > last) this.#blocks.delete(index);
      // What a later extension uncovers must read as zeroes.
      if (size % BLOCK_BYTES === 0) this.#blocks.delete(last);
      else if (this.#blocks.has(last)) this.#replace(last, (block) => block.fill(0, size % BLOCK_BYTES));
    }
    this.#size = size;
  }

  punch(span: ByteSpan): void {
    const end = Math.min(span.offset + span.length, this.#size);
    for (const index of [...this.#blocks.keys()]) {
      const start = index * BLOCK_BYTES;
      const from = Math.max(span.offset - start, 0);
      // The end of the file counts as the end of its last block.
      const to = end === this.#size && start + BLOCK_BYTES >= end ? BLOCK_BYTES : Math.min(end - start, BLOCK_BYTES);
      if (from >= to || start >= end) continue;
      if (from === 0 && to === BLOCK_BYTES) this.#blocks.delete(index);
      else this.#replace(index, (block) => block.fill(0, from, to));
    }
  }

  nextData(offset: number): ByteSpan | undefined {
    let index = Math.floor(offset / BLOCK_BYTES);
    if (!this.#blocks.has(index)) {
      let next = Infinity;
      for (const candidate of this.#blocks.keys()) if (candidate > index && candidate < next) next = candidate;
      index = next;
    }
    const start = Math.max(offset, index * BLOCK_BYTES);
    if (start >= this.#size) return undefined;
    while (this.#blocks.has(index)) index += 1;
    return { offset: start, length: Math.min(index * BLOCK_BYTES, this.#size) - start };
  }

  #replace(index: number, change: (block: Uint8Array) => void): void {
    const block = new Uint8Array(BLOCK_BYTES);
    const old = this.#blocks.get(index);
    if (old !== undefined) block.set(old);
    change(block);
    this.#blocks.set(index, block);
  }
}

/** Cuts a range at block borders. `done` counts the bytes of the range before this piece. */
function eachBlock(
  position: number,
  length: number,
  visit: (index: number, from: number, to: number, done: number) => void,
): void {
  for (let done = 0; done < length; ) {
    const at = position + done;
    const from = at % BLOCK_BYTES;
    const to = Math.min(BLOCK_BYTES, from + length - done);
    visit((at - from) / BLOCK_BYTES, from, to, done);
    done += to - from;
  }
}

export interface MemoryInode {
  readonly kind: EntryKind;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthNs: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  mode: number;
  uid: number;
  gid: number;
  /** 0 once no name leads here; open handles may still. */
  linkCount: number;
  accessNs: bigint;
  modifyNs: bigint;
  changeNs: bigint;
  readonly xattrs: Map<string, Buffer>;
  /** Of files; empty otherwise. */
  readonly content: SparseContent;
  /** Of directories: names as Latin-1 strings, one character a byte. */
  readonly entries: Map<string, MemoryInode>;
  /** Of directories: the one that holds this one; undefined for the root. */
  parent: MemoryInode | undefined;
  /** Of symbolic links. */
  readonly target: Buffer;
}

export function memoryStat(inode: MemoryInode): EntryStat {
  const { kind, dev, ino, birthNs, deviceMajor, deviceMinor } = inode;
  const { mode, uid, gid, linkCount, accessNs, modifyNs, changeNs } = inode;
  return {
    kind, dev, ino, birthNs, deviceMajor, deviceMinor, mode, uid, gid, linkCount, accessNs, modifyNs, changeNs,
    size: kind === 'symlink' ? inode.target.length : inode.content.size,
    allocatedBytes: inode.content.allocatedBytes,
  };
}

/** A copy of everything reachable from `root`, hard links kept; shares only what is never changed. */
export function copyTree(root: MemoryInode): MemoryInode {
  const copies = new Map<MemoryInode, MemoryInode>();
  const pending: MemoryInode[] = [];
  const copyOf = (inode: MemoryInode): MemoryInode => {
    let copy = copies.get(inode);
    if (copy === undefined) {
      copy = { ...inode, xattrs: new Map(inode.xattrs), content: inode.content.copy(), entries: new Map() };
      copies.set(inode, copy);
      pending.push(inode);
    }
    return copy;
  };
  const rootCopy = copyOf(root);
  // A list of its own instead of recursion: trees may be deeper than the call stack.
  for (let inode = pending.pop(); inode !== undefined; inode = pending.pop()) {
    const copy = copyOf(inode);
    for (const [name, child] of inode.entries) {
      const childCopy = copyOf(child);
      copy.entries.set(name, childCopy);
      if (child.kind === 'directory') childCopy.parent = copy;
    }
  }
  return rootCopy;
}
