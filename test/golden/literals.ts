/** What the golden files of version 1 hold, to be read by people: one change of every kind, every odd value. */
import { asNodeId, asSequence, asVolumeId, journalVolume, rootNode, type Actor, type Change, type ChangeBody, type VolumeId } from '../../proto/change.js';
import { nameFromBytes, nameFromText } from '../../proto/name.js';

export const goldenJournal: Buffer = Buffer.from('a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex');

/** Digest that the frame of all kinds continues. */
export const everyKindPreviousDigest: Buffer = Buffer.alloc(32, 0xd1);
/** The first sequence of the frame of all kinds: past 2^53, so that no double holds it. */
export const firstSequence = 9_007_199_254_740_993n;
/** 2036, and past 2^60. */
export const firstTimeNs = 2_100_000_000_000_000_001n;

const tree = asVolumeId(1);
const device = asVolumeId(4_294_967_295);
const file = asNodeId(9_007_199_254_740_995n);
const last = asNodeId(18_446_744_073_709_551_615n);
const notUtf8 = nameFromBytes(Buffer.from([0xff, 0xfe, 0x20, 0x5c, 0x0a, 0x80]));

const postgres: Actor = { pid: 4_194_304, startNs: 2_099_999_999_123_456_789n, uid: 26, command: 'postgres' };
const odd: Actor = { pid: 9_007_199_254_740_991, startNs: 18_446_744_073_709_551_615n, uid: 4_294_967_295, command: '\xff(sd-pam)' };

interface Row {
  readonly volume: VolumeId;
  /** Nanoseconds after the change before. */
  readonly after?: bigint;
  readonly actor?: Actor;
  readonly body: ChangeBody;
}

const everyKind: readonly Row[] = [
  { volume: tree, body: { kind: 'volume', name: 'pgdata', volumeKind: 'tree', path: '/var/lib/pg\xffsql', engine: 'exact', platform: 'linux' } },
  { volume: device, body: { kind: 'volume', name: 'Füße ✓', volumeKind: 'device', path: '/dev/nvme0n1', engine: 'portable', platform: 'win32' } },
  { volume: tree, after: 1n, body: { kind: 'baseline', edge: 'begin' } },
  { volume: tree, actor: postgres, body: { kind: 'create', node: rootNode, metadata: { nodeKind: 'directory', mode: 0o1777, uid: 0, gid: 0, modifyNs: 0n } } },
  {
    volume: tree, after: 20_000_000n, actor: postgres,
    body: {
      kind: 'create', node: file, parent: rootNode, name: nameFromText('base'),
      metadata: { nodeKind: 'file', mode: 0o4755, uid: 4_294_967_295, gid: 26, modifyNs: -1n, xattrs: new Map([['user.\xff', Buffer.from([0, 255])], ['security.empty', Buffer.alloc(0)]]) },
    },
  },
  { volume: tree, body: { kind: 'create', node: asNodeId(3n), metadata: { nodeKind: 'file', mode: 0, uid: 0, gid: 0, modifyNs: -9_223_372_036_854_775_808n } } },
  { volume: tree, body: { kind: 'create', node: asNodeId(4n), parent: rootNode, name: notUtf8, metadata: { nodeKind: 'symlink', mode: 0o777, uid: 1, gid: 2, modifyNs: 9_223_372_036_854_775_807n, target: Buffer.from([0x2e, 0x2e, 0x2f, 0xff]) } } },
  { volume: tree, body: { kind: 'create', node: asNodeId(5n), parent: rootNode, name: nameFromText('fifo'), metadata: { nodeKind: 'fifo', mode: 0o600, uid: 1, gid: 2, modifyNs: 5n } } },
  { volume: tree, body: { kind: 'create', node: asNodeId(6n), parent: rootNode, name: nameFromText('socket'), metadata: { nodeKind: 'socket', mode: 0o600, uid: 1, gid: 2, modifyNs: 5n } } },
  { volume: tree, body: { kind: 'create', node: asNodeId(7n), parent: rootNode, name: nameFromText('sda'), metadata: { nodeKind: 'block-device', mode: 0o660, uid: 0, gid: 6, modifyNs: 5n, device: { major: 8, minor: 0 } } } },
  { volume: tree, body: { kind: 'create', node: last, parent: rootNode, name: nameFromText('null'), metadata: { nodeKind: 'character-device', mode: 0o666, uid: 0, gid: 0, modifyNs: 5n, device: { major: 1, minor: 1_048_575 } } } },
  { volume: tree, actor: odd, body: { kind: 'link', node: file, parent: rootNode, name: nameFromText('second name') } },
  { volume: tree, actor: postgres, body: { kind: 'rename', parent: rootNode, name: nameFromText('base'), toParent: rootNode, toName: nameFromText('base.old'), exchange: false } },
  { volume: tree, actor: odd, body: { kind: 'rename', parent: rootNode, name: nameFromText('fifo'), toParent: rootNode, toName: nameFromText('socket'), exchange: true } },
  { volume: tree, body: { kind: 'unlink', parent: rootNode, name: notUtf8 } },
  { volume: tree, actor: postgres, body: { kind: 'write', node: file, offset: 9_007_199_254_740_986, data: Buffer.from('hello') } },
  { volume: tree, actor: postgres, body: { kind: 'write', node: file, offset: 0, data: Buffer.from([0]) } },
  { volume: tree, body: { kind: 'truncate', node: file, size: 9_007_199_254_740_991 } },
  { volume: tree, body: { kind: 'punch', node: file, offset: 4096, length: 8192 } },
  { volume: tree, body: { kind: 'zero', node: file, offset: 0, length: 9_007_199_254_740_991 } },
  { volume: tree, body: { kind: 'clone', node: file, offset: 1, length: 2, sourceNode: asNodeId(3n), sourceOffset: 9_007_199_254_740_989 } },
  { volume: tree, body: { kind: 'attributes', node: file, mode: 0, uid: 0, gid: 0, modifyNs: -1_500_000_000n } },
  { volume: tree, body: { kind: 'attributes', node: file } },
  { volume: tree, body: { kind: 'xattr-set', node: file, key: 'system.posix_acl_access', value: Buffer.from('0200000001000600ffffffff', 'hex') } },
  { volume: tree, body: { kind: 'xattr-remove', node: file, key: 'user.\xff' } },
  { volume: tree, body: { kind: 'durable', node: file } },
  { volume: tree, body: { kind: 'durable' } },
  { volume: tree, body: { kind: 'baseline', edge: 'end' } },
  { volume: tree, body: { kind: 'settled', sinceNs: firstTimeNs } },
  { volume: device, body: { kind: 'write', node: rootNode, offset: 512, data: Buffer.from('sector') } },
  { volume: device, body: { kind: 'discard', offset: 0, length: 512 } },
  { volume: device, body: { kind: 'flush' } },
  { volume: device, body: { kind: 'gap', edge: 'open', gap: 9_007_199_254_740_991, label: 'unknown', cause: 'agent was down', sinceNs: 0n } },
  { volume: tree, body: { kind: 'gap', edge: 'open', gap: 1, label: 'converging', cause: 'ring buffer full', sinceNs: firstTimeNs } },
  { volume: tree, body: { kind: 'gap', edge: 'close', gap: 1, label: 'converging', cause: '', sinceNs: firstTimeNs } },
  { volume: journalVolume, body: { kind: 'mark', name: 'before the upgrade ✓' } },
  { volume: journalVolume, after: 3_600_000_000_000n, body: { kind: 'clock', stepNs: -3_600_000_000_000n } },
  { volume: device, body: { kind: 'retired', cause: 'removed by an operator' } },
];

