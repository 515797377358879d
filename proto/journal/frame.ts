/** A frame: changes with consecutive sequences, encoded once, stored and sent as the same bytes. */
import zstd from 'zstd-napi/binding.js';
import { asSequence, isControl, type Change, type Sequence, type TimeNs } from '../change.js';
import { FormatError } from '../errors.js';
import { decodePayload, PayloadEncoder } from '../wire/convert.js';
import { digest256, hash64 } from './hash.js';
import { digestBytes, formatVersion, frame as at, frameBytesMax, frameChangesMax, frameMagic, frameRawBytesMax, journalIdBytes } from './layout.js';

/** Names a journal for ever: 16 random bytes. */
export type JournalId = Buffer;

export type Codec = 'none' | 'zstd';
const codecs: readonly Codec[] = ['none', 'zstd'];

export interface FrameHeader {
  readonly journal: JournalId;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly firstTimeNs: TimeNs;
  readonly lastTimeNs: TimeNs;
  readonly codec: Codec;
  readonly rawLength: number;
  readonly storedLength: number;
  readonly payloadHash: bigint;
  /** SHA-256 of the frame before this one; zeroes for the first of a journal. */
  readonly previousDigest: Buffer;
}

/** A frame as bytes: exactly as a segment holds it and the wire carries it. */
export interface Frame {
  readonly header: FrameHeader;
  /** Header and payload. */
  readonly bytes: Buffer;
  /** The stored payload: compressed when the codec says so. */
  readonly payload: Buffer;
  /** SHA-256 over header and payload: what the next frame's `previousDigest` must be. */
  readonly digest: Buffer;
}

/** A frame whose digest is worked out when it is first asked for: who only wants content need not pay for it. */
class ReadFrame implements Frame {
  readonly header: FrameHeader;
  readonly bytes: Buffer;
  readonly payload: Buffer;
  #digest: Buffer | undefined;

  /** `bytes`: header and payload, and nothing else. */
  constructor(header: FrameHeader, bytes: Buffer) {
    this.header = header;
    this.bytes = bytes;
    this.payload = bytes.subarray(at.length);
  }

  get digest(): Buffer {
    this.#digest ??= digest256(this.bytes);
    return this.#digest;
  }
}

export const zeroDigest: Buffer = Buffer.alloc(digestBytes);

/** Header and payload together. */
export function frameLength(frame: { readonly header: FrameHeader }): number {
  return at.length + frame.header.storedLength;
}

const compressor = new zstd.CCtx();
compressor.setParameter(zstd.CParameter.compressionLevel, 1);
const decompressor = new zstd.DCtx();
let scratch = Buffer.alloc(0);
let rawScratch = Buffer.alloc(0);

/**
 * Encodes changes that already have consecutive sequences and non-decreasing times.
 * The result owns its bytes. Throws RangeError when the changes break those rules or are too many.
 */
export function encodeFrame(options: { readonly journal: JournalId; readonly previousDigest: Buffer; readonly changes: readonly Change[] }): Frame {
  const builder = new FrameBuilder();
  for (const change of options.changes) builder.add(change);
  return builder.close(options);
}

/** Encodes frames one after the other, each change when it is added: nothing of it is held afterwards. */
export class FrameBuilder {
  readonly #payload = new PayloadEncoder();
  #count = 0;
  #isSpoilt = false;
  #firstSequence = 0n as Sequence;
  #firstTimeNs: TimeNs = 0n;
  #lastTimeNs: TimeNs = 0n;

  /** Changes in the open frame. */
  get count(): number {
    return this.#count;
  }

  /** Time of its first change; of no meaning without one. */
  get firstTimeNs(): TimeNs {
    return this.#firstTimeNs;
  }

