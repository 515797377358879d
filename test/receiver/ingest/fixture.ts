/** What the ingest tests share: frames that follow each other, a disk that fails as told, a stream that remembers. */
import type tap from 'tap';
import { asSequence, asVolumeId, noSequence, rootNode, type ChangeBody, type Sequence } from '../../../proto/change.js';
import { encodeFrame, zeroDigest, type Frame, type JournalEnd, type JournalId } from '../../../proto/journal/frame.js';
import type { Change } from '../../../proto/change.js';
import type { PeerError } from '../../../proto/errors.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles, type File, type Files } from '../../../native/host/files.js';
import { HostJournal, type FrameSource, type HostJournalOptions, type StorageState } from '../../../receiver/ingest/host-journal.js';
import type { DurableProgress, IngestObserver, Logger } from '../../../receiver/ingest/parts.js';
import type { Report } from '../../../proto/wire/messages.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';

export const journalId: JournalId = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

/** Makes frames that follow each other. */
export class FrameMaker {
  end: JournalEnd;
  constructor(journal: JournalId = journalId, end?: JournalEnd) {
    this.end = end ?? { journal, lastSequence: noSequence, lastTimeNs: 0n, digest: zeroDigest };
  }

  frame(...bodies: ChangeBody[]): Frame {
    const changes: Change[] = bodies.map((body, at) => ({
      sequence: asSequence(this.end.lastSequence + 1n + BigInt(at)), timeNs: this.end.lastTimeNs + 1000n + BigInt(at), volume: asVolumeId(body.kind === 'clock' ? 0 : 1), body,
    }));
    const frame = encodeFrame({ journal: this.end.journal, previousDigest: this.end.digest, changes });
    this.end = { journal: this.end.journal, lastSequence: frame.header.lastSequence, lastTimeNs: frame.header.lastTimeNs, digest: frame.digest };
    return frame;
  }

  /** A frame with one write of bytes that do not compress. */
  write(bytes = 100): Buffer {
    const data = Buffer.alloc(bytes);
    let state = Number(this.end.lastSequence) + 1;
    for (let at = 0; at < bytes; at += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[at] = state >>> 24;
    }
    return bytesOf(this.frame({ kind: 'write', node: rootNode, offset: 0, data }));
  }
}

export function bytesOf(frame: Frame): Buffer {
  return Buffer.from(frame.bytes);
}

export const volumeOne: ChangeBody = { kind: 'volume', name: 'data', volumeKind: 'tree', path: '/srv/data', engine: 'exact', platform: 'linux' };

/** The system's files, with failures on order. */
export class FaultyFiles implements Files {
  datasyncs = 0;
  written = 0;
  /** Called before each sync; a rejection is the sync's. */
  onDatasync: (path: string) => Promise<void> = async () => undefined;
  onWrite: (path: string) => void = () => undefined;
  freeBytes = 1e12;

  list = systemFiles.list;
  makeDirectory = systemFiles.makeDirectory;
  rename = systemFiles.rename;
  remove = systemFiles.remove;
  exists = systemFiles.exists;
  syncDirectory = systemFiles.syncDirectory;

  async open(path: string, mode: 'read' | 'write'): Promise<File> {
    return this.#wrap(await systemFiles.open(path, mode));
  }
  async create(path: string): Promise<File> {
    return this.#wrap(await systemFiles.create(path));
  }
  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    return { freeBytes: this.freeBytes, totalBytes: 1e13 };
  }

  #wrap(file: File): File {
    return {
      path: file.path,
      read: (target, position) => file.read(target, position),
      write: async (parts, position) => {
        this.onWrite(file.path);
        this.written += 1;
        await file.write(parts, position);
      },
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      datasync: async () => {
        this.datasyncs += 1;
        await this.onDatasync(file.path);
        await file.datasync();
      },
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
    };
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: on order`), { code });
}

/** Remembers what it was told, and lets one wait for it. */
export class Listener implements FrameSource {
  readonly events: string[] = [];
  durableThrough: Sequence = noSequence;
  storage: StorageState | undefined;
  reason: PeerError | undefined;
  #wake: () => void = () => undefined;

  durable(through: Sequence): void {
    this.durableThrough = through;
    this.#note(`durable ${through}`);
  }
  state(state: StorageState): void {
    this.storage = state;
    this.#note(`state ${state.state}`);
  }
  dropped(reason: PeerError): void {
    this.reason = reason;
    this.#note(`dropped ${reason.code}`);
  }
  /** Waits for what was told so far, or will be, to make it true. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
  #note(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}

export class Watcher implements IngestObserver {
  readonly progress: DurableProgress[] = [];
  readonly events: string[] = [];
  readonly reports: Report[] = [];
  durable(_journal: JournalId, progress: DurableProgress): void {
    this.progress.push(progress);
  }
  state(_journal: JournalId, { state }: StorageState): void {
    this.events.push(`state ${state}`);
  }
  connected(): void {
    this.events.push('connected');
  }
  disconnected(): void {
    this.events.push('disconnected');
  }
  reported(_journal: JournalId, report: Report): void {
    this.reports.push(report);
  }
}

export class Log implements Logger {
  readonly lines: { readonly level: string; readonly context: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  debug = (context: object, message: string): void => this.#add('debug', context, message);
  info = (context: object, message: string): void => this.#add('info', context, message);
  warn = (context: object, message: string): void => this.#add('warn', context, message);
  error = (context: object, message: string): void => this.#add('error', context, message);
  text(): string {
    return this.lines.map(({ level, context, message }) => `${level} ${message} ${JSON.stringify(context, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value instanceof Error ? value.message : value))}`).join('\n');
  }
  #add(level: string, context: object, message: string): void {
    this.lines.push({ level, context: context as Record<string, unknown>, message });
  }
}

type Test = Pick<typeof tap, 'testdir' | 'teardown'>;

export interface Bench {
  readonly files: FaultyFiles;
  readonly store: LocalSegmentStore;
  readonly watcher: Watcher;
  readonly log: Log;
  readonly options: HostJournalOptions;
  open(more?: Partial<HostJournalOptions>): Promise<HostJournal>;
}

export function bench(t: Test, { segmentSizeBytes }: { readonly segmentSizeBytes?: number } = {}): Bench {
  const directory = t.testdir({});
  const files = new FaultyFiles();
  const store = new LocalSegmentStore({ files, directory: `${directory}/journals`, ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }) });
  t.teardown(() => store[Symbol.asyncDispose]());
  const watcher = new Watcher();
  const log = new Log();
  const options: HostJournalOptions = {
    journal: journalId, store, space: () => files.space(), clock: systemClock, logger: log, observer: watcher, durableFloor: noSequence,
    knownVolumes: async () => ({ lastVolume: 0, liveVolumes: [] }), retryMs: 20,
  };
  return { files, store, watcher, log, options, open: (more = {}) => HostJournal.open({ ...options, ...more }) };
}

/** Every byte of every segment. */
export async function stored(store: LocalSegmentStore, journal: JournalId = journalId): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const { segment, sizeBytes } of await store.list(journal)) {
    const bytes = Buffer.alloc(sizeBytes);
    await store.read(journal, segment, bytes, 0);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
