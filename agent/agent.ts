/**
 * The agent: opens its stages and joins them in data order. Capture feeds the journal, the journal
 * feeds the shipper, the receiver's acknowledgements flow back and let the spool be trimmed.
 */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../native/host/clock.js';
import type { Files } from '../native/host/files.js';
import type { Random } from '../native/host/random.js';
import { systemDirectories } from '../native/index.js';
import { version } from '../native/package/version.js';
import { formatTime } from '../native/terminal/format.js';
import { asSequence, journalVolume, noSequence, type Change, type Engine, type Sequence } from '../proto/change.js';
import { UsageError } from '../proto/errors.js';
import type { ChangeSource, EngineVerdict } from './capture/change-source.js';
import { ExactSource } from './capture/exact.js';
import { exactVerdict } from './capture/exact-verdict.js';
import { PortableSource } from './capture/portable.js';
import { portableVerdict } from './capture/portable-verdict.js';
import { claimState } from './claim.js';
import type { AgentConfig } from './config.js';
import { ControlServer, type ControlHandlers } from './control/server.js';
import { renewIfDue } from './identity/renewal.js';
import { exactKernel, exactStateDirectory } from './exact-kernel.js';
import type { AgentIdentity } from './identity/state.js';
import { AgentJournal } from './journal/journal.js';
import { Protection } from './protection.js';
import { agentStatus, volumeReports } from './status.js';
import { GrpcLink } from './transport/grpc-link.js';
import { Shipper } from './transport/shipper.js';
import { VolumeRegister } from './volumes.js';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly identity: AgentIdentity;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How often the spool is told what it may forget. */
const trimIntervalMs = 1000;
/** How often volumes that could not be taken up are tried again. */
const retryIntervalMs = 10_000;
/** How often the certificate is looked at; it is renewed months before it expires. */
const renewalIntervalMs = 3_600_000;
const captureDirectory = 'capture';
/** Stopping waits so long for a point from which the next agent can go on. */
const suspendMaxMs = 10_000;

/** Engines that could serve a path, in the order in which they are chosen. */
export async function engineVerdicts(path: string): Promise<readonly EngineVerdict[]> {
  return [await exactVerdict(path), await portableVerdict(path, systemDirectories)];
}

/** Runs an agent until the signal aborts. Rejects when the journal breaks: the supervisor then starts it again. */
export async function runAgent(options: AgentOptions, signal: AbortSignal, ready: () => void): Promise<void> {
  const { config, files, clock, random, logger } = options;
  let { identity } = options;
  const { stateDirectory } = config;
  await files.makeDirectory(stateDirectory);
  using claim = claimState(stateDirectory);
  void claim;
  const stopping = new AbortController();
  const stopped = AbortSignal.any([signal, stopping.signal]);
  const register = await VolumeRegister.open(files, join(stateDirectory, 'volumes.json'));

  // WHICH BYTES CHANGED?
  await using portable = await PortableSource.open({
    clock,
    random,
    directories: systemDirectories,
    stateDirectory: join(stateDirectory, captureDirectory),
    logger: logger.child({ component: 'capture' }),
    timing: { scanIntervalMs: config.scanIntervalMs },
    freeBytes: async () => (await files.space(stateDirectory)).freeBytes,
  });
  await using exact = await ExactSource.open({
    clock,
    kernel: exactKernel({ ringBytes: config.ringBytes, stateDirectory: exactStateDirectory(stateDirectory), keepSeconds: config.keepCapturingMs / 1000 }),
    stateDirectory: exactStateDirectory(stateDirectory),
    logger: logger.child({ component: 'exact capture' }),
    freeBytes: async () => (await files.space(stateDirectory)).freeBytes,
  });
  const sources: ReadonlyMap<Engine, ChangeSource> = new Map<Engine, ChangeSource>([['exact', exact], ['portable', portable]]);

  // DURABLE HERE FIRST
  await using journal = await AgentJournal.open({
    files,
    clock,
    logger: logger.child({ component: 'journal' }),
    stateDirectory,
    journal: Buffer.from(identity.journalId, 'hex'),
    bootId: await bootId(),
    keepAfter: committedThrough(sources),
    spoolBytesMax: config.spoolBytesMax,
    onRecovered: (changes) => replayAll(sources, [changes]),
  });
  for (const source of sources.values()) await source.replay(journal.changes(replayAfter(source, register, journal)));

  // THERE, IN ORDER
  const link = new GrpcLink({ identity: () => ({ ...identity, address: identity.receiver }), clock });
  const renew = async (): Promise<void> => {
    identity = await renewIfDue({ files, clock, stateDirectory, identity, renew: (csrDer) => link.renew(csrDer, stopped) });
  };
  const shipper = new Shipper({
    link,
    journal,
    clock,
    random,
    logger: logger.child({ component: 'transport' }),
    agentVersion: version,
    platform: process.platform,
    volumeReports: () => volumeReports(protection),
    onWelcome: (welcome) => protection.retireUnknown(welcome.liveVolumes, welcome.lastVolume),
  });
  const stateDirectoryBytes = await realpath(stateDirectory, 'buffer');
  const protection = new Protection({ register, sources, sink: journal, excludedDirectories: [stateDirectoryBytes], verdicts: engineVerdicts, behindNs: () => exact.streamTimeNs(), logger: logger.child({ component: 'protection' }) });

  const startedNs = clock.wallNs();
  const status = () => agentStatus({ clock, identity, stateDirectory, version, startedNs, spoolBytesMax: config.spoolBytesMax, journal, shipper, protection });
  const flush = async (through: (position: Sequence) => Promise<void>, aborted: AbortSignal): Promise<Sequence> => {
    await journal.whenReconciled(aborted);
    for (const source of sources.values()) await source.flush(aborted);
    const position = journal.position.capturedThrough;
    await through(position);
    return position;
  };
  const handlers: ControlHandlers = {
    status: async () => status(),
    protect: async (request, aborted) => {
      await journal.whenReconciled(aborted);
      return protection.protect(request);
    },
    unprotect: ({ name }) => protection.unprotect(name),
    mark: async ({ name }, aborted) => {
      checkMarkName(name);
      await flush(() => Promise.resolve(), aborted);
      const taken = await journal.append([{ volume: journalVolume, body: { kind: 'mark', name } }]);
      if (!taken.taken) throw new Error('the spool has no room for the mark; see "afterimage-agent status"');
      await journal.whenShipped(taken.lastSequence, aborted);
      return { name, sequence: taken.lastSequence.toString(), time: formatTime(taken.lastTimeNs) };
    },
    flush: async ({ applied }, aborted) => {
      const sequence = await flush(async (through) => {
        await journal.whenShipped(through, aborted);
        if (applied) await journal.whenApplied(through, aborted);
      }, aborted);
      return { sequence: sequence.toString() };
    },
  };
  await using control = await ControlServer.open({ stateDirectory, handlers });
  void control;

  const shipping = shipper.run(stopped);
  let capturing: Promise<void> | undefined;
  const trimming = clock.every(trimIntervalMs, () => trim(journal, sources));
  const retrying = clock.every(retryIntervalMs, () => void protection.retry().catch((error: unknown) => logger.warn({ err: error }, 'volumes could not be tried again')));
  const renewing = clock.every(renewalIntervalMs, () => void renew().catch((error: unknown) => logger.warn({ err: error }, 'the certificate could not be renewed; trying again later')));
  try {
    ready();
    capturing = capture(journal, sources, protection, stopped).then(() => exact.takenUp());
    await Promise.race([broken(journal, stopped), capturing, ended(stopped)]);
    await Promise.race([broken(journal, stopped), ended(stopped)]);
  } finally {
    trimming();
    retrying();
    renewing();
    // What is being taken up goes on, so that the next agent can.
    const waited = new AbortController();
    await Promise.race([capturing?.catch(() => undefined), clock.sleep(suspendMaxMs, waited.signal).catch(() => undefined)]);
    waited.abort();
    if (await exact.suspend(AbortSignal.timeout(suspendMaxMs)).catch(() => false)) logger.info('capture goes on in the kernel, for the next agent to take over');
    stopping.abort(new Error('the agent is stopping'));
    await shipping.catch((error: unknown) => logger.debug({ err: error }, 'shipping ended'));
  }
}

