/** Removes a directory of any depth and whatever modes it has. */
import { rmdirSync } from 'node:fs';
import type { Directory } from '../../../native/host/directory.js';
import { systemDirectories } from '../../../native/index.js';

export async function removeTree(path: string): Promise<void> {
  const root = await systemDirectories.openRoot(path);
  await empty(root);
  await root.close();
  rmdirSync(path);
}

async function empty(root: Directory): Promise<void> {
  // Sub-directories are moved up: paths may be deeper than the process may hold open.
  let moved = 0;
  const pending: Buffer[] = [];
  const clear = async (directory: Directory): Promise<void> => {
    for (const { name, stat } of await directory.list()) {
      if (stat.kind !== 'directory') {
        await directory.unlink(name);
        continue;
      }
      await directory.setOwnerAndMode(name, { mode: 0o700 });
      if (directory === root) pending.push(name);
      else {
        moved += 1;
        const target = Buffer.from(`removed ${moved}`);
        await directory.rename(name, root, target);
        pending.push(target);
      }
    }
  };
  await clear(root);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const directory = await root.openDirectory(name);
    await clear(directory);
    await directory.close();
    await root.removeDirectory(name);
  }
}
