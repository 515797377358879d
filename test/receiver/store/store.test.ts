/** Segments on disk, and a journal read from them while it grows, by time, and past damage. */
import { open } from 'node:fs/promises';
import t from 'tap';
import { asSequence, noSequence, rootNode, type Sequence } from '../../../proto/change.js';
import { frameChanges, readFrame } from '../../../proto/journal/frame.js';
import { segmentFileName } from '../../../proto/journal/segment.js';
import { StoreJournalReader, type StoreJournalReaderOptions } from '../../../receiver/store/journal-reader.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';
import { failure, FaultyFiles, FrameMaker, journalId, volumeOne } from '../ingest/fixture.js';

interface Made {
  readonly store: LocalSegmentStore;
  readonly directory: string;
  readonly files: FaultyFiles;
  reader(more?: Partial<StoreJournalReaderOptions>): StoreJournalReader;
}

function make(t: Pick<typeof import('tap').default, 'testdir' | 'teardown'>, segmentSizeBytes?: number): Made {
  const directory = `${t.testdir({})}/journals`;
  const files = new FaultyFiles();
  const store = new LocalSegmentStore({ files, directory, ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }) });
  t.teardown(() => store[Symbol.asyncDispose]());
  return { store, directory, files, reader: (more = {}) => new StoreJournalReader({ store, journal: journalId, ...more }) };
}

async function sequences(reader: StoreJournalReader, after: bigint, through?: bigint): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { frame } of reader.frames({ after: asSequence(after), ...(through === undefined ? {} : { through: asSequence(through) }) })) found.push(frame.header.lastSequence);
  return found;
}

const upTo = (last: number, from = 1): bigint[] => Array.from({ length: last - from + 1 }, (_, at) => BigInt(from + at));

t.test('what is appended is listed and read, in one process and in another', async (t) => {
  const made = make(t, 2000);
  t.same(await made.store.journals(), []);
  t.same(await sequences(made.reader(), 0n), []);
  const maker = new FrameMaker();
  await using appender = await made.store.openAppender(journalId, noSequence);
  await t.rejects(made.store.openAppender(journalId, noSequence), /open for appending already/);
  const reader = made.reader();
  for (let n = 1; n <= 30; n += 1) {
    await appender.append(readFrame(maker.write(300)));
    if (n % 7 === 0) t.same(await sequences(reader, BigInt(n - 5)), upTo(n, n - 4), 'a reader that comes back goes on');
  }
  t.same((await made.store.journals()).map((journal) => journal.toString('hex')), [journalId.toString('hex')]);
  const other = new LocalSegmentStore({ files: new FaultyFiles(), directory: made.directory });
  t.teardown(() => other[Symbol.asyncDispose]());
  t.same(await sequences(new StoreJournalReader({ store: other, journal: journalId }), 0n), upTo(30));
  t.same(await sequences(made.reader(), 12n, 20n), upTo(20, 13));
  t.equal(await made.reader().lastSequence(), 30n);
  for await (const { frame, location } of made.reader().frames({ after: asSequence(17n) })) t.same((await made.reader().frameAt(location)).digest, frame.digest);
  await t.rejects(made.reader().frameAt({ segment: asSequence(1n), offset: 73, length: 200 }), { name: 'FormatError', message: /segment 1, offset 73/ });
});

t.test('a segment that was begun twice is read as it is now', async (t) => {
  const made = make(t);
  await using appender = await made.store.openAppender(journalId, noSequence);
  made.files.onDatasync = async () => {
    made.files.onDatasync = async () => undefined;
    t.equal((await made.store.list(journalId)).length, 1);
    throw failure('ENOSPC');
  };
  const frame = readFrame(new FrameMaker().write());
  await t.rejects(appender.append(frame), { message: /begin segment/ });
  t.ok(appender.usable);
  await appender.append(frame);
  t.same(await sequences(made.reader(), 0n), [1n]);
});

t.test('reading ends at what is durable for one who must not see more', async (t) => {
  const made = make(t);
  const maker = new FrameMaker();
  await using appender = await made.store.openAppender(journalId, noSequence);
  for (let n = 1; n <= 10; n += 1) await appender.append(readFrame(maker.write()));
  let durable: Sequence = asSequence(6n);
  const reader = made.reader({ durableThrough: () => durable });
  t.same(await sequences(reader, 0n), upTo(6));
  t.equal(await reader.lastSequence(), 6n);
  t.equal(await reader.timeOf(asSequence(7n)), undefined);
  t.same(await reader.sequenceAt(1n << 60n), { sequence: 6n, timeNs: 6000n });
  durable = asSequence(10n);
  t.same(await sequences(reader, 6n), upTo(10, 7));
});

