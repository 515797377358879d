/** Runs a restore for a person: says what the point is worth, shows progress, and reports what was done. */
import { systemClock } from '../host/clock.js';
import { MountError } from '../image/file-systems.js';
import { openImageTarget } from '../image/open-target.js';
import { restoreFiles } from '../image/restore-files.js';
import { restoreImage } from '../image/restore-image.js';
import { systemDirectories } from '../index.js';
import { nextItem } from '../tree/item-reader.js';
import { TreeRestoreError, type TreeHead, type TreeItem } from '../tree/items.js';
import { restoreTree } from '../tree/restore-tree.js';
import { formatJson } from './format.js';
import { showProgress, type ProgressDisplay } from './progress.js';
import { describeFileSystem, describeHead, describeImageReport, describeReport, type PointHead } from './restore-report.js';

export interface RestoreRun {
  readonly items: AsyncIterable<PointHead | Exclude<TreeItem, TreeHead>>;
  readonly target: string;
  readonly inPlace: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Return only when everything survives power loss. */
  readonly sync: boolean;
  /** The sub-paths that were asked for; none: all. */
  readonly paths: readonly (readonly string[])[];
  /** The block device whose content may be lost. */
  readonly overwrite: string | undefined;
  /** Where the file system is from which `paths` are taken. */
  readonly partition: number | undefined;
  readonly signal: AbortSignal;
}

/** Restores, and prints to standard error what a person should know and to standard output what was done. */
export async function runRestore(run: RestoreRun): Promise<{ readonly entries: number }> {
  const begunMs = systemClock.monotonicMs();
  const displays: ProgressDisplay[] = [];
  const parts: RestoreParts = {
    run,
    mode: run.inPlace ? 'in-place' : 'fresh',
    elapsedMs: () => systemClock.monotonicMs() - begunMs,
    say: (text) => {
      if (!run.json) process.stderr.write(`${text}\n`);
    },
    display: (title) => {
      displays.at(-1)?.end();
      const display = showProgress(title, { quiet: run.json, monotonicMs: () => systemClock.monotonicMs() });
      displays.push(display);
      return display;
    },
    endDisplay: () => displays.pop()?.end(),
  };
  const iterator = run.items[Symbol.asyncIterator]();
  try {
    const { head, isImage, items } = await peek(iterator, run.signal);
    if (!isImage) return await restoreWholeTree(parts, head, items);
    return run.paths.length === 0 ? await restoreWholeImage(parts, head, items) : await restoreFilesOfImage(parts, head, items);
  } catch (error) {
    // The place to restore to, and what is asked for, are the user's to choose, and to change.
    if (error instanceof TreeRestoreError && (error.code === 'target' || error.code === 'request')) throw usageError(error.message, error);
    throw error;
  } finally {
    parts.endDisplay();
    // Whoever sends may not have been heard to the end. After an abort it may be waiting for what never comes.
    const returned = iterator.return?.().catch(() => undefined);
    if (!run.signal.aborted) await returned;
  }
}

interface RestoreParts {
  readonly run: RestoreRun;
  readonly mode: 'fresh' | 'in-place';
  elapsedMs(): number;
  say(text: string): void;
  /** Shows another progress; the one before has ended. */
  display(title: string): ProgressDisplay;
  endDisplay(): void;
}

function usageError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: 'UsageError' });
}

interface Peeked {
  readonly head: PointHead;
  /** The root is a file: a device volume. */
  readonly isImage: boolean;
  /** All of the items. */
  readonly items: AsyncIterable<TreeItem>;
}

/** Reads as far as to see what it is that comes. */
async function peek(iterator: AsyncIterator<TreeItem>, signal: AbortSignal): Promise<Peeked> {
  const head = await nextItem(iterator, signal);
  if (head.kind !== 'head') throw new TreeRestoreError('invalid', 'a restore must begin with its head');
  const root = await nextItem(iterator, signal);
  const rest: AsyncIterable<TreeItem> = { [Symbol.asyncIterator]: () => iterator };
  async function* all(): AsyncGenerator<TreeItem, void, undefined> {
    yield head;
    yield root;
    yield* rest;
  }
  return { head: head as PointHead, isImage: root.kind === 'entry' && root.metadata.nodeKind === 'file', items: all() };
}

