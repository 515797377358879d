/**
 * A point: one volume as it was at one instant. What is behind it (a replay of the journal, or
 * checkpoints and indexes) does not show: everything is read asynchronously, in bounded parts.
 */
import type { ByteRange, NodeId, Sequence, TimeNs, VolumeDefinition, VolumeId } from '../../proto/change.js';
import type { Name, Path } from '../../proto/name.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import type { Extent } from '../../proto/tree/extent-map.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import type { Instant } from './instant.js';
import { replayPoint } from './replayed-point.js';
import type { InstantLabel, VolumeTimeline } from './volume-timeline.js';

/** One name of a directory and what it names. */
export interface PointEntry {
  readonly name: Name;
  readonly state: NodeState;
}

/** One page of a directory, in bytewise order. */
export interface PointListing {
  readonly entries: readonly PointEntry[];
  /** Whether there are entries after these: ask again with `after` the last name. */
  readonly more: boolean;
}

/** A path met on a walk. One node is met once for each of its names. */
export interface WalkedEntry {
  readonly path: Path;
  /** The directory that holds it; the root's own node for the root. */
  readonly parent: NodeId;
  readonly state: NodeState;
  /** Whether it lies at or below a path that was asked for; else it only leads there. */
  readonly isWithin: boolean;
}

/** Content of a node, at most `pieceBytesMax` bytes. The data must not be altered. */
export interface PointPiece {
  readonly node: NodeId;
  readonly offset: number;
  readonly data: Buffer;
}

/** Changes that did not fit the volume they met, in words; the first ones only. */
export interface Anomalies {
  readonly count: number;
  readonly first: readonly string[];
}

export interface Point extends AsyncDisposable {
  readonly volume: VolumeId;
  /** The definition in force at the instant. */
  readonly info: VolumeDefinition;
  readonly sequence: Sequence;
  readonly timeNs: TimeNs;
  readonly label: InstantLabel;
  readonly anomalies: Anomalies;
  /** What a path names; undefined when it names nothing. A device volume has its root only, a file. */
  stat(path: Path): Promise<NodeState | undefined>;
  /** A page of a directory, at most `limit` entries (default 1000). Undefined when the path is no directory. */
  list(path: Path, options?: { readonly after?: Name; readonly limit?: number }): Promise<PointListing | undefined>;
  /** Content of a file in order, cut at its end, in parts of at most `pieceBytesMax`. Throws UsageError when the path is no file. */
  read(path: Path, range?: ByteRange): AsyncIterable<Buffer>;
  /** The same by node. */
  readNode(node: NodeId, range?: ByteRange): AsyncIterable<Buffer>;
  /** Everything at and below the paths (default: the whole volume) and what leads there: parents first, bytewise. Paths that name nothing are left out. */
  walk(paths?: readonly Path[]): AsyncIterable<WalkedEntry>;
  /** Extents of a file within a range (default: all), cut to it, ascending and apart, in batches. What lies before the range costs nothing. */
  extents(node: NodeId, range?: ByteRange): AsyncIterable<readonly Extent[]>;
  /** All content of the nodes, in segment order: each frame is read once. Holes are left out; within one file pieces come in any order. */
  pieces(nodes: Iterable<NodeId>, options?: { readonly signal?: AbortSignal }): AsyncIterable<PointPiece>;
}

export interface OpenPointProgress {
  readonly sequence: Sequence;
  readonly through: Sequence;
}

/** Opens a point. Throws FormatError where the journal is damaged before it. */
export async function openPoint(options: {
  readonly reader: JournalReader;
  readonly volume: VolumeTimeline;
  readonly instant: Instant;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: OpenPointProgress) => void;
}): Promise<Point> {
  return replayPoint(options);
}