t.test('a frame that is only partly there is the end; anything else is damage, with its place', async (t) => {
  const made = make(t, 2000);
  const maker = new FrameMaker();
  {
    await using appender = await made.store.openAppender(journalId, noSequence);
    for (let n = 1; n <= 12; n += 1) await appender.append(readFrame(maker.write(300)));
  }
  const segments = await made.store.list(journalId);
  const last = segments.at(-1)!;
  const path = `${made.directory}/${journalId.toString('hex')}/${segmentFileName(last.segment)}`;
  const file = await open(path, 'r+');
  t.teardown(() => file.close());
  const next = maker.write(300);
  for (const length of [1, 60, 119, 120, 200, next.length - 1]) {
    await file.truncate(last.sizeBytes);
    await file.write(next, 0, length, last.sizeBytes);
    t.same(await sequences(made.reader(), 0n), upTo(12), `${length} bytes of the next frame`);
    t.equal(await made.reader().lastSequence(), 12n);
  }
  await file.write(Buffer.alloc(5000), 0, 5000, last.sizeBytes);
  t.same(await sequences(made.reader(), 0n), upTo(12), 'zeroes that a power cut left');
  await file.truncate(last.sizeBytes);
  await file.write(Buffer.alloc(500, 0x55), 0, 500, last.sizeBytes);
  await t.rejects(sequences(made.reader(), 0n), { name: 'FormatError', message: new RegExp(`segment ${last.segment}, offset ${last.sizeBytes}`) });
  await file.truncate(last.sizeBytes);
  t.same(await sequences(made.reader(), 0n), upTo(12));

  const middle = await open(`${made.directory}/${journalId.toString('hex')}/${segmentFileName(segments[1]!.segment)}`, 'r+');
  t.teardown(() => middle.close());
  await middle.write(Buffer.from([0xff]), 0, 1, 300);
  await t.rejects(sequences(made.reader(), 0n), { name: 'FormatError', message: new RegExp(`read segment \\(.*segment ${segments[1]!.segment}, offset 72`) });
  t.same(await sequences(made.reader(), segments[2]!.segment - 1n), upTo(12, Number(segments[2]!.segment)), 'what lies after the damage is read');
  await made.store.remove(journalId, segments[1]!.segment);
  await t.rejects(sequences(made.reader(), 0n), { name: 'FormatError', message: new RegExp(`sequence ${segments[1]!.segment}, fault it is missing: the next segment begins at sequence ${segments[2]!.segment}`) });
});

t.test('a sequence is found by its time, and a time by its sequence', async (t) => {
  const made = make(t, 1500);
  const maker = new FrameMaker();
  await using appender = await made.store.openAppender(journalId, noSequence);
  const times = new Map<bigint, bigint>();
  for (let n = 0; n < 40; n += 1) {
    const write = { kind: 'write', node: rootNode, offset: 0, data: Buffer.alloc(10, n) } as const;
    const frame = maker.frame(...Array.from({ length: 1 + (n % 3) }, () => write));
    for (const change of frameChanges(frame).changes) times.set(change.sequence, change.timeNs);
    await appender.append(frame);
  }
  const reader = made.reader();
  for (const [sequence, timeNs] of times) {
    t.equal(await reader.timeOf(asSequence(sequence)), timeNs);
    t.same(await reader.sequenceAt(timeNs), { sequence, timeNs });
  }
  t.same(await reader.sequenceAt(999n), { sequence: 0n, timeNs: 0n }, 'before it begins');
  t.same(await reader.sequenceAt(1999n), { sequence: 1n, timeNs: 1000n }, 'between two changes');
  const last = [...times].at(-1)!;
  t.same(await reader.sequenceAt(1n << 63n), { sequence: last[0], timeNs: last[1] });
  t.equal(await reader.timeOf(asSequence(last[0] + 1n)), undefined);
  t.equal(await reader.timeOf(noSequence), undefined);
});

t.test('control changes are found by reading, or taken from a catalogue', async (t) => {
  const made = make(t);
  const maker = new FrameMaker();
  await using appender = await made.store.openAppender(journalId, noSequence);
  await appender.append(maker.frame(volumeOne, { kind: 'flush' }, { kind: 'mark', name: 'a' }));
  await appender.append(maker.frame({ kind: 'durable' }, { kind: 'mark', name: 'b' }));
  const kinds = async (through?: bigint): Promise<string[]> => (await made.reader().controlChanges(through === undefined ? undefined : asSequence(through))).map(({ sequence, body }) => `${sequence} ${body.kind}`);
  t.same(await kinds(), ['1 volume', '3 mark', '5 mark']);
  t.same(await kinds(3n), ['1 volume', '3 mark']);
  t.same(await kinds(2n), ['1 volume']);
  const asked: bigint[] = [];
  await made.reader({ controlChanges: (_, through) => (asked.push(through), []) }).controlChanges();
  t.same(asked, [5n]);
});

t.test('a whole segment is put at once, and replaces none', async (t) => {
  const made = make(t, 1000);
  const maker = new FrameMaker();
  {
    await using appender = await made.store.openAppender(journalId, noSequence);
    for (let n = 1; n <= 9; n += 1) await appender.append(readFrame(maker.write(300)));
  }
  const [first] = await made.store.list(journalId);
  const bytes = Buffer.alloc(first!.sizeBytes);
  await made.store.read(journalId, first!.segment, bytes, 0);
  const parts = async function* () {
    yield bytes.subarray(0, 100);
    yield bytes.subarray(100);
  };
  await t.rejects(made.store.put(journalId, first!.segment, parts()), /exists already/);
  await made.store.remove(journalId, first!.segment);
  await t.rejects(sequences(made.reader(), 0n), /begins at sequence/);
  await made.store.put(journalId, first!.segment, parts());
  t.same(await sequences(made.reader(), 0n), upTo(9));
});
