/** One generation of one volume's replica: applies changes in order, makes checkpoints, and recovers from any end of its process. */
import type { Database } from '../../native/host/database.js';
import { asSequence, isControl, rootNode, type Change, type Sequence, type VolumeId, type VolumeKind } from '../../proto/change.js';
import { payloadBytes } from '../../proto/wire/convert.js';
import { plantRoot } from '../../proto/tree/namespace.js';
import type { Clock } from '../../native/host/clock.js';
import type { Directory } from '../../native/host/directory.js';
import { CloneGuard } from './clone-guard.js';
import { prepareDatabase, volumeDatabaseName, type ReplicaDatabases } from './databases.js';
import { DeviceBody, imageName } from './device-body.js';
import { Deviations, DivergenceError, type DeviationList } from './divergence.js';
import type { ReplicaLimits } from './limits.js';
import { Patience } from './patience.js';
import type { Registry } from './registry.js';
import { SqliteNamespace } from './sqlite-namespace.js';
import { TreeBody } from './tree-body.js';
import type { VolumeBody } from './volume-body.js';
import { makeGeneration, openGeneration, type GenerationPlace } from './volume-home.js';

export interface VolumeReplicaOptions {
  readonly volume: VolumeId;
  readonly kind: VolumeKind;
  readonly generation: number;
  /** It is being built beside the generation to be seen. */
  readonly beside: boolean;
  /** Where a new generation begins: the sequence before the volume's definition. */
  readonly startAfter: Sequence;
  /** The journal is durable up to here at least; what an earlier process applied lies within. */
  readonly durableThrough: Sequence;
  /** The volume's directory; taken over. */
  readonly home: Directory;
  readonly databases: ReplicaDatabases;
  readonly registry: Registry;
  /** The volume's changes of a range, for redoing. */
  readonly read: (range: { readonly after: Sequence; readonly through: Sequence }) => AsyncIterable<readonly Change[]>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limits: ReplicaLimits;
  readonly asRoot: boolean;
  readonly onStall: (reason: string | undefined) => void;
  /** Told before and after what an earlier process left is repaired. */
  readonly onRepair?: (range: { readonly after: Sequence; readonly through: Sequence }) => void;
}

/** Where the copy of the volume stands: not begun, being made, or whole. */
export type BaselineState = 'none' | 'begun' | 'ended';

export interface VolumeFacts {
  readonly baseline: BaselineState;
  readonly retired: string | undefined;
  readonly anomalies: DeviationList;
  readonly notRepresented: DeviationList;
}

interface StoredFacts {
  baseline: BaselineState;
  retired?: string;
  anomalies: DeviationList;
  notRepresented: DeviationList;
}

export class VolumeReplica {
  readonly #options: VolumeReplicaOptions;
  readonly #database: Database;
  readonly #namespace: SqliteNamespace;
  readonly #guard = new CloneGuard();
  readonly #patience: Patience;
  #place: GenerationPlace | undefined;
  #body: VolumeBody | undefined;
  #anomalies = new Deviations();
  #deviations = new Deviations();
  #baseline: BaselineState = 'none';
  #retired: string | undefined;
  #applied: Sequence;
  #visible: Sequence;
  #committed: Sequence;
  #intended: Sequence;
  #dirtySinceMs: number | undefined;
  #bytes = 0;
  #unsettled = false;
  #broken: unknown;
  #closed = false;
  /** Operations run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** Opens a generation, making it when it is new, and repairs what an earlier process left unfinished. */
  static async open(options: VolumeReplicaOptions): Promise<VolumeReplica> {
    const name = volumeDatabaseName(options.volume, options.generation);
    const database = options.databases.open(name);
    let replica: VolumeReplica | undefined;
    try {
      prepareDatabase(database);
      replica = new VolumeReplica(options, database);
      await replica.#begin();
      return replica;
    } catch (error) {
      if (replica !== undefined) await replica.abandon();
      else {
        options.databases.close(name, database);
        await options.home.close();
      }
      throw error;
    }
  }

  private constructor(options: VolumeReplicaOptions, database: Database) {
    const { volume, generation, registry, clock, limits, signal, onStall } = options;
    this.#options = options;
    this.#database = database;
    this.#namespace = new SqliteNamespace(database, { cacheNodesMax: limits.cacheNodesMax });
    this.#patience = new Patience({ clock, retryMs: limits.fullRetryMs, signal, onStall });
    const { intendedThrough, quietThrough } = registry.reach(volume, generation);
    const stored = this.#namespace.fact('applied');
    const applied = stored === undefined ? options.startAfter : asSequence(BigInt(stored));
    this.#applied = this.#committed = stored !== undefined && quietThrough > applied ? quietThrough : applied;
    this.#visible = this.#applied;
    this.#intended = intendedThrough;
  }

