/**
 * The exact engine (Linux), for trees and block devices: the kernel tells every change as it is made, with its bytes.
 *
 * One stream of records gives the order over all volumes; fanotify gives the names. A volume begins
 * with a look at all of it while the stream is applied already: applying is idempotent, so that the
 * model is in step with the kernel once the stream has got to where it was when the look ended.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { CaptureBatch, CaptureStream } from '../../native/capture/stream.js';
import type { Clock } from '../../native/host/clock.js';
import type { Change, Sequence, VolumeId } from '../../proto/change.js';
import { UsageError } from '../../proto/errors.js';
import type { ChangeSink, ChangeSource, ProtectedVolume, SourceStatus } from './change-source.js';
import { RecordApplier } from './exact/apply-records.js';
import type { CapturedVolume } from './exact/captured-volume.js';
import { type ComparisonTiming, defaultComparison } from './exact/comparison.js';
import type { ExactDevice } from './exact/exact-device.js';
import { ExactVolume } from './exact/exact-volume.js';
import { FileSystem } from './exact/file-system.js';
import { Predecessor } from './exact/predecessor.js';
import type { ExactKernel, Keeping } from './exact/kernel.js';
import { Losses } from './exact/losses.js';
import { openDevice } from './exact/open-device.js';
import { leave, takeSuspended } from './exact/suspension.js';
import { abortable } from './tree/abortable.js';
import { BlockHasher } from './tree/block-hash.js';
import { CaptureIndex } from './tree/capture-index.js';
import { Excludes } from './tree/excludes.js';
import { forgetVolume } from './tree/forget-volume.js';
import type { Logger } from './tree/logger.js';
import { messageOf } from './tree/read-failure.js';
import { isBroken, Recorder, RefusedError } from './tree/recorder.js';
import { replayInto } from './tree/replay.js';
import { Turns } from './tree/turns.js';

export interface ExactOptions {
  readonly clock: Clock;
  readonly kernel: ExactKernel;
  /** Where the index is kept; made when absent. */
  readonly stateDirectory: string;
  readonly logger: Logger;
  readonly comparison?: Partial<ComparisonTiming>;
  /** Bytes free where the index is. */
  readonly freeBytes?: () => Promise<number>;
}

const heartbeatMs = 10_000;
const lostIntervalMs = 50;
const orphanIntervalMs = 250;
/** Names that no call claims for so long were changed by none that the stream tells of. */
const orphanAgeMs = 2000;
const claimMs = 20;
const commitIntervalMs = 2000;
const suspendRetryMs = 50;

export class ExactSource implements ChangeSource {
  readonly engine = 'exact';
  readonly #options: ExactOptions;
  readonly #index: CaptureIndex;
  readonly #hasher: BlockHasher;
  readonly #volumes = new Map<VolumeId, CapturedVolume>();
  readonly #fileSystems = new Map<number, FileSystem>();
  readonly #devices = new Map<number, ExactDevice>();
  readonly #losses = new Losses({ fileSystems: this.#fileSystems, devices: this.#devices, volumes: this.#volumes });
  readonly #stopped = new AbortController();
  #stream: CaptureStream | undefined;
  #applier: RecordApplier | undefined;
  #recorder: Recorder | undefined;
  #sink: ChangeSink | undefined;
  #running: Promise<void> | undefined;
  readonly #turns: Turns;
  #through = 0n;
  readonly #appliedWaiters = new Set<() => void>();
  #nextHeartbeatMs = 0;
  #nextLostMs = 0;
  #nextOrphansMs = 0;
  /** What an engine before this one left, until all its volumes have been taken up. */
  #predecessor: Predecessor | undefined;

  private constructor(options: ExactOptions, index: CaptureIndex, hasher: BlockHasher) {
    this.#options = options;
    this.#index = index;
    this.#hasher = hasher;
    const { clock, stateDirectory, freeBytes } = options;
    this.#turns = new Turns({ clock, stateDirectory, freeBytes, stopped: this.#stopped.signal, onFailure: (failure) => this.#failed(failure) });
  }

