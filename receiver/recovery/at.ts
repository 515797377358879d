/** Reads AT, the way people name an instant, and finds the instant in a journal. */
import { asSequence, type Sequence, type TimeNs } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import { compareInstants, formatTime, type Instant } from './instant.js';
import { didYouMean, nearNames } from './near.js';
import type { Timeline } from './timeline.js';
import type { VolumeTimeline } from './volume-timeline.js';

export type At =
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly timeNs: TimeNs }
  | { readonly kind: 'sequence'; readonly sequence: Sequence }
  | { readonly kind: 'mark'; readonly name: string };

const examples = 'latest, -90s, -2h, -1d, 2026-03-01T12:30:00Z, 2026-03-01T12:30:00.5+01:00, 2026-03-01T12:30 (local time), seq:1234, mark:NAME';
const unitNs: Readonly<Record<string, bigint>> = { ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n, d: 86_400_000_000_000n, w: 604_800_000_000_000n };

/** Reads AT; relative times count back from `nowNs`. A time without a zone is local time. */
export function parseAt(text: string, nowNs: TimeNs): At {
  if (text === 'latest') return { kind: 'latest' };
  if (text.startsWith('mark:') && text.length > 5) return { kind: 'mark', name: text.slice(5) };
  const sequence = /^seq:(\d{1,20})$/.exec(text);
  if (sequence !== null) {
    const value = BigInt(sequence[1]!);
    if (value === 0n || value >= 1n << 64n) throw new UsageError(`"${text}" names no sequence: they begin at 1`);
    return { kind: 'sequence', sequence: asSequence(value) };
  }
  if (/^-(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) {
    let backNs = 0n;
    for (const [, whole, fraction = '', unit] of text.matchAll(/(\d+)(?:\.(\d+))?(ms|[smhdw])/g)) {
      backNs += BigInt(whole!) * unitNs[unit!]!;
      const digits = fraction.slice(0, 15);
      if (digits !== '') backNs += (BigInt(digits) * unitNs[unit!]!) / 10n ** BigInt(digits.length);
    }
    return { kind: 'time', timeNs: nowNs - backNs };
  }
  const timeNs = parseIso(text);
  if (timeNs !== undefined) return { kind: 'time', timeNs };
  throw new UsageError(`"${text}" names no instant. Examples: ${examples}`);
}

/** ISO 8601 to the nanosecond; undefined when the text is none or names a day or hour that does not exist. */
function parseIso(text: string): TimeNs | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?$/i.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const date = new Date(0);
  const zone = found[8]?.toUpperCase();
  // Setting the fields one after the other takes years below 100 as they stand, which Date.UTC does not.
  if (zone === undefined) {
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, second, 0);
  } else {
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second, 0);
  }
  const isReal = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour <= 23 && minute <= 59 && second <= 59;
  if (!isReal) return undefined;
  let offsetMinutes = 0;
  if (zone !== undefined && zone !== 'Z') {
    const hours = Number(zone.slice(1, 3));
    const minutes = Number(zone.slice(3).replace(':', '') || 0);
    if (hours > 23 || minutes > 59) return undefined;
    offsetMinutes = (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
  }
  const fraction = BigInt((found[7] ?? '').padEnd(9, '0'));
  return BigInt(date.getTime()) * 1_000_000n - BigInt(offsetMinutes) * 60_000_000_000n + fraction;
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** An instant of a volume that can be restored. */
export interface ResolvedAt {
  readonly volume: VolumeTimeline;
  readonly instant: Instant;
}

/**
 * Finds the volume and the instant. Throws UsageError, naming what there is instead, for an unknown
 * volume or mark and for an instant in the future or before the first that can be restored.
 */
export async function resolveAt(options: {
  readonly at: At;
  readonly volume: string;
  readonly timeline: Timeline;
  readonly reader: JournalReader;
  readonly nowNs: TimeNs;
}): Promise<ResolvedAt> {
  const { at, timeline } = options;
  const named = timeline.named(options.volume);
  if (named.length === 0) {
    const known = [...new Set(timeline.volumes.flatMap(({ definitions }) => definitions.map(({ definition }) => definition.name)))];
    const what = known.length === 0 ? '; this host has none' : `; known: ${known.slice(0, 20).join(', ')}`;
    throw new UsageError(`no volume is called "${options.volume}"${what}`);
  }
  const found = await find(options, named);
  const first = found.volume.firstRestorable;
  if (first === undefined) throw new UsageError(`volume "${options.volume}" cannot be restored yet: its initial copy is not complete`);
  if (compareInstants(found.instant, first) < 0) {
    const asked = at.kind === 'sequence' ? `sequence ${at.sequence}` : at.kind === 'mark' ? `mark "${at.name}"` : formatTime(found.instant.timeNs);
    throw new UsageError(`${asked} lies before the first instant of "${options.volume}" that can be restored: seq:${first.sequence}, ${formatTime(first.timeNs)}`);
  }
  return found;
}

async function find(options: Parameters<typeof resolveAt>[0], named: readonly VolumeTimeline[]): Promise<ResolvedAt> {
  const { at, volume: name, timeline, reader, nowNs } = options;
  const { end } = timeline;
  switch (at.kind) {
    case 'latest': {
      const volume = timeline.latest(name)!;
      return { volume, instant: volume.end };
    }
    case 'sequence': {
      const timeNs = at.sequence > end.sequence ? undefined : await reader.timeOf(at.sequence);
      if (timeNs === undefined) throw new UsageError(`sequence ${at.sequence} is not in the journal, which ends at seq:${end.sequence}`);
      const instant = { sequence: at.sequence, timeNs };
      return { volume: timeline.resolve(name, instant)!, instant };
    }
    case 'time': {
      const latestNs = nowNs > end.timeNs ? nowNs : end.timeNs;
      if (at.timeNs > latestNs) throw new UsageError(`${formatTime(at.timeNs)} lies in the future (now: ${formatTime(nowNs)})`);
      const { sequence } = at.timeNs >= end.timeNs ? end : await reader.sequenceAt(at.timeNs);
      const instant = { sequence, timeNs: at.timeNs };
      return { volume: timeline.resolve(name, instant)!, instant };
    }
    case 'mark': {
      const marks = named.flatMap((volume) => volume.marks.map((mark) => ({ mark, volume })));
      const found = marks.filter(({ mark }) => mark.name === at.name).sort((a, b) => compareInstants(a.mark.at, b.mark.at)).at(-1);
      if (found !== undefined) return { volume: found.volume, instant: found.mark.at };
      const near = nearNames(at.name, marks.map(({ mark }) => mark.name));
      const what = marks.length === 0 ? '; it has no marks' : didYouMean(near.map((other) => `mark:${other}`));
      throw new UsageError(`volume "${name}" has no mark "${at.name}"${what}`);
    }
  }
}
