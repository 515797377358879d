/** The live copy of one journal: applies durable frames, in order, to a directory tree per volume. */
import { noSequence, type Change, type Sequence, type VolumeId } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import { frameChanges } from '../../proto/journal/frame.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import type { Clock } from '../../native/host/clock.js';
import type { DirectoryOpener } from '../../native/host/directory.js';
import { isDamagedDatabase, registryName, volumeDatabaseName, type ReplicaDatabases } from './databases.js';
import { defaultLimits, type ReplicaLimits } from './limits.js';
import { Registry } from './registry.js';
import type { ReplicaLogger, ReplicaSetting } from './setting.js';
import type { JournalReplicaStatus } from './status.js';
import { askedFor, VolumeSlot, type Batch } from './volume-slot.js';

export interface JournalReplicaOptions {
  readonly reader: JournalReader;
  readonly directories: DirectoryOpener;
  /** The directory below which each volume gets one of its own, named by its number; it exists. */
  readonly root: string;
  readonly databases: ReplicaDatabases;
  readonly clock: Clock;
  readonly logger: ReplicaLogger;
  /** The journal is durable up to here: what a replica applied before lies within. */
  readonly durableThrough: Sequence;
  /** Whether owners can be set. */
  readonly asRoot: boolean;
  readonly onApplied?: (volume: VolumeId, through: Sequence) => void;
  /** Told whenever `appliedThrough` has grown. */
  readonly onProgress?: (through: Sequence) => void;
  /** Runs one stretch of work; lets many journals take turns. */
  readonly inTurn?: <Result>(run: () => Promise<Result>) => Promise<Result>;
  readonly limits?: Partial<ReplicaLimits>;
}

export class JournalReplica implements AsyncDisposable {
  readonly #options: JournalReplicaOptions;
  readonly #limits: ReplicaLimits;
  readonly #setting: ReplicaSetting;
  readonly #stop = new AbortController();
  readonly #slots = new Map<VolumeId, VolumeSlot>();
  readonly #stopTicking: () => void;
  #handed: Sequence;
  #target: Sequence;
  #quietThrough: Sequence;
  #pumping: Promise<void> | undefined;
  #ticking: Promise<void> | undefined;
  #reason = '';
  #progress = noSequence;
  #lastWorkMs: number;
  #quietMs: number;
  #resting = false;
  #closing = false;

