/** Random reads of a device at a point against a model; what is kept in memory for them is bounded. */
import t from 'tap';
import { rootNode, type Sequence } from '../../../proto/change.js';
import { FrameCache } from '../../../receiver/recovery/frame-cache.js';
import { openPoint } from '../../../receiver/recovery/point.js';
import { RandomReader } from '../../../receiver/recovery/random-reader.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { Dice, printedSeed } from './dice.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';

const never = new AbortController().signal;
const deviceBytes = 400_000;

/** A random history of a device beside a tree, and the device's bytes at its end. */
function history(dice: Dice, count: number): { list: ChangeList; bytes: Buffer } {
  const list = new ChangeList();
  list.define(2, 'tree');
  list.add(1, { kind: 'volume', name: 'disk', volumeKind: 'device', path: '/dev/sda', engine: 'exact', platform: 'linux' });
  list.add(1, { kind: 'baseline', edge: 'begin' });
  list.add(1, { kind: 'truncate', node: rootNode, size: deviceBytes });
  list.add(1, { kind: 'baseline', edge: 'end' });
  const bytes = Buffer.alloc(deviceBytes);
  for (let index = 0; index < count; index += 1) {
    const offset = dice.below(deviceBytes);
    const length = Math.min(deviceBytes - offset, 1 + dice.below(dice.pick([100, 4096, 50_000])));
    if (dice.chance(0.2)) {
      list.add(1, { kind: dice.pick(['zero', 'discard'] as const), node: rootNode, offset, length });
      bytes.fill(0, offset, offset + length);
    } else {
      const data = Buffer.alloc(length, dice.bytes(Math.min(length, 97)));
      list.add(1, { kind: 'write', node: rootNode, offset, data });
      data.copy(bytes, offset);
    }
  }
  return { list, bytes };
}

async function openReader(list: ChangeList, sequence: Sequence, cacheBytes: number): Promise<{ reader: RandomReader; journal: MemoryJournal }> {
  const journal = new MemoryJournal(list.changes, { changesAFrame: 5 });
  const timeline = await loadTimeline(journal);
  const point = await openPoint({ reader: journal, volume: timeline.latest('disk')!, instant: { sequence, timeNs: (await journal.timeOf(sequence))! } });
  return { reader: new RandomReader({ point, reader: journal, node: rootNode, sizeBytes: (await point.stat([]))!.size, cacheBytes }), journal };
}

async function readAll(reader: RandomReader, offset: number, length: number): Promise<{ bytes: Buffer; holes: string }> {
  const parts: Buffer[] = [];
  const holes: string[] = [];
  let at = offset;
  for await (const part of reader.read({ offset, length }, never)) {
    if (part.offset !== at || part.length <= 0) throw new Error(`a part at ${part.offset} instead of ${at}`);
    at += part.length;
    if (typeof part.content === 'string') holes.push(`${part.offset}+${part.length}`);
    parts.push(typeof part.content === 'string' ? Buffer.alloc(part.length) : Buffer.from(part.content));
  }
  if (at !== offset + length) throw new Error(`it ends at ${at}`);
  return { bytes: Buffer.concat(parts), holes: holes.join(' ') };
}

async function holesOf(reader: RandomReader, offset: number, length: number): Promise<string> {
  const holes: string[] = [];
  for await (const part of reader.allocation({ offset, length }, never)) if (part.state !== 'data') holes.push(`${part.offset}+${part.length}`);
  return holes.join(' ');
}

t.test('random ranges, read by many at once, are what the device held', async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list, bytes } = history(dice, 300);
  const { reader } = await openReader(list, list.changes.at(-1)!.sequence, 200_000);
  t.equal(reader.sizeBytes, deviceBytes);
  let wrong = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 60; round += 1) {
      const offset = dice.below(deviceBytes);
      const length = dice.below(Math.min(deviceBytes - offset, dice.pick([10, 5000, 100_000])) + 1);
      const read = await readAll(reader, offset, length);
      if (!read.bytes.equals(bytes.subarray(offset, offset + length)) || read.holes !== (await holesOf(reader, offset, length))) wrong += 1;
    }
  }));
  t.equal(wrong, 0);
});

t.test('with room for all, each frame is read once; a damaged one fails the reads that need it', async (t) => {
  const dice = new Dice(printedSeed(t));
  const { list } = history(dice, 200);
  const { reader, journal } = await openReader(list, list.changes.at(-1)!.sequence, 1e9);
  for (let round = 0; round < 3; round += 1) await Promise.all([readAll(reader, 0, deviceBytes), readAll(reader, 0, deviceBytes)]);
  t.ok(journal.reads.size > 5);
  t.ok([...journal.reads.values()].every((times) => times === 1));
  const fresh = await openReader(list, list.changes.at(-1)!.sequence, 1e9);
  for (const change of list.changes) if (change.body.kind === 'write' && change.sequence % 5n === 0n) fresh.journal.damage(change.sequence);
  await t.rejects(readAll(fresh.reader, 0, deviceBytes), { name: 'FormatError', message: /read content/ });
});

t.test('a read that is given up stops', async (t) => {
  const { list } = history(new Dice(printedSeed(t)), 100);
  const { reader } = await openReader(list, list.changes.at(-1)!.sequence, 1e9);
  const controller = new AbortController();
  const reading = reader.read({ offset: 0, length: deviceBytes }, controller.signal);
  await reading.next();
  controller.abort(new Error('given up'));
  await t.rejects((async () => {
    for await (const part of reading) void part;
  })(), /given up/);
});

function cacheOf(bytesMax: number): { cache: FrameCache; loads: string[]; atOnce: () => number; fail: Set<string> } {
  const loads: string[] = [];
  const fail = new Set<string>();
  let now = 0;
  let most = 0;
  const load = async ({ offset }: { offset: number }): Promise<Buffer> => {
    loads.push(`${offset}`);
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    now -= 1;
    if (fail.has(`${offset}`)) throw new Error('damaged');
    return Buffer.alloc(1000, offset);
  };
  return { cache: new FrameCache({ load, bytesMax, loadsMax: 3 }), loads, atOnce: () => most, fail };
}
const frame = (offset: number) => ({ segment: 1n as Sequence, offset, length: 10 });

t.test('frames are kept up to a number of bytes, the longest unused goes first, few are loaded at once', async (t) => {
  const { cache, loads, atOnce } = cacheOf(3500);
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 8, 8].map((offset) => cache.payload(frame(offset))));
  t.equal(loads.length, 8, 'who wants the same frame waits for one load');
  t.equal(atOnce(), 3);
  t.equal(cache.bytes, 3000);
  t.ok(Buffer.isBuffer(cache.payload(frame(6))), 'it is still there, and now the last to go');
  await cache.payload(frame(9));
  t.ok(Buffer.isBuffer(cache.payload(frame(6))));
  t.notOk(Buffer.isBuffer(cache.payload(frame(7))));
  await cache.payload(frame(7));
});

t.test('a frame that could not be loaded is tried again', async (t) => {
  const { cache, loads, fail } = cacheOf(10_000);
  fail.add('1');
  const both = await Promise.allSettled([cache.payload(frame(1)), cache.payload(frame(1))]);
  t.strictSame(both.map(({ status }) => status), ['rejected', 'rejected']);
  fail.clear();
  t.equal((await cache.payload(frame(1))).byteLength, 1000);
  t.equal(loads.length, 2);
});
