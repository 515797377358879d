/** Reads of node:fs to their end: one may give fewer bytes than there are. */
import type { FileHandle } from 'node:fs/promises';

/** Bytes read; fewer than the target takes only at the end of the file. */
export async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let got = 0;
  while (got < target.byteLength) {
    const { bytesRead } = await handle.read(target, got, target.byteLength - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}
