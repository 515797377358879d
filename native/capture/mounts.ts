/** Which file system a path is on, as /proc/self/mountinfo tells (proc(5)). */
import { readFile, realpath, statfs } from 'node:fs/promises';
import { encodeDevice } from '../host/device-number.js';

export interface Mount {
  /** The superblock's device as records carry it; on btrfs not what stat(2) tells. */
  readonly device: number;
  readonly type: string;
  /** Bytes, one character each, where the text came so. */
  readonly mountPoint: string;
  /** What is mounted, as it was named: a device, or anything. */
  readonly source: string;
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

const tmpfsMagic = 0x01021994;

/** Whether a first store through a shared mapping changes a file's times: a tmpfs may never be told of it. */
export async function timesTellOfMappings(path: Buffer): Promise<boolean> {
  return (await statfs(path)).type !== tmpfsMagic;
}

/** The mounts in a mountinfo text; lines of another form are passed over. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = /^\d+ \d+ (\d+):(\d+) \S+ (\S+) .* - (\S+) (\S*)/.exec(line);
    if (fields === null) return [];
    const [major, minor] = [Number(fields[1]), Number(fields[2])];
    return [{ device: encodeDevice({ major, minor }), type: fields[4]!, mountPoint: unescaped(fields[3]!), source: unescaped(fields[5] ?? '') }];
  });
}

/** In paths the kernel writes spaces, tabs, newlines and backslashes as three octal digits. */
export function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
