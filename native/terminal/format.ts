/** Bytes, durations, times and tables as people read them, and the reverse for what they type. */
import Table from 'cli-table3';
import ms, { type StringValue } from 'ms';
import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';

export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { binary: true, minimumFractionDigits: 0, maximumFractionDigits: 1 });
}

export function formatDuration(durationMs: number): string {
  return prettyMilliseconds(Math.max(0, durationMs), durationMs < 1000 ? {} : { compact: false, secondsDecimalDigits: 1, unitCount: 2 });
}

/** Nanoseconds since the epoch as ISO 8601 in UTC with nine digits: what `--at` takes back exactly. */
export function formatTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${(timeNs % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

/** A table with a line of headings and no frame. */
export function formatTable(headings: readonly string[], rows: readonly (readonly (string | number | bigint)[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' };
  const table = new Table({ head: [...headings], chars: none, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
  for (const row of rows) table.push(row.map(String));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** JSON with 64-bit numbers as exact decimal strings and bytes as text of one character a byte. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? entry.toString() : entry), 2);
}

/** Milliseconds of `90s`, `15m`, `2h`, `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$/.test(text)) return undefined;
  return ms(text as StringValue);
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, kb: 1000, kib: 1024, m: 1024 ** 2, mb: 1000 ** 2, mib: 1024 ** 2, g: 1024 ** 3, gb: 1000 ** 3, gib: 1024 ** 3, t: 1024 ** 4, tb: 1000 ** 4, tib: 1024 ** 4 };

/** Bytes of `512MiB`, `10G`, `1000000`; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match === null ? undefined : units[match[2]!.toLowerCase()];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
