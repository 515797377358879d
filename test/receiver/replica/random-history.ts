/** Makes up changes at random that fit the volume as it is, so that any stretch of them is what a source could have done. */
import { asNodeId, rootNode, type ChangeBody, type NodeId, type NodeKind, type NodeMetadata } from '../../../proto/change.js';
import type { Name } from '../../../proto/name.js';
import type { Random } from '../../../native/host/random.js';
import { Model, type ModelNode } from './model.js';

export interface HistoryOptions {
  readonly random: Random;
  /** Owners, special files and attributes only root can set. */
  readonly asRoot: boolean;
  readonly bytesMax?: number;
}

const names = ['a', 'b', 'c', 'd e', '\xff\xfe', 'line\nfeed', 'n'.repeat(255), '...', 'caf\xc3\xa9', '-rf'] as Name[];

export class RandomHistory {
  readonly model = new Model();
  readonly #random: Random;
  readonly #options: HistoryOptions;
  #lastNode = 1n;
  #clockNs = 1_700_000_000_123_456_789n;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  /** The next changes; the model holds them already. */
  next(count: number): ChangeBody[] {
    const bodies: ChangeBody[] = [];
    while (bodies.length < count) {
      const body = this.#pick();
      if (body === undefined) continue;
      this.model.apply(body);
      bodies.push(body);
    }
    return bodies;
  }

  #below(limit: number): number {
    return Math.floor(this.#random.fraction() * limit);
  }

