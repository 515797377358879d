/** An open regular file: reads and writes by node:fs, holes by the addon. */
import { fdatasync, fstat, ftruncate, read, write, writeSync } from 'node:fs';
import type { NativeAddon } from './addon.js';
import { OpenDescriptor } from './descriptor.js';
import { directoryError } from './directory-error.js';
import type { ByteSpan, EntryStat, TreeFile } from './directory.js';
import { NODE_RECORD_BYTES, STAT_RECORD_BYTES, decodeNodeStat, decodeStat } from './stat-record.js';
import { writeZeroes } from './zeroes.js';

type Done = (error: NodeJS.ErrnoException | null) => void;

function settled(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}

function readSome(fd: number, target: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, 0, target.byteLength, position, (error, got) => (error ? reject(error) : resolve(got)));
  });
}

function writeSome(fd: number, source: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, source, 0, source.byteLength, position, (error, put) => (error ? reject(error) : resolve(put)));
  });
}

/** The same by this thread: a small write to the page cache takes less time than handing it to another. */
function writeHere(fd: number, source: Uint8Array, position: number): number {
  return writeSync(fd, source, 0, source.byteLength, position);
}

async function writeAll(fd: number, source: Uint8Array, position: number, some: typeof writeSome | typeof writeHere = writeSome): Promise<void> {
  let put = 0;
  while (put < source.byteLength) {
    const more = await some(fd, source.subarray(put), position + put);
    // A write of no bytes would repeat for ever.
    if (more === 0) throw directoryError('EIO', 'write');
    put += more;
  }
}

/** What an opener gives. */
export interface SystemOptions {
  /** Stats of directories and files tell who each inode is, at a few more system calls. */
  readonly handled: boolean;
  /** Writes are done by the calling thread, which has nothing else to do while one waits for the disk. */
  readonly blocking?: boolean;
}

export class SystemFile implements TreeFile {
  readonly #addon: NativeAddon;
  readonly #descriptor: OpenDescriptor;
  readonly #handled: boolean;
  readonly #writeSome: typeof writeSome | typeof writeHere;

  /** Takes over `fd`. */
  constructor(addon: NativeAddon, fd: number, options: SystemOptions) {
    this.#addon = addon;
    this.#handled = options.handled;
    this.#writeSome = options.blocking === true ? writeHere : writeSome;
    this.#descriptor = new OpenDescriptor(addon, fd, { closeQuickly: false });
  }

  async stat(): Promise<EntryStat> {
    const record = Buffer.alloc(this.#handled ? NODE_RECORD_BYTES : STAT_RECORD_BYTES);
    if (this.#handled) {
      this.#addon.statNode(this.#descriptor.number(), undefined, record);
      return decodeNodeStat(record);
    }
    this.#addon.stat(this.#descriptor.number(), undefined, record);
    return decodeStat(record);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#descriptor.use(async (fd) => {
      let got = 0;
      while (got < target.byteLength) {
        const more = await readSome(fd, target.subarray(got), position + got);
        if (more === 0) break;
        got += more;
      }
      return got;
    });
  }

  write(source: Uint8Array, position: number): Promise<void> {
    return this.#descriptor.use((fd) => writeAll(fd, source, position, this.#writeSome));
  }

  truncate(size: number): Promise<void> {
    return this.#descriptor.use((fd) => settled((done) => ftruncate(fd, size, done)));
  }

  punch(span: ByteSpan): Promise<void> {
    return this.#descriptor.use(async (fd) => {
      if (span.length === 0) return;
      if (await this.#addon.punch(fd, span.offset, span.length)) return;
      const size = await new Promise<number>((resolve, reject) => {
        fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)));
      });
      await writeZeroes((source, position) => writeAll(fd, source, position), span, size);
    });
  }

  async nextData(offset: number): Promise<ByteSpan | undefined> {
    const found = this.#addon.nextData(this.#descriptor.number(), offset);
    if (found === undefined) return undefined;
    const [start, end] = found;
    return { offset: start, length: end - start };
  }

  datasync(): Promise<void> {
    return this.#descriptor.use((fd) => settled((done) => fdatasync(fd, done)));
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }
}
