/** Captures one volume exactly: applies what the kernel tells, and reads back what it could not tell. */
import type { Directory, DirectoryOpener, EntryStat } from '../../../native/host/directory.js';
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { asNodeId, rootNode, type ContentChange, type NodeId, type NodeMetadata } from '../../../proto/change.js';
import type { ProtectedVolume, SourceStatus, VolumeLabel } from '../change-source.js';
import { applySurvey } from '../tree/apply-survey.js';
import { captureContent } from '../tree/content.js';
import { countVolume, type TreeCount } from '../tree/count-tree.js';
import type { Excludes } from '../tree/excludes.js';
import type { Logger } from '../tree/logger.js';
import { isReadFailure, messageOf } from '../tree/read-failure.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { Reports } from '../tree/reports.js';
import { differingXattrs, inodeIdentity, nodeBytes } from '../tree/seen.js';
import { Survey, type SurveyTask } from '../tree/survey.js';
import { type LookAccess, TreeLook } from '../tree/tree-look.js';
import { isUnreadGap, noteUnread } from '../tree/unread-gap.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import { HealQueue, once, type Persistence } from './heal-queue.js';
import { VolumeNames, type Place } from './volume-names.js';

export interface ExactVolumeOptions {
  readonly parts: Omit<VolumeParts, 'report' | 'clearReport' | 'onUnwatchable'>;
  readonly excludes: Excludes;
  /** Gives inodes with their generations. */
  readonly directories: DirectoryOpener;
  readonly handles: HandleAccess;
  readonly logger: Logger;
  /** Whether stores through a mapping may still come to an inode. */
  isMapped(inode: InodeKey): boolean;
  /** How far the stream has got in the kernel: what was done before the call lies before it. */
  position(): bigint;
  /** Inodes came into the volume from outside: from now on their changes count. */
  onEntered(): void;
  /** Something became due. */
  wake(): void;
}

/** Attributes of a node as a record told them. */
export interface Stamp {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
}

/** Why a range has to be read back. */
export interface DirtyReason {
  readonly cause: string;
  readonly sinceNs: bigint;
  /** Stores through a mapping go on. */
  readonly mapped?: boolean;
  /** Something changes it that the stream does not tell of. */
  readonly unseen?: boolean;
  /** It was told of out of the stream's order, which may hold older changes still. */
  readonly isAhead?: boolean;
}

/** A look at the whole volume, for a first copy or to heal gaps. */
interface Walk {
  readonly reason: 'baseline' | 'rescan';
  readonly look: TreeLook;
  readonly gaps: readonly number[];
  readonly startedNs: bigint;
  readonly unreadAtStart: number;
}

/** What may be said once the stream has been applied that far. */
interface Due {
  readonly through: bigint;
  run(): Promise<void>;
}

const sliceMs = 30;
const flushPollMs = 5;
const missingFailures = 6;
const pendingMax = 1024;
const retryMinMs = 20;
const retriesMax = 50;
/** Between reads of what is mapped for writing. */
const mappedIntervalMs = 100;
/** A page that is dirty already gives no sign of further changes until it is written back, which takes half a minute. */
const unseenMs = 45_000;
/** Reading it takes a tenth of the time at most. */
const mappedRest = 9;
/** A batch that could not be applied holds changes of the last moments. */
const failureReachNs = 1_000_000_000n;

