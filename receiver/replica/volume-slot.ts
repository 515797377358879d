/** One volume of a journal's replica: which generation is applied to, and what is done when that fails. */
import { asSequence, noSequence, type Change, type Sequence, type VolumeId } from '../../proto/change.js';
import type { Directory } from '../../native/host/directory.js';
import { isDamagedDatabase, volumeDatabaseName } from './databases.js';
import { asDivergence, DivergenceError, isDiskFull } from './divergence.js';
import type { VolumeRecord } from './registry.js';
import type { ReplicaSetting } from './setting.js';
import type { VolumeReplicaState, VolumeReplicaStatus } from './status.js';
import { clearLeftovers, leftoverGenerations, openOrMake, putInPlace, removeContent, stagingName } from './volume-home.js';
import { diskFull } from './patience.js';
import { VolumeReplica } from './volume-replica.js';

/** The cause of a rebuild that somebody asked for. */
export const askedFor = 'asked for';

/** A volume's changes in a stretch of the journal that ends at `through`. */
export interface Batch {
  readonly changes: readonly Change[];
  readonly through: Sequence;
}

/** What a slot asks of the journal it is part of. */
export interface SlotJournal {
  /** Up to here changes were handed to all attached volumes. */
  readonly handedThrough: Sequence;
  readonly durableThrough: Sequence;
  read(volume: VolumeId, range: { readonly after: Sequence; readonly through: Sequence }): AsyncIterable<Batch>;
  /** Told when a volume came into step, or was given up. */
  onBrought(): void;
}

export class VolumeSlot {
  readonly #setting: ReplicaSetting;
  readonly #journal: SlotJournal;
  #record: VolumeRecord;
  #replica: VolumeReplica | undefined;
  /** It takes changes as they are read; otherwise it is brought to where the others are on its own. */
  #attached = false;
  #repairing = false;
  #stall: string | undefined;
  #bringing: Promise<void> | undefined;
  #rebuildWanted: string | undefined;
  #reported = noSequence;
  #closing = false;
  #roomMade: number | undefined;
  #removing: Promise<void> = Promise.resolve();
  #onAttempt: () => void = () => {};

  constructor(record: VolumeRecord, setting: ReplicaSetting, journal: SlotJournal) {
    this.#record = record;
    this.#setting = setting;
    this.#journal = journal;
  }

  get volume(): VolumeId {
    return this.#record.volume;
  }

  get record(): VolumeRecord {
    return this.#record;
  }

  get isAttached(): boolean {
    return this.#attached;
  }

  /** Whether it takes changes as they are read, but lacks some of those up to `through`. */
  missed(through: Sequence): boolean {
    return this.#attached && this.#replica !== undefined && this.#replica.appliedThrough < through;
  }

  get hasFailed(): boolean {
    return this.#bringing === undefined && this.#record.failure !== undefined;
  }

  /** What can be seen in the tree; while it is rebuilt, the old one. */
  get visibleThrough(): Sequence {
    return this.#replica === undefined || this.#record.rebuilding !== undefined ? this.#reported : this.#replica.visibleThrough;
  }

  rename(name: string): void {
    if (name !== this.#record.name) this.#put({ name });
  }

  /** Resolves when nothing is being brought up any more. */
  async whenBrought(): Promise<void> {
    while (this.#bringing !== undefined) await this.#bringing;
  }

  /** Hands over changes. A failure takes the volume out of step, and putting it right begins. */
  apply(batch: Batch): Promise<void> {
    return this.#guarded((replica) => replica.apply(batch.changes, batch.through));
  }

  settle(): Promise<void> {
    return this.#guarded(async (replica) => {
      await replica.settle();
      this.#report();
    });
  }

  checkpoint(options: { readonly idle: boolean }): Promise<void> {
    return this.#guarded((replica) => (options.idle ? replica.checkpoint(options) : replica.checkpointIfDue()));
  }