  #one<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#below(items.length)];
  }

  #nodes(...kinds: NodeKind[]): ModelNode[] {
    return [...this.model.nodes.values()].filter((node) => kinds.includes(node.metadata.nodeKind));
  }

  #metadata(nodeKind: NodeKind): NodeMetadata {
    this.#clockNs += BigInt(this.#below(2_000_000_000)) + 1n;
    const { asRoot } = this.#options;
    const isDevice = nodeKind === 'character-device' || nodeKind === 'block-device';
    return {
      nodeKind,
      mode: this.#one([0o644, 0o600, 0o755, 0o000, 0o444, 0o500, 0o1777, ...(asRoot ? [0o4755, 0o2755] : [])])!,
      uid: asRoot ? this.#below(3) * 1000 : 0,
      gid: asRoot ? this.#below(3) * 1000 : 0,
      modifyNs: this.#clockNs,
      ...(isDevice ? { device: { major: 1, minor: 3 } } : {}),
      ...(nodeKind === 'symlink' ? { target: Buffer.from(this.#one(['../../etc/passwd', '/', 'a', '\xff'])!, 'latin1') } : {}),
      ...(nodeKind === 'file' && this.#below(4) === 0 ? { xattrs: new Map([['user.made', Buffer.from([0, 255, 7])]]) } : {}),
    };
  }

  #freeName(): { parent: NodeId; name: Name } | undefined {
    const parent = this.#one(this.#nodes('directory'))!;
    const name = this.#one(names.filter((candidate) => !parent.entries.has(candidate)));
    return name === undefined ? undefined : { parent: parent.id as NodeId, name };
  }

  #usedName(): { parent: NodeId; name: Name; node: ModelNode } | undefined {
    const parent = this.#one(this.#nodes('directory').filter((node) => node.entries.size > 0));
    const entry = parent === undefined ? undefined : this.#one([...parent.entries]);
    return parent === undefined || entry === undefined ? undefined : { parent: parent.id as NodeId, name: entry[0] as Name, node: entry[1] };
  }

  #range(): { offset: number; length: number } {
    const max = this.#options.bytesMax ?? 40_000;
    return { offset: this.#below(max), length: 1 + this.#below(max / 2) };
  }

  #pick(): ChangeBody | undefined {
    const kind = this.#below(100);
    if (kind < 18) return this.#create();
    if (kind < 45) return this.#content();
    if (kind < 52) {
      const used = this.#usedName();
      return used === undefined ? undefined : { kind: 'unlink', parent: used.parent, name: used.name };
    }
    if (kind < 70) return this.#rename();
    if (kind < 77) {
      const node = this.#one(this.#nodes('file', 'symlink', 'fifo'));
      const free = this.#freeName();
      return node === undefined || free === undefined ? undefined : { kind: 'link', node: node.id as NodeId, ...free };
    }
    if (kind < 90) {
      const node = this.#one([...this.model.nodes.values()])!;
      const { mode, uid, gid, modifyNs } = this.#metadata(node.metadata.nodeKind);
      return { kind: 'attributes', node: node.id as NodeId, modifyNs, ...(this.#below(2) === 0 ? { mode, uid, gid } : {}) };
    }
    const node = this.#one(this.#nodes('file', 'directory'))!;
    const key = this.#one(['user.one', 'user.two', ...(this.#options.asRoot ? ['trusted.three'] : [])])!;
    if (node.metadata.xattrs?.has(key) === true && this.#below(2) === 0) return { kind: 'xattr-remove', node: node.id as NodeId, key };
    return { kind: 'xattr-set', node: node.id as NodeId, key, value: Buffer.from(this.#random.bytes(1 + this.#below(40))) };
  }

  #create(): ChangeBody | undefined {
    if (this.model.nodes.size > 60) return undefined;
    const kinds: NodeKind[] = ['file', 'file', 'file', 'file', 'directory', 'directory', 'directory', 'symlink', 'fifo', ...(this.#options.asRoot ? (['socket', 'character-device'] as const) : [])];
    const metadata = this.#metadata(this.#one(kinds)!);
    this.#lastNode += 1n;
    const node = asNodeId(this.#lastNode * 0x1234_5678_9abc_def1n & 0xffff_ffff_ffff_ffffn);
    if (node === rootNode || this.model.nodes.has(node)) return undefined;
    if (metadata.nodeKind === 'file' && this.#below(6) === 0) return { kind: 'create', node, metadata };
    const free = this.#freeName();
    return free === undefined ? undefined : { kind: 'create', node, ...free, metadata };
  }

  #content(): ChangeBody | undefined {
    const files = this.#nodes('file');
    const file = this.#one(files);
    if (file === undefined) return undefined;
    const node = file.id as NodeId;
    const kind = this.#below(10);
    if (kind < 3) return { kind: 'write', node, offset: file.content.length, data: Buffer.from(this.#random.bytes(1 + this.#below(3000))) };
    if (kind < 6) {
      const { offset, length } = this.#range();
      return { kind: 'write', node, offset, data: Buffer.from(this.#random.bytes(Math.min(length, 5000))) };
    }
    if (kind < 7) return { kind: 'truncate', node, size: this.#below(this.#options.bytesMax ?? 40_000) };
    if (kind < 8) return { kind: 'punch', node, ...this.#range() };
    if (kind < 9) return { kind: 'zero', node, ...this.#range() };
    const source = this.#one(files)!;
    const range = this.#range();
    const sourceOffset = this.#below(20_000);
    // Copying a range onto part of itself is refused by file systems.
    if (source === file && Math.abs(range.offset - sourceOffset) < range.length) return undefined;
    return { kind: 'clone', node, ...range, sourceNode: source.id as NodeId, sourceOffset };
  }

  #rename(): ChangeBody | undefined {
    const from = this.#usedName();
    if (from === undefined) return undefined;
    const to = this.#below(2) === 0 ? this.#freeName() : this.#usedName();
    if (to === undefined || this.model.isWithin(this.model.get(to.parent), from.node)) return undefined;
    const other = this.model.get(to.parent).entries.get(to.name);
    const exchange = other !== undefined && this.#below(3) === 0;
    if (exchange && this.model.isWithin(this.model.get(from.parent), other)) return undefined;
    // What is displaced must not hold what is moved.
    if (!exchange && other !== undefined && this.model.isWithin(this.model.get(from.parent), other)) return undefined;
    return { kind: 'rename', parent: from.parent, name: from.name, toParent: to.parent, toName: to.name, exchange };
  }
}
