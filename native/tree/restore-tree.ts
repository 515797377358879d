/**
 * Writes a tree as items describe it, below one directory and nowhere else. Nothing in the items is
 * believed: all entries are checked before the first is written, and everything is reached through
 * open directories, one name at a time, never through a symbolic link.
 */
import { basename, dirname, resolve } from 'node:path';
import { errorCode } from '../host/directory-error.js';
import type { Directory, DirectoryOpener, EntryStat } from '../host/directory.js';
import { DirectoryCache, type TargetPlace } from './directory-cache.js';
import { entryState, EntryTable } from './entry-table.js';
import { FileWriter } from './file-writer.js';
import { FlagWriter } from './flag-writer.js';
import { nextItem } from './item-reader.js';
import { TreeRestoreError, type TreeHead, type TreeItem, type TreePiece } from './items.js';
import { MetadataWriter } from './metadata.js';
import { displayComponents } from './notes.js';
import { NodeWriter } from './node-writer.js';
import { Preparation } from './prepare.js';
import { Report, type TreeRestoreProgress, type TreeRestoreReport } from './report.js';
import { WorkLimit } from './work-limit.js';

const writesAtOnce = 16;
const bytesAtOnce = 16 * 1024 * 1024;

export interface RestoreTreeOptions {
  readonly directories: DirectoryOpener;
  /** Where the root of the tree is to be. */
  readonly target: string;
  readonly items: AsyncIterable<TreeItem>;
  /** `fresh`: the target must not exist or be an empty directory. `in-place`: only what differs is written, extras go. */
  readonly mode: 'fresh' | 'in-place';
  /** The paths that were asked for, where not everything was: outside of them nothing is touched. */
  readonly paths?: readonly (readonly string[])[];
  /** Compares and reports; writes nothing. */
  readonly dryRun?: boolean;
  /** `auto`: owners are set when this process may (root). */
  readonly owner?: 'auto' | boolean;
  /** Return only when all of it survives power loss. */
  readonly sync?: boolean;
  readonly signal?: AbortSignal;
  /** Called once, before anything is written, with what the restore says of itself. */
  readonly onHead?: (head: TreeHead) => void;
  readonly onProgress?: (progress: TreeRestoreProgress) => void;
}

/** Throws TreeRestoreError for a target or items that are not as they must be, and system errors as they are. */
export async function restoreTree(options: RestoreTreeOptions): Promise<TreeRestoreReport> {
  const target = await openTarget(options);
  const iterator = options.items[Symbol.asyncIterator]();
  try {
    return await restore(options, target, iterator);
  } finally {
    await target.place.container.close();
    // Tells the source that no more is wanted; its own failure has been thrown already. After an
    // abort it may be waiting for what never comes, so nobody waits for it.
    const returned = iterator.return?.()?.catch(() => undefined);
    if (options.signal?.aborted !== true) await returned;
  }
}

/** Throws TreeRestoreError where `restoreTree` would for the target alone; for who has much to do before it. */
export async function checkTarget(options: Pick<RestoreTreeOptions, 'directories' | 'target' | 'mode'>): Promise<void> {
  const { root, place } = await openTarget(options);
  await root?.close();
  await place.container.close();
}

interface OpenTarget {
  readonly place: TargetPlace;
  /** What is there now. */
  readonly existing: EntryStat | undefined;
  /** Open when a directory is there. */
  readonly root: Directory | undefined;
}

