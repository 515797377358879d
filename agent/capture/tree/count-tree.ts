/** Counts the entries and bytes of a tree by stat alone, so that the progress of a baseline has a total. */
import { setImmediate } from 'node:timers/promises';
import type { Directory, DirectoryOpener } from '../../../native/host/directory.js';

/** Directories nested deeper than this are left out: it is an estimate, and each level keeps one open. */
const depthMax = 100;

export interface TreeCount {
  entries: number;
  bytes: number;
}

/** Counts into `total` as it goes. Closes `root`. Directories that cannot be read count as empty. */
async function countTree(root: Directory, total: TreeCount, isCounted: (name: Buffer, stat: Awaited<ReturnType<Directory['stat']>>) => boolean, signal: AbortSignal): Promise<void> {
  const stack: { readonly directory: Directory; readonly left: Buffer[] }[] = [];
  const enter = async (directory: Directory): Promise<void> => {
    const left: Buffer[] = [];
    stack.push({ directory, left });
    for (const { name, stat } of await directory.list().catch(() => [])) {
      if (!isCounted(name, stat)) continue;
      total.entries += 1;
      if (stat.kind === 'file') total.bytes += stat.size;
      if (stat.kind === 'directory' && stack.length < depthMax) left.push(name);
    }
    await setImmediate();
  };
  try {
    await enter(root);
    for (let at = stack.at(-1); at !== undefined && !signal.aborted; at = stack.at(-1)) {
      const name = at.left.pop();
      if (name === undefined) {
        stack.pop();
        await at.directory.close();
        continue;
      }
      const child = await at.directory.openDirectory(name).catch(() => undefined);
      if (child !== undefined) await enter(child);
    }
  } finally {
    for (const { directory } of stack) await directory.close();
  }
}

/** Counts what a volume holds on its own file system; undefined when it cannot be looked at, since only a total is lost then. */
async function countVolume(directories: DirectoryOpener, path: Buffer, total: TreeCount, signal: AbortSignal): Promise<TreeCount | undefined> {
  try {
    const root = await directories.openRoot(path);
    const { dev } = await root.stat();
    await countTree(root, total, (_name, stat) => stat.kind !== 'directory' || stat.dev === dev, signal);
    return total;
  } catch {
    return undefined;
  }
}

/** How far a first copy has got, of a total that is being counted meanwhile. */
export class CopyProgress {
  doneBytes = 0;
  #total: TreeCount = { entries: 0, bytes: 0 };

  async count(directories: DirectoryOpener, path: Buffer, signal: AbortSignal): Promise<void> {
    this.#total = (await countVolume(directories, path, this.#total, signal)) ?? this.#total;
  }

  /** `doneEntries`: entries listed so far. */
  at(doneEntries: number): { readonly doneBytes: number; readonly totalBytes: number; readonly doneEntries: number; readonly totalEntries: number } {
    return { doneBytes: this.doneBytes, totalBytes: Math.max(this.#total.bytes, this.doneBytes), doneEntries, totalEntries: Math.max(this.#total.entries, doneEntries) };
  }
}
