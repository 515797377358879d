/** An open regular file through node:fs alone: no knowledge of holes. */
import type { FileHandle } from 'node:fs/promises';
import { directoryError } from './directory-error.js';
import type { ByteSpan, EntryStat, TreeFile } from './directory.js';
import { plainStat } from './plain-stat.js';
import { readFully } from './read-fully.js';
import { writeZeroes } from './zeroes.js';

export class PlainFile implements TreeFile {
  readonly #handle: FileHandle;

  /** Takes over `handle`. */
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async stat(): Promise<EntryStat> {
    return plainStat(await this.#handle.stat({ bigint: true }));
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return readFully(this.#handle, target, position);
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    let put = 0;
    while (put < source.byteLength) {
      const { bytesWritten } = await this.#handle.write(source, put, source.byteLength - put, position + put);
      // A write of no bytes would repeat for ever.
      if (bytesWritten === 0) throw directoryError('EIO', 'write');
      put += bytesWritten;
    }
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  async punch(span: ByteSpan): Promise<void> {
    const { size } = await this.stat();
    await writeZeroes((source, position) => this.write(source, position), span, size);
  }

  async nextData(offset: number): Promise<ByteSpan | undefined> {
    const { size } = await this.stat();
    return offset < size ? { offset, length: size - offset } : undefined;
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
