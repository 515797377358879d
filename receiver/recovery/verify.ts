/** Reads back what restores depend on and says what is damaged, where, and whom that touches. */
import { asSequence, noSequence, type NodeId, type Sequence, type TimeNs } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import { chainFault, frameChanges, frameLength, zeroDigest, type JournalEnd } from '../../proto/journal/frame.js';
import type { JournalReader, StoredFrame } from '../../proto/journal/journal-reader.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';
import { displayPath } from '../../proto/name.js';
import { payloadPart, readPayload } from './piece-reader.js';
import type { Point } from './point.js';
import type { Timeline } from './timeline.js';

const filesNamed = 100;
const damageKept = 1000;

/** Bytes that cannot be trusted, and what hangs on them. */
export interface FoundDamage {
  /** First sequence of the segment, where known. */
  readonly segment: Sequence | undefined;
  readonly offset: number | undefined;
  readonly fault: string;
  /** Sequences that cannot be read; undefined where only a point was looked at. */
  readonly sequences: { readonly first: Sequence; readonly last: Sequence } | undefined;
  /** Instants whose restore depends on them: from the first lost change on. */
  readonly fromNs: TimeNs | undefined;
  readonly volumes: readonly string[];
  readonly files: { readonly count: number; readonly first: readonly string[] };
}

export interface VerifyProgress {
  readonly doneBytes: number;
  /** 0 where it is not known: the sequence then says how far it got. */
  readonly totalBytes: number;
  readonly sequence: Sequence;
  /** Where it will end. */
  readonly through: Sequence;
}

export interface VerifyResult {
  readonly frames: number;
  readonly changes: number;
  readonly bytes: number;
  readonly through: Sequence;
  /** The first ones; `damageCount` counts them all. */
  readonly damage: readonly FoundDamage[];
  readonly damageCount: number;
}

