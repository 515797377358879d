/** Everything the two sides say survives encoding, and no bytes whatever do worse than be refused. */
import t from 'tap';
import { asSequence, asVolumeId } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { digestBytes, frameBytesMax, journalIdBytes } from '../../../proto/journal/layout.js';
import * as m from '../../../proto/wire/messages.js';
import { afterimage as wire } from '../../../proto/wire/generated/messages.js';
import { anyMetadata, anyName, anySize, anyText, anyU32, anyU64, chance, type Chance } from '../seeded.js';

const sequence = (c: Chance) => asSequence(anyU64(c));
const volume = (c: Chance) => asVolumeId(anyU32(c));
const list = <T>(c: Chance, make: (c: Chance) => T): T[] => Array.from({ length: c.below(4) }, () => make(c));

function anyRanges(c: Chance): { offset: number; length: number }[] {
  let end = 0;
  return list(c, () => {
    const range = { offset: end + c.below(1000), length: 1 + c.below(2 ** 40) };
    end = range.offset + range.length;
    return range;
  });
}

const agent: Record<m.AgentMessage['kind'], (c: Chance) => m.AgentMessage> = {
  hello: (c) => ({ kind: 'hello', protocolVersion: anyU32(c), journal: c.bytes(journalIdBytes), agentVersion: anyText(c), platform: anyText(c), heldFrom: anyU64(c), capturedThrough: sequence(c) }),
  frame: (c) => ({ kind: 'frame', frame: c.bytes(c.below(2000)) }),
  report: (c) => ({
    kind: 'report', capturedThrough: sequence(c), capturedTimeNs: anyU64(c), oldestUndurableNs: anyU64(c), undurableBytes: anySize(c), spoolBytes: anySize(c), sentNs: anyU64(c),
    volumes: list(c, () => ({ volume: volume(c), label: anyText(c), cause: anyText(c), phase: anyText(c), settled: c.sometimes(), gaps: anySize(c), reportCount: anySize(c) })),
  }),
};
const receiver: Record<m.ReceiverMessage['kind'], (c: Chance) => m.ReceiverMessage> = {
  welcome: (c) => ({
    kind: 'welcome', protocolVersion: anyU32(c), durableThrough: sequence(c), digest: c.bytes(digestBytes), lastTimeNs: anyU64(c), appliedThrough: sequence(c),
    windowBytes: anySize(c), lastVolume: volume(c), liveVolumes: list(c, volume),
  }),
  durable: (c) => ({ kind: 'durable', through: sequence(c) }),
  applied: (c) => ({ kind: 'applied', through: sequence(c) }),
  state: (c) => ({ kind: 'state', state: c.pick(['ok', 'disk-full', 'quota'] as const), message: anyText(c) }),
  refused: (c) => ({ kind: 'refused', code: c.pick(['unauthenticated', 'forbidden', 'invalid', 'out-of-order', 'unavailable', 'not-found'] as const), message: anyText(c) }),
};
const item: Record<m.RestoreItem['kind'], (c: Chance) => m.RestoreItem> = {
  head: (c) => ({ kind: 'head', volume: anyText(c), sequence: sequence(c), timeNs: anyU64(c), label: anyText(c), cause: anyText(c), settled: c.sometimes(), advice: list(c, anyText), entries: anySize(c), bytes: anySize(c), platform: anyText(c) }),
  entry: (c) => ({ kind: 'entry', index: anySize(c), path: list(c, anyName), metadata: anyMetadata(c), size: anySize(c), ...(c.sometimes() ? { linkOf: c.below(2 ** 40) } : {}), data: anyRanges(c) }),
  piece: (c) => {
    const data = c.bytes(c.below(1000));
    return { kind: 'piece', index: anySize(c), offset: Math.min(anySize(c), Number.MAX_SAFE_INTEGER - data.byteLength), data };
  },
  end: (c) => ({ kind: 'end', entries: anySize(c), bytes: anySize(c) }),
};

/** One row a message: how to make one, encode it and decode it. */
interface Row {
  readonly label: string;
  readonly make: (c: Chance) => unknown;
  readonly encode: (value: never) => Buffer;
  readonly decode: (bytes: Buffer) => unknown;
}
const table: readonly Row[] = [
  ...Object.entries(agent).map(([label, make]): Row => ({ label, make, encode: m.encodeAgentMessage, decode: m.decodeAgentMessage })),
  ...Object.entries(receiver).map(([label, make]): Row => ({ label, make, encode: m.encodeReceiverMessage, decode: m.decodeReceiverMessage })),
  ...Object.entries(item).map(([label, make]): Row => ({ label: `restore ${label}`, make, encode: m.encodeRestoreItem, decode: m.decodeRestoreItem })),
  { label: 'frame message', make: (c) => c.bytes(c.below(500)), encode: m.encodeFrameMessage, decode: m.decodeFrameMessage },
  { label: 'read request', make: sequence, encode: m.encodeReadFramesRequest, decode: m.decodeReadFramesRequest },
  { label: 'enrolment', make: (c) => ({ token: anyText(c), certificateRequestDer: c.bytes(c.below(500)), platform: anyText(c), agentVersion: anyText(c) }), encode: m.encodeEnrolRequest, decode: m.decodeEnrolRequest },
  { label: 'enrolment reply', make: (c) => ({ host: anyText(c), role: anyText(c), journal: c.bytes(16), certificatePem: anyText(c), caPem: anyText(c) }), encode: m.encodeEnrolReply, decode: m.decodeEnrolReply },
  { label: 'renewal', make: (c) => c.bytes(c.below(500)), encode: m.encodeRenewRequest, decode: m.decodeRenewRequest },
  { label: 'restore request', make: (c) => ({ host: anyText(c), volume: anyText(c), at: anyText(c), paths: list(c, anyText), exactOnly: c.sometimes(), planOnly: c.sometimes() }), encode: m.encodeRestoreRequest, decode: m.decodeRestoreRequest },
];

