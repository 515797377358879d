/**
 * The bytes of the NBD handshake, in its "fixed newstyle" form. All numbers are big-endian.
 *
 * | who    | bytes                                                                          | when |
 * | ------ | ------------------------------------------------------------------------------ | ---- |
 * | server | u64 "NBDMAGIC", u64 "IHAVEOPT", u16 handshake flags                             | at once |
 * | client | u32 client flags                                                                | once |
 * | client | u64 "IHAVEOPT", u32 option, u32 length, data                                    | any number of times |
 * | server | u64 reply magic, u32 option, u32 reply type, u32 length, data                   | one or more for each option |
 * | server | u64 size, u16 transmission flags, 124 zeroes unless the client does without     | for `exportName`, in place of replies |
 *
 * Data of `info` and `go`: u32 length, name of the export, u16 count, u16 information wanted for each.
 * Data of `listMetaContext` and `setMetaContext`: u32 length, name of the export, u32 count, and for each query u32 length, query.
 */

const greetingMagic = Buffer.from('NBDMAGIC');
const optionMagic = Buffer.from('IHAVEOPT');
const replyMagic = 0x3e889045565a9n;

export const greetingBytes = 18;
export const clientFlagsBytes = 4;
export const optionHeaderBytes = 16;
/** A string of the protocol is no longer than this. */
export const nameBytesMax = 4096;

/** Of the server in its greeting; the client answers with the same bits. */
export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

/** What can be done with the export; sent before transmission begins. */
export const transmissionFlag = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendFlush: 1 << 2,
  sendForceUnitAccess: 1 << 3,
  sendTrim: 1 << 5,
  sendWriteZeroes: 1 << 6,
  canMultiConnect: 1 << 8,
} as const;

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

const errorBit = 2 ** 31;
export const optionReply = {
  acknowledged: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: errorBit + 1,
  invalid: errorBit + 3,
  unknownExport: errorBit + 6,
  tooBig: errorBit + 9,
} as const;

/** Kinds of information on an export. */
export const information = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

/** The context in which `block status` tells holes from data. */
export const allocationContext = 'base:allocation';

/** What a client learns of an export before it uses it. */
export interface ExportFacts {
  readonly sizeBytes: number;
  /** Bits of `transmissionFlag`. */
  readonly flags: number;
}

export interface BlockSizes {
  readonly leastBytes: number;
  readonly preferredBytes: number;
  readonly mostBytes: number;
}

export interface OptionHeader {
  readonly option: number;
  readonly length: number;
}

/** Data of `info` and `go`. */
export interface ExportRequest {
  readonly name: string;
  readonly wanted: readonly number[];
}

/** Data of `listMetaContext` and `setMetaContext`. */
export interface ContextRequest {
  readonly name: string;
  readonly queries: readonly string[];
}

export function encodeGreeting(): Buffer {
  const bytes = Buffer.alloc(greetingBytes);
  bytes.set(greetingMagic);
  bytes.set(optionMagic, 8);
  bytes.writeUInt16BE(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes, 16);
  return bytes;
}

/** Undefined when the magic is another one: nothing that follows can be understood then. */
export function decodeOptionHeader(bytes: Buffer): OptionHeader | undefined {
  if (!bytes.subarray(0, 8).equals(optionMagic)) return undefined;
  return { option: bytes.readUInt32BE(8), length: bytes.readUInt32BE(12) };
}

export function encodeOptionReply(reply: { readonly option: number; readonly type: number; readonly data?: Buffer }): Buffer {
  const { data = Buffer.alloc(0) } = reply;
  const bytes = Buffer.alloc(20 + data.byteLength);
  bytes.writeBigUInt64BE(replyMagic);
  bytes.writeUInt32BE(reply.option, 8);
  bytes.writeUInt32BE(reply.type, 12);
  bytes.writeUInt32BE(data.byteLength, 16);
  bytes.set(data, 20);
  return bytes;
}

/** The answer to `exportName`. */
export function encodeExportFacts({ sizeBytes, flags }: ExportFacts, options: { readonly zeroes: boolean }): Buffer {
  const bytes = Buffer.alloc(options.zeroes ? 134 : 10);
  bytes.writeBigUInt64BE(BigInt(sizeBytes));
  bytes.writeUInt16BE(flags, 8);
  return bytes;
}

/** An export as `list` tells of it. */
export function encodeListed(name: string): Buffer {
  const text = Buffer.from(name);
  return Buffer.concat([u32(text.byteLength), text]);
}

export function encodeExportInformation({ sizeBytes, flags }: ExportFacts): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(information.export);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 2);
  bytes.writeUInt16BE(flags, 10);
  return bytes;
}

export function encodeTextInformation(kind: typeof information.name | typeof information.description, text: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(kind);
  return Buffer.concat([head, Buffer.from(text).subarray(0, nameBytesMax)]);
}

export function encodeBlockSizes({ leastBytes, preferredBytes, mostBytes }: BlockSizes): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(information.blockSize);
  return Buffer.concat([head, u32(leastBytes), u32(preferredBytes), u32(mostBytes)]);
}

/** A metadata context, with the number by which `block status` names it. */
export function encodeContext(context: { readonly id: number; readonly name: string }): Buffer {
  return Buffer.concat([u32(context.id), Buffer.from(context.name)]);
}

/** Undefined when the data is not what the option asks for. */
export function decodeExportRequest(data: Buffer): ExportRequest | undefined {
  const name = textAt(data, 0);
  if (name === undefined || data.byteLength < name.end + 2) return undefined;
  const count = data.readUInt16BE(name.end);
  if (data.byteLength !== name.end + 2 + count * 2) return undefined;
  return { name: name.text, wanted: Array.from({ length: count }, (_, at) => data.readUInt16BE(name.end + 2 + at * 2)) };
}

/** Undefined when the data is not what the option asks for. */
export function decodeContextRequest(data: Buffer): ContextRequest | undefined {
  const name = textAt(data, 0);
  if (name === undefined || data.byteLength < name.end + 4) return undefined;
  const count = data.readUInt32BE(name.end);
  const queries: string[] = [];
  let at = name.end + 4;
  // Every query takes bytes of the data, so a count that lies ends the loop early.
  while (queries.length < count) {
    const query = textAt(data, at);
    if (query === undefined) return undefined;
    queries.push(query.text);
    at = query.end;
  }
  return at === data.byteLength ? { name: name.text, queries } : undefined;
}

/** A text with its length before it, and where it ends. */
function textAt(data: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  if (data.byteLength < at + 4) return undefined;
  const length = data.readUInt32BE(at);
  const end = at + 4 + length;
  if (length > nameBytesMax || data.byteLength < end) return undefined;
  return { text: data.toString('utf8', at + 4, end), end };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
