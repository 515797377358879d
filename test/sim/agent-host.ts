/** The protected machine: its disk and clock, and the agent's process, which comes and goes. */
import { AgentJournal } from '../../agent/journal/journal.js';
import { Shipper, type ShippedJournal } from '../../agent/transport/shipper.js';
import type { Change, Sequence } from '../../proto/change.js';
import { errorCode } from '../../proto/errors.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Chance } from './chance.js';
import type { SimNetwork } from './network.js';
import { SimProcess, WallClock, type CrashKind } from './process.js';
import type { Scheduler } from './scheduler.js';
import type { SimDisk } from './sim-disk.js';
import { SimFiles } from './sim-files.js';
import { worldLogger } from './world-log.js';

export const agentDirectory = '/agent';
export const spoolDirectory = `${agentDirectory}/spool`;

export interface AgentSettings {
  readonly segmentSizeBytes: number;
  readonly spoolBytesMax: number;
  readonly recentBytesMax: number;
}

/** What the world wants to know of the agent. */
export interface AgentWatch {
  /** The journal is open and knows its end: the engine may begin. Runs as long as the process. */
  engine(journal: AgentJournal, process: SimProcess): Promise<void>;
  /** The receiver said that it has this durably. */
  acknowledged(through: Sequence): void;
  /** Changes came back from the receiver. */
  recovered(changes: readonly Change[]): void;
}

export interface AgentHostOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly disk: SimDisk;
  readonly network: SimNetwork;
  readonly journal: JournalId;
  readonly settings: AgentSettings;
  readonly watch: AgentWatch;
  /** Changes up to here are part of the engine's state, which survives whatever the agent does. */
  readonly keepAfter: () => Sequence;
}

interface Running {
  readonly process: SimProcess;
  readonly journal: AgentJournal;
  readonly shipper: Shipper;
  readonly stop: () => Promise<void>;
}

export class AgentHost {
  readonly wall: WallClock;
  readonly #options: AgentHostOptions;
  #boot = 1;
  #process: SimProcess | undefined;
  #running: Running | undefined;
  #starting: (() => void) | undefined;

  constructor(options: AgentHostOptions) {
    this.#options = options;
    this.wall = new WallClock(options.scheduler);
  }

  get disk(): SimDisk {
    return this.#options.disk;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get journal(): AgentJournal | undefined {
    return this.#running?.journal;
  }

  get shipper(): Shipper | undefined {
    return this.#running?.shipper;
  }

  start(): void {
    const { scheduler } = this.#options;
    this.#starting?.();
    this.#starting = undefined;
    const process = new SimProcess(scheduler, 'agent', this.wall);
    this.#process = process;
    scheduler.note('agent: start');
    this.#run(process).catch((error: unknown) => this.#exit(process, error));
  }

  /** The process dies; a supervisor starts it again after a while. */
  crash(kind: CrashKind): void {
    const process = this.#process;
    this.#running = undefined;
    if (process?.isAlive === true) process.crash(kind);
    else if (kind === 'power') this.disk.cutPower();
    if (kind === 'power') this.#boot += 1;
    this.#startLater();
  }

  /** Stops as a supervisor asks it to. */
  restart(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#options.scheduler.note('agent: stop');
    this.#running = undefined;
    running.stop().then(
      () => this.crash('kill'),
      (error: unknown) => this.#exit(running.process, error),
    );
  }

  async #run(process: SimProcess): Promise<void> {
    const { scheduler, disk, network, journal: id, settings, watch, keepAfter } = this.#options;
    const files = new SimFiles(process, disk);
    const logger = worldLogger(scheduler, 'agent') as never;
    const journal = await AgentJournal.open({
      files, clock: process.clock, logger, stateDirectory: agentDirectory, journal: id, bootId: `boot ${this.#boot}`, keepAfter: keepAfter(), freeBytesMin: 4096, ...settings,
      onRecovered: async (changes) => watch.recovered(changes),
    });
    const ending = new AbortController();
    const shipped: ShippedJournal = {
      journal: journal.journal,
      get position() {
        return journal.position;
      },
      reconcile: async (options) => {
        const result = await journal.reconcile(options);
        if (result.verdict !== 'lost' && result.verdict !== 'forked') watch.acknowledged(options.welcome.durableThrough);
        else scheduler.fail(`reconciling came to "${result.verdict}": ${result.message}`);
        return result;
      },
      follow: (after, signal) => journal.follow(after, signal),
      noteDurable: (through) => {
        journal.noteDurable(through);
        watch.acknowledged(through);
      },
      noteApplied: (through) => journal.noteApplied(through),
      noteLink: (up) => journal.noteLink(up),
    };
    const shipper = new Shipper({ journal: shipped, link: network.linkOf(process), clock: process.clock, random: process.random, logger, agentVersion: '1.0.0', platform: 'linux', volumeReports: () => [] });
    const shipping = shipper.run(ending.signal);
    const stop = async (): Promise<void> => {
      ending.abort(new Error('the agent stops'));
      await shipping;
      await journal.close();
    };
    this.#running = { process, journal, shipper, stop };
    const broken = journal.whenBroken(ending.signal).then((error) => {
      throw error;
    });
    const engine = (async () => {
      await journal.whenReconciled(ending.signal);
      await watch.engine(journal, process);
    })();
    const orStopped = (error: unknown): void => {
      if (!ending.signal.aborted) throw error;
    };
    await Promise.all([shipping, broken.catch(orStopped), engine.catch(orStopped)]);
  }

  /** The process ended by itself: right when its disk failed it, and never otherwise. */
  #exit(process: SimProcess, error: unknown): void {
    const { scheduler } = this.#options;
    if (!process.isAlive) return;
    const code = errorCode(error);
    scheduler.note(`agent: exits: ${String((error as Error).message)}`);
    if (code !== 'ENOSPC' && code !== 'EIO') {
      scheduler.fail(`the agent ended: ${(error as Error).stack ?? String(error)}`, error);
      return;
    }
    this.crash('kill');
  }

  #startLater(): void {
    const { scheduler, chance } = this.#options;
    this.#starting?.();
    this.#starting = scheduler.schedule(chance.pick([1_000, 100_000, 1_500_000]) * (0.5 + chance.fraction()), 'agent supervisor', () => this.start());
  }
}
