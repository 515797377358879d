/** A tree written down the plain way, byte by byte, changed at random: what points and restores are held against. */
import { asNodeId, rootNode, type ChangeBody, type NodeId, type NodeKind } from '../../../proto/change.js';
import { nameFromBytes, type Name } from '../../../proto/name.js';
import type { Dice } from './dice.js';

export interface ModelNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  mode: number;
  uid: number;
  gid: number;
  modifyNs: bigint;
  readonly target: Buffer | undefined;
  readonly device: { major: number; minor: number } | undefined;
  readonly xattrs: Map<string, Buffer>;
  bytes: Buffer;
  /** One byte a byte of content: 1 where there is data (allocated), 0 in holes. */
  data: Buffer;
  readonly children: Map<Name, ModelNode>;
}

export interface ModelEntry {
  readonly path: readonly Name[];
  readonly node: ModelNode;
  readonly links: number;
}

const names = ['a', 'b', 'c', 'data.db', 'UPPER', 'upper', 'line\nfeed', ' space ', 'back\\slash', '-rf', '...', '\u00fc\u{1f5c4}'].map((text) => nameFromBytes(Buffer.from(text)));
names.push(nameFromBytes(Buffer.from([0xff, 0xfe, 0x80])), nameFromBytes(Buffer.from([0x01, 0x7f, 0xc0, 0xaf])), nameFromBytes(Buffer.from('n'.repeat(255))));
const uniqueKinds: readonly NodeKind[] = ['file', 'file', 'file', 'file', 'directory', 'directory', 'symlink', 'fifo', 'socket', 'character-device'];
const sizeMax = 300_000;

export class TreeModel {
  root: ModelNode = bare(rootNode, 'directory');
  #lastNode = 1n;

  /** All paths, parents first, bytewise. */
  entries(): ModelEntry[] {
    const links = new Map<ModelNode, number>();
    const found: { path: readonly Name[]; node: ModelNode }[] = [];
    const visit = (path: readonly Name[], node: ModelNode): void => {
      found.push({ path, node });
      links.set(node, (links.get(node) ?? 0) + 1);
      for (const name of [...node.children.keys()].sort()) visit([...path, name], node.children.get(name)!);
    };
    visit([], this.root);
    return found.map(({ path, node }) => ({ path, node, links: links.get(node)! }));
  }

