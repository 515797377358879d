/** The portable engine: chokidar says what may have changed, block hashes say what did. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../native/host/clock.js';
import type { DirectoryOpener } from '../../native/host/directory.js';
import type { Random } from '../../native/host/random.js';
import type { Change, Sequence, VolumeId } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import type { ChangeSink, ChangeSource, ProtectedVolume, SourceStatus } from './change-source.js';
import { abortable } from './tree/abortable.js';
import { BlockHasher } from './tree/block-hash.js';
import { CaptureIndex } from './tree/capture-index.js';
import { Excludes } from './tree/excludes.js';
import { chokidarHints, type HintFactory } from './portable/hints.js';
import { forgetVolume } from './tree/forget-volume.js';
import type { Logger } from './tree/logger.js';
import { messageOf } from './tree/read-failure.js';
import { isBroken, Recorder, RefusedError } from './tree/recorder.js';
import { replayInto } from './tree/replay.js';
import { Turns } from './tree/turns.js';
import { VolumeCapture } from './portable/volume-capture.js';
import type { VolumeTiming } from './portable/volume-options.js';

export interface PortableOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly directories: DirectoryOpener;
  /** Where the index is kept; made when absent. */
  readonly stateDirectory: string;
  readonly logger: Logger;
  readonly hints?: HintFactory;
  readonly timing?: Partial<VolumeTiming>;
  /** Bytes free where the index is. */
  readonly freeBytes?: () => Promise<number>;
}

const defaultTiming: VolumeTiming = { scanIntervalMs: 60_000, pollIntervalMs: 10_000, tickMs: 2000, settleMs: 50, quietMs: 2000 };
const heartbeatMs = 10_000;

export class PortableSource implements ChangeSource {
  readonly engine = 'portable';
  readonly #options: PortableOptions;
  readonly #index: CaptureIndex;
  readonly #hasher: BlockHasher;
  readonly #volumes = new Map<VolumeId, VolumeCapture>();
  readonly #stopped = new AbortController();
  #recorder: Recorder | undefined;
  #sink: ChangeSink | undefined;
  #running: Promise<void> | undefined;
  readonly #turns: Turns;
  #nextHeartbeatMs = 0;

  private constructor(options: PortableOptions, index: CaptureIndex, hasher: BlockHasher) {
    this.#options = options;
    this.#index = index;
    this.#hasher = hasher;
    const { clock, stateDirectory, freeBytes } = options;
    this.#turns = new Turns({ clock, stateDirectory, freeBytes, stopped: this.#stopped.signal, onFailure: (failure) => this.#failed(failure) });
  }

  /** Opens the index in the state directory. */
  static async open(options: PortableOptions): Promise<PortableSource> {
    mkdirSync(options.stateDirectory, { recursive: true, mode: 0o700 });
    const hasher = await BlockHasher.create();
    return new PortableSource(options, new CaptureIndex(join(options.stateDirectory, 'capture-index.sqlite')), hasher);
  }

  get committedThrough(): Sequence {
    return this.#recorder?.committedThrough ?? this.#index.committedThrough();
  }

