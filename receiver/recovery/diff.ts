/** What changed in a volume between two of its points. */
import { flagsKey } from '../../native/host/file-flags.js';
import type { ByteRange, NodeId } from '../../proto/change.js';
import { compareNames, displayName, type Path } from '../../proto/name.js';
import type { Extent } from '../../proto/tree/extent-map.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import type { Point } from './point.js';

export type DiffEntry =
  | { readonly kind: 'added' | 'removed'; readonly path: Path; readonly state: NodeState }
  | { readonly kind: 'renamed'; readonly path: Path; readonly fromPath: Path; readonly state: NodeState }
  | {
      readonly kind: 'modified';
      readonly path: Path;
      readonly state: NodeState;
      readonly fromState: NodeState;
      /** Another node has the name now (written anew and renamed into place). */
      readonly replaced: boolean;
      /** Ranges whose bytes differ, up to the larger of the two sizes. */
      readonly ranges: readonly ByteRange[];
      /** What else differs: `mode`, `owner`, `modified`, `size`, `xattr user.x`, `flags`, `target`, `device`. */
      readonly metadata: readonly string[];
    };

interface Named {
  readonly path: Path;
  readonly parent: NodeId;
  readonly state: NodeState;
}

/** Compares in windows of this many bytes. */
const windowBytes = 64 * 1024;

/** Differences from one point to the other, by path. A directory that moved counts once, not with all it holds. */
export async function* diffPoints(options: { readonly from: Point; readonly to: Point; readonly signal?: AbortSignal }): AsyncGenerator<DiffEntry, void, undefined> {
  const { from, to, signal } = options;
  const before = await namesByNode(from, signal);
  const after = await namesByNode(to, signal);
  const removed: Named[] = [];
  const added: Named[] = [];
  const found: DiffEntry[] = [];
  for (const [node, names] of before) if (!after.has(node)) removed.push(...names);
  for (const [node, names] of after) {
    const old = before.get(node);
    if (old === undefined) {
      added.push(...names);
      continue;
    }
    const gone = old.filter((one) => !names.some((other) => sameName(one, other)));
    const fresh = names.filter((one) => !old.some((other) => sameName(one, other)));
    while (gone.length > 0 && fresh.length > 0) found.push({ kind: 'renamed', path: fresh[0]!.path, fromPath: gone.shift()!.path, state: fresh.shift()!.state });
    removed.push(...gone);
    added.push(...fresh);
    signal?.throwIfAborted();
    const modified = await compareNodes({ from, to, old: old[0]!.state, now: names[0]!.state, path: names[0]!.path, replaced: false });
    if (modified !== undefined) found.push(modified);
  }
  const removedByPath = new Map(removed.map((named) => [keyOf(named.path), named]));
  for (const { path, state } of added) {
    const old = removedByPath.get(keyOf(path));
    if (old === undefined || old.state.nodeKind !== state.nodeKind) {
      found.push({ kind: 'added', path, state });
      continue;
    }
    removedByPath.delete(keyOf(path));
    signal?.throwIfAborted();
    const modified = await compareNodes({ from, to, old: old.state, now: state, path, replaced: true });
    if (modified !== undefined) found.push(modified);
  }
  for (const { path, state } of removedByPath.values()) found.push({ kind: 'removed', path, state });
  found.sort((a, b) => comparePaths(a.path, b.path));
  yield* found;
}

async function namesByNode(point: Point, signal: AbortSignal | undefined): Promise<Map<NodeId, Named[]>> {
  const names = new Map<NodeId, Named[]>();
  for await (const { path, parent, state } of point.walk()) {
    signal?.throwIfAborted();
    const known = names.get(state.node);
    if (known === undefined) names.set(state.node, [{ path, parent, state }]);
    else known.push({ path, parent, state });
  }
  return names;
}

function sameName(a: Named, b: Named): boolean {
  return a.parent === b.parent && a.path.at(-1) === b.path.at(-1);
}

/** No name holds a slash, so this is unambiguous. */
function keyOf(path: Path): string {
  return path.join('/');
}

