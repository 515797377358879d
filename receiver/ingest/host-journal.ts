/**
 * Writes one host's journal: appends what follows, lets one sync cover all that was appended meanwhile,
 * and says that something is durable only when that sync has returned.
 */
import type { Clock } from '../../native/host/clock.js';
import { asVolumeId, noSequence, type Change, type Sequence, type TimeNs, type VolumeId } from '../../proto/change.js';
import { errorCode, PeerError } from '../../proto/errors.js';
import { frameLength, type Frame, type JournalEnd, type JournalId } from '../../proto/journal/frame.js';
import { frameBytesMax } from '../../proto/journal/layout.js';
import type { ReceiverState } from '../../proto/wire/messages.js';
import { judgeFrame, type KnownFrame } from './incoming-frame.js';
import type { DurableFrame, FrameAppender, FrameStore, IngestObserver, Logger, Space } from './parts.js';
import { SpaceGuard } from './space-guard.js';

export interface HostJournalOptions {
  readonly journal: JournalId;
  readonly store: FrameStore;
  readonly space: () => Promise<Space>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: IngestObserver;
  /** Sequences that are known to have been durable: less than this in the store is damage, not a torn tail. */
  readonly durableFloor: Sequence;
  /** What volumes the journal knows, asked whenever it has been opened. */
  readonly knownVolumes: () => Promise<{ readonly lastVolume: number; readonly liveVolumes: readonly number[] }>;
  /** Bytes of frames held and not yet durable, at most; one frame may exceed it. */
  readonly windowBytes?: number;
  readonly reserveBytes?: number;
  readonly retryMs?: number;
}

export type StorageState = Pick<ReceiverState, 'state' | 'message'>;

/** The one stream that feeds the journal. Its methods must not throw. */
export interface FrameSource {
  durable(through: Sequence): void;
  state(state: StorageState): void;
  /** The stream must end: another one took over, or the journal had to be opened again. Called once. */
  dropped(reason: PeerError): void;
}

/** Where a new stream has to go on. */
export interface Standing {
  readonly durableThrough: Sequence;
  readonly digest: Buffer;
  readonly lastTimeNs: TimeNs;
  readonly lastVolume: VolumeId;
  readonly liveVolumes: readonly VolumeId[];
  readonly state: StorageState;
}

interface Pending {
  readonly frame: Frame;
  readonly control: readonly Change[];
}
interface Written extends DurableFrame {
  readonly control: readonly Change[];
  readonly bytes: number;
}

export const windowBytesDefault = 16 * 1024 * 1024;
const retryMsDefault = 1000;
const recentFramesMax = 256;
const fine: StorageState = { state: 'ok', message: '' };

export class HostJournal implements AsyncDisposable {
  readonly #options: HostJournalOptions;
  readonly #guard: SpaceGuard;
  readonly #closing = new AbortController();
  /** Undefined while it is being opened again after a failure. */
  #log: FrameAppender | undefined;
  #durableThrough: Sequence = noSequence;
  #source: FrameSource | undefined;
  #state: StorageState = fine;
  #lastVolume = 0;
  readonly #liveVolumes = new Set<number>();

  /** End of what was accepted: what the next frame must follow. */
  #acceptedEnd: JournalEnd;
  #recent: KnownFrame[] = [];
  /** Accepted, not yet appended. */
  #queue: Pending[] = [];
  /** Appended, not yet durable. */
  #written: Written[] = [];
  #undurableBytes = 0;

  /** Whether appending (syncing) goes on, and a promise that ends with it. The flags fall with the last look at the queue, so that no wake-up is lost. */
  #appends = false;
  #appending: Promise<void> = Promise.resolve();
  #syncs = false;
  #syncing: Promise<void> = Promise.resolve();
  /** Counts how often the queue was thrown away: a frame taken out of it before belongs nowhere. */
  #discards = 0;
  #cancelRetry: (() => void) | undefined;
  #reopening: Promise<void> | undefined;
  /** Streams attach one after the other. */
  #attaching: Promise<unknown> = Promise.resolve();

