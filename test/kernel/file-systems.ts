/** Fresh file systems of each kind on loop devices, for tests that look at what the kernel does; and why they cannot be had. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageReason } from './debian-package.js';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;

export type FileSystemKind = 'ext4' | 'xfs' | 'btrfs' | 'tmpfs';
export const fileSystemKinds: readonly FileSystemKind[] = ['ext4', 'xfs', 'btrfs', 'tmpfs'];

/** What makes each kind, and the Debian package that has it. */
const makers: Record<Exclude<FileSystemKind, 'tmpfs'>, { readonly program: string; readonly arguments: readonly string[]; readonly packageName: string; readonly sizeBytesMin: number }> = {
  ext4: { program: 'mkfs.ext4', arguments: ['-q', '-F', '-b', '4096'], packageName: 'e2fsprogs', sizeBytesMin: 16 * mebibyte },
  xfs: { program: 'mkfs.xfs', arguments: ['-q', '-f'], packageName: 'xfsprogs', sizeBytesMin: 300 * mebibyte },
  btrfs: { program: 'mkfs.btrfs', arguments: ['-q', '-f'], packageName: 'btrfs-progs', sizeBytesMin: 128 * mebibyte },
};

export interface FileSystemOptions {
  /** Of the whole file system; what is not used takes no space. */
  readonly sizeBytes?: number;
  /** Further options of mkfs, e.g. `-O ^has_journal`. */
  readonly makeOptions?: readonly string[];
  /** Further options of mount, e.g. `nodelalloc`. */
  readonly mountOptions?: readonly string[];
}

/** A mounted file system with nothing in it but what mkfs leaves there. It is gone when disposed of. */
export interface FileSystem extends AsyncDisposable {
  readonly kind: FileSystemKind;
  /** Where it is mounted. */
  readonly path: string;
  /** Unmounts and mounts again, so that nothing but what is on disk can be read. Not for tmpfs. */
  remount(): Promise<void>;
}

/** Why no file systems can be made and mounted here, or undefined where they can. */
export function mountReason(): string | undefined {
  if (process.platform !== 'linux') return 'these file systems are of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount';
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices';
  return undefined;
}

/** Why tests of what the kernel does must be skipped here, or undefined where they can run. */
export function kernelTestReason(): string | undefined {
  return mountReason() ?? (existsSync('/sys/kernel/btf/vmlinux') ? undefined : 'the kernel has no type information (BTF) at /sys/kernel/btf/vmlinux');
}

/** Why this kind of file system cannot be made here, or undefined where it can. Installs what makes it, if need be. */
export async function fileSystemReason(kind: FileSystemKind): Promise<string | undefined> {
  const reason = mountReason();
  if (reason !== undefined) return reason;
  if (!(await kernelHas(kind))) return `the kernel has no ${kind}`;
  return kind === 'tmpfs' ? undefined : packageReason(makers[kind].program, makers[kind].packageName);
}

async function kernelHas(kind: FileSystemKind): Promise<boolean> {
  const listed = async (): Promise<boolean> => (await readFile('/proc/filesystems', 'utf8')).split('\n').some((line) => line.split('\t')[1] === kind);
  if (await listed()) return true;
  await run('modprobe', [kind]).catch(() => undefined);
  return listed();
}

/** Mount points that are to go with the process, should it end before it disposes of them. */
const mounted = new Map<string, string>();
function unmountAll(): void {
  for (const [path, directory] of mounted) {
    spawnSync('umount', ['-l', path]);
    rmSync(directory, { recursive: true, force: true });
  }
  mounted.clear();
}
process.on('exit', unmountAll);
// A test that takes too long is ended by a signal, after which nothing else of it runs.
for (const signal of ['SIGALRM', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    unmountAll();
    process.kill(process.pid, signal);
  });
}

export async function makeFileSystem(kind: FileSystemKind, options: FileSystemOptions = {}): Promise<FileSystem> {
  const { sizeBytes = 512 * mebibyte, makeOptions = [], mountOptions = [] } = options;
  const reason = await fileSystemReason(kind);
  if (reason !== undefined) throw new Error(`cannot make ${kind}: ${reason}`);
  const directory = await mkdtemp(join(tmpdir(), `afterimage-${kind}-`));
  const [image, path] = [join(directory, 'image'), join(directory, 'mounted')];
  const mount = async (): Promise<void> => {
    // A loop device that mount sets up goes when the file system is unmounted, whoever does that.
    const device = kind === 'tmpfs' ? { options: [`size=${sizeBytes}`], source: 'tmpfs' } : { options: ['loop'], source: image };
    await run('mount', ['-t', kind, '-o', [...device.options, ...mountOptions].join(','), device.source, path]);
    mounted.set(path, directory);
  };
  try {
    await mkdir(path);
    if (kind !== 'tmpfs') await makeImage(image, kind, sizeBytes, makeOptions);
    await mount();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    kind,
    path,
    async remount() {
      if (kind === 'tmpfs') throw new Error('tmpfs loses all when it is unmounted');
      await run('umount', [path]);
      mounted.delete(path);
      await mount();
    },
    async [Symbol.asyncDispose]() {
      if (mounted.has(path)) await unmount(path);
      mounted.delete(path);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function makeImage(image: string, kind: Exclude<FileSystemKind, 'tmpfs'>, sizeBytes: number, makeOptions: readonly string[]): Promise<void> {
  const maker = makers[kind];
  if (sizeBytes < maker.sizeBytesMin) throw new RangeError(`${kind} takes ${maker.sizeBytesMin} bytes at least, not ${sizeBytes}`);
  const file = await open(image, 'wx');
  await file.truncate(sizeBytes);
  await file.close();
  await run(maker.program, [...maker.arguments, ...makeOptions, image]);
}

/** Lazily in the end: a program that a failed test left behind must not keep it. */
async function unmount(path: string): Promise<void> {
  await run('umount', [path]).catch(() => run('umount', ['-l', path]));
}
