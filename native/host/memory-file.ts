/** Open handles on the inodes of an in-memory tree, and the one for files. */
import { directoryError } from './directory-error.js';
import type { ByteSpan, EntryStat, TreeFile } from './directory.js';
import { memoryStat, type MemoryInode } from './memory-inode.js';
import type { MemoryRules } from './memory-rules.js';

/** What files and directories have in common: they can be closed, and outlived by a restore of the tree. */
export class MemoryHandle {
  readonly #rules: MemoryRules;
  readonly #inode: MemoryInode;
  readonly #generation: number;
  #closed = false;

  constructor(rules: MemoryRules, inode: MemoryInode) {
    this.#rules = rules;
    this.#inode = inode;
    this.#generation = rules.generation;
  }

  get rules(): MemoryRules {
    return this.#rules;
  }

  inode(): MemoryInode {
    if (this.#closed) throw directoryError('EBADF', 'use after close');
    if (this.#generation !== this.#rules.generation) throw directoryError('ESTALE', 'use after restore');
    return this.#inode;
  }

  /** The inode, once the simulation has let the operation pass; what follows must not wait. */
  async change(operation: string): Promise<MemoryInode> {
    this.inode();
    await this.#rules.announce(operation);
    // The simulation may have restored the tree meanwhile.
    return this.inode();
  }

  close(): void {
    this.#closed = true;
  }
}

export class MemoryFile implements TreeFile {
  readonly #handle: MemoryHandle;
  readonly #writable: boolean;

  constructor(rules: MemoryRules, inode: MemoryInode, writable: boolean) {
    this.#handle = new MemoryHandle(rules, inode);
    this.#writable = writable;
  }

  async stat(): Promise<EntryStat> {
    return memoryStat(this.#handle.inode());
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.#handle.inode().content.read(target, position);
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    const inode = await this.#change('write', 'EBADF');
    inode.content.write(source, position);
    inode.modifyNs = inode.changeNs = this.#handle.rules.now();
  }

  async truncate(size: number): Promise<void> {
    const inode = await this.#change('truncate', 'EINVAL');
    inode.content.truncate(size);
    inode.modifyNs = inode.changeNs = this.#handle.rules.now();
  }

  async punch(span: ByteSpan): Promise<void> {
    const inode = await this.#change('punch', 'EBADF');
    inode.content.punch(span);
    inode.modifyNs = inode.changeNs = this.#handle.rules.now();
  }

  async nextData(offset: number): Promise<ByteSpan | undefined> {
    return this.#handle.inode().content.nextData(offset);
  }

  async datasync(): Promise<void> {
    await this.#handle.change('datasync');
  }

  async close(): Promise<void> {
    this.#handle.close();
  }

  #change(operation: string, codeForReaders: string): Promise<MemoryInode> {
    if (!this.#writable) throw directoryError(codeForReaders, operation);
    return this.#handle.change(operation);
  }
}
