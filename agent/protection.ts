/** Which volumes are protected by which engine: protect, unprotect, and taking them up again at every start. */
import { realpath, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { journalVolume, type CapturedChange, type Engine, type VolumeId, type VolumeKind } from '../proto/change.js';
import { UsageError, errorCode } from '../proto/errors.js';
import type { ChangeSink, ChangeSource, EngineVerdict, SourceStatus } from './capture/change-source.js';
import { checkVolumeName, volumeNameFor, volumePath, type VolumeRecord, type VolumeRegister } from './volumes.js';

export interface ProtectionOptions {
  readonly register: VolumeRegister;
  readonly sources: ReadonlyMap<Engine, ChangeSource>;
  readonly sink: ChangeSink;
  /** Our own directories, never captured. */
  readonly excludedDirectories: readonly Buffer[];
  /** Best engine first. */
  readonly verdicts: (path: string) => Promise<readonly EngineVerdict[]>;
  /** The time that an engine's stream is applied up to while it is behind: what is recorded then must not make late what is still to come. */
  readonly behindNs?: () => bigint | undefined;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface ProtectRequest {
  readonly path: string;
  readonly name?: string;
  readonly engine: 'auto' | Engine;
  readonly exclude: readonly string[];
}

export class Protection {
  readonly #options: ProtectionOptions;
  /** Highest volume id that the receiver knows of this journal. */
  #lastVolumeAtReceiver = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Why volumes of the register are not captured, by name. */
  readonly #failures = new Map<string, string>();
  #isResumed = false;

  constructor(options: ProtectionOptions) {
    this.#options = options;
  }

  get records(): readonly VolumeRecord[] {
    return this.#options.register.records;
  }

  status(record: VolumeRecord): SourceStatus | undefined {
    return this.#options.sources.get(record.engine)?.status(record.volume);
  }

  /** Why a volume is not captured; undefined when it is, or has not been tried yet. */
  failure(record: VolumeRecord): string | undefined {
    return this.#failures.get(record.name);
  }

  /**
   * Takes up the volumes of the register. Each is defined again in the journal: that is how a
   * definition that a crash lost comes to be there all the same.
   */
  async resume(): Promise<void> {
    await this.#exclusive(async () => {
      for (const record of this.records) await this.#takeUp(record);
      this.#isResumed = true;
    });
  }

  /** Tries again to take up what could not be: a path may have been missing for a while. */
  async retry(): Promise<void> {
    if (!this.#isResumed || this.#failures.size === 0) return;
    await this.#exclusive(async () => {
      for (const record of this.records) if (this.#failures.has(record.name)) await this.#takeUp(record);
    });
  }

  async #takeUp(known: VolumeRecord): Promise<void> {
    const { logger } = this.#options;
    try {
      const record = await this.#renewed(known);
      await this.#define(record);
      try {
        await this.#capture(record);
      } catch (error) {
        const other = await this.#otherEngine(record, error);
        if (other === undefined) throw error;
        await this.#capture(other);
      }
      if (this.#failures.delete(known.name)) logger.info({ volume: known.name }, 'the volume is captured again');
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (this.#failures.get(known.name) !== message) logger.error({ err: cause, volume: known.name }, 'the volume cannot be captured; trying again');
      this.#failures.set(known.name, message);
    }
  }

  /**
   * A volume whose engine cannot run here any more goes on with another, unless that one was asked for by
   * name. It is copied anew under a new number: what one engine knows of a volume another does not.
   */
  async #otherEngine(record: VolumeRecord, cause: unknown): Promise<VolumeRecord | undefined> {
    const { register, verdicts, logger } = this.#options;
    if (record.isAutomatic !== true) return undefined;
    const found = await verdicts(shown(record.path));
    if (found.find(({ engine }) => engine === record.engine)?.available !== false) return undefined;
    const other = found.find(({ available }) => available);
    if (other === undefined) return undefined;
    const renewed = { ...record, engine: other.engine, volume: register.nextVolume(this.#lastVolumeAtReceiver) };
    logger.warn({ volume: record.name, engine: other.engine, err: cause }, `the ${record.engine} engine cannot capture this volume any more; the ${other.engine} engine copies it anew`);
    await register.replace(renewed);
    await this.#retire(record, `the ${record.engine} engine is not available any more`);
    await this.#define(renewed);
    return renewed;
  }

  /** Ends volumes that the receiver thinks live but that are not protected here (a crash came between). */
  async retireUnknown(live: readonly VolumeId[], lastVolume: number): Promise<void> {
    this.#lastVolumeAtReceiver = Math.max(this.#lastVolumeAtReceiver, lastVolume);
    const known = new Set(this.records.map((record) => record.volume));
    const stale = live.filter((volume) => volume !== journalVolume && !known.has(volume));
    if (stale.length === 0) return;
    this.#options.logger.info({ volumes: stale }, 'ending volumes that are no longer protected here');
    await this.#options.sink.append(stale.map((volume): CapturedChange => ({ volume, body: { kind: 'retired', cause: 'no longer protected by the agent' } })));
  }

  protect(request: ProtectRequest): Promise<{ name: string; engine: Engine; reason: string }> {
    return this.#exclusive(async () => {
      const { register, logger } = this.#options;
      const { path, kind } = await checkPath(request.path, this.records);
      if (kind === 'device' && request.exclude.length > 0) throw new UsageError(`${request.path} is a block device, all of which is captured: --exclude is for directories`);
      const name = request.name ?? volumeNameFor(request.path, new Set(this.records.map((record) => record.name)));
      checkVolumeName(name);
      if (register.find(name) !== undefined) throw new UsageError(`a volume named ${name} is protected already (${shown(register.find(name)!.path)}); choose another --name, or "afterimage-agent unprotect ${name}" first`);
      const { engine, reason } = await this.#choose(request);
      const record: VolumeRecord = { volume: register.nextVolume(this.#lastVolumeAtReceiver), name, kind, path, engine, exclude: request.exclude, ...(request.engine === 'auto' ? { isAutomatic: true } : {}) };
      await register.add(record);
      try {
        await this.#define(record);
        await this.#capture(record);
      } catch (error) {
        await register.remove(name);
        await this.#retire(record, 'it could not be captured');
        throw error;
      }
      logger.info({ volume: name, path: shown(path), engine }, 'protected');
      return { name, engine, reason };
    });
  }

  unprotect(name: string): Promise<{ name: string }> {
    return this.#exclusive(async () => {
      const { register, sources, logger } = this.#options;
      const record = register.find(name);
      if (record === undefined) throw new UsageError(`no volume named ${name} is protected; protected are: ${this.records.map((known) => known.name).join(', ') || 'none'}`);
      // The register first: after a crash in between, the next start ends what is not in it.
      await register.remove(name);
      this.#failures.delete(name);
      await sources.get(record.engine)?.remove(record.volume);
      await this.#retire(record, 'unprotected');
      logger.info({ volume: name }, 'unprotected');
      return { name };
    });
  }

  /**
   * A volume whose engine has lost its state goes on under a new number: what the engine no longer
   * knows it cannot go on with, and the old points stay as they are.
   */
  async #renewed(record: VolumeRecord): Promise<VolumeRecord> {
    const { register, sources, logger } = this.#options;
    if (sources.get(record.engine)?.knows(record.volume) !== false) return record;
    const renewed = { ...record, volume: register.nextVolume(this.#lastVolumeAtReceiver) };
    logger.warn({ volume: record.name }, 'the state of this volume is not there; it is copied anew');
    await register.replace(renewed);
    await this.#retire(record, 'the state of its capture was lost');
    return renewed;
  }

  get #time(): { readonly timeNs?: bigint } {
    const timeNs = this.#options.behindNs?.();
    return timeNs === undefined ? {} : { timeNs };
  }

  async #define(record: VolumeRecord): Promise<void> {
    const { volume, name, kind, path, engine } = record;
    await this.#options.sink.append([{ volume, ...this.#time, body: { kind: 'volume', name, volumeKind: kind, path, engine, platform: process.platform } }]);
  }

  async #retire(record: VolumeRecord, cause: string): Promise<void> {
    await this.#options.sink.append([{ volume: record.volume, ...this.#time, body: { kind: 'retired', cause } }]);
  }

  async #capture(record: VolumeRecord): Promise<void> {
    const { sources, excludedDirectories } = this.#options;
    const source = sources.get(record.engine);
    if (source === undefined) throw new UsageError(`the ${record.engine} engine is not available here`);
    const { volume, name, kind, path, exclude } = record;
    await source.add({ volume, name, kind, path: volumePath(path), exclude, excludedDirectories });
  }

  async #choose(request: ProtectRequest): Promise<{ engine: Engine; reason: string }> {
    const verdicts = await this.#options.verdicts(request.path);
    const wanted = request.engine === 'auto' ? verdicts : verdicts.filter(({ engine }) => engine === request.engine);
    const chosen = wanted.find(({ available }) => available);
    if (chosen === undefined) throw new UsageError(`${request.path} cannot be protected: ${wanted.map(({ engine, reason }) => `${engine} engine: ${reason}`).join('; ') || `no ${request.engine} engine in this version`}`);
    const declined = wanted.filter(({ available }) => !available).map(({ engine, reason }) => `not ${engine}: ${reason}`);
    return { engine: chosen.engine, reason: [chosen.reason, ...declined].join('; ') };
  }

  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** The path's bytes, after links to it are followed once. Throws UsageError for what cannot be protected. */
async function checkPath(path: string, records: readonly VolumeRecord[]): Promise<{ readonly path: string; readonly kind: VolumeKind }> {
  let kind: VolumeKind;
  try {
    const found = await stat(path);
    if (!found.isDirectory() && !found.isBlockDevice()) throw new UsageError(`${path} is no directory; protect the directory that it is in`);
    kind = found.isDirectory() ? 'tree' : 'device';
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = errorCode(error);
    throw new UsageError(code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be looked at: ${(error as Error).message}`);
  }
  const real = (await realpath(path, 'buffer')).toString('latin1');
  for (const record of records) {
    const isInside = real === record.path || real.startsWith(`${record.path}/`) || record.path.startsWith(real === '/' ? '/' : `${real}/`);
    if (record.kind === kind && isInside) throw new UsageError(`${path} overlaps volume ${record.name} (${shown(record.path)}), which is protected already`);
  }
  // Numbers of disks may change with a restart of the machine: a name by what the disk is goes on leading to it.
  return { path: kind === 'device' ? Buffer.from(path).toString('latin1') : real, kind };
}

function shown(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
