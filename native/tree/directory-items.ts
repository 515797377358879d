/** The items of a restore taken from a directory tree that does not change: entries on one walk, content on another. */
import type { ByteSpan, Directory, EntryStat } from '../host/directory.js';
import { TreeRestoreError, type TreeEntry, type TreeItem } from './items.js';
import { displayComponents } from './notes.js';

const pieceBytes = 1024 * 1024;

export interface DirectoryItemsOptions {
  readonly root: Directory;
  /** What is wanted; none: everything. */
  readonly paths: readonly (readonly string[])[];
  readonly signal?: AbortSignal;
}

interface Visited {
  readonly path: readonly string[];
  readonly stat: EntryStat;
  /** What holds it; the root itself for the root. */
  readonly directory: Directory;
  readonly name: Buffer | undefined;
}

/** Throws TreeRestoreError before the first item for a path that names nothing. No symbolic link is followed. */
export async function* directoryItems(options: DirectoryItemsOptions): AsyncGenerator<TreeItem, void, undefined> {
  for (const path of options.paths) await checkPath(options.root, path);
  const totals = { entries: 0, bytes: 0 };
  for await (const { visited, linkOf } of numbered(options)) {
    totals.entries += 1;
    if (visited.stat.kind === 'file' && linkOf === undefined) for (const { length } of await dataOf(visited)) totals.bytes += length;
  }
  yield { kind: 'head', ...totals };
  for await (const { visited, linkOf, index } of numbered(options)) yield await entryOf(visited, index, linkOf);
  for await (const { visited, linkOf, index } of numbered(options)) {
    if (visited.stat.kind === 'file' && linkOf === undefined) yield* piecesOf(visited, index);
  }
  yield { kind: 'end', ...totals };
}

/** Says what is wrong with a path that cannot be walked to. */
async function checkPath(root: Directory, path: readonly string[]): Promise<void> {
  let at = root;
  try {
    for (const [depth, component] of path.entries()) {
      const name = Buffer.from(component, 'latin1');
      const stat = await at.lookup(name);
      const shown = displayComponents(path.slice(0, depth + 1));
      if (stat === undefined) throw new TreeRestoreError('request', `${shown} does not exist in the file system`);
      if (depth === path.length - 1) return;
      if (stat.kind === 'symlink') throw new TreeRestoreError('request', `${shown} is a symbolic link to ${displayComponents([(await at.readSymlink(name)).toString('latin1')])}, which is not followed: name the place that it leads to`);
      if (stat.kind !== 'directory') throw new TreeRestoreError('request', `${shown} is a ${stat.kind}, and nothing is below it`);
      const next = await at.openDirectory(name);
      if (at !== root) await at.close();
      at = next;
    }
  } finally {
    if (at !== root) await at.close();
  }
}

/** Every entry with its index; of the names of one inode, all but the first say which one that is. */
async function* numbered(options: DirectoryItemsOptions): AsyncGenerator<{ readonly visited: Visited; readonly index: number; readonly linkOf: number | undefined }, void, undefined> {
  const linked = new Map<string, number>();
  let index = 0;
  for await (const visited of walk(options)) {
    options.signal?.throwIfAborted();
    const { stat } = visited;
    const key = stat.linkCount > 1 && stat.kind !== 'directory' ? `${stat.dev}:${stat.ino}` : undefined;
    const linkOf = key === undefined ? undefined : linked.get(key);
    if (key !== undefined && linkOf === undefined) linked.set(key, index);
    yield { visited, index, linkOf };
    index += 1;
  }
}

/** Parents first. One open directory a level instead of recursion: trees may be deeper than the call stack. */
async function* walk({ root, paths }: DirectoryItemsOptions): AsyncGenerator<Visited, void, undefined> {
  const stat = await root.stat();
  yield { path: [], stat, directory: root, name: undefined };
  const levels = [{ directory: root, path: [] as readonly string[], names: await namesIn(root, [], paths) }];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names.shift();
      if (name === undefined) {
        levels.pop();
        if (level.directory !== root) await level.directory.close();
        continue;
      }
      const found = await level.directory.lookup(name);
      if (found === undefined) continue;
      const path = [...level.path, name.toString('latin1')];
      yield { path, stat: found, directory: level.directory, name };
      if (found.kind !== 'directory') continue;
      const directory = await level.directory.openDirectory(name);
      const below = { directory, path, names: [] as Buffer[] };
      levels.push(below);
      below.names = await namesIn(directory, path, paths);
    }
  } finally {
    for (const { directory } of levels) if (directory !== root) await directory.close();
  }
}

/** Names in a directory that are wanted, or lead to what is; in order, so that every walk is the same. */
async function namesIn(directory: Directory, path: readonly string[], paths: readonly (readonly string[])[]): Promise<Buffer[]> {
  const isWithin = paths.length === 0 || paths.some((wanted) => wanted.length <= path.length && startsWith(path, wanted));
  if (isWithin) return (await directory.list()).map(({ name }) => name).sort(Buffer.compare);
  const next = paths.filter((wanted) => startsWith(wanted, path)).map((wanted) => wanted[path.length]!);
  return [...new Set(next)].sort().map((name) => Buffer.from(name, 'latin1'));
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((name, at) => path[at] === name);
}

async function entryOf(visited: Visited, index: number, linkOf: number | undefined): Promise<TreeEntry> {
  const { path, stat, directory, name } = visited;
  const { kind, mode, uid, gid, modifyNs } = stat;
  const xattrs = linkOf === undefined ? await directory.xattrs(name) : new Map<string, Buffer>();
  return {
    kind: 'entry',
    index,
    path,
    metadata: {
      nodeKind: kind, mode, uid, gid, modifyNs,
      ...(kind === 'block-device' || kind === 'character-device' ? { device: { major: stat.deviceMajor, minor: stat.deviceMinor } } : {}),
      ...(kind === 'symlink' ? { target: await directory.readSymlink(name!) } : {}),
      ...(xattrs.size === 0 ? {} : { xattrs }),
    },
    size: kind === 'file' ? stat.size : 0,
    data: kind === 'file' && linkOf === undefined ? await dataOf(visited) : [],
    ...(linkOf === undefined ? {} : { linkOf }),
  };
}

/** Ranges of a file that hold data. */
async function dataOf({ directory, name, stat }: Visited): Promise<ByteSpan[]> {
  if (stat.size === 0) return [];
  const file = await directory.openFile(name!, 'read');
  try {
    const spans: ByteSpan[] = [];
    for (let at = 0; at < stat.size; ) {
      const found = await file.nextData(at);
      if (found === undefined || found.offset >= stat.size) break;
      const end = Math.min(found.offset + found.length, stat.size);
      if (end <= at) break;
      spans.push({ offset: found.offset, length: end - found.offset });
      at = end;
    }
    return spans;
  } finally {
    await file.close();
  }
}

async function* piecesOf(visited: Visited, index: number): AsyncGenerator<TreeItem, void, undefined> {
  const { directory, name, path, stat } = visited;
  if (stat.size === 0) return;
  const spans = await dataOf(visited);
  const file = await directory.openFile(name!, 'read');
  try {
    for (const span of spans) {
      for (let done = 0; done < span.length; done += pieceBytes) {
        const data = Buffer.allocUnsafe(Math.min(pieceBytes, span.length - done));
        const offset = span.offset + done;
        if ((await file.read(data, offset)) !== data.byteLength) throw new TreeRestoreError('incomplete', `${displayComponents(path)} ends at ${offset}, before its size`);
        yield { kind: 'piece', index, offset, data };
      }
    }
  } finally {
    await file.close();
  }
}
