/**
 * The bytes of the NBD transmission phase. All numbers are big-endian.
 *
 * | what             | bytes                                                                                        |
 * | ---------------- | -------------------------------------------------------------------------------------------- |
 * | request          | u32 0x25609513, u16 flags, u16 command, u64 cookie, u64 offset, u32 length; `write`: the bytes |
 * | simple reply     | u32 0x67446698, u32 error, u64 cookie; `read` without structured replies: the bytes            |
 * | chunk of a reply | u32 0x668e33ef, u16 flags, u16 type, u64 cookie, u32 length, payload                          |
 *
 * | type of chunk | payload                                                                  |
 * | ------------- | ------------------------------------------------------------------------ |
 * | `none`        | nothing; the last of its reply                                            |
 * | `data`        | u64 offset, the bytes                                                     |
 * | `hole`        | u64 offset, u32 length of the zeroes                                      |
 * | `blockStatus` | u32 context, and for each extent u32 length, u32 state                    |
 * | `error`       | u32 error, u16 length, text                                               |
 */

const requestMagic = 0x25609513;
const simpleReplyMagic = 0x67446698;
const chunkMagic = 0x668e33ef;

export const requestHeaderBytes = 28;
const chunkHeaderBytes = 20;
const textBytesMax = 1024;

export const command = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, cache: 5, writeZeroes: 6, blockStatus: 7 } as const;

export const commandFlag = { forceUnitAccess: 1 << 0, noHole: 1 << 1, oneExtent: 1 << 3 } as const;

/** The error numbers of the protocol, which are those of Linux. */
export const errorNumber = { none: 0, EPERM: 1, EIO: 5, EINVAL: 22, ENOSPC: 28, ESHUTDOWN: 108 } as const;
export type ErrorNumber = (typeof errorNumber)[keyof typeof errorNumber];

const chunkType = { none: 0, data: 1, hole: 2, blockStatus: 5, error: 2 ** 15 + 1 } as const;
const lastChunkFlag = 1;

/** The number by which `block status` names the context `base:allocation`. */
export const allocationContextId = 1;

/** Bits of the state of an extent in the context `base:allocation`. */
export const allocationState = { data: 0, hole: 1 << 0, zero: 1 << 1 } as const;

/** Chosen by the client; its reply carries the same. */
export type Cookie = bigint;

export interface Request {
  readonly flags: number;
  readonly command: number;
  readonly cookie: Cookie;
  readonly offset: bigint;
  readonly length: number;
}

export interface StatusExtent {
  readonly length: number;
  /** Bits of `allocationState`. */
  readonly state: number;
}

/** Undefined when the magic is another one: nothing that follows can be understood then. */
export function decodeRequest(bytes: Buffer): Request | undefined {
  if (bytes.readUInt32BE(0) !== requestMagic) return undefined;
  return { flags: bytes.readUInt16BE(4), command: bytes.readUInt16BE(6), cookie: bytes.readBigUInt64BE(8), offset: bytes.readBigUInt64BE(16), length: bytes.readUInt32BE(24) };
}

export function encodeSimpleReply(reply: { readonly cookie: Cookie; readonly error: ErrorNumber }): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(simpleReplyMagic);
  bytes.writeUInt32BE(reply.error, 4);
  bytes.writeBigUInt64BE(reply.cookie, 8);
  return bytes;
}

/** The end of a reply in which nothing went wrong. */
export function encodeDone(cookie: Cookie): Buffer {
  return chunkOf({ cookie, type: chunkType.none, payloadBytes: 0, follows: 0, isLast: true });
}

/** What comes before the `length` bytes of a chunk of data. */
export function encodeDataHead(chunk: { readonly cookie: Cookie; readonly offset: number; readonly length: number }): Buffer {
  const bytes = chunkOf({ cookie: chunk.cookie, type: chunkType.data, payloadBytes: 8, follows: chunk.length, isLast: false });
  bytes.writeBigUInt64BE(BigInt(chunk.offset), chunkHeaderBytes);
  return bytes;
}

export function encodeHole(chunk: { readonly cookie: Cookie; readonly offset: number; readonly length: number }): Buffer {
  const bytes = chunkOf({ cookie: chunk.cookie, type: chunkType.hole, payloadBytes: 12, follows: 0, isLast: false });
  bytes.writeBigUInt64BE(BigInt(chunk.offset), chunkHeaderBytes);
  bytes.writeUInt32BE(chunk.length, chunkHeaderBytes + 8);
  return bytes;
}

/** A whole reply to `block status`. */
export function encodeBlockStatus(chunk: { readonly cookie: Cookie; readonly extents: readonly StatusExtent[] }): Buffer {
  const bytes = chunkOf({ cookie: chunk.cookie, type: chunkType.blockStatus, payloadBytes: 4 + chunk.extents.length * 8, follows: 0, isLast: true });
  bytes.writeUInt32BE(allocationContextId, chunkHeaderBytes);
  for (const [at, { length, state }] of chunk.extents.entries()) {
    bytes.writeUInt32BE(length, chunkHeaderBytes + 4 + at * 8);
    bytes.writeUInt32BE(state, chunkHeaderBytes + 8 + at * 8);
  }
  return bytes;
}

/** The end of a reply that failed; `text` is for people. */
export function encodeErrorChunk(chunk: { readonly cookie: Cookie; readonly error: ErrorNumber; readonly text: string }): Buffer {
  const text = Buffer.from(chunk.text).subarray(0, textBytesMax);
  const bytes = chunkOf({ cookie: chunk.cookie, type: chunkType.error, payloadBytes: 6 + text.byteLength, follows: 0, isLast: true });
  bytes.writeUInt32BE(chunk.error, chunkHeaderBytes);
  bytes.writeUInt16BE(text.byteLength, chunkHeaderBytes + 4);
  bytes.set(text, chunkHeaderBytes + 6);
  return bytes;
}

/** A chunk with room for its payload, of which `follows` further bytes are sent by themselves. */
function chunkOf(chunk: { readonly cookie: Cookie; readonly type: number; readonly payloadBytes: number; readonly follows: number; readonly isLast: boolean }): Buffer {
  const bytes = Buffer.alloc(chunkHeaderBytes + chunk.payloadBytes);
  bytes.writeUInt32BE(chunkMagic);
  bytes.writeUInt16BE(chunk.isLast ? lastChunkFlag : 0, 4);
  bytes.writeUInt16BE(chunk.type, 6);
  bytes.writeBigUInt64BE(chunk.cookie, 8);
  bytes.writeUInt32BE(chunk.payloadBytes + chunk.follows, 16);
  return bytes;
}
