/**
 * Which bytes of a node come from where: sorted extents that point into frames, without content.
 * Extents are rows of four numbers in short arrays, so that appends and random writes cost little
 * and a million extents cost some 32 MB.
 */
import type { ByteRange } from '../change.js';
import type { FrameLocation } from '../journal/segment-scan.js';

/** Where the bytes of an extent lie: in the raw payload of a frame. */
export interface FrameSource {
  readonly frame: FrameLocation;
  readonly payloadOffset: number;
}

/** A range of a node with one source. `zero`: allocated, but nothing but zeroes. */
export interface Extent extends ByteRange {
  readonly source: FrameSource | 'zero';
}

/** The frames that extents point into, numbered in the order they were met; one table serves many maps. */
export class FrameTable {
  readonly #locations: FrameLocation[] = [];

  get count(): number {
    return this.#locations.length;
  }

  /** Number of a frame. Frames are to be added in journal order, each once, which makes number order segment order. */
  add(location: FrameLocation): number {
    this.#locations.push(location);
    return this.#locations.length - 1;
  }

  location(frame: number): FrameLocation {
    const location = this.#locations[frame];
    if (location === undefined) throw new RangeError(`frame ${frame} of ${this.#locations.length}`);
    return location;
  }
}

/** Numbers of one extent in a chunk: offset, length, frame number (or `zeroFrame`), payload offset. */
const stride = 4;
const chunkExtentsMax = 256;
const zeroFrame = -1;

/** A place in the map: chunk and index of the first number of an extent. */
interface Place {
  readonly chunk: number;
  readonly at: number;
}

export class ExtentMap {
  readonly #frames: FrameTable;
  /** Sorted; no chunk is empty. */
  readonly #chunks: number[][] = [];
  #extents = 0;
  #bytes = 0;

  constructor(frames: FrameTable) {
    this.#frames = frames;
  }

  get extentCount(): number {
    return this.#extents;
  }

  /** Bytes that extents cover; the rest of the node is holes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the last extent ends. */
  get end(): number {
    const last = this.#chunks[this.#chunks.length - 1];
    return last === undefined ? 0 : last[last.length - stride]! + last[last.length - stride + 1]!;
  }

  /** A range now has the bytes of a frame's payload from `payloadOffset` on. */
  write(range: ByteRange, source: { readonly frame: number; readonly payloadOffset: number }): void {
    if (range.length > 0) this.#put(range.offset, range.offset + range.length, source.frame, source.payloadOffset);
  }

  /** A range becomes allocated zeroes. */
  zero(range: ByteRange): void {
    if (range.length > 0) this.#put(range.offset, range.offset + range.length, zeroFrame, 0);
  }

  /** A range becomes a hole. */
  punch(range: ByteRange): void {
    if (range.length > 0) this.#replace(range.offset, range.offset + range.length, undefined);
  }

  /** Nothing lies at or after `size` any more. */
  truncate(size: number): void {
    if (this.end > size) this.#replace(size, this.end, undefined);
  }

