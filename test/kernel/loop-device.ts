/** A loop device over a sparse file, with partitions where a test asks for them; gone at the end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { kernelTestReason } from './file-systems.js';
import { packageReason } from './debian-package.js';

/** Why there are no loop devices here, for tap's `skip`. */
export function loopDeviceSkip(): string | false {
  return kernelTestReason() ?? packageReason('losetup', 'mount') ?? packageReason('sfdisk', 'fdisk') ?? packageReason('partx', 'util-linux') ?? false;
}

/** What is attached, to be detached should the process end before somebody else does. */
const attached = new Set<string>();
process.on('exit', () => {
  for (const path of attached) spawnSync('losetup', ['-d', path]);
});

/** Makes a loop device on a file; its path. `options` are of losetup. */
export function attachLoop(file: string, options: readonly string[] = []): string {
  const path = execFileSync('losetup', ['--find', '--show', ...options, file], { encoding: 'utf8' }).trim();
  attached.add(path);
  return path;
}

export function detachLoop(path: string): void {
  execFileSync('losetup', ['-d', path]);
  attached.delete(path);
}

/** Directories to be removed likewise. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export class LoopDevice implements Disposable {
  readonly path: string;
  readonly sizeBytes: number;
  readonly folder: string;
  readonly #mounts: string[] = [];
  readonly #nodes: string[] = [];
  #partitioned = false;

  /** `partitions`: their sizes in MiB. */
  constructor({ sizeMiB, partitions = [] }: { readonly sizeMiB: number; readonly partitions?: readonly number[] }) {
    this.sizeBytes = sizeMiB * 2 ** 20;
    this.folder = mkdtempSync(join(tmpdir(), 'afterimage-loop-'));
    const image = join(this.folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, this.sizeBytes);
    if (partitions.length > 0) execFileSync('sfdisk', ['-q', image], { input: partitions.map((size) => `,${size}M\n`).join(''), stdio: ['pipe', 'ignore', 'pipe'] });
    folders.add(this.folder);
    this.path = attachLoop(image, ['--partscan']);
    if (partitions.length === 0) return;
    this.#partitioned = true;
    // Kernels without the format of the table are told by hand what is in it.
    if (!existsSync(`/sys/class/block/${basename(this.partition(1))}`)) execFileSync('partx', ['--add', this.path]);
    for (let number = 1; number <= partitions.length; number += 1) this.#makeNode(this.partition(number));
  }

  /** Where nobody makes nodes for devices that come up, it is done here. */
  #makeNode(path: string): void {
    if (existsSync(path)) return;
    const [major, minor] = readFileSync(`/sys/class/block/${basename(path)}/dev`, 'latin1').trim().split(':') as [string, string];
    execFileSync('mknod', ['-m', '600', path, 'b', major, minor]);
    this.#nodes.push(path);
  }

  partition(number: number): string {
    return `${this.path}p${number}`;
  }

  /** Mounts the device, or a partition of it, beside the image. */
  mount(path = this.path, ...options: readonly string[]): string {
    const mountPoint = mkdtempSync(join(this.folder, 'mount-'));
    execFileSync('mount', [...options, path, mountPoint]);
    this.#mounts.push(mountPoint);
    return mountPoint;
  }

  unmount(mountPoint: string): void {
    execFileSync('umount', [mountPoint]);
    this.#mounts.splice(this.#mounts.indexOf(mountPoint), 1);
  }

  /** Bytes of the device or a partition as they are on it, past the page cache. */
  content(path = this.path): Buffer {
    return execFileSync('dd', [`if=${path}`, 'bs=1M', 'iflag=direct', 'status=none'], { maxBuffer: this.sizeBytes + 1 });
  }

  [Symbol.dispose](): void {
    for (const mountPoint of this.#mounts) spawnSync('umount', ['-l', mountPoint]);
    // Partitions that were told by hand would stay, and hold it.
    if (this.#partitioned) spawnSync('partx', ['--delete', this.path]);
    detachLoop(this.path);
    for (const node of this.#nodes) rmSync(node);
    rmSync(this.folder, { recursive: true, force: true });
    folders.delete(this.folder);
  }
}
