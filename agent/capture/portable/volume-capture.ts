/** Captures one volume, a bounded step at a time: baseline, rescan, hints, quiet checks. */
import type { Directory, EntryStat } from '../../../native/host/directory.js';
import { rootNode, type VolumeId } from '../../../proto/change.js';
import type { ProtectedVolume, SourceStatus } from '../change-source.js';
import { applySurvey } from '../tree/apply-survey.js';
import { CopyProgress } from '../tree/count-tree.js';
import { DirtySet } from './dirty-set.js';
import { FlushQueue } from '../tree/flush-queue.js';
import { QuietSchedule } from './quiet-schedule.js';
import { HintFeed } from './hint-feed.js';
import { messageOf } from '../tree/read-failure.js';
import { Reports } from '../tree/reports.js';
import { identityOf } from '../tree/seen.js';
import { positionsMax, Survey } from '../tree/survey.js';
import { type LookAccess, TreeLook } from '../tree/tree-look.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import type { VolumeCaptureOptions } from './volume-options.js';
import { isUnreadGap, noteUnread } from '../tree/unread-gap.js';
import { describeState } from './volume-status.js';

/** A look at the whole volume, spread over steps. */
interface Walk {
  readonly reason: 'baseline' | 'rescan' | 'quiet' | 'flush';
  readonly look: TreeLook;
  readonly startedNs: bigint;
  readonly startedMs: number;
  readonly takenAtStart: number;
  readonly hintsAtStart: number;
  readonly unreadAtStart: number;
  readonly watchedAtStart: boolean;
  /** Gaps that this look heals. */
  readonly gaps: readonly number[];
}

const sliceMs = 250;
const hintSliceMs = 1000;
/** Nodes whose content or names differ are recorded together, so many at most. */
const pendingMax = positionsMax;
const coolingMinMs = 100;
const rewatchIntervalMs = 600_000;
const hintDelayNs = 1_000_000_000n;
/** While nothing changes, a settled volume says so again this often. */
const settleAgainNs = 600_000_000_000n;

export class VolumeCapture {
  readonly definition: ProtectedVolume;
  readonly #options: VolumeCaptureOptions;
  readonly #parts: VolumeParts;
  readonly #dirty = new DirtySet();
  readonly #reports = new Reports();
  readonly #cooling = new Map<number, number>();
  readonly #unwatchable = new Set<number>();
  readonly #stopped = new AbortController();
  readonly #feed: HintFeed;
  #settledSerial = -1;
  #walk: Walk | undefined;
  readonly #flushes = new FlushQueue();
  #missing: string | undefined;
  #failed: string | undefined;
  #waitingForRoom = false;
  readonly #quiet: QuietSchedule;
  #nextTickMs = 0;
  #nextRewatchMs = 0;
  readonly #retries = new Map<number, number>();
  #notBeforeMs = 0;
  #failures = 0;
  #gapsOpened = 0;
  #lastScanNs: bigint | undefined;
  readonly #progress = new CopyProgress();
  #progressEntries = 0;

