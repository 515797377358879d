/** Draws changes as applications would cause them: each fits the tree that the ones before have made. */
import { asNodeId, asVolumeId, rootNode, type CapturedChange, type ChangeBody, type NodeId, type NodeMetadata, type VolumeId } from '../../proto/change.js';
import { nameFromBytes, type Name } from '../../proto/name.js';
import type { Chance } from './chance.js';
import { ModelVolume, type ModelNode } from './model.js';

const weights = {
  create: 10, write: 30, append: 12, truncate: 4, rename: 6, exchange: 2, unlink: 6, link: 3, punch: 3, zero: 3, clone: 3,
  attributes: 5, xattrSet: 4, xattrRemove: 2, durable: 4, gap: 1, settled: 1, unnamed: 1,
};

export class Workload {
  readonly volumes = new Map<VolumeId, ModelVolume>();
  readonly #chance: Chance;
  readonly #writeBytesMax: number;
  #lastNode = 1n;
  #lastName = 0;
  #lastGap = 0;

  constructor(chance: Chance, { writeBytesMax }: { readonly writeBytesMax: number }) {
    this.#chance = chance;
    this.#writeBytesMax = writeBytesMax;
  }

  /** Begins a tree volume: what the engine says before anything else. */
  begin(volume: VolumeId): CapturedChange[] {
    const name = `volume-${volume}`;
    const definition: ChangeBody = { kind: 'volume', name, volumeKind: 'tree', path: `/data/${name}`, engine: 'exact', platform: 'linux' };
    const root: ChangeBody = { kind: 'create', node: rootNode, metadata: this.#metadata('directory') };
    return [definition, { kind: 'baseline', edge: 'begin' } as const, root, { kind: 'baseline', edge: 'end' } as const].map((body) => ({ volume, body }));
  }

  /** Takes changes for having happened: later ones build on them. */
  happened(changes: readonly CapturedChange[]): void {
    for (const { volume, body } of changes) {
      if (volume === 0) continue;
      if (body.kind === 'volume') this.volumes.set(volume, new ModelVolume());
      else applyTo(this.volumes, volume, body);
      if (body.kind === 'create' && body.node > this.#lastNode) this.#lastNode = body.node;
    }
  }

  /** Goes back to what `changes`, all since the beginning, have made; ids and names are not used again all the same. */
  restart(changes: readonly CapturedChange[]): void {
    this.volumes.clear();
    this.happened(changes);
  }

  /** Some changes to do next: a batch that an engine would hand over at once. */
  batch(): CapturedChange[] {
    const chance = this.#chance;
    const volume = chance.pick([...this.volumes.keys()]);
    // Later changes of the batch build on earlier ones, which have not happened until the journal took them.
    const scratch = copyOf(this.volumes.get(volume)!);
    const changes: CapturedChange[] = [];
    for (let count = chance.pick([1, 1, 2, 3, 8]); count > 0; count -= 1) {
      const body = this.#body(scratch);
      if (body === undefined) continue;
      scratch.apply(body);
      changes.push(chance.oneIn(3) ? { volume, body, actor: { pid: chance.between(2, 5), startNs: 1n, uid: 1000, command: 'app' } } : { volume, body });
    }
    return changes;
  }

  #body(tree: ModelVolume): ChangeBody | undefined {
    const chance = this.#chance;
    const files = named(tree).filter((node) => node.kind === 'file');
    const file = files.length === 0 ? undefined : chance.pick(files);
    const kind = chance.weighted(weights);
    switch (kind) {
      case 'create': {
        const nodeKind = chance.weighted({ file: 8, directory: 3, symlink: 1, fifo: 0.5 });
        return { kind: 'create', node: this.#freshNode(), ...this.#freshPlace(tree), metadata: this.#metadata(nodeKind) };
      }
      case 'unnamed': {
        const nameless = [...tree.nodes.values()].find((node) => node.id !== rootNode && tree.pathsOf(node.id).length === 0);
        if (nameless !== undefined) return { kind: 'link', node: nameless.id, ...this.#freshPlace(tree) };
        return { kind: 'create', node: this.#freshNode(), metadata: this.#metadata('file') };
      }
      case 'link':
        return file === undefined ? undefined : { kind: 'link', node: file.id, ...this.#freshPlace(tree) };
      case 'rename':
        return this.#rename(tree);
      case 'exchange': {
        const [one, other] = [this.#entry(tree), this.#entry(tree)];
        if (one === undefined || other === undefined || one === other || other.startsWith(`${one}/`) || one.startsWith(`${other}/`)) return undefined;
        if (tree.paths.get(one) === tree.paths.get(other)) return undefined;
        const to = place(tree, other);
        return { kind: 'rename', ...place(tree, one), toParent: to.parent, toName: to.name, exchange: true };
      }
      case 'unlink': {
        const path = this.#entry(tree);
        return path === undefined || tree.childrenOf(path).length > 0 ? undefined : { kind: 'unlink', ...place(tree, path) };
      }
      case 'durable':
        return file === undefined ? { kind: 'durable' } : { kind: 'durable', node: file.id };
      case 'gap': {
        this.#lastGap += 1;
        return { kind: 'gap', edge: chance.pick(['open', 'close'] as const), gap: this.#lastGap, label: 'converging', cause: 'the simulation says so', sinceNs: 1n };
      }
      case 'settled':
        return { kind: 'settled', sinceNs: 1n };
      case 'attributes':
      case 'xattrSet':
      case 'xattrRemove':
        return this.#metadataChange(kind, chance.pick(named(tree)));
      default:
        return file === undefined ? undefined : this.#contentChange(kind, file, chance.pick(files));
    }
  }

  #contentChange(kind: 'write' | 'append' | 'truncate' | 'punch' | 'zero' | 'clone', file: ModelNode, source: ModelNode): ChangeBody | undefined {
    const chance = this.#chance;
    const node = file.id;
    const size = file.content.byteLength;
    const length = 1 + Math.floor(chance.fraction() ** 3 * this.#writeBytesMax);
    switch (kind) {
      case 'write':
        return { kind, node, offset: chance.below(size + 1), data: this.#data(length) };
      case 'append':
        return { kind: 'write', node, offset: size + (chance.oneIn(8) ? chance.below(20_000) : 0), data: this.#data(length) };
      case 'truncate':
        return { kind, node, size: chance.pick([0, chance.below(size + 1), size + chance.below(5000)]) };
      case 'punch':
        return size === 0 ? undefined : { kind, node, offset: chance.below(size), length };
      case 'zero':
        return { kind, node, offset: chance.below(size + 1), length };
      case 'clone': {
        const available = source.content.byteLength;
        if (available === 0 || source === file) return undefined;
        const sourceOffset = chance.below(available);
        return { kind, node, sourceNode: source.id, sourceOffset, offset: chance.below(size + 1), length: chance.between(1, available - sourceOffset) };
      }
    }
  }

  #metadataChange(kind: 'attributes' | 'xattrSet' | 'xattrRemove', node: ModelNode): ChangeBody | undefined {
    const chance = this.#chance;
    if (kind === 'attributes') {
      return {
        kind, node: node.id,
        ...(chance.oneIn(2) && node.kind !== 'symlink' ? { mode: chance.pick([0o755, 0o644, 0o600, 0o4711, 0]) } : {}),
        ...(chance.oneIn(4) ? { uid: chance.below(3), gid: chance.below(3) } : {}),
        ...(chance.oneIn(2) ? { modifyNs: BigInt(chance.below(2 ** 31)) * 1_000_000_007n } : {}),
      };
    }
    if (node.kind !== 'file' && node.kind !== 'directory') return undefined;
    const key = `user.${chance.pick(['one', 'two', 'three'])}`;
    if (kind === 'xattrSet') return { kind: 'xattr-set', node: node.id, key, value: chance.bytes(chance.below(40)) };
    return node.xattrs.has(key) ? { kind: 'xattr-remove', node: node.id, key } : undefined;
  }

  #rename(tree: ModelVolume): ChangeBody | undefined {
    const chance = this.#chance;
    const from = this.#entry(tree);
    if (from === undefined) return undefined;
    const source = place(tree, from);
    const over = chance.oneIn(3) ? this.#entry(tree) : undefined;
    if (over === undefined) {
      const target = this.#freshPlace(tree, from);
      return { kind: 'rename', ...source, toParent: target.parent, toName: target.name, exchange: false };
    }
    // As rename(2) has it: a directory replaces an empty directory only, anything else no directory.
    const isDirectory = tree.paths.get(from)!.kind === 'directory';
    if (over === from || over.startsWith(`${from}/`) || (tree.paths.get(over)!.kind === 'directory') !== isDirectory || tree.childrenOf(over).length > 0) return undefined;
    const target = place(tree, over);
    return { kind: 'rename', ...source, toParent: target.parent, toName: target.name, exchange: false };
  }

  /** Any path but the root's. */
  #entry(tree: ModelVolume): string | undefined {
    const paths = [...tree.paths.keys()].filter((path) => path !== '');
    return paths.length === 0 ? undefined : this.#chance.pick(paths);
  }

  /** A name that does not exist, in a directory that is not `outside` or below it. */
  #freshPlace(tree: ModelVolume, outside?: string): { readonly parent: NodeId; readonly name: Name } {
    const directories = [...tree.paths].filter(([path, node]) => node.kind === 'directory' && (outside === undefined || (path !== outside && !path.startsWith(`${outside}/`))));
    const [, parent] = this.#chance.pick(directories);
    this.#lastName += 1;
    // Some names are not UTF-8.
    return { parent: parent.id, name: nameFromBytes(Buffer.from(`${this.#chance.oneIn(10) ? '\u00ff' : 'n'}${this.#lastName}`, 'latin1')) };
  }

  #freshNode(): NodeId {
    this.#lastNode += 1n;
    return asNodeId(this.#lastNode);
  }

  #metadata(nodeKind: NodeMetadata['nodeKind']): NodeMetadata {
    const chance = this.#chance;
    const modifyNs = 1_700_000_000_000_000_000n + BigInt(chance.below(1_000_000_000));
    const metadata: NodeMetadata = { nodeKind, mode: chance.pick([0o755, 0o644, 0o600, 0o2775]), uid: chance.below(3), gid: chance.below(3), modifyNs };
    if (nodeKind === 'symlink') return { ...metadata, target: Buffer.from(`../target-${chance.below(100)}`) };
    return chance.oneIn(6) && nodeKind !== 'fifo' ? { ...metadata, xattrs: new Map([['user.one', chance.bytes(5)]]) } : metadata;
  }

  #data(length: number): Buffer {
    // Half of it compresses well.
    return this.#chance.oneIn(2) ? this.#chance.bytes(length) : Buffer.alloc(length, this.#chance.bytes(7));
  }
}

/** Changes to volumes that were defined; control changes of others are only noted. */
export function applyTo(volumes: ReadonlyMap<VolumeId, ModelVolume>, volume: VolumeId, body: ChangeBody): void {
  if (volume !== 0 && body.kind !== 'volume') volumes.get(volume)!.apply(body);
}

export const simulatedVolumes: readonly VolumeId[] = [asVolumeId(1), asVolumeId(2)];

function named(tree: ModelVolume): ModelNode[] {
  return [...new Set(tree.paths.values())];
}

function place(tree: ModelVolume, path: string): { readonly parent: NodeId; readonly name: Name } {
  const cut = path.lastIndexOf('/');
  return { parent: tree.paths.get(path.slice(0, cut))!.id, name: path.slice(cut + 1) as Name };
}

function copyOf(tree: ModelVolume): ModelVolume {
  const copy = new ModelVolume();
  copy.paths.clear();
  copy.nodes.clear();
  for (const [id, node] of tree.nodes) copy.nodes.set(id, { ...node, content: Buffer.from(node.content), xattrs: new Map(node.xattrs) });
  for (const [path, node] of tree.paths) copy.paths.set(path, copy.nodes.get(node.id)!);
  return copy;
}
