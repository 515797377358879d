/**
 * The agent's journal: takes changes from the engines, orders them, spools them, and knows what is durable.
 *
 * A batch is accepted into the open frame; the frame closes, is encoded once, is written to the spool
 * without a sync, and is then offered to whoever ships. What survives power loss is told apart from
 * what is written (group-sync.ts). A failed sync, or a write that fails for another reason than a full
 * disk, breaks the journal for good: appending rejects with DurabilityError, the agent's process ends
 * with that error, and its supervisor starts it again, which opens and recovers the spool.
 */
import { asSequence, journalVolume, noSequence, type CapturedChange, type Change, type Sequence } from '../../proto/change.js';
import { DurabilityError, PeerError } from '../../proto/errors.js';
import { frameLength, type Frame, type JournalEnd, type JournalId } from '../../proto/journal/frame.js';
import { SegmentLog } from '../../proto/journal/segment-log.js';
import type { Welcome } from '../../proto/wire/messages.js';
import { admission, SpoolBudget, spoolBytesMaxDefault, stateMessage, type Admission, type SpoolState } from './admission.js';
import { ClockWatch } from './clock-watch.js';
import { DiskSpace } from './disk-space.js';
import { defaultSyncPolicy, GroupSync } from './group-sync.js';
import { Intake } from './intake.js';
import type { JournalOptions, JournalPosition, JournalState, ReadFrames, Reconciliation, TakeResult } from './journal-types.js';
import { MemoryKeeper } from './memory-keeper.js';
import { QuietSeal } from './quiet-seal.js';
import { RecentFrames, type SpooledFrame } from './recent-frames.js';
import { changesAfter, reconcileJournal } from './reconciler.js';
import { Sequencer } from './sequencer.js';
import { leaveCleanMark, type SpoolMemory } from './spool-state.js';
import { openSpool, restartSpool, spooled, type OpenedSpool } from './spool.js';
import { SpoolWriter, writeVerdict } from './spool-writer.js';
import { UndurableQueue } from './undurable-queue.js';
import { Waiters } from './waiters.js';

const recentBytesMaxDefault = 32 * 1024 * 1024;
const tickMs = 1000;

export class AgentJournal implements AsyncDisposable {
  readonly journal: JournalId;
  readonly #options: JournalOptions;
  readonly #directory: string;
  readonly #budget: SpoolBudget;
  readonly #space: DiskSpace;
  readonly #intake: Intake;
  readonly #sequencer: Sequencer;
  readonly #writer: SpoolWriter;
  readonly #sync: GroupSync;
  readonly #memory: MemoryKeeper;
  readonly #recent: RecentFrames;
  readonly #undurable = new UndurableQueue();
  readonly #clockWatch: ClockWatch;
  readonly #quiet = new QuietSeal();
  readonly #written = new Waiters();
  readonly #room = new Waiters();
  readonly #shipped = new Waiters();
  readonly #applied = new Waiters();
  readonly #reconciled = new Waiters();
  readonly #ended = new Waiters();
  readonly #stopTicking: () => void;
  #log: SegmentLog;
  #base: JournalEnd | undefined;
  #mayBehind: boolean;
  #isNew: boolean;
  /** Appending waits: the receiver may hold sequences that would be given out again. */
  #isHeld: boolean;
  #isReconciling = false;
  #receiverThrough: Sequence;
  #appliedThrough = noSequence;
  #keepAfter: Sequence;
  #state: SpoolState = 'ok';
  #broken: DurabilityError | undefined;
  #isClosed = false;
  #trimming: Promise<void> | undefined;
  /** Bytes of segments that may not be trimmed yet. */
  #heldBytes = 0;