  /** Changes up to here are applied, though perhaps not to be seen yet. */
  get appliedThrough(): Sequence {
    return this.#applied;
  }

  /** Changes up to here are to be seen in the tree. */
  get visibleThrough(): Sequence {
    return this.#visible;
  }

  /** Changes up to here survive power loss without being applied again. */
  get checkpointedThrough(): Sequence {
    return this.#committed;
  }

  get isDirty(): boolean {
    return this.#dirtySinceMs !== undefined;
  }

  facts(): VolumeFacts {
    return { baseline: this.#baseline, retired: this.#retired, anomalies: this.#anomalies.list(), notRepresented: this.#deviations.list() };
  }

  /** Applies the volume's changes; `through` is where the journal was read to. */
  apply(changes: readonly Change[], through: Sequence): Promise<void> {
    return this.#inTurn(async () => {
      for (const change of changes) if (change.sequence > this.#applied) await this.#apply(change, through);
      if (through > this.#applied) this.#applied = through;
      if (!this.#unsettled) this.#visible = this.#applied;
    });
  }

  /** Makes all that was applied visible. */
  settle(): Promise<Sequence> {
    return this.#inTurn(async () => {
      await this.#settle();
      return this.#visible;
    });
  }

  /** Makes all that was applied survive power loss. With `idle`, nothing is expected to follow soon. */
  checkpoint(options: { readonly idle: boolean }): Promise<void> {
    return this.#inTurn(async () => {
      if (this.isDirty) await this.#checkpoint();
      if (options.idle) await this.#rest();
    });
  }

  /** Makes a checkpoint when one is due. */
  checkpointIfDue(): Promise<void> {
    const { clock, limits } = this.#options;
    if (this.#dirtySinceMs === undefined) return Promise.resolve();
    if (this.#bytes < limits.checkpointBytes && clock.monotonicMs() - this.#dirtySinceMs < limits.checkpointMs) return Promise.resolve();
    return this.checkpoint({ idle: false });
  }

  /** Ends in good order: what was applied needs no repair. */
  async close(): Promise<void> {
    try {
      await this.checkpoint({ idle: true });
    } finally {
      await this.abandon();
    }
  }

  /** Ends at once, as a killed process would: what was applied since the last checkpoint is redone when it is next opened. */
  async abandon(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last.catch(() => {});
    const { databases, volume, generation } = this.#options;
    try {
      this.#namespace.abandon();
    } finally {
      databases.close(volumeDatabaseName(volume, generation), this.#database);
      await this.#body?.close();
      await this.#place?.close();
      await this.#options.home.close();
    }
  }

  async #begin(): Promise<void> {
    const { durableThrough, startAfter } = this.#options;
    if (this.#namespace.fact('applied') === undefined) {
      await this.#make();
      return;
    }
    this.#readFacts();
    if (this.#committed > durableThrough && this.#committed > startAfter) throw new DivergenceError(`the journal ends at sequence ${durableThrough}, before what was applied (${this.#committed})`);
    this.#place = await openGeneration(this.#options.home, this.#options);
    this.#body = await this.#openBody();
    const through = this.#intended < durableThrough ? this.#intended : durableThrough;
    if (through > this.#committed) await this.#redo(through);
    // Opening may have had to loosen the root's mode.
    else await this.#body.settle();
  }

  async #make(): Promise<void> {
    const { kind, home } = this.#options;
    this.#place = await makeGeneration(home, this.#options);
    plantRoot(this.#namespace);
    const found = kind === 'tree' ? await this.#place.content.stat() : await this.#place.content.lookup(imageName);
    if (found === undefined) throw new DivergenceError('the image is gone');
    this.#namespace.setMark(rootNode, { ino: found.ino, birthNs: found.birthNs });
    this.#body = await this.#openBody();
    await this.#checkpoint();
  }

  async #openBody(): Promise<VolumeBody> {
    const { kind, asRoot, limits } = this.#options;
    const { content, staging } = this.#place!;
    const shared = { patience: this.#patience, deviations: this.#deviations, signal: this.#options.signal };
    if (kind === 'tree') return TreeBody.open({ ...shared, namespace: this.#namespace, tree: content, staging, asRoot, directoriesMax: limits.directoriesMax, filesMax: limits.filesMax });
    const mark = this.#namespace.mark(rootNode);
    if (mark === undefined) throw new DivergenceError('the image was never made');
    return DeviceBody.open({ ...shared, directory: content, mark });
  }

  async #redo(through: Sequence): Promise<void> {
    const { read, onRepair } = this.#options;
    const after = this.#committed;
    onRepair?.({ after, through });
    const range = { after, through };
    this.#applied = await this.#body!.redo({
      ...range,
      read: () => this.#noting(read(range)),
      onAnomaly: (change, anomaly) => this.#anomalies.note(`sequence ${change.sequence}`, anomaly),
    });
    await this.#checkpoint();
  }

  async *#noting(batches: AsyncIterable<readonly Change[]>): AsyncIterable<readonly Change[]> {
    for await (const changes of batches) {
      for (const change of changes) this.#note(change);
      yield changes;
    }
  }

  async #apply(change: Change, through: Sequence): Promise<void> {
    const { registry, volume, generation, limits, clock } = this.#options;
    const { sequence, body } = change;
    if (this.#guard.blocks(body, () => this.#body!.displaces(body))) await this.#checkpoint();
    this.#note(change);
    // What says nothing of names, content or the volume's own standing leaves nothing to be made durable.
    if (isControl(body) && body.kind !== 'baseline' && body.kind !== 'retired' && body.kind !== 'volume') {
      this.#applied = sequence;
      return;
    }
    if (sequence > this.#intended) {
      this.#intended = asSequence((through > sequence ? through : sequence) + BigInt(limits.intentAhead));
      registry.setIntent(volume, generation, this.#intended);
    }
    this.#dirtySinceMs ??= clock.monotonicMs();
    this.#unsettled = true;
    const { anomaly } = await this.#body!.apply(body);
    if (anomaly !== undefined) this.#anomalies.note(`sequence ${sequence}`, anomaly);
    this.#guard.note(body);
    this.#applied = sequence;
    this.#bytes += payloadBytes(change);
  }

  /** Keeps book of what says something about the volume as a whole. */
  #note({ body }: Change): void {
    if (body.kind === 'baseline') this.#baseline = body.edge === 'end' ? 'ended' : this.#baseline === 'none' ? 'begun' : this.#baseline;
    else if (body.kind === 'retired') this.#retired = body.cause;
    else if (body.kind === 'volume') this.#retired = undefined;
  }

  async #settle(): Promise<void> {
    if (this.#unsettled) await this.#body!.settle();
    this.#unsettled = false;
    this.#visible = this.#applied;
  }

  async #checkpoint(): Promise<void> {
    this.#unsettled = true;
    await this.#settle();
    await this.#body!.sync();
    const facts: StoredFacts = {
      baseline: this.#baseline,
      ...(this.#retired === undefined ? {} : { retired: this.#retired }),
      anomalies: this.#anomalies.list(),
      notRepresented: this.#deviations.list(),
    };
    this.#namespace.setFact('facts', JSON.stringify(facts));
    this.#namespace.setFact('applied', this.#applied.toString());
    this.#namespace.commit();
    this.#committed = this.#applied;
    this.#guard.reset();
    this.#dirtySinceMs = undefined;
    this.#bytes = 0;
  }

  /** Nothing follows for now: a restart need not look for what might have been applied. */
  async #rest(): Promise<void> {
    const { registry, volume, generation } = this.#options;
    if (this.#intended > this.#committed) {
      this.#intended = this.#committed;
      registry.setIntent(volume, generation, this.#intended);
    }
    await this.#body!.rest();
  }

  #readFacts(): void {
    const text = this.#namespace.fact('facts');
    if (text === undefined) return;
    const facts = JSON.parse(text) as StoredFacts;
    this.#baseline = facts.baseline;
    this.#retired = facts.retired;
    this.#anomalies = new Deviations(facts.anomalies);
    this.#deviations = new Deviations(facts.notRepresented);
  }

  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(async () => {
      if (this.#broken !== undefined) throw this.#broken;
      if (this.#closed) throw new Error('the volume replica is closed');
      try {
        return await run();
      } catch (error) {
        // What it was in the middle of is not known: only opening it again puts it right.
        this.#broken = error ?? new Error('unknown failure');
        throw error;
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
