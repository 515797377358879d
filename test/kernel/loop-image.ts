/** Loop devices over sparse files, for tests that write to block devices; gone when disposed of, or with the process. */
import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { attachLoop, detachLoop } from './loop-device.js';

export const execute = promisify(execFile);

export interface LoopImage extends AsyncDisposable {
  /** `/dev/loopN`. */
  readonly path: string;
  /** What it is made on. */
  readonly image: string;
}

/** Makes the file unless `sizeBytes` is undefined. `options` are of losetup. */
export async function openLoop(image: string, sizeBytes: number | undefined, options: readonly string[] = []): Promise<LoopImage> {
  if (sizeBytes !== undefined) {
    await writeFile(image, '');
    await truncate(image, sizeBytes);
  }
  const path = attachLoop(image, options);
  return {
    path,
    image,
    async [Symbol.asyncDispose]() {
      detachLoop(path);
    },
  };
}

/** Loop devices of this machine whose file lies below a directory, removed ones included. */
export async function loopsBelow(directory: string): Promise<string[]> {
  const { stdout } = await execute('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']);
  return stdout.split('\n').map((line) => line.trim()).filter((file) => file.startsWith(directory));
}
