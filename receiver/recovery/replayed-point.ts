/** A point that was opened by replaying the journal from its start; names and extents are in memory. */
import { rootNode, type ByteRange, type NodeId, type Sequence, type TimeNs, type VolumeDefinition, type VolumeId } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import { frameChanges } from '../../proto/journal/frame.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';
import { displayPath, type Name, type Path } from '../../proto/name.js';
import type { Extent } from '../../proto/tree/extent-map.js';
import type { NamedNode, NodeState } from '../../proto/tree/namespace.js';
import type { Instant } from './instant.js';
import { payloadPart, pieceBytesMax, readPayload, readPieces } from './piece-reader.js';
import type { Anomalies, OpenPointProgress, Point, PointEntry, PointListing, PointPiece, WalkedEntry } from './point.js';
import { VolumeReplay } from './volume-replay.js';
import type { InstantLabel, VolumeTimeline } from './volume-timeline.js';
import { scopeOf, type Scope } from './walk-scope.js';

const listLimit = 1000;
const extentBatch = 1024;
/** Decoded frames kept while a file is read in order; each has at most 2 MiB. */
const cachedFrames = 8;
const zeroes = Buffer.alloc(pieceBytesMax);

export async function replayPoint(options: {
  readonly reader: JournalReader;
  readonly volume: VolumeTimeline;
  readonly instant: Instant;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OpenPointProgress) => void;
}): Promise<Point> {
  const { reader, volume, instant, signal, onProgress } = options;
  const info = volume.infoAt(instant);
  const replay = new VolumeReplay(info.volumeKind);
  const through = instant.sequence;
  if (through > 0n) {
    for await (const { frame, location } of reader.frames({ after: 0n as Sequence, through, ...(signal === undefined ? {} : { signal }) })) {
      signal?.throwIfAborted();
      const { raw, changes } = frameChanges(frame);
      // The reader may hand out a view of its own buffers, so the place is copied.
      const replayed = { location: { ...location }, raw };
      for (const change of changes) {
        if (change.sequence > through) break;
        if (change.volume === volume.volume) replay.apply(change.body, { sequence: change.sequence, frame: replayed });
      }
      onProgress?.({ sequence: frame.header.lastSequence < through ? frame.header.lastSequence : through, through });
    }
  }
  return new ReplayedPoint({ reader, volume: volume.volume, info, instant, label: volume.labelAt(instant), replay });
}

interface Listed {
  readonly directory: NodeId;
  readonly named: readonly NamedNode[];
}

class ReplayedPoint implements Point {
  readonly volume: VolumeId;
  readonly info: VolumeDefinition;
  readonly sequence: Sequence;
  readonly timeNs: TimeNs;
  readonly label: InstantLabel;
  readonly #reader: JournalReader;
  readonly #replay: VolumeReplay;
  #listed: Listed | undefined;

  constructor(parts: { reader: JournalReader; volume: VolumeId; info: VolumeDefinition; instant: Instant; label: InstantLabel; replay: VolumeReplay }) {
    this.volume = parts.volume;
    this.info = parts.info;
    this.sequence = parts.instant.sequence;
    this.timeNs = parts.instant.timeNs;
    this.label = parts.label;
    this.#reader = parts.reader;
    this.#replay = parts.replay;
  }

  get anomalies(): Anomalies {
    return this.#replay.anomalies;
  }

  async stat(path: Path): Promise<NodeState | undefined> {
    return this.#stat(path);
  }

  async list(path: Path, options: { readonly after?: Name; readonly limit?: number } = {}): Promise<PointListing | undefined> {
    const directory = this.#stat(path);
    if (directory?.nodeKind !== 'directory') return undefined;
    const limit = options.limit ?? listLimit;
    const entries: PointEntry[] = [];
    const { named } = this.#sorted(directory.node);
    let from = 0;
    for (let to = named.length; options.after !== undefined && from < to; ) {
      const middle = (from + to) >>> 1;
      if (named[middle]!.name <= options.after) from = middle + 1;
      else to = middle;
    }
    const page = named.slice(from, from + limit);
    for (const { name, node } of page) {
      const state = this.#state(node);
      if (state !== undefined) entries.push({ name, state });
    }
    return { entries, more: from + page.length < named.length };
  }

  async *read(path: Path, range?: ByteRange): AsyncGenerator<Buffer, void, undefined> {
    const state = this.#stat(path);
    if (state === undefined) throw new UsageError(`${displayPath(path)} does not exist at this point`);
    if (state.nodeKind !== 'file') throw new UsageError(`${displayPath(path)} is no file but a ${state.nodeKind}`);
    yield* this.readNode(state.node, range);
  }

