/**
 * A stretch of a block device, read while writes to it go on: what of it may be recorded, and when.
 *
 * All that was queued before the window opened is waited for first, so that the read has it. What is queued
 * later the stream tells of, and what the stream tells of while the window is open is left out: it is
 * newer than the read, or the read cannot be known to have it. Once the stream is applied up to where it had got to
 * when the read was over, the rest is what the device has.
 */
import { messageOf } from '../tree/read-failure.js';
import { type Range, Ranges } from './ranges.js';

/** Reads what is on the device; the bytes are valid until the next read. */
export interface BlockReader extends AsyncDisposable {
  read(range: { readonly offset: number; readonly length: number }): Promise<Buffer>;
}

export interface WindowOptions {
  readonly range: Range;
  readonly reader: BlockReader;
  /** Resolves when all that was queued before the call is done. */
  whenDone(): Promise<void>;
  position(): bigint;
  /** The read is over, or failed. */
  onRead(): void;
}

/** Bytes of the device from an offset on. */
export interface DevicePiece {
  readonly offset: number;
  readonly data: Buffer;
}

/** What cannot be read in one go is read in pieces of this. */
const pieceBytes = 64 * 1024;

export class DeviceWindow {
  readonly range: Range;
  /** What the stream told of since the window was opened, and what cannot be read. */
  readonly #touched = new Ranges();
  readonly #unread: { readonly range: Range; readonly problem: string }[] = [];
  #after: bigint | undefined;
  #data: Buffer | undefined;
  #failure: unknown;

  constructor(options: WindowOptions) {
    this.range = options.range;
    void this.#read(options)
      .catch((error: unknown) => (this.#failure = error))
      .finally(() => options.onRead());
  }

  /** Where the stream has to be applied up to before it can be judged; undefined while it is read. */
  get after(): bigint | undefined {
    return this.#after;
  }
  get failure(): unknown {
    return this.#failure;
  }
  get unread(): readonly { readonly range: Range; readonly problem: string }[] {
    return this.#unread;
  }

  touch(range: Range): void {
    if (range.low < this.range.high && range.high > this.range.low) this.#touched.add(range);
  }

  /** What the device has, in pieces that nothing has touched. */
  pieces(): DevicePiece[] {
    const data = this.#data;
    if (data === undefined) return [];
    const { low } = this.range;
    return this.#touched.without({ low, high: low + data.byteLength }).map((piece) => ({ offset: piece.low, data: data.subarray(piece.low - low, piece.high - low) }));
  }

  async #read({ range: { low, high }, reader, whenDone, position }: WindowOptions): Promise<void> {
    await whenDone();
    try {
      this.#data = await reader.read({ offset: low, length: high - low });
    } catch {
      await this.#readInPieces(reader);
    }
    this.#after = position();
  }

  async #readInPieces(reader: BlockReader): Promise<void> {
    const { low, high } = this.range;
    const whole = Buffer.alloc(high - low);
    for (let offset = low; offset < high; offset += pieceBytes) {
      const piece = { low: offset, high: Math.min(high, offset + pieceBytes) };
      try {
        (await reader.read({ offset, length: piece.high - piece.low })).copy(whole, offset - low);
      } catch (error) {
        this.#unread.push({ range: piece, problem: messageOf(error) });
        this.#touched.add(piece);
      }
    }
    this.#data = whole;
  }
}
