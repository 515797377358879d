/** What a volume looks like after some changes, worked out independently of the namespace that the replica uses. */
import type { ChangeBody, NodeMetadata } from '../../../proto/change.js';

export interface ModelNode {
  readonly id: bigint;
  metadata: NodeMetadata;
  content: Buffer;
  readonly entries: Map<string, ModelNode>;
  names: number;
}

/** Only for changes that fit: it throws on others. */
export class Model {
  readonly nodes = new Map<bigint, ModelNode>();
  readonly root: ModelNode;

  constructor() {
    this.root = this.#add(1n, { nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n });
  }

  apply(body: ChangeBody): void {
    switch (body.kind) {
      case 'create': {
        if (body.node === 1n) {
          this.root.metadata = body.metadata;
          break;
        }
        const node = this.#add(body.node, body.metadata);
        if (body.parent !== undefined) this.#name(this.get(body.parent), body.name!, node);
        break;
      }
      case 'link':
        this.#name(this.get(body.parent), body.name, this.get(body.node));
        break;
      case 'unlink': {
        const parent = this.get(body.parent);
        this.#unname(parent, body.name);
        break;
      }
      case 'rename': {
        const from = this.get(body.parent);
        const to = this.get(body.toParent);
        const node = from.entries.get(body.name)!;
        const other = to.entries.get(body.toName);
        if (node === other) break;
        if (body.exchange) {
          from.entries.set(body.name, other!);
          to.entries.set(body.toName, node);
        } else {
          // The old name goes first: what is moved does not go with a directory that holds it.
          from.entries.delete(body.name);
          if (other !== undefined) this.#unname(to, body.toName);
          to.entries.set(body.toName, node);
        }
        break;
      }
      case 'write':
        this.#put(this.get(body.node), body.offset, body.data);
        break;
      case 'truncate': {
        const node = this.get(body.node);
        const grown = Buffer.alloc(body.size);
        node.content.copy(grown, 0, 0, Math.min(body.size, node.content.length));
        node.content = grown;
        break;
      }
      case 'punch': {
        const { content } = this.get(body.node);
        content.fill(0, Math.min(body.offset, content.length), Math.min(body.offset + body.length, content.length));
        break;
      }
      case 'zero':
        this.#put(this.get(body.node), body.offset, Buffer.alloc(body.length));
        break;
      case 'clone': {
        const bytes = Buffer.alloc(body.length);
        this.get(body.sourceNode).content.subarray(body.sourceOffset, body.sourceOffset + body.length).copy(bytes);
        this.#put(this.get(body.node), body.offset, bytes);
        break;
      }
      case 'attributes': {
        const node = this.get(body.node);
        const { mode, uid, gid, modifyNs } = { ...node.metadata, ...body };
        node.metadata = { ...node.metadata, mode, uid, gid, modifyNs };
        break;
      }
      case 'xattr-set':
      case 'xattr-remove': {
        const node = this.get(body.node);
        const xattrs = new Map(node.metadata.xattrs ?? []);
        if (body.kind === 'xattr-set') xattrs.set(body.key, body.value);
        else xattrs.delete(body.key);
        node.metadata = { ...node.metadata, xattrs };
        break;
      }
    }
  }

  get(id: bigint): ModelNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`the model has no node ${id}`);
    return node;
  }

  /** Whether `node` is `ancestor` or lies below it. */
  isWithin(node: ModelNode, ancestor: ModelNode): boolean {
    return node === ancestor || [...ancestor.entries.values()].some((child) => child.metadata.nodeKind === 'directory' && this.isWithin(node, child));
  }

  #add(id: bigint, metadata: NodeMetadata): ModelNode {
    const node: ModelNode = { id, metadata, content: Buffer.alloc(0), entries: new Map(), names: 0 };
    this.nodes.set(id, node);
    return node;
  }

  #name(parent: ModelNode, name: string, node: ModelNode): void {
    if (parent.entries.has(name)) throw new Error(`the model has ${name} already`);
    parent.entries.set(name, node);
    node.names += 1;
  }

  #unname(parent: ModelNode, name: string): void {
    const node = parent.entries.get(name)!;
    parent.entries.delete(name);
    for (const below of [...node.entries.keys()]) this.#unname(node, below);
    node.names -= 1;
    if (node.names === 0) this.nodes.delete(node.id);
  }

  #put(node: ModelNode, offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    if (end > node.content.length) {
      const grown = Buffer.alloc(end);
      node.content.copy(grown);
      node.content = grown;
    }
    bytes.copy(node.content, offset);
  }
}
