/** Says whether the portable engine can serve a path, and what would hold it back. */
import { readFile, stat } from 'node:fs/promises';
import type { Directory, DirectoryOpener } from '../../native/host/directory.js';
import type { EngineVerdict } from './change-source.js';

/** Directories are counted no further than this: past it the count itself would take long. */
const countMax = 20_000;

export async function portableVerdict(path: string, directories: DirectoryOpener): Promise<EngineVerdict> {
  let root: Directory;
  try {
    if ((await stat(path)).isBlockDevice()) return { engine: 'portable', available: false, reason: `${path} is a block device; it captures directories` };
    root = await directories.openRoot(path);
  } catch (error) {
    return { engine: 'portable', available: false, reason: `${path} cannot be opened as a directory: ${(error as Error).message}` };
  }
  try {
    const count = await countDirectories(root);
    const limit = await watchLimit();
    if (limit !== undefined && count.directories > limit) {
      const found = count.whole ? `${count.directories}` : `more than ${countMax}`;
      return {
        engine: 'portable',
        available: true,
        reason: `captures by watching and scanning; ${found} directories are more than the ${limit} that may be watched (fs.inotify.max_user_watches), so the rest is found by scanning only`,
      };
    }
    return { engine: 'portable', available: true, reason: 'captures by watching and scanning: changes are found shortly after they happen, not as they happen' };
  } catch (error) {
    return { engine: 'portable', available: false, reason: `${path} cannot be listed: ${(error as Error).message}` };
  } finally {
    await root.close();
  }
}

async function watchLimit(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const limit = Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
    return Number.isSafeInteger(limit) ? limit : undefined;
  } catch {
    return undefined;
  }
}

/** Counts directories level by level from an open root; those that cannot be read count alone. */
async function countDirectories(root: Directory): Promise<{ readonly directories: number; readonly whole: boolean }> {
  const { dev } = await root.stat();
  let directories = 1;
  const stack: { readonly directory: Directory; readonly names: Buffer[] }[] = [];
  const namesIn = async (directory: Directory): Promise<Buffer[]> =>
    (await directory.list()).filter(({ stat }) => stat.kind === 'directory' && stat.dev === dev).map(({ name }) => name);
  try {
    stack.push({ directory: root, names: await namesIn(root) });
    for (let at = stack.at(-1); at !== undefined && directories < countMax; at = stack.at(-1)) {
      const name = at.names.pop();
      if (name === undefined) {
        stack.pop();
        if (at.directory !== root) await at.directory.close();
        continue;
      }
      directories += 1;
      const child = stack.length < 100 ? await at.directory.openDirectory(name).catch(() => undefined) : undefined;
      if (child !== undefined) stack.push({ directory: child, names: await namesIn(child).catch(() => []) });
    }
    return { directories, whole: stack.length === 0 };
  } finally {
    for (const { directory } of stack) if (directory !== root) await directory.close();
  }
}
