/** What differs between a file on disk and what it is to be. */
import type { ByteSpan, TreeFile } from '../host/directory.js';

/** Bytes compared at once; a difference is written in whole blocks of this size, as far as the piece holds them. */
const blockBytes = 4096;
const readBytes = 256 * 1024;

/** Spans of `wanted` that are not as in `found`, by blocks of the file, in which both lie at `position`; touching blocks joined. */
export function differingSpans(found: Buffer, wanted: Buffer, position: number): ByteSpan[] {
  if (found.equals(wanted)) return [];
  const spans: { offset: number; length: number }[] = [];
  for (let offset = 0, length = 0; offset < wanted.byteLength; offset += length) {
    length = Math.min(blockBytes - ((position + offset) % blockBytes), wanted.byteLength - offset);
    if (found.compare(wanted, offset, offset + length, offset, offset + length) === 0) continue;
    const last = spans[spans.length - 1];
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else spans.push({ offset, length });
  }
  return spans;
}

/** Spans outside of `data`, below `size`, in which the file holds bytes that are not zero. */
export async function* holeData(file: TreeFile, data: readonly ByteSpan[], size: number): AsyncGenerator<ByteSpan, void, undefined> {
  let at = 0;
  for (const { offset, length } of [...data, { offset: size, length: 0 }]) {
    yield* nonZero(file, at, Math.min(offset, size));
    at = offset + length;
  }
}

async function* nonZero(file: TreeFile, from: number, to: number): AsyncGenerator<ByteSpan, void, undefined> {
  for (let at = from; at < to; ) {
    const found = await file.nextData(at);
    if (found === undefined || found.offset >= to) return;
    const end = Math.min(found.offset + found.length, to);
    for (at = Math.max(at, found.offset); at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - at));
      const got = await file.read(buffer, at);
      if (got === 0) return;
      if (!isZero(buffer.subarray(0, got))) yield { offset: at, length: got };
      at += got;
    }
  }
}

const zeroes = Buffer.alloc(readBytes);

function isZero(buffer: Buffer): boolean {
  return buffer.equals(zeroes.subarray(0, buffer.byteLength));
}