/** Capture begins once the journal may give out sequences; volumes are taken up in the order they were protected. */
async function capture(journal: AgentJournal, sources: ReadonlyMap<Engine, ChangeSource>, protection: Protection, signal: AbortSignal): Promise<void> {
  await journal.whenReconciled(signal);
  for (const source of sources.values()) await source.start(journal);
  await protection.resume();
}

/** Where an engine's replay begins. One that lost its state begins with what the spool still has, and copies its volumes anew. */
function replayAfter(source: ChangeSource, register: VolumeRegister, journal: AgentJournal): Sequence {
  const { heldFrom, capturedThrough } = journal.position;
  const heldAfter = heldFrom === noSequence ? capturedThrough : asSequence(heldFrom - 1n);
  const knowsAny = register.records.some((record) => source.knows(record.volume));
  return knowsAny || source.committedThrough > heldAfter ? source.committedThrough : heldAfter;
}

async function replayAll(sources: ReadonlyMap<Engine, ChangeSource>, batches: Iterable<readonly Change[]>): Promise<void> {
  for (const batch of batches) {
    for (const source of sources.values()) {
      const fresh = batch.filter((change) => change.sequence > source.committedThrough);
      if (fresh.length > 0) await source.replay(one(fresh));
    }
  }
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

function committedThrough(sources: ReadonlyMap<Engine, ChangeSource>): Sequence {
  return [...sources.values()].map((source) => source.committedThrough).reduce((least, each) => (each < least ? each : least));
}

/** What the receiver has and every engine has committed need not be kept here. */
function trim(journal: AgentJournal, sources: ReadonlyMap<Engine, ChangeSource>): void {
  const { durableThrough } = journal.position;
  for (const source of sources.values()) source.advance(durableThrough);
  journal.setKeepAfter(asSequence(committedThrough(sources)));
}

/** Rejects once the journal is broken. */
async function broken(journal: AgentJournal, signal: AbortSignal): Promise<void> {
  const error = await journal.whenBroken(signal).catch(() => undefined);
  if (error !== undefined) throw error;
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Another value after each boot: what was not synced before may be gone (proc(5), random/boot_id). */
async function bootId(): Promise<string> {
  if (process.platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const { uptime } = await import('node:os');
  // To ten seconds: uptime and clock are not read at the same instant.
  return `boot-${Math.round((Date.now() / 1000 - uptime()) / 10)}`;
}

function checkMarkName(name: string): void {
  if (typeof name !== 'string' || !/^[^\p{Cc}]{1,200}$/u.test(name)) throw new UsageError('a mark needs a name of 1 to 200 characters without control characters');
}