async function restoreWholeTree(parts: RestoreParts, head: PointHead, items: AsyncIterable<TreeItem>): Promise<{ readonly entries: number }> {
  const { run, mode } = parts;
  if (run.overwrite !== undefined) throw usageError(`--yes-overwrite is for device volumes; ${head.volume} is a tree, which is restored into a directory`);
  if (run.partition !== undefined) throw usageError(`--partition is for device volumes; ${head.volume} is a tree`);
  const display = parts.display(run.dryRun ? 'compare' : 'restore');
  const report = await restoreTree({
    directories: systemDirectories,
    target: run.target,
    items,
    mode,
    dryRun: run.dryRun,
    sync: run.sync,
    signal: run.signal,
    ...(run.paths.length === 0 ? {} : { paths: run.paths }),
    onHead: () => parts.say(describeHead(head)),
    onProgress: (state) => display.update(state),
  });
  parts.endDisplay();
  sayDone(run, head, parts.elapsedMs(), report, describeReport(report, run.target, parts.elapsedMs()));
  return report;
}

async function restoreWholeImage(parts: RestoreParts, head: PointHead, items: AsyncIterable<TreeItem>): Promise<{ readonly entries: number }> {
  const { run, mode } = parts;
  if (run.partition !== undefined) throw usageError('--partition goes with --path: without it the whole device is restored');
  const target = await openImageTarget({ directories: systemDirectories, target: run.target, mode, dryRun: run.dryRun, overwrite: run.overwrite });
  const display = parts.display(run.dryRun ? 'compare' : 'restore');
  const report = await restoreImage({
    target,
    items,
    mode,
    dryRun: run.dryRun,
    sync: run.sync,
    signal: run.signal,
    onHead: () => parts.say(describeHead(head)),
    onProgress: (state) => display.update(state),
  });
  parts.endDisplay();
  sayDone(run, head, parts.elapsedMs(), report, describeImageReport(report, run.target, parts.elapsedMs()));
  return { entries: 1 };
}

async function restoreFilesOfImage(parts: RestoreParts, head: PointHead, items: AsyncIterable<TreeItem>): Promise<{ readonly entries: number }> {
  const { run, mode } = parts;
  if (run.overwrite !== undefined) throw usageError('--yes-overwrite does not go with --path: files are restored into a directory');
  let display = parts.display('image');
  let isMounted = false;
  try {
    const report = await restoreFiles({
      directories: systemDirectories,
      items,
      target: run.target,
      mode,
      paths: run.paths,
      partition: run.partition,
      dryRun: run.dryRun,
      sync: run.sync,
      signal: run.signal,
      onHead: () => parts.say(describeHead(head)),
      onImageProgress: (state) => display.update(state),
      onFileSystem: (fileSystem) => {
        isMounted = true;
        parts.endDisplay();
        parts.say(describeFileSystem(fileSystem));
        display = parts.display(run.dryRun ? 'compare' : 'restore');
      },
      onProgress: (state) => display.update(state),
    });
    parts.endDisplay();
    sayDone(run, head, parts.elapsedMs(), report, describeReport(report, run.target, parts.elapsedMs()));
    return report;
  } catch (error) {
    const isOfImage = !isMounted && !run.signal.aborted && (error instanceof TreeRestoreError ? error.code === 'request' : error instanceof MountError);
    if (!isOfImage) throw error;
    const message = `${(error as Error).message}; the volume can be connected as a disk instead, with "afterimage-receiver nbd --host HOST --volume ${head.volume} --at seq:${head.sequence}"`;
    throw error instanceof TreeRestoreError ? new TreeRestoreError(error.code, message, error) : new Error(message, { cause: error });
  }
}

function sayDone(run: RestoreRun, head: PointHead, elapsedMs: number, report: object, words: string): void {
  process.stdout.write(`${run.json ? formatJson({ target: run.target, point: head, elapsedMs, ...report }) : words}\n`);
}
