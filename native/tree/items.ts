/** What a tree restore consumes: one head, all entries (parents first), pieces in any order, one end. */
import type { ByteSpan, EntryKind } from '../host/directory.js';

export interface TreeHead {
  readonly kind: 'head';
  readonly entries: number;
  readonly bytes: number;
}

export interface TreeMetadata {
  readonly nodeKind: EntryKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly target?: Buffer;
  /** Keys are strings of one character a byte. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

export interface TreeEntry {
  readonly kind: 'entry';
  /** 0 and up, without holes; entry 0 is the root. */
  readonly index: number;
  /** Components from the root, one character a byte. */
  readonly path: readonly string[];
  readonly metadata: TreeMetadata;
  readonly size: number;
  /** The entry, before this one, of which this is a further name. */
  readonly linkOf?: number;
  /** Ranges that hold data, ascending and apart; all else within `size` is a hole. */
  readonly data: readonly ByteSpan[];
}

export interface TreePiece {
  readonly kind: 'piece';
  readonly index: number;
  readonly offset: number;
  readonly data: Buffer;
}

export interface TreeEnd {
  readonly kind: 'end';
  readonly entries: number;
  readonly bytes: number;
}

export type TreeItem = TreeHead | TreeEntry | TreePiece | TreeEnd;

/**
 * Why a restore stopped. `target`: the place restored to is not as it must be, the user can help;
 * `request`: what was asked for is not there, or cannot be had on this machine; `invalid`: the items are not what they may be, nothing of them is believed; `incomplete`: the
 * items ended early.
 */
export class TreeRestoreError extends Error {
  override readonly name = 'TreeRestoreError';
  readonly code: 'target' | 'request' | 'invalid' | 'incomplete';

  constructor(code: TreeRestoreError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