  copy(): TreeModel {
    const copies = new Map<ModelNode, ModelNode>();
    const copyOf = (node: ModelNode): ModelNode => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const copy: ModelNode = { ...node, xattrs: new Map(node.xattrs), bytes: Buffer.from(node.bytes), data: Buffer.from(node.data), children: new Map() };
      copies.set(node, copy);
      for (const [name, child] of node.children) copy.children.set(name, copyOf(child));
      return copy;
    };
    const model = new TreeModel();
    model.root = copyOf(this.root);
    model.#lastNode = this.#lastNode;
    return model;
  }

  /** One random change that fits, already made; a few of them change several things at once. */
  change(dice: Dice): ChangeBody {
    const entries = this.entries();
    const files = entries.filter(({ node }) => node.kind === 'file');
    const roll = dice.below(100);
    if (entries.length < 4 || (roll < 22 && entries.length < 120)) return this.#create(dice, entries);
    if (roll < 27 && files.length > 0) return this.#link(dice, entries, files);
    if (roll < 34) return this.#unlink(dice, entries);
    if (roll < 46) return this.#rename(dice, entries);
    if (roll < 54) return this.#attributes(dice, entries);
    if (roll < 60) return this.#xattr(dice, entries);
    return files.length === 0 ? this.#create(dice, entries) : this.#content(dice, files);
  }

  #directory(dice: Dice, entries: readonly ModelEntry[]): ModelNode {
    return dice.pick(entries.filter(({ node, path }) => node.kind === 'directory' && path.length < 8)).node;
  }

  #create(dice: Dice, entries: readonly ModelEntry[]): ChangeBody {
    const parent = this.#directory(dice, entries);
    const free = names.filter((name) => !parent.children.has(name));
    const name = free.length > 0 ? dice.pick(free) : nameFromBytes(Buffer.from(`extra-${this.#lastNode}`));
    const kind = dice.pick(uniqueKinds);
    this.#lastNode += 1n;
    const node = bare(asNodeId(this.#lastNode), kind, {
      mode: kind === 'symlink' ? 0o777 : dice.pick([0o644, 0o755, 0o600, 0o4755, 0o2750, 0o1777, 0o444, 0o000]),
      uid: dice.pick([0, 0, 1000, 65534]),
      gid: dice.pick([0, 100]),
      modifyNs: randomTime(dice),
      ...(kind === 'symlink' ? { target: dice.pick([Buffer.from('/etc/passwd'), Buffer.from('../../..'), Buffer.from([0xff, 0x2f, 0x0a])]) } : {}),
      ...(kind === 'character-device' ? { device: { major: 1, minor: dice.pick([3, 5]) } } : {}),
    });
    if (dice.chance(0.2) && (kind === 'file' || kind === 'directory')) node.xattrs.set('user.born', dice.bytes(dice.below(20)));
    parent.children.set(name, node);
    const { mode, uid, gid, modifyNs, target, device, xattrs } = node;
    return {
      kind: 'create',
      node: node.id,
      parent: parent.id,
      name,
      metadata: { nodeKind: kind, mode, uid, gid, modifyNs, ...(target === undefined ? {} : { target }), ...(device === undefined ? {} : { device }), ...(xattrs.size === 0 ? {} : { xattrs: new Map(xattrs) }) },
    };
  }

  #link(dice: Dice, entries: readonly ModelEntry[], files: readonly ModelEntry[]): ChangeBody {
    const { node } = dice.pick(files);
    const parent = this.#directory(dice, entries);
    const name = nameFromBytes(Buffer.from(`link-${dice.below(1000)}`));
    if (parent.children.has(name)) return this.#attributes(dice, entries);
    parent.children.set(name, node);
    return { kind: 'link', node: node.id, parent: parent.id, name };
  }

  #unlink(dice: Dice, entries: readonly ModelEntry[]): ChangeBody {
    const removable = entries.filter(({ path, node }) => path.length > 0 && node.children.size === 0);
    if (removable.length === 0) return this.#attributes(dice, entries);
    const { parent, name } = this.#place(dice.pick(removable));
    parent.children.delete(name);
    return { kind: 'unlink', parent: parent.id, name };
  }

  #rename(dice: Dice, entries: readonly ModelEntry[]): ChangeBody {
    const moved = dice.pick(entries.filter(({ path }) => path.length > 0));
    const { parent, name } = this.#place(moved);
    if (dice.chance(0.2)) {
      const other = dice.pick(entries.filter(({ path }) => path.length > 0));
      const isApart = !startsWith(other.path, moved.path) && !startsWith(moved.path, other.path);
      if (isApart) {
        const there = this.#place(other);
        parent.children.set(name, other.node);
        there.parent.children.set(there.name, moved.node);
        return { kind: 'rename', parent: parent.id, name, toParent: there.parent.id, toName: there.name, exchange: true };
      }
    }
    const targets = entries.filter(({ node, path }) => node.kind === 'directory' && path.length < 8 && !startsWith(path, moved.path));
    const toParent = dice.pick(targets).node;
    const toName = dice.pick([...names, ...toParent.children.keys()]);
    const displaced = toParent.children.get(toName);
    if (displaced !== undefined && (displaced.kind === 'directory' || moved.node.kind === 'directory')) return this.#attributes(dice, entries);
    // rename(2) leaves two names of one node as they are.
    if (displaced !== moved.node) {
      parent.children.delete(name);
      toParent.children.set(toName, moved.node);
    }
    return { kind: 'rename', parent: parent.id, name, toParent: toParent.id, toName, exchange: false };
  }

  #attributes(dice: Dice, entries: readonly ModelEntry[]): ChangeBody {
    const { node } = dice.pick(entries);
    const body: ChangeBody = {
      kind: 'attributes',
      node: node.id,
      ...(dice.chance(0.5) && node.kind !== 'symlink' ? { mode: dice.pick([0o600, 0o755, 0o700, 0o6755, 0o500]) } : {}),
      ...(dice.chance(0.3) ? { uid: dice.below(3), gid: dice.below(3) } : {}),
      ...(dice.chance(0.5) ? { modifyNs: randomTime(dice) } : {}),
    };
    Object.assign(node, Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'kind' && key !== 'node')));
    return body;
  }

  #xattr(dice: Dice, entries: readonly ModelEntry[]): ChangeBody {
    const { node } = dice.pick(entries.filter((entry) => entry.node.kind === 'file' || entry.node.kind === 'directory'));
    const key = dice.pick([...node.xattrs.keys(), 'user.a', 'user.b', 'trusted.c']);
    if (node.xattrs.has(key) && dice.chance(0.5)) {
      node.xattrs.delete(key);
      return { kind: 'xattr-remove', node: node.id, key };
    }
    const value = dice.bytes(dice.below(64));
    node.xattrs.set(key, value);
    return { kind: 'xattr-set', node: node.id, key, value };
  }

  #content(dice: Dice, files: readonly ModelEntry[]): ChangeBody {
    const { node } = dice.pick(files);
    const size = node.bytes.byteLength;
    const offset = dice.chance(0.4) ? size : dice.chance(0.8) ? dice.below(size + 5000) : dice.below(sizeMax);
    const length = 1 + dice.below(dice.chance(0.1) ? 30_000 : 3000);
    switch (dice.below(8)) {
      case 0: {
        const to = dice.chance(0.5) ? dice.below(size + 1) : Math.min(sizeMax, size + dice.below(20_000));
        resize(node, to);
        return { kind: 'truncate', node: node.id, size: to };
      }
      case 1:
        node.bytes.subarray(offset, offset + length).fill(0);
        node.data.subarray(offset, offset + length).fill(0);
        return { kind: 'punch', node: node.id, offset, length };
      case 2:
        resize(node, Math.max(size, offset + length));
        node.bytes.fill(0, offset, offset + length);
        node.data.fill(1, offset, offset + length);
        return { kind: 'zero', node: node.id, offset, length };
      case 3: {
        const source = dice.pick(files).node;
        const sourceOffset = dice.below(source.bytes.byteLength + 1);
        const taken = Math.min(length, source.bytes.byteLength - sourceOffset);
        if (taken === 0) break;
        const bytes = Buffer.from(source.bytes.subarray(sourceOffset, sourceOffset + taken));
        const data = Buffer.from(source.data.subarray(sourceOffset, sourceOffset + taken));
        resize(node, Math.max(size, offset + taken));
        bytes.copy(node.bytes, offset);
        data.copy(node.data, offset);
        return { kind: 'clone', node: node.id, offset, length: taken, sourceNode: source.id, sourceOffset };
      }
      default:
        break;
    }
    const bytes = dice.bytes(length);
    resize(node, Math.max(size, offset + length));
    bytes.copy(node.bytes, offset);
    node.data.fill(1, offset, offset + length);
    return { kind: 'write', node: node.id, offset, data: bytes };
  }

  #place({ path }: ModelEntry): { parent: ModelNode; name: Name } {
    let parent = this.root;
    for (const name of path.slice(0, -1)) parent = parent.children.get(name)!;
    return { parent, name: path.at(-1)! };
  }
}

