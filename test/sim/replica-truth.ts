/** Compares a replica's tree with what the plain model makes of the accepted changes. */
import type { MemorySnapshot } from '../../native/host/memory-directory.js';
import type { VolumeId } from '../../proto/change.js';
import { describe, ModelVolume } from './model.js';
import type { Oracle } from './oracle.js';

type Inode = MemorySnapshot['root'];

export class ReplicaTruth {
  readonly #oracle: Oracle;
  readonly #models = new Map<VolumeId, { model: ModelVolume; through: bigint; generation: number }>();

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** How the tree of a volume differs from what it must be, or undefined. */
  fault(snapshot: MemorySnapshot, volume: VolumeId, through: bigint): string | undefined {
    const model = this.#modelAt(volume, through);
    if (!model.isBegun) return undefined;
    const expected = model.lines();
    const tree = snapshot.root.entries.get(String(volume))?.entries.get('tree');
    const found = tree === undefined ? [] : linesOf(tree);
    for (let at = 0; at < Math.max(expected.length, found.length); at += 1) {
      if (expected[at] !== found[at]) return `expected "${expected[at] ?? 'nothing more'}", found "${found[at] ?? 'nothing more'}"`;
    }
    return undefined;
  }

  #modelAt(volume: VolumeId, through: bigint): ModelVolume {
    let known = this.#models.get(volume);
    // What was accepted once may have been lost since, and other changes taken its place.
    if (known === undefined || known.through > through || known.generation !== this.#oracle.generation) {
      known = { model: new ModelVolume(), through: 0n, generation: this.#oracle.generation };
      this.#models.set(volume, known);
    }
    for (const change of this.#oracle.range(known.through, through)) if (change.volume === volume) known.model.apply(change.body);
    known.through = through;
    return known.model;
  }
}

function linesOf(tree: Inode): string[] {
  const paths = new Map<Inode, string[]>();
  const walk = (inode: Inode, path: string): void => {
    const known = paths.get(inode);
    if (known === undefined) paths.set(inode, [path]);
    else known.push(path);
    for (const [name, child] of inode.entries) walk(child, `${path}/${name}`);
  };
  walk(tree, '');
  const lines: string[] = [];
  for (const [inode, names] of paths) {
    const { kind, mode, uid, gid, modifyNs, deviceMajor, deviceMinor } = inode;
    const content = Buffer.alloc(kind === 'file' ? inode.content.size : 0);
    inode.content.read(content, 0);
    const device = kind.endsWith('-device') ? `${deviceMajor}:${deviceMinor}` : '';
    const xattrs = new Map([...inode.xattrs].map(([key, value]) => [key, value.toString('hex')]));
    const first = names.sort()[0]!;
    const node = { kind, mode, uid, gid, modifyNs, content, target: inode.target.toString('latin1'), device, xattrs };
    for (const path of names) lines.push(describe(path, node, path === first ? '' : first));
  }
  return lines.sort();
}