  /** A range takes what `source` (possibly this map itself) has from `sourceOffset` on, holes included. */
  cloneFrom(source: ExtentMap, range: ByteRange & { readonly sourceOffset: number }): void {
    const shift = range.offset - range.sourceOffset;
    // Taken out before anything is put in: the two ranges may overlap within one node.
    const rows: number[] = [];
    source.#eachRow(range.sourceOffset, range.sourceOffset + range.length, (offset, length, frame, payloadOffset) => {
      rows.push(offset + shift, length, frame, payloadOffset);
    });
    this.punch(range);
    for (let at = 0; at < rows.length; at += stride) this.#put(rows[at]!, rows[at]! + rows[at + 1]!, rows[at + 2]!, rows[at + 3]!);
  }

  /** Extents within a range (default: all), cut to it, ascending. The map must not change meanwhile. */
  *slice(range?: ByteRange): Generator<Extent, void, undefined> {
    const from = range?.offset ?? 0;
    const to = range === undefined ? Number.MAX_SAFE_INTEGER : range.offset + range.length;
    // An empty range within an extent would else give an empty piece of it.
    if (from >= to) return;
    for (let { chunk, at } = this.#firstEndingAfter(from); chunk < this.#chunks.length; chunk += 1, at = 0) {
      const rows = this.#chunks[chunk]!;
      for (; at < rows.length; at += stride) {
        const start = rows[at]!;
        if (start >= to) return;
        const cut = Math.max(0, from - start);
        const offset = start + cut;
        const length = Math.min(start + rows[at + 1]!, to) - offset;
        const frame = rows[at + 2]!;
        yield { offset, length, source: frame === zeroFrame ? 'zero' : { frame: this.#frames.location(frame), payloadOffset: rows[at + 3]! + cut } };
      }
    }
  }

  /** Visits extents that point into frames, with the frame's number, without making objects. */
  eachFramed(visit: (offset: number, length: number, frame: number, payloadOffset: number) => void): void {
    this.#eachRow(0, Number.MAX_SAFE_INTEGER, (offset, length, frame, payloadOffset) => {
      if (frame !== zeroFrame) visit(offset, length, frame, payloadOffset);
    });
  }

  /** Ranges that extents cover, ascending, with touching ones joined. */
  *dataRanges(): Generator<ByteRange, void, undefined> {
    let offset = 0;
    let end = 0;
    for (const rows of this.#chunks) {
      for (let at = 0; at < rows.length; at += stride) {
        if (rows[at] !== end) {
          if (end > offset) yield { offset, length: end - offset };
          offset = rows[at]!;
        }
        end = rows[at]! + rows[at + 1]!;
      }
    }
    if (end > offset) yield { offset, length: end - offset };
  }

  #eachRow(from: number, to: number, visit: (offset: number, length: number, frame: number, payloadOffset: number) => void): void {
    if (from >= to) return;
    for (let { chunk, at } = this.#firstEndingAfter(from); chunk < this.#chunks.length; chunk += 1, at = 0) {
      const rows = this.#chunks[chunk]!;
      for (; at < rows.length; at += stride) {
        const start = rows[at]!;
        if (start >= to) return;
        const cut = Math.max(0, from - start);
        const frame = rows[at + 2]!;
        visit(start + cut, Math.min(start + rows[at + 1]!, to) - start - cut, frame, frame === zeroFrame ? 0 : rows[at + 3]! + cut);
      }
    }
  }

  #put(from: number, to: number, frame: number, payloadOffset: number): void {
    if (from < this.end) return this.#replace(from, to, [from, to - from, frame, payloadOffset]);
    // Appending is what most writes do.
    let last = this.#chunks[this.#chunks.length - 1];
    this.#bytes += to - from;
    if (last !== undefined && continues(last, last.length - stride, from, frame, payloadOffset)) {
      last[last.length - stride + 1]! += to - from;
      return;
    }
    if (last === undefined || last.length >= chunkExtentsMax * stride) this.#chunks.push((last = []));
    last.push(from, to - from, frame, payloadOffset);
    this.#extents += 1;
  }

  /** Removes everything in [from, to), cutting what reaches out of it, and puts `row` in its place. */
  #replace(from: number, to: number, row: readonly number[] | undefined): void {
    const first = this.#firstEndingAfter(from);
    if (first.chunk === this.#chunks.length) {
      if (row !== undefined) throw new RangeError('an extent past the end is put in by appending');
      return;
    }
    const past = this.#firstStartingAt(to, first);
    const put: number[] = [];
    const head = this.#chunks[first.chunk]!;
    const headStart = head[first.at]!;
    if (headStart < from) put.push(headStart, from - headStart, head[first.at + 2]!, head[first.at + 3]!);
    if (row !== undefined) put.push(...row);
    const last = this.#before(past);
    if (last.chunk > first.chunk || (last.chunk === first.chunk && last.at >= first.at)) {
      const tail = this.#chunks[last.chunk]!;
      const tailEnd = tail[last.at]! + tail[last.at + 1]!;
      const frame = tail[last.at + 2]!;
      if (tailEnd > to) put.push(to, tailEnd - to, frame, frame === zeroFrame ? 0 : tail[last.at + 3]! + (to - tail[last.at]!));
    }
    this.#exchange(first, past, put);
  }

  /** Replaces the rows from `first` up to, but without, `past` by `put`. */
  #exchange(first: Place, past: Place, put: readonly number[]): void {
    for (let at = 0; at < put.length; at += stride) this.#bytes += put[at + 1]!;
    this.#extents += put.length / stride;
    const rows = this.#chunks[first.chunk]!;
    const cut = (gone: readonly number[]): void => {
      for (let at = 0; at < gone.length; at += stride) this.#bytes -= gone[at + 1]!;
      this.#extents -= gone.length / stride;
    };
    if (past.chunk === first.chunk) cut(rows.splice(first.at, past.at - first.at, ...put));
    else {
      cut(rows.splice(first.at, rows.length - first.at, ...put));
      if (past.chunk < this.#chunks.length && past.at > 0) cut(this.#chunks[past.chunk]!.splice(0, past.at));
      for (const between of this.#chunks.splice(first.chunk + 1, past.chunk - first.chunk - 1)) cut(between);
    }
    this.#balance(first.chunk);
  }

  /** Splits a chunk that grew too long, drops an empty one, joins one with its neighbour when both are short. */
  #balance(chunk: number): void {
    const rows = this.#chunks[chunk]!;
    if (rows.length > chunkExtentsMax * stride) {
      const half = Math.ceil(rows.length / stride / 2) * stride;
      this.#chunks.splice(chunk + 1, 0, rows.splice(half));
    } else if (rows.length === 0) {
      this.#chunks.splice(chunk, 1);
    } else {
      const next = this.#chunks[chunk + 1];
      if (next !== undefined && rows.length + next.length <= (chunkExtentsMax * stride) / 4) {
        rows.push(...next);
        this.#chunks.splice(chunk + 1, 1);
      }
    }
  }

  #before(place: Place): Place {
    if (place.at > 0) return { chunk: place.chunk, at: place.at - stride };
    const chunk = place.chunk - 1;
    return { chunk, at: (this.#chunks[chunk]?.length ?? 0) - stride };
  }

  /** The first extent that ends after `offset`; chunk count and 0 when there is none. */
  #firstEndingAfter(offset: number): Place {
    const chunks = this.#chunks;
    const chunk = firstIndex(chunks.length, (index) => {
      const rows = chunks[index]!;
      return rows[rows.length - stride]! + rows[rows.length - stride + 1]! > offset;
    });
    if (chunk === chunks.length) return { chunk, at: 0 };
    const rows = chunks[chunk]!;
    return { chunk, at: stride * firstIndex(rows.length / stride, (index) => rows[index * stride]! + rows[index * stride + 1]! > offset) };
  }

  /** The first extent, from `from` on, that starts at or after `offset`. A place at a chunk's end stands as its length. */
  #firstStartingAt(offset: number, from: Place): Place {
    const chunks = this.#chunks;
    const chunk = from.chunk + firstIndex(chunks.length - from.chunk, (index) => {
      const rows = chunks[from.chunk + index]!;
      return rows[rows.length - stride]! >= offset;
    });
    if (chunk === chunks.length) return { chunk, at: 0 };
    const rows = chunks[chunk]!;
    return { chunk, at: stride * firstIndex(rows.length / stride, (index) => rows[index * stride]! >= offset) };
  }
}

/** Whether a row that begins at `from` goes on where the row at `at` ends, in the node and in its source. */
function continues(rows: readonly number[], at: number, from: number, frame: number, payloadOffset: number): boolean {
  if (rows[at]! + rows[at + 1]! !== from || rows[at + 2] !== frame) return false;
  return frame === zeroFrame || rows[at + 3]! + rows[at + 1]! === payloadOffset;
}

/** The first index of 0..count-1 that holds; `count` when none does. What holds must hold for all later ones. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
