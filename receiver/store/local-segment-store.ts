/** Keeps segments in a local directory: `<directory>/<journal id in hexadecimal>/<first sequence>.segment`. */
import { dirname } from 'node:path';
import type { Files } from '../../native/host/files.js';
import type { Sequence } from '../../proto/change.js';
import { errorCode, FormatError } from '../../proto/errors.js';
import type { Frame, JournalEnd, JournalId } from '../../proto/journal/frame.js';
import { journalIdBytes } from '../../proto/journal/layout.js';
import type { Damage } from '../../proto/journal/segment-recovery.js';
import { SegmentLog, type LogFiles } from '../../proto/journal/segment-log.js';
import { readSegmentEnds, type FrameLocation } from '../../proto/journal/segment-scan.js';
import { segmentFileName, segmentFromFileName } from '../../proto/journal/segment.js';
import { FileHandles } from './file-handles.js';
import type { SegmentAppender, SegmentInfo, SegmentStore } from './segment-store.js';

export interface LocalSegmentStoreOptions {
  readonly files: Files;
  /** Holds one directory a journal; made when it is missing. */
  readonly directory: string;
  readonly segmentSizeBytes?: number;
}

const journalNameShape = new RegExp(`^[0-9a-f]{${journalIdBytes * 2}}$`);

export class LocalSegmentStore implements SegmentStore, AsyncDisposable {
  readonly #options: LocalSegmentStoreOptions;
  readonly #handles: FileHandles;
  readonly #appending = new Set<string>();
  /** Sealed segments do not change, so what a listing found out about one stays true. */
  readonly #sealed = new Map<string, SegmentInfo>();

  constructor(options: LocalSegmentStoreOptions) {
    this.#options = options;
    this.#handles = new FileHandles(options);
  }

  /** Where a journal's segments lie; other files about the journal may be kept beside them. */
  directoryOf(journal: JournalId): string {
    return `${this.#options.directory}/${journal.toString('hex')}`;
  }

  async journals(): Promise<JournalId[]> {
    const entries = await orNone(this.#options.files.list(this.#options.directory));
    const names = entries.filter((entry) => entry.isDirectory && journalNameShape.test(entry.name)).map((entry) => entry.name);
    return names.sort().map((name) => Buffer.from(name, 'hex'));
  }

  /** Makes a journal's directory so that it survives power loss. */
  async makeJournal(journal: JournalId): Promise<void> {
    const { files, directory } = this.#options;
    await files.makeDirectory(this.directoryOf(journal));
    // Sync the parents too: otherwise the directory may not survive power loss, and the segments with it.
    await files.syncDirectory(directory);
    await files.syncDirectory(dirname(directory));
  }

  async openAppender(journal: JournalId, durableFloor: Sequence): Promise<SegmentAppender> {
    const key = journal.toString('hex');
    if (this.#appending.has(key)) throw new Error(`journal ${key} is open for appending already`);
    this.#appending.add(key);
    try {
      await this.makeJournal(journal);
      const { segmentSizeBytes } = this.#options;
      const log = await SegmentLog.open({
        files: this.#logFiles(), directory: this.directoryOf(journal), journal, durableFloor, ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }),
      });
      // A seal whose sync failed was seen, and taken back: what was found out about this journal may not hold.
      for (const path of this.#sealed.keys()) if (dirname(path) === this.directoryOf(journal)) this.#sealed.delete(path);
      return new LocalAppender(log, () => this.#appending.delete(key));
    } catch (error) {
      this.#appending.delete(key);
      throw error;
    }
  }

  async list(journal: JournalId): Promise<SegmentInfo[]> {
    const entries = await orNone(this.#options.files.list(this.directoryOf(journal)));
    const segments = entries.flatMap((entry) => segmentFromFileName(entry.name) ?? []);
    segments.sort((a, b) => (a < b ? -1 : 1));
    const listed: SegmentInfo[] = [];
    for (const segment of segments) {
      const info = await this.#look(this.#path(journal, segment), segment);
      if (info !== undefined) listed.push(info);
    }
    return listed;
  }

  async read(journal: JournalId, segment: Sequence, target: Uint8Array, position: number): Promise<number> {
    return this.#handles.with(this.#path(journal, segment), (file) => file.read(target, position));
  }

  async put(journal: JournalId, segment: Sequence, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const { files } = this.#options;
    await this.makeJournal(journal);
    const path = this.#path(journal, segment);
    if (await files.exists(path)) throw new Error(`segment ${path} exists already`);
    const draft = `${path}.new`;
    await files.remove(draft);
    const file = await files.create(draft);
    try {
      let position = 0;
      for await (const part of parts) {
        await file.write([part], position);
        position += part.byteLength;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await files.rename(draft, path);
    await files.syncDirectory(this.directoryOf(journal));
  }

  async remove(journal: JournalId, segment: Sequence): Promise<void> {
    const path = this.#path(journal, segment);
    await this.#handles.forget(path);
    this.#sealed.delete(path);
    await this.#options.files.remove(path);
    await this.#options.files.syncDirectory(this.directoryOf(journal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handles.close();
  }

  /** A segment that could not be begun is removed and begun again under its name: readers must not keep the old file. */
  #logFiles(): LogFiles {
    const { files } = this.#options;
    return {
      open: (path, mode) => files.open(path, mode),
      create: async (path) => {
        const file = await files.create(path);
        await this.#handles.forget(path);
        return file;
      },
      remove: async (path) => {
        await files.remove(path);
        await this.#handles.forget(path);
      },
      list: (path) => files.list(path),
      makeDirectory: (path) => files.makeDirectory(path),
      syncDirectory: (path) => files.syncDirectory(path),
    };
  }

  #path(journal: JournalId, segment: Sequence): string {
    return `${this.directoryOf(journal)}/${segmentFileName(segment)}`;
  }

  /** Undefined when the segment was removed meanwhile. */
  async #look(path: string, segment: Sequence): Promise<SegmentInfo | undefined> {
    const known = this.#sealed.get(path);
    if (known !== undefined) return known;
    let info: SegmentInfo;
    // A segment whose beginning failed is removed and begun again under its name: only one that is opened now is sure to be it.
    await this.#handles.forget(path);
    try {
      info = await this.#handles.with(path, async (file) => {
        const sizeBytes = await file.sizeBytes();
        try {
          const { tail } = await readSegmentEnds((target, position) => file.read(target, position), sizeBytes);
          if (tail !== undefined) return { segment, lastSequence: tail.lastSequence, sealed: true, sizeBytes };
        } catch (error) {
          // A segment that is being created has no whole head yet; reading a damaged one says so.
          if (!(error instanceof FormatError)) throw error;
        }
        return { segment, sealed: false, sizeBytes };
      });
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    if (info.sealed) this.#sealed.set(path, info);
    return info;
  }
}

class LocalAppender implements SegmentAppender {
  readonly #log: SegmentLog;
  readonly #closed: () => void;

  constructor(log: SegmentLog, closed: () => void) {
    this.#log = log;
    this.#closed = closed;
  }

  get end(): JournalEnd {
    return this.#log.end;
  }

  get durableThrough(): Sequence {
    return this.#log.durableThrough;
  }

  get damage(): readonly Damage[] {
    return this.#log.damage;
  }

  get usable(): boolean {
    return this.#log.usable;
  }

  append(frame: Frame): Promise<FrameLocation> {
    return this.#log.append(frame);
  }

  sync(): Promise<Sequence> {
    return this.#log.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#log.close();
    } finally {
      this.#closed();
    }
  }
}

async function orNone<T>(entries: Promise<T[]>): Promise<T[]> {
  try {
    return await entries;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
