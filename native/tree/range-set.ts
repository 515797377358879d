/** The ranges of a file that have not arrived yet: sorted and apart, in short arrays so that any order of arrival is cheap. */
import type { ByteSpan } from '../host/directory.js';

/** Numbers in one chunk at most: start and end of each range. */
const chunkNumbersMax = 1024;

export class RangeSet {
  /** No chunk is empty. */
  readonly #chunks: number[][] = [];
  #bytes = 0;

  /** `spans` ascending and apart; all else is refused with RangeError. */
  constructor(spans: readonly ByteSpan[]) {
    let chunk: number[] = [];
    let end = -1;
    for (const { offset, length } of spans) {
      if (!(offset >= 0 && length > 0 && offset >= end && Number.isSafeInteger(offset + length))) throw new RangeError('ranges must ascend and lie apart');
      end = offset + length;
      if (chunk.length === 0 || chunk.length >= chunkNumbersMax) this.#chunks.push((chunk = []));
      // Touching ranges become one, so that a piece may span both.
      if (chunk.length > 0 && chunk[chunk.length - 1] === offset) chunk[chunk.length - 1] = end;
      else chunk.push(offset, end);
      this.#bytes += length;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a range out. False, and nothing changes, when not all of it is there. */
  remove(offset: number, length: number): boolean {
    const end = offset + length;
    const place = this.#chunkFor(offset);
    const chunk = this.#chunks[place];
    if (chunk === undefined || length <= 0) return false;
    const at = rangeFor(chunk, offset);
    const start = chunk[at];
    const stop = chunk[at + 1];
    if (start === undefined || stop === undefined || start > offset || stop <= offset) return false;
    if (stop < end) return this.#removeTouching(offset, end, stop);
    this.#bytes -= length;
    if (start === offset && stop === end) chunk.splice(at, 2);
    else if (start === offset) chunk[at] = end;
    else if (stop === end) chunk[at + 1] = offset;
    else chunk.splice(at + 1, 0, offset, end);
    if (chunk.length === 0) this.#chunks.splice(place, 1);
    else if (chunk.length > chunkNumbersMax) this.#chunks.splice(place + 1, 0, chunk.splice(chunkNumbersMax / 2));
    return true;
  }

  /** Ranges that touch but lie in different chunks were not joined: take the two parts one after the other. */
  #removeTouching(offset: number, end: number, stop: number): boolean {
    const place = this.#chunkFor(stop);
    if (this.#chunks[place]?.[0] !== stop) return false;
    if (!this.remove(stop, end - stop)) return false;
    return this.remove(offset, stop - offset);
  }

  /** The chunk in which a range that holds `offset` must be. */
  #chunkFor(offset: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle]!;
      if (chunk[chunk.length - 1]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Index of the first range of a chunk that ends after `offset`. */
function rangeFor(chunk: readonly number[], offset: number): number {
  let low = 0;
  let high = chunk.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle * 2 + 1]! > offset) high = middle;
    else low = middle + 1;
  }
  return low * 2;
}
