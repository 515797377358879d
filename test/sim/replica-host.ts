/** The replica in a simulated world: its tree and databases outlive the process, as far as a disk would have them. */
import Database from 'better-sqlite3';
import { MemoryTree, type MemorySnapshot } from '../../native/host/memory-directory.js';
import { noSequence, type Sequence, type VolumeId } from '../../proto/change.js';
import type { ReplicaDatabases } from '../../receiver/replica/databases.js';
import { JournalReplica } from '../../receiver/replica/replica.js';
import type { Chance } from './chance.js';
import type { Oracle } from './oracle.js';
import type { CrashKind, SimProcess } from './process.js';
import type { ReplicaSlot } from './receiver-host.js';
import { ReplicaTruth } from './replica-truth.js';
import type { Scheduler } from './scheduler.js';
import { diskError } from './sim-disk.js';
import { worldLogger } from './world-log.js';

export interface ReplicaHostOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly oracle: Oracle;
  readonly fired: (fault: string) => void;
}

/** What needs space, and so fails when there is none. */
const growing: ReadonlySet<string> = new Set(['write', 'createFile', 'makeDirectory', 'makeSymlink', 'makeSpecial', 'link', 'setXattr']);
/** States since the last sync that a power cut may go back to. */
const snapshotsMax = 6;

type Follower = Awaited<ReturnType<ReplicaSlot['start']>>;

export class ReplicaHost implements ReplicaSlot {
  readonly #options: ReplicaHostOptions;
  readonly #tree: MemoryTree;
  readonly #databases = new SimDatabases();
  readonly #truth: ReplicaTruth;
  /** The first is what the last sync made durable. */
  #snapshots: MemorySnapshot[];
  #fullUntilUs = 0;
  #process: SimProcess | undefined;
  #replica: JournalReplica | undefined;
  faults = { fails: 0, full: 0 };

  constructor(options: ReplicaHostOptions) {
    this.#options = options;
    this.#tree = new MemoryTree({ onOperation: (name) => this.#operation(name) });
    this.#snapshots = [this.#tree.snapshot()];
    this.#truth = new ReplicaTruth(options.oracle);
  }

  async start({ process, reader, applied }: Parameters<ReplicaSlot['start']>[0]): Promise<Follower> {
    const { scheduler } = this.#options;
    this.#process = process;
    process.onDeath((kind) => this.#die(kind));
    const replica = await JournalReplica.open({
      reader, directories: this.#tree, root: '/', databases: this.#databases, clock: process.clock, asRoot: true,
      logger: worldLogger(scheduler, 'replica') as never,
      durableThrough: await reader.lastSequence(),
      limits: { intentAhead: 10, checkpointBytes: 20_000, checkpointMs: 3000, settleBytes: 5000, settleMs: 20, directoriesMax: 2, filesMax: 2, cacheNodesMax: 8 },
      onApplied: (volume, through) => {
        this.#check(volume, through);
        applied(replica.appliedThrough);
      },
    });
    this.#replica = replica;
    let isFollowing = false;
    const follow = async (): Promise<void> => {
      if (isFollowing) return;
      isFollowing = true;
      for (let target = await reader.lastSequence(); replica.appliedThrough < target; target = await reader.lastSequence()) {
        await replica.applyThrough(target);
        applied(replica.appliedThrough);
      }
      isFollowing = false;
    };
    let isStopped = false;
    return {
      poke: () => {
        if (!isStopped) follow().catch((error: unknown) => (isStopped ? undefined : scheduler.fail(`the replica ended: ${(error as Error).stack}`, error)));
      },
      through: () => replica.appliedThrough,
      stop: async () => {
        isStopped = true;
        this.#replica = undefined;
        await replica[Symbol.asyncDispose]();
      },
    };
  }

  isDrained(through: Sequence): boolean {
    return (this.#replica?.appliedThrough ?? noSequence) >= through;
  }

  /** At the end, when all is applied. */
  verify(): void {
    const { scheduler } = this.#options;
    const replica = this.#replica!;
    for (const { volume, state, anomalies, notRepresented, rebuilds, rebuildCause, appliedThrough } of replica.status().volumes) {
      for (let count = 0; count < rebuilds; count += 1) this.#options.fired('replica: rebuilt');
      if (rebuilds > 0) scheduler.note(`replica: volume ${volume} was rebuilt ${rebuilds} times: ${rebuildCause}`);
      if (state !== 'live') scheduler.fail(`the replica of volume ${volume} is ${state}`);
      for (const { where, what } of [...anomalies.first, ...notRepresented.first]) scheduler.fail(`the replica of volume ${volume} deviates: ${where}: ${what}`);
      this.#check(volume, appliedThrough);
    }
  }

  /** The tree of a volume is what its changes through a sequence make. */
  #check(volume: VolumeId, through: Sequence): void {
    const fault = this.#truth.fault(this.#tree.snapshot(), volume, through);
    if (fault !== undefined) this.#options.scheduler.fail(`the replica of volume ${volume} is not as of ${through}: ${fault}`);
  }

  #operation(name: string): Promise<void> | undefined {
    const { chance, scheduler, fired } = this.#options;
    const process = this.#process!;
    if (chance.fraction() < this.faults.full) {
      this.#fullUntilUs = scheduler.nowUs + chance.pick([1000, 5_000_000]);
      fired('replica: tree full');
    }
    const error = growing.has(name) && scheduler.nowUs < this.#fullUntilUs ? diskError('ENOSPC', name, 'the tree') : chance.fraction() < this.faults.fails ? diskError('EIO', name, 'the tree') : undefined;
    if (error?.code === 'EIO') fired('replica: operation fails');
    if (error !== undefined) throw error;
    if (name !== 'syncTree' && name !== 'datasync' && chance.below(3) > 0) {
      this.#remember();
      return undefined;
    }
    return new Promise((resolve) => {
      process.later(20 + chance.fraction() ** 3 * 3000, `tree ${name}`, () => {
        if (name === 'syncTree') this.#snapshots = [this.#tree.snapshot()];
        else this.#remember();
        resolve();
      });
    });
  }

  /** Now and then, before something changes: power may go at any time. */
  #remember(): void {
    if (!this.#options.chance.oneIn(8)) return;
    if (this.#snapshots.length >= snapshotsMax) this.#snapshots.splice(1, 1);
    this.#snapshots.push(this.#tree.snapshot());
  }

  #die(kind: CrashKind): void {
    this.#replica = undefined;
    this.#databases.rollBack();
    // A restored tree, even one as it is now, has lost its open handles.
    this.#tree.restore(kind === 'power' && !this.#options.chance.oneIn(3) ? this.#options.chance.pick(this.#snapshots) : this.#tree.snapshot());
    if (kind === 'power') this.#snapshots = [this.#tree.snapshot()];
  }
}

/** Commits survive whatever happens, as `synchronous = FULL` has it; what is not committed does not. */
class SimDatabases implements ReplicaDatabases {
  readonly #databases = new Map<string, Database.Database>();

  open(name: string): Database.Database {
    let database = this.#databases.get(name);
    if (database === undefined) {
      database = new Database(':memory:');
      this.#databases.set(name, database);
    }
    return database;
  }

  close(_name: string, database: Database.Database): void {
    if (database.inTransaction) database.exec('ROLLBACK');
  }

  remove(name: string): void {
    this.#databases.get(name)?.close();
    this.#databases.delete(name);
  }

  rollBack(): void {
    for (const database of this.#databases.values()) if (database.inTransaction) database.exec('ROLLBACK');
  }
}
