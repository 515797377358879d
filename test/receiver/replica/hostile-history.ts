/** Makes up changes without regard to whether they fit: what a broken or hostile agent could send. */
import { asNodeId, type ChangeBody, type NodeId, type NodeKind } from '../../../proto/change.js';
import type { Name } from '../../../proto/name.js';
import type { Random } from '../../../native/host/random.js';

const names = ['a', 'b', 'c', 'd', '..a', 'z'.repeat(300)] as Name[];
const kinds: readonly NodeKind[] = ['file', 'file', 'file', 'directory', 'directory', 'directory', 'symlink', 'fifo'];

export function hostileChanges(random: Random, count: number, nodes = 14): ChangeBody[] {
  const below = (limit: number): number => Math.floor(random.fraction() * limit);
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;
  const node = (): NodeId => asNodeId(BigInt(1 + below(nodes)));
  const name = (): Name => one(names);
  const range = (): { offset: number; length: number } => ({ offset: below(9000), length: 1 + below(6000) });
  const bodies: ChangeBody[] = [];
  for (let made = 0; made < count; made += 1) {
    const kind = below(20);
    const mode = one([0o644, 0o755, 0o000, 0o700]);
    const modifyNs = BigInt(1_600_000_000_000_000_000 + made * 1000);
    const nodeKind = one(kinds);
    if (kind < 6) {
      const id = node();
      const isRoot = id === 1n;
      const unnamed = isRoot || below(7) === 0;
      const metadata = { nodeKind: isRoot && below(2) === 0 ? 'directory' : nodeKind, mode, uid: below(2), gid: 0, modifyNs } as const;
      bodies.push({ kind: 'create', node: id, ...(unnamed ? {} : { parent: node(), name: name() }), metadata: { ...metadata, ...(metadata.nodeKind === 'symlink' ? { target: Buffer.from('/etc') } : {}) } });
    } else if (kind < 8) bodies.push({ kind: 'link', node: node(), parent: node(), name: name() });
    else if (kind < 10) bodies.push({ kind: 'unlink', parent: node(), name: name() });
    else if (kind < 14) bodies.push({ kind: 'rename', parent: node(), name: name(), toParent: node(), toName: name(), exchange: below(4) === 0 });
    else if (kind < 17) bodies.push({ kind: 'write', node: node(), offset: below(9000), data: Buffer.from(random.bytes(1 + below(2000))) });
    else if (kind < 18) bodies.push(below(2) === 0 ? { kind: 'truncate', node: node(), size: below(9000) } : { kind: 'attributes', node: node(), mode, modifyNs });
    else if (kind < 19) bodies.push(below(2) === 0 ? { kind: 'punch', node: node(), ...range() } : { kind: 'zero', node: node(), ...range() });
    else {
      const [target, source, sourceOffset, { offset, length }] = [node(), node(), below(9000), range()];
      // Copying a range onto part of itself has a test of its own.
      if (target !== source || Math.abs(offset - sourceOffset) >= length) bodies.push({ kind: 'clone', node: target, sourceNode: source, sourceOffset, offset, length });
    }
  }
  return bodies;
}
