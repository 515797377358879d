/** Writes zeroes in bounded pieces, for punching where there are no holes. */
import type { ByteSpan } from './directory.js';

const ZEROES_BYTES = 256 * 1024;

/** Zeroes `span` as far as it lies within `size`, so that the size does not change. */
export async function writeZeroes(
  write: (source: Uint8Array, position: number) => Promise<void>,
  span: ByteSpan,
  size: number,
): Promise<void> {
  const end = Math.min(span.offset + span.length, size);
  if (end <= span.offset) return;
  const zeroes = Buffer.alloc(Math.min(ZEROES_BYTES, end - span.offset));
  for (let at = span.offset; at < end; at += zeroes.length) {
    await write(zeroes.subarray(0, Math.min(zeroes.length, end - at)), at);
  }
}
