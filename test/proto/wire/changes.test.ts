/** Changes survive encoding: every kind, every number edge; and payloadBytes never promises too little. */
import t from 'tap';
import { asNodeId, asSequence, asVolumeId, type Change, type ChangeBody, type NodeKind } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { nameFromText } from '../../../proto/name.js';
import { decodePayload, encodePayload, payloadBytes, payloadOffset } from '../../../proto/wire/convert.js';
import { afterimage as wire } from '../../../proto/wire/generated/messages.js';
import { allKinds, anyActor, anyBody, anyChanges, chance } from '../seeded.js';

const safe = Number.MAX_SAFE_INTEGER;
const node = asNodeId(7n);

function one(body: ChangeBody, rest: Partial<Change> = {}): Change {
  return { sequence: asSequence(1n), timeNs: 5n, volume: asVolumeId(1), body, ...rest };
}
function through(changes: readonly Change[]): Change[] {
  const { sequence, timeNs } = changes[0]!;
  return decodePayload(encodePayload(changes, timeNs), { firstSequence: sequence, firstTimeNs: timeNs, count: changes.length }).changes;
}

t.test('every kind of change comes back equal', (t) => {
  const c = chance(t);
  for (const kind of allKinds) {
    for (let round = 0; round < 200; round += 1) {
      const change = one(anyBody(c, kind));
      t.strictSame(through([change]), [change], `${kind}, round ${round}`);
    }
  }
  t.end();
});

t.test('many changes with actors come back equal and in order', (t) => {
  const c = chance(t);
  for (let round = 0; round < 30; round += 1) {
    const changes = anyChanges(c, 1 + c.below(80), 2n ** 53n + 5n);
    t.strictSame(through(changes), changes);
  }
  t.end();
});

t.test('content of a decoded write is a view whose place in the payload is known', (t) => {
  const changes = [one({ kind: 'flush' }), one({ kind: 'write', node, offset: 3, data: Buffer.from('hello') }, { sequence: asSequence(2n) })];
  const payload = encodePayload(changes, 5n);
  const body = decodePayload(payload, { firstSequence: asSequence(1n), firstTimeNs: 5n, count: 2 }).changes[1]!.body as ChangeBody & { kind: 'write' };
  t.equal(body.data.buffer, payload.buffer);
  const at = payloadOffset(payload, body.data);
  t.equal(payload.toString('latin1', at, at + 5), 'hello');
  t.equal(payloadOffset(payload, Buffer.alloc(0)), 0, 'empty content lies nowhere');
  t.end();
});

t.test('the largest numbers that are exact are kept', (t) => {
  const bodies: ChangeBody[] = [
    { kind: 'write', node: asNodeId(2n ** 64n - 1n), offset: safe - 1, data: Buffer.from('x') },
    { kind: 'truncate', node, size: safe },
    { kind: 'punch', node, offset: safe, length: 0 },
    { kind: 'zero', node, offset: 1, length: safe - 1 },
    { kind: 'clone', node, offset: 0, length: safe, sourceNode: node, sourceOffset: 0 },
    { kind: 'clock', stepNs: -(2n ** 63n) },
    { kind: 'clock', stepNs: 2n ** 63n - 1n },
    { kind: 'attributes', node, modifyNs: -1n },
    { kind: 'settled', sinceNs: 2n ** 64n - 1n },
  ];
  for (const body of bodies) t.strictSame(through([one(body)]), [one(body)], body.kind);
  const last = one({ kind: 'flush' }, { sequence: asSequence(2n ** 64n - 1n), timeNs: 2n ** 64n - 1n, volume: asVolumeId(2 ** 32 - 1) });
  t.strictSame(through([last]), [last], 'the last sequence, time and volume there are');
  t.end();
});

t.test('byte counts past 2^53 - 1 are refused, not rounded', (t) => {
  const long = (value: bigint): never => ({ low: Number(value & 0xffffffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true }) as never;
  const n = long(7n);
  const over = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const value of over.map(long)) {
    const messages: wire.Change.$Properties[] = [
      { write: { node: n, offset: value, data: Buffer.from('x') } },
      { truncate: { node: n, size: value } },
      { punch: { node: n, offset: value, length: long(1n) } },
      { zero: { node: n, offset: long(1n), length: value } },
      { clone: { node: n, offset: long(0n), length: long(1n), sourceNode: n, sourceOffset: value } },
      { gap: { gap: value } },
    ];
    for (const message of messages) t.throws(decoding(message), FormatError, Object.keys(message)[0] ?? 'a change');
  }
  t.throws(decoding({ write: { node: n, offset: long(2n ** 53n - 1n), data: Buffer.from('x') } }), FormatError, 'a write that ends past the edge');
  t.throws(decoding({ punch: { node: n, offset: long(2n ** 53n - 1n), length: long(1n) } }), FormatError, 'a range that ends past the edge');
  t.throws(() => encodePayload([one({ kind: 'truncate', node, size: 2 ** 53 })], 5n), RangeError, 'nor can one be written');
  t.throws(() => encodePayload([one({ kind: 'truncate', node, size: -1 })], 5n), RangeError);
  t.throws(() => encodePayload([one({ kind: 'truncate', node, size: 0.5 })], 5n), RangeError);
  t.end();
});