export const everyKindChanges: readonly Change[] = placed(everyKind, firstSequence, firstTimeNs);

/** A write long enough to be worth compressing, between two changes that are not. */
export const compressibleChanges: readonly Change[] = placed(
  [
    { volume: tree, body: { kind: 'flush' } },
    { volume: tree, actor: postgres, body: { kind: 'write', node: file, offset: 4096, data: Buffer.alloc(4096, 'afterimage ') } },
    { volume: tree, actor: postgres, body: { kind: 'truncate', node: file, size: 4096 } },
  ],
  1n,
  1_700_000_000_000_000_000n,
);

/** The changes of the frames of a segment: two, three and one. */
export const segmentChanges: readonly (readonly Change[])[] = [
  placed([{ volume: tree, body: { kind: 'mark', name: 'one' } }, { volume: tree, body: { kind: 'mark', name: 'two' } }], 41n, 100n),
  placed([{ volume: tree, body: { kind: 'flush' } }, { volume: tree, after: 7n, body: { kind: 'flush' } }, { volume: tree, body: { kind: 'durable' } }], 43n, 200n),
  placed([{ volume: tree, actor: odd, body: { kind: 'write', node: file, offset: 0, data: Buffer.from('tail') } }], 46n, 207n),
];
/** Digest that the segment's first frame continues. */
export const segmentPreviousDigest: Buffer = Buffer.alloc(32, 0x5a);
/** Bytes that the torn segment holds of its last frame. */
export const tornBytes = 130;

function placed(rows: readonly Row[], first: bigint, startNs: bigint): Change[] {
  let timeNs = startNs;
  return rows.map(({ volume, after = 0n, actor, body }, place) => {
    timeNs += after;
    const change = { sequence: asSequence(first + BigInt(place)), timeNs, volume, body };
    return actor === undefined ? change : { ...change, actor };
  });
}
