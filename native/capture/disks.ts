/** Block devices as the kernel's capture sees them: a range of a whole disk's bytes (sysfs, Linux). */
import { constants } from 'node:fs';
import { open, readFile, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decodeDevice, encodeDevice, splitDevice, type DeviceNumber } from '../host/device-number.js';
import { readFully } from '../host/read-fully.js';
import { mountOf } from './mounts.js';
import { alignedBuffer } from './stream.js';

/** Sysfs counts in these, whatever the device's own are. */
const sectorBytes = 512;

export interface DiskPart {
  /** Device numbers as records carry them; the same for a whole disk. */
  readonly device: number;
  readonly disk: number;
  /** Where it lies on the disk. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** What the kernel calls it, e.g. `sda1`. */
  readonly name: string;
}

/** Where a block device lies. Throws for what is none, and for disks that are written in zones. */
export async function diskPart(path: Buffer): Promise<DiskPart> {
  const found = await stat(path, { bigint: true });
  if (!found.isBlockDevice()) throw new Error(`${path.toString()} is no block device`);
  const { part, diskDirectory } = await partOf(splitDevice(found.rdev));
  const zoned = await attribute(diskDirectory, 'queue/zoned');
  if (zoned !== undefined && zoned !== 'none') throw new Error(`${path.toString()} is written in zones (${zoned}): such disks are not captured`);
  return part;
}

/** Whether the file system that a directory is on lies on a device, as far as that has a device number of its own. */
export async function liesOn(directory: string, { device, disk, offsetBytes, sizeBytes }: DiskPart): Promise<boolean> {
  const mount = await mountOf(Buffer.from(directory));
  if (mount.device === device) return true;
  try {
    const { part } = await partOf(decodeDevice(mount.device));
    return part.disk === disk && part.offsetBytes < offsetBytes + sizeBytes && part.offsetBytes + part.sizeBytes > offsetBytes;
  } catch (error) {
    // Memory, a network, or several devices at once.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function partOf(own: DeviceNumber): Promise<{ readonly part: DiskPart; readonly diskDirectory: string }> {
  const directory = await realpath(`/sys/dev/block/${own.major}:${own.minor}`);
  const isPartition = (await attribute(directory, 'partition')) !== undefined;
  const diskDirectory = isPartition ? dirname(directory) : directory;
  const [major, minor] = (await required(diskDirectory, 'dev')).split(':').map(Number) as [number, number];
  const part = {
    device: encodeDevice(own),
    disk: encodeDevice({ major, minor }),
    offsetBytes: isPartition ? Number(await required(directory, 'start')) * sectorBytes : 0,
    sizeBytes: Number(await required(directory, 'size')) * sectorBytes,
    name: basename(directory),
  };
  return { part, diskDirectory };
}

/** Reads what is on a device, past the page cache: what is in memory only is not there yet. */
export class DiskReader implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #memory: Buffer;

  private constructor(file: FileHandle, memory: Buffer) {
    this.#file = file;
    this.#memory = memory;
  }

  /** `bytesMax`: of one read. Opened beside whoever uses it. */
  static async open(path: Buffer, bytesMax: number): Promise<DiskReader> {
    return new DiskReader(await open(path, constants.O_RDONLY | constants.O_DIRECT), alignedBuffer(bytesMax));
  }

  /**
   * [offset, offset + length), at multiples of a page but for the device's end; shorter where that comes
   * before. Valid until the next read.
   */
  async read({ offset, length }: { readonly offset: number; readonly length: number }): Promise<Buffer> {
    return this.#memory.subarray(0, await readFully(this.#file, this.#memory.subarray(0, length), offset));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

async function attribute(directory: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, name), 'latin1')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function required(directory: string, name: string): Promise<string> {
  const found = await attribute(directory, name);
  if (found === undefined) throw new Error(`${directory} has no ${name}`);
  return found;
}
