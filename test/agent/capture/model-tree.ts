/** A volume as its changes say it is, applied strictly, and the comparison with a real directory. */
import { createHash } from 'node:crypto';
import type { Directory, DirectoryOpener } from '../../../native/host/directory.js';
import type { Change, ChangeBody, NodeId, NodeMetadata, VolumeId } from '../../../proto/change.js';
import { displayPath, type Name } from '../../../proto/name.js';

interface ModelNode {
  readonly kind: NodeMetadata['nodeKind'];
  mode: number;
  uid: number;
  gid: number;
  modifyNs: bigint;
  readonly device: string;
  readonly target: Buffer | undefined;
  readonly xattrs: Map<string, Buffer>;
  content: Buffer;
  readonly children: Map<string, NodeId>;
  links: number;
}

export class ModelTree {
  readonly nodes = new Map<NodeId, ModelNode>();
  readonly #used = new Set<NodeId>();

  constructor() {
    this.nodes.set(1n as NodeId, { kind: 'directory', mode: -1, uid: -1, gid: -1, modifyNs: -1n, device: '', target: undefined, xattrs: new Map(), content: Buffer.alloc(0), children: new Map(), links: 1 });
  }

  static from(changes: readonly Change[], volume: VolumeId): ModelTree {
    const model = new ModelTree();
    for (const change of changes) {
      if (change.volume !== volume) continue;
      try {
        model.apply(change.body);
      } catch (error) {
        throw new Error(`change ${change.sequence} (${JSON.stringify(change.body, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 300)}): ${(error as Error).message}`);
      }
    }
    return model;
  }

  #node(id: NodeId): ModelNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }
  #directory(id: NodeId): ModelNode {
    const node = this.#node(id);
    if (node.kind !== 'directory') throw new Error(`node ${id} is no directory`);
    return node;
  }
  #file(id: NodeId): ModelNode {
    const node = this.#node(id);
    if (node.kind !== 'file') throw new Error(`node ${id} is no file`);
    return node;
  }

  apply(body: ChangeBody): void {
    switch (body.kind) {
      case 'create': {
        const { metadata } = body;
        if (this.#used.has(body.node) || this.nodes.has(body.node)) throw new Error(`node ${body.node} was used before`);
        this.#used.add(body.node);
        this.nodes.set(body.node, {
          kind: metadata.nodeKind, mode: metadata.mode, uid: metadata.uid, gid: metadata.gid, modifyNs: metadata.modifyNs,
          device: metadata.device === undefined ? '' : `${metadata.device.major}:${metadata.device.minor}`,
          target: metadata.target, xattrs: new Map(metadata.xattrs), content: Buffer.from(new ArrayBuffer(0)), children: new Map(), links: 0,
        });
        if (body.parent !== undefined) this.#link(body.parent, body.name!, body.node);
        return;
      }
      case 'link':
        if (this.#node(body.node).kind === 'directory') throw new Error('link to a directory');
        return this.#link(body.parent, body.name, body.node);
      case 'unlink':
        return this.#unlink(body.parent, body.name);
      case 'rename': {
        const source = this.#directory(body.parent).children;
        const target = this.#directory(body.toParent).children;
        const node = source.get(body.name);
        const replaced = target.get(body.toName);
        if (node === undefined) throw new Error('rename of nothing');
        if (node === replaced) throw new Error('rename onto itself');
        if (body.exchange) {
          if (replaced === undefined) throw new Error('exchange with nothing');
          source.set(body.name, replaced);
        } else {
          if (replaced !== undefined) this.#unlink(body.toParent, body.toName);
          source.delete(body.name);
        }
        target.set(body.toName, node);
        this.#reach();
        return;
      }
      case 'write': {
        const node = this.#file(body.node);
        this.#grow(node, body.offset + body.data.byteLength);
        body.data.copy(node.content, body.offset);
        if (body.data.byteLength > 256 * 1024) throw new Error('a write of too many bytes');
        // As on a real system, writing sets another time: the engine has to say which it was.
        node.modifyNs = -1n;
        return;
      }
      case 'zero':
      case 'punch': {
        const node = this.#file(body.node);
        if (body.kind === 'zero') this.#grow(node, body.offset + body.length);
        // A hole punched past the end changes nothing there.
        node.content.fill(0, Math.min(body.offset, node.content.length), Math.min(body.offset + body.length, node.content.length));
        node.modifyNs = -1n;
        return;
      }
      case 'truncate': {
        const node = this.#file(body.node);
        if (body.size <= node.content.byteLength) node.content = Buffer.from(new Uint8Array(node.content.subarray(0, body.size)).buffer);
        else this.#grow(node, body.size);
        node.modifyNs = -1n;
        return;
      }
      case 'attributes': {
        const node = this.#node(body.node);
        if (body.mode !== undefined) node.mode = body.mode;
        if (body.uid !== undefined) node.uid = body.uid;
        if (body.gid !== undefined) node.gid = body.gid;
        if (body.modifyNs !== undefined) node.modifyNs = body.modifyNs;
        return;
      }
      case 'xattr-set':
        this.#node(body.node).xattrs.set(body.key, body.value);
        return;
      case 'xattr-remove':
        if (!this.#node(body.node).xattrs.delete(body.key)) throw new Error('no such attribute');
        return;
      case 'clone': {
        const node = this.#file(body.node);
        const source = this.#file(body.sourceNode).content.subarray(body.sourceOffset, body.sourceOffset + body.length);
        if (source.byteLength < body.length) throw new Error('clone of what is not there');
        const taken = Buffer.from(source);
        this.#grow(node, body.offset + body.length);
        taken.copy(node.content, body.offset);
        node.modifyNs = -1n;
        return;
      }
      case 'durable':
      case 'baseline':
      case 'gap':
      case 'settled':
        return;
      default:
        throw new Error(`unexpected change ${body.kind}`);
    }
  }

  #grow(node: ModelNode, size: number): void {
    const { content } = node;
    if (size <= content.byteLength) return;
    // With room to grow: appending piece by piece would else copy all of it each time.
    const room = content.buffer.byteLength - content.byteOffset;
    const larger = size <= room ? Buffer.from(content.buffer, content.byteOffset, size) : Buffer.from(new ArrayBuffer(size * 2), 0, size);
    if (size > room) content.copy(larger);
    larger.fill(0, content.byteLength);
    node.content = larger;
  }

  #link(parent: NodeId, name: string, node: NodeId): void {
    const { children } = this.#directory(parent);
    if (children.has(name)) throw new Error('the name is taken');
    children.set(name, node);
    this.#node(node).links += 1;
  }

  #unlink(parent: NodeId, name: string): void {
    const { children } = this.#directory(parent);
    const id = children.get(name);
    if (id === undefined) throw new Error('unlink of nothing');
    const node = this.#node(id);
    if (node.children.size > 0) throw new Error('the directory is not empty');
    children.delete(name);
    node.links -= 1;
    if (node.links === 0) this.nodes.delete(id);
  }

  /** Every node hangs on the root: a directory moved below itself would not. */
  #reach(): void {
    const seen = new Set<NodeId>([1n as NodeId]);
    for (const id of seen) for (const child of this.#node(id).children.values()) seen.add(child);
    if (seen.size !== this.nodes.size) throw new Error(`${this.nodes.size - seen.size} nodes cannot be reached`);
  }

  /** One line for each name, with all that is known of the node. */
  describe(): string[] {
    const lines: string[] = [];
    const groups = new Map<NodeId, number>();
    const visit = (id: NodeId, path: readonly Name[]): void => {
      const node = this.#node(id);
      lines.push(line(path, { ...node, ...(node.kind === 'file' ? { content: node.content } : {}) }));
      if (node.links > 1) groups.set(id, (groups.get(id) ?? 0) + 1);
      for (const [name, child] of node.children) visit(child, [...path, name as Name]);
    };
    visit(1n as NodeId, []);
    for (const [id, names] of groups) if (names !== this.#node(id).links) lines.push(`node ${id} has ${this.#node(id).links} links but ${names} names`);
    return [...lines, ...[...groups.values()].map((names) => `a node of ${names} names`)].sort();
  }
}

