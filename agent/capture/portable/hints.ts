/** Watches a tree with chokidar for hints of what may have changed: paths as text, late, repeated or missing at times. */
import { realpathSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from '../../../native/host/clock.js';

export interface HintOptions {
  /** The root, as text. */
  readonly path: string;
  readonly clock: Clock;
  /** Whether an absolute path and what lies below it is left out; `relative` is below the root. */
  isUnwatched(absolute: string, relative: string): boolean;
  /** An entry may have changed, or (`list`) entries of a directory that cannot be told. Paths are below the root, with slashes. */
  onHint(path: string, kind: 'entry' | 'list'): void;
  /** From now on changes give hints. */
  onReady(): void;
  /** Hints were lost, or some directories cannot be watched. */
  onTrouble(error: Error): void;
}

export interface HintWatcher {
  close(): Promise<void>;
}

export type HintFactory = (options: HintOptions) => HintWatcher;

/** A directory that appeared is listed again after these times: what was made in it before the watch was set gave no hint. */
const relistAfterMs = [300, 2000];
/** Where watching a directory tells of writes to the files in it, files need no watch of their own. */
const directoriesTell = ['linux', 'win32', 'darwin'].includes(process.platform);

export const chokidarHints: HintFactory = (options) => {
  // Through symbolic links: a link would be watched itself, and not where it leads.
  const root = realpathOf(resolve(options.path));
  const below = (path: string): string => relative(root, path).split(sep).join('/');
  const pending = new Set<() => void>();

  const hint = (path: string, kind: 'entry' | 'list'): void => {
    if (path === '..' || path.startsWith('../') || options.isUnwatched(join(root, path), path)) return;
    // Bytes that are not UTF-8 were lost on the way here: the last directory known exactly is to be listed.
    const parts = path.split('/');
    const lossy = parts.findIndex((part) => part.includes('\uFFFD'));
    if (lossy < 0) options.onHint(path, kind);
    else options.onHint(parts.slice(0, lossy).join('/'), 'list');
  };

  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    atomic: false,
    awaitWriteFinish: false,
    ignorePermissionErrors: true,
    ignored: (path, stats) => {
      if (directoriesTell && stats !== undefined && !stats.isDirectory()) return true;
      const inside = below(path);
      return inside !== '' && options.isUnwatched(path, inside);
    },
  });
  // The plain events leave out what follows another within 50 ms; the raw ones are complete.
  watcher.on('raw', (_event, entry, details) => {
    const watched = (details as { watchedPath?: string }).watchedPath;
    if (watched === undefined) return hint('', 'list');
    const directory = below(watched);
    if (typeof entry !== 'string' || entry === '') {
      hint(directory, 'entry');
      return hint(directory, 'list');
    }
    // An event of the directory itself comes with its own name.
    if (entry === basename(watched)) hint(directory, 'entry');
    if (directoriesTell || entry !== basename(watched)) hint(directory === '' ? entry : `${directory}/${entry}`, 'entry');
  });
  watcher.on('all', (event, path) => {
    const inside = below(path);
    hint(inside, 'entry');
    if (event !== 'addDir') return;
    hint(inside, 'list');
    for (const delayMs of relistAfterMs) {
      const cancel = options.clock.after(delayMs, () => {
        pending.delete(cancel);
        hint(inside, 'list');
      });
      pending.add(cancel);
    }
  });
  watcher.on('ready', () => options.onReady());
  watcher.on('error', (error) => options.onTrouble(error instanceof Error ? error : new Error(String(error))));
  return {
    async close() {
      for (const cancel of pending) cancel();
      pending.clear();
      // A directory found gone is watched for again by chokidar, and be it after the close, which that undoes.
      watcher.add = () => watcher;
      // Between two promises of chokidar's a new watch is not yet on its list, and closing then would
      // leave it open: at the start of a turn of the event loop there is no such moment.
      await new Promise<void>((done) => setImmediate(() => void watcher.close().then(done)));
    },
  };
};

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
