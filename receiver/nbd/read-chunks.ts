/** Puts the parts of a read together to chunks worth sending: small ones are joined, long holes stay holes. */
import type { ByteRange } from '../../proto/change.js';
import type { BlockPart } from './parts.js';

/** Bytes that are put together at most: what a read costs in memory, however long it is. */
export const joinedBytesMax = 256 * 1024;
/** Data from this length on is sent as it is. Less would hold, until it is sent, much more memory than it is long: it may be a view. */
const wholeBytesMin = 64 * 1024;
/** Zeroes from this length on are sent as a hole. */
export const holeBytesMin = 4096;

/** `data` is absent for a hole. */
export interface ReadChunk extends ByteRange {
  readonly data: Buffer | undefined;
}

/** `parts` of `range`, ascending and without gaps between them. */
export async function* readChunks(parts: AsyncIterable<BlockPart>, range: ByteRange): AsyncGenerator<ReadChunk, void, undefined> {
  const end = range.offset + range.length;
  let room = Buffer.alloc(0);
  let filled = 0;
  let at = range.offset;
  const joined = (): ReadChunk => {
    const data = room.subarray(0, filled);
    // What is left serves the next chunk.
    room = room.subarray(filled);
    filled = 0;
    return { offset: at - data.byteLength, length: data.byteLength, data };
  };
  for await (const { length, content } of parts) {
    const isHole = typeof content === 'string';
    if (isHole ? length >= holeBytesMin : length >= wholeBytesMin) {
      if (filled > 0) yield joined();
      yield { offset: at, length, data: isHole ? undefined : content };
      at += length;
      continue;
    }
    for (let done = 0; done < length; ) {
      if (filled === room.byteLength) {
        if (filled > 0) yield joined();
        room = Buffer.allocUnsafeSlow(Math.min(joinedBytesMax, end - at));
      }
      const count = Math.min(length - done, room.byteLength - filled);
      if (isHole) room.fill(0, filled, filled + count);
      else content.copy(room, filled, done, done + count);
      filled += count;
      done += count;
      at += count;
    }
  }
  if (filled > 0) yield joined();
}