interface Described {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: bigint;
  readonly device: string;
  readonly target: Buffer | undefined;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly content: Buffer;
}

function line(path: readonly Name[], node: Described): string {
  const xattrs = [...node.xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).sort().join(',');
  const content = node.kind === 'file' ? ` ${node.content.byteLength} bytes ${createHash('sha1').update(node.content).digest('hex')}` : '';
  const target = node.target === undefined ? '' : ` -> ${node.target.toString('latin1')}`;
  return `${displayPath(path)} ${node.kind} ${node.mode.toString(8)} ${node.uid}:${node.gid} ${node.modifyNs} ${node.device}[${xattrs}]${target}${content}`;
}

/** The same lines for a real directory. */
export async function describeDirectory(directories: DirectoryOpener, path: string, isLeftOut: (shown: string) => boolean = () => false): Promise<string[]> {
  const lines: string[] = [];
  const groups = new Map<bigint, { names: number }>();
  const visit = async (directory: Directory, at: readonly Name[]): Promise<void> => {
    for (const { name, stat } of await directory.list()) {
      const path = [...at, name.toString('latin1') as Name];
      if (isLeftOut(displayPath(path))) continue;
      let content = Buffer.alloc(0);
      if (stat.kind === 'file') {
        const file = await directory.openFile(name, 'read');
        content = Buffer.alloc(stat.size);
        await file.read(content, 0);
        await file.close();
      }
      const isDevice = stat.kind === 'block-device' || stat.kind === 'character-device';
      lines.push(line(path, {
        ...stat,
        device: isDevice ? `${stat.deviceMajor}:${stat.deviceMinor}` : '',
        target: stat.kind === 'symlink' ? await directory.readSymlink(name) : undefined,
        xattrs: await directory.xattrs(name),
        content,
      }));
      if (stat.kind !== 'directory' && stat.linkCount > 1) {
        const group = groups.get(stat.ino) ?? { names: 0 };
        group.names += 1;
        groups.set(stat.ino, group);
      }
      if (stat.kind === 'directory') {
        const child = await directory.openDirectory(name);
        await visit(child, path);
        await child.close();
      }
    }
  };
  const root = await directories.openRoot(path);
  const stat = await root.stat();
  lines.push(line([], { ...stat, device: '', target: undefined, xattrs: await root.xattrs(undefined), content: Buffer.alloc(0) }));
  await visit(root, []);
  await root.close();
  return [...lines, ...[...groups.values()].filter((group) => group.names > 1).map((group) => `a node of ${group.names} names`)].sort();
}