export function bare(id: NodeId, kind: NodeKind, more: Partial<ModelNode> = {}): ModelNode {
  return { id, kind, mode: 0o755, uid: 0, gid: 0, modifyNs: 0n, target: undefined, device: undefined, xattrs: new Map(), bytes: Buffer.alloc(0), data: Buffer.alloc(0), children: new Map(), ...more };
}

function resize(node: ModelNode, size: number): void {
  if (size === node.bytes.byteLength) return;
  const [bytes, data] = [Buffer.alloc(size), Buffer.alloc(size)];
  node.bytes.copy(bytes);
  node.data.copy(data);
  node.bytes = bytes;
  node.data = data;
}

function startsWith(path: readonly Name[], start: readonly Name[]): boolean {
  return path.length >= start.length && start.every((name, at) => path[at] === name);
}

function randomTime(dice: Dice): bigint {
  return 1_500_000_000_000_000_000n + BigInt(dice.below(2 ** 31)) * 123_456_789n;
}

/** Ranges of a node that hold data, as a point should tell them. */
export function dataRanges(node: ModelNode): { offset: number; length: number }[] {
  const ranges: { offset: number; length: number }[] = [];
  for (let at = node.data.indexOf(1); at >= 0; ) {
    const end = node.data.indexOf(0, at);
    const stop = end < 0 ? node.data.byteLength : end;
    ranges.push({ offset: at, length: stop - at });
    at = end < 0 ? -1 : node.data.indexOf(1, end);
  }
  return ranges;
}
