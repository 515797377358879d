/** Runs a restore for a person: says what the point is worth, shows progress, and reports what was done. */
import { systemClock } from '../host/clock.js';
import { systemDirectories } from '../index.js';
import { TreeRestoreError, type TreeHead, type TreeItem } from '../tree/items.js';
import type { TreeRestoreReport } from '../tree/report.js';
import { restoreTree } from '../tree/restore-tree.js';
import { formatBytes, formatDuration, formatJson, formatTime } from './format.js';
import { showProgress } from './progress.js';

/** What a head says beside the totals. */
export interface PointHead extends TreeHead {
  readonly volume: string;
  readonly sequence: bigint;
  readonly timeNs: bigint;
  readonly label: string;
  readonly cause: string;
  readonly settled: boolean;
  readonly advice: readonly string[];
  readonly platform: string;
}

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
  readonly signal: AbortSignal;
}

const namesShown = 20;

/** Restores, and prints to standard error what a person should know and to standard output what was done. */
export async function runRestore(run: RestoreRun): Promise<TreeRestoreReport> {
  const begunMs = systemClock.monotonicMs();
  let head: PointHead | undefined;
  const display = showProgress(run.dryRun ? 'compare' : 'restore', { quiet: run.json, monotonicMs: () => systemClock.monotonicMs() });
  let report: TreeRestoreReport;
  try {
    report = await restoreTree({
      directories: systemDirectories,
      target: run.target,
      items: run.items,
      mode: run.inPlace ? 'in-place' : 'fresh',
      dryRun: run.dryRun,
      sync: run.sync,
      signal: run.signal,
      ...(run.paths.length === 0 ? {} : { paths: run.paths }),
      onHead: (said) => {
        head = said as PointHead;
        if (!run.json) process.stderr.write(`${describeHead(head)}\n`);
      },
      onProgress: (state) => display.update(state),
    });
  } catch (error) {
    // The place to restore to is the user's to choose, and to change.
    if (error instanceof TreeRestoreError && error.code === 'target') throw Object.assign(new Error(error.message, { cause: error }), { name: 'UsageError' });
    throw error;
  } finally {
    display.end();
  }
  const elapsedMs = systemClock.monotonicMs() - begunMs;
  process.stdout.write(`${run.json ? formatJson({ target: run.target, point: head, elapsedMs, ...report }) : describeReport(report, run.target, elapsedMs)}\n`);
  return report;
}

function describeHead(head: PointHead): string {
  const lines = [`volume ${head.volume} at seq:${head.sequence}, ${formatTime(head.timeNs)}: ${head.entries} entries, ${formatBytes(head.bytes)}`];
  if (head.label !== 'exact') {
    lines.push(`this point is ${head.settled ? `${head.label}, settled` : head.label}${head.cause === '' ? '' : `: ${head.cause}`}`);
    lines.push(...head.advice);
  }
  if (head.platform !== process.platform) lines.push(`it was captured on ${head.platform}; what ${process.platform} cannot hold is listed at the end`);
  return lines.join('\n');
}

function describeReport(report: TreeRestoreReport, target: string, elapsedMs: number): string {
  const { created, changed, deleted, unchanged, bytesWritten, bytesEqual, skipped, notRepresented, dryRun } = report;
  const verb = dryRun ? 'would be' : 'were';
  const lines = [
    `${target}: ${created.count} entries ${verb} created, ${changed.count} changed, ${deleted.count} deleted, ${unchanged} left as they are`,
    `${formatBytes(bytesWritten)} ${dryRun ? 'would be written' : 'written'}, ${formatBytes(bytesEqual)} found equal, in ${formatDuration(elapsedMs)}`,
  ];
  if (dryRun) {
    for (const [what, list] of [['create', created], ['change', changed], ['delete', deleted]] as const) {
      for (const path of list.first.slice(0, namesShown)) lines.push(`  ${what} ${path}`);
      if (list.count > namesShown) lines.push(`  … and ${list.count - namesShown} more to ${what}`);
    }
  }
  for (const [title, notes] of [['not in every respect as it was', skipped], ['not restored', notRepresented]] as const) {
    if (notes.length === 0) continue;
    lines.push(`${title}:`, ...notes.map((note) => `  ${note.problem}: ${note.count} (${note.paths.slice(0, 5).join(', ')})`));
  }
  return lines.join('\n');
}