  async replay(changes: AsyncIterable<readonly Change[]>): Promise<void> {
    await replayInto(this.#index, this.#hasher, changes);
  }

  async start(sink: ChangeSink): Promise<void> {
    this.#sink = sink;
    this.#recorder = new Recorder({ index: this.#index, hasher: this.#hasher, clock: this.#options.clock, hasRoom: () => this.#turns.hasRoom() }, sink);
    this.#running = this.#run(this.#recorder, sink);
  }

  knows(volume: VolumeId): boolean {
    return this.#index.volume(volume) !== undefined;
  }

  async add(definition: ProtectedVolume): Promise<void> {
    if (definition.kind === 'device') {
      throw new UsageError(`${definition.path.toString()} is a block device: the portable engine captures directories only; protect it with the exact engine`);
    }
    await this.#exclusive(async (recorder, signal) => {
      if (this.#volumes.has(definition.volume)) throw new UsageError(`volume ${definition.name} is captured already`);
      const { clock, random, directories, logger, timing } = this.#options;
      if (this.#index.volume(definition.volume) === undefined) {
        this.#index.addVolume(definition.volume);
        recorder.touch();
        // On disk before its first change: replay goes by which volumes are known.
        await recorder.commit(signal);
      }
      const excludes = new Excludes(definition, [Buffer.from(this.#options.stateDirectory)]);
      const capture = new VolumeCapture(definition, {
        parts: { volume: definition.volume, index: this.#index, hasher: this.#hasher, recorder, clock, excludes },
        excludes,
        directories,
        random,
        hints: this.#options.hints ?? chokidarHints,
        timing: { ...defaultTiming, ...timing },
        logger,
        wake: () => this.#turns.wake(),
      });
      await capture.begin();
      this.#volumes.set(definition.volume, capture);
    });
    this.#turns.wake();
  }

  async remove(volume: VolumeId): Promise<void> {
    await this.#volumes.get(volume)?.end();
    await this.#exclusive(async (recorder, signal) => {
      this.#volumes.delete(volume);
      await forgetVolume({ index: this.#index, recorder }, volume, signal);
    });
  }

  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#turns.failure !== undefined) throw this.#turns.failure;
    const all = Promise.all([...this.#volumes.values()].map((volume) => volume.flush()));
    await (signal === undefined ? all : abortable(all, signal));
  }

  status(volume: VolumeId): SourceStatus | undefined {
    return this.#volumes.get(volume)?.status();
  }

  /**
   * Tells that the journal is durable up to `through`, so that an engine that has nothing to add
   * does not make the spool keep what others wrote.
   */
  advance(through: Sequence): void {
    this.#recorder?.advance(through);
    this.#turns.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the engine was closed'));
    this.#turns.wake();
    for (const volume of this.#volumes.values()) await volume.end();
    await this.#running?.catch(() => undefined);
    await this.#turns.whenFree();
    this.#volumes.clear();
    this.#index.abandon();
    this.#index.close();
  }

  /** Takes turns: volumes with something to do each do a bounded step; in between the index is committed. */
  async #run(recorder: Recorder, sink: ChangeSink): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped.signal.aborted) {
      let stepped = false;
      for (const volume of [...this.#volumes.values()]) {
        if (this.#stopped.signal.aborted || this.#turns.failure !== undefined || volume.dueMs > clock.monotonicMs()) continue;
        stepped = true;
        await this.#turns.turn(() => this.#step(volume, recorder, sink));
      }
      if (!stepped) await this.#turns.turn(() => this.#heartbeat(recorder));
      if (!stepped) await this.#idle();
    }
    await this.#turns.last(recorder);
  }

  async #step(volume: VolumeCapture, recorder: Recorder, sink: ChangeSink): Promise<void> {
    const signal = this.#stopped.signal;
    // Removed while waiting for its turn.
    if (this.#volumes.get(volume.definition.volume) !== volume) return;
    try {
      await volume.step(signal);
      if (recorder.commitDue) await recorder.commit(signal);
    } catch (error) {
      // A transaction that the index could not keep is gone whole, and its savepoint with it.
      if (!isBroken(error)) recorder.drop();
      if (signal.aborted) return;
      if (error instanceof RefusedError) {
        await volume.refused();
        // The spool keeps what is not committed: without this, it might be full of just that for ever.
        await recorder.commit(signal);
        await sink.whenRoom(signal);
        volume.roomAgain();
      } else if (isBroken(error)) {
        throw error;
      } else {
        volume.failedStep(error);
      }
    }
  }

  async #heartbeat(recorder: Recorder): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (now >= this.#nextHeartbeatMs) {
      this.#nextHeartbeatMs = now + heartbeatMs;
      recorder.touch();
    }
    if (this.#turns.failure !== undefined) return;
    for (const [id, volume] of this.#volumes) {
      const known = volume.knownThroughNs;
      if (known !== undefined) this.#index.setKnownThrough(id, known);
    }
    await recorder.commit(this.#stopped.signal);
  }

  async #idle(): Promise<void> {
    let due = this.#nextHeartbeatMs;
    for (const volume of this.#volumes.values()) due = Math.min(due, volume.dueMs);
    await this.#turns.idle(due);
  }

  #failed(failure: Error): void {
    this.#options.logger.error({ error: messageOf(failure) }, 'capture stopped');
    for (const volume of this.#volumes.values()) volume.fail(failure);
  }

  async #exclusive(run: (recorder: Recorder, signal: AbortSignal) => Promise<void>): Promise<void> {
    const recorder = this.#recorder;
    if (recorder === undefined || this.#sink === undefined) throw new Error('the engine was not started');
    await this.#turns.exclusive(() => run(recorder, this.#stopped.signal));
  }
}