  /** Adds a change. Throws RangeError when it does not follow, or no reader would accept it; the frame is of no use then. */
  add(change: Change): void {
    if (this.#count === 0) {
      if (change.sequence < 1n) throw new RangeError('sequences begin at 1');
      this.#firstSequence = change.sequence;
      this.#firstTimeNs = change.timeNs;
      this.#payload.begin(change.timeNs);
    } else if (change.sequence !== this.#firstSequence + BigInt(this.#count)) throw new RangeError('the sequences of a frame must follow each other');
    // Where it fails half-way, what was added before is in doubt too.
    this.#isSpoilt = true;
    this.#payload.add(change);
    this.#isSpoilt = false;
    this.#count += 1;
    this.#lastTimeNs = change.timeNs;
  }

  /** The frame, which owns its bytes; the next change begins another. Throws RangeError when it holds no change or too much. */
  close({ journal, previousDigest }: { readonly journal: JournalId; readonly previousDigest: Buffer }): Frame {
    const count = this.#count;
    if (this.#isSpoilt) throw new RangeError('a frame of which a change could not be encoded cannot be closed');
    if (count < 1 || count > frameChangesMax) throw new RangeError(`a frame holds 1 to ${frameChangesMax} changes, not ${count}`);
    this.#count = 0;
    const raw = this.#payload.bytes;
    if (raw.byteLength > frameRawBytesMax) throw new RangeError(`a frame's payload has at most ${frameRawBytesMax} bytes, not ${raw.byteLength}`);
    const packed = compress(raw);
    const stored = packed ?? raw;
    const bytes = Buffer.allocUnsafeSlow(at.length + stored.byteLength);
    bytes.set(stored, at.length);
    const header: FrameHeader = {
      journal,
      firstSequence: this.#firstSequence,
      lastSequence: asSequence(this.#firstSequence + BigInt(count - 1)),
      firstTimeNs: this.#firstTimeNs,
      lastTimeNs: this.#lastTimeNs,
      codec: packed === undefined ? 'none' : 'zstd',
      rawLength: raw.byteLength,
      storedLength: stored.byteLength,
      payloadHash: hash64(stored),
      previousDigest,
    };
    bytes.set(encodeHeader(header));
    return new ReadFrame(header, bytes);
  }
}

/** The compressed payload, in memory that the next one takes again; undefined when it would be no shorter. */
function compress(raw: Buffer): Buffer | undefined {
  const bound = zstd.compressBound(raw.byteLength);
  if (scratch.byteLength < bound) scratch = Buffer.allocUnsafeSlow(bound);
  const length = compressor.compress2(scratch, raw);
  // Compression that does not shrink would only cost the reader time.
  return length >= raw.byteLength ? undefined : scratch.subarray(0, length);
}

/** The 120 header bytes of a frame. */
export function encodeHeader(header: FrameHeader): Buffer {
  if (header.journal.byteLength !== journalIdBytes || header.previousDigest.byteLength !== digestBytes) {
    throw new RangeError(`a journal id has ${journalIdBytes} bytes and a digest ${digestBytes}, not ${header.journal.byteLength} and ${header.previousDigest.byteLength}`);
  }
  const bytes = Buffer.alloc(at.length);
  bytes.writeUInt32LE(frameMagic, at.magic);
  bytes.writeUInt16LE(formatVersion, at.version);
  bytes.writeUInt16LE(at.length, at.headerLength);
  bytes.set(header.journal, at.journal);
  bytes.writeBigUInt64LE(header.firstSequence, at.firstSequence);
  bytes.writeBigUInt64LE(header.lastSequence, at.lastSequence);
  bytes.writeBigUInt64LE(header.firstTimeNs, at.firstTime);
  bytes.writeBigUInt64LE(header.lastTimeNs, at.lastTime);
  bytes.writeUInt8(codecs.indexOf(header.codec), at.codec);
  bytes.writeUInt32LE(header.rawLength, at.rawLength);
  bytes.writeUInt32LE(header.storedLength, at.storedLength);
  bytes.writeBigUInt64LE(header.payloadHash, at.payloadHash);
  bytes.set(header.previousDigest, at.previousDigest);
  bytes.writeBigUInt64LE(hash64(bytes.subarray(0, at.headerHash)), at.headerHash);
  return bytes;
}

/**
 * Reads and checks a header: magic, version, checksum, then every field's range.
 * Throws FormatError with a `fault` that says which; nothing in the header is to be used before.
 */
export function decodeHeader(bytes: Buffer): FrameHeader {
  const deed = 'read frame header';
  if (bytes.byteLength < at.length) throw new FormatError(deed, { fault: `only ${bytes.byteLength} of ${at.length} bytes` });
  if (bytes.readUInt32LE(at.magic) !== frameMagic) throw new FormatError(deed, { fault: 'no frame begins here' });
  const version = bytes.readUInt16LE(at.version);
  if (version !== formatVersion) throw new FormatError(deed, { fault: `format version ${version}; this program reads version ${formatVersion}` });
  if (bytes.readBigUInt64LE(at.headerHash) !== hash64(bytes.subarray(0, at.headerHash))) throw new FormatError(deed, { fault: 'header checksum does not match' });
  const codec = codecs[bytes.readUInt8(at.codec)];
  const header = {
    journal: Buffer.from(bytes.subarray(at.journal, at.journal + journalIdBytes)),
    firstSequence: bytes.readBigUInt64LE(at.firstSequence) as Sequence,
    lastSequence: bytes.readBigUInt64LE(at.lastSequence) as Sequence,
    firstTimeNs: bytes.readBigUInt64LE(at.firstTime),
    lastTimeNs: bytes.readBigUInt64LE(at.lastTime),
    codec: codec!,
    rawLength: bytes.readUInt32LE(at.rawLength),
    storedLength: bytes.readUInt32LE(at.storedLength),
    payloadHash: bytes.readBigUInt64LE(at.payloadHash),
    previousDigest: Buffer.from(bytes.subarray(at.previousDigest, at.previousDigest + digestBytes)),
  };
  const count = header.lastSequence - header.firstSequence + 1n;
  const fault =
    bytes.readUInt16LE(at.headerLength) !== at.length ? 'header length'
    : codec === undefined ? 'unknown codec'
    : header.firstSequence === 0n || count < 1n || count > BigInt(frameChangesMax) ? 'sequence range'
    : header.lastTimeNs < header.firstTimeNs ? 'times run backwards'
    : header.rawLength === 0 || header.rawLength > frameRawBytesMax ? 'raw length'
    : header.storedLength === 0 || header.storedLength + at.length > frameBytesMax ? 'stored length'
    : codec === 'none' && header.rawLength !== header.storedLength ? 'lengths of an uncompressed payload differ'
    : bytes.readUInt32LE(at.reserved2) !== 0 || bytes.readUIntLE(at.reserved, 3) !== 0 ? 'reserved bytes are not zero'
    : undefined;
  if (fault !== undefined) throw new FormatError(deed, { fault, sequence: header.firstSequence });
  return header;
}

/** Reads one whole frame and checks header and payload checksum. `bytes` must be exactly one frame; the result views it. */
export function readFrame(bytes: Buffer): Frame {
  const header = decodeHeader(bytes);
  if (bytes.byteLength !== at.length + header.storedLength) {
    throw new FormatError('read frame', { sequence: header.firstSequence, fault: `${bytes.byteLength} bytes instead of ${at.length + header.storedLength}` });
  }
  if (hash64(bytes.subarray(at.length)) !== header.payloadHash) throw new FormatError('read frame', { sequence: header.firstSequence, fault: 'payload checksum does not match' });
  return new ReadFrame(header, bytes);
}

/** The raw payload of a frame: what write locations count offsets in. A view of the frame when it is not compressed. */
export function framePayload(frame: Pick<Frame, 'header' | 'payload'>): Buffer {
  return frame.header.codec === 'none' ? frame.payload : decompress(frame, Buffer.allocUnsafeSlow(frame.header.rawLength));
}

function decompress({ header, payload }: Pick<Frame, 'header' | 'payload'>, raw: Buffer): Buffer {
  let length: number;
  try {
    // The target bounds what a hostile payload can expand to.
    length = decompressor.decompress(raw, payload);
  } catch (cause) {
    throw new FormatError('decompress frame', { sequence: header.firstSequence, cause });
  }
  if (length !== header.rawLength) throw new FormatError('decompress frame', { sequence: header.firstSequence, fault: `${length} bytes instead of ${header.rawLength}` });
  return raw;
}

/** All changes of a frame, checked; their content views the raw payload. */
export function frameChanges(frame: Pick<Frame, 'header' | 'payload'>): { readonly raw: Buffer; readonly changes: Change[] } {
  const raw = framePayload(frame);
  return { raw, changes: changesIn(frame.header, raw, false) };
}

/** Checks all of a frame, and returns the control changes in it, which hold no part of its bytes. */
export function frameControl(frame: Pick<Frame, 'header' | 'payload'>): Change[] {
  const { header, payload } = frame;
  if (header.codec !== 'none' && rawScratch.byteLength < header.rawLength) rawScratch = Buffer.allocUnsafeSlow(header.rawLength);
  const raw = header.codec === 'none' ? payload : decompress(frame, rawScratch.subarray(0, header.rawLength));
  return changesIn(header, raw, true).filter(({ body }) => isControl(body));
}

function changesIn(header: FrameHeader, raw: Buffer, withoutWrites: boolean): Change[] {
  const count = Number(header.lastSequence - header.firstSequence) + 1;
  const { changes, lastTimeNs } = decodePayload(raw, { firstSequence: header.firstSequence, firstTimeNs: header.firstTimeNs, count, withoutWrites });
  if (lastTimeNs !== header.lastTimeNs) throw new FormatError('read frame', { sequence: header.firstSequence, fault: 'last time differs from the header' });
  return changes;
}

/** What a frame must continue: the end of the journal before it. */
export interface JournalEnd {
  readonly journal: JournalId;
  readonly lastSequence: Sequence;
  readonly lastTimeNs: TimeNs;
  readonly digest: Buffer;
}

/** Why `frame` does not follow `end`, or undefined when it does. */
export function chainFault(end: JournalEnd, header: FrameHeader): string | undefined {
  if (!header.journal.equals(end.journal)) return 'it belongs to another journal';
  if (header.firstSequence !== end.lastSequence + 1n) return `it starts at sequence ${header.firstSequence}, expected ${end.lastSequence + 1n}`;
  if (!header.previousDigest.equals(end.digest)) return 'its digest of the frame before it does not match';
  if (header.firstTimeNs < end.lastTimeNs) return 'its time is before that of the frame before it';
  return undefined;
}
