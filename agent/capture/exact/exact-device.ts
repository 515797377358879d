/**
 * Captures one block device exactly: what is queued for it comes with the stream, and what that could not
 * tell is read from the device, for a first copy all of it.
 */
import { type ChangeBody, rootNode } from '../../../proto/change.js';
import type { ProtectedVolume, SourceStatus } from '../change-source.js';
import { blockBytes } from '../tree/block-hash.js';
import { captureContent } from '../tree/content.js';
import type { Logger } from '../tree/logger.js';
import { messageOf } from '../tree/read-failure.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { Reports } from '../tree/reports.js';
import { isUnreadGap, noteUnread } from '../tree/unread-gap.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import { type CapturedVolume, failureReachNs, flushPollMs, retryDelayMs, spoolCause } from './captured-volume.js';
import type { ComparisonTiming } from './comparison.js';
import { type BlockReader, type DevicePiece, DeviceWindow } from './device-window.js';
import { compareContent, type ComparedFile, Findings } from './differences.js';
import { type Range, Ranges } from './ranges.js';
import { VolumeGaps } from './volume-gaps.js';

export interface ExactDeviceOptions {
  readonly parts: Pick<VolumeParts, 'volume' | 'index' | 'hasher' | 'recorder' | 'clock'>;
  readonly sizeBytes: number;
  readonly reader: BlockReader;
  readonly logger: Logger;
  readonly comparison: ComparisonTiming;
  /** Resolves when all that was queued for the device before the call is done. */
  whenDone(signal: AbortSignal): Promise<void>;
  /** How far the stream has got in the kernel. */
  position(): bigint;
  /** Something became due. */
  wake(): void;
}

/** Bytes of one window, and so of the reader's memory. */
export const windowBytes = 4 * 1024 * 1024;
const comparisonCause = 'a comparison found what capture had overlooked';
const root = Number(rootNode);

/** Why a window is read: to be recorded, or only to be held against what is known. */
type Purpose = 'record' | 'compare' | 'confirm';

export class ExactDevice implements CapturedVolume {
  readonly definition: ProtectedVolume;
  readonly #options: ExactDeviceOptions;
  readonly #reports = new Reports();
  readonly #gaps: VolumeGaps;
  /** What is to be read, and causes of the gaps that are open until it is. */
  readonly #wanted = new Ranges();
  readonly #causes = new Set<string>();
  #window: { readonly window: DeviceWindow; readonly purpose: Purpose } | undefined;
  /** All of it is being looked at: what to do at the end of that. */
  #whole: (() => Promise<void>) | undefined;
  #due: { readonly through: bigint; run(): Promise<void> }[] = [];
  #applied = 0n;
  #failed: string | undefined;
  #waitingForRoom = false;
  #working = false;
  #unreadNoted = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #lastScanNs: bigint | undefined;
  // The comparison in the background.
  #comparedTo = 0;
  #nextComparisonMs: number;
  #suspects: Range[] = [];
  #differences = 0;
  #passStartedNs = 0n;
  #comparedNs: bigint | undefined;
  readonly #stopped = new AbortController();

  private constructor(definition: ProtectedVolume, options: ExactDeviceOptions) {
    this.definition = definition;
    this.#options = options;
    this.#gaps = new VolumeGaps(options.parts);
    this.#nextComparisonMs = options.parts.clock.monotonicMs() + options.comparison.intervalMs;
  }

  /** Takes up what the journal holds of the device: with a first copy, or a comparison unless it was captured all the time. */
  static async begin(definition: ProtectedVolume, options: ExactDeviceOptions, wasCaptured: boolean): Promise<ExactDevice> {
    const device = new ExactDevice(definition, options);
    const { index, recorder, clock, volume } = options.parts;
    const row = index.volume(volume)!;
    if (wasCaptured && row.baseline === 'done') return device;
    if (row.baseline === 'none') await recorder.control(volume, { kind: 'baseline', edge: 'begin' });
    else if (row.baseline === 'done') await device.#gaps.open('unknown', 'the agent was not running', row.knownThroughNs ?? row.settledNs ?? clock.wallNs());
    device.#wantWhole();
    return device;
  }