async function openTarget({ directories, target, mode }: Pick<RestoreTreeOptions, 'directories' | 'target' | 'mode'>): Promise<OpenTarget> {
  const path = resolve(target);
  let root: Directory | undefined;
  let existing: EntryStat | undefined;
  try {
    root = await directories.openRoot(path);
    existing = await root.stat();
    if (mode === 'fresh' && (await root.list()).length > 0) {
      throw new TreeRestoreError('target', `${path} is not empty; restore to another place, or use --in-place to bring what is there to the point`);
    }
  } catch (error) {
    await root?.close();
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  let container: Directory;
  try {
    container = await directories.openRoot(dirname(path));
  } catch (cause) {
    await root?.close();
    throw new TreeRestoreError('target', `${dirname(path)}, where ${basename(path)} is to be restored, cannot be opened: ${(cause as Error).message}`, cause);
  }
  const name = Buffer.from(basename(path) === '' ? 'root' : basename(path));
  if (root === undefined) {
    existing = await container.lookup(name);
    if (existing !== undefined && (mode === 'fresh' || existing.kind !== 'file')) {
      await container.close();
      throw new TreeRestoreError('target', `${path} exists and is no directory${existing.kind === 'file' ? '; use --in-place to bring a file to the point' : ''}`);
    }
  }
  return { place: { container, name }, existing, root };
}

async function restore(options: RestoreTreeOptions, target: OpenTarget, iterator: AsyncIterator<TreeItem>): Promise<TreeRestoreReport> {
  const { dryRun = false, signal } = options;
  const table = new EntryTable({ paths: options.paths });
  const directories = new DirectoryCache(table, target.place, target.root);
  try {
    const { head, first } = await readEntries(iterator, table, options);
    options.onHead?.(head);
    const kind = table.kind(0);
    if (target.existing !== undefined && (kind === 'directory') !== (target.existing.kind === 'directory')) {
      throw new TreeRestoreError('target', `${resolve(options.target)} is a ${target.existing.kind}, and what is restored is a ${kind}`);
    }
    const report = new Report({ entries: head.entries, bytes: head.bytes }, options.onProgress);
    const setOwner = options.owner === undefined || options.owner === 'auto' ? process.geteuid?.() === 0 : options.owner;
    const flags = new FlagWriter({ table, directories, report, dryRun });
    const metadata = new MetadataWriter({ table, report, flags, setOwner, dryRun });
    const parts = { table, directories, metadata, flags, report, dryRun };
    const files = new FileWriter(parts);
    const nodes = new NodeWriter(parts);
    try {
      await new Preparation({ table, directories, flags, report, dryRun, signal }).run(target.existing);
      await makeNodes({ table, files, nodes, signal });
      await writePieces({ iterator, first, table, files, dryRun, signal });
      for (let index = 0; index < table.count; index += 1) {
        if (table.linkOf(index) === undefined || table.state(index) === entryState.skip) continue;
        signal?.throwIfAborted();
        await nodes.link(index);
      }
    } catch (error) {
      await files.abandon();
      await flags.finish().catch(() => undefined);
      throw error;
    }
    await files.close();
    await finishDirectories({ table, directories, metadata, report, dryRun, signal });
    await flags.finish();
    if (options.sync === true && !dryRun && kind === 'directory') await directories.use(0, (root) => root.syncTree());
    return report.finish(dryRun);
  } finally {
    await directories.close();
  }
}

/** Reads head and entries; nothing has been written when this throws. Returns the item after them, too. */
async function readEntries(iterator: AsyncIterator<TreeItem>, table: EntryTable, { signal }: RestoreTreeOptions): Promise<{ head: TreeHead; first: TreeItem }> {
  const head = await nextItem(iterator, signal);
  if (head.kind !== 'head') throw new TreeRestoreError('invalid', 'a restore must begin with its head');
  for (;;) {
    const item = await nextItem(iterator, signal);
    if (item.kind === 'head') throw new TreeRestoreError('invalid', 'a second head');
    if (item.kind !== 'entry') {
      if (table.count !== head.entries) throw new TreeRestoreError('incomplete', `restore incomplete: ${table.count} of ${head.entries} entries came`);
      if (table.count === 0) throw new TreeRestoreError('invalid', 'a restore without a root');
      return { head, first: item };
    }
    if (table.count >= head.entries) throw new TreeRestoreError('invalid', `more than the ${head.entries} entries announced`);
    table.add(item);
  }
}

/** Everything that needs no data: symbolic links, special nodes, files that are empty or one hole. */
async function makeNodes(options: { table: EntryTable; files: FileWriter; nodes: NodeWriter; signal: AbortSignal | undefined }): Promise<void> {
  const { table, files, nodes, signal } = options;
  for (let index = 0; index < table.count; index += 1) {
    const kind = table.kind(index);
    if (kind === 'directory' || table.linkOf(index) !== undefined || table.state(index) === entryState.skip) continue;
    signal?.throwIfAborted();
    if (kind !== 'file') await nodes.make(index);
    else if (!table.hasData(index)) await files.writeEmpty(index);
  }
}

async function writePieces(options: { iterator: AsyncIterator<TreeItem>; first: TreeItem; table: EntryTable; files: FileWriter; dryRun: boolean; signal: AbortSignal | undefined }): Promise<void> {
  const { iterator, first, table, files, dryRun, signal } = options;
  const work = new WorkLimit({ countMax: writesAtOnce, bytesMax: bytesAtOnce });
  let bytes = 0;
  try {
    let item = first;
    for (; item.kind === 'piece'; item = await nextItem(iterator, signal)) {
      const piece: TreePiece = item;
      bytes += piece.data.byteLength;
      await work.start(piece.data.byteLength, files.take(piece));
    }
    if (item.kind !== 'end') throw new TreeRestoreError('invalid', `a ${item.kind} among the pieces`);
    await work.finish();
    if (item.entries !== table.count || item.bytes !== bytes) throw new TreeRestoreError('incomplete', `restore incomplete: ${bytes} of ${item.bytes} bytes and ${table.count} of ${item.entries} entries came`);
    // Only a plan may come without content, and a plan writes nothing.
    const missing = dryRun && bytes === 0 ? undefined : files.incomplete();
    if (missing !== undefined) throw new TreeRestoreError('incomplete', `restore incomplete: not all data of ${displayComponents(table.path(missing))} came`);
  } finally {
    await work.settle();
  }
}

/** Metadata of directories, deepest first: what is put into a directory changes its time. */
async function finishDirectories(options: { table: EntryTable; directories: DirectoryCache; metadata: MetadataWriter; report: Report; dryRun: boolean; signal: AbortSignal | undefined }): Promise<void> {
  const { table, directories, metadata, report, dryRun, signal } = options;
  for (let index = table.count - 1; index >= 0; index -= 1) {
    const state = table.state(index);
    if (table.kind(index) !== 'directory' || state === entryState.skip) continue;
    signal?.throwIfAborted();
    const isNew = state === entryState.create;
    if (table.isLeading(index) && !isNew) report.unchanged += 1;
    else if (!(dryRun && isNew)) {
      const changed = await directories.use(index, (directory) => metadata.apply(index, directory, undefined));
      if (!isNew) {
        if (changed) report.changed.add(table.path(index));
        else report.unchanged += 1;
      }
    }
    report.entryDone();
  }
}
