/** The worker thread's end of the replica: opens a journal's replica when it is first heard of, and answers questions. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import type { Sequence, VolumeId } from '../../proto/change.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import type { Clock } from '../../native/host/clock.js';
import type { DirectoryOpener } from '../../native/host/directory.js';
import { FileDatabases } from './file-databases.js';
import { JournalReplica } from './replica.js';
import type { ReplicaLogger } from './setting.js';
import type { JournalReplicaStatus } from './status.js';
import { Turns } from './turns.js';
import type { Answer, FromWorker, LogLevel, ToWorker, WorkerSetup } from './worker-messages.js';

export interface WorkerHostOptions {
  readonly setup: WorkerSetup;
  readonly port: MessagePort;
  readonly directories: DirectoryOpener;
  readonly clock: Clock;
  readonly asRoot: boolean;
  /** Reads a journal, named in lower-case hexadecimal. */
  readonly openReader: (journal: string) => JournalReader;
}

/** Journals that read and apply at once; the others wait their turn, which bounds memory. */
const atOnce = 4;
const reportMs = 1000;

export class WorkerHost {
  readonly #options: WorkerHostOptions;
  readonly #turns = new Turns(atOnce);
  readonly #replicas = new Map<string, Promise<JournalReplica>>();
  readonly #reported = new Map<string, string>();

  constructor(options: WorkerHostOptions) {
    this.#options = options;
  }

  /** Serves until told to stop. Rejects when something fails that the thread cannot go on after. */
  async run(): Promise<void> {
    const { port, clock } = this.#options;
    const stopReporting = clock.every(reportMs, () => void this.#reportAll());
    try {
      await new Promise<void>((resolve, reject) => {
        port.on('message', (message: ToWorker) => {
          this.#hear(message, resolve).catch(reject);
        });
      });
    } finally {
      stopReporting();
      port.close();
    }
  }

  async #hear(message: ToWorker, stopped: () => void): Promise<void> {
    switch (message.kind) {
      case 'durable':
        this.#tell({ kind: 'heard' });
        await Promise.all([...message.through].map(async ([journal, through]) => (await this.#replica(journal, through)).notifyDurable(through)));
        break;
      case 'status':
        await this.#answer(message.id, async () => ({ statuses: (await this.#opened()).map((replica) => replica.status()) }));
        break;
      case 'rebuild':
        await this.#answer(message.id, async () => ({ path: await this.#rebuild(message.journal, message.volume) }));
        break;
      case 'stop':
        for (const replica of await this.#opened()) await replica[Symbol.asyncDispose]();
        await this.#reportAll();
        stopped();
        break;
    }
  }

  #replica(journal: string, durableThrough: Sequence): Promise<JournalReplica> {
    let opening = this.#replicas.get(journal);
    if (opening === undefined) {
      opening = this.#open(journal, durableThrough);
      this.#replicas.set(journal, opening);
    }
    return opening;
  }

  async #open(journal: string, durableThrough: Sequence): Promise<JournalReplica> {
    const { setup, directories, clock, asRoot, openReader } = this.#options;
    const root = this.#root(journal);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const replica: JournalReplica = await JournalReplica.open({
      reader: openReader(journal),
      directories,
      root,
      databases: new FileDatabases(join(root, 'state')),
      clock,
      logger: this.#logger(journal),
      durableThrough,
      asRoot,
      limits: setup.limits,
      inTurn: (run) => this.#turns.run(run),
      onProgress: (through) => this.#tell({ kind: 'applied', journal, through }),
    });
    return replica;
  }

  /** Without a receiver that says so, what can be read is what is durable. */
  async #rebuild(journal: string, volume: VolumeId): Promise<string> {
    const through = await this.#options.openReader(journal).lastSequence();
    const replica = await this.#replica(journal, through);
    replica.notifyDurable(through);
    // A volume that was never replicated is made from the journal by applying it.
    const isNew = !replica.has(volume);
    if (isNew) await replica.applyThrough(through);
    if (!isNew || !replica.has(volume)) await replica.rebuild(volume);
    const status = replica.status().volumes.find((known) => known.volume === volume);
    return join(this.#root(journal), `${volume}`, status?.kind === 'device' ? 'image' : 'tree');
  }

  #root(journal: string): string {
    return join(this.#options.setup.replicas, journal);
  }

  async #opened(): Promise<JournalReplica[]> {
    return Promise.all(this.#replicas.values());
  }

  async #reportAll(): Promise<void> {
    for (const replica of await this.#opened()) this.#report(replica.status());
  }

  #report(status: JournalReplicaStatus): void {
    const told = JSON.stringify([status.reason, status.volumes.map(({ volume, state, reason, appliedThrough }) => [volume, state, reason, appliedThrough.toString()])]);
    if (this.#reported.get(status.journal) === told) return;
    this.#reported.set(status.journal, told);
    this.#tell({ kind: 'state', status });
  }

  async #answer(id: number, ask: () => Promise<Answer>): Promise<void> {
    try {
      this.#tell({ kind: 'answer', id, answer: await ask() });
    } catch (error) {
      this.#tell({ kind: 'refusal', id, message: (error as Error).message });
    }
  }

  #logger(journal: string): ReplicaLogger {
    const log = (level: LogLevel) => (fields: object | string, message = '') => {
      const plain = typeof fields === 'string' ? {} : { ...(fields as Record<string, unknown>) };
      this.#tell({ kind: 'log', level, fields: { journal, ...plain }, message: typeof fields === 'string' ? fields : message });
    };
    return { info: log('info'), warn: log('warn'), error: log('error') } as ReplicaLogger;
  }

  #tell(message: FromWorker): void {
    this.#options.port.postMessage(message);
  }
}
