/** Instants of a journal: how they compare, and how they are written for people. */
import type { Sequence, TimeNs } from '../../proto/change.js';

/** The state after all changes up to `sequence`, seen at `timeNs` (not before that change's own time). */
export interface Instant {
  readonly sequence: Sequence;
  readonly timeNs: TimeNs;
}

/** By time, then by sequence: changes may share a time. */
export function compareInstants(a: Instant, b: Instant): number {
  if (a.timeNs !== b.timeNs) return a.timeNs < b.timeNs ? -1 : 1;
  return a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0;
}

/** ISO 8601 in UTC with as many digits after the second as the time has, to the nanosecond. */
export function formatTime(timeNs: TimeNs): string {
  const second = timeNs / 1_000_000_000n - (timeNs % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = (timeNs - second * 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const milliseconds = Number(second) * 1000;
  // Times beyond what Date holds only come from a broken clock or a hostile journal.
  if (!(Math.abs(milliseconds) <= 8.64e15)) return `${second}s`;
  const text = new Date(milliseconds).toISOString().slice(0, -5);
  return fraction === '' ? `${text}Z` : `${text}.${fraction}Z`;
}
