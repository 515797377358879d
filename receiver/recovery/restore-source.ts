/** Turns a point into the items of a restore: head, entries, pieces in segment order, end. */
import type { ByteRange, NodeId, NodeMetadata } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import { displayName, displayPath, type Name, type Path } from '../../proto/name.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import type { RestoreItem } from '../../proto/wire/messages.js';
import { formatTime } from './instant.js';
import { didYouMean, nearNames } from './near.js';
import { pieceBytesMax } from './piece-reader.js';
import type { Point } from './point.js';
import type { BetterInstant, InstantLabel, VolumeTimeline } from './volume-timeline.js';

/** Ranges of one entry at most: what keeps a message, and the target's memory, bounded. */
export const entryRangesMax = 50_000;
/** Names of a directory looked at for what a mistyped path may have meant. */
const nearNamesLooked = 20_000;
const zeroes = Buffer.alloc(pieceBytesMax);

export interface RestoreSourceOptions {
  readonly point: Point;
  /** The volume's timeline, for advice. */
  readonly volume: VolumeTimeline;
  /** Sub-paths; none: the whole volume. A device volume is always sent whole. */
  readonly paths?: readonly Path[];
  /** Refuse a point that is not exact, before anything is sent. */
  readonly exactOnly?: boolean;
  /** No pieces. */
  readonly planOnly?: boolean;
  readonly signal?: AbortSignal;
  /** For tests: ranges of one entry at most. */
  readonly rangesMax?: number;
}

/** Throws UsageError before the first item for a path that does not exist and for what `exactOnly` rules out. */
export async function* restoreItems(options: RestoreSourceOptions): AsyncGenerator<RestoreItem, void, undefined> {
  const { point, volume, planOnly = false, signal, rangesMax = entryRangesMax } = options;
  // Of a device the whole image is sent: paths are of the file system on it, which whoever receives it opens.
  const paths = options.paths === undefined || options.paths.length === 0 || point.info.volumeKind === 'device' ? undefined : options.paths;
  const advice = adviceFor(volume, point);
  if (options.exactOnly === true && point.label.label !== 'exact') {
    throw new UsageError([`the point ${formatTime(point.timeNs)} of "${point.info.name}" is ${describeLabel(point.label)}, and only an exact one was asked for`, ...advice].join('; '));
  }
  for (const path of paths ?? []) if ((await point.stat(path)) === undefined) throw new UsageError(await missingPath(point, path));
  const totals = { entries: 0, bytes: 0 };
  const linked = new Map<NodeId, number>();
  for await (const { state } of point.walk(paths)) {
    signal?.throwIfAborted();
    const isFurtherName = state.links > 1 && state.nodeKind !== 'directory' && linked.has(state.node);
    if (state.links > 1) linked.set(state.node, 0);
    totals.entries += 1;
    if (state.nodeKind === 'file' && !isFurtherName) for (const { length } of (await dataOf(point, state, rangesMax)).ranges) totals.bytes += length;
  }
  if (totals.entries === 0) throw new UsageError(`volume "${point.info.name}" has no root at ${formatTime(point.timeNs)}`);
  const { label, cause, settled } = point.label;
  yield { kind: 'head', volume: point.info.name, sequence: point.sequence, timeNs: point.timeNs, label, cause, settled, advice, ...totals, platform: point.info.platform };
  const indexes = new Map<NodeId, number>();
  const filled: { readonly node: NodeId; readonly index: number; readonly padding: readonly ByteRange[] }[] = [];
  let index = 0;
  linked.clear();
  for await (const { path, state } of point.walk(paths)) {
    signal?.throwIfAborted();
    const linkOf = state.nodeKind === 'directory' ? undefined : linked.get(state.node);
    if (state.links > 1 && linkOf === undefined) linked.set(state.node, index);
    const data = state.nodeKind === 'file' && linkOf === undefined ? await dataOf(point, state, rangesMax) : noData;
    yield { kind: 'entry', index, path, metadata: metadataOf(state), size: state.nodeKind === 'file' ? state.size : 0, ...(linkOf === undefined ? {} : { linkOf }), data: data.ranges };
    if (data.ranges.length > 0) {
      indexes.set(state.node, index);
      if (data.padding.length > 0) filled.push({ node: state.node, index, padding: data.padding });
    }
    index += 1;
  }
  let bytes = 0;
  if (!planOnly) {
    for await (const { node, offset, data } of point.pieces(indexes.keys(), signal === undefined ? {} : { signal })) {
      bytes += data.byteLength;
      yield { kind: 'piece', index: indexes.get(node)!, offset, data };
    }
    for (const { index, padding } of filled) {
      for (const { offset, length } of padding) {
        for (let done = 0; done < length; done += pieceBytesMax) {
          signal?.throwIfAborted();
          const data = zeroes.subarray(0, Math.min(pieceBytesMax, length - done));
          bytes += data.byteLength;
          yield { kind: 'piece', index, offset: offset + done, data };
        }
      }
    }
  }
  yield { kind: 'end', entries: index, bytes };
}