  /** Opens what an earlier process left. Nothing is applied before `applyThrough`, but repairs begin. */
  static async open(options: JournalReplicaOptions): Promise<JournalReplica> {
    const replica = new JournalReplica(options);
    // Repairs run by themselves, so that one volume's does not hold up another's changes.
    for (const slot of replica.#slots.values()) void slot.bring();
    return replica;
  }

  private constructor(options: JournalReplicaOptions) {
    const { directories, root, databases, clock, logger, asRoot } = options;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#lastWorkMs = this.#quietMs = clock.monotonicMs();
    const registry = openRegistry(databases, logger);
    this.#setting = { directories, root, databases, registry, clock, logger, asRoot, signal: this.#stop.signal, limits: this.#limits, onApplied: (volume, through) => this.#noteApplied(volume, through) };
    this.#handed = this.#quietThrough = registry.readThrough;
    this.#target = options.durableThrough;
    // The journal may have been replaced by an older copy; what it lacks is then rebuilt volume by volume.
    if (this.#handed > this.#target) this.#handed = this.#target;
    for (const record of registry.volumes()) this.#slots.set(record.volume, this.#slot(record));
    this.#stopTicking = clock.every(this.#limits.tickMs, () => this.#tick());
  }

  /** Visible in all trees that are applied to. */
  get appliedThrough(): Sequence {
    let least = this.#handed;
    for (const slot of this.#slots.values()) {
      if (!slot.hasFailed && slot.visibleThrough < least) least = slot.visibleThrough;
    }
    return least;
  }

  /** Says that the journal is durable up to `through`: it is applied as soon as may be. Never waits. */
  notifyDurable(through: Sequence): void {
    if (through > this.#target) this.#target = through;
    if (!this.#closing && this.#handed < this.#target) this.#startPump();
    else this.#noteProgress();
  }

  /** Applies what is durable up to `through`; resolves when it is visible in every volume that has not failed. */
  async applyThrough(through: Sequence): Promise<void> {
    this.notifyDurable(through);
    while (!this.#closing && this.#isBehind(through)) {
      if (this.#handed < through) this.#startPump();
      await this.#pumping;
      for (const slot of this.#slots.values()) await slot.whenBrought();
    }
    this.#stop.signal.throwIfAborted();
  }

  /** Has a volume made anew from the journal; resolves when it is. */
  async rebuild(volume: VolumeId, cause = askedFor): Promise<void> {
    const slot = this.#slots.get(volume);
    if (slot === undefined) throw new UsageError(`the journal has no volume ${volume}, or it was not read that far yet`);
    await slot.rebuild(cause);
  }

  /** Whether the journal was found to define a volume, as far as it was read. */
  has(volume: VolumeId): boolean {
    return this.#slots.has(volume);
  }

  status(): JournalReplicaStatus {
    return {
      journal: this.#options.reader.journal.toString('hex'),
      appliedThrough: this.appliedThrough,
      targetThrough: this.#target,
      reason: this.#reason,
      volumes: [...this.#slots.values()].map((slot) => slot.status()),
    };
  }

  /** Ends in good order: everything applied is made durable, unless a volume is busy being brought in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#stopTicking();
    // Ends waits and what is being brought up; what is attached is closed in order all the same.
    this.#stop.abort();
    await this.#pumping;
    await this.#ticking;
    this.#noteQuiet();
    for (const slot of this.#slots.values()) await slot.close();
    this.#setting.databases.close(registryName, this.#setting.registry.database);
  }

  #noteApplied(volume: VolumeId, through: Sequence): void {
    this.#options.onApplied?.(volume, through);
    this.#noteProgress();
  }

  #noteProgress(): void {
    const through = this.appliedThrough;
    if (through <= this.#progress) return;
    this.#progress = through;
    this.#options.onProgress?.(through);
  }

  #startPump(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
  }

  #isBehind(through: Sequence): boolean {
    if (this.#handed < through) return true;
    return [...this.#slots.values()].some((slot) => !slot.hasFailed && slot.visibleThrough < through);
  }

  #slot(record: VolumeSlot['record']): VolumeSlot {
    const handed = (): Sequence => this.#handed;
    const durable = (): Sequence => this.#target;
    return new VolumeSlot(record, this.#setting, {
      get handedThrough() {
        return handed();
      },
      get durableThrough() {
        return durable();
      },
      read: (volume, range) => this.#read(volume, range),
      onBrought: () => this.#noteProgress(),
    });
  }

  /** Reads on until the target is reached; waits out whatever keeps the journal from being read. */
  async #pump(): Promise<void> {
    const { clock, logger } = this.#options;
    let waitMs = this.#limits.retryMs;
    while (!this.#closing && this.#handed < this.#target) {
      const before = this.#handed;
      try {
        await this.#inTurn(() => this.#stretch());
        if (this.#handed === before) throw new Error(`the journal has nothing to read after sequence ${before}, though it is durable up to ${this.#target}`);
        this.#reason = '';
        waitMs = this.#limits.retryMs;
      } catch (error) {
        if (this.#closing || this.#stop.signal.aborted) return;
        const reason = (error as Error).message;
        if (reason !== this.#reason) logger.warn({ reason }, 'the journal cannot be applied; trying again');
        this.#reason = reason;
        await clock.sleep(waitMs, this.#stop.signal).catch(() => {});
        waitMs = Math.min(2 * waitMs, this.#limits.retryLongestMs);
      }
    }
  }

  /** Hands over frames for a while, then makes what was applied visible. */
  async #stretch(): Promise<void> {
    const { clock, reader } = this.#options;
    const beganMs = clock.monotonicMs();
    let bytes = 0;
    try {
      for await (const { frame } of reader.frames({ after: this.#handed, through: this.#target, signal: this.#stop.signal })) {
        const { changes } = frameChanges(frame);
        const last = frame.header.lastSequence < this.#target ? frame.header.lastSequence : this.#target;
        await this.#hand(changes.filter(({ sequence }) => sequence > this.#handed && sequence <= last), last);
        bytes += frame.header.rawLength;
        if (this.#closing || bytes >= this.#limits.settleBytes || clock.monotonicMs() - beganMs >= this.#limits.settleMs) break;
      }
    } finally {
      await this.#eachAttached((slot) => slot.settle());
      await this.#eachAttached((slot) => slot.checkpoint({ idle: false }));
      this.#lastWorkMs = clock.monotonicMs();
      this.#resting = false;
      this.#noteProgress();
    }
  }

  async #hand(changes: readonly Change[], through: Sequence): Promise<void> {
    const batches = new Map<VolumeId, Change[]>();
    for (const change of changes) {
      if (change.body.kind === 'volume') await this.#define(change);
      const batch = batches.get(change.volume);
      if (batch === undefined) batches.set(change.volume, [change]);
      else batch.push(change);
    }
    const attached = [...this.#slots.values()].filter((slot) => slot.isAttached);
    await Promise.all(attached.map((slot) => slot.apply({ changes: batches.get(slot.volume) ?? [], through })));
    this.#handed = through;
    // Those that came into step meanwhile, for the first time or again, missed this.
    for (const slot of this.#slots.values()) if (slot.missed(through)) void slot.bring();
  }

  async #define({ volume, sequence, body }: Change): Promise<void> {
    if (body.kind !== 'volume') return;
    const known = this.#slots.get(volume);
    if (known !== undefined) {
      known.rename(body.name);
      if (known.record.kind !== body.volumeKind) this.#options.logger.warn({ volume, sequence: String(sequence) }, 'a volume cannot become one of another kind; the replica keeps it as it was');
      return;
    }
    const { databases, registry } = this.#setting;
    // Without a registry entry nothing that lies there can be trusted.
    databases.remove(volumeDatabaseName(volume, 1));
    registry.put({ volume, kind: body.volumeKind, name: body.name, definedAt: sequence, generation: 1, rebuilding: undefined, swapping: false, rebuilds: 0, rebuildCause: '', failure: undefined });
    const slot = this.#slot(registry.volume(volume)!);
    this.#slots.set(volume, slot);
    await slot.bring();
  }

  async *#read(volume: VolumeId, { after, through }: { readonly after: Sequence; readonly through: Sequence }): AsyncIterable<Batch> {
    let reached = after;
    for await (const { frame } of this.#options.reader.frames({ after, through, signal: this.#stop.signal })) {
      const last = frame.header.lastSequence < through ? frame.header.lastSequence : through;
      const changes = frameChanges(frame).changes.filter((change) => change.volume === volume && change.sequence > after && change.sequence <= last);
      reached = last;
      yield { changes, through: last };
    }
    if (reached < through) throw new Error(`the journal has nothing to read after sequence ${reached}, though it is durable up to ${through}`);
  }

  #tick(): void {
    if (this.#ticking !== undefined || this.#closing) return;
    this.#ticking = this.#sweep().finally(() => (this.#ticking = undefined));
  }

  /** Makes checkpoints that are due; when nothing comes any more, leaves nothing to repair. */
  async #sweep(): Promise<void> {
    const idle = this.#pumping === undefined && this.#options.clock.monotonicMs() - this.#lastWorkMs >= 2 * this.#limits.tickMs;
    if (!idle) {
      await this.#eachAttached((slot) => slot.checkpoint({ idle: false }));
      if (this.#options.clock.monotonicMs() - this.#quietMs >= this.#limits.quietMs) this.#noteQuiet();
      return;
    }
    if (this.#resting) return;
    this.#resting = true;
    await this.#eachAttached((slot) => slot.checkpoint({ idle: true }));
    this.#noteQuiet();
  }

  /** Lets the next start begin to read here. */
  #noteQuiet(): void {
    this.#quietMs = this.#options.clock.monotonicMs();
    if (this.#handed === this.#quietThrough) return;
    const quiet = [...this.#slots.values()].flatMap((slot) => slot.quiet() ?? []);
    this.#setting.registry.setQuiet(this.#handed, quiet);
    this.#quietThrough = this.#handed;
  }

  async #eachAttached(run: (slot: VolumeSlot) => Promise<void>): Promise<void> {
    for (const slot of this.#slots.values()) if (slot.isAttached) await run(slot);
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    return this.#options.inTurn === undefined ? run() : this.#options.inTurn(run);
  }
}

/** Opens the registry; one that is damaged is begun anew, and the volumes with it. */
function openRegistry(databases: ReplicaDatabases, logger: ReplicaLogger): Registry {
  for (let attempt = 0; ; attempt += 1) {
    const database = databases.open(registryName);
    try {
      return new Registry(database);
    } catch (error) {
      databases.close(registryName, database);
      if (attempt > 0 || !isDamagedDatabase(error)) throw error;
      logger.error({ reason: (error as Error).message }, 'the registry of the replica is damaged; all volumes are made anew');
      databases.remove(registryName);
    }
  }
}

