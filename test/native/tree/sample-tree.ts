/** A small tree that has one of each: links, holes, special nodes, owners, attributes, and a name that is no text. */
import { link, mkdir, open, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemDirectories } from '../../../native/index.js';

/** Needs root and the native addon. */
export async function makeTree(path: string): Promise<void> {
  await mkdir(join(path, 'etc', 'deep', 'deeper'), { recursive: true });
  await writeFile(join(path, 'etc', 'passwd'), 'root:x:0:0');
  await writeFile(join(path, 'etc', 'empty'), '');
  await writeFile(join(path, 'etc', 'deep', 'large'), Buffer.alloc(2_500_000, 'abc'));
  await link(join(path, 'etc', 'passwd'), join(path, 'etc', 'deep', 'the same'));
  await symlink('../../../outside', join(path, 'etc', 'leads out'));
  await symlink('etc', join(path, 'link'));
  await writeFile(Buffer.concat([Buffer.from(`${path}/`), Buffer.from('odd \xff\n\\name', 'latin1')]), 'odd');
  const sparse = await open(join(path, 'sparse'), 'w');
  await sparse.truncate(10_000_000);
  await sparse.write('in the middle', 5_000_000);
  await sparse.close();
  await utimes(join(path, 'etc', 'passwd'), 1_000_000_000, 1_000_000_000);
  const root = await systemDirectories.openRoot(path);
  await root.makeSpecial(Buffer.from('fifo'), { kind: 'fifo', mode: 0o640, deviceMajor: 0, deviceMinor: 0 });
  await root.makeSpecial(Buffer.from('null'), { kind: 'character-device', mode: 0o666, deviceMajor: 1, deviceMinor: 3 });
  await root.setOwnerAndMode(Buffer.from('sparse'), { uid: 1234, gid: 4321, mode: 0o4755 });
  // Not every file system takes attributes of users.
  await root.setXattr(Buffer.from('sparse'), 'user.note', Buffer.from('kept')).catch(() => undefined);
  await root.close();
}