interface EntryData {
  readonly ranges: readonly ByteRange[];
  /** Holes between data that became part of a range, so zeroes are sent for them. */
  readonly padding: readonly ByteRange[];
}

const noData: EntryData = { ranges: [], padding: [] };

/** Ranges with data. When there are too many, the shortest holes are given up. */
async function dataOf(point: Point, state: NodeState, rangesMax: number): Promise<EntryData> {
  const ranges: { offset: number; length: number }[] = [];
  for await (const batch of point.extents(state.node)) {
    for (const { offset, length } of batch) {
      const last = ranges[ranges.length - 1];
      if (last !== undefined && last.offset + last.length === offset) last.length += length;
      else ranges.push({ offset, length });
    }
  }
  return coalesce(ranges, rangesMax);
}

/** Joins ranges over their shortest holes until at most `rangesMax` are left. */
export function coalesce(ranges: readonly ByteRange[], rangesMax: number): EntryData {
  if (ranges.length <= rangesMax) return { ranges, padding: [] };
  const holes = ranges.slice(1).map(({ offset }, at) => offset - (ranges[at]!.offset + ranges[at]!.length));
  const surplus = ranges.length - rangesMax;
  const limit = [...holes].sort((a, b) => a - b)[surplus - 1]!;
  const joined: { offset: number; length: number }[] = [];
  const padding: ByteRange[] = [];
  let left = surplus;
  ranges.forEach(({ offset, length }, at) => {
    const last = joined[joined.length - 1];
    if (last === undefined || left === 0 || holes[at - 1]! > limit) return void joined.push({ offset, length });
    const end = last.offset + last.length;
    padding.push({ offset: end, length: offset - end });
    last.length = offset + length - last.offset;
    left -= 1;
  });
  return { ranges: joined, padding };
}

function metadataOf(state: NodeState): NodeMetadata {
  const { nodeKind, mode, uid, gid, modifyNs, device, target, xattrs } = state;
  return { nodeKind, mode, uid, gid, modifyNs, ...(device === undefined ? {} : { device }), ...(target === undefined ? {} : { target }), ...(xattrs === undefined || xattrs.size === 0 ? {} : { xattrs }) };
}

/** A label as a person reads it: `converging, settled (cause)`. */
export function describeLabel({ label, cause, settled, phase }: InstantLabel): string {
  const name = phase === 'baseline' ? 'not restorable' : settled && label !== 'exact' ? `${label}, settled` : label;
  return cause === '' ? name : `${name} (${cause})`;
}

/** The nearest better points, in words; nothing for an exact point. */
export function adviceFor(volume: VolumeTimeline, instant: { readonly sequence: Point['sequence']; readonly timeNs: Point['timeNs'] }): string[] {
  const { before, after } = volume.nearestBetter(instant);
  const words = (side: string, better: BetterInstant): string => `the nearest better point ${side} is ${better.at}${better.at.startsWith('seq:') ? `, ${formatTime(better.timeNs)}` : ''}: ${describeLabel(better.label)}`;
  return [...(before === undefined || before.label.phase === 'baseline' ? [] : [words('before', before)]), ...(after === undefined ? [] : [words('after', after)])];
}

/** What to say of a path that names nothing: how far it leads, and what there is instead. */
async function missingPath(point: Point, path: Path): Promise<string> {
  let depth = path.length - 1;
  while (depth > 0 && (await point.stat(path.slice(0, depth)))?.nodeKind !== 'directory') depth -= 1;
  const known: string[] = [];
  let after: Name | undefined;
  for (let looked = 0; looked < nearNamesLooked; ) {
    const page = await point.list(path.slice(0, depth), after === undefined ? {} : { after });
    if (page === undefined) break;
    known.push(...page.entries.map(({ name }) => displayName(name)));
    looked += page.entries.length;
    after = page.entries.at(-1)?.name;
    if (!page.more || after === undefined) break;
  }
  const near = nearNames(displayName(path[depth]!), known).map((name) => (depth === 0 ? name : `${displayPath(path.slice(0, depth))}/${name}`));
  return `${displayPath(path)} does not exist in "${point.info.name}" at ${formatTime(point.timeNs)}${didYouMean(near)}`;
}