function comparePaths(a: Path, b: Path): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const order = compareNames(a[at]!, b[at]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

interface Pair {
  readonly from: Point;
  readonly to: Point;
  readonly old: NodeState;
  readonly now: NodeState;
  readonly path: Path;
  readonly replaced: boolean;
}

async function compareNodes(pair: Pair): Promise<DiffEntry | undefined> {
  const { old, now, path, replaced } = pair;
  const metadata = metadataDifferences(old, now);
  const ranges = old.nodeKind === 'file' && now.nodeKind === 'file' ? await contentDifferences(pair) : [];
  if (metadata.length === 0 && ranges.length === 0 && !replaced) return undefined;
  return { kind: 'modified', path, state: now, fromState: old, replaced, ranges, metadata };
}

function metadataDifferences(old: NodeState, now: NodeState): string[] {
  const differences: string[] = [];
  if (old.mode !== now.mode) differences.push('mode');
  if (old.uid !== now.uid || old.gid !== now.gid) differences.push('owner');
  if (old.modifyNs !== now.modifyNs) differences.push('modified');
  if (old.nodeKind === 'file' && old.size !== now.size) differences.push('size');
  if (!(old.target ?? noBytes).equals(now.target ?? noBytes)) differences.push('target');
  if (old.device?.major !== now.device?.major || old.device?.minor !== now.device?.minor) differences.push('device');
  const keys = new Set([...(old.xattrs?.keys() ?? []), ...(now.xattrs?.keys() ?? [])]);
  for (const key of [...keys].sort()) {
    const [one, other] = [old.xattrs?.get(key), now.xattrs?.get(key)];
    if (one === undefined || other === undefined || !one.equals(other)) differences.push(key === flagsKey ? 'flags' : `xattr ${displayName(key as never)}`);
  }
  return differences;
}

const noBytes = Buffer.alloc(0);

/** Ranges whose bytes differ. Only what has another source is read: the same source is the same bytes. */
async function contentDifferences({ from, to, old, now }: Pair): Promise<ByteRange[]> {
  const differing: { offset: number; length: number }[] = [];
  const common = Math.min(old.size, now.size);
  const add = (offset: number, length: number): void => {
    const last = differing[differing.length - 1];
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else differing.push({ offset, length });
  };
  for await (const range of differentSources(from.extents(old.node), to.extents(now.node), common)) {
    for (let offset = range.offset; offset < range.offset + range.length; offset += windowBytes) {
      const window = { offset, length: Math.min(windowBytes, range.offset + range.length - offset) };
      const [one, other] = [await whole(from.readNode(old.node, window)), await whole(to.readNode(now.node, window))];
      const span = differingSpan(one, other);
      if (span !== undefined) add(offset + span.offset, span.length);
    }
  }
  const larger = Math.max(old.size, now.size);
  if (larger > common) add(common, larger - common);
  return differing;
}

async function whole(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}

/** From the first to the last byte that differs. */
function differingSpan(a: Buffer, b: Buffer): ByteRange | undefined {
  if (a.equals(b)) return undefined;
  let first = 0;
  while (a[first] === b[first]) first += 1;
  let last = Math.min(a.byteLength, b.byteLength) - 1;
  while (a[last] === b[last]) last -= 1;
  return { offset: first, length: last - first + 1 };
}

/** Ranges below `size` that the two sides take from different places. */
async function* differentSources(a: AsyncIterable<readonly Extent[]>, b: AsyncIterable<readonly Extent[]>, size: number): AsyncGenerator<ByteRange, void, undefined> {
  const [one, other] = [new Cursor(a), new Cursor(b)];
  let offset = 0;
  let pending: { offset: number; length: number } | undefined;
  while (offset < size) {
    const [x, y] = [await one.at(offset), await other.at(offset)];
    const end = Math.min(x.end, y.end, size);
    if (!sameSource(x, y, offset)) {
      if (pending !== undefined && pending.offset + pending.length === offset) pending.length += end - offset;
      else {
        if (pending !== undefined) yield pending;
        pending = { offset, length: end - offset };
      }
    }
    offset = end;
  }
  if (pending !== undefined) yield pending;
}

interface Span {
  readonly extent: Extent | undefined;
  /** How far the same extent, or the same hole, goes on. */
  readonly end: number;
}

/** Holes and allocated zeroes read the same. */
function sameSource(x: Span, y: Span, offset: number): boolean {
  const [a, b] = [x.extent, y.extent];
  if (a === undefined || b === undefined || a.source === 'zero' || b.source === 'zero') {
    return (a === undefined || a.source === 'zero') && (b === undefined || b.source === 'zero');
  }
  const sameFrame = a.source.frame.segment === b.source.frame.segment && a.source.frame.offset === b.source.frame.offset;
  return sameFrame && a.source.payloadOffset + (offset - a.offset) === b.source.payloadOffset + (offset - b.offset);
}

/** Extents in order, asked for by ascending offset. */
class Cursor {
  readonly #batches: AsyncIterator<readonly Extent[]>;
  #batch: readonly Extent[] = [];
  #next = 0;

  constructor(batches: AsyncIterable<readonly Extent[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  async at(offset: number): Promise<Span> {
    for (;;) {
      const extent = this.#batch[this.#next];
      if (extent === undefined) {
        const step = await this.#batches.next();
        if (step.done === true) return { extent: undefined, end: Number.MAX_SAFE_INTEGER };
        this.#batch = step.value;
        this.#next = 0;
      } else if (extent.offset + extent.length <= offset) this.#next += 1;
      else if (extent.offset > offset) return { extent: undefined, end: extent.offset };
      else return { extent, end: extent.offset + extent.length };
    }
  }
}