  async *readNode(node: NodeId, range?: ByteRange): AsyncGenerator<Buffer, void, undefined> {
    const size = this.#state(node)?.size ?? 0;
    const end = Math.min(size, range === undefined ? size : range.offset + range.length);
    const cache = new Map<FrameLocation, Buffer>();
    let at = range?.offset ?? 0;
    if (at >= end) return;
    for (const { offset, length, source } of this.#replay.extents(node)?.slice({ offset: at, length: end - at }) ?? []) {
      yield* zeroesOf(offset - at);
      if (source === 'zero') yield* zeroesOf(length);
      else {
        let payload = cache.get(source.frame);
        if (payload === undefined) payload = await readPayload(this.#reader, source.frame);
        // Taken out and put back in, so that the first of the map is the one unused for longest.
        cache.delete(source.frame);
        cache.set(source.frame, payload);
        if (cache.size > cachedFrames) cache.delete(cache.keys().next().value!);
        const data = payloadPart(payload, source.frame, source.payloadOffset, length);
        for (let done = 0; done < length; done += pieceBytesMax) yield data.subarray(done, done + pieceBytesMax);
      }
      at = offset + length;
    }
    yield* zeroesOf(end - at);
  }

  async *walk(paths?: readonly Path[]): AsyncGenerator<WalkedEntry, void, undefined> {
    const root = this.#state(rootNode);
    if (root === undefined) return;
    const scope = scopeOf(paths);
    yield { path: [], parent: rootNode, state: root, isWithin: scope === 'all' };
    if (root.nodeKind !== 'directory') return;
    // One iterator a level instead of recursion: trees may be deeper than the call stack.
    const levels = [{ node: rootNode, scope, children: this.#children(rootNode, scope) }];
    const at: Name[] = [];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const next = level.children.next();
      if (next.done === true) {
        levels.pop();
        at.pop();
        continue;
      }
      const { name, state } = next.value;
      const within = level.scope === 'all' ? 'all' : level.scope.get(name);
      if (within === undefined) continue;
      if (within !== 'all' && state.nodeKind !== 'directory') continue;
      yield { path: [...at, name], parent: level.node, state, isWithin: within === 'all' };
      if (state.nodeKind !== 'directory') continue;
      at.push(name);
      levels.push({ node: state.node, scope: within, children: this.#children(state.node, within) });
    }
  }

  async *extents(node: NodeId, range?: ByteRange): AsyncGenerator<readonly Extent[], void, undefined> {
    let batch: Extent[] = [];
    for (const extent of this.#replay.extents(node)?.slice(range) ?? []) {
      batch.push(extent);
      if (batch.length < extentBatch) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  pieces(nodes: Iterable<NodeId>, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<PointPiece> {
    const sources = [];
    for (const node of nodes) {
      const map = this.#replay.extents(node);
      if (map !== undefined) sources.push({ node, map });
    }
    return readPieces({ reader: this.#reader, frames: this.#replay.frames, sources, signal: options.signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open; a point over checkpoints will have something.
  }

  #state(node: NodeId): NodeState | undefined {
    return this.info.volumeKind === 'device' ? (node === rootNode ? this.#replay.deviceState() : undefined) : this.#replay.namespace.node(node);
  }

  #stat(path: Path): NodeState | undefined {
    let node: NodeId | undefined = rootNode;
    for (const name of path) {
      node = this.#replay.namespace.child(node, name);
      if (node === undefined) return undefined;
    }
    return this.#state(node);
  }

  /** Names of a directory in order; kept for the next page, or paging a large one would sort it again and again. */
  #sorted(directory: NodeId): Listed {
    if (this.#listed?.directory !== directory) this.#listed = { directory, named: [...this.#replay.namespace.children(directory)] };
    return this.#listed;
  }

  *#children(node: NodeId, scope: Scope): Generator<PointEntry, void, undefined> {
    if (scope !== 'all') {
      // A few names out of a directory that may hold millions.
      for (const name of [...scope.keys()].sort()) {
        const child = this.#replay.namespace.child(node, name);
        const state = child === undefined ? undefined : this.#state(child);
        if (state !== undefined) yield { name, state };
      }
      return;
    }
    for (const { name, node: child } of this.#replay.namespace.children(node)) {
      const state = this.#state(child);
      if (state !== undefined) yield { name, state };
    }
  }
}

function* zeroesOf(length: number): Generator<Buffer, void, undefined> {
  for (let done = 0; done < length; done += pieceBytesMax) yield zeroes.subarray(0, Math.min(pieceBytesMax, length - done));
}