  private constructor(options: JournalOptions, opened: OpenedSpool) {
    const { files, clock, logger, journal } = options;
    this.journal = journal;
    this.#options = options;
    this.#directory = opened.directory;
    this.#log = opened.log;
    this.#base = opened.memory?.base;
    this.#mayBehind = opened.mayBehind;
    this.#isNew = opened.memory?.isNew ?? true;
    this.#isHeld = opened.mayBehind;
    this.#keepAfter = options.keepAfter ?? noSequence;
    const { end } = opened.log;
    const acknowledged = opened.memory?.receiverDurableThrough ?? noSequence;
    this.#receiverThrough = acknowledged < end.lastSequence ? acknowledged : end.lastSequence;
    for (const span of opened.undurable) if (span.lastSequence > this.#receiverThrough) this.#undurable.push(span);
    this.#budget = new SpoolBudget(options.spoolBytesMax ?? spoolBytesMaxDefault);
    this.#recent = new RecentFrames(options.recentBytesMax ?? recentBytesMaxDefault);
    this.#space = new DiskSpace({ files, directory: this.#directory, ...(options.freeBytesMin === undefined ? {} : { freeBytesMin: options.freeBytesMin }), pendingBytes: () => this.#writer.queuedBytes + this.#sequencer.openBytes, changed: () => this.#roomChanged() });
    const log = (): SegmentLog => this.#log;
    const failed = (error: DurabilityError): void => this.#break(error);
    this.#intake = new Intake({ admission: (controlOnly) => this.#admission(controlOnly), take: (changes) => this.#take(changes) });
    this.#sequencer = new Sequencer({
      clock, end,
      closed: (frame) => this.#frameClosed(frame),
      failed: (cause) => this.#break(new DurabilityError('encode frame', { cause })),
    });
    this.#writer = new SpoolWriter({ log, failed, written: (frame) => this.#frameWritten(frame), fullChanged: () => (this.#writer.fullCause === undefined ? this.#roomChanged() : this.#space.exhausted()) });
    this.#sync = new GroupSync({ log, clock, failed, policy: options.syncPolicy ?? defaultSyncPolicy });
    this.#sync.noteReceiver(this.#receiverThrough);
    this.#memory = new MemoryKeeper({ files, clock, logger, directory: this.#directory, journal, memory: () => this.#remembered() });
    this.#clockWatch = new ClockWatch(clock);
    this.#released();
    this.#stopTicking = clock.every(tickMs, () => this.#tick());
  }

  /**
   * Opens the spool, recovering it when the last run was cut off. Throws FormatError when segments
   * are damaged that only this host holds, and the system's errors when the disk does not do.
   */
  static async open(options: JournalOptions): Promise<AgentJournal> {
    const opened = await openSpool(options);
    const journal = new AgentJournal(options, opened);
    try {
      // Saved before the clean mark goes: without the mark it must not speak of the run before.
      await journal.#memory.save();
      await opened.takeCleanMark();
    } catch (error) {
      journal.#stopTicking();
      journal.#sync.stop();
      await opened.log.close();
      throw error;
    }
    return journal;
  }

  get position(): JournalPosition {
    const { end, trimmedThrough } = this.#log;
    return {
      heldFrom: trimmedThrough === end.lastSequence ? noSequence : asSequence(trimmedThrough + 1n),
      capturedThrough: this.#sequencer.capturedThrough,
      capturedTimeNs: this.#sequencer.capturedTimeNs,
      writtenThrough: end.lastSequence,
      locallyDurableThrough: this.#log.durableThrough,
      durableThrough: this.#receiverThrough,
      appliedThrough: this.#appliedThrough,
      oldestUndurableNs: this.#undurable.oldestNs ?? this.#sequencer.openSinceNs ?? 0n,
      undurableBytes: this.#undurable.bytes + this.#sequencer.openBytes,
      spoolBytes: this.#log.sizeBytes + this.#writer.queuedBytes,
    };
  }

  get state(): JournalState {
    const waitingFor = this.#isHeld ? 'the receiver to say what it holds: it may have changes of this host that did not reach this disk' : undefined;
    return { state: this.#state, message: this.#stateMessage(), waitingFor };
  }

  /** Whether the receiver may hold changes that the spool does not; appending waits until it was asked. */
  get mayBehind(): boolean {
    return this.#mayBehind;
  }

  /**
   * Gives the changes the next sequences and takes them down: their buffers must not be altered
   * before it resolves. A batch is taken whole, so its size adds to what is held in memory; concurrent
   * batches are taken in the order of the calls. Resolves when accepted, not durable. Waits while
   * more than 8 MiB of frames wait for the disk, and while the receiver has yet to say what it holds.
   * `taken: false`: the budget is spent or the disk full. Rejects when the journal is broken
   * (DurabilityError), and for a change that no frame can hold (RangeError).
   */
  append(changes: readonly CapturedChange[]): Promise<TakeResult> {
    return this.#intake.append(changes);
  }

  /** Resolves once everything up to `through` survives power loss, here or at the receiver. */
  whenDurable(through: Sequence, signal?: AbortSignal): Promise<void> {
    return this.#sync.whenDurable(through, signal);
  }

  /** Resolves once everything up to `through` is durable at the receiver. */
  whenShipped(through: Sequence, signal?: AbortSignal): Promise<void> {
    return this.#shipped.wait(() => this.#receiverThrough >= through, signal);
  }

  /** Resolves once everything up to `through` is visible in the replica. */
  whenApplied(through: Sequence, signal?: AbortSignal): Promise<void> {
    return this.#applied.wait(() => this.#appliedThrough >= through, signal);
  }

  /** Resolves once content is taken again after an append was refused. */
  whenRoom(signal?: AbortSignal): Promise<void> {
    return this.#room.wait(() => this.#state === 'ok', signal);
  }

  /** Resolves once appending no longer waits for the receiver; at once when it never did. */
  whenReconciled(signal?: AbortSignal): Promise<void> {
    return this.#reconciled.wait(() => !this.#isHeld, signal);
  }

  /** Resolves with the error when the journal breaks: the process should then end with it. Rejects when it is closed before. */
  async whenBroken(signal?: AbortSignal): Promise<DurabilityError> {
    await this.#ended.wait(() => this.#broken !== undefined, signal);
    return this.#broken!;
  }

  /** Allows trimming up to `sequence`, which is part of the engine's durable state; what follows is kept. */
  setKeepAfter(sequence: Sequence): void {
    if (sequence <= this.#keepAfter) return;
    this.#keepAfter = sequence;
    this.#released();
  }

  /** The receiver made everything up to `through` durable. Throws PeerError for what it cannot have. */
  noteDurable(through: Sequence): void {
    const { lastSequence } = this.#log.end;
    if (through > lastSequence) throw new PeerError('out-of-order', `the receiver acknowledged change ${through}, but the journal ends at ${lastSequence}`);
    if (through <= this.#receiverThrough) return;
    this.#receiverThrough = through;
    this.#undurable.dropThrough(through);
    this.#recent.dropThrough(through);
    this.#sync.noteReceiver(through);
    this.#shipped.check();
    this.#released();
  }

  /** The replica shows everything up to `through`. */
  noteApplied(through: Sequence): void {
    if (through <= this.#appliedThrough) return;
    this.#appliedThrough = through;
    this.#applied.check();
  }

  /** Whether the receiver is reached and takes frames: decides who makes things durable. */
  noteLink(up: boolean): void {
    this.#sync.noteLink(up);
  }

  /** Frames that hold changes after `after`, as far as they are written, with checksums verified. Throws FormatError at damage. */
  async *frames(after: Sequence): AsyncGenerator<Frame> {
    for await (const { frame } of this.#log.frames(after)) yield frame;
  }

  /** The changes after `after`, as far as they are written, in batches; those that were adopted unseen, before any engine here began, are left out. */
  async *changes(after: Sequence): AsyncGenerator<readonly Change[]> {
    const from = this.#base !== undefined && after < this.#base.lastSequence ? this.#base.lastSequence : after;
    for await (const frame of this.frames(from)) yield changesAfter(frame, from);
  }

  /** Frames after `after`, and then each new one as it is written, without end. Throws the signal's reason. */
  async *follow(after: Sequence, signal: AbortSignal): AsyncGenerator<SpooledFrame> {
    let next = asSequence(after + 1n);
    for (;;) {
      signal.throwIfAborted();
      const recent = this.#recent.get(next);
      if (recent !== undefined) {
        next = asSequence(recent.lastSequence + 1n);
        yield recent;
      } else if (next > this.#log.end.lastSequence) {
        await this.#written.wait(() => next <= this.#log.end.lastSequence, signal);
      } else {
        for await (const { frame } of this.#log.frames(asSequence(next - 1n))) {
          next = asSequence(frame.header.lastSequence + 1n);
          yield spooled(frame);
          if (signal.aborted || this.#recent.get(next) !== undefined) break;
        }
      }
    }
  }

  /**
   * Compares this journal with what the receiver says to hold, before anything is sent: see
   * reconcile.ts for the decisions. Appending goes on afterwards, except after `forked` and `lost`.
   * Throws FormatError when the spool is damaged, PeerError when fetching fails.
   */
  async reconcile(options: { readonly welcome: Welcome; readonly readFrames: ReadFrames }): Promise<Reconciliation> {
    if (this.#isReconciling) throw new Error('two reconciliations overlap');
    this.#isReconciling = true;
    const { welcome, readFrames } = options;
    try {
      const outcome = await reconcileJournal({
        log: () => this.#log,
        logger: this.#options.logger,
        capturedThrough: () => this.#sequencer.capturedThrough,
        acknowledgedThrough: () => this.#receiverThrough,
        isNew: () => this.#isNew,
        keepAfter: () => this.#keepAfter,
        hold: async () => {
          this.#mayBehind = true;
          this.#isHeld = true;
          await this.#writer.whenIdle();
          await this.#memory.save();
        },
        restartAfter: (end) => this.#restartAfter(end),
        moved: () => this.#sequencer.restart(this.#log.end),
        onRecovered: this.#options.onRecovered ?? (() => Promise.resolve()),
      }, welcome, readFrames);
      if (outcome.verdict !== 'forked' && outcome.verdict !== 'lost') await this.#agreed(welcome, outcome.verdict === 'resend');
      return outcome;
    } catch (error) {
      if (!(error instanceof DurabilityError)) throw error;
      if (writeVerdict(error) === 'retry') throw new PeerError('unavailable', `no space for what the receiver holds of this host: ${error.message}`, error);
      this.#break(error);
      throw error;
    } finally {
      this.#isReconciling = false;
    }
  }

  /** Closes the open frame, writes, syncs, and leaves the mark that nothing is missing. Whoever ships must have stopped. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTicking();
    const closed = new DurabilityError('use journal', { directory: this.#directory, fault: 'it is closed' });
    this.#intake.fail(closed);
    try {
      if (this.#broken === undefined) this.#sequencer.close();
      this.#writer.retry();
      await this.#writer.whenIdle();
      if (this.#broken === undefined) await this.#sync.sync();
      this.#sync.stop();
      await this.#trimming;
      await this.#space.settled();
      if (this.#broken === undefined) {
        await this.#memory.save();
        if (this.#writer.queuedBytes === 0) await leaveCleanMark(this.#options.files, this.#directory);
        else this.#options.logger.error({ bytes: this.#writer.queuedBytes }, 'the disk is full: the last captured changes could not be spooled');
      }
      await this.#memory.settled();
    } finally {
      this.#failAll(closed);
      await this.#log.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(changes: readonly CapturedChange[]): TakeResult {
    try {
      if (this.#sequencer.openSinceNs === undefined) this.#noteClock();
      const firstSequence = this.#sequencer.append(changes);
      return { taken: true, firstSequence, lastSequence: this.#sequencer.capturedThrough, lastTimeNs: this.#sequencer.capturedTimeNs };
    } catch (cause) {
      // Sequences were given out that no frame holds: nothing can follow them.
      this.#break(new DurabilityError('encode frame', { cause }));
      throw this.#broken!;
    }
  }

  /** Puts a step of the wall clock on record, before the changes that were made after it. */
  #noteClock(): void {
    const stepNs = this.#clockWatch.look();
    if (stepNs === undefined) return;
    this.#options.logger.warn({ stepNs: String(stepNs) }, 'the wall clock was set');
    this.#sequencer.append([{ volume: journalVolume, body: { kind: 'clock', stepNs } }]);
  }

  #admission(controlOnly: boolean): Admission {
    const { queuedBytes } = this.#writer;
    const { spoolBytesMax } = this.#budget;
    const state = this.#state === 'broken' ? 'ok' : this.#state;
    return admission({ held: this.#isHeld, controlOnly, state, queuedBytes, usedBytes: this.#usedBytes(), spoolBytesMax });
  }

  #usedBytes(): number {
    return this.#heldBytes + this.#writer.queuedBytes + this.#sequencer.openBytes;
  }

  #frameClosed(frame: Frame): void {
    const { lastSequence, firstTimeNs } = frame.header;
    this.#undurable.push({ lastSequence, firstTimeNs, bytes: frameLength(frame) });
    this.#writer.enqueue(frame);
    this.#space.spend(frameLength(frame));
    if (this.#budget.update(this.#usedBytes())) this.#roomChanged();
  }

  #frameWritten(frame: Frame): void {
    if (frame.header.lastSequence > this.#receiverThrough) this.#recent.push(spooled(frame));
    this.#written.check();
    this.#sync.plan();
    this.#released();
  }

  get #removableThrough(): Sequence {
    return this.#receiverThrough < this.#keepAfter ? this.#receiverThrough : this.#keepAfter;
  }

  /** Counts again what may not be trimmed, trims what may, and lets in who waits. */
  #released(): void {
    const through = this.#removableThrough;
    const { segments } = this.#log;
    // The last segment always stays; when it could go it must not count, or a small budget could stay spent for ever.
    this.#heldBytes = segments.reduce((sum, segment) => (segment.lastSequence > through ? sum + segment.sizeBytes : sum), 0);
    this.#trim(through);
    this.#roomChanged();
  }

  #trim(through: Sequence): void {
    const { segments } = this.#log;
    if (this.#trimming !== undefined || segments.length < 2 || segments[0]!.lastSequence > through || this.#isClosed) return;
    this.#trimming = this.#log
      .removeThrough(through)
      .catch((error: unknown) => this.#options.logger.warn({ err: error }, 'a segment of the spool could not be removed; it is tried again'))
      .finally(() => {
        this.#trimming = undefined;
      });
  }

  #roomChanged(): void {
    this.#budget.update(this.#usedBytes());
    const before = this.#state;
    this.#state = this.#broken !== undefined ? 'broken' : this.#writer.fullCause !== undefined || this.#space.isLow ? 'disk-full' : this.#budget.isSpent ? 'spent' : 'ok';
    if (this.#state !== before) {
      const { logger } = this.#options;
      if (this.#state === 'ok') logger.info({ spoolBytes: this.position.spoolBytes }, 'the spool has room again');
      else logger.warn({ state: this.#state, spoolBytes: this.position.spoolBytes }, this.#stateMessage());
    }
    this.#room.check();
    this.#intake.pump();
  }

  #stateMessage(): string {
    return stateMessage(this.#state, { spoolBytesMax: this.#budget.spoolBytesMax, full: this.#writer.fullCause ?? this.#space.message, broken: this.#broken?.message ?? '' });
  }

  #tick(): void {
    if (this.#broken !== undefined || this.#isClosed) return;
    // Also without changes: over hours a slewed clock would look like a stepped one.
    if (!this.#isHeld && this.#sequencer.openSinceNs === undefined) this.#noteClock();
    this.#writer.retry();
    this.#space.look();
    this.#memory.tick();
    const removableThrough = this.#removableThrough;
    this.#trim(removableThrough);
    if (!this.#isReconciling && this.#quiet.look({ writtenThrough: this.#log.writtenThrough, removableThrough, last: this.#log.segments[this.#log.segments.length - 1] })) this.#writer.seal();
  }

  /** The receiver and this journal agree on what both hold. */
  async #agreed({ durableThrough, appliedThrough }: Welcome, lost: boolean): Promise<void> {
    if (lost) {
      this.#receiverThrough = durableThrough;
      this.#sync.receiverLost(durableThrough);
      await this.#recountUndurable();
    }
    this.noteDurable(durableThrough);
    this.noteApplied(appliedThrough);
    if (!this.#mayBehind) return;
    this.#mayBehind = false;
    this.#isNew = false;
    try {
      await this.#memory.save();
    } catch (error) {
      // The next reconciliation must come this far again, or appending would wait for ever.
      this.#mayBehind = true;
      throw error;
    }
    this.#isHeld = false;
    this.#reconciled.check();
    this.#roomChanged();
  }

  async #recountUndurable(): Promise<void> {
    const through = this.#receiverThrough;
    const found = new UndurableQueue();
    for await (const { header } of this.frames(through)) found.push({ lastSequence: header.lastSequence, firstTimeNs: header.firstTimeNs, bytes: frameLength({ header }) });
    this.#undurable.replace(found, this.#log.end.lastSequence);
  }

  async #restartAfter(end: JournalEnd): Promise<void> {
    this.#base = end;
    await this.#memory.save();
    this.#log = await restartSpool(this.#options, this.#log, end);
  }

  #remembered(): SpoolMemory {
    return {
      bootId: this.#options.bootId,
      mayBehind: this.#mayBehind || this.#broken !== undefined,
      isNew: this.#isNew,
      base: this.#base,
      locallyDurableThrough: this.#log.durableThrough,
      receiverDurableThrough: this.#receiverThrough,
    };
  }

  #break(error: DurabilityError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#options.logger.error({ err: error }, 'the journal is broken; the agent must be started again');
    this.#failAll(error);
    this.#roomChanged();
    this.#ended.check();
    // A failed sync cuts off what was not durable, which the receiver may well have: the next start must ask it.
    this.#memory.save().catch(() => undefined);
  }

  #failAll(error: DurabilityError): void {
    this.#intake.fail(error);
    this.#sync.fail(error);
    for (const waiters of [this.#written, this.#room, this.#shipped, this.#applied, this.#reconciled]) waiters.fail(error);
    if (error !== this.#broken) this.#ended.fail(error);
  }
}
