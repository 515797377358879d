/**
 * A file system of an image, reached through an open directory only. It is mounted no longer than it
 * takes to open that, then detached lazily, loop device included: the kernel lets go of both when the
 * directory is closed, even where the process is killed.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Directory } from '../host/directory.js';
import { loadNative, nativeUnavailableReason, systemDirectories } from '../index.js';
import { optionsFor, programError, type ImageFileSystem } from './file-systems.js';
import { systemPrograms } from './system-programs.js';

const safeOptions = ['ro', 'nosuid', 'nodev', 'noexec'];

/** Why no image can be mounted here, or undefined where one can. */
export function mountImageReason(): string | undefined {
  if (process.platform !== 'linux') return 'images can be mounted on Linux only';
  if (process.geteuid?.() !== 0) return 'only root may mount an image';
  return loadNative() === undefined ? `the native addon is needed for that: ${nativeUnavailableReason()}` : undefined;
}

/**
 * Opens the root of a file system. The image is written to: a file system that was not unmounted
 * replays its journal even where it is mounted read-only. `mountPoint` is an empty directory.
 */
export async function openMounted(options: { readonly image: string; readonly fileSystem: ImageFileSystem; readonly mountPoint: string }): Promise<Directory> {
  const { image, mountPoint, fileSystem } = options;
  const { kind, offset, length } = fileSystem;
  const device = await system('losetup', ['--find', '--show', '--offset', String(offset), '--sizelimit', String(length), image]);
  try {
    // Internal only: no helper program of a file system gets to see the image.
    await system('mount', ['--internal-only', '--types', kind, '--options', [...safeOptions, ...(optionsFor(kind) ?? [])].join(','), device, mountPoint]);
    try {
      return await systemDirectories.openRoot(mountPoint);
    } finally {
      await system('umount', ['--lazy', '--internal-only', mountPoint]);
    }
  } finally {
    // Once nothing has it open any more, that is.
    await system('losetup', ['--detach', device]);
  }
}

async function system(program: string, words: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, words, systemPrograms)).stdout.trim();
  } catch (error) {
    throw programError(program, error);
  }
}
