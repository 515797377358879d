/** Describes a directory tree whole (names, kinds, metadata, links, content), to compare two of them. */
import { createHash } from 'node:crypto';
import type { Directory, EntryStat } from '../../native/host/directory.js';
import { flagsKey } from '../../native/host/file-flags.js';
import { systemDirectories } from '../../native/index.js';

/** One line an entry: what must be equal in source, replica and restored point. */
export interface TreeOptions {
  /** Modification times of directories too; off where something else lives beside the tree. */
  readonly directoryTimes?: boolean;
  /** Modification times at all; off between trees that were made at different times. */
  readonly times?: boolean;
  readonly xattrs?: boolean;
  /** Inode flags. Off unless asked for: a replica has none of its source's, which would lock it. */
  readonly flags?: boolean;
  readonly owners?: boolean;
  /**
   * Which blocks of 4 KiB hold data, rather than lie in a hole. Off unless asked for: a copy may have a
   * hole where the source holds zeroes, and is equal to whoever reads it.
   */
  readonly holes?: boolean;
}

/** An entry as described. */
export interface TreeEntry {
  /** Bytes of the path below the root; empty for the root itself. */
  readonly path: Buffer;
  readonly kind: EntryStat['kind'];
  /** Printable, on one line, and the same for equal entries only. */
  readonly line: string;
}

/** The description of a tree, sorted by path. Names of one file refer to the first of them. */
export async function describeTree(path: string | Buffer, options: TreeOptions = {}): Promise<string[]> {
  return (await readTree(path, options)).map(({ line }) => line);
}

/** As describeTree, with where each entry is. */
export async function readTree(path: string | Buffer, options: TreeOptions = {}): Promise<TreeEntry[]> {
  const root = await systemDirectories.openRoot(path);
  const found: Found[] = [];
  try {
    const stat = await root.stat();
    found.push({ path: Buffer.alloc(0), stat, text: describe(stat, await describeXattrs(root, undefined, options), options) });
    await walk(root, Buffer.alloc(0), found, options);
  } finally {
    await root.close();
  }
  return withLinks(found);
}

interface Found {
  readonly path: Buffer;
  readonly stat: EntryStat;
  readonly text: string;
}

async function walk(directory: Directory, prefix: Buffer, found: Found[], options: TreeOptions): Promise<void> {
  const entries = await directory.list();
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, stat } of entries) {
    const path = Buffer.concat([prefix, name]);
    let content = '';
    if (stat.kind === 'file') content = ` size ${stat.size} ${await describeContent(directory, name, options)}`;
    else if (stat.kind === 'symlink') content = ` -> ${JSON.stringify((await directory.readSymlink(name)).toString('latin1'))}`;
    content += await describeXattrs(directory, name, options);
    found.push({ path, stat, text: describe(stat, content, options) });
    if (stat.kind === 'directory') {
      const child = await directory.openDirectory(name);
      try {
        await walk(child, Buffer.concat([path, Buffer.from('/')]), found, options);
      } finally {
        await child.close();
      }
    }
  }
}

