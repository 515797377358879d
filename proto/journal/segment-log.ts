/**
 * A journal on disk: frames appended to segments, synced, sealed, recovered, read and trimmed.
 * The agent's spool and the receiver's store are both one of these, with the same bytes.
 */
import { FormatError, DurabilityError, errorCode } from '../errors.js';
import { asSequence, noSequence, type Sequence } from '../change.js';
import { chainFault, frameLength, zeroDigest, type Frame, type JournalEnd, type JournalId } from './frame.js';
import { frameRawBytesTarget, segmentHead, segmentSizeBytesMax, segmentTail } from './layout.js';
import { recoverSegments, type Damage, type RecoveredSegments, type SegmentState } from './segment-recovery.js';
import { encodeSegmentHead, encodeSegmentTail, segmentFileName } from './segment.js';
import { scanFrames, scanHeaders, type FrameLocation, type LocatedFrame } from './segment-scan.js';

/** What a log needs of an open file; the host's seam provides it. */
export interface LogFile {
  read(target: Uint8Array, position: number): Promise<number>;
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  datasync(): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** What a log needs of the file system; the host's seam provides it. */
export interface LogFiles {
  open(path: string, mode: 'read' | 'write'): Promise<LogFile>;
  create(path: string): Promise<LogFile>;
  list(path: string): Promise<readonly { readonly name: string }[]>;
  makeDirectory(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export interface SegmentLogOptions {
  readonly files: LogFiles;
  readonly directory: string;
  readonly journal: JournalId;
  readonly segmentSizeBytes?: number;
  /** Sequences up to here are known to have been durable: damage below is reported, never cut off. */
  readonly durableFloor?: Sequence;
  /** Where an empty log begins: after this end of the same journal, kept elsewhere. */
  readonly startAfter?: JournalEnd;
  /** Called before opening cuts off an unreadable tail: what must be concluded from it has to be remembered first. */
  readonly beforeCut?: () => Promise<void>;
}

/**
 * One writer; appends must not overlap. `sync` may run beside an append, and makes durable what was
 * written when it was called. After a failed sync or write the log is broken until opened again.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #segments: SegmentState[];
  #active: LogFile | undefined;
  #end: JournalEnd;
  #durableThrough: Sequence;
  #syncing: Promise<void> | undefined;
  #broken: DurabilityError | undefined;
  /** Size of the active segment that is known to be durable. */
  #durableSizeBytes: number;
  /** Bytes of a write that failed may lie past the end of the active segment. */
  #hasStrayBytes = false;
  /** Damage found at opening in segments that need not be read to go on. */
  readonly damage: readonly Damage[];
  /** Bytes of a torn tail that opening cut off. */
  readonly cutBytes: number;

  private constructor(options: SegmentLogOptions, recovered: RecoveredSegments) {
    this.#options = options;
    this.#segments = recovered.segments;
    this.#active = recovered.active;
    this.#end = recovered.end;
    this.#durableThrough = recovered.end.lastSequence;
    this.#durableSizeBytes = recovered.segments[recovered.segments.length - 1]?.sizeBytes ?? 0;
    this.damage = recovered.damage;
    this.cutBytes = recovered.cutBytes;
  }

  /** Opens and recovers a log; an absent directory is an empty one. Throws FormatError when its end cannot be told. */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    await options.files.makeDirectory(options.directory);
    const start = options.startAfter ?? { journal: options.journal, lastSequence: noSequence, lastTimeNs: 0n, digest: zeroDigest };
    const recovered = await recoverSegments({ ...options, start, durableFloor: options.durableFloor ?? noSequence });
    try {
      await syncRecovered(options, recovered);
    } catch (cause) {
      await recovered.active?.close().catch(() => undefined);
      throw new DurabilityError('sync recovered journal', { directory: options.directory, cause });
    }
    return new SegmentLog(options, recovered);
  }

  /** The end of what is written. */
  get end(): JournalEnd {
    return this.#end;
  }

  get writtenThrough(): Sequence {
    return this.#end.lastSequence;
  }

  get durableThrough(): Sequence {
    return this.#durableThrough;
  }

