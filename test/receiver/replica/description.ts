/** Describes a tree as plain values, from a disk or from a model, so that two can be compared. */
import { createHash } from 'node:crypto';
import type { Directory } from '../../../native/host/directory.js';
import type { Model, ModelNode } from './model.js';

export interface Described {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
  readonly size: number;
  readonly content: string;
  readonly target: string;
  readonly xattrs: Readonly<Record<string, string>>;
  /** The first of the names that lead to the same node. */
  readonly sameAs: string;
}

export type Description = Readonly<Record<string, Described>>;

export interface DescribeOptions {
  /** Owners are left out where they cannot be set. */
  readonly owners?: boolean;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

function xattrsOf(xattrs: ReadonlyMap<string, Buffer> | undefined): Record<string, string> {
  return Object.fromEntries([...(xattrs ?? [])].filter(([key]) => key !== 'security.selinux').sort().map(([key, value]) => [key, value.toString('latin1')]));
}

export function describeModel(model: Model, { owners = true }: DescribeOptions = {}): Description {
  const found: Record<string, Described> = {};
  const first = new Map<ModelNode, string>();
  const visit = (node: ModelNode, path: string): void => {
    const { nodeKind, mode, uid, gid, modifyNs, target, xattrs } = node.metadata;
    if (!first.has(node)) first.set(node, path);
    const isFile = nodeKind === 'file';
    found[path] = {
      kind: nodeKind, mode: nodeKind === 'symlink' ? 0 : mode, uid: owners ? uid : 0, gid: owners ? gid : 0, modifyNs, size: isFile ? node.content.length : 0,
      content: isFile ? digest(node.content) : '', target: target?.toString('latin1') ?? '', xattrs: xattrsOf(xattrs), sameAs: first.get(node)!,
    };
    for (const [name, child] of [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1))) visit(child, `${path}/${name}`);
  };
  visit(model.root, '');
  return found;
}

export async function describeTree(root: Directory, { owners = true }: DescribeOptions = {}): Promise<Description> {
  const found: Record<string, Described> = {};
  const first = new Map<bigint, string>();
  const visit = async (directory: Directory, path: string): Promise<void> => {
    const entries = [{ name: undefined, stat: await directory.stat() }, ...(await directory.list()).sort((a, b) => Buffer.compare(a.name, b.name))];
    for (const { name, stat } of entries) {
      if (name === undefined && path !== '') continue;
      const at = name === undefined ? '' : `${path}/${name.toString('latin1')}`;
      if (!first.has(stat.ino)) first.set(stat.ino, at);
      let content = '';
      if (stat.kind === 'file' && name !== undefined) {
        const file = await directory.openFile(name, 'read');
        const bytes = Buffer.alloc(stat.size);
        await file.read(bytes, 0);
        await file.close();
        content = digest(bytes);
      }
      found[at] = {
        kind: stat.kind, mode: stat.kind === 'symlink' ? 0 : stat.mode, uid: owners ? stat.uid : 0, gid: owners ? stat.gid : 0, modifyNs: stat.modifyNs, size: stat.kind === 'file' ? stat.size : 0, content,
        target: stat.kind === 'symlink' && name !== undefined ? (await directory.readSymlink(name)).toString('latin1') : '', xattrs: xattrsOf(await directory.xattrs(name)), sameAs: first.get(stat.ino)!,
      };
      if (stat.kind !== 'directory' || name === undefined) continue;
      const below = await directory.openDirectory(name);
      await visit(below, at);
      await below.close();
    }
  };
  await visit(root, '');
  return found;
}

/** What differs between two descriptions, for a person; empty when nothing does. */
export function differences(found: Description, wanted: Description): string[] {
  const lines: string[] = [];
  const show = (value: unknown): string => JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  for (const path of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
    const [is, should] = [found[path], wanted[path]];
    if (is === undefined) lines.push(`${show(path)} is missing`);
    else if (should === undefined) lines.push(`${show(path)} should not be there`);
    else for (const key of Object.keys(should) as (keyof Described)[]) if (show(is[key]) !== show(should[key])) lines.push(`${show(path)} ${key}: ${show(is[key])} instead of ${show(should[key])}`);
  }
  return lines;
}
