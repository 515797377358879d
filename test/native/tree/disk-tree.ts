/** What a tree on disk holds, in lines that can be compared, and places to put trees. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Directory, EntryStat } from '../../../native/host/directory.js';
import { systemDirectories } from '../../../native/index.js';
import { removeEntry } from '../../../native/tree/remove-tree.js';

export interface ToldEntry {
  readonly path: readonly string[];
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
  readonly target?: Buffer | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly content: Buffer;
  /** What all names of one inode share. */
  readonly group: string;
}

/** One line an entry: path, kind, metadata, content, and the first path of the same inode. */
export function lines(entries: readonly ToldEntry[]): string[] {
  const groups = new Map<string, string>();
  return entries.map((entry) => {
    const path = entry.path.join('/');
    const first = groups.get(entry.group) ?? path;
    groups.set(entry.group, first);
    const { kind, mode, uid, gid, modifyNs, target, device, xattrs, content } = entry;
    const shown = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value.toString('hex')}`);
    const hash = kind === 'file' ? `${content.byteLength} ${createHash('sha1').update(content).digest('hex')}` : '';
    return JSON.stringify([path, kind, kind === 'symlink' ? 0 : mode.toString(8), uid, gid, modifyNs.toString(), target?.toString('latin1'), device, shown, hash, first]);
  });
}

/** Everything below a directory, itself first, parents first, bytewise. */
export async function readTree(root: Directory): Promise<ToldEntry[]> {
  const found: ToldEntry[] = [];
  const tell = async (path: readonly string[], directory: Directory, name: Buffer | undefined, stat: EntryStat): Promise<void> => {
    const isDevice = stat.kind === 'block-device' || stat.kind === 'character-device';
    const xattrs = new Map([...(await directory.xattrs(name))].filter(([key]) => /^(user|trusted)\./.test(key)));
    found.push({
      path,
      kind: stat.kind,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      modifyNs: stat.modifyNs,
      xattrs,
      group: `${stat.dev}:${stat.ino}`,
      content: stat.kind === 'file' ? await content(directory, name!) : Buffer.alloc(0),
      ...(stat.kind === 'symlink' ? { target: await directory.readSymlink(name!) } : {}),
      ...(isDevice ? { device: { major: stat.deviceMajor, minor: stat.deviceMinor } } : {}),
    });
  };
  const visit = async (path: readonly string[], directory: Directory): Promise<void> => {
    const entries = await directory.list();
    entries.sort((a, b) => a.name.compare(b.name));
    for (const { name, stat } of entries) {
      const below = [...path, name.toString('latin1')];
      await tell(below, directory, name, stat);
      if (stat.kind !== 'directory') continue;
      const child = await directory.openDirectory(name);
      await visit(below, child);
      await child.close();
    }
  };
  await tell([], root, undefined, await root.stat());
  await visit([], root);
  return found;
}

export async function content(directory: Directory, name: Buffer): Promise<Buffer> {
  const file = await directory.openFile(name, 'read');
  const { size } = await file.stat();
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** A directory of its own for a test, removed at the end whatever it holds by then. */
export async function place(t: Test): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'afterimage-restore-'));
  const path = join(parent, 'place');
  await mkdir(path);
  t.teardown(async () => {
    const root = await systemDirectories.openRoot(parent);
    await removeEntry(root, Buffer.from('place'), (await root.lookup(Buffer.from('place')))!);
    await root.close();
    await rmdir(parent);
  });
  return path;
}

/** Lines of the tree at a path. */
export async function linesAt(path: string): Promise<string[]> {
  const root = await systemDirectories.openRoot(path);
  const told = lines(await readTree(root));
  await root.close();
  return told;
}
