/** Small file systems for tests that fill a disk or put one where it is not expected. */
import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../proto/errors.js';
import type { Workplace } from './world.js';

const run = promisify(execFile);

/** Why file systems cannot be mounted here, or undefined where they can. */
export const mountObstacle: string | undefined =
  process.platform !== 'linux' ? 'only Linux has tmpfs' : process.getuid?.() !== 0 ? 'only root may mount' : undefined;

/** Mounts an empty tmpfs; it is gone with the workplace. */
export async function mountSmall(work: Workplace, directory: string, sizeMebibytes: number): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMebibytes}m,mode=700`, 'tmpfs', directory]);
  // Lazily: a program that a failed test left behind must not keep it.
  work.onEnd(() => unmount(directory));
}

export async function unmount(directory: string): Promise<void> {
  await run('umount', ['-l', directory]);
}

/** A file that takes space and nothing else: `bytes` of it, or all there is. */
export class Ballast {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, 'ballast');
  }

  async load(bytes = Number.MAX_SAFE_INTEGER): Promise<void> {
    const file = await open(this.#path, 'a');
    const block = Buffer.alloc(65_536, 1);
    try {
      for (let left = bytes; left > 0; ) left -= (await file.write(block, 0, Math.min(left, block.length))).bytesWritten;
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  async drop(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
