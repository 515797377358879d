/** One simulated world: an agent, a receiver, a network between them, and everything that can happen to them. */
import type { AgentJournal } from '../../agent/journal/journal.js';
import { asSequence, journalVolume, noSequence, type CapturedChange, type Sequence } from '../../proto/change.js';
import { DurabilityError } from '../../proto/errors.js';
import { journalIdBytes } from '../../proto/journal/layout.js';
import { AgentHost, agentDirectory, spoolDirectory } from './agent-host.js';
import type { Chance } from './chance.js';
import { drawWeather, type Disturbance, type Weather } from './faults.js';
import { inspect } from './inspector.js';
import { noNetworkFaults, SimNetwork } from './network.js';
import { Oracle } from './oracle.js';
import type { SimProcess } from './process.js';
import { ReceiverHost } from './receiver-host.js';
import { ReplicaHost } from './replica-host.js';
import { Scheduler } from './scheduler.js';
import { noDiskFaults, SimDisk } from './sim-disk.js';
import { simulatedVolumes, Workload } from './workload.js';

export interface Outcome {
  readonly seed: number;
  readonly traceHash: number;
  readonly events: number;
  readonly changes: number;
  readonly virtualMs: number;
  /** How often each fault happened. */
  readonly fired: ReadonlyMap<string, number>;
}

const eventsMax = 600_000;
/** Refusals are tried again after a minute at most, and silence is noticed within one. */
const drainUs = 600_000_000;

export class World {
  readonly scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #fired = new Map<string, number>();
  readonly #oracle = new Oracle();
  readonly #workload: Workload;
  readonly #network: SimNetwork;
  readonly #agent: AgentHost;
  readonly #receiver: ReceiverHost;
  readonly #replica: ReplicaHost;
  readonly #journal: Buffer;
  readonly #batchesMax: number;
  readonly #paceMs: number;
  readonly #spoolBytesMax: number;
  readonly #verified = new Map<string, bigint>();
  #batches = 0;
  #isCalm = false;
  /** What the agent was told to be durable at the receiver, what it promised, and what the receiver said. */
  #acknowledged = noSequence;
  #promised = noSequence;
  #receiverDurable = noSequence;
  /** What the engine keeps in a state of its own. */
  #engineThrough = noSequence;

