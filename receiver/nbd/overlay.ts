/**
 * Makes a device that cannot be written one that can: what is written goes to a file, to be thrown away at the end.
 * Which ranges lie in the file is in memory only, so a file that outlives a crash is of no use.
 */
import type { File, Files } from '../../native/host/files.js';
import type { ByteRange } from '../../proto/change.js';
import { asSequence } from '../../proto/change.js';
import { ExtentMap, FrameTable } from '../../proto/tree/extent-map.js';
import type { AllocationPart, BlockPart, BlockSource, BlockTarget } from './parts.js';

/** Ranges that are remembered, some 32 bytes each; when there are more, the device is full. */
const rangesMaxDefault = 4 * 1024 * 1024;
/** Bytes that are read from the file at once. */
const readBytesMax = 256 * 1024;
/** Ranges looked up at once: the map may change while they are read. */
const lookedUpMax = 256;

interface Piece extends ByteRange {
  /** `hole`: cut out after all, whatever is below. */
  readonly where: 'file' | 'hole' | 'below';
}

export class Overlay implements BlockSource, BlockTarget, AsyncDisposable {
  readonly #below: BlockSource;
  readonly #files: Files;
  readonly #file: File;
  readonly #rangesMax: number;
  readonly #map: ExtentMap;
  /** The one "frame" of the map: bytes of the device have in the file the offset that they have in the device. */
  readonly #inFile: number;

  private constructor(parts: { readonly below: BlockSource; readonly files: Files; readonly file: File; readonly rangesMax: number }) {
    this.#below = parts.below;
    this.#files = parts.files;
    this.#file = parts.file;
    this.#rangesMax = parts.rangesMax;
    const frames = new FrameTable();
    this.#inFile = frames.add({ segment: asSequence(0n), offset: 0, length: 0 });
    this.#map = new ExtentMap(frames);
  }

  /** Makes the file, for its owner only; rejects with EEXIST when there is one. */
  static async create(options: { readonly below: BlockSource; readonly files: Files; readonly path: string; readonly rangesMax?: number }): Promise<Overlay> {
    const { below, files, path, rangesMax = rangesMaxDefault } = options;
    return new Overlay({ below, files, file: await files.create(path), rangesMax });
  }

  get sizeBytes(): number {
    return this.#below.sizeBytes;
  }

  async *read(range: ByteRange, signal: AbortSignal): AsyncGenerator<BlockPart, void, undefined> {
    for (const { offset, length, where } of this.#pieces(range)) {
      signal.throwIfAborted();
      if (where === 'hole') yield { offset, length, content: 'hole' };
      else if (where === 'below') yield* this.#below.read({ offset, length }, signal);
      else {
        for (let done = 0; done < length; done += readBytesMax) {
          const content = Buffer.allocUnsafeSlow(Math.min(readBytesMax, length - done));
          const got = await this.#file.read(content, offset + done);
          if (got < content.byteLength) throw new Error(`${this.#file.path} ends at ${offset + done + got}, within what was written to it`);
          yield { offset: offset + done, length: content.byteLength, content };
        }
      }
    }
  }

  async *allocation(range: ByteRange, signal: AbortSignal): AsyncGenerator<AllocationPart, void, undefined> {
    for (const { offset, length, where } of this.#pieces(range)) {
      signal.throwIfAborted();
      if (where === 'below') yield* this.#below.allocation({ offset, length }, signal);
      else yield { offset, length, state: where === 'file' ? 'data' : 'hole' };
    }
  }

  async write(offset: number, data: Buffer): Promise<void> {
    if (data.byteLength === 0) return;
    this.#checkRoom();
    // Known to be in the file only once it is: until then readers find what was there before.
    await this.#file.write([data], offset);
    this.#map.write({ offset, length: data.byteLength }, { frame: this.#inFile, payloadOffset: offset });
  }

  async punch(range: ByteRange): Promise<void> {
    this.#checkRoom();
    this.#map.zero(range);
  }

  /** Closes and removes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await this.#files.remove(this.#file.path);
  }

  #checkRoom(): void {
    // One more range may cut another one in two.
    if (this.#map.extentCount + 2 > this.#rangesMax) throw Object.assign(new Error(`the overlay holds ${this.#map.extentCount} ranges, more than can be kept in mind`), { code: 'ENOSPC' });
  }

  /** Where the parts of a range lie, looked up anew every now and then. */
  *#pieces(range: ByteRange): Generator<Piece, void, undefined> {
    const end = range.offset + range.length;
    for (let at = range.offset; at < end; ) {
      const pieces: Piece[] = [];
      for (const { offset, length, source } of this.#map.slice({ offset: at, length: end - at })) {
        if (offset > at) pieces.push({ offset: at, length: offset - at, where: 'below' });
        pieces.push({ offset, length, where: source === 'zero' ? 'hole' : 'file' });
        at = offset + length;
        if (pieces.length >= lookedUpMax) break;
      }
      if (at < end && pieces.length < lookedUpMax) {
        pieces.push({ offset: at, length: end - at, where: 'below' });
        at = end;
      }
      yield* pieces;
    }
  }
}
