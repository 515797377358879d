/** The stream of everything that changes watched file systems, as the kernel's programs report it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { loadCapture, type NativeStream } from './addon.js';
import { forEachMapped } from './mapped-files.js';

export interface CaptureBatch {
  /** Whole records, back to back: see RecordCursor. May be empty when only `through` moved. Valid until the next batch is asked for. */
  readonly bytes: Buffer;
  /** To be added to a record's monotonicNs to get nanoseconds since 1970. */
  readonly wallOffsetNs: bigint;
  /** Bytes of the ring ever consumed, this batch included. */
  readonly through: bigint;
}

/** Identifies an inode for as long as it exists. `tree` is a btrfs subvolume's root and 0 elsewhere. */
export interface InodeIdentity {
  readonly ino: bigint;
  readonly generation: number;
  readonly device: number;
  readonly tree?: bigint;
}

/** Something in [low, high) of an inode changed and its content was not handed over. */
export interface LostRange {
  readonly ino: bigint;
  readonly generation: number;
  readonly device: number;
  readonly tree: bigint;
  readonly low: number;
  /** Infinity: to the end of the file, wherever that is. */
  readonly high: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** Bits of 1 << DirtyCause. */
  readonly causes: number;
  readonly count: number;
}

export interface Lost {
  readonly ranges: readonly LostRange[];
  /** Something without an inode was lost: since when, monotonic. */
  readonly namesSinceNs: bigint | undefined;
  /** What was lost could not even be noted: since when, monotonic. */
  readonly everythingSinceNs: bigint | undefined;
}

/** What is watched of a disk: offset and length in bytes of the whole disk. */
export interface WatchedBlocks {
  /** Device numbers as records carry them: of the whole disk, and the one that its records are to carry. */
  readonly disk: number;
  readonly device: number;
  readonly offset: number;
  readonly length: number;
}

export interface CaptureStats {
  readonly ringBytes: number;
  readonly ringUsedBytes: number;
  readonly records: bigint;
  readonly lostRecords: bigint;
  /** Whether pages can be read in the kernel; without it what needs that is reported as dirty. */
  readonly pageCache: boolean;
}

export interface CaptureStream extends AsyncDisposable {
  /** By superblock device as /proc/self/mountinfo shows it, encoded as in records. */
  watch(device: number): void;
  unwatch(device: number): void;
  /** Reports what is queued for a range of a disk, under a device number; 16 ranges a disk at most. */
  watchBlocks(part: WatchedBlocks): void;
  unwatchBlocks(device: number): void;
  /**
   * Resolves when all that was queued for watched disks before the call is done: what is read from them afterwards
   * has it. May take as long as a disk does.
   */
  whenBlocksDone(signal?: AbortSignal): Promise<void>;
  /** Of this inode nothing more is reported; may be forgotten, and then it is reported again. */
  markOutside(inode: InodeIdentity): void;
  /** Takes back all that was said to be outside: files may come into a volume from there. */
  forgetOutside(): void;
  /** The next batch, whose memory may be that of the one before; or undefined once the stream is closed or the signal aborted. One caller at a time. */
  next(signal?: AbortSignal): Promise<CaptureBatch | undefined>;
  /** Bytes ever put into the ring: when a batch's `through` reaches it, all that happened before this call is handed over. */
  position(): bigint;
  /** What was lost since the last call. May wait some milliseconds for programs under way. */
  takeLost(): Lost;
  /** Whether the inode has a shared writable mapping, through which it may change unseen. */
  isMapped(inode: InodeIdentity): boolean;
  /**
   * Takes note of files on a watched device that processes had mapped for writing before it was watched: the
   * stream then tells of them as it does of those mapped since. Resolves to how many there are.
   */
  noteMapped(device: number): Promise<number>;
  stats(): CaptureStats;
  /** Takes nothing more out of the ring; resolves nothing: batches up to the position that it returns are still to come. */
  quiesce(): bigint;
  /** After quiesce: goes on. */
  resume(): void;
  /**
   * After quiesce, with all batches up to there taken: capture goes on into the ring without this process, pinned
   * in a directory of the BPF file system, and the stream is closed. Throws when that cannot be; then it is as before.
   */
  suspend(pins: string): StreamState;
}