  constructor(definition: ProtectedVolume, options: VolumeCaptureOptions) {
    this.definition = definition;
    this.#options = options;
    const { clock } = options.parts;
    this.#quiet = new QuietSchedule(options.random);
    this.#feed = new HintFeed({
      name: definition.name,
      path: definition.path,
      clock,
      hints: options.hints,
      excludes: options.excludes,
      logger: options.logger,
      onHint: (path, kind) => {
        this.#quiet.changed(this.#nowMs, this.#options.timing.quietMs);
        if (!this.#dirty.whole) this.#dirty.addPath(path, kind, { ms: this.#nowMs, ns: clock.wallNs() });
        this.#options.wake();
      },
      onReady: () => {
        this.#quiet.hasten();
        this.#options.wake();
      },
      onLost: () => this.#options.wake(),
    });
    this.#parts = {
      ...options.parts,
      report: (path, problem, isLeftOut = false) => {
        if (this.#reports.add(path, problem, isLeftOut)) options.logger.warn({ volume: definition.name, path, problem }, 'not captured');
      },
      clearReport: (path) => this.#reports.clear(path),
      onUnwatchable: (directory) => this.#unwatchable.add(directory),
    };
  }

  get #volume(): VolumeId {
    return this.definition.volume;
  }
  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  /** Begins: what the journal holds of the volume decides between a baseline and a rescan. */
  async begin(): Promise<void> {
    const { index, recorder, clock } = this.#parts;
    const row = index.volume(this.#volume)!;
    if (row.baseline === 'none') await recorder.control(this.#volume, { kind: 'baseline', edge: 'begin' });
    else if (row.baseline === 'done') await this.#openGap('unknown', 'the agent was not running', row.knownThroughNs ?? row.settledNs ?? clock.wallNs());
    this.#dirty.markWhole();
    if (row.baseline !== 'done') void this.#progress.count(this.#options.directories, this.definition.path, this.#stopped.signal);
    this.#feed.restart();
  }

  /** Monotonic milliseconds from which on `step` has something to do. */
  get dueMs(): number {
    if (this.#failed !== undefined) return Infinity;
    if (this.#missing !== undefined) return this.#nextTickMs;
    let due = Math.min(this.#nextTickMs, this.#quiet.nextMs, this.#dirty.dueMs(this.#options.timing.settleMs));
    if (this.#walk !== undefined || this.#dirty.whole || this.#flushes.isWaiting || this.#flushes.isActive || this.#feed.hasLost) due = 0;
    return Math.max(due, this.#notBeforeMs);
  }

  flush(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(new Error(this.#failed));
    const done = this.#flushes.wait();
    this.#options.wake();
    return done;
  }

  /** Does one bounded piece of work. Throws RefusedError when the journal has no room. */
  async step(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#stopped.signal]);
    if (this.#missing === undefined) await this.#noteLostHints();
    const now = this.#nowMs;
    if (this.#missing === undefined && this.#dirty.dueMs(this.#options.timing.settleMs) <= now) {
      await this.#survey({ deferVanished: false }, (survey) => this.#followHints(survey, stop));
    } else if (now >= this.#nextTickMs && this.#walk === undefined) {
      this.#nextTickMs = now + this.#options.timing.tickMs;
      await this.#survey({ deferVanished: false }, (survey) => this.#pollUnwatchable(survey, stop));
    } else {
      await this.#advanceWalk(stop);
    }
    this.#failures = 0;
  }

  /** Surveys with the root open; not when it is missing, which is on record then. */
  async #survey(options: { readonly deferVanished: boolean }, run: (survey: Survey) => Promise<void>): Promise<void> {
    const root = await this.#openRoot();
    // What is not there cannot be captured: flushes do not wait for it.
    if (root === undefined) return this.#flushes.resolveAll();
    await using survey = new Survey(this.#parts, root, options);
    await run(survey);
  }

  /** A step failed and its batch was dropped: everything is to be looked at again. */
  failedStep(error: unknown): void {
    this.#failures += 1;
    this.#restartWalk();
    this.#notBeforeMs = this.#nowMs + Math.min(10_000, 50 * 2 ** this.#failures);
    this.#options.logger.warn({ volume: this.definition.name, error: messageOf(error), failures: this.#failures }, 'capture step failed; looking again');
    if (this.#failures >= 8) this.#flushes.rejectAll(error instanceof Error ? error : new Error(String(error)));
  }

  /** The journal refused a batch: records the gap, and waits. */
  async refused(): Promise<void> {
    this.#waitingForRoom = true;
    this.#restartWalk();
    if (!this.#parts.index.openGaps(this.#volume).some((gap) => gap.cause === spoolCause)) await this.#openGap('converging', spoolCause, this.#parts.clock.wallNs());
  }
  roomAgain(): void {
    this.#waitingForRoom = false;
  }

  /** The journal or the index is broken: nothing more can be captured until the agent starts again. */
  fail(error: Error): void {
    this.#failed = messageOf(error);
    this.#flushes.rejectAll(error);
  }

  async end(): Promise<void> {
    this.#flushes.rejectAll(new Error('capture of the volume ended'));
    this.#stopped.abort(new Error('capture of the volume ended'));
    await this.#feed.end();
  }

  /** Up to when everything is known to be captured, as far as hints tell; undefined while that is not known. */
  get knownThroughNs(): bigint | undefined {
    if (this.#walk?.reason === 'baseline' || this.#walk?.reason === 'rescan' || this.#dirty.whole || this.#missing !== undefined) return undefined;
    // Hints take a moment to arrive.
    return this.#dirty.size > 0 ? this.#dirty.since?.ns : this.#parts.clock.wallNs() - hintDelayNs;
  }

  status(): SourceStatus {
    const { index } = this.#parts;
    const state = describeState({
      baseline: index.volume(this.#volume)?.baseline,
      gaps: index.openGaps(this.#volume),
      failed: this.#failed,
      missing: this.#missing,
      trouble: this.#feed.trouble,
      waitingForRoom: this.#waitingForRoom,
      rescanning: this.#walk?.reason === 'rescan' || this.#dirty.whole,
      quiet: this.#settledSerial === this.#feed.serial && this.#dirty.size === 0,
    });
    return {
      ...state,
      ...(state.label === 'baseline' ? { progress: this.#progress.at(this.#progressEntries) } : {}),
      gaps: this.#gapsOpened,
      pendingHints: this.#dirty.size,
      ...(this.#lastScanNs === undefined ? {} : { lastScanNs: this.#lastScanNs }),
      reports: this.#reports.list(),
      reportCount: this.#reports.count,
    };
  }

  // The root.

  /** Opens the root and checks that it is the one that was captured; undefined, with a gap on record, when it is not there. */
  async #openRoot(): Promise<{ readonly directory: Directory; readonly stat: EntryStat } | undefined> {
    const { index, recorder } = this.#parts;
    let directory: Directory;
    try {
      directory = await this.#options.directories.openRoot(this.definition.path);
    } catch (error) {
      await this.#rootMissing(`the protected directory is missing (${messageOf(error)})`);
      return undefined;
    }
    try {
      const stat = await directory.stat();
      const identity = identityOf(stat, stat.dev);
      const known = index.node(this.#volume, 1)!.identity;
      const device = index.volume(this.#volume)!.rootDevice;
      // Device numbers may change with a restart of the machine; an inode born at the same instant is the same.
      const same = known === null || (known === identity && (device === String(stat.dev) || stat.birthNs !== 0n));
      if (!same && (await directory.list()).length === 0) {
        await directory.close();
        await this.#rootMissing('the protected directory was replaced by an empty one');
        return undefined;
      }
      if (!same) {
        this.#options.logger.warn({ volume: this.definition.name }, 'the protected directory is another one than before; comparing by name');
        await this.#openGap('unknown', 'the protected directory was replaced', index.volume(this.#volume)!.knownThroughNs ?? this.#parts.clock.wallNs());
        index.forgetIdentities(this.#volume);
        this.#restartWalk();
        this.#feed.restart();
      }
      if (known !== identity || device !== String(stat.dev) || !same) {
        recorder.touch();
        index.setIdentity(this.#volume, 1, identity);
        index.setRootDevice(this.#volume, String(stat.dev));
      }
      if (this.#missing !== undefined) {
        this.#missing = undefined;
        this.#restartWalk();
        this.#feed.restart();
      }
      return { directory, stat };
    } catch (error) {
      await directory.close().catch(() => undefined);
      throw error;
    }
  }

  async #rootMissing(cause: string): Promise<void> {
    this.#nextTickMs = this.#nowMs + this.#options.timing.tickMs;
    if (this.#missing !== undefined) return;
    const since = this.#parts.index.volume(this.#volume)!.knownThroughNs ?? this.#parts.clock.wallNs();
    this.#missing = cause;
    this.#restartWalk();
    this.#options.logger.warn({ volume: this.definition.name, cause }, 'nothing is captured until it is back');
    await this.#openGap('unknown', cause, since);
  }

  // Hints.

  async #noteLostHints(): Promise<void> {
    const cause = this.#feed.takeLost();
    if (cause === undefined) return;
    await this.#openGap('converging', cause, this.#parts.index.volume(this.#volume)!.knownThroughNs ?? this.#parts.clock.wallNs());
    this.#restartWalk();
  }

  async #followHints(survey: Survey, signal: AbortSignal): Promise<void> {
    const { index } = this.#parts;
    const { tasks, root } = this.#dirty.take(index, this.#volume, this.#nowMs);
    if (root) survey.differences.set(1, { node: 1, parent: 0, name: '' });
    survey.tasks.push(...tasks);
    await this.#runTasks(survey, signal, this.#nowMs + hintSliceMs);
    await this.#apply(survey, signal, false);
    // A large tree that appeared is followed in turns with everything else.
    const now = { ms: this.#nowMs, ns: this.#parts.clock.wallNs() };
    for (const task of survey.tasks.splice(0)) this.#dirty.addDirectory(task.directory, task.deep ? 'deep' : 'list', now);
  }

  async #pollUnwatchable(survey: Survey, signal: AbortSignal): Promise<void> {
    for (const directory of this.#unwatchable) {
      if (this.#parts.index.node(this.#volume, directory)?.kind !== 'directory') this.#unwatchable.delete(directory);
      else survey.tasks.push({ directory, deep: true });
    }
    if (survey.tasks.length === 0) return;
    const began = this.#nowMs;
    await this.#runTasks(survey, signal, Infinity);
    await this.#apply(survey, signal, false);
    // Not more than a tenth of the time goes into polling.
    this.#nextTickMs = this.#nowMs + Math.max(this.#options.timing.tickMs, 9 * (this.#nowMs - began));
  }

  async #runTasks(survey: Survey, signal: AbortSignal, untilMs: number): Promise<void> {
    for (let task = survey.tasks.pop(); task !== undefined; task = survey.tasks.pop()) {
      signal.throwIfAborted();
      await survey.run(task, signal);
      if (survey.pending >= pendingMax) await this.#apply(survey, signal, false);
      if (this.#nowMs >= untilMs) return;
    }
  }

  async #apply(survey: Survey, signal: AbortSignal, always: boolean): Promise<boolean> {
    const { recorder } = this.#parts;
    let lastMs = this.#nowMs;
    const result = await applySurvey(this.#parts, survey, {
      signal,
      isCooling: (node) => !always && (this.#cooling.get(node) ?? 0) > this.#nowMs,
      onCaptured: (node, { bytesRead }) => {
        const now = this.#nowMs;
        this.#progress.doneBytes += bytesRead;
        if (bytesRead > 0) this.#cooling.set(node, now + Math.max(coolingMinMs, 3 * (now - lastMs)));
        lastMs = now;
      },
    });
    const now = this.#nowMs;
    for (const { node } of result.again) this.#dirty.addNode(node, Math.max(now + 50, this.#cooling.get(node) ?? 0));
    const moved = survey.retry.size > 0;
    for (const directory of survey.retry) {
      const tries = this.#retries.get(directory) ?? 0;
      this.#retries.set(directory, tries + 1);
      this.#dirty.addDirectory(directory, 'list', { ms: now + Math.min(10_000, 50 * 2 ** tries), ns: this.#parts.clock.wallNs() });
    }
    survey.retry.clear();
    if (this.#cooling.size > 10_000) for (const [node, until] of this.#cooling) if (until <= now) this.#cooling.delete(node);
    if (recorder.commitDue) await recorder.commit(signal);
    return moved;
  }

  // Looks at the whole volume.

  #restartWalk(): void {
    this.#walk = undefined;
    this.#flushes.breakOff();
    this.#dirty.markWhole();
  }

  #beginWalk(): Walk {
    const { index, clock, recorder } = this.#parts;
    const baseline = index.volume(this.#volume)!.baseline;
    const gaps = index.openGaps(this.#volume).filter((gap) => !isUnreadGap(gap)).map((gap) => gap.gap);
    const reason = baseline !== 'done' ? 'baseline' : gaps.length > 0 ? 'rescan' : this.#flushes.isWaiting ? 'flush' : 'quiet';
    this.#flushes.begin();
    this.#dirty.takeWhole();
    this.#progressEntries = 0;
    return {
      reason,
      look: new TreeLook(this.#parts, [{ directory: Number(rootNode), deep: true }], { root: true }),
      startedNs: clock.wallNs(),
      startedMs: this.#nowMs,
      takenAtStart: recorder.taken(this.#volume),
      hintsAtStart: this.#feed.serial,
      unreadAtStart: this.#reports.unread,
      watchedAtStart: this.#feed.isComplete,
      gaps,
    };
  }

  async #advanceWalk(signal: AbortSignal): Promise<void> {
    const wanted = this.#dirty.whole || this.#flushes.isWaiting || this.#flushes.isActive || this.#nowMs >= this.#quiet.nextMs;
    if (this.#walk === undefined && !wanted) return;
    // A flush needs a look that began after it; one under way for earlier flushes is let finish first.
    if (this.#walk !== undefined && this.#flushes.isWaiting && !this.#flushes.isActive) this.#walk = undefined;
    const access: LookAccess = {
      survey: (options, run) => this.#survey(options, run),
      runTasks: (survey, untilMs) => this.#runTasks(survey, signal, untilMs),
      apply: (survey) => this.#apply(survey, signal, this.#flushes.isActive),
    };
    let walked: Walk | undefined;
    await this.#survey({ deferVanished: true }, async (survey) => {
      if (this.#walk === undefined) {
        await this.#options.excludes.refresh(this.#options.directories, survey.rootStat);
        this.#walk = this.#beginWalk();
      }
      const walk = this.#walk;
      survey.readsAgain = this.#flushes.isActive ? 'mapped' : 'due';
      if (await walk.look.step(survey, access, this.#nowMs + sliceMs)) walked = walk;
      this.#progressEntries = walk.look.entries;
    });
    // Broken off meanwhile, it begins again.
    const walk = walked;
    if (walk !== undefined && this.#walk === walk) await walk.look.judgeVanished(access, () => this.#endWalk(walk));
  }

  async #endWalk(walk: Walk): Promise<void> {
    const { recorder, index, clock } = this.#parts;
    this.#walk = undefined;
    this.#lastScanNs = clock.wallNs();
    const tookMs = this.#nowMs - walk.startedMs;
    const intervalMs = this.#feed.trouble !== undefined ? this.#options.timing.pollIntervalMs : this.#options.timing.scanIntervalMs;
    this.#quiet.looked(this.#nowMs, tookMs, intervalMs);
    if (walk.reason === 'baseline') {
      await recorder.control(this.#volume, { kind: 'baseline', edge: 'end' });
    }
    for (const gap of walk.gaps) {
      const open = index.openGaps(this.#volume).find((other) => other.gap === gap);
      if (open !== undefined) await recorder.control(this.#volume, { kind: 'gap', edge: 'close', gap, label: open.label, cause: open.cause, sinceNs: open.sinceNs });
    }
    const unread = this.#reports.unread !== walk.unreadAtStart;
    await noteUnread(this.#parts, this.#volume, { unread, reports: this.#reports, sinceNs: walk.startedNs });
    const changed = recorder.taken(this.#volume) !== walk.takenAtStart;
    const unhinted = changed && walk.reason === 'quiet' && walk.watchedAtStart && walk.hintsAtStart === this.#feed.serial;
    if (unhinted && this.#nowMs >= this.#nextRewatchMs && this.#feed.trouble === undefined) {
      // Something changed without a hint: a watch may have died unnoticed, so all are set anew.
      this.#nextRewatchMs = this.#nowMs + rewatchIntervalMs;
      this.#feed.restart();
    }
    const quiet = !changed && walk.hintsAtStart === this.#feed.serial && this.#dirty.size === 0 && !this.#dirty.whole && walk.watchedAtStart;
    if (!quiet) this.#quiet.again(this.#nowMs, tookMs, this.#options.timing.quietMs);
    // What could not be read was not found equal.
    else if (!unread) await this.#settle(walk);
    if (!walk.look.unstable) this.#retries.clear();
    this.#flushes.end(walk.look);
  }

  async #settle(walk: Walk): Promise<void> {
    const { recorder, index, clock } = this.#parts;
    const before = index.volume(this.#volume)!.settledNs;
    const still = this.#settledSerial === this.#feed.serial && before !== undefined;
    if (still && clock.wallNs() - before < settleAgainNs) return;
    await recorder.control(this.#volume, { kind: 'settled', sinceNs: still ? before : walk.startedNs });
    this.#settledSerial = this.#feed.serial;
  }

  async #openGap(label: 'converging' | 'unknown', cause: string, sinceNs: bigint): Promise<void> {
    const { index, recorder } = this.#parts;
    const gap = index.volume(this.#volume)!.nextGap;
    this.#gapsOpened += 1;
    await recorder.control(this.#volume, { kind: 'gap', edge: 'open', gap, label, cause, sinceNs });
  }
}

const spoolCause = 'the spool budget is spent';
