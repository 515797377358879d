/** Decides which entries of a volume are left out. */
import { realpathSync } from 'node:fs';
import picomatch from 'picomatch';
import type { Directory, DirectoryOpener, EntryStat } from '../../../native/host/directory.js';
import type { ProtectedVolume } from '../change-source.js';

export class Excludes {
  readonly #matches: ((path: string) => boolean) | undefined;
  readonly #directories: readonly Buffer[];
  readonly #paths: ReadonlySet<string>;
  /** Directories that are always left out, by inode: however the root is reached, they are recognised. */
  #inodes: ReadonlySet<string> = new Set();

  constructor(volume: ProtectedVolume, always: readonly Buffer[]) {
    const patterns = volume.exclude.map((pattern) => pattern.replace(/^\.?\//, '').replace(/\/+$/, '')).filter((pattern) => pattern !== '');
    if (patterns.length > 0) this.#matches = picomatch(patterns, { dot: true });
    this.#directories = [...volume.excludedDirectories, ...always];
    this.#paths = new Set(this.#directories.flatMap((directory) => [directory.toString(), realPath(directory)]));
  }

  /** Looks up the directories that are always left out, as they are now. */
  async refresh(directories: DirectoryOpener, root: EntryStat): Promise<void> {
    const inodes = new Set<string>();
    for (const path of this.#directories) {
      let opened: Directory | undefined;
      try {
        opened = await directories.openRoot(path);
        const stat = await opened.stat();
        if (stat.dev !== root.dev || stat.ino !== root.ino) inodes.add(`${stat.dev}:${stat.ino}`);
      } catch {
        // One that does not exist cannot be inside the volume either.
      } finally {
        await opened?.close();
      }
    }
    this.#inodes = inodes;
  }

  /** Whether patterns are given at all: paths need not be put together otherwise. */
  get needsPath(): boolean {
    return this.#matches !== undefined;
  }

  isExcluded(path: string, stat: EntryStat | undefined): boolean {
    if (stat?.kind === 'directory' && this.#inodes.has(`${stat.dev}:${stat.ino}`)) return true;
    return this.#matches?.(path) ?? false;
  }

  /** Whether an absolute path, as a watcher gives it, need not be watched. */
  isUnwatched(absolute: string, relative: string): boolean {
    if (this.#paths.has(absolute)) return true;
    return relative !== '' && (this.#matches?.(relative) ?? false);
  }
}

function realPath(directory: Buffer): string {
  try {
    return realpathSync(directory.toString());
  } catch {
    return directory.toString();
  }
}
