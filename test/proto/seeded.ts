/** Chance that one printed number replays, and the changes, names and numbers drawn from it. */
import { randomInt } from 'node:crypto';
import { asNodeId, asSequence, asVolumeId, type Actor, type Change, type ChangeBody, type ChangeKind, type NodeId, type NodeKind, type NodeMetadata } from '../../proto/change.js';
import { nameFromBytes, type Name } from '../../proto/name.js';

export interface Chance {
  readonly seed: number;
  /** A whole number in [0, bound). */
  below(bound: number): number;
  bytes(length: number): Buffer;
  pick<T>(from: readonly T[]): T;
  sometimes(): boolean;
}

/** The generator for AFTERIMAGE_SEED when set, else for a fresh seed; printed, so that a failure can be replayed. */
export function chance(t: { comment(...parts: unknown[]): void }): Chance {
  const given = process.env['AFTERIMAGE_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  return seeded(seed);
}

export function seeded(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return {
    seed,
    below,
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 0xff)),
    pick: (from) => from[below(from.length)]!,
    sometimes: () => below(2) === 1,
  };
}

export const allKinds: readonly ChangeKind[] = [
  'create', 'link', 'unlink', 'rename', 'write', 'truncate', 'punch', 'zero', 'clone', 'attributes', 'xattr-set', 'xattr-remove',
  'discard', 'flush', 'baseline', 'gap', 'settled', 'mark', 'clock', 'durable', 'volume', 'retired',
];

const u64Max = 2n ** 64n - 1n;
const nodeKinds: readonly NodeKind[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'block-device', 'character-device'];

export function anyName(c: Chance): Name {
  const bytes = c.bytes(1 + c.below(c.pick([3, 40, 255])));
  for (const [at, byte] of bytes.entries()) if (byte === 0 || byte === 0x2f) bytes[at] = 0x61;
  const text = bytes.toString('latin1');
  return nameFromBytes(text === '.' || text === '..' ? Buffer.from('dot') : bytes);
}

export function anyU64(c: Chance): bigint {
  return c.pick([0n, 1n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, u64Max, c.bytes(8).readBigUInt64LE()]);
}
export function anyI64(c: Chance): bigint {
  return BigInt.asIntN(64, anyU64(c));
}
export function anyU32(c: Chance): number {
  return c.pick([0, 1, 1000, 2 ** 31, 2 ** 32 - 1]);
}
export function anyNode(c: Chance): NodeId {
  const value = anyU64(c);
  return asNodeId(value === 0n ? 1n : value);
}
export function anySize(c: Chance): number {
  return c.pick([0, 1, 4096, 2 ** 31, 2 ** 32, 2 ** 53 - 1, c.below(2 ** 40)]);
}
export function anyText(c: Chance): string {
  return c.pick(['', 'plain', 'Füße ✓ 𝔘', '\n\t\u0000', 'x'.repeat(c.below(300))]);
}
function anyBytes(c: Chance): Buffer {
  return c.bytes(c.pick([0, 1, 7, c.below(600)]));
}
function anyKey(c: Chance): string {
  return `user.${anyName(c)}`;
}
function anyRange(c: Chance): { offset: number; length: number } {
  const offset = anySize(c);
  return { offset, length: Math.min(anySize(c), Number.MAX_SAFE_INTEGER - offset) };
}

export function anyMetadata(c: Chance): NodeMetadata {
  const nodeKind = c.pick(nodeKinds);
  const xattrs = new Map(Array.from({ length: c.below(4) }, () => [anyKey(c), anyBytes(c)] as const));
  return {
    nodeKind, mode: c.below(0o10000), uid: anyU32(c), gid: anyU32(c), modifyNs: anyI64(c),
    ...(nodeKind.endsWith('-device') ? { device: { major: anyU32(c), minor: anyU32(c) } } : {}),
    ...(nodeKind === 'symlink' ? { target: Buffer.from(anyName(c), 'latin1') } : {}),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  };
}

export function anyActor(c: Chance): Actor {
  return { pid: c.pick([1, 4_194_304, 2 ** 53 - 1]), startNs: anyU64(c), uid: anyU32(c), command: c.bytes(c.below(16)).toString('latin1') };
}

export function anyBody(c: Chance, kind: ChangeKind): ChangeBody {
  const node = anyNode(c);
  const parent = anyNode(c);
  switch (kind) {
    case 'create': return c.sometimes() ? { kind, node, parent, name: anyName(c), metadata: anyMetadata(c) } : { kind, node, metadata: anyMetadata(c) };
    case 'link': return { kind, node, parent, name: anyName(c) };
    case 'unlink': return { kind, parent, name: anyName(c) };
    case 'rename': return { kind, parent, name: anyName(c), toParent: anyNode(c), toName: anyName(c), exchange: c.sometimes() };
    case 'write': {
      const data = anyBytes(c);
      return { kind, node, offset: Math.min(anySize(c), Number.MAX_SAFE_INTEGER - data.byteLength), data };
    }
    case 'truncate': return { kind, node, size: anySize(c) };
    case 'punch':
    case 'zero': return { kind, node, ...anyRange(c) };
    case 'clone': {
      const range = anyRange(c);
      return { kind, node, ...range, sourceNode: anyNode(c), sourceOffset: Math.min(anySize(c), Number.MAX_SAFE_INTEGER - range.length) };
    }
    case 'attributes':
      return {
        kind, node,
        ...(c.sometimes() ? { mode: c.below(0o10000) } : {}), ...(c.sometimes() ? { uid: anyU32(c) } : {}),
        ...(c.sometimes() ? { gid: anyU32(c) } : {}), ...(c.sometimes() ? { modifyNs: anyI64(c) } : {}),
      };
    case 'xattr-set': return { kind, node, key: anyKey(c), value: anyBytes(c) };
    case 'xattr-remove': return { kind, node, key: anyKey(c) };
    case 'discard': return { kind, ...anyRange(c) };
    case 'flush': return { kind };
    case 'baseline': return { kind, edge: c.pick(['begin', 'end'] as const) };
    case 'gap': return { kind, edge: c.pick(['open', 'close'] as const), gap: anySize(c), label: c.pick(['converging', 'unknown'] as const), cause: anyText(c), sinceNs: anyU64(c) };
    case 'settled': return { kind, sinceNs: anyU64(c) };
    case 'mark': return { kind, name: anyText(c) };
    case 'clock': return { kind, stepNs: anyI64(c) };
    case 'durable': return c.sometimes() ? { kind, node } : { kind };
    case 'volume': return { kind, name: anyText(c), volumeKind: c.pick(['tree', 'device'] as const), path: `/${anyName(c)}`, engine: c.pick(['exact', 'portable'] as const), platform: 'linux' };
    case 'retired': return { kind, cause: anyText(c) };
  }
}

/** Changes with consecutive sequences from `first` on and times that do not go back. */
export function anyChanges(c: Chance, count: number, first = 1n, firstTimeNs = 1_700_000_000_000_000_000n): Change[] {
  const actors = Array.from({ length: 3 }, () => anyActor(c));
  let timeNs = firstTimeNs;
  return Array.from({ length: count }, (_, place) => {
    timeNs += BigInt(c.pick([0, 0, 1, 20_000_000]));
    const change = { sequence: asSequence(first + BigInt(place)), timeNs, volume: asVolumeId(anyU32(c)), body: anyBody(c, c.pick(allKinds)) };
    return c.sometimes() ? { ...change, actor: c.pick(actors) } : change;
  });
}
