/** File systems to capture, programs that change them, and the records that come of it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordCursor } from '../../native/capture/record.js';
import { captureUnavailableReason, openCaptureStream, type CaptureStream, type Lost } from '../../native/capture/stream.js';
import { packageReason } from './debian-package.js';

/** Why these tests cannot run here, or false. */
export function captureSkipReason(): string | false {
  return captureUnavailableReason() ?? (process.getuid?.() === 0 ? false : 'needs root, to mount file systems');
}

export const fileSystems = ['ext4', 'xfs', 'btrfs', 'tmpfs'] as const;
export type FileSystem = (typeof fileSystems)[number];

const makers: Record<Exclude<FileSystem, 'tmpfs'>, { readonly command: string[]; readonly aptPackage: string }> = {
  ext4: { command: ['mkfs.ext4', '-q', '-F'], aptPackage: 'e2fsprogs' },
  xfs: { command: ['mkfs.xfs', '-q', '-f', '-m', 'reflink=1'], aptPackage: 'xfsprogs' },
  btrfs: { command: ['mkfs.btrfs', '-q', '-f'], aptPackage: 'btrfs-progs' },
};

/** Installs what makes the file system where that is possible; why there is none, or undefined. */
export function fileSystemMissing(kind: FileSystem): string | undefined {
  if (kind !== 'tmpfs') {
    const { command, aptPackage } = makers[kind];
    const reason = packageReason(command[0]!, aptPackage);
    if (reason !== undefined) return reason;
  }
  const known = readFileSync('/proc/filesystems', 'utf8').split('\n').some((line) => line.split('\t')[1] === kind);
  return known || spawnSync('modprobe', [kind]).status === 0 ? undefined : `this kernel has no ${kind}`;
}

/** The device of the superblock mounted at `path`, encoded as in records. */
export function superblockDevice(path: string): number {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' '));
  const [major, minor] = mounts.filter((fields) => fields[4] === path).at(-1)![2]!.split(':').map(Number) as [number, number];
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export class Volume implements Disposable {
  readonly kind: FileSystem;
  readonly path: string;
  readonly device: number;
  readonly #folder: string;

  constructor(kind: FileSystem, sizeMiB = 512) {
    this.kind = kind;
    this.#folder = mkdtempSync(join(tmpdir(), 'afterimage-capture-'));
    this.path = join(this.#folder, 'mount');
    mkdirSync(this.path);
    if (kind === 'tmpfs') {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', this.path]);
    } else {
      const image = join(this.#folder, 'image');
      writeFileSync(image, '');
      truncateSync(image, sizeMiB * 2 ** 20);
      const [maker, ...options] = makers[kind].command;
      execFileSync(maker!, [...options, image]);
      execFileSync('mount', ['-o', 'loop', image, this.path]);
    }
    this.device = superblockDevice(this.path);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One record, copied out of its batch. */
export interface CaptureRecord {
  readonly kind: number;
  readonly call: number;
  readonly flags: number;
  readonly ino: bigint;
  readonly tree: bigint;
  readonly generation: number;
  readonly device: number;
  readonly offset: number;
  readonly length: number;
  readonly size: number;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly pid: number;
  readonly tid: number;
  readonly command: string;
  readonly monotonicNs: bigint;
  readonly a: bigint;
  readonly b: bigint;
  readonly data: Buffer;
  readonly names: readonly string[];
}

export function decodeBatch(bytes: Buffer): CaptureRecord[] {
  const records: CaptureRecord[] = [];
  const cursor = new RecordCursor(bytes);
  while (cursor.next()) {
    const { kind, call, flags, ino, tree, generation, device, offset, length, size, mode, links, uid, pid, tid, command, monotonicNs, a, b } = cursor;
    const names = kind === 6 ? cursor.names().map(String) : [];
    records.push({ kind, call, flags, ino, tree, generation, device, offset, length, size, mode, links, uid, pid, tid, command, monotonicNs, a, b, data: Buffer.from(cursor.data), names });
  }
  return records;
}

/** A stream that watches the volume, and keeps what it has said. */
export class Recorder implements AsyncDisposable {
  readonly stream: CaptureStream;
  readonly #volume: Volume;

  constructor(volume: Volume, ringBytes = 2 ** 26, preferPageCache = true) {
    this.#volume = volume;
    this.stream = openCaptureStream({ ringBytes, preferPageCache });
    this.stream.watch(volume.device);
  }

  /** All records that were made before this call, and not collected yet. */
  async collect(): Promise<CaptureRecord[]> {
    const records: CaptureRecord[] = [];
    const position = this.stream.position();
    while (this.through < position) {
      const batch = await this.stream.next();
      if (batch === undefined) throw new Error('the stream ended');
      this.through = batch.through;
      records.push(...decodeBatch(batch.bytes));
    }
    return records;
  }
  through = 0n;

  takeLost(): Lost {
    const lost = this.stream.takeLost();
    return { ...lost, ranges: lost.ranges.filter(({ device }) => device === this.#volume.device) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream[Symbol.asyncDispose]();
  }
}

/** Collects while the program runs, so that the ring need not hold all of it. */
export async function recordWhile(recorder: Recorder, run: Promise<unknown>): Promise<CaptureRecord[]> {
  const records: CaptureRecord[] = [];
  let running = true;
  const ended = run.finally(() => (running = false));
  ended.catch(() => {});
  while (running) {
    records.push(...(await recorder.collect()));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await ended;
  records.push(...(await recorder.collect()));
  return records;
}

const prelude = `
import os, sys, mmap, ctypes, fcntl, struct, threading, time, random, errno, socket
path = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
syscall = libc.syscall
syscall.restype = ctypes.c_long
def call(number, *arguments):
    result = syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def name(*parts): return os.path.join(path, *parts)
def opened(leaf, flags=os.O_RDWR | os.O_CREAT, mode=0o644): return os.open(name(leaf), flags, mode)
def pattern(bytes, seed=1): return random.Random(seed).randbytes(bytes)
`;

/** Runs a Python program with the volume's path and a few helpers at hand; rejects with what it printed. */
export function python(volume: Volume, program: string, ...options: string[]): Promise<string> {
  return runProgram('python3', ['-c', `${prelude}\n${program}`, volume.path, ...options]);
}

export function runProgram(file: string, options: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, options, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => (output += String(text)));
    child.stderr.on('data', (text) => (output += String(text)));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${file} ended with ${code}: ${output}`))));
  });
}
