/** The two hashes of the format: xxHash64 against accidents, SHA-256 against tampering. */
import { createHash } from 'node:crypto';
import xxhash from 'xxhash-wasm';

const hasher = await xxhash();

/** xxHash64 with seed 0 (https://github.com/Cyan4973/xxHash). */
export function hash64(bytes: Uint8Array): bigint {
  return hasher.h64Raw(bytes);
}

/** SHA-256 over the parts one after the other. */
export function digest256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
