/** Gives an entry its owner, extended attributes, mode and times, where they are not so already; its inode flags at the end. */
import type { Directory, EntryStat } from '../host/directory.js';
import { flagsKey } from '../host/file-flags.js';
import { attempt, type AttemptParts } from './attempt.js';
import type { FlagWriter } from './flag-writer.js';

/** Attributes that are part of a tree's content. Others (labels of a security policy) belong to the machine. */
const ownXattrs = /^(?:user\.|trusted\.|system\.posix_acl_|security\.capability$)/;
const setIdBits = 0o6000;

export class MetadataWriter {
  readonly #parts: AttemptParts & { readonly flags: FlagWriter };
  readonly #setOwner: boolean;

  constructor(options: AttemptParts & { readonly flags: FlagWriter; readonly setOwner: boolean }) {
    this.#parts = options;
    this.#setOwner = options.setOwner;
  }

  /**
   * Brings entry `index`, found as `name` of `directory` (undefined: the directory itself), to its
   * metadata. Tells whether anything had to change. What is refused is reported, not thrown.
   */
  async apply(index: number, directory: Directory, name: Buffer | undefined): Promise<boolean> {
    const stat = name === undefined ? await directory.stat() : await directory.lookup(name);
    if (stat === undefined) throw Object.assign(new Error(`ENOENT: vanished during the restore: ${this.#parts.table.path(index).join('/')}`), { code: 'ENOENT' });
    const wanted = this.#parts.table.metadata(index);
    // Owner first: changing it clears set-id bits and capabilities.
    const owner = await this.#applyOwner(index, directory, name, stat);
    const xattrs = await this.#applyXattrs(index, directory, name);
    let changed = owner.changed || xattrs;
    if (stat.kind !== 'symlink') {
      // A set-id program of another owner would be a different thing than the one captured.
      const mode = owner.isRight ? wanted.mode : wanted.mode & ~setIdBits;
      if (mode !== wanted.mode) this.#parts.report.skipped.add('set-id bits are left out where the owner could not be set', this.#parts.table.path(index));
      if (mode !== stat.mode || changed) {
        const differs = mode !== stat.mode;
        if (await this.#try(index, 'mode', () => directory.setOwnerAndMode(name, { mode }))) changed ||= differs;
      }
    }
    if (stat.modifyNs !== wanted.modifyNs && (await this.#try(index, 'modification time', () => directory.setTimes(name, { modifyNs: wanted.modifyNs })))) changed = true;
    return changed;
  }

  async #applyOwner(index: number, directory: Directory, name: Buffer | undefined, stat: EntryStat): Promise<{ isRight: boolean; changed: boolean }> {
    const { uid, gid } = this.#parts.table.metadata(index);
    if (stat.uid === uid && stat.gid === gid) return { isRight: true, changed: false };
    if (!this.#setOwner) {
      this.#parts.report.skipped.add('the owner is not set: only root may', this.#parts.table.path(index));
      return { isRight: false, changed: false };
    }
    const done = await this.#try(index, 'owner', () => directory.setOwnerAndMode(name, { uid, gid }));
    return { isRight: done, changed: done };
  }

  async #applyXattrs(index: number, directory: Directory, name: Buffer | undefined): Promise<boolean> {
    const wanted = this.#parts.table.xattrs(index);
    let found: ReadonlyMap<string, Buffer> = new Map();
    try {
      found = await directory.xattrs(name);
    } catch (error) {
      await this.#try(index, 'to read the extended attributes as they are', () => Promise.reject(error));
    }
    let changed = this.#parts.flags.settle(index, found.get(flagsKey));
    for (const key of found.keys()) {
      if (!ownXattrs.test(key) || wanted.has(key)) continue;
      if (await this.#try(index, `extended attribute ${key}, which is to go,`, () => directory.removeXattr(name, key))) changed = true;
    }
    for (const [key, value] of wanted) {
      if (key === flagsKey || found.get(key)?.equals(value) === true) continue;
      if (await this.#try(index, `extended attribute ${key}`, () => directory.setXattr(name, key, value))) changed = true;
    }
    return changed;
  }

  #try(index: number, what: string, run: () => Promise<void>): Promise<boolean> {
    return attempt(this.#parts, index, what, run);
  }
}
