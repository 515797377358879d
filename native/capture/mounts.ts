/** Which file system a path is on, as /proc/self/mountinfo tells (proc(5)). */
import { readFile, realpath } from 'node:fs/promises';

export interface Mount {
  /** The superblock's device as records carry it; on btrfs not what stat(2) tells. */
  readonly device: number;
  readonly type: string;
  /** Bytes, one character each. */
  readonly mountPoint: string;
}

/** The mount that a path is reached through. Throws when it does not exist. */
export async function mountOf(path: Buffer): Promise<Mount> {
  const real = (await realpath(path, 'buffer')).toString('latin1');
  let found: Mount | undefined;
  // A later mount covers an earlier one at the same place.
  for (const mount of parseMounts(await readFile('/proc/self/mountinfo', 'latin1'))) {
    const covers = mount.mountPoint === '/' || real === mount.mountPoint || real.startsWith(`${mount.mountPoint}/`);
    if (covers && (found === undefined || mount.mountPoint.length >= found.mountPoint.length)) found = mount;
  }
  if (found === undefined) throw new Error(`no mount holds ${path.toString()}`);
  return found;
}

/** The mounts in a mountinfo text; lines of another form are passed over. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = /^\d+ \d+ (\d+):(\d+) \S+ (\S+) .* - (\S+) /.exec(line);
    if (fields === null) return [];
    const [major, minor] = [Number(fields[1]), Number(fields[2])];
    return [{ device: ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, type: fields[4]!, mountPoint: unescaped(fields[3]!) }];
  });
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