  /** A generation that has had no changes since its last checkpoint. */
  quiet(): { readonly volume: VolumeId; readonly generation: number; readonly through: Sequence } | undefined {
    const replica = this.#replica;
    if (!this.#attached || replica === undefined || replica.isDirty) return undefined;
    return { volume: this.volume, generation: this.#record.generation, through: replica.appliedThrough };
  }

  /** Brings the volume up to what was handed to the others, trying again until it can. Resolves after the first attempt. */
  bring(): Promise<void> {
    const attempted = new Promise<void>((resolve) => (this.#onAttempt = resolve));
    this.#attached = false;
    this.#bringing ??= this.#bring().finally(() => {
      this.#bringing = undefined;
      this.#onAttempt();
      this.#journal.onBrought();
      // It may have been taken out of step again just as this ended.
      const isDone = this.#attached || this.#record.failure !== undefined;
      if (!this.#closing && !this.#setting.signal.aborted && (!isDone || this.#rebuildWanted !== undefined)) void this.bring();
    });
    return attempted;
  }

  /** Has the volume made anew from the journal; resolves when it is, rejects when it cannot be. */
  async rebuild(cause: string): Promise<void> {
    this.#rebuildWanted = cause;
    void this.bring();
    await this.whenBrought();
    this.#setting.signal.throwIfAborted();
    if (this.#record.failure !== undefined) throw new DivergenceError(this.#record.failure);
  }

  status(): VolumeReplicaStatus {
    const { name, kind, rebuilds, rebuildCause, rebuilding, failure } = this.#record;
    const facts = this.#replica?.facts();
    const [state, reason] = this.#state();
    return {
      volume: this.volume,
      name,
      kind,
      state,
      reason,
      appliedThrough: this.visibleThrough,
      checkpointedThrough: this.#replica?.checkpointedThrough ?? noSequence,
      isUsable: failure === undefined && rebuilding === undefined && facts?.baseline === 'ended',
      rebuilds,
      rebuildCause,
      anomalies: facts?.anomalies ?? { count: 0, first: [] },
      notRepresented: facts?.notRepresented ?? { count: 0, first: [] },
    };
  }

  /** Ends, in good order unless something is under way, which the setting's signal must have ended. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.whenBrought();
    await this.#removing;
    const replica = this.#replica;
    const inOrder = this.#attached && this.#stall === undefined;
    this.#replica = undefined;
    this.#attached = false;
    if (replica === undefined) return;
    try {
      await (inOrder ? replica.close() : replica.abandon());
    } catch (error) {
      this.#setting.logger.warn({ volume: this.volume, reason: (error as Error).message }, 'the replica did not end in good order and is repaired at the next start');
    }
  }

  #state(): [VolumeReplicaState, string] {
    const { failure, rebuilding, rebuildCause } = this.#record;
    if (this.hasFailed && failure !== undefined) return ['failed', failure];
    if (this.#stall !== undefined) return ['stalled', this.#stall];
    if (rebuilding !== undefined || this.#rebuildWanted !== undefined) return ['rebuilding', this.#rebuildWanted ?? rebuildCause];
    if (!this.#attached) return [this.#repairing ? 'repairing' : 'catching-up', ''];
    const facts = this.#replica?.facts();
    if (facts?.retired !== undefined) return ['retired', facts.retired];
    return facts?.baseline === 'ended' ? ['live', ''] : ['filling', 'the first copy is not whole yet'];
  }

  async #guarded(run: (replica: VolumeReplica) => Promise<void>): Promise<void> {
    const replica = this.#replica;
    if (!this.#attached || replica === undefined) return;
    try {
      await run(replica);
    } catch (error) {
      // Whoever else met the failure, or took the replica away, sees to it.
      if (this.#closing || this.#replica !== replica || !this.#attached) return;
      this.#attached = false;
      await this.#letGo(error);
      void this.bring();
    }
  }

  /** Lets go of a replica that failed, and decides what is to become of it. */
  async #letGo(error: unknown): Promise<void> {
    const { logger } = this.#setting;
    const replica = this.#replica;
    this.#replica = undefined;
    await replica?.abandon();
    const cause = isDamagedDatabase(error) ? new DivergenceError(`the replica's own state is damaged: ${(error as Error).message}`, { cause: error }) : asDivergence(error);
    if (cause instanceof DivergenceError) {
      logger.error({ volume: this.volume, reason: cause.message }, 'the replica diverged');
      this.#rebuildWanted = cause.message;
    } else {
      this.#stalled(isDiskFull(error) ? diskFull : (error as Error).message);
    }
  }

  #stalled(reason: string | undefined): void {
    if (reason !== undefined && reason !== this.#stall) this.#setting.logger.warn({ volume: this.volume, reason }, 'the replica waits');
    if (reason === undefined && this.#stall !== undefined) this.#setting.logger.info({ volume: this.volume }, 'the replica goes on');
    this.#stall = reason;
    if (reason === undefined) return;
    this.#onAttempt();
    if (reason === diskFull) this.#makeRoom();
  }

  /** A tree that diverged is of no more use: what is rebuilt from the journal may need its space. */
  #makeRoom(): void {
    const { rebuilding, rebuildCause, kind, generation } = this.#record;
    if (rebuilding === undefined || rebuildCause === askedFor || this.#roomMade === rebuilding) return;
    this.#roomMade = rebuilding;
    this.#setting.logger.warn({ volume: this.volume }, 'the tree that diverged is removed to make room for the rebuilt one');
    const removing = async (): Promise<void> => {
      const home = await this.#openHome();
      try {
        await removeContent(home, { kind, generation });
      } finally {
        await home.close();
      }
    };
    this.#removing = removing().catch((error: unknown) => this.#setting.logger.warn({ volume: this.volume, reason: (error as Error).message }, 'the tree that diverged cannot be removed'));
  }

  async #bring(): Promise<void> {
    const { clock, signal, limits } = this.#setting;
    let waitMs = limits.retryMs;
    while (!this.#closing && !signal.aborted) {
      try {
        if (this.#stall !== undefined) {
          await clock.sleep(waitMs, signal);
          waitMs = Math.min(2 * waitMs, limits.retryLongestMs);
        }
        if (await this.#attempt()) return;
      } catch (error) {
        const isRebuilding = this.#record.rebuilding !== undefined && this.#rebuildWanted === undefined;
        if (signal.aborted || this.#closing) break;
        await this.#letGo(error);
        if (isRebuilding && this.#rebuildWanted !== undefined) {
          // Made of nothing but the journal and still wrong: making it again would be no better.
          this.#put({ failure: `the rebuild failed too: ${this.#rebuildWanted}` });
          this.#rebuildWanted = undefined;
          return;
        }
      }
    }
    const replica = this.#replica;
    this.#replica = undefined;
    await replica?.abandon();
  }

  /** True once attached, or when there is nothing more to try. */
  async #attempt(): Promise<boolean> {
    if (this.#rebuildWanted !== undefined) await this.#beginRebuild(this.#rebuildWanted);
    if (this.#record.failure !== undefined) return true;
    if (this.#record.swapping) await this.#finishSwap();
    this.#replica ??= await this.#open();
    const replica = this.#replica;
    await this.#catchUp(replica);
    this.#stalled(undefined);
    // A rebuild may have been asked for, or more been handed over, meanwhile.
    if (this.#rebuildWanted !== undefined || replica.appliedThrough < this.#journal.handedThrough) return false;
    if (this.#record.rebuilding !== undefined) {
      this.#replica = undefined;
      await replica.close();
      this.#put({ swapping: true });
      return false;
    }
    this.#attached = true;
    this.#report();
    return true;
  }

  async #beginRebuild(cause: string): Promise<void> {
    const replica = this.#replica;
    this.#replica = undefined;
    await replica?.abandon();
    const { generation, rebuilding, rebuilds } = this.#record;
    const next = Math.max(generation, rebuilding ?? 0) + 1;
    this.#setting.databases.remove(volumeDatabaseName(this.volume, next));
    this.#put({ rebuilding: next, swapping: false, rebuilds: rebuilds + 1, rebuildCause: cause, failure: undefined });
    this.#rebuildWanted = undefined;
    this.#stall = undefined;
    this.#setting.logger.info({ volume: this.volume, generation: next, cause }, 'the replica is rebuilt from the journal');
  }

  async #finishSwap(): Promise<void> {
    await this.#removing;
    const { kind, rebuilding } = this.#record;
    const home = await this.#openHome();
    try {
      await putInPlace(home, { kind, generation: rebuilding! });
    } finally {
      await home.close();
    }
    this.#put({ generation: rebuilding!, rebuilding: undefined, swapping: false });
    this.#setting.logger.info({ volume: this.volume, generation: rebuilding }, 'the rebuilt replica is in place');
  }

  async #open(): Promise<VolumeReplica> {
    const { databases, registry, clock, signal, limits, asRoot } = this.#setting;
    const { volume, kind, generation, rebuilding, definedAt } = this.#record;
    const home = await this.#openHome();
    try {
      if (rebuilding === undefined) await this.#clear(home);
    } catch (error) {
      await home.close();
      throw error;
    }
    try {
      return await VolumeReplica.open({
        volume, kind, home, databases, registry, clock, signal, limits, asRoot,
        generation: rebuilding ?? generation,
        beside: rebuilding !== undefined,
        startAfter: asSequence(definedAt - 1n),
        durableThrough: this.#journal.durableThrough,
        read: (range) => this.#changes(range),
        onStall: (reason) => this.#stalled(reason),
        onRepair: (range) => {
          this.#repairing = true;
          this.#setting.logger.info({ volume, ...range }, 'the replica is repaired after an unexpected end');
        },
      });
    } finally {
      this.#repairing = false;
    }
  }

  async #clear(home: Directory): Promise<void> {
    const { databases, registry } = this.#setting;
    const { volume, generation } = this.#record;
    if ((await home.lookup(stagingName(generation))) === undefined) return;
    // The databases first: their directories are what tells that there are any.
    for (const gone of await leftoverGenerations(home, this.#record)) {
      databases.remove(volumeDatabaseName(volume, gone));
      registry.forgetGeneration(volume, gone);
    }
    const staging = await home.openDirectory(stagingName(generation));
    try {
      await clearLeftovers(home, staging, this.#record);
    } finally {
      await staging.close();
    }
  }

  async #openHome(): Promise<Directory> {
    const { directories, root } = this.#setting;
    const directory = await directories.openRoot(root);
    try {
      return await openOrMake(directory, Buffer.from(`${this.volume}`));
    } finally {
      await directory.close();
    }
  }

  async #catchUp(replica: VolumeReplica): Promise<void> {
    const { limits, signal, clock } = this.#setting;
    let settledMs = clock.monotonicMs();
    while (replica.appliedThrough < this.#journal.handedThrough && this.#rebuildWanted === undefined) {
      for await (const { changes, through } of this.#journal.read(this.volume, { after: replica.appliedThrough, through: this.#journal.handedThrough })) {
        signal.throwIfAborted();
        if (this.#closing || this.#rebuildWanted !== undefined) return;
        await replica.apply(changes, through);
        await replica.checkpointIfDue();
        if (clock.monotonicMs() - settledMs < limits.settleMs) continue;
        await replica.settle();
        this.#report();
        settledMs = clock.monotonicMs();
      }
      await replica.settle();
    }
  }

  async *#changes(range: { readonly after: Sequence; readonly through: Sequence }): AsyncIterable<readonly Change[]> {
    for await (const { changes } of this.#journal.read(this.volume, range)) yield changes;
  }

  #report(): void {
    const through = this.visibleThrough;
    if (through <= this.#reported) return;
    this.#reported = through;
    this.#setting.onApplied(this.volume, through);
  }

  #put(changes: Partial<VolumeRecord>): void {
    this.#record = { ...this.#record, ...changes };
    this.#setting.registry.put(this.#record);
  }
}
