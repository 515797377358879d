/** What a journal holds: changes to the volumes of one host, in one total order. */
import type { Name } from './name.js';

declare const sequenceBrand: unique symbol;
declare const nodeBrand: unique symbol;
declare const volumeBrand: unique symbol;

/** Position of a change in its host's journal: unsigned 64-bit, from 1, without holes. 0 means "none yet". */
export type Sequence = bigint & { readonly [sequenceBrand]: true };

/** Names a node of a tree volume for as long as it lives, through renames; unsigned 64-bit, never reused. */
export type NodeId = bigint & { readonly [nodeBrand]: true };

/** Names a volume within its host's journal; unsigned 32-bit, never reused. 0 means the journal itself. */
export type VolumeId = number & { readonly [volumeBrand]: true };

/** Nanoseconds since the Unix epoch. */
export type TimeNs = bigint;

export const noSequence = 0n as Sequence;
/** The root directory of every tree volume, and the only node of a device volume. */
export const rootNode = 1n as NodeId;
/** The volume of changes that concern the journal as a whole. */
export const journalVolume = 0 as VolumeId;

export const asSequence = (value: bigint): Sequence => value as Sequence;
export const asNodeId = (value: bigint): NodeId => value as NodeId;
export const asVolumeId = (value: number): VolumeId => value as VolumeId;

/** A span of bytes of a node. Both at most 2^53 - 1; larger values are refused, never rounded. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Who made a change, where the engine knows. Pid and start time together name a process for ever. */
export interface Actor {
  readonly pid: number;
  readonly startNs: TimeNs;
  readonly uid: number;
  readonly command: string;
}

export type NodeKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block-device' | 'character-device';

