/** Writes the content of files as it comes, in any order; in place only the bytes that differ. */
import { errorCode } from '../host/directory-error.js';
import type { Directory, TreeFile } from '../host/directory.js';
import type { DirectoryCache } from './directory-cache.js';
import { entryState, type EntryTable } from './entry-table.js';
import type { FlagWriter } from './flag-writer.js';
import { HandleCache } from './handle-cache.js';
import { differingSpans, holeData } from './in-place.js';
import { TreeRestoreError, type TreePiece } from './items.js';
import type { MetadataWriter } from './metadata.js';
import { displayComponents } from './notes.js';
import { draftName } from './prepare.js';
import type { RangeSet } from './range-set.js';
import { cannotExist, type Report } from './report.js';

const openFilesMax = 256;
const nothing = async (): Promise<void> => undefined;

/** A file whose data is still coming. */
interface ActiveFile {
  readonly index: number;
  readonly remaining: RangeSet | undefined;
  /** Its data reaches from start to end: it has no holes. */
  readonly isWhole: boolean;
  /** Creates or opens it; done once, before its first write. */
  begun: Promise<void> | undefined;
  /** Its name on disk while it is being written, when it is to replace something. */
  draft: Buffer | undefined;
  pending: number;
  changed: boolean;
}

interface FileWriterOptions {
  readonly table: EntryTable;
  readonly directories: DirectoryCache;
  readonly metadata: MetadataWriter;
  readonly flags: FlagWriter;
  readonly report: Report;
  readonly dryRun: boolean;
}

export class FileWriter {
  readonly #table: EntryTable;
  readonly #directories: DirectoryCache;
  readonly #metadata: MetadataWriter;
  readonly #flags: FlagWriter;
  readonly #report: Report;
  readonly #dryRun: boolean;
  readonly #active = new Map<number, ActiveFile>();
  /** By entry: even keys opened for reading, odd ones for writing. */
  readonly #handles = new HandleCache<TreeFile>(openFilesMax);

  constructor(options: FileWriterOptions) {
    this.#table = options.table;
    this.#directories = options.directories;
    this.#metadata = options.metadata;
    this.#flags = options.flags;
    this.#report = options.report;
    this.#dryRun = options.dryRun;
  }

  /** Brings a file that has no data at all to its size. */
  async writeEmpty(index: number): Promise<void> {
    const file: ActiveFile = { index, remaining: undefined, isWhole: false, begun: undefined, draft: undefined, pending: 0, changed: false };
    this.#active.set(index, file);
    await this.#begin(file);
    await this.#finish(file);
  }

