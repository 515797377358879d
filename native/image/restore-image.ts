/**
 * Restores one image: the only entry of a restore whose root is a file. The items are checked as those
 * of a tree are. What the target is to hold is known from start to end, so holes count as much as data.
 */
import type { ByteSpan } from '../host/directory.js';
import { EntryTable } from '../tree/entry-table.js';
import { differingSpans } from '../tree/in-place.js';
import { nextItem } from '../tree/item-reader.js';
import { TreeRestoreError, type TreeHead, type TreeItem, type TreePiece } from '../tree/items.js';
import type { RangeSet } from '../tree/range-set.js';
import { WorkLimit } from '../tree/work-limit.js';
import type { ImageTarget } from './image-target.js';

const writesAtOnce = 16;
const bytesAtOnce = 16 * 1024 * 1024;
/** Zeroed at once, so that an abort is soon heard. */
const zeroBytesMax = 64 * 1024 * 1024;
/** Bytes read at once, and of one piece at most. */
const readBytes = 1024 * 1024;
const zeroes = Buffer.alloc(readBytes);

export interface RestoreImageOptions {
  /** Taken over: closed when this is done, whatever became of it. */
  readonly target: ImageTarget;
  readonly items: AsyncIterable<TreeItem>;
  /** `in-place`: only blocks that differ are written. */
  readonly mode: 'fresh' | 'in-place';
  readonly dryRun?: boolean;
  readonly sync?: boolean;
  readonly signal?: AbortSignal;
  readonly onHead?: (head: TreeHead) => void;
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
}

export interface ImageRestoreReport {
  readonly dryRun: boolean;
  readonly kind: 'file' | 'device';
  readonly created: boolean;
  readonly sizeBytes: number;
  /** Size of the target before. */
  readonly sizeBytesBefore: number;
  /** Bytes of the target that were read and compared. */
  readonly bytesCompared: number;
  readonly bytesWritten: number;
  /** Bytes that were made holes, or zeroed by the device. */
  readonly bytesZeroed: number;
  /** Bytes of the device behind the image, which stay as they are. */
  readonly bytesBehind: number;
  /** What else a person should know. */
  readonly notes: readonly string[];
}

/** Throws TreeRestoreError for items that are not as they must be, and system errors as they are. */
export async function restoreImage(options: RestoreImageOptions): Promise<ImageRestoreReport> {
  const { target, signal } = options;
  const iterator = options.items[Symbol.asyncIterator]();
  const writer = new ImageWriter(options);
  try {
    return await writer.run(iterator);
  } catch (error) {
    await target.abandon();
    throw writer.hasChanged && !target.isBlank ? mixed(error, target) : error;
  } finally {
    // After an abort the source may be waiting for what never comes, so nobody waits for it.
    const returned = iterator.return?.()?.catch(() => undefined);
    if (signal?.aborted !== true) await returned;
  }
}

function mixed(error: unknown, { place }: ImageTarget): Error {
  const message = `${error instanceof Error ? error.message : String(error)}; ${place} now holds a mixture of what it held before and of the point: it is of no use until a restore to it is complete`;
  return error instanceof TreeRestoreError ? new TreeRestoreError(error.code, message, error) : new Error(message, { cause: error });
}

class ImageWriter {
  /** Whether anything of the target may be other than it was. */
  hasChanged = false;
  readonly #options: RestoreImageOptions;
  readonly #target: ImageTarget;
  readonly #dryRun: boolean;
  readonly #work = new WorkLimit({ countMax: writesAtOnce, bytesMax: bytesAtOnce });
  readonly #totals = { bytesCompared: 0, bytesWritten: 0, bytesZeroed: 0 };
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(options: RestoreImageOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#dryRun = options.dryRun === true;
  }

  async run(iterator: AsyncIterator<TreeItem>): Promise<ImageRestoreReport> {
    const target = this.#target;
    const { signal } = this.#options;
    const { head, size, data, remaining, next } = await readEntry(iterator, signal);
    this.#options.onHead?.(head);
    this.#totalBytes = target.isBlank ? data.reduce((sum, { length }) => sum + length, 0) : size;
    const changesSize = target.kind === 'file' && target.sizeBytes !== size;
    await target.begin(size);
    this.hasChanged ||= changesSize && !this.#dryRun;
    if (!target.isBlank) await this.#clearHoles(data, size);
    await this.#takePieces(iterator, next, remaining);
    const notes = await target.finish({ sync: this.#options.sync === true });
    return {
      dryRun: this.#dryRun,
      kind: target.kind,
      created: target.isBlank,
      sizeBytes: size,
      sizeBytesBefore: target.sizeBytes,
      ...this.#totals,
      bytesBehind: target.kind === 'device' ? target.sizeBytes - size : 0,
      notes,
    };
  }

  /** Between and behind the data the image is zero; an old file or device need not be. */
  async #clearHoles(data: readonly ByteSpan[], size: number): Promise<void> {
    let at = 0;
    for (const { offset, length } of [...data, { offset: size, length: 0 }]) {
      if (this.#options.mode === 'in-place') await this.#clearWhereNotZero(at, offset);
      else await this.#clear(at, offset);
      at = offset + length;
    }
  }

  async #clear(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += zeroBytesMax) {
      this.#options.signal?.throwIfAborted();
      const span = { offset: at, length: Math.min(zeroBytesMax, to - at) };
      await this.#zero(span);
      this.#advance(span.length);
    }
  }

