/** The short way for writes says the same as generated code: to the byte when writing, and in every field when reading. */
import t from 'tap';
import { fromUnsigned, toSize, toUnsigned } from '../../../proto/wire/numbers.js';
import { afterimage as wire } from '../../../proto/wire/generated/messages.js';
import { putWrite, WriteReader, type WriteFields } from '../../../proto/wire/write-codec.js';
import { chance, type Chance } from '../seeded.js';

const edges = [0, 1, 127, 128, 2 ** 14, 2 ** 28 - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 49, 2 ** 52, Number.MAX_SAFE_INTEGER];

function anyFields(c: Chance): WriteFields {
  const data = c.bytes(c.pick([0, 1, 10, 127, 128, 300]));
  return { timeDelta: c.pick(edges), volume: c.pick([0, 1, 300, 2 ** 32 - 1]), actor: c.pick([0, 1, 200, 65536]), node: c.pick(edges.slice(1)), offset: Math.min(c.pick(edges), Number.MAX_SAFE_INTEGER - data.byteLength), data };
}

function generated({ timeDelta, volume, actor, node, offset, data }: WriteFields, newActor: wire.Actor.$Properties | undefined): Buffer {
  const message: wire.Change.$Properties = { timeDeltaNs: toUnsigned(BigInt(timeDelta)), volume, write: { node: toSize(node), offset: toSize(offset), data } };
  if (newActor !== undefined) message.newActor = newActor;
  else if (actor > 0) message.actor = actor;
  return Buffer.from(wire.Change.encode(message).ldelim().finish());
}

function short(fields: WriteFields, newActor: wire.Actor.$Properties | undefined): Buffer {
  const target = Buffer.alloc(1024);
  return target.subarray(0, putWrite(target, 0, fields, newActor === undefined ? undefined : wire.Actor.encode(newActor).finish()));
}

t.test('a write takes the same bytes either way', (t) => {
  const c = chance(t);
  for (let round = 0; round < 5000; round += 1) {
    const fields = anyFields(c);
    const newActor = c.below(4) === 0 ? { pid: toSize(c.pick(edges)), startNs: toUnsigned(5n), uid: 7, command: c.bytes(c.below(16)) } : undefined;
    const [made, wanted] = [short(fields, newActor), generated(fields, newActor)];
    if (!made.equals(wanted)) return t.fail(`${JSON.stringify(fields)}: ${made.toString('hex')} and not ${wanted.toString('hex')}`);
  }
  return t.end();
});

t.test('what is read the short way is what generated code reads', (t) => {
  const c = chance(t);
  let [taken, spoiltAndTaken] = [0, 0];
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = short(anyFields(c), undefined);
    const spoils = c.below(3);
    for (let spoil = 0; spoil < spoils; spoil += 1) bytes[c.below(Math.min(40, bytes.length))] = c.pick([0, 1, 8, 0x10, 0x18, 0x4a, 0x7f, 0x80, 0xff, c.below(256)]);
    const start = bytes.findIndex((byte) => byte < 128) + 1;
    const read = new WriteReader(bytes);
    if (!read.read(start, bytes.length)) continue;
    taken += 1;
    if (spoils > 0) spoiltAndTaken += 1;
    const message = wire.Change.decode(bytes.subarray(start));
    const found = [read.timeDelta, read.volume, read.actor, read.node, read.offset, bytes.toString('hex', read.dataStart, bytes.length)];
    const write = message.write!;
    const wanted = [Number(fromUnsigned(message.timeDeltaNs)), message.volume, message.actor, Number(fromUnsigned(write.node!)), Number(fromUnsigned(write.offset!)), Buffer.from(write.data!).toString('hex')];
    if (JSON.stringify(found) !== JSON.stringify(wanted) || message.newActor != null) return t.fail(`${bytes.toString('hex')}: ${JSON.stringify(found)} and not ${JSON.stringify(wanted)}`);
  }
  t.ok(taken > 5000 && spoiltAndTaken > 500, `${taken} read the short way, ${spoiltAndTaken} of them spoilt`);
  return t.end();
});