/** What a suspended stream's successor has to know: what was told of losses already, as the addon counts it. */
export type StreamState = readonly bigint[];

/** Batches that wait to be applied at most: what comes after them stays in the ring. */
const buffersMax = 4;

interface Delivered extends CaptureBatch {
  readonly buffer: number;
}

/** Delivered batches and who waits for one; apart from the stream, so that an abandoned stream can be collected. */
class Deliveries {
  readonly batches: Delivered[] = [];
  wake: (() => void) | undefined;

  deliver(batch: Delivered): void {
    this.batches.push(batch);
    this.wake?.();
  }
}

class SystemCaptureStream implements CaptureStream {
  readonly #native: NativeStream;
  readonly #deliveries: Deliveries;
  #closed = false;
  /** Holds the batch that was handed over last. */
  #handedOver: number | undefined;
  /** Where the ring was when it was left to another. */
  #leftAt: bigint | undefined;
  /** Whether any inode was said to be outside since that was taken back. */
  #marked: boolean;

  constructor(native: NativeStream, deliveries: Deliveries, marked: boolean) {
    this.#native = native;
    this.#deliveries = deliveries;
    this.#marked = marked;
  }

  watch(device: number): void {
    this.#native.watch(device);
  }

  unwatch(device: number): void {
    this.#native.unwatch(device);
  }

  watchBlocks({ disk, device, offset, length }: WatchedBlocks): void {
    this.#native.watchPart(disk, device, BigInt(offset), BigInt(offset + length));
  }

  unwatchBlocks(device: number): void {
    this.#native.unwatchPart(device);
  }

