/** Captures one volume exactly: applies what the kernel tells, and reads back what it could not tell. */
import type { EntryStat } from '../../../native/host/directory.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { asNodeId, type ContentChange, type NodeId } from '../../../proto/change.js';
import type { ProtectedVolume, SourceStatus } from '../change-source.js';
import { CopyProgress } from '../tree/count-tree.js';
import { textPathOf } from '../tree/index-path.js';
import { messageOf } from '../tree/read-failure.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { Reports } from '../tree/reports.js';
import { inodeIdentity, nodeBytes } from '../tree/seen.js';
import { isUnreadGap, noteUnread } from '../tree/unread-gap.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import { type CapturedVolume, failureReachNs, flushPollMs, retryDelayMs, spoolCause } from './captured-volume.js';
import { Comparison } from './comparison.js';
import type { Difference } from './differences.js';
import { asynchronousCause, DirectRequests } from './direct-requests.js';
import { type DirtyReason, HealQueue, once, type Persistence } from './heal-queue.js';
import { mappedIntervalMs, ReadBack } from './read-back.js';
import { VolumeGaps } from './volume-gaps.js';
import { RootMissingError, VolumeLooks } from './volume-looks.js';
import { inodeOf, type ToldStamp, VolumeMetadata } from './volume-metadata.js';
import { VolumeNames, type Place } from './volume-names.js';
import type { Due, ExactVolumeOptions, VolumeState } from './volume-options.js';

export const mappedCause = 'a file is written through a memory mapping';

const missingFailures = 6;
/** A page that is dirty already gives no sign of further changes until it is written back, which takes half a minute. */
const unseenMs = 45_000;

export class ExactVolume implements CapturedVolume {
  readonly definition: ProtectedVolume;
  readonly names: VolumeNames;
  readonly root: InodeKey;
  readonly #options: ExactVolumeOptions;
  readonly #parts: VolumeParts;
  readonly #reports = new Reports();
  readonly #heals = new HealQueue();
  readonly #requests = new DirectRequests(unseenMs);
  readonly #gaps: VolumeGaps;
  readonly #readBack: ReadBack;
  readonly #metadata: VolumeMetadata;
  #due: Due[] = [];
  readonly #looks: VolumeLooks;
  readonly #comparison: Comparison;
  /** How far the stream is applied. */
  #applied = 0n;
  /** How far the stream had got when something was last looked at. */
  #lookedThrough = 0n;
  #failed: string | undefined;
  #waitingForRoom = false;
  readonly #progress = new CopyProgress();
  #lastScanNs: bigint | undefined;
  /** When something first came in from outside since the last batch. */
  #enteredNs: bigint | undefined;
  /** A step is under way: what it works on is in no queue. */
  #working = false;
  /** Failures to read that are on record as a gap. */
  #unreadNoted = 0;
  #failures = 0;
  #notBeforeMs = 0;
  readonly #stopped = new AbortController();

