/** What the replica's tests share: databases that outlive a crash, a clock to be turned by hand, a replica over them. */
import { randomInt } from 'node:crypto';
import Sqlite, { type Database } from 'better-sqlite3';
import type { ChangeBody, Sequence } from '../../../proto/change.js';
import type { Clock } from '../../../native/host/clock.js';
import type { Directory, DirectoryOpener } from '../../../native/host/directory.js';
import type { Random } from '../../../native/host/random.js';
import type { ReplicaDatabases } from '../../../receiver/replica/databases.js';
import { JournalReplica, type JournalReplicaOptions } from '../../../receiver/replica/replica.js';
import type { ReplicaLogger } from '../../../receiver/replica/setting.js';
import { describeModel, describeTree, differences, type DescribeOptions } from './description.js';
import type { MemoryJournal } from './memory-journal.js';
import { Model } from './model.js';

/** SQLite in memory: what was committed outlives `crash`, what was not does not. */
export class MemoryDatabases implements ReplicaDatabases {
  readonly #databases = new Map<string, Database>();

  get names(): string[] {
    return [...this.#databases.keys()];
  }

  open(name: string): Database {
    let database = this.#databases.get(name);
    if (database === undefined) this.#databases.set(name, (database = new Sqlite(':memory:')));
    return database;
  }

  close(_name: string, database: Database): void {
    if (database.inTransaction) database.exec('ROLLBACK');
  }

  remove(name: string): void {
    this.#databases.get(name)?.close();
    this.#databases.delete(name);
  }

  crash(): void {
    for (const database of this.#databases.values()) if (database.inTransaction) database.exec('ROLLBACK');
  }
}

/** Time that passes only when told to; who waits is woken then. */
export class HandClock implements Clock {
  #nowMs = 1000;
  #waiting: { readonly atMs: number; readonly wake: () => void }[] = [];
  readonly #repeating = new Set<() => void>();

  wallNs(): bigint {
    return BigInt(Math.round(this.#nowMs)) * 1_000_000n;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      this.#waiting.push({ atMs: this.#nowMs + ms, wake: resolve });
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  every(_ms: number, run: () => void): () => void {
    this.#repeating.add(run);
    return () => this.#repeating.delete(run);
  }

  after(ms: number, run: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, wake: run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== entry);
    };
  }

  get sleepers(): number {
    return this.#waiting.length;
  }

  /** Lets time pass, and what it wakes run. */
  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { wake } of due) wake();
    for (const run of this.#repeating) run();
    await turns();
  }
}

/** Gives what is under way the time to go on. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface LoggedLine {
  readonly level: string;
  readonly fields: unknown;
  readonly message: string;
}

export function memoryLogger(lines: LoggedLine[] = []): ReplicaLogger {
  const log = (level: string) => (fields: unknown, message: string) => void lines.push({ level, fields, message });
  return { info: log('info'), warn: log('warn'), error: log('error') } as unknown as ReplicaLogger;
}

export type TestReplicaOptions = Partial<JournalReplicaOptions> & Pick<JournalReplicaOptions, 'directories' | 'databases'> & { readonly reader: MemoryJournal };

/** Small limits, so that short histories meet them. */
export const smallLimits = { intentAhead: 8, checkpointBytes: 60_000, settleBytes: 20_000, directoriesMax: 3, filesMax: 3, cacheNodesMax: 16 };

export function openReplica(options: TestReplicaOptions): Promise<JournalReplica> {
  return JournalReplica.open({ root: '/', clock: new HandClock(), logger: memoryLogger(), durableThrough: options.reader.last, asRoot: true, limits: smallLimits, ...options });
}

/** The model of a volume after all its changes up to a sequence. */
export function modelAt(journal: MemoryJournal, through: Sequence = journal.last): Model {
  const model = new Model();
  for (const { sequence, volume, body } of journal.changes) if (sequence <= through && volume === 1) model.apply(body);
  return model;
}

/** Differences between a volume's replica and what it should be; empty when there are none. */
export async function faults(opener: DirectoryOpener, path: string, model: Model, options?: DescribeOptions): Promise<string[]> {
  const root = await opener.openRoot(path);
  try {
    return differences(await describeTree(root, options), describeModel(model, options));
  } finally {
    await root.close();
  }
}

/** What is left in the staging directories of a volume, as text. */
export async function stagedEntries(home: Directory): Promise<string[]> {
  const found: string[] = [];
  for (const { name, stat } of await home.list()) {
    if (!name.toString().startsWith('staging-') || stat.kind !== 'directory') continue;
    const staging = await home.openDirectory(name);
    for (const entry of await staging.list()) found.push(entry.name.toString('latin1'));
    await staging.close();
  }
  return found.sort();
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff), fraction: () => next() / 2 ** 32 };
}

/** AFTERIMAGE_SEED when set, else a fresh one; printed, so that a failure can be replayed. */
export function seedOf(t: { comment(...parts: unknown[]): void }): number {
  const given = process.env['AFTERIMAGE_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  return seed;
}

/** Cuts changes into frames of random sizes and appends them. */
export function appendInFrames(journal: MemoryJournal, bodies: readonly ChangeBody[], random: Random): void {
  for (let at = 0; at < bodies.length; ) {
    const count = 1 + Math.floor(random.fraction() * 12);
    journal.append(bodies.slice(at, at + count));
    at += count;
  }
}
