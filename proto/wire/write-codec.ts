/**
 * The bytes of a write as change.proto has them, without the objects that generated code goes through: nearly
 * all of a busy journal is writes. What is not quite the usual form is left to the generated code.
 */

/** Tags of change.proto: field number times eight, and the wire type. */
const tag = { timeDelta: 1 << 3, volume: 2 << 3, actor: 3 << 3, newActor: (4 << 3) | 2, write: (9 << 3) | 2 } as const;
const inWrite = { node: 1 << 3, offset: 2 << 3, data: (3 << 3) | 2 } as const;

export interface WriteFields {
  /** Nanoseconds since the change before. */
  readonly timeDelta: number;
  readonly volume: number;
  /** Place in the frame's table of actors; 0 for none. */
  readonly actor: number;
  readonly node: number;
  readonly offset: number;
  readonly data: Buffer;
}

/** How many bytes a field of one tag byte and a varint takes, from 0 to 2^53 - 1; zeroes are left out. */
export function fieldLength(value: number): number {
  return value === 0 ? 0 : 1 + varintLength(value);
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest /= 128) length += 1;
  return length;
}

/** Puts such a field; returns where it ends. */
export function putField(target: Buffer, at: number, fieldTag: number, value: number): number {
  if (value === 0) return at;
  target[at] = fieldTag;
  return putVarint(target, at + 1, value);
}

/** Returns where it ends. */
export function putVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x8000_0000) {
    target[end++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    target[end++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[end++] = rest;
  return end;
}

/**
 * Puts a length-delimited change that is a write; returns where it ends. `newActor`: the actor's message, which
 * then stands in the place of `actor`. All numbers must be integers from 0 to 2^53 - 1.
 */
export function putWrite(target: Buffer, at: number, { timeDelta, volume, actor, node, offset, data }: WriteFields, newActor: Uint8Array | undefined): number {
  const dataLength = data.byteLength;
  const writeLength = fieldLength(node) + fieldLength(offset) + fieldLength(dataLength) + dataLength;
  let length = fieldLength(timeDelta) + fieldLength(volume) + 1 + varintLength(writeLength) + writeLength;
  if (newActor === undefined) length += fieldLength(actor);
  else length += 1 + varintLength(newActor.byteLength) + newActor.byteLength;
  let end = putVarint(target, at, length);
  end = putField(target, end, tag.timeDelta, timeDelta);
  end = putField(target, end, tag.volume, volume);
  if (newActor === undefined) end = putField(target, end, tag.actor, actor);
  else {
    target[end++] = tag.newActor;
    end = putVarint(target, end, newActor.byteLength);
    target.set(newActor, end);
    end += newActor.byteLength;
  }
  target[end++] = tag.write;
  end = putVarint(target, end, writeLength);
  end = putField(target, end, inWrite.node, node);
  end = putField(target, end, inWrite.offset, offset);
  end = putField(target, end, inWrite.data, dataLength);
  target.set(data, end);
  return end + dataLength;
}

/** Reads writes of the usual form; its fields are those of the last one that it read. */
export class WriteReader {
  readonly #bytes: Buffer;
  #at = 0;
  timeDelta = 0;
  volume = 0;
  actor = 0;
  node = 0;
  offset = 0;
  /** Where its data begins; it ends with the change. */
  dataStart = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Whether what lies from `start` to `end`, a change without its length, is a write with each field at most once
   * and in order, no new actor, and numbers below 2^53. `end` must not be past the bytes.
   */
  read(start: number, end: number): boolean {
    const bytes = this.#bytes;
    this.#at = start;
    this.timeDelta = this.#field(tag.timeDelta, end);
    this.volume = this.#field(tag.volume, end);
    this.actor = this.#field(tag.actor, end);
    if (this.timeDelta < 0 || this.volume < 0 || this.volume > 0xffff_ffff || this.actor < 0 || this.actor > 0xffff_ffff) return false;
    if (this.#at >= end || bytes[this.#at++] !== tag.write) return false;
    const writeLength = this.#varint(end);
    if (writeLength < 0 || this.#at + writeLength !== end) return false;
    this.node = this.#field(inWrite.node, end);
    this.offset = this.#field(inWrite.offset, end);
    const dataLength = this.#field(inWrite.data, end);
    if (this.node <= 0 || this.offset < 0 || dataLength < 0) return false;
    this.dataStart = this.#at;
    return this.dataStart + dataLength === end && Number.isSafeInteger(this.offset + dataLength);
  }

  /** The number after a tag, 0 where the tag is not next, -1 where the number is none. */
  #field(fieldTag: number, end: number): number {
    if (this.#at >= end || this.#bytes[this.#at] !== fieldTag) return 0;
    this.#at += 1;
    return this.#varint(end);
  }

  /** A varint that ends before `end`; -1 where it does not, or is too large. */
  #varint(end: number): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    while (this.#at < end) {
      const byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : -1;
      scale *= 128;
      if (scale > 2 ** 49) return -1;
    }
    return -1;
  }
}