  constructor(seed: number) {
    const scheduler = new Scheduler(seed);
    this.scheduler = scheduler;
    const chance = scheduler.chance.fork();
    this.#chance = chance;
    this.#weather = drawWeather(chance);
    this.#batchesMax = chance.pick([20, 60, 150]);
    this.#paceMs = chance.pick([3, 20, 80]);
    this.#workload = new Workload(chance.fork(), { writeBytesMax: chance.pick([300, 3000, 12_000]) });
    this.#journal = chance.bytes(journalIdBytes);
    const fired = (fault: string): void => void this.#fired.set(fault, (this.#fired.get(fault) ?? 0) + 1);
    this.#network = new SimNetwork({ scheduler, chance: chance.fork(), fired });
    const disk = (name: string, capacityBytes: number): SimDisk => new SimDisk({ chance: chance.fork(), capacityBytes, fired: (fault) => fired(`${name}: ${fault}`) });
    const segmentSizeBytes = (): number => chance.pick([1500, 6000, 30_000, 1_000_000]);
    this.#spoolBytesMax = chance.pick([20_000, 100_000, 10_000_000]);
    this.#agent = new AgentHost({
      scheduler, chance: chance.fork(), network: this.#network, journal: this.#journal,
      disk: disk('agent', this.#weather.agentCapacityBytes),
      settings: { segmentSizeBytes: segmentSizeBytes(), spoolBytesMax: this.#spoolBytesMax, recentBytesMax: chance.pick([0, 10_000, 1_000_000]) },
      keepAfter: () => this.#engineThrough,
      watch: {
        engine: (journal, process) => this.#engine(journal, process),
        acknowledged: (through) => this.#noteAcknowledged(through),
        recovered: (changes) => {
          for (const change of changes) this.#check(this.#oracle.fault(change), 'what came back from the receiver');
        },
      },
    });
    this.#replica = new ReplicaHost({ scheduler, chance: chance.fork(), oracle: this.#oracle, fired });
    this.#receiver = new ReceiverHost({
      scheduler, chance: chance.fork(), network: this.#network, journal: this.#journal, replica: this.#replica,
      disk: disk('receiver', this.#weather.receiverCapacityBytes),
      settings: { segmentSizeBytes: segmentSizeBytes(), windowBytes: chance.pick([1000, 20_000, 1_000_000]) },
      durable: ({ through }) => this.#noteReceiverDurable(through),
    });
  }

  get fired(): ReadonlyMap<string, number> {
    return this.#fired;
  }

  async run(): Promise<Outcome> {
    const { scheduler } = this;
    this.#agent.disk.prepare(agentDirectory);
    this.#receiver.disk.prepare('/receiver');
    this.#agent.start();
    this.#receiver.start();
    this.#agent.disk.faults = this.#weather.agentDisk;
    this.#receiver.disk.faults = this.#weather.receiverDisk;
    this.#network.faults = this.#weather.network;
    this.#replica.faults = { fails: this.#weather.treeFails, full: this.#weather.treeFull };
    this.#disturbLater();
    const stormUs = this.#chance.pick([2_000_000, 10_000_000, 40_000_000]);
    await scheduler.runUntil(() => scheduler.nowUs >= stormUs || (this.#batches >= this.#batchesMax && this.#chance.oneIn(200)), { untilUs: stormUs * 2, eventsMax });
    this.#calm();
    await scheduler.runUntil(() => this.#isDrained(), { untilUs: scheduler.nowUs + drainUs, eventsMax });
    this.#verify();
    return { seed: scheduler.seed, traceHash: scheduler.traceHash, events: scheduler.eventCount, changes: Number(this.#oracle.lastSequence), virtualMs: scheduler.nowUs / 1000, fired: this.#fired };
  }

  /** What an engine does: appends changes one batch after the other, asks what is durable, keeps a state of its own. */
  async #engine(journal: AgentJournal, process: SimProcess): Promise<void> {
    const through = asSequence(journal.position.capturedThrough);
    this.#agentBegan(through);
    await this.#replay(journal, through);
    const marks = this.#marks(journal, process);
    const state = this.#engineState(journal, process);
    await Promise.all([this.#changes(journal, process), marks, state]);
  }

  /** What its state lacks an engine takes from the journal, which must not have let go of it. */
  async #replay(journal: AgentJournal, through: Sequence): Promise<void> {
    // An engine that knows nothing begins anew instead.
    if (this.#engineThrough === 0n && journal.position.heldFrom !== 1n) return;
    let next = this.#engineThrough + 1n;
    for await (const changes of journal.changes(this.#engineThrough)) {
      for (const change of changes) {
        if (change.sequence !== next) this.scheduler.fail(`the engine was to replay ${next}, and got ${change.sequence}`);
        this.#check(this.#oracle.fault(change), 'what the engine replays');
        next = change.sequence + 1n;
      }
    }
    if (next <= through) this.scheduler.fail(`the engine could replay only what is before ${next}, and the journal ends at ${through}`);
  }

  async #changes(journal: AgentJournal, process: SimProcess): Promise<void> {
    const chance = this.#chance;
    for (;;) {
      const missing = simulatedVolumes.find((volume) => !this.#workload.volumes.has(volume));
      if (missing === undefined && (this.#isCalm || this.#batches >= this.#batchesMax)) {
        await process.clock.sleep(500);
        continue;
      }
      const batch = missing === undefined ? this.#workload.batch() : this.#workload.begin(missing);
      if (batch.length > 0) {
        if (await this.#append(journal, batch)) {
          this.#workload.happened(batch);
          this.#batches += 1;
          if (chance.oneIn(6)) this.#promise(journal, journal.position.capturedThrough).catch(ignoreBroken);
        } else await journal.whenRoom();
      }
      // Sometimes many at once, sometimes a pause.
      await process.clock.sleep(chance.oneIn(3) ? 0 : chance.fraction() * 2 * this.#paceMs);
    }
  }

  /** Marks are appended beside the changes, by somebody who waits for them. */
  async #marks(journal: AgentJournal, process: SimProcess): Promise<void> {
    for (let count = 0; !this.#isCalm; count += 1) {
      await process.clock.sleep(this.#chance.pick([20, 200, 2000]));
      await this.#append(journal, [{ volume: journalVolume, body: { kind: 'mark', name: `mark ${count}` } }]);
      await this.#promise(journal, journal.position.capturedThrough);
    }
  }

  async #engineState(journal: AgentJournal, process: SimProcess): Promise<void> {
    for (;;) {
      await process.clock.sleep(this.#chance.pick([50, 500, 3000]));
      const through = journal.position.capturedThrough;
      await this.#promise(journal, through);
      this.#engineThrough = through;
      journal.setKeepAfter(through);
    }
  }

  async #append(journal: AgentJournal, batch: readonly CapturedChange[]): Promise<boolean> {
    const result = await journal.append(batch);
    if (!result.taken) return false;
    this.#oracle.accept(result.firstSequence, batch);
    const { spoolBytes } = journal.position;
    // A segment that is full of what may go stays while it is the last, and a batch is taken whole.
    if (spoolBytes > this.#spoolBytesMax * 1.2 + 1_500_000) this.scheduler.fail(`the spool takes ${spoolBytes} bytes, and ${this.#spoolBytesMax} are allowed`);
    return true;
  }

  async #promise(journal: AgentJournal, through: Sequence): Promise<void> {
    await journal.whenDurable(through);
    if (through > this.#promised) this.#promised = through;
    const here = this.#inspect(this.#agent, 'durable').lastSequence;
    if (here >= through) return;
    const there = this.#inspect(this.#receiver, 'durable').lastSequence;
    if (there < through) this.scheduler.fail(`whenDurable(${through}) resolved, but a power cut would leave ${here} here and ${there} at the receiver`);
  }

  #agentBegan(through: Sequence): void {
    this.scheduler.note(`agent: begins after ${through} of ${this.#oracle.lastSequence}`);
    for (const [what, floor] of [['acknowledged', this.#acknowledged], ['promised', this.#promised], ['held by the receiver', this.#receiverDurable]] as const) {
      if (through < floor) this.scheduler.fail(`the agent goes on after ${through}, but ${floor} was ${what}`);
    }
    this.#oracle.cutAfter(through);
    for (const [digest, lastSequence] of this.#verified) if (lastSequence > through) this.#verified.delete(digest);
    this.#workload.restart([...this.#oracle.range(0n, through)]);
    const held = this.#inspect(this.#agent, 'cache');
    if (held.lastSequence !== through && held.lastSequence !== held.trimmedThrough) this.scheduler.fail(`the agent goes on after ${through}, but its spool ends at ${held.lastSequence}: ${held.fault}`);
  }

  #noteAcknowledged(through: Sequence): void {
    if (through <= this.#acknowledged) return;
    this.#acknowledged = through;
    const { lastSequence, fault } = this.#inspect(this.#receiver, 'durable');
    if (lastSequence < through) this.scheduler.fail(`${through} was acknowledged, but a power cut would leave ${lastSequence} at the receiver (${fault})`);
  }

  #noteReceiverDurable(through: Sequence): void {
    if (through < this.#acknowledged) this.scheduler.fail(`the receiver says ${through} is durable, but acknowledged ${this.#acknowledged} before`);
    if (through < this.#receiverDurable) this.scheduler.fail(`the receiver says ${through} is durable, and said ${this.#receiverDurable} before`);
    this.#receiverDurable = through;
    const { lastSequence, fault } = this.#inspect(this.#receiver, 'durable');
    if (lastSequence < through) this.scheduler.fail(`the receiver says that ${through} is durable, but a power cut would leave ${lastSequence} (${fault})`);
  }

  /** Reads a machine's journal, compares every change of it with what was accepted, and says what it holds. */
  #inspect(host: AgentHost | ReceiverHost, view: 'cache' | 'durable'): ReturnType<typeof inspect> {
    const directory = host instanceof AgentHost ? spoolDirectory : host.journalDirectory;
    const where = host instanceof AgentHost ? 'the spool' : "the receiver's journal";
    return inspect({ disk: host.disk, directory, journal: this.#journal, view, verified: this.#verified, each: (change) => this.#check(this.#oracle.fault(change), where) });
  }

  #check(fault: string | undefined, where: string): void {
    if (fault !== undefined) this.scheduler.fail(`in ${where}: ${fault}`);
  }

  #disturbLater(): void {
    const { disturbances, disturbEveryMs } = this.#weather;
    if (Object.keys(disturbances).length === 0) return;
    this.scheduler.schedule(disturbEveryMs * 2000 * this.#chance.fraction(), 'disturb', () => {
      if (this.#isCalm) return;
      this.#disturb(this.#chance.weighted(disturbances as Record<Disturbance, number>));
      this.#disturbLater();
    });
  }

  #disturb(kind: Disturbance): void {
    const chance = this.#chance;
    const fired = (fault: string): void => void this.#fired.set(fault, (this.#fired.get(fault) ?? 0) + 1);
    switch (kind) {
      case 'agent kill':
      case 'agent power':
        fired(`agent: ${kind.slice(6)}`);
        this.#agent.crash(kind === 'agent kill' ? 'kill' : 'power');
        return;
      case 'receiver kill':
      case 'receiver power':
        fired(`receiver: ${kind.slice(9)}`);
        this.#receiver.crash(kind === 'receiver kill' ? 'kill' : 'power');
        return;
      case 'both power':
        fired('both: power');
        this.#agent.crash('power');
        this.#receiver.crash('power');
        return;
      case 'agent restart':
        fired('agent: restart');
        this.#agent.restart();
        return;
      case 'receiver restart':
        fired('receiver: restart');
        this.#receiver.restart();
        return;
      case 'agent new disk':
        fired('agent: new disk');
        this.#agent.crash('power');
        this.#agent.disk.replace();
        this.#agent.disk.prepare(agentDirectory);
        // All that this host alone had is gone, with whatever it had promised and the engine knew.
        this.#promised = this.#receiverDurable;
        this.#engineThrough = noSequence;
        return;
      case 'agent clock':
      case 'receiver clock':
        fired(`${kind}${' step'}`.replace(' ', ': '));
        (kind === 'agent clock' ? this.#agent : this.#receiver).wall.step(BigInt(chance.between(-7_200, 7_200)) * 1_000_000_000n);
        return;
      case 'reset':
        this.#network.breakAll();
        return;
      case 'unreachable':
        fired('unreachable');
        this.#network.cut();
        this.scheduler.schedule(chance.pick([200_000, 3_000_000, 20_000_000]) * (0.5 + chance.fraction()), 'reachable again', () => {
          this.#network.isReachable = true;
        });
    }
  }

  /** No more faults: from now on everything must become durable and applied. */
  #calm(): void {
    this.scheduler.note('calm');
    this.#isCalm = true;
    this.#agent.disk.faults = noDiskFaults;
    this.#receiver.disk.faults = noDiskFaults;
    this.#agent.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    this.#receiver.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    this.#network.faults = noNetworkFaults;
    this.#replica.faults = { fails: 0, full: 0 };
    this.#network.isReachable = true;
    this.#network.breakAll();
  }

  #isDrained(): boolean {
    const position = this.#agent.journal?.position;
    if (position === undefined || !this.#agent.isRunning || !this.#receiver.isRunning || this.#agent.journal!.state.waitingFor !== undefined) return false;
    if (simulatedVolumes.some((volume) => !this.#workload.volumes.has(volume))) return false;
    return position.capturedThrough >= this.#oracle.lastSequence && position.durableThrough === position.capturedThrough && this.#replica.isDrained(position.capturedThrough) && position.appliedThrough === position.capturedThrough;
  }

  #verify(): void {
    const last = this.#oracle.lastSequence;
    const { lastSequence, trimmedThrough, fault } = this.#inspect(this.#receiver, 'durable');
    // A step of the clock may have followed what was accepted.
    if (trimmedThrough !== 0n || lastSequence < last) this.scheduler.fail(`the receiver's journal holds ${trimmedThrough + 1n} to ${lastSequence} of ${last} (${fault})`);
    this.#replica.verify();
    const failure = this.scheduler.failure;
    if (failure !== undefined) throw failure;
  }
}

/** The agent ends when its journal breaks; those who waited need not say so too. */
function ignoreBroken(error: unknown): void {
  if (!(error instanceof DurabilityError)) throw error;
}
