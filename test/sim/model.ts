/**
 * What changes mean, written down a second time and as plainly as can be: paths and what they name.
 * It shares nothing with the components under test, so that it can contradict them.
 */
import { rootNode, type ChangeBody, type NodeId, type NodeMetadata } from '../../proto/change.js';
import { hash64 } from '../../proto/journal/hash.js';

export interface ModelNode {
  readonly id: NodeId;
  readonly kind: NodeMetadata['nodeKind'];
  mode: number;
  uid: number;
  gid: number;
  modifyNs: bigint;
  content: Buffer;
  readonly target: string;
  readonly device: string;
  readonly xattrs: Map<string, string>;
}

export class ModelVolume {
  /** `''` is the root; everything else is `/name/name`, one character a byte. */
  readonly paths = new Map<string, ModelNode>();
  /** Also those without a name yet. */
  readonly nodes = new Map<NodeId, ModelNode>();

  /** Whether anything was said about the root: before, its metadata is anybody's. */
  isBegun = false;

  constructor() {
    this.#add(rootNode, '', { nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n });
  }

  pathsOf(id: NodeId): string[] {
    return [...this.paths].filter(([, node]) => node.id === id).map(([path]) => path);
  }

  childrenOf(path: string): string[] {
    return [...this.paths.keys()].filter((other) => other !== '' && other.slice(0, other.lastIndexOf('/')) === path);
  }

  apply(body: ChangeBody): void {
    switch (body.kind) {
      case 'create':
        this.isBegun = true;
        this.#add(body.node, body.node === rootNode ? '' : body.parent === undefined ? undefined : this.#path(body.parent, body.name!), body.metadata);
        return;
      case 'link':
        this.paths.set(this.#path(body.parent, body.name), this.#node(body.node));
        return;
      case 'unlink':
        this.#drop(this.#path(body.parent, body.name));
        return;
      case 'rename': {
        const from = this.#path(body.parent, body.name);
        const to = this.#path(body.toParent, body.toName);
        if (body.exchange) this.#exchange(from, to);
        else this.#move(from, to);
        return;
      }
      case 'write':
        this.#put(body.node, body.offset, body.data);
        return;
      case 'zero':
        this.#put(body.node, body.offset, Buffer.alloc(body.length));
        return;
      case 'punch': {
        const { content } = this.#node(body.node);
        content.fill(0, Math.min(body.offset, content.byteLength), Math.min(body.offset + body.length, content.byteLength));
        return;
      }
      case 'clone': {
        const bytes = Buffer.alloc(body.length);
        this.#node(body.sourceNode).content.copy(bytes, 0, body.sourceOffset, body.sourceOffset + body.length);
        this.#put(body.node, body.offset, bytes);
        return;
      }
      case 'truncate': {
        const node = this.#node(body.node);
        const content = Buffer.alloc(body.size);
        node.content.copy(content);
        node.content = content;
        return;
      }
      case 'attributes': {
        const node = this.#node(body.node);
        node.mode = body.mode ?? node.mode;
        node.uid = body.uid ?? node.uid;
        node.gid = body.gid ?? node.gid;
        node.modifyNs = body.modifyNs ?? node.modifyNs;
        return;
      }
      case 'xattr-set':
        this.#node(body.node).xattrs.set(body.key, body.value.toString('hex'));
        return;
      case 'xattr-remove':
        this.#node(body.node).xattrs.delete(body.key);
        return;
      default:
        // Control changes leave the tree alone.
    }
  }

  /** One line a path, in order; two trees are equal when their lines are. */
  lines(): string[] {
    const lines: string[] = [];
    const firsts = new Map<ModelNode, string>();
    for (const [path, node] of [...this.paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const first = firsts.get(node);
      if (first === undefined) firsts.set(node, path);
      lines.push(describe(path, node, first ?? ''));
    }
    return lines.sort();
  }

  #node(id: NodeId): ModelNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`the workload speaks of node ${id}, which is not there`);
    return node;
  }

  #path(parent: NodeId, name: string): string {
    const [path] = this.pathsOf(parent);
    if (path === undefined) throw new Error(`the workload speaks of directory ${parent}, which has no path`);
    return `${path}/${name}`;
  }

  #add(id: NodeId, path: string | undefined, metadata: NodeMetadata): void {
    const { nodeKind: kind, mode, uid, gid, modifyNs, target, device, xattrs } = metadata;
    const node: ModelNode = {
      id, kind, mode, uid, gid, modifyNs, content: Buffer.alloc(0),
      target: target?.toString('latin1') ?? '',
      device: device === undefined ? '' : `${device.major}:${device.minor}`,
      xattrs: new Map([...(xattrs ?? [])].map(([key, value]) => [key, value.toString('hex')])),
    };
    this.nodes.set(id, node);
    if (path !== undefined) this.paths.set(path, node);
  }

  #put(id: NodeId, offset: number, bytes: Buffer): void {
    const node = this.#node(id);
    const content = Buffer.alloc(Math.max(node.content.byteLength, offset + bytes.byteLength));
    node.content.copy(content);
    bytes.copy(content, offset);
    node.content = content;
  }

  #drop(path: string): void {
    const node = this.paths.get(path);
    if (node === undefined) throw new Error(`the workload removes ${path}, which is not there`);
    this.paths.delete(path);
    if (![...this.paths.values()].includes(node)) this.nodes.delete(node.id);
  }

  #move(from: string, to: string): void {
    const node = this.paths.get(from);
    if (node === undefined) throw new Error(`the workload renames ${from}, which is not there`);
    if (this.paths.get(to) === node) return;
    if (this.paths.has(to)) this.#drop(to);
    this.#rekey([[from, to]]);
  }

  #exchange(one: string, other: string): void {
    this.#rekey([
      [one, other],
      [other, one],
    ]);
  }

  /** Gives everything at or below each first path the second one instead. */
  #rekey(moves: readonly (readonly [from: string, to: string])[]): void {
    const moved: [string, ModelNode][] = [];
    for (const [path, node] of [...this.paths]) {
      const move = moves.find(([from]) => path === from || path.startsWith(`${from}/`));
      if (move === undefined) continue;
      this.paths.delete(path);
      moved.push([move[1] + path.slice(move[0].length), node]);
    }
    for (const [path, node] of moved) this.paths.set(path, node);
  }
}

/** A node on one line, all that counts of it; `sameAs` is another path of the same node, or nothing. */
export function describe(path: string, node: Omit<ModelNode, 'id'>, sameAs: string): string {
  const { kind, mode, uid, gid, modifyNs, content, target, device, xattrs } = node;
  const attributes = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  // Symbolic links have no mode of their own.
  const permissions = kind === 'symlink' ? '-' : mode.toString(8);
  return [path === '' ? '/' : path, kind, permissions, `${uid}:${gid}`, modifyNs, content.byteLength, hash64(content), target, device, attributes.join(','), sameAs].join(' ');
}