  /** Opens the index in the state directory. */
  static async open(options: ExactOptions): Promise<ExactSource> {
    mkdirSync(options.stateDirectory, { recursive: true, mode: 0o700 });
    return new ExactSource(options, new CaptureIndex(join(options.stateDirectory, 'capture-index.sqlite')), await BlockHasher.create());
  }

  get committedThrough(): Sequence {
    return this.#recorder?.committedThrough ?? this.#index.committedThrough();
  }

  async replay(changes: AsyncIterable<readonly Change[]>): Promise<void> {
    await replayInto(this.#index, this.#hasher, changes);
  }

  async start(sink: ChangeSink): Promise<void> {
    this.#recorder = new Recorder({ index: this.#index, hasher: this.#hasher, clock: this.#options.clock, hasRoom: () => this.#turns.hasRoom(), commitIntervalMs, timeNs: () => this.streamTimeNs() }, sink);
    this.#sink = sink;
    await this.#goOn();
    this.#running = this.#run(this.#recorder, sink);
  }

  /** Takes over what the engine before this one left in the kernel, if it did and that is still there. */
  async #goOn(): Promise<void> {
    const { kernel: { keeping }, logger, stateDirectory } = this.#options;
    if (keeping === undefined) return;
    try {
      const suspended = await takeSuspended(stateDirectory, () => keeping.epoch());
      if (suspended === undefined) return keeping.discard();
      const taken = keeping.takeOver({ ...suspended, devices: suspended.fileSystems.map(({ device }) => device) });
      this.#predecessor = new Predecessor(suspended, taken, this.#index);
      const stream = this.#setStream(taken.stream);
      this.#applier!.restore(suspended.applier);
      this.#through = suspended.through;
      this.#losses.unplaced.push(...suspended.unplaced);
      logger.info({ volumes: suspended.volumes.size, ringBytes: Number(stream.position() - suspended.through) }, 'capture went on while the agent was away; going on from there');
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'capture did not go on while the agent was away; comparing everything');
    }
  }

  /** All volumes that were captured before have been added, or cannot be. */
  takenUp(): void {
    if (this.#predecessor === undefined) return;
    this.#predecessor[Symbol.dispose]();
    this.#predecessor = undefined;
    this.#applier!.drain({ foreign: true });
    this.#turns.wake();
  }

  /**
   * Leaves capture to go on in the kernel for the next engine, if it can. The journal must be open; nothing is captured afterwards.
   */
  async suspend(signal: AbortSignal): Promise<boolean> {
    const [keeping, stream] = [this.#options.kernel.keeping, this.#stream];
    if (keeping?.isWanted !== true || stream === undefined || this.#predecessor !== undefined || this.#volumes.size === 0) return false;
    while (!signal.aborted && this.#turns.failure === undefined) {
      await this.#whenApplied(stream.quiesce(), signal);
      await this.#guarded(() => this.#look(this.#options.clock.monotonicMs(), this.#recorder!));
      try {
        await this.#turns.exclusive(() => this.#leave(keeping, stream, signal));
      } catch (error) {
        this.#options.logger.warn({ error: messageOf(error) }, 'capture ends with the agent');
        return false;
      }
      if (this.#stopped.signal.aborted) return true;
      stream.resume();
      await this.#options.clock.sleep(suspendRetryMs, signal);
    }
    return false;
  }

  async #leave(keeping: Keeping, stream: CaptureStream, signal: AbortSignal): Promise<void> {
    const { clock, stateDirectory } = this.#options;
    const parts = { index: this.#index, recorder: this.#recorder!, stateDirectory, keeping, stream, nowNs: clock.wallNs() };
    if (!(await leave(parts, { through: this.#through, applier: this.#applier!.state, unplaced: this.#losses.unplaced }, { volumes: this.#volumes, fileSystems: [...this.#fileSystems.values()], devices: this.#devices }, signal))) return;
    this.#stopped.abort(new Error('capture goes on without the engine'));
    this.#turns.wake();
  }

  knows(volume: VolumeId): boolean {
    return this.#index.volume(volume) !== undefined;
  }

  async add(definition: ProtectedVolume): Promise<void> {
    await this.#exclusive(async (recorder, signal) => {
      if (this.#volumes.has(definition.volume)) throw new UsageError(`volume ${definition.name} is captured already`);
      const stream = this.#stream ?? this.#setStream(this.#options.kernel.openStream());
      if (this.#index.volume(definition.volume) === undefined) {
        this.#index.addVolume(definition.volume);
        recorder.touch();
        // On disk before its first change: replay goes by which volumes are known.
        await recorder.commit(signal);
      }
      this.#volumes.set(definition.volume, await (definition.kind === 'device' ? this.#addDevice(definition, stream, recorder) : this.#addTree(definition, stream, recorder)));
    });
    this.#turns.wake();
  }

  async #addDevice(definition: ProtectedVolume, stream: CaptureStream, recorder: Recorder): Promise<ExactDevice> {
    const { clock, kernel, logger, comparison, stateDirectory } = this.#options;
    const parts = { volume: definition.volume, index: this.#index, hasher: this.#hasher, recorder, clock };
    const { number, device } = await openDevice(definition, { kernel, stream, parts, logger, comparison: { ...defaultComparison, ...comparison }, predecessor: this.#predecessor, stateDirectory, isCaptured: (other) => this.#devices.has(other), wake: () => this.#turns.wake() });
    this.#devices.set(number, device);
    return device;
  }

  async #addTree(definition: ProtectedVolume, stream: CaptureStream, recorder: Recorder): Promise<ExactVolume> {
    const { clock, kernel, logger } = this.#options;
    const fileSystem = await this.#fileSystemOf(definition.path);
    const excludes = new Excludes(definition, [Buffer.from(this.#options.stateDirectory)]);
    // Before anything is looked at: what changes from now on is told.
    fileSystem.names.watch(definition.path);
    stream.watch(fileSystem.device);
    stream.forgetOutside();
    await stream.noteMapped(fileSystem.device);
    const volume = await ExactVolume.begin(definition, {
      parts: { volume: definition.volume, index: this.#index, hasher: this.#hasher, recorder, clock, excludes },
      excludes,
      logger,
      directories: kernel.directories,
      handles: fileSystem.handles,
      comparison: { ...defaultComparison, ...this.#options.comparison },
      isMapped: (inode) => stream.isMapped({ ...inode, device: fileSystem.device }),
      position: () => stream.position(),
      monotonicNs: () => kernel.monotonicNs(),
      onEntered: () => stream.forgetOutside(),
      wake: () => this.#turns.wake(),
    }, this.#predecessor?.volume(definition.volume, fileSystem.device));
    fileSystem.volumes.add(volume);
    return volume;
  }

  #setStream(stream: CaptureStream): CaptureStream {
    this.#stream = stream;
    this.#applier = new RecordApplier({ stream, clock: this.#options.clock, fileSystems: this.#fileSystems, devices: this.#devices, isComplete: () => this.#losses.isComplete(stream), monotonicNs: () => this.#options.kernel.monotonicNs() });
    return stream;
  }

  async #fileSystemOf(path: Buffer): Promise<FileSystem> {
    const { kernel } = this.#options;
    const device = await kernel.deviceOf(path);
    let fileSystem = this.#fileSystems.get(device);
    if (fileSystem === undefined) {
      const left = this.#predecessor?.takeFileSystem(device);
      fileSystem = new FileSystem(device, { names: left?.names ?? kernel.openNames(), handles: kernel.openHandles(path), isOwnThread: (tid) => kernel.isOwnThread(tid) });
      this.#fileSystems.set(device, fileSystem);
      if (left !== undefined) {
        fileSystem.restore(left.state);
        this.#applier!.restoreNames(fileSystem, this.#predecessor!.applier);
      }
    }
    return fileSystem;
  }

  async remove(id: VolumeId): Promise<void> {
    this.#volumes.get(id)?.end();
    await this.#exclusive(async (recorder, signal) => {
      const volume = this.#volumes.get(id);
      this.#volumes.delete(id);
      for (const [number, device] of this.#devices) if (device === volume && this.#devices.delete(number)) await device[Symbol.asyncDispose]().finally(() => this.#stream?.unwatchBlocks(number));
      for (const fileSystem of this.#fileSystems.values()) {
        if (!(volume instanceof ExactVolume) || !fileSystem.volumes.delete(volume)) continue;
        fileSystem.forgetInodes();
        if (fileSystem.volumes.size > 0) continue;
        this.#stream?.unwatch(fileSystem.device);
        this.#fileSystems.delete(fileSystem.device);
        fileSystem[Symbol.dispose]();
      }
      await forgetVolume({ index: this.#index, recorder }, id, signal);
    });
  }

  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#turns.failure !== undefined) throw this.#turns.failure;
    if (this.#stream === undefined) return;
    const stop = signal === undefined ? this.#stopped.signal : AbortSignal.any([signal, this.#stopped.signal]);
    // What the stream tells by now, then what it could not tell, then what it told while that was read back.
    // Twice: what was lost may be of files that the stream made known only then.
    for (let time = 0; time < 2; time += 1) {
      await this.#whenApplied(this.#stream.position(), stop);
      await this.#guarded(() => this.#look(this.#options.clock.monotonicMs(), this.#recorder!));
    }
    await this.#guarded(async () => {
      this.#applier!.drain();
    });
    if (this.#hasUnclaimed) {
      // Calls that are about to return claim theirs within a moment; what is left was done by none.
      await this.#options.clock.sleep(claimMs, stop);
      await this.#whenApplied(this.#stream.position(), stop);
      await this.#guarded(() => this.#orphans(claimMs));
    }
    for (const volume of [...this.#volumes.values()]) {
      await abortable(volume.readAllBack(), stop);
    }
    await this.#whenApplied(this.#stream.position(), stop);
    // What waited for just that.
    await this.#guarded(() => this.#tellApplied(this.#recorder!));
    if (this.#turns.failure !== undefined) throw this.#turns.failure;
  }

  /**
   * While the stream is behind, what is recorded besides it is given the stream's time: the journal's
   * times never go back, so that a later one would make all that the stream still holds seem as late.
   */
  streamTimeNs(): bigint | undefined {
    if (this.#stream === undefined || this.#stream.position() <= this.#through) return undefined;
    return this.#applier!.appliedTimeNs;
  }

  #guarded(run: () => Promise<void>): Promise<void> {
    return this.#turns.turn(() => this.#guard(run, this.#recorder!, this.#sink!));
  }

  get #hasUnclaimed(): boolean {
    for (const fileSystem of this.#fileSystems.values()) if (fileSystem.queue.size > 0) return true;
    return false;
  }

  async #orphans(ageMs: number): Promise<void> {
    await this.#applier!.applyOrphans(BigInt(ageMs) * 1_000_000n, () => this.#stream!.position() <= this.#through);
    await this.#recorder!.flush();
  }

  /** Resolves once the stream has been applied up to a position. */
  async #whenApplied(position: bigint, signal: AbortSignal): Promise<void> {
    while (this.#through < position && this.#turns.failure === undefined) {
      await abortable(new Promise<void>((resolve) => this.#appliedWaiters.add(resolve)), signal);
    }
  }

  status(volume: VolumeId): SourceStatus | undefined {
    const status = this.#volumes.get(volume)?.status();
    return status === undefined || this.#stream === undefined || this.#stopped.signal.aborted ? status : { ...status, ringBytes: this.#stream.stats().ringUsedBytes };
  }

  advance(through: Sequence): void {
    this.#recorder?.advance(through);
    this.#turns.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the engine was closed'));
    this.#turns.wake();
    for (const volume of this.#volumes.values()) volume.end();
    this.takenUp();
    await this.#running?.catch(() => undefined);
    await this.#turns.whenFree();
    this.#volumes.clear();
    for (const fileSystem of this.#fileSystems.values()) fileSystem[Symbol.dispose]();
    this.#fileSystems.clear();
    for (const device of this.#devices.values()) await device[Symbol.asyncDispose]();
    this.#devices.clear();
    await this.#stream?.[Symbol.asyncDispose]();
    this.#index.abandon();
    this.#index.close();
  }

  /** The stream first; volumes with something to look at or to read back in between, a bounded step at a time. */
  async #run(recorder: Recorder, sink: ChangeSink): Promise<void> {
    const { clock } = this.#options;
    let next: Promise<CaptureBatch | undefined> | undefined;
    let batch: CaptureBatch | undefined;
    while (!this.#stopped.signal.aborted) {
      if (this.#predecessor !== undefined) {
        await this.#turns.idle(clock.monotonicMs() + heartbeatMs);
        continue;
      }
      if (next === undefined && this.#stream !== undefined && this.#turns.failure === undefined) {
        next = this.#stream.next(this.#stopped.signal);
        void next.then(
          (got) => {
            batch = got;
            this.#turns.wake();
          },
          (error: unknown) => {
            this.#turns.fail(error);
            this.#turns.wake();
          },
        );
      }
      await setImmediate(); // Lets a batch that has come be seen.
      if (batch !== undefined) {
        const got = batch;
        batch = undefined;
        next = undefined;
        await this.#turns.turn(() => this.#guard(() => this.#applyBatch(got, recorder), recorder, sink));
      }
      const nowMs = clock.monotonicMs();
      if (nowMs >= this.#nextLostMs || nowMs >= this.#nextOrphansMs) await this.#turns.turn(() => this.#guard(() => this.#look(nowMs, recorder), recorder, sink));
      let stepped = false;
      for (const volume of [...this.#volumes.values()]) {
        if (this.#stopped.signal.aborted || this.#turns.failure !== undefined || volume.dueMs > clock.monotonicMs()) continue;
        stepped = true;
        await this.#turns.turn(() => this.#guard(() => this.#step(volume), recorder, sink, volume));
      }
      await this.#tellCaughtUp(recorder, sink);
      // Before it waits it must be waiting for a batch as well.
      const isBusy = next === undefined && this.#stream !== undefined && this.#turns.failure === undefined;
      if (isBusy || batch !== undefined || stepped) {
        if (nowMs >= this.#nextHeartbeatMs) await this.#turns.turn(() => this.#heartbeat(recorder));
        continue;
      }
      await this.#turns.turn(() => this.#heartbeat(recorder));
      if (batch === undefined) await this.#idle();
    }
    await this.#turns.last(recorder);
  }

  async #applyBatch(batch: CaptureBatch, recorder: Recorder): Promise<void> {
    try {
      await this.#applier!.apply(batch);
      await recorder.flush();
    } finally {
      // Also when it failed: what it held is compared then, and waits for no more of the stream.
      this.#through = batch.through;
      for (const resolve of this.#appliedWaiters) resolve();
      this.#appliedWaiters.clear();
    }
    await this.#tellApplied(recorder);
  }

  /** Where nothing comes with the stream, nothing has to be waited for. */
  async #tellCaughtUp(recorder: Recorder, sink: ChangeSink): Promise<void> {
    if (this.#stream === undefined || ![...this.#volumes.values()].some((volume) => volume.isWaitingForStream)) return;
    if (this.#stream.position() > this.#through) return;
    await this.#turns.turn(() => this.#guard(() => this.#tellApplied(recorder), recorder, sink));
  }

  async #tellApplied(recorder: Recorder): Promise<void> {
    for (const volume of this.#volumes.values()) await volume.applied(this.#through);
    await recorder.flush();
    if (recorder.commitDue) await recorder.commit(this.#stopped.signal);
  }

  /** Looks at what the kernel could not put into the stream, and at names that no call claims. */
  async #look(nowMs: number, recorder: Recorder): Promise<void> {
    this.#nextLostMs = nowMs + lostIntervalMs;
    const stream = this.#stream;
    if (stream === undefined) return;
    const wallOffsetNs = this.#options.clock.wallNs() - this.#options.kernel.monotonicNs();
    await this.#losses.take(stream, { through: this.#through, wallOffsetNs });
    if (nowMs >= this.#nextOrphansMs) {
      this.#nextOrphansMs = nowMs + orphanIntervalMs;
      await this.#orphans(orphanAgeMs);
    }
    await recorder.flush();
  }

  async #step(volume: CapturedVolume): Promise<void> {
    // Removed while waiting for its turn.
    if (this.#volumes.get(volume.definition.volume) !== volume) return;
    await volume.step(this.#stopped.signal);
  }

  /** A step that fails is dropped whole: what it covered is compared again, since the stream has gone on. */
  async #guard(run: () => Promise<void>, recorder: Recorder, sink: ChangeSink, only?: CapturedVolume): Promise<void> {
    const signal = this.#stopped.signal;
    if (signal.aborted) return;
    try {
      await run();
    } catch (error) {
      if (isBroken(error)) throw error;
      recorder.drop();
      for (const fileSystem of this.#fileSystems.values()) fileSystem.forgetInodes();
      if (signal.aborted) return;
      const volumes = [...this.#volumes.values()];
      if (error instanceof RefusedError) {
        for (const volume of volumes) await volume.refused();
        await recorder.commit(signal);
        // Meanwhile the ring fills: what it cannot hold is compared when there is room.
        await sink.whenRoom(signal);
        for (const volume of volumes) volume.roomAgain();
      } else {
        for (const volume of only === undefined ? volumes : [only]) await volume.failedStep(error);
      }
    }
  }

  async #heartbeat(recorder: Recorder): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#turns.failure !== undefined || this.#stopped.signal.aborted) return;
    if (nowMs >= this.#nextHeartbeatMs) {
      this.#nextHeartbeatMs = nowMs + heartbeatMs;
      recorder.touch();
      // What the stream still holds would be lost with this process.
      const knownNs = this.streamTimeNs() ?? clock.wallNs();
      for (const [id, volume] of this.#volumes) if (volume.isInStep) this.#index.setKnownThrough(id, knownNs);
    } else if (!recorder.commitDue) return;
    await recorder.commit(this.#stopped.signal);
  }

  async #idle(): Promise<void> {
    let due = this.#nextHeartbeatMs;
    if (this.#stream !== undefined) due = Math.min(due, this.#nextLostMs, this.#nextOrphansMs);
    for (const volume of this.#volumes.values()) due = Math.min(due, volume.dueMs);
    await this.#turns.idle(due);
  }

  #failed(failure: Error): void {
    for (const resolve of this.#appliedWaiters) resolve();
    this.#options.logger.error({ error: messageOf(failure) }, 'capture stopped');
    for (const volume of this.#volumes.values()) volume.fail(failure);
  }

  async #exclusive(run: (recorder: Recorder, signal: AbortSignal) => Promise<void>): Promise<void> {
    const recorder = this.#recorder;
    if (recorder === undefined || this.#stopped.signal.aborted) throw new Error('the engine does not run');
    await this.#turns.exclusive(() => run(recorder, this.#stopped.signal));
  }
}
