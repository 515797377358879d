/** Opens what an image is to be restored to, whichever kind it is. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { errorCode } from '../host/directory-error.js';
import { TreeRestoreError } from '../tree/items.js';
import { openBlockDevice } from './block-device.js';
import { openImageFile, type ImageFileOptions } from './image-file.js';
import type { ImageTarget } from './image-target.js';

export interface ImageTargetOptions extends ImageFileOptions {
  /** The block device whose content may be lost. */
  readonly overwrite: string | undefined;
}

/** Throws TreeRestoreError where the target is not as it must be. Nothing is written yet. */
export async function openImageTarget(options: ImageTargetOptions): Promise<ImageTarget> {
  const { target, overwrite } = options;
  const found = await stat(target).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found?.isBlockDevice() === true) return openBlockDevice(options);
  if (overwrite !== undefined) throw new TreeRestoreError('target', `--yes-overwrite is for block devices, and ${target} ${found === undefined ? 'does not exist' : 'is none'}`);
  // A mistyped name would become a file in memory that fills it.
  if (found === undefined && process.platform === 'linux' && (await isAmongDevices(target))) throw new TreeRestoreError('target', `there is no device ${target}`);
  return openImageFile(options);
}

async function isAmongDevices(target: string): Promise<boolean> {
  const path = resolve(target);
  const directory = await realpath(dirname(path)).catch(() => dirname(path));
  const place = `${directory}/${basename(path)}`;
  return place.startsWith('/dev/') && !place.startsWith('/dev/shm/');
}
