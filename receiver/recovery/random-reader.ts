/** Reads one node of a point in any order, many readers at once: frames are decoded once and kept while there is room. */
import type { ByteRange, NodeId } from '../../proto/change.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import { FrameCache } from './frame-cache.js';
import { payloadPart, readPayload } from './piece-reader.js';
import type { Point } from './point.js';

export const cacheBytesDefault = 64 * 1024 * 1024;

/** Consecutive bytes of a node. `hole`: nothing is there; `zero`: allocated, but nothing but zeroes. */
export interface ReadPart extends ByteRange {
  /** A view of a whole frame: it must not be altered, and whoever holds on to it holds that frame. */
  readonly content: Buffer | 'zero' | 'hole';
}

export interface AllocatedPart extends ByteRange {
  readonly state: 'data' | 'zero' | 'hole';
}

export class RandomReader {
  /** Size of the node. */
  readonly sizeBytes: number;
  readonly #point: Pick<Point, 'extents'>;
  readonly #node: NodeId;
  readonly #cache: FrameCache;

  constructor(options: { readonly point: Pick<Point, 'extents'>; readonly reader: JournalReader; readonly node: NodeId; readonly sizeBytes: number; readonly cacheBytes?: number }) {
    this.sizeBytes = options.sizeBytes;
    this.#point = options.point;
    this.#node = options.node;
    this.#cache = new FrameCache({ load: (location) => readPayload(options.reader, location), bytesMax: options.cacheBytes ?? cacheBytesDefault });
  }

  /** Parts of a range within the node, ascending, that cover it. Throws FormatError where the journal is damaged. */
  async *read(range: ByteRange, signal: AbortSignal): AsyncGenerator<ReadPart, void, undefined> {
    const end = range.offset + range.length;
    let at = range.offset;
    for await (const batch of this.#point.extents(this.#node, range)) {
      for (const { offset, length, source } of batch) {
        signal.throwIfAborted();
        if (offset > at) yield { offset: at, length: offset - at, content: 'hole' };
        at = offset + length;
        if (source === 'zero') {
          yield { offset, length, content: 'zero' };
          continue;
        }
        const kept = this.#cache.payload(source.frame);
        const payload = kept instanceof Promise ? await kept : kept;
        yield { offset, length, content: payloadPart(payload, source.frame, source.payloadOffset, length) };
      }
    }
    if (at < end) yield { offset: at, length: end - at, content: 'hole' };
  }

  /** The same without reading content. */
  async *allocation(range: ByteRange, signal: AbortSignal): AsyncGenerator<AllocatedPart, void, undefined> {
    const end = range.offset + range.length;
    let at = range.offset;
    for await (const batch of this.#point.extents(this.#node, range)) {
      signal.throwIfAborted();
      for (const { offset, length, source } of batch) {
        if (offset > at) yield { offset: at, length: offset - at, state: 'hole' };
        at = offset + length;
        yield { offset, length, state: source === 'zero' ? 'zero' : 'data' };
      }
    }
    if (at < end) yield { offset: at, length: end - at, state: 'hole' };
  }
}