t.test('malformed changes are refused', (t) => {
  const n = { low: 7, high: 0, unsigned: true } as never;
  const metadata = { nodeKind: 1 };
  const name = Buffer.from('a');
  const messages: Record<string, wire.Change.$Properties> = {
    'no kind at all': {},
    'node zero': { write: { data: name } },
    'an empty name': { unlink: { parent: n } },
    'a name with a slash': { unlink: { parent: n, name: Buffer.from('a/b') } },
    'a name with NUL': { link: { node: n, parent: n, name: Buffer.from('a\0') } },
    'dot dot': { rename: { parent: n, name, toParent: n, toName: Buffer.from('..') } },
    'a name of 4097 bytes': { unlink: { parent: n, name: Buffer.alloc(4097, 'x') } },
    'a create without metadata': { create: { node: n } },
    'a parent without a name': { create: { node: n, parent: n, metadata } },
    'an unknown node kind': { create: { node: n, metadata: { nodeKind: 99 as never } } },
    'no node kind': { create: { node: n, metadata: {} } },
    'a mode of 20 bits': { create: { node: n, metadata: { nodeKind: 1, mode: 0o10000 } } },
    'a mode change of 20 bits': { attributes: { node: n, mode: 0o100644 } },
    'an empty symlink': { create: { node: n, metadata: { nodeKind: 3 } } },
    'a symlink with NUL': { create: { node: n, metadata: { nodeKind: 3, target: Buffer.from('a\0b') } } },
    'a symlink past 64 KiB': { create: { node: n, metadata: { nodeKind: 3, target: Buffer.alloc(65537, 'x') } } },
    'an empty attribute name': { xattrSet: { node: n } },
    'an attribute name of 1025 bytes': { xattrRemove: { node: n, key: Buffer.alloc(1025, 'x') } },
    'a mark past 64 Ki characters': { mark: { name: 'x'.repeat(65537) } },
    'an actor nobody introduced': { flush: {}, actor: 1 },
  };
  for (const [label, message] of Object.entries(messages)) t.throws(decoding(message), FormatError, label);
  t.end();
});

t.test('a payload that is not exactly its changes is refused', (t) => {
  const changes = anyChanges(chance(t), 5);
  const payload = encodePayload(changes, changes[0]!.timeNs);
  const head = { firstSequence: asSequence(1n), firstTimeNs: changes[0]!.timeNs };
  t.throws(() => decodePayload(payload, { ...head, count: 4 }), FormatError, 'more than told');
  t.throws(() => decodePayload(payload, { ...head, count: 6 }), FormatError, 'fewer than told');
  for (let cut = 1; cut < payload.length; cut += 1) t.throws(() => decodePayload(payload.subarray(0, cut), { ...head, count: 5 }), FormatError);
  t.throws(() => decodePayload(Buffer.concat([payload, Buffer.from([0])]), { ...head, count: 5 }), FormatError, 'trailing garbage');
  // A change of 3 bytes whose one field goes on for 4: the next change would begin inside it.
  const overlong = Buffer.from([3, 0x92, 0x01, 1, 0]);
  t.throws(() => decodePayload(overlong, { firstSequence: asSequence(1n), firstTimeNs: 0n, count: 1 }), FormatError, 'a field past its change');
  t.end();
});

t.test('what no reader would accept cannot be written', (t) => {
  const metadata = { nodeKind: 'file' as NodeKind, mode: 0o644, uid: 0, gid: 0, modifyNs: 0n };
  const bodies: ChangeBody[] = [
    { kind: 'truncate', node: asNodeId(0n), size: 0 },
    { kind: 'attributes', node, mode: 0o100644 },
    { kind: 'xattr-remove', node, key: '' },
    { kind: 'mark', name: 'x'.repeat(65537) },
    { kind: 'create', node, parent: node, metadata },
    { kind: 'create', node, metadata: { ...metadata, nodeKind: 'symlink' } },
    { kind: 'unlink', parent: node, name: 'a/b' as never },
    { kind: 'write', node, offset: safe, data: Buffer.from('x') },
  ];
  for (const body of bodies) t.throws(() => encodePayload([one(body)], 5n), RangeError, body.kind);
  t.throws(() => encodePayload([one({ kind: 'flush' })], 6n), RangeError, 'a time that goes back');
  t.end();
});

t.test('payloadBytes is an upper bound', (t) => {
  const c = chance(t);
  for (const kind of allKinds) {
    for (let round = 0; round < 200; round += 1) {
      const change = one(anyBody(c, kind), { timeNs: 2n ** 64n - 1n, volume: asVolumeId(2 ** 32 - 1), ...(c.sometimes() ? { actor: anyActor(c) } : {}) });
      const bound = payloadBytes(change);
      const taken = encodePayload([change], 0n).byteLength;
      if (taken > bound) t.fail(`${kind} takes ${taken} bytes, ${bound} promised`, { change: String(change.body) });
    }
  }
  const huge = 2n ** 64n - 1n;
  const worst = one(
    {
      kind: 'create', node: asNodeId(huge), parent: asNodeId(huge), name: nameFromText('n'.repeat(4096)),
      metadata: { nodeKind: 'character-device', mode: 0o7777, uid: 2 ** 32 - 1, gid: 2 ** 32 - 1, modifyNs: -(2n ** 63n), device: { major: 2 ** 32 - 1, minor: 2 ** 32 - 1 }, xattrs: new Map(Array.from({ length: 20 }, (_, k) => [`${k}`.padEnd(1024, 'k'), Buffer.alloc(60_000)])) },
    },
    { timeNs: huge, volume: asVolumeId(2 ** 32 - 1) },
  );
  const actor = { pid: safe, startNs: huge, uid: 2 ** 32 - 1, command: 'c'.repeat(255) };
  for (const change of [worst, { ...worst, actor }]) t.ok(encodePayload([change], 0n).byteLength <= payloadBytes(change), 'at every field’s widest');
  t.end();
});

/** Decodes a message that the encoder of changes would never write. */
function decoding(message: wire.Change.$Properties): () => Change[] {
  const bytes = Buffer.from(wire.Change.encode(message).ldelim().finish());
  return () => decodePayload(bytes, { firstSequence: asSequence(1n), firstTimeNs: 0n, count: 1 }).changes;
}