  /** Checks a piece and notes that it came; the returned write is to be run with others. Throws TreeRestoreError. */
  take(piece: TreePiece): () => Promise<void> {
    const { index, offset, data } = piece;
    const refuse = (fault: string): never => {
      throw new TreeRestoreError('invalid', `piece of entry ${index} at ${offset}, ${data.byteLength} bytes: ${fault}`);
    };
    if (!(Number.isInteger(index) && index >= 0 && index < this.#table.count)) refuse('no such entry');
    let file = this.#active.get(index);
    if (file === undefined) {
      const remaining = this.#table.takeData(index);
      if (remaining === undefined) return refuse('the entry takes no data, or has all of it');
      file = { index, remaining, isWhole: remaining.bytes === this.#table.size(index), begun: undefined, draft: undefined, pending: 0, changed: false };
      this.#active.set(index, file);
    }
    if (file.remaining?.remove(offset, data.byteLength) !== true) refuse('outside of the ranges that hold data, or sent twice');
    file.pending += 1;
    const taken = file;
    return async () => {
      await (taken.begun ??= this.#begin(taken));
      await this.#write(taken, offset, data);
      taken.pending -= 1;
      if (taken.pending === 0 && taken.remaining?.bytes === 0) await this.#finish(taken);
    };
  }

  /** The first file that did not get all its data. */
  incomplete(): number | undefined {
    for (const { index } of this.#active.values()) return index;
    return this.#table.firstUntaken();
  }

  /** After a failure: takes away what would only be in the way. */
  async abandon(): Promise<void> {
    await this.close();
    for (const { index, draft } of this.#active.values()) {
      if (draft === undefined) continue;
      // It may be the very disk that fails; a later restore in place clears it away too.
      await this.#directories.useParent(index, (directory) => directory.unlink(draft)).catch(nothing);
    }
  }

  async close(): Promise<void> {
    await this.#handles.closeAll();
  }

  async #begin(file: ActiveFile): Promise<void> {
    const { index } = file;
    switch (this.#table.state(index)) {
      case entryState.create:
        return this.#create(file, undefined);
      case entryState.replace:
        return this.#directories.useParent(index, (_directory, name) => this.#create(file, draftName(this.#table, this.#table.parent(index), name)));
      case entryState.reuse:
        return this.#reuse(file);
      default:
        return;
    }
  }

  async #create(file: ActiveFile, draft: Buffer | undefined): Promise<void> {
    const { index } = file;
    file.changed = true;
    if (this.#dryRun) return;
    const open = (): Promise<TreeFile> => this.#directories.useParent(index, async (directory, name) => {
      if (draft !== undefined && (await directory.lookup(draft)) !== undefined) await directory.unlink(draft);
      const created = await directory.createFile(draft ?? name);
      await this.#flags.begin(index, directory, draft ?? name);
      return created;
    });
    try {
      // Without holes its data brings it to its size.
      const size = file.isWhole ? 0 : this.#table.size(index);
      await this.#handles.use(writeKey(index), open, (handle) => (size === 0 ? nothing() : handle.truncate(size)));
      file.draft = draft;
    } catch (error) {
      this.#giveUp(index, error);
      if (errorCode(error) !== 'EFBIG') return;
      // Made before its size was refused: an empty file must not stand for it.
      await this.#handles.close(writeKey(index));
      await this.#directories.useParent(index, (directory, name) => directory.unlink(draft ?? name)).catch(nothing);
    }
  }

  /** Leaves out a file that cannot exist here; throws when the error says something else. */
  #giveUp(index: number, error: unknown): void {
    const problem = cannotExist(errorCode(error));
    if (problem === undefined || index === 0) throw about(error, this.#table.path(index));
    this.#table.setState(index, entryState.skip);
    this.#report.notRepresented.add(problem, this.#table.path(index));
  }

  /** An existing file: its size, and that its holes hold nothing. */
  async #reuse(file: ActiveFile): Promise<void> {
    const { index } = file;
    const size = this.#table.size(index);
    const data = file.isWhole ? [{ offset: 0, length: size }] : this.#table.takeDeclared(index);
    await this.#read(index, async (handle) => {
      const stat = await handle.stat();
      if (stat.size !== size) {
        file.changed = true;
        if (!this.#dryRun) await this.#change(file, (writer) => writer.truncate(size)).catch((error: unknown) => this.#giveUp(index, error));
        if (this.#table.state(index) === entryState.skip) return;
      }
      for await (const span of holeData(handle, data, Math.min(size, stat.size))) {
        file.changed = true;
        if (!this.#dryRun) await this.#change(file, (writer) => writer.punch(span));
      }
    });
  }

  async #write(file: ActiveFile, offset: number, data: Buffer): Promise<void> {
    const { index } = file;
    const state = this.#table.state(index);
    if (state === entryState.skip) return;
    if (state !== entryState.reuse) {
      if (!this.#dryRun) await this.#change(file, (handle) => handle.write(data, offset));
      this.#report.bytesWritten += data.byteLength;
      return this.#report.progress();
    }
    const found = Buffer.allocUnsafe(data.byteLength);
    const got = await this.#read(index, (handle) => handle.read(found, offset));
    // In a dry run the file may still be shorter than it would be by now.
    found.fill(0, got);
    let written = 0;
    for (const span of differingSpans(found, data, offset)) {
      written += span.length;
      if (!this.#dryRun) await this.#change(file, (handle) => handle.write(data.subarray(span.offset, span.offset + span.length), offset + span.offset));
    }
    if (written > 0) file.changed = true;
    this.#report.bytesWritten += written;
    this.#report.bytesEqual += data.byteLength - written;
    this.#report.progress();
  }

  async #finish(file: ActiveFile): Promise<void> {
    const { index } = file;
    await Promise.all([this.#handles.close(readKey(index)), this.#handles.close(writeKey(index))]);
    this.#active.delete(index);
    const state = this.#table.state(index);
    if (state !== entryState.skip) {
      const isNew = state === entryState.create;
      if (!(this.#dryRun && state !== entryState.reuse)) {
        const changed = await this.#directories.useParent(index, async (directory, name) => {
          const isOther = await this.#metadata.apply(index, directory, file.draft ?? name);
          if (file.draft !== undefined) await directory.rename(file.draft, directory, name);
          return isOther;
        });
        file.changed ||= changed;
      }
      if (isNew) this.#report.created.add(this.#table.path(index));
      else if (file.changed) this.#report.changed.add(this.#table.path(index));
      else this.#report.unchanged += 1;
    }
    this.#report.entryDone();
  }

  #read<Result>(index: number, use: (handle: TreeFile) => Promise<Result>): Promise<Result> {
    return this.#handles.use(readKey(index), () => this.#open(index, undefined, 'read'), use);
  }

  #change<Result>(file: ActiveFile, use: (handle: TreeFile) => Promise<Result>): Promise<Result> {
    return this.#handles.use(writeKey(file.index), () => this.#open(file.index, file.draft, 'write'), use);
  }

  #open(index: number, draft: Buffer | undefined, mode: 'read' | 'write'): Promise<TreeFile> {
    return this.#directories.useParent(index, async (directory: Directory, name) => {
      const at = draft ?? name;
      try {
        return await directory.openFile(at, mode);
      } catch (error) {
        if (errorCode(error) !== 'EACCES' || this.#dryRun) throw about(error, this.#table.path(index));
        // An ordinary user's own file that he may not write; its mode is set at the end anyway.
        await directory.setOwnerAndMode(at, { mode: 0o600 });
        return directory.openFile(at, mode);
      }
    });
  }
}

const readKey = (index: number): number => index * 2;
const writeKey = (index: number): number => index * 2 + 1;

/** Adds the path to what the system says. */
function about(error: unknown, path: readonly string[]): unknown {
  if (!(error instanceof Error)) return error;
  return Object.assign(new Error(`restore ${displayComponents(path)}: ${error.message}`, { cause: error }), { code: errorCode(error) });
}
