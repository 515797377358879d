/** fanotify's events as the addon packs them, from bytes that no kernel wrote: every record is held to its bounds. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errorCode } from '../../native/host/directory-error.js';
import { loadNative, nativeUnavailableReason } from '../../native/index.js';

const addon = loadNative();
const skip: string | false =
  addon === undefined ? (nativeUnavailableReason() ?? 'no native addon') : process.platform !== 'linux' ? 'only Linux has fanotify' : endianness() !== 'LE' && 'the bytes here are of a little-endian machine';

const packed = Buffer.alloc(128 * 1024);

/** What the addon makes of a file with these bytes, as it would of a queue. */
function read(t: Test, raw: Buffer): Buffer {
  const path = join(t.testdir(), 'raw');
  writeFileSync(path, raw);
  const fd = openSync(path, 'r');
  try {
    packed.fill(0xee);
    return Buffer.from(packed.subarray(0, addon!.fanotifyRead(fd, packed)));
  } finally {
    closeSync(fd);
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** fanotify_event_metadata and its information records. */
function event(options: { mask?: number; tid?: number; version?: number; length?: number; metadataLength?: number; infos?: readonly Buffer[] }): Buffer {
  const infos = Buffer.concat(options.infos ?? []);
  const head = Buffer.alloc(24);
  head.writeUInt32LE(options.length ?? 24 + infos.length, 0);
  head.writeUInt8(options.version ?? 3, 4);
  head.writeUInt16LE(options.metadataLength ?? 24, 6);
  head.writeBigUInt64LE(BigInt(options.mask ?? 0x100), 8);
  head.writeInt32LE(-1, 16);
  head.writeInt32LE(options.tid ?? 7, 20);
  return Buffer.concat([head, infos]);
}

/** fanotify_event_info_header, file system id, file_handle, name. */
function info(options: { kind: number; handle?: Buffer; handleType?: number; handleLength?: number; name?: Buffer; length?: number }): Buffer {
  const { handle = Buffer.concat([u32(5), u32(6)]), handleType = 1, name } = options;
  const body = Buffer.concat([
    Buffer.from('fs-id-01'),
    u32(options.handleLength ?? handle.length),
    u32(handleType),
    handle,
    name ?? Buffer.alloc(0),
  ]);
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  const head = Buffer.alloc(4);
  head.writeUInt8(options.kind, 0);
  head.writeUInt16LE(options.length ?? 4 + body.length + padding.length, 2);
  return Buffer.concat([head, body, padding]);
}

const named = (kind: number, name: string): Buffer => info({ kind, name: Buffer.from(`${name}\0`) });

t.test('a rename is packed with both names and three keys', { skip }, (t) => {
  const found = read(t, event({ mask: 0x1000_0000, infos: [named(10, 'old'), named(12, 'new name'), info({ kind: 1, handleType: 0x4d, handle: Buffer.concat([u32(9), u32(1), u32(256), u32(0), u32(8)]) })] }));
  const key = (ino: bigint, tree: bigint, generation: number): Buffer => {
    const bytes = Buffer.alloc(24);
    bytes.writeBigUInt64LE(ino, 0);
    bytes.writeBigUInt64LE(tree, 8);
    bytes.writeUInt32LE(generation, 16);
    return bytes;
  };
  t.equal(found.length, 32 + 3 * 24 + 16);
  t.equal(found.readUInt32LE(0), found.length);
  t.equal(found.readUInt32LE(4), 0x1000_0000);
  t.equal(found.readInt32LE(8), 7);
  t.equal(found.subarray(16, 24).toString(), 'fs-id-01');
  t.same(found.subarray(32, 104), Buffer.concat([key(5n, 0n, 6), key(5n, 0n, 6), key(9n + 2n ** 32n, 256n, 8)]));
  t.equal(found.subarray(104).toString(), 'oldnew name\0\0\0\0\0');
  t.end();
});

t.test('handles of every known kind are decoded, and of no other', { skip }, (t) => {
  const rows: readonly [type: number, handle: Buffer, ino: bigint, generation: number, tree: bigint][] = [
    [0x01, Buffer.concat([u32(5), u32(6)]), 5n, 6, 0n],
    [0x02, Buffer.concat([u32(5), u32(6), u32(1), u32(2)]), 5n, 6, 0n],
    [0x81, Buffer.concat([u32(5), u32(1), u32(6)]), 5n + 2n ** 32n, 6, 0n],
    [0x82, Buffer.concat([u32(5), u32(1), u32(6), u32(1), u32(2), u32(3)]), 5n + 2n ** 32n, 6, 0n],
    [0x4d, Buffer.concat([u32(5), u32(1), u32(7), u32(1), u32(6)]), 5n + 2n ** 32n, 6, 7n + 2n ** 32n],
    [0x4e, Buffer.concat([u32(5), u32(1), u32(7), u32(1), u32(6), Buffer.alloc(12)]), 5n + 2n ** 32n, 6, 7n + 2n ** 32n],
    [0x4f, Buffer.concat([u32(5), u32(1), u32(7), u32(1), u32(6), Buffer.alloc(20)]), 5n + 2n ** 32n, 6, 7n + 2n ** 32n],
    [0x01, Buffer.concat([u32(6), u32(5), u32(1)]), 5n + 2n ** 32n, 6, 0n],
  ];
  for (const [handleType, handle, ino, generation, tree] of rows) {
    const found = read(t, event({ infos: [info({ kind: 1, handleType, handle })] }));
    t.same([found.readBigUInt64LE(32), found.readBigUInt64LE(40), found.readUInt32LE(48)], [ino, tree, generation], `type ${handleType}, ${handle.length} bytes`);
  }
  for (const [handleType, length] of [[0xff, 0], [1, 4], [1, 9], [0x81, 8], [0x4d, 40], [0xfe, 8], [-1, 8], [0, 0]] as const) {
    const found = read(t, event({ infos: [info({ kind: 1, handleType, handle: Buffer.alloc(length, 1) })] }));
    t.equal(found.length, 32, `type ${handleType}, ${length} bytes: no key`);
    t.equal(found.readUInt16LE(12), 0);
  }
  t.end();
});

t.test('what is unknown but well-formed is passed over', { skip }, (t) => {
  t.equal(read(t, Buffer.alloc(0)).length, 0);
  t.equal(read(t, event({ mask: 0x4000 })).length, 32, 'an overflow has nothing but its mask');
  t.equal(read(t, event({ infos: [Buffer.from([4, 0, 8, 0, 1, 2, 3, 4]), named(2, 'a')] })).readUInt16LE(14), 1, 'a record of another kind');
  const extended = event({ metadataLength: 32, length: 32 });
  t.equal(read(t, Buffer.concat([extended, Buffer.alloc(8)])).length, 32, 'metadata that a newer kernel made longer');
  t.end();
});

t.test('what does not keep to its bounds is refused', { skip }, (t) => {
  const rows: readonly [label: string, raw: Buffer][] = [
    ['torn metadata', event({}).subarray(0, 23)],
    ['another version', event({ version: 2 })],
    ['an event of no length', event({ length: 0 })],
    ['an event shorter than its metadata', event({ length: 23 })],
    ['an event longer than what was read', event({ length: 25 })],
    ['an event of all bits', event({ length: 0xffff_ffff })],
    ['metadata longer than the event', event({ metadataLength: 25 })],
    ['metadata shorter than it can be', event({ metadataLength: 8 })],
    ['half a header of a record', event({ infos: [Buffer.from([1, 0, 4])] })],
    ['a record of no length', event({ infos: [info({ kind: 1, length: 0 })] })],
    ['a record longer than the event', event({ infos: [info({ kind: 1, length: 200 })] })],
    ['a record without a handle', event({ infos: [Buffer.from([1, 0, 8, 0, 0, 0, 0, 0])] })],
    ['a handle longer than its record', event({ infos: [info({ kind: 1, handleLength: 12 })] })],
    ['a handle of all bits', event({ infos: [info({ kind: 1, handleLength: 0xffff_ffff })] })],
    ['a handle longer than any', event({ infos: [info({ kind: 1, handle: Buffer.alloc(132), handleType: 9 })] })],
    ['a name without an end', event({ infos: [info({ kind: 2, name: Buffer.from('abcd') })] })],
    ['no name where one belongs', event({ infos: [info({ kind: 2 })] })],
  ];
  for (const [label, raw] of rows) t.throws(() => read(t, raw), { code: 'EPROTO' }, label);
  t.end();
});

t.test('no bytes crash it', { skip }, (t) => {
  const seed = Number(process.env['AFTERIMAGE_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  let state = seed >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const whole = Buffer.concat(Array.from({ length: 40 }, (_, index) => event({ tid: index, infos: [named(10, `name-${index}`), named(12, 'x'.repeat(index)), info({ kind: 1 })] })));
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 3_000; round++) {
    const raw = Buffer.from(whole.subarray(0, round % 2 === 0 ? whole.length : random(whole.length)));
    for (let change = random(4); change > 0; change--) raw[random(raw.length)] = random(3) === 0 ? 255 : random(256);
    let outcome = 'read';
    try {
      read(t, raw);
    } catch (error) {
      outcome = errorCode(error) ?? String(error);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  t.same([...outcomes.keys()].sort(), ['EPROTO', 'read'], JSON.stringify([...outcomes]));
  t.end();
});

t.test('the target must have room for whatever comes', { skip }, (t) => {
  t.throws(() => addon!.fanotifyRead(0, Buffer.alloc(128 * 1024 - 1)), TypeError);
  t.throws(() => addon!.fanotifyRead(-1, packed), TypeError);
  const full = Buffer.concat(Array.from({ length: Math.ceil(65_536 / 24) }, () => event({})));
  t.equal(read(t, full.subarray(0, 65_520)).length, (65_520 / 24) * 32);
  t.end();
});