  get #volume() {
    return this.definition.volume;
  }
  get #nowMs(): number {
    return this.#options.parts.clock.monotonicMs();
  }
  get #isCopied(): boolean {
    return this.#options.parts.index.volume(this.#volume)?.baseline === 'done';
  }

  get isInStep(): boolean {
    return this.#wanted.isEmpty && this.#window?.purpose !== 'record' && this.#whole === undefined && !this.#working && this.#failed === undefined && !this.#waitingForRoom;
  }
  get isWaitingForStream(): boolean {
    return this.#due.length > 0 || this.#window !== undefined;
  }
  /** Whether a later engine that gets the rest of the stream has nothing to do but that. */
  get canBeLeft(): boolean {
    return this.isInStep && this.#due.length === 0 && this.#causes.size === 0 && this.#isCopied;
  }

  get dueMs(): number {
    if (this.#failed !== undefined || this.#waitingForRoom) return Infinity;
    if (this.#window !== undefined) return this.#isReady ? 0 : Infinity;
    if (!this.#wanted.isEmpty) return this.#notBeforeMs;
    return this.#isCopied ? Math.max(this.#notBeforeMs, this.#nextComparisonMs) : Infinity;
  }

  /** The window was read, and the stream is applied up to there. */
  get #isReady(): boolean {
    const { window } = this.#window!;
    return window.failure !== undefined || (window.after !== undefined && window.after <= this.#applied);
  }

  // What the stream tells.

  /** A promise only where the batch before it has to be taken first. */
  content(body: ChangeBody, range: Range, facts: ChangeFacts): Promise<void> | undefined {
    this.#window?.window.touch(range);
    return this.#options.parts.recorder.add(this.#volume, body, facts);
  }

  /** What makes earlier changes durable. */
  edge(body: ChangeBody, facts: ChangeFacts): Promise<void> | undefined {
    return this.#options.parts.recorder.add(this.#volume, body, facts);
  }

  /** A range changed and its bytes did not come with the stream. */
  async dirty({ low, high }: Range, why: { readonly cause: string; readonly sinceNs: bigint }): Promise<void> {
    const range = { low, high: Math.min(high, this.#options.sizeBytes) };
    this.#window?.window.touch(range);
    this.#want(range);
    if (this.#isCopied) await this.#gaps.openOnce('converging', why.cause, why.sinceNs);
    this.#causes.add(why.cause);
    this.#options.wake();
  }

  async lostAll(cause: string, sinceNs: bigint, label: 'converging' | 'unknown' = 'converging'): Promise<void> {
    if (this.#isCopied) await this.#gaps.openOnce(label, cause, sinceNs);
    this.#due = [];
    this.#wantWhole();
    this.#options.wake();
  }

  async applied(through: bigint): Promise<void> {
    this.#applied = through;
    if (!this.#working) this.#closeHealed();
    const now = this.#due.filter((due) => due.through <= through);
    this.#due = this.#due.filter((due) => due.through > through);
    for (const due of now) await due.run();
  }

  // Reading.

  /** Whole blocks: a part of one could not be held against its hash. */
  #want({ low, high }: Range): void {
    this.#wanted.add({ low: low - (low % blockBytes), high: Math.min(this.#options.sizeBytes, Math.ceil(high / blockBytes) * blockBytes) });
  }

  /** All of it is to be read from the start: it closes the gaps that are open now. */
  #wantWhole(): void {
    const { index, recorder, clock } = this.#options.parts;
    const isBaseline = !this.#isCopied;
    const gaps = this.#gaps.current.filter((gap) => !isUnreadGap(gap)).map(({ gap }) => gap);
    const startedNs = clock.wallNs();
    const unreadAtStart = this.#reports.unread;
    // What is being read may be from before what was lost.
    this.#window?.window.touch({ low: 0, high: Infinity });
    this.#causes.clear();
    this.#wanted.add({ low: 0, high: this.#options.sizeBytes });
    this.#whole = async () => {
      this.#lastScanNs = clock.wallNs();
      if (isBaseline) {
        for (const cause of this.#causes) await this.#gaps.open('converging', cause, clock.wallNs());
        await recorder.control(this.#volume, { kind: 'baseline', edge: 'end' });
        index.setCompared(this.#volume, startedNs);
      }
      for (const gap of gaps) await this.#gaps.close(gap);
      await this.#noteUnread(this.#reports.unread !== unreadAtStart, startedNs);
    };
  }

  async step(signal: AbortSignal): Promise<void> {
    this.#working = true;
    try {
      if (this.#window === undefined) this.#open();
      else if (this.#isReady) await this.#judge(signal);
      this.#closeHealed();
    } finally {
      this.#working = false;
    }
    this.#failures = 0;
  }

  #open(): void {
    const range = this.#wanted.take(windowBytes);
    if (range !== undefined) return this.#read(range, 'record');
    const suspect = this.#suspects.shift();
    if (suspect !== undefined) return this.#read(suspect, 'confirm');
    if (this.#nowMs < this.#nextComparisonMs) return;
    if (this.#comparedTo === 0) this.#passStartedNs = this.#options.parts.clock.wallNs();
    this.#read({ low: this.#comparedTo, high: Math.min(this.#options.sizeBytes, this.#comparedTo + windowBytes) }, 'compare');
  }

  #read(range: Range, purpose: Purpose): void {
    const { reader, whenDone, position, wake } = this.#options;
    this.#window = { purpose, window: new DeviceWindow({ range, reader, whenDone: () => whenDone(this.#stopped.signal), position, onRead: wake }) };
  }

  async #judge(signal: AbortSignal): Promise<void> {
    const { window, purpose } = this.#window!;
    const beganMs = this.#nowMs;
    this.#window = undefined;
    signal.throwIfAborted();
    if (window.failure !== undefined) throw window.failure instanceof Error ? window.failure : new Error(String(window.failure));
    for (const { range: { low, high }, problem } of window.unread) {
      const place = `bytes ${low} to ${high}`;
      if (this.#reports.add(place, problem, false)) this.#options.logger.warn({ volume: this.definition.name, place, problem }, 'not captured');
    }
    if (purpose === 'record') for (const piece of window.pieces()) await this.#record(piece);
    else await this.#compare(window, purpose, beganMs);
    await this.#options.parts.recorder.flush();
    if (this.#options.parts.recorder.commitDue) await this.#options.parts.recorder.commit(signal);
  }

  /** Records of a piece what the journal does not have. */
  async #record({ offset, data }: DevicePiece): Promise<void> {
    const { parts, sizeBytes } = this.#options;
    const end = offset + data.byteLength;
    const { from, to, file } = this.#wholeBlocks({ offset, data });
    // Parts of blocks, whose rest the stream told of: there is no hash to go by.
    if (from > offset) await this.#write(offset, data.subarray(0, from - offset));
    if (to > from) await captureContent(parts, { file, node: root, size: sizeBytes, sparse: false, from, to });
    const rest = Math.max(from, to);
    if (end > rest) await this.#write(rest, data.subarray(rest - offset));
  }

  /** The blocks that lie in a piece as a whole, and the device as far as these go. */
  #wholeBlocks({ offset, data }: DevicePiece): { readonly from: number; readonly to: number; readonly file: ComparedFile } {
    const { sizeBytes } = this.#options;
    const end = offset + data.byteLength;
    const from = Math.min(end, Math.ceil(offset / blockBytes) * blockBytes);
    const to = end === sizeBytes ? end : Math.max(offset, end - (end % blockBytes));
    const file = {
      stat: async () => ({ size: sizeBytes }),
      read: async (target: Uint8Array, at: number) => data.copy(target, 0, at - offset, to - offset),
      nextData: async (at: number) => ({ offset: at, length: to - at }),
    };
    return { from, to, file };
  }

  async #write(offset: number, data: Buffer): Promise<void> {
    await this.#options.parts.recorder.add(this.#volume, { kind: 'write', node: rootNode, offset, data: Buffer.from(data) });
  }

  /** Holds whole blocks against their hashes. What differs is looked at once more before it is believed. */
  async #compare(window: DeviceWindow, purpose: Purpose, beganMs: number): Promise<void> {
    const { parts, comparison, sizeBytes, logger } = this.#options;
    const { index, clock } = parts;
    for (const piece of window.pieces()) {
      const found = new Findings();
      const { from, to, file } = this.#wholeBlocks(piece);
      if (to > from) await compareContent(parts, root, file, { from, to, bytesMax: Infinity }, found);
      for (const unhashed of found.unhashed) await this.#record(unhashed);
      for (const difference of found.differences) {
        if (difference.what !== 'content') continue;
        const range = { low: difference.low, high: Math.min(difference.high, sizeBytes) };
        if (purpose === 'compare') {
          this.#suspects.push(range);
          continue;
        }
        this.#differences += 1;
        logger.error({ volume: this.definition.name, ...range }, comparisonCause);
        await this.dirty(range, { cause: comparisonCause, sinceNs: index.comparedNs(this.#volume) ?? 0n });
      }
    }
    if (purpose === 'compare') this.#comparedTo = window.range.high;
    const restMs = comparison.rest * Math.max(1, this.#nowMs - beganMs);
    this.#nextComparisonMs = this.#nowMs + (this.#suspects.length > 0 ? comparison.confirmMs : restMs);
    if (this.#comparedTo < sizeBytes || this.#suspects.length > 0) return;
    this.#comparedTo = 0;
    this.#comparedNs = clock.wallNs();
    this.#nextComparisonMs = this.#nowMs + comparison.intervalMs;
    index.setCompared(this.#volume, this.#passStartedNs);
  }

  /** All was read: once what the stream told meanwhile is applied too, the gaps are over. */
  #closeHealed(): void {
    if (!this.#wanted.isEmpty || this.#window?.purpose === 'record') return;
    const [whole, causes] = [this.#whole, new Set(this.#causes)];
    if (whole === undefined && causes.size === 0) return;
    this.#whole = undefined;
    this.#causes.clear();
    this.#due.push({
      through: this.#options.position(),
      run: async () => {
        await whole?.();
        await this.#gaps.closeCauses(new Set([...causes].filter((cause) => !this.#causes.has(cause))));
        if (this.#reports.unread !== this.#unreadNoted) await this.#noteUnread(true, this.#options.parts.clock.wallNs());
      },
    });
    this.#options.wake();
  }

  async #noteUnread(unread: boolean, sinceNs: bigint): Promise<void> {
    this.#unreadNoted = this.#reports.unread;
    await noteUnread(this.#options.parts, this.#volume, { unread, reports: this.#reports, sinceNs });
  }

  async readAllBack(): Promise<void> {
    this.#options.wake();
    while (!this.isInStep) {
      if (this.#failed !== undefined) throw new Error(this.#failed);
      this.#stopped.signal.throwIfAborted();
      await this.#options.parts.clock.sleep(flushPollMs, this.#stopped.signal);
    }
  }

  // State.

  async refused(): Promise<void> {
    this.#waitingForRoom = true;
    await this.#gaps.openOnce('converging', spoolCause, this.#options.parts.clock.wallNs());
  }
  roomAgain(): void {
    this.#waitingForRoom = false;
    this.#due = [];
    this.#wantWhole();
  }

  async failedStep(error: unknown): Promise<void> {
    const { parts: { clock }, logger } = this.#options;
    this.#failures += 1;
    this.#notBeforeMs = this.#nowMs + retryDelayMs(this.#failures);
    logger.warn({ volume: this.definition.name, error: messageOf(error), failures: this.#failures }, 'capture step failed; comparing everything');
    await this.lostAll('changes could not be recorded', clock.wallNs() - failureReachNs);
  }

  fail(error: Error): void {
    this.#failed = messageOf(error);
  }

  end(): void {
    this.#stopped.abort(new Error('capture of the device ended'));
  }

  /** Closes the device; after `end`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.reader[Symbol.asyncDispose]();
  }

  status(): SourceStatus {
    const { sizeBytes } = this.#options;
    const { label, cause } = this.#gaps.standing(this.#failed);
    const doneBytes = sizeBytes - this.#wanted.bytes;
    return {
      label,
      cause,
      settled: false,
      phase: this.#failed !== undefined ? 'failed' : this.#waitingForRoom ? 'waiting-for-room' : label === 'baseline' ? 'baseline' : this.#whole === undefined ? 'watching' : 'rescan',
      ...(label === 'baseline' ? { progress: { doneBytes, totalBytes: sizeBytes, doneEntries: 0, totalEntries: 0 } } : {}),
      gaps: this.#gaps.opened,
      pendingHints: this.#wanted.isEmpty ? 0 : 1,
      ...(this.#lastScanNs === undefined ? {} : { lastScanNs: this.#lastScanNs }),
      comparison: { differences: this.#differences, ...(this.#comparedNs === undefined ? {} : { endedNs: this.#comparedNs }) },
      reports: this.#reports.list(),
      reportCount: this.#reports.count,
    };
  }
}