  async whenBlocksDone(signal?: AbortSignal): Promise<void> {
    const epoch = this.#native.beginBlockEpoch();
    for (let waitMs = 0.25; !this.#closed && this.#native.hasBlockFlightBefore(epoch); waitMs = Math.min(2 * waitMs, 50)) await setTimeout(waitMs, undefined, signal === undefined ? {} : { signal });
  }

  markOutside({ ino, tree = 0n, generation, device }: InodeIdentity): void {
    this.#marked = true;
    this.#native.markOutside(ino, tree, generation, device);
  }

  forgetOutside(): void {
    if (!this.#marked) return;
    this.#marked = false;
    this.#native.forgetOutside();
  }

  async next(signal?: AbortSignal): Promise<CaptureBatch | undefined> {
    const deliveries = this.#deliveries;
    if (deliveries.wake !== undefined) throw new Error('next: someone is waiting for the next batch already');
    if (this.#handedOver !== undefined) this.#native.consumed(this.#handedOver);
    this.#handedOver = undefined;
    if (deliveries.batches.length === 0 && !this.#closed && signal?.aborted !== true) {
      this.#native.hold(true);
      let abort: (() => void) | undefined;
      await new Promise<void>((resolve) => {
        deliveries.wake = resolve;
        abort = resolve;
        signal?.addEventListener('abort', abort, { once: true });
      });
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
      deliveries.wake = undefined;
      this.#native.hold(false);
    }
    if (this.#closed || signal?.aborted === true) return undefined;
    const batch = deliveries.batches.shift();
    this.#handedOver = batch?.buffer;
    return batch;
  }

  position(): bigint {
    return this.#leftAt ?? this.#native.position();
  }

  takeLost(): Lost {
    const [ranges, namesSinceNs, everythingSinceNs] = this.#native.takeLost();
    return {
      ranges: ranges.map(([ino, generation, device, tree, low, high, firstNs, lastNs, causes, count]) => ({
        ino,
        generation,
        device,
        tree,
        low: Number(low),
        high: high === 2n ** 64n - 1n ? Infinity : Number(high),
        firstNs,
        lastNs,
        causes,
        count,
      })),
      namesSinceNs,
      everythingSinceNs,
    };
  }

  isMapped({ ino, tree = 0n, generation, device }: InodeIdentity): boolean {
    return this.#native.isMapped(ino, tree, generation, device);
  }

  async noteMapped(device: number): Promise<number> {
    return forEachMapped(device, (fd) => !this.#closed && this.#native.noteMapped(fd));
  }

  stats(): CaptureStats {
    const [ringBytes, ringUsedBytes, records, lostRecords, pageCache] = this.#native.stats();
    return { ringBytes, ringUsedBytes, records, lostRecords, pageCache };
  }

  quiesce(): bigint {
    return this.#native.quiesce();
  }

  resume(): void {
    this.#native.resume();
  }

  suspend(pins: string): StreamState {
    const position = this.#native.position();
    const state = this.#native.suspend(pins);
    this.#leftAt = position;
    this.#closed = true;
    this.#deliveries.wake?.();
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#native.close();
    this.#deliveries.wake?.();
  }
}

/** The ring's size is a power of two and of whole pages: the next one up from what was asked for. */
function ringSize(bytes: number): number {
  if (!(bytes > 0) || bytes > 2 ** 30) throw new RangeError(`ringBytes is ${bytes}; from 1 to 2^30 are possible`);
  // A smaller one could never hold the largest record.
  return Math.max(2 ** 18, 2 ** Math.ceil(Math.log2(bytes)));
}

export interface CaptureOptions {
  /** Rounded up to a power of two. */
  readonly ringBytes: number;
  /** What this process does is never reported; by default the one that opens the stream. */
  readonly excludePid?: number;
  /**
   * Whether written content is copied from the page cache even where the caller's buffer could be
   * read. True by default: a buffer may have been changed since it was written, as databases do, and
   * then what it holds was never in the file.
   */
  readonly preferPageCache?: boolean;
  /**
   * Whether it is asked of the kernel which file a cut by path reached, where that tells (6.13). True by default; else, and
   * on kernels before, the name is all there is, and one that nobody knows has everything compared.
   */
  readonly followChanges?: boolean;
  /** Goes on with a stream that was suspended: where it is pinned, and what suspend returned. */
  readonly takeOver?: { readonly pins: string; readonly state: StreamState };
}

/**
 * Starts to capture; nothing is reported until a device is watched, unless it takes over. Throws where
 * captureUnavailableReason() has a reason, or when the kernel refuses the programs.
 */
export function openCaptureStream({ ringBytes, excludePid = 0, preferPageCache = true, followChanges = true, takeOver }: CaptureOptions): CaptureStream {
  const loaded = loadCapture();
  if (typeof loaded === 'string') throw new Error(`open a capture stream: ${loaded}`);
  const deliveries = new Deliveries();
  // Memory that stays: new buffers for every batch would have the collector at work all the time.
  const buffers = Array.from({ length: buffersMax }, () => Buffer.allocUnsafeSlow(loaded.addon.batchBufferBytes));
  const deliver = (buffer: number, length: number, through: bigint, wallOffsetNs: bigint): void => deliveries.deliver({ buffer, bytes: buffers[buffer]!.subarray(0, length), through, wallOffsetNs });
  const native = new loaded.addon.Stream(loaded.objectPath, ringSize(ringBytes), excludePid, deliver, buffers, preferPageCache, followChanges, takeOver?.pins, takeOver?.state);
  return new SystemCaptureStream(native, deliveries, takeOver !== undefined);
}

/** Memory that direct reads can be made to. */
export function alignedBuffer(bytes: number): Buffer {
  const loaded = loadCapture();
  if (typeof loaded === 'string') throw new Error(`allocate memory for direct reads: ${loaded}`);
  return loaded.addon.alignedBuffer(bytes);
}

/** Tells the programs of one build from those of others, whose records may be laid out otherwise; undefined where there are none. */
export function captureProgramsHash(): string | undefined {
  const loaded = loadCapture();
  return typeof loaded === 'string' ? undefined : createHash('sha256').update(readFileSync(loaded.objectPath)).digest('hex');
}

/** Ends what is pinned in a directory of the BPF file system, if anything. */
export function unpinCapture(pins: string): void {
  const loaded = loadCapture();
  if (typeof loaded !== 'string') loaded.addon.Stream.unpin(pins);
}

/** Why openCaptureStream cannot work on this machine, with the remedy, or undefined when it can be tried. */
export function captureUnavailableReason(): string | undefined {
  const loaded = loadCapture();
  return typeof loaded === 'string' ? loaded : undefined;
}