interface VerifyOptions {
  readonly reader: JournalReader;
  readonly timeline: Timeline;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** Reads every frame of a journal: checksums, the chain of digests, and each change. Goes on behind damage. */
export async function verifyJournal(options: VerifyOptions): Promise<VerifyResult> {
  const { reader, timeline, signal, onProgress } = options;
  const through = timeline.end.sequence;
  const damage: FoundDamage[] = [];
  const totals = { frames: 0, changes: 0, bytes: 0, damageCount: 0 };
  let end: JournalEnd = { journal: reader.journal, lastSequence: noSequence, lastTimeNs: 0n, digest: zeroDigest };
  /** After damage the next frame's place in the chain cannot be checked against the one before it. */
  let isChained = true;
  const report = (found: FoundDamage): void => {
    totals.damageCount += 1;
    if (damage.length < damageKept) damage.push(found);
  };
  const place = (location: FrameLocation | undefined, error: FormatError): Pick<FoundDamage, 'segment' | 'offset' | 'fault'> => ({ ...placeOf(error, location), fault: error.message });
  const check = ({ frame, location }: StoredFrame): void => {
    const { header } = frame;
    const sequences = { first: header.firstSequence, last: header.lastSequence };
    const fault = isChained ? chainFault(end, header) : header.journal.equals(reader.journal) ? undefined : 'it belongs to another journal';
    if (fault !== undefined) {
      const error = new FormatError('verify chain', { sequence: header.firstSequence, fault });
      report({ ...place(location, error), sequences, fromNs: header.firstTimeNs, volumes: volumesAt(timeline, header.firstTimeNs), files: noFiles });
    }
    try {
      totals.changes += frameChanges(frame).changes.length;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      report({ ...place(location, error), sequences, fromNs: header.firstTimeNs, volumes: volumesAt(timeline, header.firstTimeNs), files: noFiles });
    }
    end = { journal: reader.journal, lastSequence: header.lastSequence, lastTimeNs: header.lastTimeNs, digest: Buffer.from(frame.digest) };
    isChained = true;
    totals.frames += 1;
    totals.bytes += frameLength(frame);
    onProgress?.({ doneBytes: totals.bytes, totalBytes: 0, sequence: header.lastSequence, through });
  };
  while (end.lastSequence < through) {
    signal?.throwIfAborted();
    try {
      for await (const stored of reader.frames({ after: end.lastSequence, through, ...(signal === undefined ? {} : { signal }) })) check(stored);
      if (end.lastSequence < through) throw new FormatError('verify journal', { fault: `it ends at sequence ${end.lastSequence} instead of ${through}` });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const next = await nextReadable(reader, end.lastSequence, through);
      const lost = { first: asSequence(end.lastSequence + 1n), last: next === undefined ? through : asSequence(next - 1n) };
      report({ ...place(undefined, error), sequences: lost, fromNs: end.lastTimeNs, volumes: volumesAt(timeline, end.lastTimeNs), files: noFiles });
      if (next === undefined) break;
      end = { ...end, lastSequence: lost.last };
      isChained = false;
    }
  }
  return { ...totals, through, damage };
}

/** Reads every extent of a point; damage names the files that need it. */
export async function verifyPoint(options: { readonly reader: JournalReader; readonly point: Point; readonly signal?: AbortSignal; readonly onProgress?: (progress: VerifyProgress) => void }): Promise<VerifyResult> {
  const { reader, point, signal, onProgress } = options;
  const needed = new Map<string, { readonly location: FrameLocation; end: number }>();
  const keyOf = (location: FrameLocation): string => `${location.segment}/${location.offset}`;
  const nodes = new Set<NodeId>();
  for await (const { state } of point.walk()) {
    signal?.throwIfAborted();
    if (state.nodeKind !== 'file' || nodes.has(state.node)) continue;
    if (state.links > 1) nodes.add(state.node);
    for await (const batch of point.extents(state.node)) {
      for (const { length, source } of batch) {
        if (source === 'zero') continue;
        const key = keyOf(source.frame);
        const known = needed.get(key);
        if (known === undefined) needed.set(key, { location: source.frame, end: source.payloadOffset + length });
        else known.end = Math.max(known.end, source.payloadOffset + length);
      }
    }
  }
  const damaged = new Map<string, FormatError>();
  let frames = 0;
  let bytes = 0;
  const inOrder = [...needed.values()].sort((a, b) => (a.location.segment !== b.location.segment ? (a.location.segment < b.location.segment ? -1 : 1) : a.location.offset - b.location.offset));
  const totalBytes = inOrder.reduce((sum, { location }) => sum + location.length, 0);
  for (const { location, end } of inOrder) {
    signal?.throwIfAborted();
    try {
      payloadPart(await readPayload(reader, location), location, 0, end);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damaged.set(keyOf(location), error);
    }
    frames += 1;
    bytes += location.length;
    onProgress?.({ doneBytes: bytes, totalBytes, sequence: point.sequence, through: point.sequence });
  }
  const files = damaged.size === 0 ? new Map<string, { count: number; first: string[] }>() : await filesIn(point, new Set(damaged.keys()), keyOf);
  const damage = [...damaged].slice(0, damageKept).map(([key, error]) => ({
    ...placeOf(error, needed.get(key)!.location),
    fault: error.message,
    sequences: undefined,
    fromNs: undefined,
    volumes: [point.info.name],
    files: files.get(key) ?? noFiles,
  }));
  return { frames, changes: 0, bytes, through: point.sequence, damage, damageCount: damaged.size };
}

const noFiles = { count: 0, first: [] };

async function filesIn(point: Point, damaged: ReadonlySet<string>, keyOf: (location: FrameLocation) => string): Promise<Map<string, { count: number; first: string[] }>> {
  const files = new Map<string, { count: number; first: string[] }>();
  for await (const { path, state } of point.walk()) {
    if (state.nodeKind !== 'file') continue;
    const met = new Set<string>();
    for await (const batch of point.extents(state.node)) {
      for (const { source } of batch) if (source !== 'zero' && damaged.has(keyOf(source.frame))) met.add(keyOf(source.frame));
    }
    for (const key of met) {
      let known = files.get(key);
      if (known === undefined) files.set(key, (known = { count: 0, first: [] }));
      known.count += 1;
      if (known.first.length < filesNamed) known.first.push(displayPath(path));
    }
  }
  return files;
}

/** Segment and offset out of an error, as far as the reader named them there or in a cause. */
function placeOf(error: FormatError, location: FrameLocation | undefined): { segment: Sequence | undefined; offset: number | undefined } {
  let segment: unknown = location?.segment;
  let offset: unknown = location?.offset;
  for (let at: unknown = error; at instanceof FormatError; at = at.cause) {
    segment ??= at.place['segment'];
    offset ??= at.place['offset'];
  }
  return { segment: typeof segment === 'bigint' ? asSequence(segment) : undefined, offset: typeof offset === 'number' ? offset : undefined };
}

/** Names of the volumes that were protected at a time or later. */
function volumesAt(timeline: Timeline, timeNs: TimeNs): string[] {
  const instant = { sequence: asSequence((1n << 64n) - 1n), timeNs };
  const concerned = timeline.volumes.filter((volume) => volume.retiredAt === undefined || volume.retiredAt.timeNs >= timeNs);
  return [...new Set(concerned.map((volume) => volume.infoAt(instant).name))];
}

/**
 * The first sequence behind damage that a frame can be read from, found by ever longer steps and then
 * by halving: frames behind damage can only be reached by a sequence they hold.
 */
async function nextReadable(reader: JournalReader, after: Sequence, through: Sequence): Promise<Sequence | undefined> {
  const readableFrom = async (sequence: bigint): Promise<Sequence | undefined> => {
    try {
      for await (const { frame } of reader.frames({ after: asSequence(sequence - 1n), through })) return frame.header.firstSequence;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    return undefined;
  };
  let low = after + 1n;
  let step = 1n;
  let found: Sequence | undefined;
  let high = low;
  for (;;) {
    high = low + step > through ? through : low + step;
    found = await readableFrom(high);
    if (found !== undefined || high === through) break;
    low = high;
    step *= 2n;
  }
  if (found === undefined) return undefined;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const earlier = await readableFrom(middle);
    if (earlier === undefined) low = middle;
    else {
      high = middle;
      found = earlier;
    }
  }
  return found;
}