  private constructor(options: HostJournalOptions) {
    this.#options = options;
    this.#guard = new SpaceGuard(options);
    this.#acceptedEnd = { journal: options.journal, lastSequence: noSequence, lastTimeNs: 0n, digest: Buffer.alloc(0) };
  }

  /** Opens and recovers the journal. Throws FormatError when its end cannot be told. */
  static async open(options: HostJournalOptions): Promise<HostJournal> {
    const journal = new HostJournal(options);
    await journal.#open(options.durableFloor);
    return journal;
  }

  get journal(): JournalId {
    return this.#options.journal;
  }

  get durableThrough(): Sequence {
    return this.#durableThrough;
  }

  get state(): StorageState {
    return this.#state;
  }

  /** Whether a stream feeds it. */
  get fed(): boolean {
    return this.#source !== undefined;
  }

  get windowBytes(): number {
    return this.#options.windowBytes ?? windowBytesDefault;
  }

  /** Makes `source` the one that feeds the journal; the one before is dropped, with what it had sent and was not appended. */
  attach(source: FrameSource, owner: string): Promise<Standing> {
    const attached = this.#attaching.then(() => this.#attach(source, owner));
    this.#attaching = attached.catch(() => undefined);
    return attached;
  }

  /** The source feeds no more. What it sent goes on to become durable. */
  detach(source: FrameSource): void {
    if (this.#source === source) this.#source = undefined;
  }

  /**
   * Takes one frame of the attached source. `false`: it was here already. Throws PeerError, and nothing
   * is stored, when the frame is not acceptable or the source has sent more than the window allows.
   */
  accept(source: FrameSource, bytes: Buffer): boolean {
    if (this.#source !== source) throw new PeerError('unavailable', 'this stream no longer feeds the journal');
    if (bytes.byteLength > frameBytesMax) throw new PeerError('invalid', `a frame of ${bytes.byteLength} bytes was refused: ${frameBytesMax} are allowed`);
    const judged = judgeFrame(bytes, { end: this.#acceptedEnd, recent: this.#recent });
    if (judged === undefined) return false;
    // Checked after the rest, so that a resent frame that is here already costs no window.
    if (this.#undurableBytes + bytes.byteLength > this.windowBytes + frameBytesMax) {
      throw new PeerError('invalid', `the sender ignores the window: ${this.#undurableBytes} bytes are not durable yet, and ${this.windowBytes} may be under way`);
    }
    const { header, digest } = judged.frame;
    this.#acceptedEnd = { journal: this.journal, lastSequence: header.lastSequence, lastTimeNs: header.lastTimeNs, digest };
    this.#recent.push({ firstSequence: header.firstSequence, lastSequence: header.lastSequence, digest });
    if (this.#recent.length > recentFramesMax) this.#recent = this.#recent.slice(recentFramesMax / 2);
    this.#undurableBytes += bytes.byteLength;
    this.#queue.push(judged);
    // While the disk is full, the retry goes on with the queue.
    if (this.#cancelRetry === undefined) this.#pump();
    return true;
  }

  /** Returns when all that was accepted is durable, or cannot become so now. */
  async settle(): Promise<void> {
    while (this.#appends || this.#syncs) {
      await this.#appending;
      await this.#syncing;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#drop(new PeerError('unavailable', 'the receiver is shutting down'));
    await this.#attaching;
    if (this.#cancelRetry !== undefined) this.#discardQueue();
    await this.settle();
    this.#cancelRetry?.();
    await this.#reopening;
    const log = this.#log;
    this.#log = undefined;
    await log?.[Symbol.asyncDispose]();
  }

  async #open(durableFloor: Sequence): Promise<void> {
    const { store, journal, logger, observer } = this.#options;
    const log = await store.openAppender(journal, durableFloor);
    try {
      for (const { segment, offset, fault } of log.damage) logger.error({ journal: journal.toString('hex'), segment, offset, fault }, 'part of a journal is damaged');
      const { lastVolume, liveVolumes } = await this.#options.knownVolumes();
      this.#lastVolume = lastVolume;
      this.#liveVolumes.clear();
      for (const volume of liveVolumes) this.#liveVolumes.add(volume);
    } catch (error) {
      await log[Symbol.asyncDispose]();
      throw error;
    }
    this.#log = log;
    this.#durableThrough = log.durableThrough;
    this.#resetTo(log.end);
    observer.durable(journal, { through: log.durableThrough, timeNs: log.end.lastTimeNs, frames: [], control: [] });
  }

  async #attach(source: FrameSource, owner: string): Promise<Standing> {
    this.#drop(new PeerError('unavailable', `another connection of ${owner} took over`));
    // What was sent and not appended is not acknowledged: the new stream sends it again, from wherever it stands.
    this.#discardQueue();
    await this.settle();
    const log = this.#log;
    if (this.#closing.signal.aborted) throw new PeerError('unavailable', 'the receiver is shutting down');
    if (log === undefined) throw new PeerError('unavailable', `the journal of ${owner} is being opened again after a failed write; try again`);
    this.#resetTo(log.end);
    this.#source = source;
    return {
      durableThrough: log.durableThrough,
      digest: log.end.digest,
      lastTimeNs: log.end.lastTimeNs,
      lastVolume: asVolumeId(this.#lastVolume),
      liveVolumes: [...this.#liveVolumes].map(asVolumeId),
      state: this.#state,
    };
  }

  #drop(reason: PeerError): void {
    const source = this.#source;
    this.#source = undefined;
    source?.dropped(reason);
  }

  #discardQueue(): void {
    for (const { frame } of this.#queue) this.#undurableBytes -= frameLength(frame);
    this.#queue = [];
    this.#discards += 1;
  }

  #resetTo(end: JournalEnd): void {
    this.#acceptedEnd = end;
    // Frames that were dropped must not be taken for ones that are here.
    this.#recent = this.#recent.filter((known) => known.lastSequence <= end.lastSequence);
  }

  #pump(): void {
    if (this.#appends) return;
    this.#appends = true;
    this.#appending = this.#appendAll();
  }

  async #appendAll(): Promise<void> {
    try {
      for (let log = this.#log; log !== undefined; log = this.#log) {
        const next = this.#queue.shift();
        if (next === undefined && this.#state.state === 'ok') return;
        // With nothing to append, a full disk is still watched: the host may be waiting to hear that there is space.
        const full = next === undefined ? await this.#spaceFault(frameBytesMax) : await this.#append(log, next);
        if (full === undefined) this.#setState(fine);
        else {
          this.#setState(full);
          this.#retryLater();
          return;
        }
      }
    } finally {
      this.#appends = false;
    }
  }

  /** Appends one frame. Returns what hinders it when the disk is full: the frame waits in the queue then. */
  async #append(log: FrameAppender, next: Pending): Promise<StorageState | undefined> {
    const { discards, bytes } = { discards: this.#discards, bytes: frameLength(next.frame) };
    let full = await this.#spaceFault(bytes);
    if (this.#log !== log) return undefined;
    if (full === undefined) {
      try {
        const location = await log.append(next.frame);
        const { firstSequence, lastSequence, firstTimeNs, lastTimeNs } = next.frame.header;
        this.#written.push({ segment: location.segment, endOffset: location.offset + location.length, firstSequence, lastSequence, firstTimeNs, lastTimeNs, control: next.control, bytes });
        // Going on to a new segment made the one before durable.
        this.#publish(log);
        this.#commit();
        return undefined;
      } catch (error) {
        full = log.usable ? fullState(error) : undefined;
        if (full === undefined) {
          this.#fail(log, error);
          return undefined;
        }
      }
    }
    // A stream that attached meanwhile sends again whatever of it the journal needs.
    if (discards === this.#discards) this.#queue.unshift(next);
    else this.#undurableBytes -= bytes;
    return full;
  }

  async #spaceFault(bytes: number): Promise<StorageState | undefined> {
    const fault = await this.#guard.fault(bytes);
    return fault === undefined ? undefined : { state: 'disk-full', message: `the receiver's disk is full: ${fault}` };
  }

  #retryLater(): void {
    if (this.#closing.signal.aborted) return this.#discardQueue();
    this.#cancelRetry ??= this.#options.clock.after(this.#options.retryMs ?? retryMsDefault, () => {
      this.#cancelRetry = undefined;
      this.#pump();
    });
  }

  #commit(): void {
    if (this.#syncs) return;
    this.#syncs = true;
    this.#syncing = this.#syncAll();
  }

  async #syncAll(): Promise<void> {
    try {
      for (let log = this.#log; log !== undefined && this.#written.length > 0; log = this.#log) {
        try {
          await log.sync();
        } catch (error) {
          this.#fail(log, error);
          return;
        }
        if (this.#log === log) this.#publish(log);
      }
    } finally {
      this.#syncs = false;
    }
  }

  /** Tells what has become durable. */
  #publish(log: FrameAppender): void {
    const through = log.durableThrough;
    const count = this.#written.findIndex((frame) => frame.lastSequence > through);
    const frames = this.#written.splice(0, count === -1 ? this.#written.length : count);
    const last = frames[frames.length - 1];
    if (last === undefined) return;
    this.#durableThrough = last.lastSequence;
    const control = frames.flatMap((frame) => frame.control);
    for (const frame of frames) this.#undurableBytes -= frame.bytes;
    for (const { volume, body } of control) {
      if (body.kind === 'retired') this.#liveVolumes.delete(volume);
      if (body.kind !== 'volume') continue;
      this.#liveVolumes.add(volume);
      this.#lastVolume = Math.max(this.#lastVolume, volume);
    }
    this.#options.observer.durable(this.journal, { through: last.lastSequence, timeNs: last.lastTimeNs, frames, control });
    this.#source?.durable(last.lastSequence);
  }

  #setState(state: StorageState): void {
    const changed = state.state !== this.#state.state;
    this.#state = state;
    if (!changed) return;
    const context = { journal: this.journal.toString('hex') };
    if (state.state === 'ok') this.#options.logger.info(context, 'there is space again: ingest goes on');
    else this.#options.logger.error(context, state.message);
    this.#options.observer.state(this.journal, state);
    this.#source?.state(state);
  }

  /** The log cannot be used any more: what it did not make durable is in doubt, so it is opened and recovered anew. */
  #fail(log: FrameAppender, error: unknown): void {
    if (this.#log !== log) return;
    this.#log = undefined;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#options.logger.error({ journal: this.journal.toString('hex'), err: error }, 'the journal cannot be written; opening it again');
    this.#discardQueue();
    this.#written = [];
    this.#undurableBytes = 0;
    this.#drop(new PeerError('unavailable', `the receiver could not write the journal (${(error as Error).message}); connect again and go on from what is durable`));
    this.#reopening = this.#reopen(log).finally(() => {
      this.#reopening = undefined;
    });
  }

  async #reopen(broken: FrameAppender): Promise<void> {
    const { clock, logger, retryMs = retryMsDefault } = this.#options;
    const { signal } = this.#closing;
    try {
      await broken[Symbol.asyncDispose]();
    } catch (error) {
      // It is given up either way; what is durable is found out by recovery.
      logger.warn({ journal: this.journal.toString('hex'), err: error }, 'a failed journal could not be closed');
    }
    while (!signal.aborted) {
      try {
        await this.#open(this.#durableThrough);
        return;
      } catch (error) {
        logger.error({ journal: this.journal.toString('hex'), err: error }, 'the journal cannot be opened; trying again');
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }
}

/** Full is a state to wait out; any other failure of a usable log is not known to pass. */
function fullState(error: unknown): StorageState | undefined {
  const code = errorCode(error);
  const { message } = error as Error;
  if (code === 'ENOSPC') return { state: 'disk-full', message: `the receiver's disk is full: ${message}` };
  if (code === 'EDQUOT') return { state: 'quota', message: `the receiver's disk quota is used up: ${message}` };
  return undefined;
}
