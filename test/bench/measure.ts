/** Medians, percentiles and resident memory: the small tools of every measurement. */
import { readFile } from 'node:fs/promises';

/** The value below which `share` of the sorted values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Resident bytes of a process (proc_pid_status(5)); NaN where there is no /proc. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB/m.exec(status);
  return match === null ? Number.NaN : Number(match[1]) * 1024;
}

/** Milliseconds that `deed` takes. */
export async function timed(deed: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await deed();
  return performance.now() - begunMs;
}

/** Bytes a second in MB (10^6), as disks are sold. */
export function megabytesPerSecond(bytes: number, elapsedMs: number): number {
  return bytes / 1e6 / (elapsedMs / 1000);
}

export interface Row {
  readonly what: string;
  readonly value: string;
  readonly how: string;
}

/** The rows as a Markdown table, ready for the README. */
export function markdown(rows: readonly Row[]): string {
  return ['| what | measured | how |', '| --- | --- | --- |', ...rows.map(({ what, value, how }) => `| ${what} | ${value} | ${how} |`)].join('\n');
}
