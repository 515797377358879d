/** Fresh file systems of each kind that the exact engine knows, on loop devices, for tests by root. */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import { loadNative, nativeUnavailableReason } from '../../native/index.js';
import { packageReason } from './debian-package.js';

export type VolumeKind = 'ext4' | 'xfs' | 'btrfs' | 'tmpfs';
export const volumeKinds: readonly VolumeKind[] = ['ext4', 'xfs', 'btrfs', 'tmpfs'];

/** Why these tests cannot run here; false where they can. */
export const skipKernel: string | false =
  process.platform !== 'linux'
    ? 'only Linux has these file systems'
    : process.getuid?.() !== 0
      ? 'only root may mount'
      : loadNative() === undefined
        ? (nativeUnavailableReason() ?? 'no native addon')
        : false;

const environment = { ...process.env, PATH: [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter) };

/** Runs a program and returns what it printed; its complaints go into the error. */
export function run(program: string, ...parameters: string[]): string {
  return execFileSync(program, parameters, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const makers: { readonly [Kind in VolumeKind]?: { readonly command: readonly string[]; readonly packageName: string } } = {
  ext4: { command: ['mkfs.ext4', '-q', '-F'], packageName: 'e2fsprogs' },
  xfs: { command: ['mkfs.xfs', '-q', '-f'], packageName: 'xfsprogs' },
  btrfs: { command: ['mkfs.btrfs', '-q', '-f'], packageName: 'btrfs-progs' },
};

/** Where volumes are put; all of it, mounts included, is gone when the test ends. */
export interface Volume {
  readonly kind: VolumeKind;
  /** The mount point. */
  readonly path: string;
  /** A directory beside it for further mount points. */
  readonly beside: (name: string) => string;
  /** Mounts, and unmounts when the test ends. */
  readonly mount: (...parameters: string[]) => void;
  readonly unmount: (path: string) => void;
  /** What to mount it again from. */
  readonly source: string;
}

const sizeBytes = 320 * 1024 * 1024; // the least that mkfs.xfs takes, with some to spare

export function makeVolume(t: Test, kind: VolumeKind): Volume {
  const base = mkdtempSync(join(tmpdir(), 'afterimage-names-'));
  const mounted: string[] = [];
  const unmount = (path: string): void => {
    run('umount', path);
    mounted.splice(mounted.lastIndexOf(path), 1);
  };
  t.teardown(() => {
    while (mounted.length > 0) unmount(mounted.at(-1)!);
    rmSync(base, { recursive: true, force: true });
  });
  const mount = (...parameters: string[]): void => {
    run('mount', ...parameters);
    mounted.push(parameters.at(-1)!);
  };
  const beside = (name: string): string => {
    const path = join(base, name);
    mkdirSync(path);
    return path;
  };
  const path = beside('volume');
  const maker = makers[kind];
  if (maker === undefined) {
    mount('-t', kind, '-o', 'size=64m', kind, path);
    return { kind, path, beside, mount, unmount, source: kind };
  }
  const [program, ...options] = maker.command;
  const reason = packageReason(program!, maker.packageName);
  if (reason !== undefined) throw new Error(reason);
  const image = join(base, 'image');
  const fd = openSync(image, 'wx');
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
  run(program!, ...options, image);
  mount('-o', 'loop', image, path);
  return { kind, path, beside, mount, unmount, source: image };
}
