/** What a block device of this machine is used for, and what the kernel says of it; from /proc and /sys. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseMounts, unescaped } from '../capture/mounts.js';
import { encodeDevice, splitDevice, type DeviceNumber } from '../host/device-number.js';

const sectorBytes = 512;

export interface DeviceFacts {
  /** The kernel's name, as in /dev. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly isReadOnly: boolean;
  /** A partition of another device. */
  readonly isPartition: boolean;
  /** Names of its partitions that the kernel knows. */
  readonly partitions: readonly string[];
  /** Everything that stands against writing to it, in words. */
  readonly uses: readonly string[];
}

export interface DeviceUseOptions {
  /** For tests: where /proc and /sys are, and what number a path under /dev has. */
  readonly proc?: string;
  readonly sys?: string;
  readonly numberAt?: (path: string) => Promise<DeviceNumber | undefined>;
}

/** The number of the block device that a path leads to; undefined when it leads to none. */
export async function deviceNumberAt(path: string): Promise<DeviceNumber | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isBlockDevice() === true ? splitDevice(found.rdev) : undefined;
}

/** Throws system errors as they are: a device about which nothing is known must not be written to. */
export async function deviceFacts({ major, minor }: DeviceNumber, options: DeviceUseOptions = {}): Promise<DeviceFacts> {
  const { proc = '/proc', sys = '/sys', numberAt = deviceNumberAt } = options;
  const home = await realpath(join(sys, 'dev', 'block', `${major}:${minor}`));
  const name = basename(home);
  const isPartition = (await textOf(join(home, 'partition'))) !== undefined;
  const partitions: string[] = [];
  /** The device and its partitions: words for each, by encoded number. */
  const members = new Map([[encodeDevice({ major, minor }), 'it']]);
  const homes = [{ words: 'it', home }];
  for (const entry of (await readdir(home)).sort()) {
    if ((await textOf(join(home, entry, 'partition'))) === undefined) continue;
    partitions.push(entry);
    const [partMajor, partMinor] = (await readFile(join(home, entry, 'dev'), 'utf8')).trim().split(':').map(Number) as [number, number];
    members.set(encodeDevice({ major: partMajor, minor: partMinor }), `its partition ${entry}`);
    homes.push({ words: `its partition ${entry}`, home: join(home, entry) });
  }
  const memberAt = async (path: string): Promise<string | undefined> => {
    const number = await numberAt(path);
    return number === undefined ? undefined : members.get(encodeDevice(number));
  };
  const uses = new Set<string>();
  for (const mount of parseMounts(await readFile(join(proc, 'self', 'mountinfo'), 'utf8'))) {
    // Some file systems (btrfs) show a number of their own; their source tells.
    const words = members.get(mount.device) ?? (mount.source.startsWith('/') ? await memberAt(mount.source) : undefined);
    if (words !== undefined) uses.add(`${words} is mounted at ${mount.mountPoint}`);
  }
  for (const path of swapsOf((await textOf(join(proc, 'swaps'))) ?? '')) {
    const words = await memberAt(path);
    if (words !== undefined) uses.add(`${words} is used as swap`);
  }
  for (const { words, home: at } of homes) {
    const holders = await readdir(join(at, 'holders')).catch(() => []);
    if (holders.length > 0) uses.add(`${words} is part of ${holders.sort().join(', ')}`);
  }
  for (const device of await readdir(join(sys, 'block')).catch(() => [])) {
    const backing = await textOf(join(sys, 'block', device, 'loop', 'backing_file'));
    const words = backing === undefined ? undefined : await memberAt(backing.trim());
    if (words !== undefined) uses.add(`${words} is what ${device} is made on`);
  }
  return {
    name,
    sizeBytes: Number(await readFile(join(home, 'size'), 'utf8')) * sectorBytes,
    isReadOnly: (await textOf(join(home, 'ro')))?.trim() === '1',
    isPartition,
    partitions,
    uses: [...uses],
  };
}

function swapsOf(text: string): string[] {
  return text.split('\n').slice(1).flatMap((line) => (line.startsWith('/') ? [unescaped(line.split(/\s/)[0]!)] : []));
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
