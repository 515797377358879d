/** Describes a directory tree whole (names, kinds, metadata, links, content), to compare two of them. */
import { createHash } from 'node:crypto';
import type { Directory, EntryStat } from '../../native/host/directory.js';
import { systemDirectories } from '../../native/index.js';

/** One line an entry: what must be equal in source, replica and restored point. */
export interface TreeOptions {
  /** Modification times of directories too; off where something else lives beside the tree. */
  readonly directoryTimes?: boolean;
  readonly xattrs?: boolean;
  readonly owners?: boolean;
}

/** The description of a tree, sorted by path. Hard links share a group number. */
export async function describeTree(path: string | Buffer, options: TreeOptions = {}): Promise<string[]> {
  const root = await systemDirectories.openRoot(path);
  const lines: string[] = [];
  const links = new Map<string, number>();
  try {
    lines.push(`. ${describe(await root.stat(), '', options)}`);
    await walk(root, '', lines, links, options);
  } finally {
    await root.close();
  }
  return lines;
}

async function walk(directory: Directory, prefix: string, lines: string[], links: Map<string, number>, options: TreeOptions): Promise<void> {
  const entries = await directory.list();
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, stat } of entries) {
    const path = `${prefix}${JSON.stringify(name.toString('latin1')).slice(1, -1)}`;
    let content = '';
    if (stat.kind === 'file') {
      content = ` size ${stat.size} ${await hashFile(directory, name)}`;
      if (stat.linkCount > 1) {
        const key = `${stat.dev}:${stat.ino}`;
        if (!links.has(key)) links.set(key, links.size);
        content += ` link-group ${links.get(key)}`;
      }
    } else if (stat.kind === 'symlink') content = ` -> ${JSON.stringify((await directory.readSymlink(name)).toString('latin1'))}`;
    if (options.xattrs !== false && stat.kind !== 'symlink') {
      const xattrs = [...(await directory.xattrs(name))].filter(([key]) => !key.startsWith('security.selinux')).sort();
      for (const [key, value] of xattrs) content += ` ${key}=${value.toString('hex')}`;
    }
    lines.push(`${path} ${describe(stat, content, options)}`);
    if (stat.kind === 'directory') {
      const child = await directory.openDirectory(name);
      try {
        await walk(child, `${path}/`, lines, links, options);
      } finally {
        await child.close();
      }
    }
  }
}

function describe(stat: EntryStat, content: string, options: TreeOptions): string {
  const mode = stat.kind === 'symlink' ? '' : ` ${stat.mode.toString(8)}`;
  const owner = options.owners === false ? '' : ` ${stat.uid}:${stat.gid}`;
  const time = stat.kind === 'directory' && options.directoryTimes === false ? '' : ` ${stat.modifyNs}`;
  const device = stat.kind.endsWith('device') ? ` ${stat.deviceMajor}:${stat.deviceMinor}` : '';
  return `${stat.kind}${mode}${owner}${time}${device}${content}`;
}

async function hashFile(directory: Directory, name: Buffer): Promise<string> {
  const file = await directory.openFile(name, 'read');
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  try {
    for (let at = 0; ; ) {
      const span = await file.nextData(at);
      if (span === undefined) break;
      // A hole and zeroes are the same content: long runs of zeroes are left out, wherever they stand.
      for (let position = span.offset; position < span.offset + span.length; ) {
        const got = await file.read(buffer.subarray(0, Math.min(buffer.length, span.offset + span.length - position)), position);
        if (got === 0) break;
        hashNonZero(hash, buffer.subarray(0, got), position);
        position += got;
      }
      at = span.offset + span.length;
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex').slice(0, 32);
}

const blockBytes = 4096;
const zeroBlock = Buffer.alloc(blockBytes);

/** Hashes blocks that are not all zero, with their positions; positions are block-aligned as spans are. */
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
