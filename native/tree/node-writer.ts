/** Makes what is neither file nor directory: symbolic links, special nodes, and further names of nodes. */
import { errorCode } from '../host/directory-error.js';
import type { Directory } from '../host/directory.js';
import type { DirectoryCache } from './directory-cache.js';
import { entryState, type EntryTable } from './entry-table.js';
import type { MetadataWriter } from './metadata.js';
import { draftName } from './prepare.js';
import { cannotExist, type Report } from './report.js';

const copyBytes = 1024 * 1024;

export class NodeWriter {
  readonly #table: EntryTable;
  readonly #directories: DirectoryCache;
  readonly #metadata: MetadataWriter;
  readonly #report: Report;
  readonly #dryRun: boolean;

  constructor(options: { readonly table: EntryTable; readonly directories: DirectoryCache; readonly metadata: MetadataWriter; readonly report: Report; readonly dryRun: boolean }) {
    this.#table = options.table;
    this.#directories = options.directories;
    this.#metadata = options.metadata;
    this.#report = options.report;
    this.#dryRun = options.dryRun;
  }

  /** A symbolic link, fifo, socket or device, with its metadata. */
  async make(index: number): Promise<void> {
    await this.#put(index, async (directory, name) => this.#makeNode(index, directory, name), true);
  }

  /** A further name, once the node it names is complete. */
  async link(index: number): Promise<void> {
    const first = this.#table.linkOf(index)!;
    if (this.#table.state(first) === entryState.skip) return this.#give(index, 'the file it is a further name of is not restored');
    if (this.#table.state(index) === entryState.keep) {
      this.#report.unchanged += 1;
      return this.#report.entryDone();
    }
    await this.#put(index, (directory, name) => this.#directories.useParent(first, (from, fromName) => this.#linkOrCopy(index, { from, fromName, directory, name })), false);
  }

  async #put(index: number, make: (directory: Directory, name: Buffer) => Promise<void>, withMetadata: boolean): Promise<void> {
    const state = this.#table.state(index);
    const path = this.#table.path(index);
    if (this.#dryRun && state !== entryState.reuse) {
      (state === entryState.create ? this.#report.created : this.#report.changed).add(path);
      return this.#report.entryDone();
    }
    try {
      await this.#directories.useParent(index, async (directory, name) => {
        if (state === entryState.reuse) {
          if (await this.#metadata.apply(index, directory, name)) this.#report.changed.add(path);
          else this.#report.unchanged += 1;
        } else if (state === entryState.create) {
          await make(directory, name);
          if (withMetadata) await this.#metadata.apply(index, directory, name);
          this.#report.created.add(path);
        } else {
          const draft = draftName(this.#table, this.#table.parent(index), name);
          if ((await directory.lookup(draft)) !== undefined) await directory.unlink(draft);
          await make(directory, draft);
          if (withMetadata) await this.#metadata.apply(index, directory, draft);
          await directory.rename(draft, directory, name);
          this.#report.changed.add(path);
        }
      });
    } catch (error) {
      const code = errorCode(error);
      const problem = code === 'EPERM' || code === 'ENOTSUP' || code === 'EACCES' ? `a ${this.#table.kind(index)} may not be made here (${code})` : cannotExist(code);
      if (problem === undefined) throw error;
      return this.#give(index, problem);
    }
    this.#report.entryDone();
  }

  #give(index: number, problem: string): void {
    this.#table.setState(index, entryState.skip);
    this.#report.notRepresented.add(problem, this.#table.path(index));
    this.#report.entryDone();
  }

  #makeNode(index: number, directory: Directory, name: Buffer): Promise<void> {
    const kind = this.#table.kind(index);
    if (kind === 'symlink') return directory.makeSymlink(name, this.#table.target(index));
    if (kind === 'file' || kind === 'directory') throw new RangeError(`entry ${index} is a ${kind}`);
    const { major, minor } = this.#table.device(index);
    return directory.makeSpecial(name, { kind, mode: 0o600, deviceMajor: major, deviceMinor: minor });
  }

  async #linkOrCopy(index: number, link: { from: Directory; fromName: Buffer; directory: Directory; name: Buffer }): Promise<void> {
    try {
      await link.from.link(link.fromName, link.directory, link.name);
    } catch (error) {
      const code = errorCode(error);
      const canCopy = this.#table.kind(index) === 'file' && (code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK' || code === 'EXDEV');
      if (!canCopy) throw error;
      // Better twice the space than a file that is missing.
      this.#report.skipped.add(`a hard link cannot be made here (${code}): the file is there twice`, this.#table.path(index));
      await copyFile(link);
      await this.#metadata.apply(index, link.directory, link.name);
    }
  }
}

async function copyFile({ from, fromName, directory, name }: { from: Directory; fromName: Buffer; directory: Directory; name: Buffer }): Promise<void> {
  const source = await from.openFile(fromName, 'read');
  try {
    const target = await directory.createFile(name);
    try {
      const { size } = await source.stat();
      await target.truncate(size);
      const buffer = Buffer.allocUnsafe(copyBytes);
      for (let span = await source.nextData(0); span !== undefined; span = await source.nextData(span.offset + span.length)) {
        for (let at = span.offset; at < span.offset + span.length; ) {
          const got = await source.read(buffer.subarray(0, Math.min(copyBytes, span.offset + span.length - at)), at);
          if (got === 0) break;
          await target.write(buffer.subarray(0, got), at);
          at += got;
        }
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