/** Everything about a node but its content and names. */
export interface NodeMetadata {
  readonly nodeKind: NodeKind;
  /** Permission, set-id and sticky bits (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: TimeNs;
  /** Major and minor number of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Where a symbolic link points: any bytes. */
  readonly target?: Buffer;
  /** Extended attributes, ACLs and capabilities included. Keys are byte strings like Name. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** A new node; with `parent` and `name` absent it has no name yet (an unnamed temporary file). */
export interface Create {
  readonly kind: 'create';
  readonly node: NodeId;
  readonly parent?: NodeId;
  readonly name?: Name;
  readonly metadata: NodeMetadata;
}
/** A further name for a node. */
export interface Link {
  readonly kind: 'link';
  readonly node: NodeId;
  readonly parent: NodeId;
  readonly name: Name;
}
/** A name goes; a node without names ends when nothing holds it open, which for a point is at once. */
export interface Unlink {
  readonly kind: 'unlink';
  readonly parent: NodeId;
  readonly name: Name;
}
/** A name moves, replacing what had the new one; or two names swap their nodes. */
export interface Rename {
  readonly kind: 'rename';
  readonly parent: NodeId;
  readonly name: Name;
  readonly toParent: NodeId;
  readonly toName: Name;
  readonly exchange: boolean;
}
/** Bytes written at an offset; grows the node when they end past its size. */
export interface Write {
  readonly kind: 'write';
  readonly node: NodeId;
  readonly offset: number;
  readonly data: Buffer;
}
/** The size of a node becomes `size`; bytes past the old size read as zeroes. */
export interface Truncate {
  readonly kind: 'truncate';
  readonly node: NodeId;
  readonly size: number;
}
/** A range becomes a hole (reads as zeroes, takes no space). The size does not change. */
export interface Punch extends ByteRange {
  readonly kind: 'punch';
  readonly node: NodeId;
}
/** A range becomes allocated zeroes; grows the node when it ends past its size. */
export interface Zero extends ByteRange {
  readonly kind: 'zero';
  readonly node: NodeId;
}
/** A range takes the content that `sourceNode` has at this sequence. */
export interface Clone extends ByteRange {
  readonly kind: 'clone';
  readonly node: NodeId;
  readonly sourceNode: NodeId;
  readonly sourceOffset: number;
}
/** Mode, owner or times change; what is absent stays. */
export interface Attributes {
  readonly kind: 'attributes';
  readonly node: NodeId;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly modifyNs?: TimeNs;
}
export interface XattrSet {
  readonly kind: 'xattr-set';
  readonly node: NodeId;
  readonly key: string;
  readonly value: Buffer;
}
export interface XattrRemove {
  readonly kind: 'xattr-remove';
  readonly node: NodeId;
  readonly key: string;
}
/** A range of a device no longer holds data that anyone counts on. */
export interface Discard extends ByteRange {
  readonly kind: 'discard';
}
/** A device was told to make its cache durable. */
export interface Flush {
  readonly kind: 'flush';
}
/** The initial copy of a volume begins, or is complete: its end is the first point that can be restored. */
export interface Baseline {
  readonly kind: 'baseline';
  readonly edge: 'begin' | 'end';
}
/** From `sinceNs` on the volume is not captured exactly; the closing edge with the same `gap` ends that. */
export interface Gap {
  readonly kind: 'gap';
  readonly edge: 'open' | 'close';
  /** Pairs the edges; unique within the journal and volume. */
  readonly gap: number;
  readonly label: 'converging' | 'unknown';
  readonly cause: string;
  readonly sinceNs: TimeNs;
}
/** A look at the whole volume found it equal to what the journal holds: true of [sinceNs, time of this change]. */
export interface Settled {
  readonly kind: 'settled';
  readonly sinceNs: TimeNs;
}
/** A point somebody named. */
export interface Mark {
  readonly kind: 'mark';
  readonly name: string;
}
/** The wall clock was seen to step by so much; journal times never go back all the same. */
export interface ClockStep {
  readonly kind: 'clock';
  readonly stepNs: bigint;
}
/** fsync, msync or the like returned for a node (or, without one, for the whole volume). */
export interface DurableEdge {
  readonly kind: 'durable';
  readonly node?: NodeId;
}
/** A volume is defined (or its definition changes); the journal is the only record of it that counts. */
export interface VolumeDefinition {
  readonly kind: 'volume';
  readonly name: string;
  readonly volumeKind: VolumeKind;
  /** Where it is on the host; bytes, one character each. */
  readonly path: string;
  readonly engine: Engine;
  readonly platform: string;
}
/** A volume is no longer protected; its history stays. */
export interface VolumeRetired {
  readonly kind: 'retired';
  readonly cause: string;
}

export type VolumeKind = 'tree' | 'device';
export type Engine = 'exact' | 'portable';

export type ContentChange = Write | Truncate | Punch | Zero | Clone | Discard;
export type NamespaceChange = Create | Link | Unlink | Rename | Attributes | XattrSet | XattrRemove;
export type ControlChange = Flush | Baseline | Gap | Settled | Mark | ClockStep | DurableEdge | VolumeDefinition | VolumeRetired;
export type ChangeBody = ContentChange | NamespaceChange | ControlChange;
export type ChangeKind = ChangeBody['kind'];

/** One captured operation in its place in the journal. */
export interface Change {
  readonly sequence: Sequence;
  readonly timeNs: TimeNs;
  readonly volume: VolumeId;
  readonly actor?: Actor;
  readonly body: ChangeBody;
}

/** A change as an engine hands it over, before the journal gives it a sequence. */
export interface CapturedChange {
  readonly volume: VolumeId;
  /** When it happened, where the engine knows better than "now"; the journal keeps times non-decreasing. */
  readonly timeNs?: TimeNs;
  readonly actor?: Actor;
  readonly body: ChangeBody;
}

/** Content bytes of one write at most; engines split longer ones. */
export const writeBytesMax = 256 * 1024;

const controlKinds: ReadonlySet<ChangeKind> = new Set(['flush', 'baseline', 'gap', 'settled', 'mark', 'clock', 'durable', 'volume', 'retired']);

/** Whether a change says something about the journal rather than about content or names. */
export function isControl(body: ChangeBody): body is ControlChange {
  return controlKinds.has(body.kind);
}
