/** Appends captured changes in batches and keeps the index exactly as far as the journal: never ahead of what is durable. */
import { type Actor, type CapturedChange, type ChangeBody, noSequence, type Sequence, type TimeNs, type VolumeId } from '../../../proto/change.js';
import type { Clock } from '../../../native/host/clock.js';
import type { ChangeSink } from '../change-source.js';
import { applyChange } from './apply-change.js';
import type { BlockHasher } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';

export const batchBytesMax = 1024 * 1024;
const batchChangesMax = 2048;
const commitIntervalMs = 500;
const commitBytes = 64 * 1024 * 1024;

/** The journal has no room: nothing of the batch was taken, and the index is as it was before it. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The journal is broken: nothing more can be recorded until the agent starts again. */
export class JournalBrokenError extends Error {
  override readonly name = 'JournalBrokenError';
}

export interface RecorderParts {
  readonly index: CaptureIndex;
  readonly hasher: BlockHasher;
  readonly clock: Clock;
  /** Whether the index can grow. */
  readonly hasRoom?: () => Promise<boolean>;
  /** The time of changes that come without their own; undefined for now. */
  readonly timeNs?: () => TimeNs | undefined;
  /** Between commits while there is something to commit. */
  readonly commitIntervalMs?: number;
}

/** What may be known of a change besides its body. */
export interface ChangeFacts {
  /** Hashes of a write's blocks, where they are known already. */
  readonly hashes?: readonly bigint[];
  /** When it happened; now when absent. */
  readonly timeNs?: TimeNs;
  readonly actor?: Actor;
}

/**
 * One transaction is open at all times, with a savepoint for the batch being gathered. A batch that
 * the journal takes is kept, one it refuses is rolled back; the transaction commits once all that
 * it covers is durable, so a crash leaves rows only for changes that the journal still has.
 */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #sink: ChangeSink;
  #batch: CapturedChange[] = [];
  #batchBytes = 0;
  #takenThrough: Sequence = noSequence;
  #committedThrough: Sequence;
  /** What the journal was said to have made durable without being asked. */
  #durableThrough: Sequence = noSequence;
  #uncommittedBytes = 0;
  #dirtySinceMs: number | undefined;
  #appending = false;
  /** Changes taken by the journal since the recorder began, by volume. */
  readonly #taken = new Map<VolumeId, number>();

  constructor(parts: RecorderParts, sink: ChangeSink) {
    this.#parts = parts;
    this.#sink = sink;
    this.#committedThrough = parts.index.committedThrough();
    parts.index.begin();
  }

  get committedThrough(): Sequence {
    return this.#committedThrough;
  }

  /** Whether rows wait for a commit, and there is reason to do it now. */
  get commitDue(): boolean {
    if (this.#dirtySinceMs === undefined) return false;
    return this.#uncommittedBytes >= commitBytes || this.#parts.clock.monotonicMs() - this.#dirtySinceMs >= (this.#parts.commitIntervalMs ?? commitIntervalMs);
  }

  /** Changes other than gaps, baselines and the like that were taken for a volume. */
  taken(volume: VolumeId): number {
    return this.#taken.get(volume) ?? 0;
  }

  /** Rows are about to change without a change to the journal (what is known of inodes, say). */
  touch(): void {
    this.#dirtySinceMs ??= this.#parts.clock.monotonicMs();
  }

  /**
   * Adds a change to the batch and its effect to the index; offers the batch to the journal first when it is full.
   * Only then is there anything to wait for.
   */
  add(volume: VolumeId, body: ChangeBody, facts: ChangeFacts = {}): Promise<void> | undefined {
    const bytes = body.kind === 'write' ? body.data.byteLength : 0;
    if (this.#batchBytes + bytes > batchBytesMax || this.#batch.length >= batchChangesMax) return this.flush().then(() => this.#add(volume, body, facts, bytes));
    this.#add(volume, body, facts, bytes);
    return undefined;
  }

  #add(volume: VolumeId, body: ChangeBody, { hashes, timeNs = this.#parts.timeNs?.(), actor }: ChangeFacts, bytes: number): void {
    const { index, hasher, clock } = this.#parts;
    this.touch();
    applyChange(index, hasher, volume, body, timeNs ?? clock.wallNs(), hashes);
    const change: CapturedChange = timeNs !== undefined && actor !== undefined ? { volume, timeNs, actor, body } : { volume, body, ...(timeNs === undefined ? {} : { timeNs }), ...(actor === undefined ? {} : { actor }) };
    this.#batch.push(change);
    this.#batchBytes += bytes;
  }

  /** Appends one control change on its own, so that it is taken even when the budget is spent. */
  async control(volume: VolumeId, body: ChangeBody): Promise<void> {
    await this.flush();
    await this.add(volume, body);
    await this.flush();
  }

  /** Offers what is gathered to the journal; throws RefusedError when it has no room. */
  async flush(): Promise<void> {
    if (this.#batch.length === 0) {
      this.#parts.index.keepBatch();
      return;
    }
    const batch = this.#batch;
    this.#uncommittedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#appending = true;
    try {
      const result = await this.#sink.append(batch).catch((error: unknown) => broken('append to the journal', error));
      if (!result.taken) {
        this.#parts.index.dropBatch();
        throw new RefusedError('the journal has no room');
      }
      this.#takenThrough = result.lastSequence;
      this.#parts.index.keepBatch();
    } finally {
      this.#appending = false;
    }
    for (const { volume, body } of batch) {
      if (body.kind !== 'gap' && body.kind !== 'baseline' && body.kind !== 'settled') this.#taken.set(volume, this.taken(volume) + 1);
    }
  }

  /** Forgets what is gathered and not yet offered, rows included. */
  drop(): void {
    this.#batch = [];
    this.#batchBytes = 0;
    this.#parts.index.dropBatch();
  }

  /**
   * Commits the index; first waits until the journal's part of it is durable. The batch must be flushed.
   * Puts it off while the disk is full: a commit that fails would undo rows of changes that the journal has.
   */
  async commit(signal?: AbortSignal): Promise<void> {
    await this.flush();
    if (this.#dirtySinceMs === undefined || (await this.#parts.hasRoom?.()) === false) return;
    const through = this.#takenThrough > this.#committedThrough ? this.#takenThrough : this.#committedThrough;
    if (through > this.#committedThrough && through > this.#durableThrough) await this.#sink.whenDurable(through, signal).catch((error: unknown) => broken('wait for the journal', error, signal));
    this.#parts.index.setCommittedThrough(through);
    this.#parts.index.commit();
    this.#parts.index.begin();
    this.#committedThrough = through;
    this.#dirtySinceMs = undefined;
    this.#uncommittedBytes = 0;
  }

  /**
   * The journal is durable up to `through`, and nothing after this recorder's last append is its own:
   * lets an idle engine keep up with a journal that others fill. Ignored while anything is under way.
   */
  advance(through: Sequence): void {
    if (this.#appending || this.#batch.length > 0 || through <= this.#committedThrough || through < this.#takenThrough) return;
    if (this.#takenThrough > this.#committedThrough) return;
    this.#takenThrough = through;
    this.#durableThrough = through;
    this.touch();
  }
}

function broken(deed: string, cause: unknown, signal?: AbortSignal): never {
  signal?.throwIfAborted();
  throw new JournalBrokenError(`${deed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** Whether an error came from the journal or the index: trying again cannot help before a restart. */
export function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return error instanceof JournalBrokenError || (code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT'));
}
