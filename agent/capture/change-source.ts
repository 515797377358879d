/** What every engine is to the rest of the agent: a source of changes, and the sink it feeds. */
import type { CapturedChange, Change, Engine, Sequence, TimeNs, VolumeId, VolumeKind } from '../../proto/change.js';

/** A volume as an engine needs to know it. */
export interface ProtectedVolume {
  readonly volume: VolumeId;
  readonly name: string;
  readonly kind: VolumeKind;
  /** Where it is on this host, as given to the operating system. */
  readonly path: Buffer;
  /** Glob patterns, relative to the root, of what is left out. */
  readonly exclude: readonly string[];
  /** Directories that are always left out: our own state, wherever it lies. */
  readonly excludedDirectories: readonly Buffer[];
}

export type AppendResult =
  | { readonly taken: true; readonly firstSequence: Sequence; readonly lastSequence: Sequence }
  /** The spool budget is spent: nothing of the batch was taken. Keep the ranges as dirty, wait for room, read them again. */
  | { readonly taken: false };

/** Where an engine puts its changes; the journal stands behind it. */
export interface ChangeSink {
  /**
   * Gives the changes the next sequences, in order, and takes them down: once this has resolved, nothing of
   * their buffers is held. Resolves when they are accepted (not yet durable); waits while the journal
   * is behind, which is the engine's backpressure. Batches that hold control changes alone are
   * taken even when the budget is spent, out of a reserve. Rejects only when the journal is broken.
   */
  append(changes: readonly CapturedChange[]): Promise<AppendResult>;
  /** Resolves once everything up to `through` survives power loss, here or at the receiver. */
  whenDurable(through: Sequence, signal?: AbortSignal): Promise<void>;
  /** Resolves once content is taken again after an append was refused. */
  whenRoom(signal?: AbortSignal): Promise<void>;
}

export type VolumeLabel = 'exact' | 'converging' | 'unknown' | 'baseline';

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneEntries: number;
  readonly totalEntries: number;
}

/** Something that could not be captured or carried, by path as a person may see it. */
export interface CaptureReport {
  readonly path: string;
  readonly problem: string;
}

/** The state of one volume as its engine sees it. */
export interface SourceStatus {
  readonly label: VolumeLabel;
  /** Why the label is not `exact`. */
  readonly cause: string;
  /** True while a look at the whole volume has found nothing that the journal lacks, and nothing came since. */
  readonly settled: boolean;
  readonly phase: 'starting' | 'baseline' | 'rescan' | 'watching' | 'waiting-for-room' | 'failed';
  readonly progress?: Progress;
  /** Gaps opened since the volume was protected. */
  readonly gaps: number;
  readonly pendingHints: number;
  readonly lastScanNs?: TimeNs;
  /** The latest problems, bounded; `reportCount` counts them all. */
  readonly reports: readonly CaptureReport[];
  readonly reportCount: number;
  /** Of an engine that compares the volume with its own model in the background. */
  readonly comparison?: {
    /** When the last pass over the whole volume ended; undefined before the first. */
    readonly endedNs?: TimeNs;
    /** Differences found since capture began; each was healed, with a gap on record. */
    readonly differences: number;
  };
  /** Bytes waiting in a capture ring, where the engine has one. */
  readonly ringBytes?: number;
}

/**
 * An engine. One source may serve many volumes; its changes come out in one order over all of them.
 * Life: open → replay (once) → start → add/remove volumes, flush, … → dispose.
 */
export interface ChangeSource extends AsyncDisposable {
  readonly engine: Engine;
  /** Changes up to here are part of the engine's own durable state; the spool must keep what follows. */
  readonly committedThrough: Sequence;
  /**
   * Brings the engine's state up to the journal's end with the changes after `committedThrough`
   * that were journalled but not committed when the agent last ended.
   */
  replay(changes: AsyncIterable<readonly Change[]>): Promise<void>;
  /** From now on changes go to `sink`. */
  start(sink: ChangeSink): Promise<void>;
  /** Whether the engine's own state knows the volume; node ids of one that it lost must not be given out again. */
  knows(volume: VolumeId): boolean;
  /** Captures a volume from now on: with a baseline when it is new, else with a resync of what differs. Resolves once capturing; the copy goes on. */
  add(volume: ProtectedVolume): Promise<void>;
  /** Ends the capture of a volume and forgets its state. */
  remove(volume: VolumeId): Promise<void>;
  /** Resolves once everything written to the volumes before the call has been appended to the sink. */
  flush(signal?: AbortSignal): Promise<void>;
  status(volume: VolumeId): SourceStatus | undefined;
  /**
   * The journal is durable up to `through`: an engine that has nothing of its own to commit moves
   * `committedThrough` up to it, so that an idle engine does not make the spool keep what others wrote.
   */
  advance(through: Sequence): void;
}

/** Whether an engine can serve a volume here, and in words why or why not. */
export interface EngineVerdict {
  readonly engine: Engine;
  readonly available: boolean;
  readonly reason: string;
}
