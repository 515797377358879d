/** What the directory contract is run on: an implementation, what it can do, and small aids for its cases. */
import type { Test } from 'tap';
import type { Directory, EntryName, ListedEntry } from '../../native/host/directory.js';

export interface Subject {
  readonly label: string;
  /** A new empty tree, removed when `t` ends. */
  open(t: Test): Promise<Directory>;
  /** What it promises beyond the least: see plain-directory.ts for what may be missing. */
  readonly can: {
    readonly exactTimes: boolean;
    readonly xattrs: boolean;
    readonly specials: boolean;
    readonly exchange: boolean;
    readonly holes: boolean;
    readonly pathsOfAnyLength: boolean;
  };
  /** Whether this process may do what only root may. */
  readonly asRoot: boolean;
}

export const name = (text: string): EntryName => Buffer.from(text);

/** Names that any tree may hold, and that string handling breaks. */
export const awkwardNames: readonly EntryName[] = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from('line\nfeed'),
  Buffer.from('n'.repeat(255)),
  Buffer.from(' leading and trailing '),
  Buffer.from('back\\slash:"*?<>|'),
  Buffer.from('...'),
  Buffer.from('-rf'),
  Buffer.from('\u00e9\u0301 \u{1f5c4}'),
  Buffer.from([0x01, 0x7f, 0x80, 0xc0, 0xaf]),
];

export const hostileNames: readonly EntryName[] = [
  name(''),
  name('.'),
  name('..'),
  name('a/b'),
  name('/'),
  name('../escape'),
  name('nul\0byte'),
];

/** Asserts that a promise rejects with one of `codes`, carrying the entry's name where there is one. */
export async function refused(t: Test, promise: Promise<unknown>, codes: string | string[], entry?: EntryName): Promise<void> {
  const allowed = [codes].flat();
  let error: (Error & { code?: string; entry?: Buffer }) | undefined;
  try {
    await promise;
  } catch (thrown) {
    error = thrown as Error;
  }
  if (error === undefined) return void t.fail(`should be refused with ${allowed.join(' or ')}`);
  t.ok(allowed.includes(error.code ?? ''), `refused with ${error.code} (${allowed.join(' or ')})`, { found: error });
  if (entry === undefined) return;
  t.same(error.entry, entry, 'the error names the entry');
  t.match(error.message, new RegExp(`^${error.code}: `), 'the message begins with the code');
}

export async function put(directory: Directory, entry: EntryName, content: string | Uint8Array): Promise<void> {
  const file = await directory.createFile(entry);
  try {
    await file.write(Buffer.from(content), 0);
  } finally {
    await file.close();
  }
}

export async function content(directory: Directory, entry: EntryName): Promise<Buffer> {
  const file = await directory.openFile(entry, 'read');
  try {
    const { size } = await file.stat();
    const all = Buffer.alloc(size);
    return all.subarray(0, await file.read(all, 0));
  } finally {
    await file.close();
  }
}

export async function makeAndOpen(directory: Directory, entry: EntryName): Promise<Directory> {
  await directory.makeDirectory(entry);
  return directory.openDirectory(entry);
}

/** Listed names as Latin-1, sorted. */
export function namesOf(entries: readonly ListedEntry[]): string[] {
  return entries.map((entry) => entry.name.toString('latin1')).sort();
}

/** Empties a directory through the interface itself: a path may be too long for anything else. */
export async function empty(directory: Directory): Promise<void> {
  for (const { name: entry, stat } of await directory.list()) {
    if (stat.kind !== 'directory') {
      await directory.unlink(entry);
      continue;
    }
    await directory.setOwnerAndMode(entry, { mode: 0o700 });
    const child = await directory.openDirectory(entry);
    await empty(child);
    await child.close();
    await directory.removeDirectory(entry);
  }
}