/** Only links within the tree count: another name of a file may be anywhere else. */
function withLinks(found: readonly Found[]): TreeEntry[] {
  const groups = new Map<string, Found[]>();
  for (const each of found) {
    if (each.stat.kind === 'directory' || each.stat.linkCount < 2) continue;
    const key = `${each.stat.dev}:${each.stat.ino}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return found.map((each) => {
    const { path, stat, text } = each;
    const group = stat.kind === 'directory' ? undefined : groups.get(`${stat.dev}:${stat.ino}`);
    const links = group === undefined || group.length < 2 ? '' : ` linked ${group.length} times from ${printable(group[0]!.path)}`;
    return { path, kind: stat.kind, line: `${path.length === 0 ? '.' : printable(path)} ${text}${links}` };
  });
}

function printable(path: Buffer): string {
  return JSON.stringify(path.toString('latin1')).slice(1, -1);
}

async function describeXattrs(directory: Directory, name: Buffer | undefined, options: TreeOptions): Promise<string> {
  if (options.xattrs === false) return '';
  const xattrs = [...(await directory.xattrs(name))].filter(([key]) => !key.startsWith('security.selinux') && (key !== flagsKey || options.flags === true)).sort(([a], [b]) => (a < b ? -1 : 1));
  return xattrs.map(([key, value]) => ` ${JSON.stringify(key).slice(1, -1)}=${value.toString('hex')}`).join('');
}

function describe(stat: EntryStat, content: string, options: TreeOptions): string {
  const mode = stat.kind === 'symlink' ? '' : ` ${stat.mode.toString(8)}`;
  const owner = options.owners === false ? '' : ` ${stat.uid}:${stat.gid}`;
  const time = options.times === false || (stat.kind === 'directory' && options.directoryTimes === false) ? '' : ` ${stat.modifyNs}`;
  const device = stat.kind.endsWith('device') ? ` ${stat.deviceMajor}:${stat.deviceMinor}` : '';
  return `${stat.kind}${mode}${owner}${time}${device}${content}`;
}

async function describeContent(directory: Directory, name: Buffer, options: TreeOptions): Promise<string> {
  const file = await directory.openFile(name, 'read');
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  const spans: { from: number; to: number }[] = [];
  try {
    for (let at = 0; ; ) {
      const span = await file.nextData(at);
      if (span === undefined) break;
      at = span.offset + span.length;
      // Whole blocks, whatever the file system's are: both sides must be cut into the same ones.
      const last = spans.at(-1);
      const from = Math.max(last?.to ?? 0, Math.floor(span.offset / blockBytes) * blockBytes);
      const to = Math.ceil(at / blockBytes) * blockBytes;
      if (last !== undefined && last.to === from) last.to = Math.max(last.to, to);
      else if (to > from) spans.push({ from, to });
      // A hole and zeroes are the same content: blocks of zeroes are left out, wherever they stand.
      for (let position = from; position < to; ) {
        const got = await file.read(buffer.subarray(0, Math.min(buffer.length, to - position)), position);
        if (got === 0) break;
        hashNonZero(hash, buffer.subarray(0, got), position);
        position += got;
      }
    }
  } finally {
    await file.close();
  }
  const content = hash.digest('hex').slice(0, 32);
  return options.holes === true ? `${content} data ${describeSpans(spans)}` : content;
}

const blockBytes = 4096;
const zeroBlock = Buffer.alloc(blockBytes);

/** Numbers of blocks, `from-to` with both included; those of very scattered files hashed from some point on. */
function describeSpans(spans: readonly { readonly from: number; readonly to: number }[]): string {
  const ranges = spans.map(({ from, to }) => `${from / blockBytes}-${to / blockBytes - 1}`);
  if (ranges.length <= 32) return `[${ranges.join(' ')}]`;
  const rest = createHash('sha256').update(ranges.join(' ')).digest('hex').slice(0, 16);
  return `[${ranges.slice(0, 32).join(' ')} and ${ranges.length - 32} more ${rest}]`;
}

/** Hashes blocks that are not all zero, with their positions; positions are multiples of the block size. */
function hashNonZero(hash: ReturnType<typeof createHash>, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, Math.min(at + blockBytes, bytes.length));
    if (block.equals(zeroBlock.subarray(0, block.length))) continue;
    hash.update(`${position + at}:`);
    hash.update(block);
  }
}

/** What differs between two descriptions, for a failure message; empty when they are equal. */
export function differences(expected: readonly string[], found: readonly string[], linesMax = 40): string[] {
  const before = new Set(expected);
  const after = new Set(found);
  const lines = [...expected.filter((line) => !after.has(line)).map((line) => `- ${line}`), ...found.filter((line) => !before.has(line)).map((line) => `+ ${line}`)];
  return lines.slice(0, linesMax);
}