for (const { label, make, encode, decode } of table) {
  t.test(`a ${label} comes back equal, and damaged ones are refused at worst`, (t) => {
    const c = chance(t);
    for (let round = 0; round < 60; round += 1) {
      const value = make(c);
      const bytes = encode(value as never);
      t.strictSame(decode(bytes), value);
      for (let damage = 0; damage < 10; damage += 1) {
        const damaged = Buffer.from(bytes.subarray(0, c.sometimes() ? bytes.byteLength : c.below(bytes.byteLength + 1)));
        for (let flips = 0; flips < 3 && damaged.byteLength > 0; flips += 1) damaged[c.below(damaged.byteLength)] = c.below(256);
        const fault = otherThanFormatError(decode, damaged);
        if (fault !== undefined) t.fail('did not refuse in order', { fault: String(fault), bytes: damaged.toString('hex') });
      }
    }
    t.end();
  });
}

t.test('random bytes are decoded or refused, by every decoder', (t) => {
  const c = chance(t);
  const decoders = new Set(table.map(({ decode }) => decode));
  for (let round = 0; round < 4000; round += 1) {
    const bytes = c.bytes(c.below(c.pick([4, 20, 200])));
    for (const decode of decoders) {
      const fault = otherThanFormatError(decode, bytes);
      if (fault !== undefined) t.fail('did not refuse in order', { fault: String(fault), bytes: bytes.toString('hex') });
    }
  }
  t.end();
});

t.test('lengths and depths that bytes only claim cost nothing', (t) => {
  const claims: Record<string, Buffer> = {
    'a frame of 4 GiB': Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    'a length of ten bytes': Buffer.from([0x12, ...Array<number>(9).fill(0xff), 1]),
    'a varint without end': Buffer.alloc(100, 0xff),
    'groups in groups': Buffer.alloc(100_000, 0x0b),
    'a million empty volumes': Buffer.concat([Buffer.from([0x1a, 0x80, 0x89, 0x7a]), Buffer.alloc(10, 0x3a)]),
  };
  for (const [label, bytes] of Object.entries(claims)) {
    const before = process.memoryUsage().arrayBuffers;
    for (const { decode } of table) {
      const fault = otherThanFormatError(decode, bytes);
      t.equal(fault, undefined, label);
    }
    t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024, `${label}: nothing large was set aside`);
  }
  t.end();
});

t.test('well-formed protobuf that means nothing is refused', (t) => {
  const long = (value: number) => ({ low: value, high: 0, unsigned: true }) as never;
  const past = { low: 0, high: 0x200000, unsigned: true } as never;
  const restore = (message: wire.RestoreMessage.$Properties) => () => m.decodeRestoreItem(Buffer.from(wire.RestoreMessage.encode(message).finish()));
  const spoken = (message: wire.AgentMessage.$Properties) => () => m.decodeAgentMessage(Buffer.from(wire.AgentMessage.encode(message).finish()));
  const heard = (message: wire.ReceiverMessage.$Properties) => () => m.decodeReceiverMessage(Buffer.from(wire.ReceiverMessage.encode(message).finish()));
  const metadata = { nodeKind: 1 };
  const rows: Record<string, () => unknown> = {
    'an empty agent message': spoken({}),
    'an empty receiver message': heard({}),
    'an empty restore message': restore({}),
    'a hello with a short journal id': spoken({ hello: { journal: Buffer.alloc(15) } }),
    'a report of 2^53 bytes': spoken({ report: { spoolBytes: past } }),
    'a frame past its limit': spoken({ frame: { frame: Buffer.alloc(frameBytesMax + 1) } }),
    'a welcome with a short digest': heard({ welcome: { digest: Buffer.alloc(31) } }),
    'an unknown state': heard({ state: { kind: 9 as never } }),
    'an entry without metadata': restore({ entry: { path: [] } }),
    'an entry whose path climbs': restore({ entry: { metadata, path: [Buffer.from('..')] } }),
    'an entry whose name has a slash': restore({ entry: { metadata, path: [Buffer.from('etc/passwd')] } }),
    'an offset without a length': restore({ entry: { metadata, data: [long(1)] } }),
    'ranges that overlap': restore({ entry: { metadata, data: [long(0), long(10), long(5), long(10)] } }),
    'an empty range': restore({ entry: { metadata, data: [long(0), long(0)] } }),
    'a piece past 2^53 - 1': restore({ piece: { offset: { low: -1, high: 0x1fffff, unsigned: true } as never, data: Buffer.from('x') } }),
  };
  for (const [label, decode] of Object.entries(rows)) t.throws(decode, FormatError, label);
  t.match(heard({ refused: { code: 'no-such-code', message: 'm' } })(), { kind: 'refused', code: 'invalid' }, 'an unknown refusal still refuses');
  t.end();
});

function otherThanFormatError(decode: (bytes: Buffer) => unknown, bytes: Buffer): unknown {
  try {
    decode(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) return error;
  }
  return undefined;
}
