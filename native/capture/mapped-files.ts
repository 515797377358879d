/** Files that processes have mapped shared and writable, as /proc tells (proc(5)). */
import { closeSync, constants, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { encodeDevice } from '../host/device-number.js';

export interface MappedFile {
  /** The mapping's addresses, as map_files names it. */
  readonly range: string;
  /** The superblock's device as records carry it. */
  readonly device: number;
  readonly ino: bigint;
}

/** The shared mappings of a maps text through which their files can be written, now or after mprotect(2). */
export function parseMapped(text: string): MappedFile[] {
  return text.split('\n').flatMap((line) => {
    const fields = /^([0-9a-f]+-[0-9a-f]+) ...s [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+)/.exec(line);
    if (fields === null || fields[4] === '0') return [];
    const [major, minor] = [Number.parseInt(fields[2]!, 16), Number.parseInt(fields[3]!, 16)];
    return [{ range: fields[1]!.replaceAll(/\b0+(?=[0-9a-f])/g, ''), device: encodeDevice({ major, minor }), ino: BigInt(fields[4]!) }];
  });
}

/**
 * Opens each mapped file on a device once, for as long as `note` takes, which says whether it was one.
 * Twice over all processes: one that was started meanwhile has the mappings of who started it. A process
 * that cannot be looked into is passed over. Resolves to how many files were noted.
 */
export async function forEachMapped(device: number, note: (fd: number) => boolean): Promise<number> {
  const noted = new Set<bigint>();
  for (let pass = 0; pass < 2; pass += 1) {
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
      const maps = await readFile(`/proc/${pid}/maps`, 'latin1').catch(() => '');
      for (const mapped of parseMapped(maps)) {
        if (mapped.device !== device || noted.has(mapped.ino)) continue;
        let fd: number;
        try {
          fd = openSync(`/proc/${pid}/map_files/${mapped.range}`, constants.O_RDONLY | constants.O_NONBLOCK);
        } catch {
          // Unmapped meanwhile, or gone with its process.
          continue;
        }
        try {
          if (note(fd)) noted.add(mapped.ino);
        } finally {
          closeSync(fd);
        }
      }
    }
  }
  return noted.size;
}
