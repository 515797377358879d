/** The instants of one volume, cut into ranges of one label each. */
import type { Engine, TimeNs, VolumeDefinition, VolumeId } from '../../proto/change.js';
import { noSequence } from '../../proto/change.js';
import { compareInstants, formatTime, type Instant } from './instant.js';

export type Label = 'exact' | 'converging' | 'unknown';

/** What can be said of one instant of a volume. */
export interface InstantLabel {
  readonly label: Label;
  /** Why it is not `exact`, or what else a person should know; may be empty. */
  readonly cause: string;
  /** A look at the whole volume found it equal to what the journal holds at this instant. */
  readonly settled: boolean;
  /** `baseline`: the initial copy was not complete, so the instant cannot be restored. */
  readonly phase: 'baseline' | 'restorable';
}

/** Instants from `from` on, before `to` (for ever when absent), all with one label. */
export interface LabelledRange extends InstantLabel {
  readonly from: Instant;
  readonly to?: Instant;
}

export interface Definition {
  readonly at: Instant;
  readonly definition: VolumeDefinition;
}
export interface Mark {
  readonly name: string;
  readonly at: Instant;
}
export interface GapSpan {
  readonly gap: number;
  readonly label: 'converging' | 'unknown';
  readonly cause: string;
  readonly fromNs: TimeNs;
  /** The change that told of it, which may come later than `fromNs`. */
  readonly openedAt: Instant;
  readonly closedAt: Instant | undefined;
}

/** What the journal says of one volume, in order. */
export interface VolumeEvents {
  readonly volume: VolumeId;
  readonly definitions: Definition[];
  readonly retired: { readonly at: Instant; readonly cause: string }[];
  readonly baselines: { readonly at: Instant; readonly edge: 'begin' | 'end' }[];
  readonly gaps: readonly GapSpan[];
  readonly settled: { readonly fromNs: TimeNs; readonly throughNs: TimeNs }[];
  readonly marks: Mark[];
}

/** A better instant near another one, as an AT that names it. */
export interface BetterInstant {
  readonly at: string;
  readonly timeNs: TimeNs;
  readonly label: InstantLabel;
}

/** Exact, converging but settled, converging, unknown, not restorable at all. */
export function rank(label: InstantLabel): number {
  if (label.phase === 'baseline') return -1;
  return label.label === 'exact' ? 3 : label.label === 'unknown' ? 0 : label.settled ? 2 : 1;
}

const beforeAll = (timeNs: TimeNs): Instant => ({ sequence: noSequence, timeNs });

export class VolumeTimeline {
  readonly volume: VolumeId;
  readonly definitions: readonly Definition[];
  readonly gaps: readonly GapSpan[];
  /** Marks of this volume and of the whole journal while the volume could be restored, oldest first. */
  readonly marks: readonly Mark[];
  /** The end of the initial copy; undefined while that has not been reached. */
  readonly firstRestorable: Instant | undefined;
  readonly retiredAt: Instant | undefined;
  /** The last instant of which the journal knows. */
  readonly end: Instant;
  readonly #ranges: readonly LabelledRange[];

  constructor(events: VolumeEvents, common: VolumeEvents, end: Instant) {
    this.volume = events.volume;
    this.definitions = events.definitions;
    this.gaps = [...events.gaps, ...common.gaps].sort((a, b) => (a.fromNs < b.fromNs ? -1 : a.fromNs > b.fromNs ? 1 : compareInstants(a.openedAt, b.openedAt)));
    this.firstRestorable = events.baselines.find(({ edge }) => edge === 'end')?.at;
    const retired = events.retired.find(({ at }) => !events.definitions.some((later) => compareInstants(later.at, at) > 0));
    this.retiredAt = retired?.at;
    this.end = this.retiredAt ?? end;
    const first = this.firstRestorable;
    this.marks = [...events.marks, ...common.marks.filter(({ at }) => first !== undefined && compareInstants(at, first) >= 0 && compareInstants(at, this.end) <= 0)].sort((a, b) => compareInstants(a.at, b.at));
    this.#ranges = cutRanges({ events, gaps: this.gaps, settled: joined([...events.settled, ...common.settled]), firstRestorable: first, retired, end });
  }

  get definedAt(): Instant {
    return this.definitions[0]!.at;
  }

  isDefinedAt(instant: Instant): boolean {
    return compareInstants(this.definedAt, instant) <= 0 && (this.retiredAt === undefined || compareInstants(instant, this.retiredAt) < 0);
  }

  /** The definition in force at an instant (the first one before that). */
  infoAt(instant: Instant): VolumeDefinition {
    let found = this.definitions[0]!;
    for (const later of this.definitions) if (compareInstants(later.at, instant) <= 0) found = later;
    return found.definition;
  }

