/** What a restore says to a person: of the point, and of what was done. */
import type { ImageFileSystem } from '../image/file-systems.js';
import type { ImageRestoreReport } from '../image/restore-image.js';
import type { TreeHead } from '../tree/items.js';
import type { TreeRestoreReport } from '../tree/report.js';
import { formatBytes, formatDuration, formatTime } from './format.js';

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

const namesShown = 20;

export function describeHead(head: PointHead): string {
  const lines = [`volume ${head.volume} at seq:${head.sequence}, ${formatTime(head.timeNs)}: ${head.entries} entries, ${formatBytes(head.bytes)}`];
  if (head.label !== 'exact') {
    lines.push(`this point is ${head.settled ? `${head.label}, settled` : head.label}${head.cause === '' ? '' : `: ${head.cause}`}`);
    lines.push(...head.advice);
  }
  if (head.platform !== process.platform) lines.push(`it was captured on ${head.platform}; what ${process.platform} cannot hold is listed at the end`);
  return lines.join('\n');
}

export function describeReport(report: TreeRestoreReport, target: string, elapsedMs: number): string {
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

export function describeImageReport(report: ImageRestoreReport, target: string, elapsedMs: number): string {
  const { dryRun, kind, created, sizeBytes, sizeBytesBefore, bytesCompared, bytesWritten, bytesZeroed, bytesBehind } = report;
  const [were, written, zeroed] = dryRun ? ['would be', 'would be written', 'would be zeroed'] : ['was', 'written', 'zeroed'];
  const what = created ? `an image of ${formatBytes(sizeBytes)} (${sizeBytes} bytes) ${were} made` : `${formatBytes(sizeBytes)} (${sizeBytes} bytes) ${were} brought to the point`;
  const lines = [
    `${target}: ${what}`,
    `${formatBytes(bytesCompared)} compared, ${formatBytes(bytesWritten)} ${written}, ${formatBytes(bytesZeroed)} ${zeroed}, in ${formatDuration(elapsedMs)}`,
  ];
  if (kind === 'file' && !created && sizeBytesBefore !== sizeBytes) lines.push(`its size ${dryRun ? 'would change' : 'changed'} from ${sizeBytesBefore} to ${sizeBytes} bytes`);
  if (bytesBehind > 0) lines.push(`the device is larger than the image: its last ${bytesBehind} bytes ${dryRun ? 'would stay' : 'were left'} as they are`);
  return [...lines, ...report.notes].join('\n');
}

export function describeFileSystem({ partition, kind }: ImageFileSystem): string {
  return `files are taken from the ${kind} ${partition === undefined ? 'file system of the device' : `of partition ${partition}`}`;
}
