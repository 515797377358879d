/**
 * The entries of a restore, checked as they arrive and kept in columns: names and parents instead of
 * paths, some hundred bytes an entry. Nothing is written before all of them have been checked here.
 */
import { checkEntryName, type ByteSpan, type EntryKind } from '../host/directory.js';
import { TreeRestoreError, type TreeEntry } from './items.js';
import { displayComponents } from './notes.js';
import { RangeSet } from './range-set.js';

const kinds: readonly EntryKind[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'block-device', 'character-device'];
const noEntry = 0xffff_ffff;
/** Any file system's limit is far below. */
const nameBytesMax = 4096;

/** What a restore does with an entry; decided when its directory is prepared. */
export const entryState = { create: 0, reuse: 1, replace: 2, skip: 3, keep: 4 } as const;
export type EntryState = (typeof entryState)[keyof typeof entryState];

interface Row {
  readonly name: string;
  readonly parent: number;
  readonly kind: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
  readonly size: number;
  readonly linkOf: number;
  state: EntryState;
}

export interface EntryScope {
  /** Paths that were asked for; undefined: everything. */
  readonly paths: readonly (readonly string[])[] | undefined;
}

export class EntryTable {
  readonly #rows: Row[] = [];
  /** Open addressing over (parent, name), so that an entry costs eight bytes here and not a map's sixty. */
  #slots = new Uint32Array(1024).fill(noEntry);
  readonly #ranges = new Map<number, readonly ByteSpan[] | 'all'>();
  readonly #declared = new Map<number, readonly ByteSpan[]>();
  readonly #targets = new Map<number, Buffer>();
  readonly #devices = new Map<number, { readonly major: number; readonly minor: number }>();
  readonly #xattrs = new Map<number, ReadonlyMap<string, Buffer>>();
  /** Directories that lead to what was asked for without being part of it. */
  readonly #leading = new Map<number, number[]>();
  readonly #scope: readonly (readonly string[])[] | undefined;
  /** The directories that led to the last entry. */
  readonly #trail: { readonly name: string; readonly parent: number; readonly index: number }[] = [];
  #dataBytes = 0;

  constructor(scope: EntryScope) {
    this.#scope = scope.paths === undefined || scope.paths.length === 0 || scope.paths.some((path) => path.length === 0) ? undefined : scope.paths;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Bytes that pieces must bring. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Checks and takes an entry. Throws TreeRestoreError for anything that a well-behaved source does not send. */
  add(entry: TreeEntry): void {
    const { index, path, metadata } = entry;
    const refuse = (fault: string): never => {
      throw new TreeRestoreError('invalid', `entry ${index} (${displayComponents(path.slice(0, 50))}): ${fault}`);
    };
    if (index !== this.#rows.length) refuse(`expected entry ${this.#rows.length}`);
    const kind = kinds.indexOf(metadata.nodeKind);
    if (kind < 0) refuse('of an unknown kind');
    if (!Number.isSafeInteger(entry.size) || entry.size < 0) refuse('its size is no size');
    if ((metadata.mode & ~0o7777) !== 0) refuse('its mode is no mode');
    for (const id of [metadata.uid, metadata.gid]) if (!(Number.isInteger(id) && id >= 0 && id < 0xffff_ffff)) refuse('its owner is no owner');
    const parent = path.length === 0 ? noEntry : this.#parentOf(path, refuse);
    const name = path[path.length - 1] ?? '';
    if (path.length === 0 ? index !== 0 : index === 0) refuse('the root must come first, and once');
    if (parent !== noEntry && this.find(parent, name) !== undefined) refuse('the name comes twice');
    const linkOf = entry.linkOf ?? noEntry;
    if (linkOf !== noEntry) {
      const first = this.#rows[linkOf];
      if (first === undefined || first.linkOf !== noEntry || first.kind !== kind || metadata.nodeKind === 'directory') refuse('it is a further name of something it cannot be');
    }
    this.#addContent(entry, linkOf, refuse);
    const { mode, uid, gid, modifyNs, device, target, xattrs } = metadata;
    this.#rows.push({ name, parent, kind, mode, uid, gid, modifyNs, size: entry.size, linkOf, state: entryState.create });
    if (target !== undefined) this.#targets.set(index, Buffer.from(target));
    if (device !== undefined) this.#devices.set(index, device);
    if (xattrs !== undefined && xattrs.size > 0) this.#xattrs.set(index, new Map([...xattrs].map(([key, value]) => [key, Buffer.from(value)])));
    if (parent !== noEntry) this.#enter(index);
    this.#leading.get(parent)?.push(index);
    if (this.#scope !== undefined && !this.#scope.some((asked) => startsWith(path, asked))) {
      if (!this.#scope.some((asked) => startsWith(asked, path))) refuse('it lies outside of what was asked for');
      if (metadata.nodeKind !== 'directory') refuse('it leads to what was asked for, but is no directory');
      this.#leading.set(index, []);
    }
  }

  #addContent(entry: TreeEntry, linkOf: number, refuse: (fault: string) => never): void {
    const { index, metadata, size, data } = entry;
    if (metadata.nodeKind === 'symlink' && (metadata.target === undefined || metadata.target.byteLength === 0 || metadata.target.includes(0))) refuse('a symbolic link without a target');
    if (data.length === 0) return;
    if (metadata.nodeKind !== 'file' || linkOf !== noEntry) refuse('it has data, but is no file of its own');
    let end = -1;
    for (const { offset, length } of data) {
      if (!(offset >= 0 && length > 0 && offset >= end && Number.isSafeInteger(offset + length))) refuse('its ranges do not ascend');
      end = offset + length;
      this.#dataBytes += length;
    }
    if (end > size) refuse('its data reaches past its size');
    // Most files are one range from start to end.
    const isWhole = data.length === 1 && data[0]!.offset === 0 && data[0]!.length === size;
    this.#ranges.set(index, isWhole ? 'all' : data.map(({ offset, length }) => ({ offset, length })));
  }

  #parentOf(path: readonly string[], refuse: (fault: string) => never): number {
    // The names before the last one must be those of entries that were checked when they came.
    const name = path[path.length - 1]!;
    if (name.length > nameBytesMax || /[^\0-\xff]/.test(name)) refuse('a name that is not bytes, or too many');
    try {
      checkEntryName(Buffer.from(name, 'latin1'));
    } catch {
      refuse('a name that is no file name');
    }
    // Entries come in the order of a walk, so the parent is nearly always on the way to the last one.
    const wanted = path.length - 1;
    let at = 0;
    if (this.#rows.length === 0) return refuse('the root must come first');
    for (let depth = 0; depth < wanted; depth += 1) {
      const next = this.#trail[depth]?.name === path[depth] && this.#trail[depth]?.parent === at ? this.#trail[depth]!.index : this.find(at, path[depth]!);
      if (next === undefined) return refuse('its directory did not come before it');
      this.#trail[depth] = { name: path[depth]!, parent: at, index: next };
      at = next;
    }
    // Only what these entries make a directory is one: a link of the same name leads nowhere.
    if (this.kind(at) !== 'directory') refuse('what holds it is no directory');
    return at;
  }

  find(parent: number, name: string): number | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(parent, name) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!;
      if (index === noEntry) return undefined;
      const row = this.#rows[index]!;
      if (row.parent === parent && row.name === name) return index;
    }
  }