  /** Instants by label, ascending and without holes; the first starts where the volume was defined. */
  get ranges(): readonly LabelledRange[] {
    return this.#ranges;
  }

  labelAt(instant: Instant): InstantLabel {
    return this.#ranges[this.#rangeAt(instant)]!;
  }

  /** The nearest instants before and after that have a strictly better label. */
  nearestBetter(instant: Instant): { readonly before?: BetterInstant; readonly after?: BetterInstant } {
    const at = this.#rangeAt(instant);
    const least = rank(this.#ranges[at]!);
    let before = at - 1;
    while (before >= 0 && rank(this.#ranges[before]!) <= least) before -= 1;
    let after = at + 1;
    while (after < this.#ranges.length && rank(this.#ranges[after]!) <= least) after += 1;
    const [earlier, later] = [this.#ranges[before], this.#ranges[after]];
    return {
      ...(earlier === undefined ? {} : { before: lastOf(earlier) }),
      ...(later === undefined ? {} : { after: firstOf(later) }),
    };
  }

  #rangeAt(instant: Instant): number {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compareInstants(this.#ranges[middle]!.from, instant) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** An AT that names the first instant of a range. */
function firstOf(range: LabelledRange): BetterInstant {
  const { from } = range;
  return { at: from.sequence === noSequence ? formatTime(from.timeNs) : `seq:${from.sequence}`, timeNs: from.timeNs, label: range };
}

/** An AT that names the last instant of a range that ends. */
function lastOf(range: LabelledRange): BetterInstant {
  const to = range.to!;
  const timeNs = to.timeNs - 1n;
  // One nanosecond before the end still lies within, unless the range lives within one nanosecond.
  if (timeNs >= range.from.timeNs) return { at: formatTime(timeNs), timeNs, label: range };
  return { at: `seq:${to.sequence - 1n}`, timeNs: to.timeNs, label: range };
}

interface Cut {
  readonly events: VolumeEvents;
  readonly gaps: readonly GapSpan[];
  readonly settled: readonly { readonly fromNs: TimeNs; readonly throughNs: TimeNs }[];
  readonly firstRestorable: Instant | undefined;
  readonly retired: { readonly at: Instant; readonly cause: string } | undefined;
  readonly end: Instant;
}

/** Evaluates the label at every instant where it can change. */
function cutRanges(cut: Cut): LabelledRange[] {
  const { events, gaps, settled, firstRestorable, retired, end } = cut;
  const afterEnd = beforeAll(end.timeNs + 1n);
  const afterRetired = retired === undefined ? undefined : beforeAll(retired.at.timeNs + 1n);
  const edges: Instant[] = [afterEnd, ...(afterRetired === undefined ? [] : [afterRetired])];
  for (const { at } of events.definitions) edges.push(at);
  for (const { at } of events.baselines) edges.push(at);
  for (const { fromNs, closedAt } of gaps) edges.push(beforeAll(fromNs), ...(closedAt === undefined ? [] : [closedAt]));
  for (const { fromNs, throughNs } of settled) edges.push(beforeAll(fromNs), beforeAll(throughNs + 1n));
  edges.sort(compareInstants);
  const start = events.definitions[0]!.at;
  const ranges: LabelledRange[] = [];
  let active: GapSpan[] = [];
  let nextGap = 0;
  let nextSettled = 0;
  let nextBaseline = 0;
  let nextDefinition = 0;
  let copying = false;
  let engine: Engine = events.definitions[0]!.definition.engine;
  for (const from of edges) {
    for (; nextGap < gaps.length && compareInstants(beforeAll(gaps[nextGap]!.fromNs), from) <= 0; nextGap += 1) active.push(gaps[nextGap]!);
    active = active.filter(({ closedAt }) => closedAt === undefined || compareInstants(from, closedAt) < 0);
    while (nextSettled < settled.length && settled[nextSettled]!.throughNs < from.timeNs) nextSettled += 1;
    const isSettled = nextSettled < settled.length && settled[nextSettled]!.fromNs <= from.timeNs;
    for (; nextBaseline < events.baselines.length && compareInstants(events.baselines[nextBaseline]!.at, from) <= 0; nextBaseline += 1) copying = events.baselines[nextBaseline]!.edge === 'begin';
    for (; nextDefinition < events.definitions.length && compareInstants(events.definitions[nextDefinition]!.at, from) <= 0; nextDefinition += 1) engine = events.definitions[nextDefinition]!.definition.engine;
    // Edges before the volume itself (a gap that reaches back) only set the stage.
    if (compareInstants(from, start) < 0) continue;
    const isRestorable = firstRestorable !== undefined && compareInstants(firstRestorable, from) <= 0;
    const label = labelOf({
      isRestorable,
      isCopying: copying,
      isSettled,
      engine,
      gap: worst(active),
      retired: afterRetired !== undefined && compareInstants(afterRetired, from) <= 0 ? retired : undefined,
      journalEnd: compareInstants(afterEnd, from) <= 0 ? end : undefined,
    });
    const last = ranges[ranges.length - 1];
    if (last !== undefined && sameLabel(last, label)) continue;
    if (last !== undefined) {
      if (compareInstants(last.from, from) === 0) ranges.pop();
      else ranges[ranges.length - 1] = { ...last, to: from };
    }
    ranges.push({ ...label, from });
  }
  return ranges;
}

/** What decides the label of an instant. */
export interface LabelInputs {
  readonly isRestorable: boolean;
  /** An initial copy is under way (again). */
  readonly isCopying: boolean;
  readonly isSettled: boolean;
  readonly engine: Engine;
  /** The worst gap that covers the instant. */
  readonly gap: Pick<GapSpan, 'label' | 'cause'> | undefined;
  readonly retired: { readonly at: Instant; readonly cause: string } | undefined;
  /** Set when the instant lies after the journal's end. */
  readonly journalEnd: Instant | undefined;
}

/** The first row that applies decides. */
export const labelTable: readonly { readonly row: string; readonly when: (inputs: LabelInputs) => boolean; readonly label: (inputs: LabelInputs) => InstantLabel }[] = [
  {
    row: 'before the end of the initial copy',
    when: (i) => !i.isRestorable,
    label: () => ({ label: 'unknown', cause: 'the initial copy was not complete', settled: false, phase: 'baseline' }),
  },
  {
    row: 'after the volume was retired',
    when: (i) => i.retired !== undefined,
    label: (i) => restorable('unknown', `the volume was retired at ${formatTime(i.retired!.at.timeNs)}${i.retired!.cause === '' ? '' : ` (${i.retired!.cause})`}; later changes were not captured`),
  },
  {
    row: 'within an unknown gap',
    when: (i) => i.gap?.label === 'unknown',
    label: (i) => restorable('unknown', i.gap!.cause),
  },
  {
    row: 'within a converging gap',
    when: (i) => i.gap !== undefined,
    label: (i) => restorable('converging', i.gap!.cause),
  },
  {
    row: 'while the volume is copied again',
    when: (i) => i.isCopying,
    label: () => restorable('converging', 'the volume was being copied again'),
  },
  {
    row: 'after the end of the journal',
    when: (i) => i.journalEnd !== undefined,
    label: (i) => restorable('converging', `the journal ends at ${formatTime(i.journalEnd!.timeNs)}; later changes have not arrived`),
  },
  {
    row: 'portable, and found equal by a look at the whole volume',
    when: (i) => i.engine === 'portable' && i.isSettled,
    label: () => ({ ...restorable('converging', 'portable engine: a look at the whole volume found it equal at this instant'), settled: true }),
  },
  {
    row: 'portable',
    when: (i) => i.engine === 'portable',
    label: () => restorable('converging', 'portable engine: changes are seen shortly after they happen'),
  },
  { row: 'exact', when: () => true, label: (i) => ({ ...restorable('exact', ''), settled: i.isSettled }) },
];

export function labelOf(inputs: LabelInputs): InstantLabel {
  return labelTable.find(({ when }) => when(inputs))!.label(inputs);
}

function restorable(label: Label, cause: string): InstantLabel {
  return { label, cause, settled: false, phase: 'restorable' };
}

function sameLabel(a: InstantLabel, b: InstantLabel): boolean {
  return a.label === b.label && a.cause === b.cause && a.settled === b.settled && a.phase === b.phase;
}

function worst(gaps: readonly GapSpan[]): GapSpan | undefined {
  return gaps.find(({ label }) => label === 'unknown') ?? gaps[0];
}

/** The union of intervals, ascending and apart. */
function joined(intervals: readonly { readonly fromNs: TimeNs; readonly throughNs: TimeNs }[]): { fromNs: TimeNs; throughNs: TimeNs }[] {
  const sorted = intervals.filter(({ fromNs, throughNs }) => fromNs <= throughNs).sort((a, b) => (a.fromNs < b.fromNs ? -1 : a.fromNs > b.fromNs ? 1 : 0));
  const union: { fromNs: TimeNs; throughNs: TimeNs }[] = [];
  for (const { fromNs, throughNs } of sorted) {
    const last = union[union.length - 1];
    if (last !== undefined && fromNs <= last.throughNs + 1n) {
      if (throughNs > last.throughNs) last.throughNs = throughNs;
    } else union.push({ fromNs, throughNs });
  }
  return union;
}
