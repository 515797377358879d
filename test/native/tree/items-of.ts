/** Items of a restore, written as a test wants them. */
import type { TreeEntry, TreeItem, TreeMetadata } from '../../../native/tree/items.js';

export const modifyNs = 1_600_000_000_123_456_789n;

export interface WantedEntry {
  readonly path: readonly string[];
  readonly kind?: TreeMetadata['nodeKind'];
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly linkOf?: number;
  readonly more?: Partial<TreeEntry>;
  readonly metadata?: Partial<TreeMetadata>;
}

export const root: WantedEntry = { path: [], kind: 'directory' };
export const file = (path: string, content: string | Buffer, metadata: Partial<TreeMetadata> = {}): WantedEntry => ({ path: path.split('/'), content, metadata });
export const directory = (path: string, metadata: Partial<TreeMetadata> = {}): WantedEntry => ({ path: path.split('/'), kind: 'directory', metadata });
export const symlink = (path: string, target: string): WantedEntry => ({ path: path.split('/'), kind: 'symlink', target });
export const link = (path: string, linkOf: number): WantedEntry => ({ path: path.split('/'), linkOf });

export function entryOf(wanted: WantedEntry, index: number): TreeEntry {
  const { path, kind = 'file', target, linkOf, more = {}, metadata = {} } = wanted;
  const bytes = Buffer.from(wanted.content ?? '');
  return {
    kind: 'entry',
    index,
    path,
    metadata: { nodeKind: kind, mode: kind === 'directory' ? 0o755 : 0o644, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, modifyNs, ...(target === undefined ? {} : { target: Buffer.from(target, 'latin1') }), ...metadata },
    size: bytes.byteLength,
    data: bytes.byteLength === 0 ? [] : [{ offset: 0, length: bytes.byteLength }],
    ...(linkOf === undefined ? {} : { linkOf }),
    ...more,
  };
}

/** A well-formed restore of these entries, content in one piece each. */
export function itemsOf(wanted: readonly WantedEntry[]): TreeItem[] {
  const items: TreeItem[] = [];
  let bytes = 0;
  wanted.forEach((entry, index) => {
    const content = Buffer.from(entry.content ?? '');
    if (content.byteLength > 0) items.push({ kind: 'piece', index, offset: 0, data: content });
    bytes += content.byteLength;
  });
  return [{ kind: 'head', entries: wanted.length, bytes }, ...wanted.map(entryOf), ...items, { kind: 'end', entries: wanted.length, bytes }];
}

export async function* streamOf(items: Iterable<TreeItem>): AsyncGenerator<TreeItem, void, undefined> {
  yield* items;
}