  #enter(index: number): void {
    if (this.#rows.length * 2 > this.#slots.length) {
      const old = this.#slots;
      this.#slots = new Uint32Array(old.length * 2).fill(noEntry);
      for (const known of old) if (known !== noEntry) this.#place(known);
    }
    this.#place(index);
  }

  #place(index: number): void {
    const { parent, name } = this.#rows[index]!;
    const mask = this.#slots.length - 1;
    let slot = hashOf(parent, name) & mask;
    while (this.#slots[slot] !== noEntry) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }

  #row(index: number): Row {
    const row = this.#rows[index];
    if (row === undefined) throw new RangeError(`entry ${index} of ${this.#rows.length}`);
    return row;
  }

  kind(index: number): EntryKind {
    return kinds[this.#row(index).kind]!;
  }

  name(index: number): Buffer {
    return Buffer.from(this.#row(index).name, 'latin1');
  }

  /** The directory that holds an entry; undefined for the root. */
  parent(index: number): number | undefined {
    const { parent } = this.#row(index);
    return parent === noEntry ? undefined : parent;
  }

  path(index: number): string[] {
    const path: string[] = [];
    for (let at: number | undefined = index; at !== undefined && at !== 0; at = this.parent(at)) path.push(this.#row(at).name);
    return path.reverse();
  }

  size(index: number): number {
    return this.#row(index).size;
  }

  linkOf(index: number): number | undefined {
    const { linkOf } = this.#row(index);
    return linkOf === noEntry ? undefined : linkOf;
  }

  metadata(index: number): { readonly mode: number; readonly uid: number; readonly gid: number; readonly modifyNs: bigint } {
    return this.#row(index);
  }

  target(index: number): Buffer {
    return this.#targets.get(index) ?? Buffer.alloc(0);
  }

  device(index: number): { readonly major: number; readonly minor: number } {
    return this.#devices.get(index) ?? { major: 0, minor: 0 };
  }

  xattrs(index: number): ReadonlyMap<string, Buffer> {
    return this.#xattrs.get(index) ?? noXattrs;
  }

  /** Whether a file's data has not been asked for yet. */
  hasData(index: number): boolean {
    return this.#ranges.has(index);
  }

  /** Ranges of a file that hold data. */
  data(index: number): readonly ByteSpan[] {
    const ranges = this.#ranges.get(index);
    return ranges === undefined ? [] : ranges === 'all' ? [{ offset: 0, length: this.size(index) }] : ranges;
  }

  /** Hands out, once, the ranges of a file that are to come. */
  takeData(index: number): RangeSet | undefined {
    const ranges = this.#ranges.get(index);
    if (ranges === undefined) return undefined;
    const data = this.data(index);
    this.#ranges.delete(index);
    // In place the holes between them are still to be looked at.
    if (ranges !== 'all' && this.state(index) === entryState.reuse) this.#declared.set(index, ranges);
    return new RangeSet(data);
  }

  /** Takes back, once, the ranges of a file whose data is coming already. */
  takeDeclared(index: number): readonly ByteSpan[] {
    const ranges = this.#declared.get(index);
    this.#declared.delete(index);
    return ranges ?? [];
  }

  /** Whether it only leads to what was asked for: what is there is left as it is. */
  isLeading(index: number): boolean {
    return this.#leading.has(index);
  }

  /** What a leading directory holds of these entries. */
  leadingChildren(index: number): readonly number[] {
    return this.#leading.get(index) ?? [];
  }

  /** A file whose data has not been asked for yet. */
  firstUntaken(): number | undefined {
    return this.#ranges.keys().next().value;
  }

  state(index: number): EntryState {
    return this.#row(index).state;
  }

  setState(index: number, state: EntryState): void {
    this.#row(index).state = state;
  }
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map();

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return path.length >= start.length && start.every((name, at) => path[at] === name);
}

/** FNV-1a over parent and name. */
function hashOf(parent: number, name: string): number {
  let hash = Math.imul(0x811c9dc5 ^ parent, 0x01000193);
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
