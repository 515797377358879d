/** Verification: what is whole passes, what is damaged is found, placed, and what hangs on it named. */
import t from 'tap';
import { asSequence, type NodeId } from '../../../proto/change.js';
import { encodeFrame } from '../../../proto/journal/frame.js';
import type { JournalReader } from '../../../proto/journal/journal-reader.js';
import { nameFromText } from '../../../proto/name.js';
import { openPoint } from '../../../receiver/recovery/point.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { verifyJournal, verifyPoint, type VerifyProgress } from '../../../receiver/recovery/verify.js';
import { ChangeList, MemoryJournal } from './memory-journal.js';

function journal(files = 40): { list: ChangeList; reader: MemoryJournal } {
  const list = new ChangeList();
  list.define(1, 'home');
  list.define(2, 'other');
  for (let at = 0; at < files; at += 1) {
    const node = BigInt(at + 2) as NodeId;
    list.add(1, { kind: 'create', node, parent: 1n as NodeId, name: nameFromText(`f${at}`), metadata: { nodeKind: 'file', mode: 0o644, uid: 0, gid: 0, modifyNs: 1n } });
    list.add(1, { kind: 'write', node, offset: 0, data: Buffer.from(`content of ${at}`) });
  }
  return { list, reader: new MemoryJournal(list.changes, { changesAFrame: 6 }) };
}

t.test('a whole journal is read to its end', async (t) => {
  const { list, reader } = journal();
  let last: unknown;
  const result = await verifyJournal({ reader, timeline: await loadTimeline(reader), onProgress: (progress) => (last = progress) });
  t.match(result, { damageCount: 0, damage: [], changes: list.changes.length, frames: Math.ceil(list.changes.length / 6) });
  t.match(last, { sequence: BigInt(list.changes.length), through: BigInt(list.changes.length) });
});

t.test('damaged frames are found and passed, wherever they are', async (t) => {
  for (const damaged of [[1n], [7n], [31n], [86n], [8n, 50n], [13n, 20n, 26n]]) {
    const { list, reader } = journal();
    const timeline = await loadTimeline(reader);
    const places = damaged.map((sequence) => reader.damage(sequence));
    const result = await verifyJournal({ reader, timeline });
    t.equal(result.damageCount, new Set(damaged.map((sequence) => (sequence - 1n) / 6n)).size - (damaged.length === 3 ? 2 : 0), `damage at ${damaged.join()}`);
    t.match(result.damage[0], { segment: places[0]!.segment, offset: places[0]!.offset, volumes: ['home', 'other'] });
    const lost = result.damage.flatMap(({ sequences }) => (sequences === undefined ? [] : [Number(sequences.last - sequences.first) + 1])).reduce((sum, one) => sum + one, 0);
    t.equal(result.changes, list.changes.length - lost, 'everything else was read');
  }
});

t.test('a chain that does not hold is found', async (t) => {
  const { list, reader } = journal();
  const timeline = await loadTimeline(reader);
  // A frame that is intact in itself, in the place of another one.
  const forged: JournalReader = {
    journal: reader.journal,
    async *frames(options) {
      for await (const stored of reader.frames(options)) {
        const { firstSequence } = stored.frame.header;
        if (firstSequence !== 13n) yield stored;
        else yield { ...stored, frame: encodeFrame({ journal: reader.journal, previousDigest: Buffer.alloc(32, 1), changes: list.changes.slice(12, 18) }) };
      }
    },
    frameAt: (location) => reader.frameAt(location),
    sequenceAt: (timeNs) => reader.sequenceAt(timeNs),
    timeOf: (sequence) => reader.timeOf(sequence),
    lastSequence: () => reader.lastSequence(),
    controlChanges: (through) => reader.controlChanges(through),
  };
  const result = await verifyJournal({ reader: forged, timeline });
  t.equal(result.damageCount, 2, 'it does not follow the one before, and the next does not follow it');
  t.match(result.damage[0], { sequences: { first: 13n, last: 18n }, fault: /digest of the frame before/ });
});

t.test('a point needs only what it points to, and damage names the files', async (t) => {
  const { reader } = journal();
  const timeline = await loadTimeline(reader);
  const instant = { sequence: asSequence(60n), timeNs: (await reader.timeOf(asSequence(60n)))! };
  const point = await openPoint({ reader, volume: timeline.latest('home')!, instant });
  reader.reads.clear();
  let last: VerifyProgress | undefined;
  const sound = await verifyPoint({ reader, point, onProgress: (progress) => (last = progress) });
  t.match(sound, { damageCount: 0, through: 60n });
  t.match(last, { doneBytes: sound.bytes, totalBytes: sound.bytes }, 'its progress ends with all of it');
  t.ok([...reader.reads.values()].every((count) => count === 1), 'each frame was read once');
  const place = reader.damage(20n);
  reader.damage(80n);
  const result = await verifyPoint({ reader, point });
  t.equal(result.damageCount, 1, 'what comes after the point does not matter to it');
  t.match(result.damage[0], { segment: place.segment, offset: place.offset, volumes: ['home'], files: { count: 3, first: ['f6', 'f7', 'f8'] } });
});

t.test('verification can be stopped', async (t) => {
  const { reader } = journal();
  const stop = new AbortController();
  await t.rejects(verifyJournal({ reader, timeline: await loadTimeline(reader), signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) }), { message: 'enough' });
});
