/** The main thread's end of the replica: one worker thread for all journals, started again when it dies. */
import { Worker } from 'node:worker_threads';
import { destination, pino } from 'pino';
import type { Sequence, TimeNs, VolumeId } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Clock } from '../../native/host/clock.js';
import type { ReplicaLimits } from './limits.js';
import type { ReplicaLogger } from './setting.js';
import type { JournalReplicaStatus } from './status.js';
import type { Answer, FromWorker, ToWorker, WorkerSetup } from './worker-messages.js';

/** What is to be seen in all replicas of a journal. */
export interface Applied {
  readonly journal: JournalId;
  readonly through: Sequence;
}

/** How one volume's replica stands. */
export interface ReplicaStanding {
  readonly volume: VolumeId;
  readonly appliedThrough: Sequence;
  readonly state: string;
  readonly message: string;
  readonly updatedNs: TimeNs;
}

export interface ReplicaWorkerOptions {
  /** Holds one directory of segments for each journal. */
  readonly journals: string;
  /** Gets one directory for each journal. */
  readonly replicas: string;
  readonly clock: Clock;
  /** Without one, lines of `logLevel` and above go to standard error. */
  readonly logger?: ReplicaLogger;
  readonly logLevel?: string;
  readonly onApplied?: (applied: Applied) => void;
  readonly onState?: (journal: JournalId, standing: ReplicaStanding) => void;
  readonly limits?: Partial<ReplicaLimits>;
  /** The script of the worker. */
  readonly entry?: URL;
  readonly restartMs?: number;
  readonly restartLongestMs?: number;
}

interface Question {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class ReplicaWorker implements AsyncDisposable {
  readonly #options: ReplicaWorkerOptions;
  readonly #logger: ReplicaLogger;
  /** The latest that is durable, by journal: what a worker that is started again needs. */
  readonly #durable = new Map<string, Sequence>();
  readonly #unsent = new Map<string, Sequence>();
  readonly #questions = new Map<number, Question>();
  readonly #restartMs: number;
  #worker: Worker | undefined;
  #exited: Promise<void> = Promise.resolve();
  #cancelRestart: () => void = () => {};
  #restarts = 0;
  #waitMs: number;
  #isListening = true;
  #lastId = 0;
  #stopping = false;

  /** Starts the thread. Nothing is applied before the first `notifyDurable`. */
  static async start(options: ReplicaWorkerOptions): Promise<ReplicaWorker> {
    const worker = new ReplicaWorker(options);
    worker.#start();
    return worker;
  }

  private constructor(options: ReplicaWorkerOptions) {
    this.#options = options;
    this.#logger = options.logger ?? pino({ level: options.logLevel ?? 'warn' }, destination({ dest: 2, sync: true }));
    this.#restartMs = this.#waitMs = options.restartMs ?? 1000;
  }

  /** How often the worker had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Says up to where a journal is durable; never waits. Only the latest of many counts. */
  notifyDurable(journal: JournalId, through: Sequence): void {
    const key = journal.toString('hex');
    const known = this.#durable.get(key);
    if (known !== undefined && known >= through) return;
    this.#durable.set(key, through);
    this.#unsent.set(key, through);
    this.#send();
  }

  /** How all replicas stand. Rejects while the worker is not running. */
  async status(): Promise<readonly JournalReplicaStatus[]> {
    const answer = await this.#ask((id) => ({ kind: 'status', id }));
    return 'statuses' in answer ? answer.statuses : [];
  }

  /** Has a volume's replica made anew from the journal; resolves with where it lies once it is in place. */
  async rebuild(journal: JournalId, volume: VolumeId): Promise<string> {
    const answer = await this.#ask((id) => ({ kind: 'rebuild', id, journal: journal.toString('hex'), volume }));
    return 'path' in answer ? answer.path : '';
  }

  /** Ends the worker in good order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    this.#tell({ kind: 'stop' });
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #start(): void {
    if (this.#stopping) return;
    const { journals, replicas, limits = {}, entry = new URL('../replica-worker.js', import.meta.url) } = this.#options;
    const setup: WorkerSetup = { journals, replicas, limits };
    const worker = new Worker(entry, { workerData: setup, name: 'replica' });
    this.#worker = worker;
    this.#isListening = true;
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) => this.#logger.error({ reason: error.message }, 'the replica worker failed'));
    this.#exited = new Promise((resolve) => worker.once('exit', (code) => resolve(this.#ended(code))));
    for (const [journal, through] of this.#durable) this.#unsent.set(journal, through);
    this.#send();
  }

  #hear(message: FromWorker): void {
    const { onApplied, onState, clock } = this.#options;
    switch (message.kind) {
      case 'heard':
        this.#isListening = true;
        this.#send();
        break;
      case 'applied':
        // One that works is not about to fail again for the same reason.
        this.#waitMs = this.#restartMs;
        onApplied?.({ journal: Buffer.from(message.journal, 'hex'), through: message.through });
        break;
      case 'state': {
        const journal = Buffer.from(message.status.journal, 'hex');
        const updatedNs = clock.wallNs();
        for (const { volume, appliedThrough, state, reason } of message.status.volumes) onState?.(journal, { volume, appliedThrough, state, message: reason === '' ? message.status.reason : reason, updatedNs });
        break;
      }
      case 'answer':
        this.#take(message.id)?.resolve(message.answer);
        break;
      case 'refusal':
        this.#take(message.id)?.reject(new Error(message.message));
        break;
      case 'log':
        this.#logger[message.level](message.fields, message.message);
        break;
    }
  }

  #ended(code: number): void {
    this.#worker = undefined;
    for (const id of [...this.#questions.keys()]) this.#take(id)?.reject(new Error('the replica worker ended'));
    if (this.#stopping) return;
    const { clock, restartLongestMs = 60_000 } = this.#options;
    this.#logger.error({ code, againInMs: this.#waitMs }, 'the replica worker ended and is started again');
    this.#restarts += 1;
    this.#cancelRestart = clock.after(this.#waitMs, () => this.#start());
    this.#waitMs = Math.min(2 * this.#waitMs, restartLongestMs);
  }

  /** One message is on its way at a time, so that a busy worker finds one and not a thousand. */
  #send(): void {
    if (!this.#isListening || this.#unsent.size === 0 || this.#worker === undefined) return;
    this.#isListening = false;
    this.#tell({ kind: 'durable', through: new Map(this.#unsent) });
    this.#unsent.clear();
  }

  #ask(question: (id: number) => ToWorker): Promise<Answer> {
    if (this.#worker === undefined || this.#stopping) return Promise.reject(new Error('the replica worker is not running'));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      this.#tell(question(id));
    });
  }

  #take(id: number): Question | undefined {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    return question;
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
