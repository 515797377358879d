/** Removes whatever a name of a directory holds: to any depth, never through a link, never into another file system. */
import { errorCode } from '../host/directory-error.js';
import type { Directory, EntryStat } from '../host/directory.js';
import { unlock } from '../host/file-flags.js';

/** Directories open at once; deeper ones are first moved up. */
const openLevelsMax = 32;

export interface RemovalProblem {
  readonly path: readonly string[];
  readonly problem: string;
}

/** Removes one entry and all below it. What cannot be removed is returned, and then so are the directories above it. */
export async function removeEntry(directory: Directory, name: Buffer, stat: EntryStat, onRemoved: () => void = () => undefined): Promise<RemovalProblem[]> {
  const problems: RemovalProblem[] = [];
  const { dev } = await directory.stat();
  await remove({ directory, name, stat, dev, path: [name.toString('latin1')], top: undefined, level: 0, problems, onRemoved });
  return problems;
}

interface Removal {
  readonly directory: Directory;
  readonly name: Buffer;
  readonly stat: EntryStat;
  readonly dev: bigint;
  readonly path: readonly string[];
  /** Where directories too deep to hold open are moved to. */
  readonly top: { readonly directory: Directory; moved: number } | undefined;
  readonly level: number;
  readonly problems: RemovalProblem[];
  readonly onRemoved: () => void;
}

async function remove(removal: Removal): Promise<void> {
  const { directory, name, stat, dev, path, level, problems, onRemoved } = removal;
  try {
    if (stat.isLocked === true) await unlock(directory, name);
    if (stat.kind !== 'directory') {
      await directory.unlink(name);
      onRemoved();
      return;
    }
    if (stat.dev !== dev) return void problems.push({ path, problem: 'another file system is mounted there' });
    // An ordinary user cannot empty a directory without these bits, not even his own.
    if ((stat.mode & 0o700) !== 0o700) await directory.setOwnerAndMode(name, { mode: 0o700 }).catch(() => undefined);
    if (level >= openLevelsMax && removal.top !== undefined && (await moveUp(directory, name, removal.top))) return;
    const child = await directory.openDirectory(name);
    const before = problems.length;
    try {
      const top = removal.top ?? { directory: child, moved: 0 };
      // Once more as long as something was moved up into it.
      for (let moved = -1; moved !== top.moved && problems.length === before; ) {
        moved = top.moved;
        for (const entry of await child.list()) {
          await remove({ ...removal, directory: child, name: entry.name, stat: entry.stat, path: [...path, entry.name.toString('latin1')], top, level: level + 1 });
        }
        if (child !== top.directory) break;
      }
    } finally {
      await child.close();
    }
    if (problems.length > before) return;
    await directory.removeDirectory(name);
    onRemoved();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    problems.push({ path, problem: `cannot be removed: ${errorCode(error) ?? (error as Error).message}` });
  }
}

/** Moves a directory to the top of what is being removed, where it is found again. */
async function moveUp(directory: Directory, name: Buffer, top: { readonly directory: Directory; moved: number }): Promise<boolean> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    top.moved += 1;
    try {
      await directory.rename(name, top.directory, Buffer.from(`.afterimage-removed-${top.moved}`));
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') return false;
    }
  }
  return false;
}
