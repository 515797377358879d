/** The receiver's machine: its disk and clock, and the receiver's process, which comes and goes. */
import type { Sequence } from '../../proto/change.js';
import { asSequence, noSequence } from '../../proto/change.js';
import { errorCode } from '../../proto/errors.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { Ingest } from '../../receiver/ingest/ingest.js';
import type { DurableProgress } from '../../receiver/ingest/parts.js';
import { StoreJournalReader } from '../../receiver/store/journal-reader.js';
import { LocalSegmentStore } from '../../receiver/store/local-segment-store.js';
import type { Chance } from './chance.js';
import type { ServedStream, SimNetwork } from './network.js';
import { SimProcess, WallClock, type CrashKind } from './process.js';
import type { Scheduler } from './scheduler.js';
import type { SimDisk } from './sim-disk.js';
import { SimFiles } from './sim-files.js';
import { worldLogger } from './world-log.js';

export const receiverDirectory = '/receiver/journals';

const reserveBytes = 8192;

export interface ReceiverSettings {
  readonly segmentSizeBytes: number;
  readonly windowBytes: number;
}

/** A replica that follows the journal, as the receiver's process has it. */
export interface ReplicaSlot {
  /** Brings the replica up; it ends with the process. */
  start(parts: { readonly process: SimProcess; readonly reader: StoreJournalReader; readonly applied: (through: Sequence) => void }): Promise<{ poke(): void; through(): Sequence; stop(): Promise<void> }>;
}

export interface ReceiverHostOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly disk: SimDisk;
  readonly network: SimNetwork;
  readonly journal: JournalId;
  readonly settings: ReceiverSettings;
  readonly replica: ReplicaSlot;
  /** Told when the receiver calls something durable. */
  readonly durable: (progress: DurableProgress) => void;
}

interface Running {
  readonly process: SimProcess;
  readonly stop: () => Promise<void>;
}

export class ReceiverHost {
  readonly wall: WallClock;
  readonly #options: ReceiverHostOptions;
  /** What the catalogue remembers of the durable end: it lags, and survives. */
  #catalogued = noSequence;
  #process: SimProcess | undefined;
  #running: Running | undefined;
  #starting: (() => void) | undefined;

  constructor(options: ReceiverHostOptions) {
    this.#options = options;
    this.wall = new WallClock(options.scheduler);
  }

  get disk(): SimDisk {
    return this.#options.disk;
  }

  get journalDirectory(): string {
    return `${receiverDirectory}/${this.#options.journal.toString('hex')}`;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  start(): void {
    const { scheduler } = this.#options;
    this.#starting?.();
    this.#starting = undefined;
    const process = new SimProcess(scheduler, 'receiver', this.wall);
    this.#process = process;
    scheduler.note('receiver: start');
    this.#run(process).catch((error: unknown) => this.#exit(process, error));
  }

  crash(kind: CrashKind): void {
    const process = this.#process;
    this.#running = undefined;
    if (process?.isAlive === true) process.crash(kind);
    else if (kind === 'power') this.disk.cutPower();
    this.#startLater();
  }

  restart(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#options.scheduler.note('receiver: stop');
    this.#running = undefined;
    running.stop().then(
      () => this.crash('kill'),
      (error: unknown) => this.#exit(running.process, error),
    );
  }

  async #run(process: SimProcess): Promise<void> {
    const { scheduler, chance, disk, network, journal, settings, replica } = this.#options;
    const { clock } = process;
    const files = new SimFiles(process, disk);
    const logger = worldLogger(scheduler, 'receiver');
    const store = new LocalSegmentStore({ files, directory: receiverDirectory, segmentSizeBytes: settings.segmentSizeBytes });
    let durableThrough = noSequence;
    const reader = new StoreJournalReader({ store, journal, durableThrough: () => durableThrough });
    let follower: Awaited<ReturnType<ReplicaSlot['start']>> | undefined;
    const subscribers = new Set<(through: Sequence) => void>();
    const ingest = new Ingest({
      store, clock, logger, windowBytes: settings.windowBytes, reserveBytes,
      space: () => files.space(),
      durableFloor: () => this.#catalogued,
      knownVolumes: async () => {
        const live = new Set<number>();
        let lastVolume = 0;
        for (const { volume, body } of await new StoreJournalReader({ store, journal }).controlChanges()) {
          if (body.kind === 'volume') live.add(volume);
          if (body.kind === 'retired') live.delete(volume);
          lastVolume = Math.max(lastVolume, volume);
        }
        return { lastVolume, liveVolumes: [...live] };
      },
      observer: {
        durable: (_, progress) => {
          durableThrough = progress.through;
          this.#options.durable(progress);
          if (chance.oneIn(4)) this.#catalogued = asSequence(progress.through);
          follower?.poke();
        },
        // The receiver looks how much is free before it writes, so its disk is seldom heard to be full.
        state: (_, { state }) => {
          if (state === 'disk-full' && disk.freeBytes < reserveBytes + 4096) disk.fired('disk full');
        },
        connected: () => undefined,
        disconnected: () => undefined,
        reported: () => undefined,
      },
      applied: {
        through: () => follower?.through() ?? noSequence,
        subscribe: (_, applied) => {
          subscribers.add(applied);
          return () => subscribers.delete(applied);
        },
      },
    });
    // As the real receiver does: every journal is opened at the start, for the replica follows it without an agent too.
    await ingest.open(journal);
    const serve = async (stream: ServedStream): Promise<void> => {
      try {
        await ingest.serve({ host: 'host', journal, incoming: stream.messages, send: (message) => stream.send(message), signal: stream.signal });
      } catch (error) {
        scheduler.note(`receiver: a stream ended: ${(error as Error).message}`);
      }
      stream.end();
    };
    network.serve(process, {
      stream: (stream) => void serve(stream),
      readFrames: async function* (after, signal) {
        for await (const { frame } of reader.frames({ after, signal })) yield Buffer.from(frame.bytes);
      },
    });
    follower = await replica.start({
      process, reader,
      applied: (through) => {
        for (const told of subscribers) told(through);
      },
    });
    follower.poke();
    this.#running = {
      process,
      stop: async () => {
        await follower?.stop();
        await ingest[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
  }

  #exit(process: SimProcess, error: unknown): void {
    const { scheduler } = this.#options;
    if (!process.isAlive) return;
    const code = errorCode(error);
    scheduler.note(`receiver: exits: ${(error as Error).message}`);
    if (code !== 'ENOSPC' && code !== 'EIO') {
      scheduler.fail(`the receiver ended: ${(error as Error).stack ?? String(error)}`, error);
      return;
    }
    this.crash('kill');
  }

  #startLater(): void {
    const { scheduler, chance } = this.#options;
    this.#starting?.();
    this.#starting = scheduler.schedule(chance.pick([1_000, 100_000, 1_500_000]) * (0.5 + chance.fraction()), 'receiver supervisor', () => this.start());
  }
}