  /** The sequence before the first one held; equals `writtenThrough` when nothing is held. */
  get trimmedThrough(): Sequence {
    const first = this.#segments[0];
    return first === undefined ? this.#end.lastSequence : asSequence(first.firstSequence - 1n);
  }

  get segments(): readonly SegmentState[] {
    return this.#segments;
  }

  /** False once a failure has left its content in doubt: it takes no more, and has to be opened again. */
  get usable(): boolean {
    return this.#broken === undefined;
  }

  /** Bytes of all segment files. */
  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /**
   * Appends a frame. ENOSPC and EDQUOT leave the log as it was, to be tried again; other failures break it.
   * Throws FormatError when the frame does not follow the log's end.
   */
  async append(frame: Frame): Promise<FrameLocation> {
    this.#checkUsable();
    const fault = chainFault(this.#end, frame.header);
    if (fault !== undefined) throw new FormatError('append frame', { sequence: frame.header.firstSequence, fault });
    const length = frameLength(frame);
    const last = this.#segments[this.#segments.length - 1];
    if (this.#active === undefined || last === undefined || (last.frameCount > 0 && last.sizeBytes + length > (this.#options.segmentSizeBytes ?? segmentSizeBytesMax))) {
      await this.#rotate();
    }
    const segment = this.#segments[this.#segments.length - 1]!;
    const offset = segment.sizeBytes;
    try {
      await this.#active!.write([frame.bytes], offset);
    } catch (cause) {
      await this.#cutStrayBytes(this.#active!, offset);
      throw this.#failed('append frame', segment, cause);
    }
    // A sync that failed meanwhile cut the file back beneath this write.
    this.#checkUsable();
    segment.sizeBytes += length;
    segment.frameCount += 1;
    segment.lastSequence = frame.header.lastSequence;
    this.#end = { journal: this.#end.journal, lastSequence: frame.header.lastSequence, lastTimeNs: frame.header.lastTimeNs, digest: frame.digest };
    return { segment: segment.firstSequence, offset, length };
  }

  /** Makes everything written before the call durable; resolves with the sequence that covers. */
  async sync(): Promise<Sequence> {
    while (this.#syncing !== undefined) await this.#syncing;
    this.#checkUsable();
    const through = this.#end.lastSequence;
    const file = this.#active;
    const segment = this.#segments[this.#segments.length - 1];
    if (segment === undefined) return this.#durableThrough;
    const sizeBytes = segment.sizeBytes;
    if (through === this.#durableThrough || file === undefined) return this.#durableThrough;
    await this.#datasync(file, segment, through, sizeBytes);
    return this.#durableThrough;
  }

  /** Frames that hold sequences after `after`, up to what is written when each is read. Throws FormatError at damage. */
  async *frames(after: Sequence): AsyncGenerator<LocatedFrame & { readonly segment: Sequence }> {
    let next = asSequence(after + 1n);
    let before: JournalEnd | undefined;
    for (;;) {
      const segment = this.#segments.findLast((candidate) => candidate.firstSequence <= next);
      if (segment === undefined) {
        if (this.#segments.length === 0 && next > this.#end.lastSequence) return;
        throw new FormatError('read journal', { directory: this.#options.directory, sequence: next, fault: `only sequences after ${this.trimmedThrough} are held` });
      }
      if (next > segment.lastSequence) {
        if (next > this.#end.lastSequence) return;
        throw new FormatError('read journal', { directory: this.#options.directory, sequence: next, fault: 'the segment that held it is missing or damaged' });
      }
      const path = this.#path(segment);
      const file = await this.#options.files.open(path, 'read');
      try {
        const to = segment.framesEnd ?? segment.sizeBytes;
        const read = (target: Uint8Array, position: number): Promise<number> => file.read(target, position);
        let from: number = segmentHead.length;
        if (next > segment.firstSequence) {
          for await (const { header, offset } of scanHeaders(read, from, to)) {
            from = offset;
            if (header.lastSequence >= next) break;
          }
        }
        const scan = scanFrames(read, from, to);
        for (let step = await scan.next(); ; step = await scan.next()) {
          if (step.done === true) {
            if (step.value.fault !== undefined) throw new FormatError('read segment', { path, offset: step.value.offset, cause: step.value.fault });
            if (next <= segment.lastSequence && to === (segment.framesEnd ?? segment.sizeBytes)) throw new FormatError('read segment', { path, offset: to, fault: `it ends before sequence ${segment.lastSequence}` });
            break;
          }
          const { frame, offset } = step.value;
          const { journal, lastSequence, lastTimeNs, firstSequence } = frame.header;
          const fault = before !== undefined ? chainFault(before, frame.header) : firstSequence > next ? `it starts at sequence ${firstSequence}, expected ${next}` : undefined;
          if (fault !== undefined) throw new FormatError('read segment', { path, offset, fault });
          before = { journal, lastSequence, lastTimeNs, digest: frame.digest };
          if (lastSequence < next) continue;
          yield { frame, offset, segment: segment.firstSequence };
          next = asSequence(lastSequence + 1n);
        }
      } finally {
        await file.close();
      }
      if (next > this.#end.lastSequence) return;
    }
  }

  /**
   * Removes whole segments that hold nothing after `through`. The last segment always stays, and a frame of it is made
   * durable before the others go: without one nothing would tell the journal's last time after a power cut.
   */
  async removeThrough(through: Sequence): Promise<void> {
    let removed = false;
    while (this.#segments.length > 1 && this.#segments[0]!.lastSequence <= through) {
      const last = this.#segments[this.#segments.length - 1]!;
      if (this.#segments.length === 2 && this.#durableThrough < last.firstSequence) {
        if (last.frameCount === 0) break;
        await this.sync();
      }
      await this.#options.files.remove(this.#path(this.#segments[0]!));
      this.#segments.shift();
      removed = true;
    }
    if (removed) await this.#options.files.syncDirectory(this.#options.directory);
  }

  /** Seals the active segment now, if it holds anything. */
  async seal(): Promise<void> {
    this.#checkUsable();
    const last = this.#segments[this.#segments.length - 1];
    if (this.#active === undefined || last === undefined || last.frameCount === 0) return;
    await this.#seal(last);
  }

  async close(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    const file = this.#active;
    this.#active = undefined;
    this.#broken ??= new DurabilityError('use journal', { directory: this.#options.directory, fault: 'it is closed' });
    await file?.close();
  }

  async #rotate(): Promise<void> {
    const last = this.#segments[this.#segments.length - 1];
    if (this.#active !== undefined && last !== undefined) await this.#seal(last);
    const firstSequence = asSequence(this.#end.lastSequence + 1n);
    const path = `${this.#options.directory}/${segmentFileName(firstSequence)}`;
    const { files, directory, journal } = this.#options;
    let file: LogFile | undefined;
    try {
      await files.remove(path);
      file = await files.create(path);
      await file.write([encodeSegmentHead({ journal, firstSequence, previousDigest: this.#end.digest })], 0);
      await file.datasync();
      // Sync the directory too: otherwise the new segment may not survive power loss.
      await files.syncDirectory(directory);
    } catch (cause) {
      await file?.close().catch(() => undefined);
      await files.remove(path).catch(() => undefined);
      throw this.#failed('begin segment', { firstSequence }, cause);
    }
    this.#active = file;
    this.#hasStrayBytes = false;
    this.#durableSizeBytes = segmentHead.length;
    this.#segments.push({ firstSequence, lastSequence: this.#end.lastSequence, sizeBytes: segmentHead.length, frameCount: 0 });
  }

  async #seal(segment: SegmentState): Promise<void> {
    const framesEnd = segment.sizeBytes;
    const tail = encodeSegmentTail({
      journal: this.#options.journal,
      firstSequence: segment.firstSequence,
      lastSequence: this.#end.lastSequence,
      lastTimeNs: this.#end.lastTimeNs,
      framesBytes: framesEnd - segmentHead.length,
      frameCount: segment.frameCount,
      lastDigest: this.#end.digest,
    });
    const file = this.#active!;
    try {
      // A tail counts only as the very last bytes of its file.
      if (this.#hasStrayBytes) await file.truncate(framesEnd);
      this.#hasStrayBytes = false;
      await file.write([tail], framesEnd);
    } catch (cause) {
      await this.#cutStrayBytes(file, framesEnd);
      throw this.#failed('seal segment', segment, cause);
    }
    await this.#datasync(file, segment, this.#end.lastSequence, framesEnd);
    segment.framesEnd = framesEnd;
    segment.sizeBytes = framesEnd + segmentTail.length;
    this.#active = undefined;
    await file.close();
  }

  /** One sync at a time: the kernel tells a failed write-back to one sync only, and another beside it would pass. */
  async #datasync(file: LogFile, segment: SegmentState, through: Sequence, sizeBytes: number): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    this.#checkUsable();
    const done = file.datasync().then(
      () => {
        if (through <= this.#durableThrough) return;
        this.#durableThrough = through;
        this.#durableSizeBytes = sizeBytes;
      },
      async (cause: unknown) => {
        throw await this.#syncFailed(file, segment, cause);
      },
    );
    this.#syncing = done.catch(() => undefined);
    try {
      await done;
    } finally {
      this.#syncing = undefined;
    }
  }

  /** Cuts off what a failed write left; if even that fails, the next append overwrites it and recovery cuts it. */
  async #cutStrayBytes(file: LogFile, sizeBytes: number): Promise<void> {
    this.#hasStrayBytes = true;
    try {
      await file.truncate(sizeBytes);
      this.#hasStrayBytes = false;
    } catch {
      // Told apart by the flag; the error that matters is the write's.
    }
  }

  #path(segment: { readonly firstSequence: Sequence }): string {
    return `${this.#options.directory}/${segmentFileName(segment.firstSequence)}`;
  }

  #checkUsable(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  /**
   * A failed sync breaks the log: the kernel may now call pages clean that never reached the disk, and
   * a second sync would succeed without writing them. What is not durable is cut off, so that not even
   * a reader of the page cache takes it for written.
   */
  async #syncFailed(file: LogFile, segment: SegmentState, cause: unknown): Promise<DurabilityError> {
    const error = new DurabilityError('sync segment', { path: this.#path(segment), cause });
    this.#broken = error;
    // All but one byte of it: that tells the next opening that something is missing here. Where this fails, opening writes
    // again whatever it can still read.
    await file.truncate(this.#durableSizeBytes + 1).catch(() => undefined);
    return error;
  }

  /** A full disk is no reason to give up the log; anything else leaves its content in doubt. */
  #failed(deed: string, segment: { readonly firstSequence: Sequence }, cause: unknown): DurabilityError {
    const error = new DurabilityError(deed, { path: this.#path(segment), cause });
    const code = errorCode(cause);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') this.#broken = error;
    return error;
  }
}

/** What recovery read may sit in the page cache only, tails and directory entries included: sync before calling it durable. */
async function syncRecovered({ files, directory }: SegmentLogOptions, { active, segments, inDoubtFrom }: RecoveredSegments): Promise<void> {
  const last = segments[segments.length - 1];
  if (last === undefined) return;
  const file = active ?? (await files.open(`${directory}/${segmentFileName(last.firstSequence)}`, 'write'));
  try {
    if (inDoubtFrom !== undefined) await writeAgain(file, inDoubtFrom, last.sizeBytes);
    if (active !== undefined) await cutAgain(active, last.sizeBytes);
    await file.datasync();
  } finally {
    if (active === undefined) await file.close();
  }
  await files.syncDirectory(directory);
}

/**
 * The same of a cut whose sync failed: the file looks short, and a sync passes over it, but after a power cut what was
 * cut off could be back, with sequences that have been given out again since.
 */
async function cutAgain(file: LogFile, sizeBytes: number): Promise<void> {
  await file.truncate(sizeBytes + 1);
  await file.truncate(sizeBytes);
}

/**
 * Where a sync failed and the process died of it, the pages that were lost look clean: they can be read
 * as long as they are cached, and a sync passes over them. Writing them again makes it write them.
 */
async function writeAgain(file: LogFile, from: number, to: number): Promise<void> {
  const chunk = Buffer.allocUnsafeSlow(Math.min(to - from, frameRawBytesTarget));
  for (let at = from; at < to; ) {
    const got = await file.read(chunk.subarray(0, Math.min(chunk.byteLength, to - at)), at);
    if (got === 0) return;
    await file.write([chunk.subarray(0, got)], at);
    at += got;
  }
}
