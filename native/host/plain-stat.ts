/** Turns what node:fs tells of an entry into an EntryStat. */
import type { BigIntStats } from 'node:fs';
import { splitDevice } from './device-number.js';
import type { EntryStat } from './directory.js';
import { checkedSize, kindOfMode } from './stat-record.js';

/** Major and minor number out of a device number, as this platform packs them. */
function deviceNumbers(rdev: bigint): { deviceMajor: number; deviceMinor: number } {
  if (process.platform === 'linux') {
    const { major, minor } = splitDevice(rdev);
    return { deviceMajor: major, deviceMinor: minor };
  }
  return { deviceMajor: Number((rdev >> 24n) & 0xffn), deviceMinor: Number(rdev & 0xffffffn) };
}

export function plainStat(stats: BigIntStats, entry?: Uint8Array): EntryStat {
  const kind = kindOfMode(Number(stats.mode), entry);
  const isDevice = kind === 'block-device' || kind === 'character-device';
  return {
    kind,
    dev: stats.dev,
    ino: stats.ino,
    birthNs: stats.birthtimeNs,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    linkCount: Number(stats.nlink),
    size: checkedSize(stats.size, entry),
    allocatedBytes: checkedSize(stats.blocks * 512n, entry),
    accessNs: stats.atimeNs,
    modifyNs: stats.mtimeNs,
    changeNs: stats.ctimeNs,
    ...(isDevice ? deviceNumbers(stats.rdev) : { deviceMajor: 0, deviceMinor: 0 }),
  };
}
