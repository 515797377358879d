/** Gives an entry its owner, extended attributes, mode and times, where they are not so already. */
import { errorCode } from '../host/directory-error.js';
import type { Directory, EntryStat } from '../host/directory.js';
import type { EntryTable } from './entry-table.js';
import type { Report } from './report.js';

/** Attributes that are part of a tree's content. Others (labels of a security policy) belong to the machine. */
const ownXattrs = /^(?:user\.|trusted\.|system\.posix_acl_|security\.capability$)/;
const setIdBits = 0o6000;

export class MetadataWriter {
  readonly #table: EntryTable;
  readonly #report: Report;
  readonly #setOwner: boolean;
  readonly #dryRun: boolean;

  constructor(options: { readonly table: EntryTable; readonly report: Report; readonly setOwner: boolean; readonly dryRun: boolean }) {
    this.#table = options.table;
    this.#report = options.report;
    this.#setOwner = options.setOwner;
    this.#dryRun = options.dryRun;
  }

  /**
   * Brings entry `index`, found as `name` of `directory` (undefined: the directory itself), to its
   * metadata. Tells whether anything had to change. What is refused is reported, not thrown.
   */
  async apply(index: number, directory: Directory, name: Buffer | undefined): Promise<boolean> {
    const stat = name === undefined ? await directory.stat() : await directory.lookup(name);
    if (stat === undefined) throw Object.assign(new Error(`ENOENT: vanished during the restore: ${this.#table.path(index).join('/')}`), { code: 'ENOENT' });
    const wanted = this.#table.metadata(index);
    // Owner first: changing it clears set-id bits and capabilities.
    const owner = await this.#applyOwner(index, directory, name, stat);
    const xattrs = await this.#applyXattrs(index, directory, name);
    let changed = owner.changed || xattrs;
    if (stat.kind !== 'symlink') {
      // A set-id program of another owner would be a different thing than the one captured.
      const mode = owner.isRight ? wanted.mode : wanted.mode & ~setIdBits;
      if (mode !== wanted.mode) this.#report.skipped.add('set-id bits are left out where the owner could not be set', this.#table.path(index));
      if (mode !== stat.mode || changed) {
        const differs = mode !== stat.mode;
        if (await this.#try(index, 'mode', () => directory.setOwnerAndMode(name, { mode }))) changed ||= differs;
      }
    }
    if (stat.modifyNs !== wanted.modifyNs && (await this.#try(index, 'modification time', () => directory.setTimes(name, { modifyNs: wanted.modifyNs })))) changed = true;
    return changed;
  }

  async #applyOwner(index: number, directory: Directory, name: Buffer | undefined, stat: EntryStat): Promise<{ isRight: boolean; changed: boolean }> {
    const { uid, gid } = this.#table.metadata(index);
    if (stat.uid === uid && stat.gid === gid) return { isRight: true, changed: false };
    if (!this.#setOwner) {
      this.#report.skipped.add('the owner is not set: only root may', this.#table.path(index));
      return { isRight: false, changed: false };
    }
    const done = await this.#try(index, 'owner', () => directory.setOwnerAndMode(name, { uid, gid }));
    return { isRight: done, changed: done };
  }

  async #applyXattrs(index: number, directory: Directory, name: Buffer | undefined): Promise<boolean> {
    const wanted = this.#table.xattrs(index);
    let found: ReadonlyMap<string, Buffer>;
    try {
      found = await directory.xattrs(name);
    } catch {
      found = new Map();
    }
    let changed = false;
    for (const key of found.keys()) {
      if (!ownXattrs.test(key) || wanted.has(key)) continue;
      if (await this.#try(index, `extended attribute ${key}, which is to go,`, () => directory.removeXattr(name, key))) changed = true;
    }
    for (const [key, value] of wanted) {
      if (found.get(key)?.equals(value) === true) continue;
      if (await this.#try(index, `extended attribute ${key}`, () => directory.setXattr(name, key, value))) changed = true;
    }
    return changed;
  }

  /** A refusal is reported; an error that says the disk is failing or full is thrown. */
  async #try(index: number, what: string, run: () => Promise<void>): Promise<boolean> {
    if (this.#dryRun) return true;
    try {
      await run();
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined || code === 'EIO' || code === 'EROFS') throw error;
      this.#report.skipped.add(`${what} is refused here (${code})`, this.#table.path(index));
      return false;
    }
  }
}
