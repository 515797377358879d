/** A block device that an image is written to: opened for nobody else, and only when nothing of it is in use. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode } from '../host/directory-error.js';
import type { ByteSpan } from '../host/directory.js';
import { splitDevice } from '../host/device-number.js';
import { readFully } from '../host/read-fully.js';
import { writeZeroes } from '../host/zeroes.js';
import { loadNative } from '../index.js';
import { TreeRestoreError } from '../tree/items.js';
import { deviceFacts, type DeviceFacts } from './device-use.js';
import type { ImageTarget } from './image-target.js';
import { systemPrograms } from './system-programs.js';

/** What devices zero is aligned to this; no logical block is larger. */
const blockBytes = 4096;
const tableBytes = 4096 + 8;

export interface BlockDeviceOptions {
  readonly target: string;
  /** The device whose content may be lost, as the user named it; a dry run needs none. */
  readonly overwrite: string | undefined;
  readonly dryRun: boolean;
}

/** Throws TreeRestoreError when the device may not be written to. Nothing is written yet. */
export async function openBlockDevice({ target, overwrite, dryRun }: BlockDeviceOptions): Promise<ImageTarget> {
  if (process.platform !== 'linux') throw new TreeRestoreError('request', `${target} is a block device, and onto one can be restored on Linux only; restore to a file`);
  const path = await realpath(target);
  const number = splitDevice((await stat(path)).rdev);
  const known = `${target} is the block device ${path === target ? '' : `${path}, `}${number.major}:${number.minor}`;
  await checkConsent({ path, known, overwrite, dryRun });
  const facts = await deviceFacts(number);
  if (facts.uses.length > 0) throw new TreeRestoreError('target', `${path} is in use: ${facts.uses.join('; ')}`);
  if (facts.isReadOnly && !dryRun) throw new TreeRestoreError('target', `${path} is read-only`);
  let handle: FileHandle;
  try {
    // Exclusive: the kernel refuses while anything else has the device to itself, and keeps others off meanwhile.
    handle = await open(path, (dryRun ? constants.O_RDONLY : constants.O_RDWR) | constants.O_EXCL);
  } catch (cause) {
    const words = new Map([['EBUSY', 'is in use, says the kernel: it is mounted (by another container perhaps), or part of something'], ['EROFS', 'is read-only'], ['EACCES', 'may not be opened by this user'], ['EPERM', 'may not be opened by this user']]);
    const said = words.get(errorCode(cause) ?? '');
    throw said === undefined ? cause : new TreeRestoreError('target', `${path} ${said}`, cause);
  }
  const opened = splitDevice((await handle.stat()).rdev);
  if (opened.major !== number.major || opened.minor !== number.minor) {
    await handle.close();
    throw new TreeRestoreError('target', `${path} became another device meanwhile`);
  }
  return new BlockDevice({ path, facts, handle, dryRun });
}

async function checkConsent({ path, known, overwrite, dryRun }: { path: string; known: string; overwrite: string | undefined; dryRun: boolean }): Promise<void> {
  if (overwrite === undefined) {
    if (dryRun) return;
    throw new TreeRestoreError('target', `${known}; what it holds would be lost. If that is meant, name it again: --yes-overwrite ${path}`);
  }
  const [wanted, named] = [await stat(path), await stat(overwrite).catch(() => undefined)];
  if (named?.isBlockDevice() === true && named.rdev === wanted.rdev) return;
  const other = named === undefined ? 'does not exist' : named.isBlockDevice() ? 'is another device' : 'is no block device';
  throw new TreeRestoreError('target', `${known}, but --yes-overwrite names ${overwrite}, which ${other}; expected --yes-overwrite ${path}`);
}

class BlockDevice implements ImageTarget {
  readonly kind = 'device';
  readonly isBlank = false;
  readonly place: string;
  readonly sizeBytes: number;
  readonly #facts: DeviceFacts;
  readonly #handle: FileHandle;
  readonly #dryRun: boolean;

  constructor({ path, facts, handle, dryRun }: { path: string; facts: DeviceFacts; handle: FileHandle; dryRun: boolean }) {
    this.place = path;
    this.sizeBytes = facts.sizeBytes;
    this.#facts = facts;
    this.#handle = handle;
    this.#dryRun = dryRun;
  }

  async begin(sizeBytes: number): Promise<void> {
    if (sizeBytes > this.sizeBytes) throw new TreeRestoreError('target', `${this.place} is too small: it has ${this.sizeBytes} bytes, the image has ${sizeBytes}`);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return readFully(this.#handle, target, position);
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < source.byteLength; ) {
      const { bytesWritten } = await this.#handle.write(source, done, source.byteLength - done, position + done);
      if (bytesWritten === 0) throw new Error(`write ${this.place}: nothing was written at ${position + done}`);
      done += bytesWritten;
    }
  }

  /** The device itself zeroes whole blocks where it can do so at once; everything else is written. */
  async zero({ offset, length }: ByteSpan): Promise<void> {
    const end = offset + length;
    const [from, to] = [Math.ceil(offset / blockBytes) * blockBytes, Math.floor(end / blockBytes) * blockBytes];
    if (to <= from || !(await this.#zeroBlocks({ offset: from, length: to - from }))) return this.#writeZeroes({ offset, length });
    await this.#writeZeroes({ offset, length: from - offset });
    await this.#writeZeroes({ offset: to, length: end - to });
  }

  async nextData(offset: number): Promise<ByteSpan | undefined> {
    return offset < this.sizeBytes ? { offset, length: this.sizeBytes - offset } : undefined;
  }

  async finish({ sync }: { readonly sync: boolean }): Promise<readonly string[]> {
    const hadPartitions = this.#facts.partitions.length > 0;
    const isPartitioned = !this.#dryRun && !this.#facts.isPartition && (await this.#holdsPartitions());
    if (sync && !this.#dryRun) await this.#handle.sync();
    await this.#handle.close();
    return !this.#dryRun && (isPartitioned || hadPartitions) ? [await this.#rereadPartitions()] : [];
  }

  async abandon(): Promise<void> {
    await this.#handle.close();
  }

  /** False where the device cannot. */
  async #zeroBlocks(span: ByteSpan): Promise<boolean> {
    try {
      return (await loadNative()?.punch(this.#handle.fd, span.offset, span.length)) ?? false;
    } catch (error) {
      if (errorCode(error) === 'EINVAL') return false;
      throw error;
    }
  }

  #writeZeroes(span: ByteSpan): Promise<void> {
    return writeZeroes((source, position) => this.write(source, position), span, span.offset + span.length);
  }

  /** Both kinds of tables begin with the mark of a boot sector; so do some file systems, which costs no more than a look. */
  async #holdsPartitions(): Promise<boolean> {
    const start = Buffer.alloc(tableBytes);
    await this.read(start, 0);
    return start.readUInt16LE(510) === 0xaa55 || [512, 4096].some((at) => start.toString('latin1', at, at + 8) === 'EFI PART');
  }

  async #rereadPartitions(): Promise<string> {
    try {
      await promisify(execFile)('blockdev', ['--rereadpt', this.place], systemPrograms);
      return `the partition table of ${this.place} was read again`;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      return `the kernel has not read the partition table of ${this.place} again (${(stderr ?? '').trim() || message}); its partitions may show as they were until it is connected anew`;
    }
  }
}