  async #clearWhereNotZero(from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      this.#options.signal?.throwIfAborted();
      const found = await this.#target.nextData(at);
      const start = Math.min(Math.max(found?.offset ?? to, at), to);
      this.#advance(start - at);
      const end = Math.min(start + readBytes, to, found === undefined ? to : found.offset + found.length);
      if (end > start) await this.#compareZero(start, end);
      this.#advance(end - start);
      at = end;
    }
  }

  async #compareZero(start: number, end: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(end - start);
    const got = await this.#target.read(buffer, start);
    this.#totals.bytesCompared += got;
    for (const { offset, length } of differingSpans(buffer.subarray(0, got), zeroes.subarray(0, got), start)) await this.#zero({ offset: start + offset, length });
  }

  async #takePieces(iterator: AsyncIterator<TreeItem>, first: TreeItem, remaining: RangeSet | undefined): Promise<void> {
    const { signal } = this.#options;
    let bytes = 0;
    let item = first;
    try {
      for (; item.kind === 'piece'; item = await nextItem(iterator, signal)) {
        const { index, offset, data }: TreePiece = item;
        if (index !== 0 || data.byteLength > readBytes || remaining?.remove(offset, data.byteLength) !== true) throw new TreeRestoreError('invalid', `piece of entry ${index} at ${offset}, ${data.byteLength} bytes: too long, outside of the ranges that hold data, or sent twice`);
        bytes += data.byteLength;
        await this.#work.start(data.byteLength, () => this.#place(offset, data));
      }
      if (item.kind !== 'end') throw new TreeRestoreError('invalid', `a ${item.kind} among the pieces`);
      await this.#work.finish();
    } finally {
      await this.#work.settle();
    }
    const isPlan = this.#dryRun && bytes === 0;
    if (item.entries !== 1 || item.bytes !== bytes || (!isPlan && (remaining?.bytes ?? 0) > 0)) throw new TreeRestoreError('incomplete', `restore incomplete: ${bytes} of ${item.bytes} bytes came`);
  }

  async #place(offset: number, data: Buffer): Promise<void> {
    if (this.#target.isBlank) {
      // Zeroes that were written take no space in a new file.
      await this.#write(offset, data, differingSpans(zeroes.subarray(0, data.byteLength), data, offset));
    } else if (this.#options.mode === 'in-place') {
      const found = Buffer.allocUnsafe(data.byteLength);
      const got = await this.#target.read(found, offset);
      // In a dry run a file may still be shorter than it would be by now.
      found.fill(0, got);
      this.#totals.bytesCompared += got;
      await this.#write(offset, data, differingSpans(found, data, offset));
    } else await this.#write(offset, data, [{ offset: 0, length: data.byteLength }]);
    this.#advance(data.byteLength);
  }

  async #write(position: number, data: Buffer, spans: readonly ByteSpan[]): Promise<void> {
    for (const { offset, length } of spans) {
      this.#totals.bytesWritten += length;
      if (this.#dryRun) continue;
      this.hasChanged = true;
      await this.#target.write(data.subarray(offset, offset + length), position + offset);
    }
  }

  async #zero(span: ByteSpan): Promise<void> {
    this.#totals.bytesZeroed += span.length;
    if (this.#dryRun) return;
    this.hasChanged = true;
    await this.#target.zero(span);
  }

  #advance(bytes: number): void {
    if (bytes === 0) return;
    this.#doneBytes += bytes;
    this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }
}

interface ImageEntry {
  readonly head: TreeHead;
  readonly size: number;
  /** Ranges that hold data. */
  readonly data: readonly ByteSpan[];
  readonly remaining: RangeSet | undefined;
  /** The item after the entry. */
  readonly next: TreeItem;
}

/** Nothing has been written when this throws. */
async function readEntry(iterator: AsyncIterator<TreeItem>, signal: AbortSignal | undefined): Promise<ImageEntry> {
  const table = new EntryTable({ paths: undefined });
  const head = await nextItem(iterator, signal);
  if (head.kind !== 'head') throw new TreeRestoreError('invalid', 'a restore must begin with its head');
  const entry = await nextItem(iterator, signal);
  if (entry.kind !== 'entry' || head.entries !== 1) throw new TreeRestoreError('invalid', 'a restore of an image must have one entry');
  table.add(entry);
  if (table.kind(0) !== 'file') throw new TreeRestoreError('invalid', `a restore of an image whose entry is a ${table.kind(0)}`);
  const data = table.data(0);
  return { head, size: table.size(0), data, remaining: table.takeData(0), next: await nextItem(iterator, signal) };
}
