/** Reads the records of a capture batch in place; the layout is native/bpf/record.h's. */

export const recordHeaderBytes = 152;

/** Words that tell one process, with its user and command name, from others: see hasActor. */
export const actorWords = 8;
/** Where they lie in a record. */
const actorWordsAt = [88, 96, 100, 104, 112, 116, 120, 124] as const;

export const RecordKind = {
  write: 1,
  truncate: 2,
  allocate: 3,
  clone: 4,
  dirty: 5,
  names: 6,
  attributes: 7,
  durable: 8,
  temporary: 9,
  blockWrite: 10,
  blockDiscard: 11,
  blockZero: 12,
  blockFlush: 13,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** The `tree` of lost ranges that are of a watched block device as a whole. */
export const blockTree = 2n ** 64n - 1n;

/** Bits of a record's flags. */
export const RecordFlag = { pageCache: 1, direct: 2, append: 4, filePosition: 8, durable: 16 } as const;

/** Why content was not captured; a lost range's `causes` has one bit for each, `1 << cause`. */
export const DirtyCause = {
  ringFull: 0,
  userFault: 1,
  concurrent: 2,
  asynchronous: 3,
  unknownCall: 4,
  sharedMapping: 5,
  notByByte: 6,
  deviceError: 7,
} as const;

export const RecordCall = {
  write: 1,
  pwrite: 2,
  writev: 3,
  pwritev: 4,
  pwritev2: 5,
  sendfile: 6,
  splice: 7,
  copyFileRange: 8,
  ftruncate: 9,
  truncate: 10,
  open: 11,
  fallocate: 12,
  clone: 13,
  cloneRange: 14,
  mkdir: 16,
  mknod: 17,
  symlink: 18,
  link: 19,
  unlink: 20,
  rmdir: 21,
  rename: 22,
  chmod: 23,
  fchmod: 24,
  chown: 25,
  fchown: 26,
  utimes: 27,
  futimens: 28,
  setxattr: 29,
  fsetxattr: 30,
  removexattr: 31,
  fremovexattr: 32,
  inodeFlags: 33,
  fsync: 34,
  fdatasync: 35,
  msync: 36,
  munmap: 37,
  exit: 38,
  ioSubmit: 39,
  ioUring: 40,
  bind: 41,
  sync: 42,
  syncfs: 43,
  other: 44,
  pageDirtied: 45,
} as const;

/**
 * A cursor over the records of one batch: `next()` moves it, the getters read the record it is on
 * without copying anything. Numbers that may pass 2^53 come as bigints.
 */
export class RecordCursor {
  readonly #bytes: Buffer;
  #at = 0;
  #end = 0;

  constructor(batch: Buffer) {
    this.#bytes = batch;
  }

  /** True when there was another record. Throws when the batch is not made of whole records. */
  next(): boolean {
    this.#at = this.#end;
    const left = this.#bytes.length - this.#at;
    if (left === 0) return false;
    const bytes = left < recordHeaderBytes ? 0 : this.#bytes.readUInt32LE(this.#at);
    if (bytes < recordHeaderBytes || bytes % 8 !== 0 || bytes > left || this.dataLength > bytes - recordHeaderBytes) {
      throw new RangeError(`a batch of ${this.#bytes.length} bytes has no whole record at ${this.#at}`);
    }
    this.#end = this.#at + bytes;
    return true;
  }

  get kind(): number {
    return this.#bytes.readUInt16LE(this.#at + 4);
  }
  get flags(): number {
    return this.#bytes.readUInt16LE(this.#at + 6);
  }
  get monotonicNs(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 8);
  }
  /** 0 when the call had no inode at hand. */
  get ino(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 16);
  }
  get generation(): number {
    return this.#bytes.readUInt32LE(this.#at + 24);
  }
  /** The superblock's device, as the third field of /proc/self/mountinfo shows it; on btrfs not what stat(2) shows. */
  get device(): number {
    return this.#bytes.readUInt32LE(this.#at + 28);
  }
  /** In bytes. File offsets are below 2^63; those of files beyond 2^53 bytes are not met with and lose precision. */
  get offset(): number {
    return this.#wide(32);
  }
  get length(): number {
    return this.#wide(40);
  }
  /** The inode's size after the call. */
  get size(): number {
    return this.#wide(48);
  }
  get modifySeconds(): bigint {
    return this.#bytes.readBigInt64LE(this.#at + 56);
  }
  get modifyNanoseconds(): number {
    return this.#bytes.readUInt32LE(this.#at + 64);
  }
  get mode(): number {
    return this.#bytes.readUInt32LE(this.#at + 68);
  }
  get uid(): number {
    return this.#bytes.readUInt32LE(this.#at + 72);
  }
  get gid(): number {
    return this.#bytes.readUInt32LE(this.#at + 76);
  }
  get links(): number {
    return this.#bytes.readUInt32LE(this.#at + 80);
  }
  get call(): number {
    return this.#bytes.readUInt32LE(this.#at + 84);
  }
  get pid(): number {
    return this.#bytes.readUInt32LE(this.#at + 88);
  }
  get tid(): number {
    return this.#bytes.readUInt32LE(this.#at + 92);
  }
  /** When the process started, in nanoseconds since boot. */
  get startNs(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 96);
  }
  get actorUid(): number {
    return this.#bytes.readUInt32LE(this.#at + 104);
  }
  get dataLength(): number {
    return this.#bytes.readUInt32LE(this.#at + 108);
  }
  get command(): string {
    const text = this.#bytes.subarray(this.#at + 112, this.#at + 128);
    const end = text.indexOf(0);
    return text.toString('utf8', 0, end === -1 ? text.length : end);
  }
  /** Whether pid, start, user and command name are those that copyActor took. */
  hasActor(words: Uint32Array): boolean {
    for (let word = 0; word < actorWords; word += 1) if (this.#bytes.readUInt32LE(this.#at + actorWordsAt[word]!) !== words[word]) return false;
    return true;
  }
  copyActor(words: Uint32Array): void {
    for (let word = 0; word < actorWords; word += 1) words[word] = this.#bytes.readUInt32LE(this.#at + actorWordsAt[word]!);
  }
  get a(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 128);
  }
  get b(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 136);
  }
  /** Of btrfs, the subvolume's root; else 0. */
  get tree(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 144);
  }
  /** A view of the batch's own memory. */
  get data(): Buffer {
    return this.#bytes.subarray(this.#at + recordHeaderBytes, this.#at + recordHeaderBytes + this.dataLength);
  }
  /** The NUL-terminated names of a names record. */
  names(): Buffer[] {
    const data = this.data;
    const names: Buffer[] = [];
    for (let from = 0; from < data.length; ) {
      const end = data.indexOf(0, from);
      const to = end === -1 ? data.length : end;
      names.push(data.subarray(from, to));
      from = to + 1;
    }
    return names;
  }

  #wide(field: number): number {
    return this.#bytes.readUInt32LE(this.#at + field) + this.#bytes.readUInt32LE(this.#at + field + 4) * 2 ** 32;
  }
}
