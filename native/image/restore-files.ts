/** Restores files out of the file system on an image: the image goes to a temporary file that is mounted, never to the target. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { DirectoryOpener } from '../host/directory.js';
import { directoryItems } from '../tree/directory-items.js';
import { TreeRestoreError, type TreeHead, type TreeItem } from '../tree/items.js';
import type { TreeRestoreReport } from '../tree/report.js';
import { checkTarget, restoreTree, type RestoreTreeOptions } from '../tree/restore-tree.js';
import { chooseFileSystem, fileSystemsIn, type ImageFileSystem } from './file-systems.js';
import { openImageFile } from './image-file.js';
import { mountImageReason, openMounted } from './mounted-image.js';
import { restoreImage, type RestoreImageOptions } from './restore-image.js';

export interface RestoreFilesOptions {
  readonly directories: DirectoryOpener;
  /** Of the whole image. */
  readonly items: AsyncIterable<TreeItem>;
  readonly target: string;
  readonly mode: 'fresh' | 'in-place';
  readonly paths: readonly (readonly string[])[];
  readonly partition: number | undefined;
  readonly dryRun: boolean;
  readonly sync: boolean;
  readonly signal: AbortSignal;
  /** Called with what the restore says of the image, before it is written to its temporary file. */
  readonly onHead: (head: TreeHead) => void;
  readonly onImageProgress: NonNullable<RestoreImageOptions['onProgress']>;
  readonly onFileSystem: (fileSystem: ImageFileSystem) => void;
  readonly onProgress: NonNullable<RestoreTreeOptions['onProgress']>;
}

/** Throws TreeRestoreError for a target, paths or items that are not as they must be, and where no image can be mounted. */
export async function restoreFiles(options: RestoreFilesOptions): Promise<TreeRestoreReport> {
  const { directories, target, mode, paths, dryRun, sync, signal } = options;
  const reason = mountImageReason();
  if (reason !== undefined) throw new TreeRestoreError('request', `files of a device volume are taken out of its file system, and ${reason}`);
  // The image may take long, and all would be in vain.
  await checkTarget({ directories, target, mode });
  const place = await mkdtemp(join(dirname(resolve(target)), `.afterimage-image-${basename(resolve(target)).slice(0, 20)}-`));
  try {
    const image = join(place, 'image');
    const written = await openImageFile({ directories, target: image, mode: 'fresh', dryRun: false });
    const { sizeBytes } = await restoreImage({ target: written, items: options.items, mode: 'fresh', signal, onHead: options.onHead, onProgress: options.onImageProgress });
    const fileSystem = chooseFileSystem(await fileSystemsIn(image, sizeBytes), options.partition);
    signal.throwIfAborted();
    const mountPoint = join(place, 'mounted');
    await mkdir(mountPoint);
    const root = await openMounted({ image, fileSystem, mountPoint });
    try {
      options.onFileSystem(fileSystem);
      // Gone at once: what is still open stays until it is closed, even if this process is killed.
      await rm(place, { recursive: true, force: true });
      return await restoreTree({ directories, target, items: directoryItems({ root, paths, signal }), mode, paths, dryRun, sync, signal, onProgress: options.onProgress });
    } finally {
      await root.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