export class ExactVolume {
  readonly definition: ProtectedVolume;
  readonly names: VolumeNames;
  readonly root: InodeKey;
  readonly #options: ExactVolumeOptions;
  readonly #parts: VolumeParts;
  readonly #reports = new Reports();
  readonly #heals = new HealQueue();
  readonly #stamps = new Map<number, Stamp>();
  readonly #looks = new Set<number>();
  #due: Due[] = [];
  #walk: Walk | undefined;
  #wholeWanted = false;
  /** How far the stream is applied, and how far it has to be before the whole is looked at: what was lost lies before that. */
  #applied = 0n;
  #wholeAfter = 0n;
  #retry: { readonly tasks: SurveyTask[]; dueMs: number } | undefined;
  #retries = 0;
  #failed: string | undefined;
  #waitingForRoom = false;
  #gapsOpened = 0;
  #total: TreeCount | undefined;
  #progressBytes = 0;
  #lastScanNs: bigint | undefined;
  /** Something came in from outside since the last batch. */
  #entered = false;
  /** A step is under way: what it works on is in no queue. */
  #working = false;
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
    this.names = new VolumeNames(this.#parts, {
      onUnread: (node, isDirectory) => this.#unread(node, isDirectory),
      onTouched: (directory) => this.#looks.add(directory),
      isExcluded: (place, metadata) => this.#isExcluded(place, metadata),
    });
  }

  /** Opens the root and takes up what the journal holds of the volume: with a first copy, or a comparison after downtime. */
  static async begin(definition: ProtectedVolume, options: ExactVolumeOptions): Promise<ExactVolume> {
    const root = await options.directories.openRoot(definition.path);
    let stat: EntryStat;
    try {
      stat = await root.stat();
    } finally {
      await root.close();
    }
    if (stat.inode === undefined) throw new Error(`the file system of ${definition.path.toString()} does not name its inodes`);
    const volume = new ExactVolume(definition, { ino: stat.ino, ...stat.inode }, options);
    await volume.#begin(stat);
    return volume;
  }

  async #begin(stat: EntryStat): Promise<void> {
    const { index, recorder, clock } = this.#parts;
    const row = index.volume(this.#volume)!;
    recorder.touch();
    const identity = inodeIdentity(this.root);
    const known = index.node(this.#volume, 1)!.identity;
    if (known !== null && known !== identity) index.forgetIdentities(this.#volume);
    index.setIdentity(this.#volume, 1, identity);
    index.setRootDevice(this.#volume, String(stat.dev));
    if (row.baseline === 'none') await recorder.control(this.#volume, { kind: 'baseline', edge: 'begin' });
    else if (row.baseline === 'done') await this.openGap('unknown', 'the agent was not running', row.knownThroughNs ?? row.settledNs ?? clock.wallNs());
    this.#wholeWanted = true;
    if (row.baseline !== 'done') void this.#count();
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
    return this.#walk !== undefined || this.#wholeWanted || this.#retry !== undefined || this.#heals.hasDirectories;
  }

  /** Whether everything up to now is captured once the stream is applied. */
  get isInStep(): boolean {
    return !this.isPartial && !this.#working && this.#afterRetry.length === 0 && this.#heals.isIdle && this.#failed === undefined && !this.#waitingForRoom;
  }

  /** Monotonic milliseconds from which on `step` has something to do. */
  get dueMs(): number {
    if (this.#failed !== undefined || this.#waitingForRoom) return Infinity;
    if (this.#wholeWanted && this.#applied < this.#wholeAfter) return Infinity;
    if (this.#wholeWanted || this.#walk !== undefined) return this.#notBeforeMs;
    return Math.max(this.#notBeforeMs, Math.min(this.#retry?.dueMs ?? Infinity, this.#heals.dueMs(this.#applied)));
  }

  // What the stream tells.

  async content(body: ContentChange, stamp: Stamp | undefined, facts: ChangeFacts): Promise<void> {
    await this.#parts.recorder.add(this.#volume, body, facts);
    if (!('node' in body)) return;
    this.#heals.touched(Number(body.node));
    if (stamp !== undefined) this.#stamps.set(Number(body.node), stamp);
  }

  stamp(node: number, stamp: Stamp): void {
    this.#stamps.set(node, stamp);
  }

  async durable(node: number, facts: ChangeFacts): Promise<void> {
    await this.#parts.recorder.add(this.#volume, { kind: 'durable', node: id(node) }, facts);
  }

  /** Names of a directory may not be as the model has them. */
  async lookUp(directory: number, names: readonly string[], why: { readonly cause: string; readonly sinceNs: bigint }): Promise<void> {
    // What the stream still holds is older than what a look finds.
    this.#heals.addDirectory(directory, { names, after: this.#options.position() });
    await this.#healingGap(why.cause, why.sinceNs);
    this.#options.wake();
  }

  /** Metadata of a node changed in a way that the record did not tell. */
  look(node: number): void {
    this.#looks.add(node);
  }

  /** A range changed and its bytes did not come with the stream: it is read back, and a gap says so until then. */
  async dirty(node: number, range: { readonly low: number; readonly high: number }, why: DirtyReason): Promise<void> {
    const persistence: Persistence = { mapped: why.mapped ?? false, untilMs: why.unseen === true ? this.#nowMs + unseenMs : 0 };
    const isOnce = !persistence.mapped && persistence.untilMs === 0;
    this.#heals.touched(node);
    this.#heals.add(node, range, persistence, { dueMs: isOnce ? 0 : this.#nowMs + mappedIntervalMs, after: why.isAhead === true ? this.#options.position() : 0n });
    await this.#healingGap(why.cause, why.sinceNs);
    this.#options.wake();
  }

  /** Whether the journal's content of a node may be behind. */
  isHealing(node: number): boolean {
    return this.isPartial || this.#heals.has(node);
  }

  /** Something was lost and nothing tells where: everything is compared. */
  async lostAll(cause: string, sinceNs: bigint, label: 'converging' | 'unknown' = 'converging'): Promise<void> {
    const { index } = this.#parts;
    const isKnown = index.openGaps(this.#volume).some((gap) => gap.cause === cause);
    if (!isKnown && index.volume(this.#volume)?.baseline === 'done') await this.openGap(label, cause, sinceNs);
    // What a look under way has passed already may be among what was lost.
    this.#walk = undefined;
    this.#wholeWanted = true;
    // What the stream still holds from before the loss would undo what a look found.
    this.#wholeAfter = this.#options.position();
    // Gaps that wait for the stream only may not close before that look.
    this.#due = [];
    this.#afterRetry.length = 0;
    this.#options.wake();
  }

  /** At the end of a batch: attributes as the records told them last, and as they are where none told. */
  async settleBatch(facts: ChangeFacts): Promise<void> {
    const { index, recorder } = this.#parts;
    for (const [node, stamp] of this.#stamps) {
      const row = index.node(this.#volume, node);
      if (row === undefined) continue;
      const attributes = {
        ...(row.mode === stamp.mode ? {} : { mode: stamp.mode }),
        ...(row.uid === stamp.uid ? {} : { uid: stamp.uid }),
        ...(row.gid === stamp.gid ? {} : { gid: stamp.gid }),
        ...(row.modifyNs === String(stamp.modifyNs) ? {} : { modifyNs: stamp.modifyNs }),
      };
      if (Object.keys(attributes).length > 0) await recorder.add(this.#volume, { kind: 'attributes', node: id(node), ...attributes }, facts);
    }
    this.#stamps.clear();
    for (const node of this.#looks) await this.#lookNow(node, facts);
    this.#looks.clear();
    if (!this.#entered) return;
    this.#entered = false;
    await this.#healingGap('files or directories came into the volume from outside', facts.timeNs ?? this.#parts.clock.wallNs());
  }

  async #lookNow(node: number, facts: ChangeFacts): Promise<void> {
    const { index, recorder } = this.#parts;
    const row = index.node(this.#volume, node);
    const inode = row === undefined ? undefined : inodeOf(row.identity, this.root.tree);
    const found = inode === undefined ? undefined : this.#options.handles.look(inode);
    // Gone already: what removed it is told of later.
    if (row === undefined || found === undefined || found.stat.kind !== row.kind) return;
    const { set, remove } = differingXattrs(row.xattrs, found.xattrs);
    for (const key of remove) await recorder.add(this.#volume, { kind: 'xattr-remove', node: id(node), key }, facts);
    for (const [key, value] of set) await recorder.add(this.#volume, { kind: 'xattr-set', node: id(node), key, value }, facts);
    const { mode, uid, gid, modifyNs } = found.stat;
    const attributes = {
      ...(row.mode === mode ? {} : { mode }),
      ...(row.uid === uid ? {} : { uid }),
      ...(row.gid === gid ? {} : { gid }),
      ...(index.node(this.#volume, node)!.modifyNs === String(modifyNs) ? {} : { modifyNs }),
    };
    if (Object.keys(attributes).length > 0) await recorder.add(this.#volume, { kind: 'attributes', node: id(node), ...attributes }, facts);
  }

  /** The stream was applied up to `through`. */
  get isWaitingForStream(): boolean {
    return this.#due.length > 0 || (this.#wholeWanted && this.#applied < this.#wholeAfter) || this.#heals.isWaiting(this.#applied);
  }
  async applied(through: bigint): Promise<void> {
    this.#applied = through;
    this.#heals.applied(through);
    if (this.#due.length === 0) return;
    const now = this.#due.filter((due) => due.through <= through);
    this.#due = this.#due.filter((due) => due.through > through);
    for (const due of now) await due.run();
  }

  // Reading back.

  #unread(node: number, isDirectory: boolean): void {
    this.#options.onEntered();
    if (isDirectory) this.#heals.addDirectory(node, { after: 0n });
    else this.#heals.add(node, { low: 0, high: Number.MAX_SAFE_INTEGER }, once, { dueMs: 0, after: 0n });
    this.#entered = true;
    this.#options.wake();
  }

  /** One gap a cause is open for as long as anything is to be read back. */
  async #healingGap(cause: string, sinceNs: bigint): Promise<void> {
    if (this.#heals.causes.has(cause)) return;
    this.#heals.causes.add(cause);
    if (this.#parts.index.volume(this.#volume)?.baseline !== 'done') return;
    await this.openGap('converging', cause, sinceNs);
  }

  /** Does one bounded piece of work: a part of a look, or reading something back. */
  async step(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#stopped.signal]);
    this.#working = true;
    try {
      if (this.#wholeWanted || this.#walk !== undefined) await this.#advanceWalk(stop);
      else if (this.#retry !== undefined && this.#retry.dueMs <= this.#nowMs) await this.#followRetry(stop);
      else await this.#healSome(stop);
    } finally {
      this.#working = false;
    }
    this.#failures = 0;
  }

  async #healSome(signal: AbortSignal): Promise<void> {
    const { index, recorder } = this.#parts;
    const untilMs = this.#nowMs + sliceMs;
    const directories = this.#heals.takeDirectories(this.#applied);
    if (directories.size > 0) {
      this.#retry = { tasks: [...directories].map(([directory, names]) => (names === undefined ? { directory, deep: true } : { directory, names, deep: true })), dueMs: 0 };
      return;
    }
    for (let item = this.#heals.take(this.#nowMs, this.#applied); item !== undefined; item = this.#heals.take(this.#nowMs, this.#applied)) {
      signal.throwIfAborted();
      const { node, low, high } = item;
      const row = index.node(this.#volume, node);
      const inode = row === undefined ? undefined : inodeOf(row.identity, this.root.tree);
      if (row !== undefined && inode !== undefined && row.kind === 'file') {
        // Asked before reading: a store after the answer was made through a mapping that was there.
        const beganMs = this.#nowMs;
        const persistence: Persistence = { mapped: item.mapped && this.#options.isMapped(inode), untilMs: item.untilMs > beganMs ? item.untilMs : 0 };
        await this.#readBack(node, inode, { low, high });
        const endedMs = this.#nowMs;
        const again = persistence.mapped || persistence.untilMs > 0;
        if (again) this.#heals.add(node, { low, high }, persistence, { dueMs: endedMs + Math.max(mappedIntervalMs, mappedRest * (endedMs - beganMs)), after: 0n });
        // Its order among what the stream tells is not known.
        if (item.mapped || item.untilMs > 0) this.#heals.confirm(item, this.#options.position());
      }
      if (this.#nowMs >= untilMs) break;
    }
    await recorder.flush();
    if (this.#heals.isEmpty) this.#closeHealed();
  }

  async #readBack(node: number, inode: InodeKey, { low, high }: { readonly low: number; readonly high: number }): Promise<void> {
    const file = await this.#options.handles.openFile(inode).catch((error: unknown) => {
      if (!isReadFailure(error)) throw error;
      this.#parts.report(this.#pathOf(node), `cannot be read: ${messageOf(error)}`);
      return undefined;
    });
    // Gone: what removed it is told of later.
    if (file === undefined) return;
    try {
      const stat = await file.stat();
      await captureContent(this.#parts, { file, node, size: stat.size, sparse: stat.allocatedBytes < stat.size, from: low, to: high });
      this.#looks.add(node);
      await this.settleBatch({});
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      this.#parts.report(this.#pathOf(node), `content cannot be read: ${messageOf(error)}`);
    } finally {
      await file.close();
    }
  }

  /** All was read back: once what the stream told meanwhile is applied too, the gaps are over. */
  #closeHealed(): void {
    const causes = this.#heals.takeCauses();
    if (causes.size === 0) return;
    this.#due.push({
      through: this.#options.position(),
      run: async () => {
        for (const { gap, cause } of this.#parts.index.openGaps(this.#volume)) {
          if (causes.has(cause) && !this.#heals.causes.has(cause)) await this.#closeGap(gap);
        }
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

  // Looks.

  async #survey(options: { readonly deferVanished: boolean }, run: (survey: Survey) => Promise<void>): Promise<void> {
    let directory: Directory;
    try {
      directory = await this.#options.directories.openRoot(this.definition.path);
    } catch (error) {
      throw new RootMissingError(`the protected directory is missing (${messageOf(error)})`, { cause: error });
    }
    const stat = await directory.stat();
    await using survey = new Survey(this.#parts, { directory, stat }, options);
    if (stat.ino !== this.root.ino || stat.inode?.generation !== this.root.generation) throw new RootMissingError('the protected directory was replaced by another; unprotect and protect it again to capture that one');
    await run(survey);
  }

  #access(signal: AbortSignal): LookAccess {
    return {
      survey: (options, run) => this.#survey(options, run),
      runTasks: async (survey, untilMs) => {
        for (let task = survey.tasks.pop(); task !== undefined; task = survey.tasks.pop()) {
          signal.throwIfAborted();
          await survey.run(task, signal);
          if (survey.pending >= pendingMax) await this.#apply(survey, signal);
          if (this.#nowMs >= untilMs) return;
        }
      },
      apply: (survey) => this.#apply(survey, signal),
    };
  }

  async #apply(survey: Survey, signal: AbortSignal): Promise<boolean> {
    await applySurvey(this.#parts, survey, { signal, isCooling: () => false, onCaptured: (_node, { bytesRead }) => (this.#progressBytes += bytesRead) });
    const moved = survey.retry.size > 0;
    const tasks = [...survey.retry].filter((directory) => directory > 0).map((directory): SurveyTask => ({ directory, deep: true }));
    survey.retry.clear();
    if (tasks.length > 0 && this.#retries < retriesMax) {
      this.#retries += 1;
      this.#retry = { tasks: [...(this.#retry?.tasks ?? []), ...tasks], dueMs: this.#nowMs + retryMinMs * this.#retries };
    }
    if (this.#parts.recorder.commitDue) await this.#parts.recorder.commit(signal);
    return moved;
  }

  async #advanceWalk(signal: AbortSignal): Promise<void> {
    const access = this.#access(signal);
    let walked: Walk | undefined;
    await this.#survey({ deferVanished: true }, async (survey) => {
      if (this.#walk === undefined) {
        await this.#options.excludes.refresh(this.#options.directories, survey.rootStat);
        this.#walk = this.#beginWalk();
      }
      const walk = this.#walk;
      if (await walk.look.step(survey, access, this.#nowMs + sliceMs)) walked = walk;
    });
    const walk = walked;
    if (walk !== undefined && this.#walk === walk) await walk.look.judgeVanished(access, () => this.#endWalk(walk));
  }

  #beginWalk(): Walk {
    const { index, clock } = this.#parts;
    this.#wholeWanted = false;
    this.#retries = 0;
    this.#retry = undefined;
    return {
      reason: index.volume(this.#volume)!.baseline === 'done' ? 'rescan' : 'baseline',
      look: new TreeLook(this.#parts, [{ directory: Number(rootNode), deep: true }], { root: true }),
      gaps: index.openGaps(this.#volume).filter((gap) => !isUnreadGap(gap) && !this.#heals.causes.has(gap.cause)).map(({ gap }) => gap),
      startedNs: clock.wallNs(),
      unreadAtStart: this.#reports.unread,
    };
  }

  async #endWalk(walk: Walk): Promise<void> {
    this.#walk = undefined;
    this.#lastScanNs = this.#parts.clock.wallNs();
    this.#afterRetries({
      through: this.#options.position(),
      run: async () => {
        const { recorder } = this.#parts;
        if (walk.reason === 'baseline') {
          await recorder.control(this.#volume, { kind: 'baseline', edge: 'end' });
          this.#total = undefined;
        }
        for (const gap of walk.gaps) await this.#closeGap(gap);
        await noteUnread(this.#parts, this.#volume, { unread: this.#reports.unread !== walk.unreadAtStart, reports: this.#reports, sinceNs: walk.startedNs });
      },
    });
  }

  /** What a look found moving is looked at again before what the look was for is over. */
  #afterRetries(due: Due): void {
    if (this.#retry === undefined) {
      this.#due.push({ ...due, through: this.#options.position() });
      this.#options.wake();
    } else this.#afterRetry.push(due);
  }
  readonly #afterRetry: Due[] = [];

  async #followRetry(signal: AbortSignal): Promise<void> {
    const access = this.#access(signal);
    const tasks = this.#retry!.tasks.filter(({ directory }) => this.#parts.index.node(this.#volume, directory)?.kind === 'directory');
    this.#retry = undefined;
    const look = new TreeLook(this.#parts, tasks, { root: false });
    while (tasks.length > 0) {
      let done = false;
      await this.#survey({ deferVanished: true }, async (survey) => {
        done = await look.step(survey, access, Infinity);
      });
      if (done) break;
    }
    await look.judgeVanished(access, async () => undefined);
    if (this.#retry === undefined) for (const due of this.#afterRetry.splice(0)) this.#afterRetries(due);
    if (this.#heals.isEmpty) this.#closeHealed();
  }

  // State.

  async openGap(label: 'converging' | 'unknown', cause: string, sinceNs: bigint): Promise<void> {
    const { index, recorder } = this.#parts;
    this.#gapsOpened += 1;
    await recorder.control(this.#volume, { kind: 'gap', edge: 'open', gap: index.volume(this.#volume)!.nextGap, label, cause, sinceNs });
  }

  async #closeGap(gap: number): Promise<void> {
    const { index, recorder } = this.#parts;
    const open = index.openGaps(this.#volume).find((other) => other.gap === gap);
    if (open !== undefined) await recorder.control(this.#volume, { kind: 'gap', edge: 'close', gap, label: open.label, cause: open.cause, sinceNs: open.sinceNs });
  }

  /** The journal has no room: until it has, only what is dirty could be remembered, and that is everything. */
  async refused(): Promise<void> {
    this.#waitingForRoom = true;
    this.#stamps.clear();
    this.#looks.clear();
    if (!this.#parts.index.openGaps(this.#volume).some((gap) => gap.cause === spoolCause)) await this.openGap('converging', spoolCause, this.#parts.clock.wallNs());
  }
  roomAgain(): void {
    this.#waitingForRoom = false;
    this.#walk = undefined;
    this.#wholeWanted = true;
    this.#wholeAfter = this.#options.position();
  }

  /** A step failed and its batch was dropped: all of it is compared again. */
  async failedStep(error: unknown): Promise<void> {
    const { clock } = this.#parts;
    this.#failures += 1;
    this.#notBeforeMs = this.#nowMs + Math.min(10_000, 50 * 2 ** this.#failures);
    this.#options.logger.warn({ volume: this.definition.name, error: messageOf(error), failures: this.#failures }, 'capture step failed; comparing everything');
    this.#stamps.clear();
    this.#looks.clear();
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
    const { index } = this.#parts;
    const gaps = index.openGaps(this.#volume);
    const baseline = index.volume(this.#volume)?.baseline;
    const isUnknown = this.#failed !== undefined || gaps.some(({ label }) => label === 'unknown');
    const label: VolumeLabel = baseline !== 'done' ? 'baseline' : isUnknown ? 'unknown' : gaps.length > 0 ? 'converging' : 'exact';
    const causes = [this.#failed, ...gaps.map(({ cause }) => cause), ...(label === 'baseline' ? ['the initial copy is not complete'] : [])];
    return {
      label,
      cause: [...new Set(causes.filter((cause) => cause !== undefined))].join('; '),
      settled: false,
      phase: this.#failed !== undefined ? 'failed' : this.#waitingForRoom ? 'waiting-for-room' : baseline !== 'done' ? 'baseline' : this.#walk !== undefined || this.#wholeWanted ? 'rescan' : 'watching',
      ...(label === 'baseline' ? { progress: this.#progress() } : {}),
      gaps: this.#gapsOpened,
      pendingHints: this.#heals.size,
      ...(this.#lastScanNs === undefined ? {} : { lastScanNs: this.#lastScanNs }),
      reports: this.#reports.list(),
      reportCount: this.#reports.count,
    };
  }

  #progress() {
    const doneEntries = this.#walk?.look.entries ?? 0;
    return { doneBytes: this.#progressBytes, totalBytes: Math.max(this.#total?.bytes ?? 0, this.#progressBytes), doneEntries, totalEntries: Math.max(this.#total?.entries ?? 0, doneEntries) };
  }

  async #count(): Promise<void> {
    this.#total = { entries: 0, bytes: 0 };
    this.#total = await countVolume(this.#options.directories, this.definition.path, this.#total, this.#stopped.signal);
  }

  #isExcluded(place: Place, metadata: NodeMetadata): boolean {
    const { excludes } = this.#options;
    void metadata;
    return excludes.needsPath && excludes.isExcluded([...this.#namesTo(place.directory), nodeBytes(place.name).toString()].join('/'), undefined);
  }

  #pathOf(node: number): string {
    return this.#namesTo(node).join('/');
  }

  #namesTo(node: number): string[] {
    const names: string[] = [];
    for (let at = node; at !== 1; ) {
      const link = this.#parts.index.linksOf(this.#volume, at)[0];
      if (link === undefined) break;
      names.push(nodeBytes(link.name).toString());
      at = link.parent;
    }
    return names.reverse();
  }
}

/** What was protected is not at its path any more. */
class RootMissingError extends Error {
  override readonly name = 'RootMissingError';
}

const spoolCause = 'the spool budget is spent';

function id(node: number): NodeId {
  return asNodeId(BigInt(node));
}

/** The inode that an identity in the index names; undefined for none. */
export function inodeOf(identity: string | null, tree: bigint): InodeKey | undefined {
  const match = identity === null ? null : /^i(\d+):(\d+)$/.exec(identity);
  return match === null ? undefined : { ino: BigInt(match[1]!), generation: Number(match[2]), tree };
}