  private constructor(definition: ProtectedVolume, root: InodeKey, options: ExactVolumeOptions) {
    this.definition = definition;
    this.root = root;
    this.#options = options;
    this.#parts = {
      ...options.parts,
      report: (path, problem, isLeftOut = false) => {
        if (this.#reports.add(path, problem, isLeftOut)) options.logger.warn({ volume: definition.name, path, problem }, 'not captured');
      },
      clearReport: (path) => this.#reports.clear(path),
      onUnwatchable: () => undefined,
    };
    this.#gaps = new VolumeGaps(this.#parts);
    this.#readBack = new ReadBack({
      parts: this.#parts,
      heals: this.#heals,
      handles: options.handles,
      tree: root.tree,
      isMapped: (inode) => options.isMapped(inode),
      position: () => options.position(),
      onRead: async (node) => {
        this.#metadata.look(node);
        await this.settleBatch({});
      },
      pathOf: (node) => this.#pathOf(node),
    });
    this.#metadata = new VolumeMetadata(this.#parts, {
      handles: options.handles,
      tree: root.tree,
      position: () => options.position(),
      monotonicNs: () => options.monotonicNs(),
      isBehindLook: () => this.isPartial || this.#applied < this.#lookedThrough,
    });
    this.names = new VolumeNames(this.#parts, {
      onUnread: (node, isDirectory, timeNs) => this.#unread(node, isDirectory, timeNs),
      onCreated: (node) => this.#metadata.look(node),
      onTouched: (directory) => {
        this.#comparison.touched?.node(directory);
        this.#metadata.look(directory);
      },
      isExcluded: (place) => this.#isExcluded(place),
    });
    this.#looks = new VolumeLooks({
      parts: this.#parts,
      path: definition.path,
      root,
      directories: options.directories,
      excludes: options.excludes,
      onWhole: () => this.#beginWhole(),
      onCaptured: (node, bytes) => this.#captured(node, bytes),
    });
    const { index, hasher, excludes, recorder, clock } = this.#parts;
    this.#comparison = new Comparison({
      volume: { volume: definition.volume, index, hasher, excludes, handles: options.handles },
      recorder,
      clock,
      directories: options.directories,
      path: definition.path,
      root,
      timing: options.comparison,
      position: () => options.position(),
      isHealing: (node) => this.#heals.has(node),
      onDifference: (difference, sinceNs) => this.#differs(difference, sinceNs),
    });
  }

  /** Opens the root and takes up what the journal holds of the volume: with a first copy, or a comparison after downtime. */
  static async begin(definition: ProtectedVolume, options: ExactVolumeOptions, left?: VolumeState): Promise<ExactVolume> {
    const root = await options.directories.openRoot(definition.path);
    const stat = await root.stat().finally(() => root.close());
    if (stat.inode === undefined) throw new Error(`the file system of ${definition.path.toString()} does not name its inodes`);
    const volume = new ExactVolume(definition, { ino: stat.ino, ...stat.inode }, options);
    await volume.#begin(stat, left);
    return volume;
  }

  async #begin(stat: EntryStat, left: VolumeState | undefined): Promise<void> {
    const { index, recorder, clock } = this.#parts;
    const row = index.volume(this.#volume)!;
    recorder.touch();
    const identity = inodeIdentity(this.root);
    const known = index.node(this.#volume, 1)!.identity;
    if (known !== null && known !== identity) index.forgetIdentities(this.#volume);
    index.setIdentity(this.#volume, 1, identity);
    index.setRootDevice(this.#volume, String(stat.dev));
    if (left !== undefined && known === identity && row.baseline === 'done') return this.#goOn(left, stat);
    if (row.baseline === 'none') await recorder.control(this.#volume, { kind: 'baseline', edge: 'begin' });
    else if (row.baseline === 'done') await this.#gaps.open('unknown', 'the agent was not running', row.knownThroughNs ?? row.settledNs ?? clock.wallNs());
    this.#looks.wantWhole(0n);
    if (row.baseline !== 'done') void this.#progress.count(this.#options.directories, this.definition.path, this.#stopped.signal);
  }

  /** The stream went on while nobody applied it: what was left to be done is all there is to do. */
  async #goOn(left: VolumeState, stat: EntryStat): Promise<void> {
    await this.#options.excludes.refresh(this.#options.directories, stat);
    this.#heals.restore(left.heals, this.#nowMs + unseenMs);
    this.#metadata.restore(left.metadata);
    this.#reports.restore(left.reports);
    this.#unreadNoted = this.#reports.unread;
    this.#lookedThrough = left.lookedThrough;
    this.#applied = left.applied;
    this.#lastScanNs = left.lastScanNs;
  }

  /** What a later engine that gets the rest of the stream has to go on with; undefined when it has to look at everything. */
  leave(): VolumeState | undefined {
    const directories = this.#looks.left;
    const isSettled = this.#due.every(({ causes }) => causes !== undefined) && this.#reports.unread === this.#unreadNoted;
    if (directories === undefined || !isSettled || !this.#isCopied || this.#failed !== undefined || this.#waitingForRoom || this.#enteredNs !== undefined) return undefined;
    for (const [directory, names] of directories) this.#heals.addDirectory(directory, { ...(names === undefined ? {} : { names: [...names] }), after: 0n });
    for (const { causes } of this.#due) for (const cause of causes!) this.#heals.causes.add(cause);
    return { heals: this.#heals.state, metadata: this.#metadata.state, reports: this.#reports.state, lookedThrough: this.#lookedThrough, applied: this.#applied, lastScanNs: this.#lastScanNs };
  }

  get #volume() {
    return this.definition.volume;
  }
  get #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }
  get index() {
    return this.#parts.index;
  }

  /** Whether an inode that is not known may be inside all the same: not everything has been looked at. */
  get isPartial(): boolean {
    return !this.#looks.isIdle || this.#heals.hasDirectories;
  }

  /** Whether everything up to now is captured once the stream is applied. */
  get isInStep(): boolean {
    return !this.isPartial && !this.#working && this.#heals.isIdle && this.#failed === undefined && !this.#waitingForRoom;
  }

  /** Monotonic milliseconds from which on `step` has something to do. */
  get dueMs(): number {
    if (this.#failed !== undefined || this.#waitingForRoom) return Infinity;
    const looksDueMs = this.#looks.dueMs(this.#applied);
    if (this.#looks.isWhole) return Math.max(this.#notBeforeMs, looksDueMs);
    const comparisonDueMs = this.#isComparable ? this.#comparison.dueMs(this.#applied) : Infinity;
    return Math.max(this.#notBeforeMs, Math.min(looksDueMs, this.#heals.dueMs(this.#applied), comparisonDueMs));
  }

  /** Whether the model is meant to be what is there. */
  get #isComparable(): boolean {
    return this.#isCopied && !this.isPartial;
  }

  // What the stream tells.

  /** A promise only where the batch before it has to be taken first. */
  content(body: ContentChange & { readonly node: NodeId }, stamp: ToldStamp, facts: ChangeFacts): Promise<void> | undefined {
    const node = Number(body.node);
    this.#comparison.touched?.content(body, this.index.node(this.#volume, node)?.size ?? 0);
    this.#heals.touched(node);
    this.#metadata.stamp(node, stamp);
    return this.#parts.recorder.add(this.#volume, body, facts);
  }

  stamp(node: number, stamp: ToldStamp): void {
    this.#comparison.touched?.node(node);
    this.#metadata.stamp(node, stamp);
  }

  async durable(node: number, facts: ChangeFacts): Promise<void> {
    await this.#parts.recorder.add(this.#volume, { kind: 'durable', node: asNodeId(BigInt(node)) }, facts);
  }

  /** Names of a directory may not be as the model has them. */
  async lookUp(directory: number, names: readonly string[], why: { readonly cause: string; readonly sinceNs: bigint }): Promise<void> {
    this.#options.onEntered();
    this.#comparison.touched?.node(directory);
    // What the stream still holds is older than what a look finds.
    this.#heals.addDirectory(directory, { names, after: this.#options.position() });
    await this.#healingGap(why.cause, why.sinceNs);
    this.#options.wake();
  }

  /** Metadata of a node changed in a way that the record did not tell. */
  look(node: number): void {
    this.#comparison.touched?.node(node);
    this.#metadata.look(node);
  }

  /** A range changed and its bytes did not come with the stream: it is read back, and a gap says so until then. */
  async dirty(node: number, range: { readonly low: number; readonly high: number }, why: DirtyReason): Promise<void> {
    const isUnseen = why.unseen === true || this.#requests.isUnderWay(node, this.#nowMs);
    const persistence: Persistence = { mapped: why.mapped ?? false, untilMs: isUnseen ? this.#nowMs + unseenMs : 0 };
    const isOnce = !persistence.mapped && persistence.untilMs === 0;
    // Should it not be read before the agent ends: the next one's comparison must not go by its times.
    this.index.distrust(this.#volume, node);
    this.#heals.touched(node);
    this.#comparison.touched?.range(node, 0, Infinity);
    this.#comparison.touched?.node(node);
    this.#heals.add(node, range, persistence, { dueMs: isOnce ? 0 : this.#nowMs + mappedIntervalMs, after: why.isAhead === true ? this.#options.position() : 0n });
    await this.#healingGap(why.cause, why.sinceNs);
    this.#options.wake();
  }

  /** A direct write was asked for, with its bytes, and may not be done: what is read back meanwhile may be what was there before. */
  submitted(node: number, range: { readonly low: number; readonly high: number }, sinceNs: bigint): Promise<void> | undefined {
    this.#requests.note(node, this.#nowMs);
    return this.isHealing(node) ? this.dirty(node, range, { cause: asynchronousCause, sinceNs }) : undefined;
  }

  /** Whether the journal's content of a node may be behind. */
  isHealing(node: number): boolean {
    return this.isPartial || this.#heals.has(node);
  }

  /** Something was lost and nothing tells where: everything is compared. */
  async lostAll(cause: string, sinceNs: bigint, label: 'converging' | 'unknown' = 'converging'): Promise<void> {
    if (this.#isCopied) await this.#gaps.openOnce(label, cause, sinceNs);
    // What came in unnoticed may have been said to be outside.
    this.#options.onEntered();
    this.#comparison.disturb();
    // What the stream still holds from before the loss would undo what a look found.
    this.#looks.wantWhole(this.#options.position());
    // Gaps that wait for the stream only may not close before that look.
    this.#due = [];
    this.#options.wake();
  }

  /** A comparison found what nothing told of. */
  async #differs(difference: Difference, sinceNs: bigint): Promise<void> {
    const { what, node } = difference;
    const why = { cause: 'a comparison found what capture had overlooked', sinceNs };
    this.#options.logger.error({ volume: this.definition.name, path: this.#pathOf(node), ...difference }, why.cause);
    if (what === 'names') return this.lookUp(node, difference.names, why);
    if (what === 'content') return this.dirty(node, difference, why);
    this.#metadata.look(node);
    // Nothing to be read, but told of until it is recorded.
    await this.dirty(node, { low: 0, high: 0 }, why);
  }

  /** At the end of a batch: what it told of metadata, and of what came in from outside. */
  async settleBatch(facts: ChangeFacts): Promise<void> {
    await this.#metadata.settle(facts);
    const enteredNs = this.#enteredNs;
    if (enteredNs === undefined) return;
    this.#enteredNs = undefined;
    await this.#healingGap('files or directories came into the volume from outside', enteredNs);
  }

  /** Whether something waits for the stream to be applied further. */
  get isWaitingForStream(): boolean {
    return this.#due.length > 0 || this.#looks.isWaiting(this.#applied) || this.#heals.isWaiting(this.#applied) || this.#metadata.isWaiting(this.#applied) || this.#comparison.isWaiting(this.#applied);
  }

  /** The stream was applied up to `through`. */
  async applied(through: bigint): Promise<void> {
    this.#applied = through;
    this.#heals.applied(through);
    await this.#metadata.applied(through);
    if (!this.#working) this.#closeHealed();
    if (this.#due.length === 0) return;
    const now = this.#due.filter((due) => due.through <= through);
    this.#due = this.#due.filter((due) => due.through > through);
    for (const due of now) await due.run();
  }

  // Reading back.

  /** A look compared a node: what is mapped for writing, or written by requests under way, may go on changing without a sign of it. */
  async #captured(node: number, bytes: number): Promise<void> {
    this.#progress.doneBytes += bytes;
    const row = this.index.node(this.#volume, node);
    const inode = row?.kind === 'file' ? inodeOf(row.identity, this.root.tree) : undefined;
    const mapped = inode !== undefined && this.#options.isMapped(inode);
    if (!mapped && !this.#requests.isUnderWay(node, this.#nowMs)) return;
    await this.dirty(node, { low: 0, high: Number.MAX_SAFE_INTEGER }, { cause: mapped ? mappedCause : asynchronousCause, sinceNs: this.#parts.clock.wallNs(), mapped });
  }

  #unread(node: number, isDirectory: boolean, timeNs: bigint | undefined): void {
    this.#options.onEntered();
    if (isDirectory) this.#heals.addDirectory(node, { after: 0n });
    else this.#heals.add(node, { low: 0, high: Number.MAX_SAFE_INTEGER }, once, { dueMs: 0, after: 0n });
    this.#enteredNs ??= timeNs ?? this.#parts.clock.wallNs();
    this.#options.wake();
  }

  /** One gap a cause is open for as long as anything is to be read back. */
  async #healingGap(cause: string, sinceNs: bigint): Promise<void> {
    if (this.#isCopied) await this.#gaps.openOnce('converging', cause, sinceNs);
    this.#heals.causes.add(cause);
  }

  /** Does one bounded piece of work: a part of a look, or reading something back. */
  async step(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#stopped.signal]);
    this.#working = true;
    try {
      if (this.#looks.isWhole || this.#looks.dueMs(this.#applied) <= this.#nowMs) {
        await this.#looks.step(stop);
        this.#lookedThrough = this.#options.position();
      } else if (this.#heals.dueMs(this.#applied) <= this.#nowMs) await this.#heal(stop);
      else if (this.#isComparable) await this.#comparison.step();
      this.#closeHealed();
    } finally {
      this.#working = false;
    }
    this.#failures = 0;
  }

  async #heal(signal: AbortSignal): Promise<void> {
    const directories = this.#heals.takeDirectories(this.#applied);
    if (directories.size > 0) this.#looks.add(directories);
    else await this.#readBack.step(this.#applied, signal);
  }

  /** A look at the whole begins: it heals the gaps that are open now, once what the stream told meanwhile is applied. */
  #beginWhole(): () => void {
    const { index, clock, recorder } = this.#parts;
    const isBaseline = !this.#isCopied;
    const gaps = this.#gaps.current.filter((gap) => !isUnreadGap(gap) && !this.#heals.causes.has(gap.cause)).map(({ gap }) => gap);
    const startedNs = clock.wallNs();
    const unreadAtStart = this.#reports.unread;
    return () => {
      this.#lastScanNs = clock.wallNs();
      this.#due.push({
        through: this.#options.position(),
        run: async () => {
          if (isBaseline) {
            // What is still to be read back keeps the first instants from being exact.
            for (const cause of this.#heals.causes) await this.#gaps.open('converging', cause, clock.wallNs());
            await recorder.control(this.#volume, { kind: 'baseline', edge: 'end' });
            index.setCompared(this.#volume, startedNs);
          }
          for (const gap of gaps) await this.#gaps.close(gap);
          await noteUnread(this.#parts, this.#volume, { unread: this.#reports.unread !== unreadAtStart, reports: this.#reports, sinceNs: startedNs });
          this.#unreadNoted = this.#reports.unread;
        },
      });
      this.#options.wake();
    };
  }

  /** All was read back: once what the stream told meanwhile is applied too, the gaps are over. */
  #closeHealed(): void {
    if (!this.#looks.isIdle || !this.#heals.isEmpty || this.#heals.causes.size === 0) return;
    const causes = this.#heals.takeCauses();
    this.#due.push({
      through: this.#options.position(),
      causes,
      run: async () => {
        await this.#gaps.closeCauses(new Set([...causes].filter((cause) => !this.#heals.causes.has(cause))));
        // What could not be read back is not healed.
        if (this.#reports.unread === this.#unreadNoted) return;
        this.#unreadNoted = this.#reports.unread;
        await noteUnread(this.#parts, this.#volume, { unread: true, reports: this.#reports, sinceNs: this.#parts.clock.wallNs() });
      },
    });
    this.#options.wake();
  }

  /** Reads back now what waits for its time, and resolves once everything is read back; it is told once the stream is applied. */
  async readAllBack(): Promise<void> {
    this.#heals.hasten();
    this.#options.wake();
    while (!this.isInStep && !this.isMissing) {
      if (this.#failed !== undefined) throw new Error(this.#failed);
      this.#stopped.signal.throwIfAborted();
      await this.#parts.clock.sleep(flushPollMs, this.#stopped.signal);
    }
  }

  /** What is not there cannot be captured: flushes do not wait for it. */
  get isMissing(): boolean {
    return this.#failures >= missingFailures;
  }

  // State.

  /** Whether the first copy is over: before that there is no instant for a gap to tell of. */
  get #isCopied(): boolean {
    return this.#parts.index.volume(this.#volume)?.baseline === 'done';
  }

  /** The journal has no room: until it has, only what is dirty could be remembered, and that is everything. */
  async refused(): Promise<void> {
    this.#waitingForRoom = true;
    this.#metadata.clear();
    await this.#gaps.openOnce('converging', spoolCause, this.#parts.clock.wallNs());
  }
  roomAgain(): void {
    this.#waitingForRoom = false;
    this.#options.onEntered();
    this.#due = [];
    this.#looks.wantWhole(this.#options.position());
  }

  /** A step failed and its batch was dropped: all of it is compared again. */
  async failedStep(error: unknown): Promise<void> {
    const { clock } = this.#parts;
    this.#failures += 1;
    this.#notBeforeMs = this.#nowMs + retryDelayMs(this.#failures);
    this.#options.logger.warn({ volume: this.definition.name, error: messageOf(error), failures: this.#failures }, 'capture step failed; comparing everything');
    this.#metadata.clear();
    const isMissing = error instanceof RootMissingError;
    await this.lostAll(isMissing ? error.message : 'changes could not be recorded', clock.wallNs() - failureReachNs, isMissing ? 'unknown' : 'converging');
  }

  fail(error: Error): void {
    this.#failed = messageOf(error);
  }

  end(): void {
    this.#stopped.abort(new Error('capture of the volume ended'));
  }

  status(): SourceStatus {
    const { label, cause } = this.#gaps.standing(this.#failed);
    return {
      label,
      cause,
      settled: false,
      phase: this.#failed !== undefined ? 'failed' : this.#waitingForRoom ? 'waiting-for-room' : label === 'baseline' ? 'baseline' : this.#looks.isWhole ? 'rescan' : 'watching',
      ...(label === 'baseline' ? { progress: this.#progress.at(this.#looks.entries) } : {}),
      gaps: this.#gaps.opened,
      pendingHints: this.#heals.size,
      ...(this.#lastScanNs === undefined ? {} : { lastScanNs: this.#lastScanNs }),
      comparison: this.#comparison.status,
      reports: this.#reports.list(),
      reportCount: this.#reports.count,
    };
  }

  #isExcluded(place: Place): boolean {
    const { excludes } = this.#options;
    return excludes.needsPath && excludes.isExcluded([...textPathOf(this.#parts.index, this.#volume, place.directory), nodeBytes(place.name).toString()].join('/'), undefined);
  }

  #pathOf(node: number): string {
    return textPathOf(this.#parts.index, this.#volume, node).join('/');
  }
}
