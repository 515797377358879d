/**
 * What the control changes of a journal say about every instant of its volumes: which volumes there
 * were, from when on they can be restored, and how far their content at an instant is to be trusted.
 */
import { journalVolume, type Change, type VolumeDefinition, type VolumeId } from '../../proto/change.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import { compareInstants, type Instant } from './instant.js';
import { VolumeTimeline, type GapSpan, type Mark, type VolumeEvents } from './volume-timeline.js';

interface OpenEvents extends VolumeEvents {
  readonly gaps: MutableGap[];
}
type MutableGap = { -readonly [Key in keyof GapSpan]: GapSpan[Key] };

export class Timeline {
  /** Every volume the journal ever defined, in order of definition. */
  readonly volumes: readonly VolumeTimeline[];
  readonly end: Instant;

  constructor(volumes: readonly VolumeTimeline[], end: Instant) {
    this.volumes = volumes;
    this.end = end;
  }

  /** All volumes that ever had a name, oldest first. */
  named(name: string): VolumeTimeline[] {
    return this.volumes.filter((volume) => volume.definitions.some(({ definition }) => definition.name === name));
  }

  /**
   * The volume that a name means at an instant: the one defined by that name then; else the latest
   * that had the name before; else the first that had it at all.
   */
  resolve(name: string, instant: Instant): VolumeTimeline | undefined {
    const known = this.named(name);
    const then = known.filter((volume) => volume.isDefinedAt(instant) && volume.infoAt(instant).name === name);
    if (then.length > 0) return then[then.length - 1];
    const before = known.filter((volume) => compareInstants(volume.definedAt, instant) <= 0);
    return before[before.length - 1] ?? known[0];
  }

  /** The volume that a name means now: the live one, else the latest. */
  latest(name: string): VolumeTimeline | undefined {
    const known = this.named(name);
    return known.filter((volume) => volume.isDefinedAt(this.end) && volume.infoAt(this.end).name === name).at(-1) ?? known.at(-1);
  }
}

/** Builds the timeline from all control changes of a journal, in order; `end` is the last instant it holds. */
export function buildTimeline(changes: Iterable<Change>, end: Instant): Timeline {
  const volumes = new Map<VolumeId, OpenEvents>();
  /** Changes of the journal itself concern every volume. */
  const common = eventsOf(journalVolume);
  for (const change of changes) {
    const { volume, body } = change;
    if (body.kind === 'volume' && volume !== journalVolume) {
      const known = volumes.get(volume);
      if (known === undefined) volumes.set(volume, eventsOf(volume, { at: instantOf(change), definition: body }));
      else known.definitions.push({ at: instantOf(change), definition: body });
      continue;
    }
    const events = volume === journalVolume ? common : volumes.get(volume);
    if (events !== undefined) record(events, change);
  }
  return new Timeline([...volumes.values()].map((events) => new VolumeTimeline(events, common, end)), end);
}

function eventsOf(volume: VolumeId, first?: { readonly at: Instant; readonly definition: VolumeDefinition }): OpenEvents {
  return { volume, definitions: first === undefined ? [] : [first], retired: [], baselines: [], gaps: [], settled: [], marks: [] };
}

function instantOf(change: Change): Instant {
  return { sequence: change.sequence, timeNs: change.timeNs };
}

function record(events: OpenEvents, change: Change): void {
  const at = instantOf(change);
  const { body } = change;
  switch (body.kind) {
    case 'retired':
      events.retired.push({ at, cause: body.cause });
      return;
    case 'baseline':
      events.baselines.push({ at, edge: body.edge });
      return;
    case 'settled':
      events.settled.push({ fromNs: body.sinceNs, throughNs: change.timeNs });
      return;
    case 'mark':
      events.marks.push({ name: body.name, at } satisfies Mark);
      return;
    case 'gap':
      return recordGap(events, change, body);
    default:
      return;
  }
}

function recordGap(events: OpenEvents, change: Change, body: Change['body'] & { kind: 'gap' }): void {
  const at = instantOf(change);
  const fromNs = body.sinceNs < change.timeNs ? body.sinceNs : change.timeNs;
  const { gap, label, cause } = body;
  if (body.edge === 'open') {
    events.gaps.push({ gap, label, cause, fromNs, openedAt: at, closedAt: undefined });
    return;
  }
  const open = events.gaps.filter((known) => known.gap === gap && known.closedAt === undefined);
  for (const known of open) known.closedAt = at;
  // Loss is data: an edge whose other edge is missing still says that something was not captured.
  if (open.length === 0) events.gaps.push({ gap, label, cause, fromNs, openedAt: at, closedAt: at });
}

/** The timeline of a journal as it can be read now. */
export async function loadTimeline(reader: JournalReader): Promise<Timeline> {
  const sequence = await reader.lastSequence();
  const timeNs = sequence === 0n ? 0n : ((await reader.timeOf(sequence)) ?? 0n);
  return buildTimeline(await reader.controlChanges(sequence), { sequence, timeNs });
}
