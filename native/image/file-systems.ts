/** Which file systems an image holds: one over all of it, or one in each of some partitions. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { errorCode } from '../host/directory-error.js';
import { TreeRestoreError } from '../tree/items.js';
import { systemPrograms } from './system-programs.js';

const run = promisify(execFile);
/** What partition tables count in. */
const sectorBytes = 512;
const partitionsMax = 256;

/**
 * Kinds that are mounted, with what mount must be told beside the usual. Few on purpose: an image may
 * be hostile, and rarely used file systems of the kernel are those that are least prepared for that.
 */
const mountOptions: Readonly<Record<string, readonly string[]>> = {
  // An image can ask for a panic of the kernel at the first error in it.
  ext2: ['errors=remount-ro'],
  ext3: ['errors=remount-ro'],
  ext4: ['errors=remount-ro'],
  vfat: ['errors=remount-ro'],
  exfat: ['errors=remount-ro'],
  // The source of the image may be mounted on this very machine.
  xfs: ['nouuid'],
  btrfs: [],
};
export const mountableKinds: readonly string[] = Object.keys(mountOptions);

export interface ImageFileSystem {
  /** Number in the partition table; undefined for one over all of the image. */
  readonly partition: number | undefined;
  readonly offset: number;
  readonly length: number;
  /** As blkid calls it; empty where it knows none. */
  readonly kind: string;
}

export function optionsFor(kind: string): readonly string[] | undefined {
  return mountOptions[kind];
}

/** What is found in an image, those that cannot be mounted included. */
export async function fileSystemsIn(image: string, sizeBytes: number): Promise<ImageFileSystem[]> {
  const whole = { partition: undefined, offset: 0, length: sizeBytes };
  const kind = await kindAt(image, whole);
  if (kind !== '') return [{ ...whole, kind }];
  const found: ImageFileSystem[] = [];
  for (const partition of await partitionsOf(image, sizeBytes)) found.push({ ...partition, kind: await kindAt(image, partition) });
  return found;
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

async function kindAt(image: string, { offset, length }: Place): Promise<string> {
  try {
    const { stdout } = await run('blkid', ['--probe', '--offset', String(offset), '--size', String(length), '--match-tag', 'TYPE', '--output', 'value', image], systemPrograms);
    return stdout.trim();
  } catch (error) {
    // 2: nothing that it knows; 8: several things at once, of which none may be believed.
    const { code } = error as { code?: unknown };
    if (code === 2 || code === 8) return '';
    throw programError('blkid', error);
  }
}

async function partitionsOf(image: string, sizeBytes: number): Promise<(Place & { readonly partition: number })[]> {
  let stdout: string;
  try {
    ({ stdout } = await run('partx', ['--raw', '--noheadings', '--output', 'NR,START,SECTORS', image], systemPrograms));
  } catch (error) {
    if (/failed to read partition table/.test((error as { stderr?: string }).stderr ?? '')) return [];
    throw programError('partx', error);
  }
  return stdout
    .split('\n')
    .flatMap((line) => {
      const [partition, start, sectors] = line.trim().split(/\s+/).map(Number);
      return partition === undefined || start === undefined || sectors === undefined ? [] : [{ partition, offset: start * sectorBytes, length: sectors * sectorBytes }];
    })
    // Two sectors: an extended partition, which only holds others.
    .filter(({ partition, offset, length }) => Number.isSafeInteger(partition) && length > 2 * sectorBytes && offset + length <= sizeBytes)
    .slice(0, partitionsMax);
}

/** A program that looks into the image, or mounts it, has failed. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** A failed program in words: what it said itself, or that it is missing. */
export function programError(program: string, error: unknown): Error {
  if (errorCode(error) === 'ENOENT') return new TreeRestoreError('request', `${program} is not installed (on Debian and Ubuntu: apt-get install util-linux mount)`, error);
  const { stderr, message } = error as Error & { stderr?: string };
  return new MountError(`${program}: ${(stderr ?? '').trim() || message}`, { cause: error });
}

/** The file system that is asked for, or the only one that can be mounted. Throws TreeRestoreError with all that there are. */
export function chooseFileSystem(found: readonly ImageFileSystem[], partition: number | undefined): ImageFileSystem {
  const mountable = found.filter(({ kind }) => optionsFor(kind) !== undefined);
  const refuse = (fault: string): never => {
    throw new TreeRestoreError('request', `${fault}; ${found.length === 0 ? 'the image holds neither a file system nor partitions that are known' : `the image holds ${found.map(describe).join(', ')}`}`);
  };
  if (partition !== undefined) {
    const asked = found.find((one) => one.partition === partition);
    if (asked === undefined) return refuse(`there is no partition ${partition}`);
    return optionsFor(asked.kind) === undefined ? refuse(`partition ${partition} cannot be mounted, only ${mountableKinds.join(', ')}`) : asked;
  }
  if (mountable.length === 0) return refuse(`no file system can be mounted, only ${mountableKinds.join(', ')}`);
  return mountable.length === 1 ? mountable[0]! : refuse('say which one with --partition');
}

function describe({ partition, kind, length }: ImageFileSystem): string {
  return `${partition === undefined ? 'on all of it' : `partition ${partition}:`} ${kind === '' ? 'unknown content' : kind} (${length} bytes)`;
}
