/** Sequences, times and frames: what the journal makes of what engines hand over. */
import t from 'tap';
import { asSequence, writeBytesMax, type CapturedChange, type Sequence } from '../../../proto/change.js';
import { frameChangesMax } from '../../../proto/journal/layout.js';
import { allChanges, collect, noise, openJournal, write } from './fixture.js';

const second = 1_000_000_000n;

t.test('concurrent appends get sequences without holes, each batch in one piece', async (t) => {
  const { journal, clock } = await openJournal();
  const batches = Array.from({ length: 300 }, (_, at) => Array.from({ length: 1 + (at % 5) }, () => write(2_000 + at * 50, at)));
  const results = await Promise.all(batches.map((batch) => journal.append(batch)));
  let next = 1n;
  for (const [at, result] of results.entries()) {
    if (!result.taken) throw new Error('refused');
    t.equal(result.firstSequence, next);
    t.equal(result.lastSequence, next + BigInt(batches[at]!.length) - 1n);
    next = result.lastSequence + 1n;
  }
  await clock.advance(20);
  const changes = await allChanges(journal);
  t.same(changes.map(({ sequence }) => sequence), Array.from({ length: Number(next) - 1 }, (_, at) => BigInt(at) + 1n));
  t.same(changes.map(({ body }) => (body.kind === 'write' ? body.data.byteLength : 0)), batches.flat().map(({ body }) => (body.kind === 'write' ? body.data.byteLength : 0)));
  await journal.close();
});

t.test('times never go back, whatever the wall clock and the engines say', async (t) => {
  const { journal, clock } = await openJournal();
  const startNs = clock.wallNs();
  await journal.append([write(1)]);
  clock.step(-3600n * second);
  await journal.append([write(1), write(1, 1, startNs - 5n), write(1, 1, startNs + 7n)]);
  await clock.advance(50);
  await journal.append([write(1)]);
  clock.step(7200n * second);
  await clock.advance(50);
  await journal.append([write(1)]);
  await clock.advance(50);
  const times = (await allChanges(journal)).map(({ timeNs }) => timeNs);
  for (const [at, timeNs] of times.entries()) if (at > 0) t.ok(timeNs >= times[at - 1]!, `time ${at}`);
  t.equal(times[0], startNs);
  t.equal(times[3], startNs + 7n);
  await journal.close();
});

t.test('a step of the wall clock is put on record before the changes after it', async (t) => {
  for (const stepNs of [90n * second, -90n * second]) {
    const { journal, clock } = await openJournal();
    await journal.append([write(1)]);
    await clock.advance(500);
    clock.step(stepNs);
    await journal.append([write(2)]);
    await clock.advance(500);
    const kinds = (await allChanges(journal)).map(({ body, volume }) => [body.kind, Number(volume)]);
    t.same(kinds, [['write', 1], ['clock', 0], ['write', 1]]);
    const [clockChange] = (await allChanges(journal)).filter(({ body }) => body.kind === 'clock');
    t.equal(clockChange!.body.kind === 'clock' && clockChange!.body.stepNs, stepNs);
    await journal.close();
  }
});

t.test('a clock that is slewed is not taken for one that is set, however long nothing is written', async (t) => {
  const { journal, clock } = await openJournal();
  for (let hour = 0; hour < 20; hour += 1) {
    for (let step = 0; step < 6; step += 1) {
      await clock.advance(1000);
      clock.step(500_000_000n);
    }
  }
  await journal.append([write(1)]);
  await clock.advance(20);
  t.same((await allChanges(journal)).map(({ body }) => body.kind), ['write']);
  await journal.close();
});

t.test('a frame closes after 20 ms', async (t) => {
  const { journal, clock } = await openJournal();
  await journal.append([write(10)]);
  await clock.advance(19);
  await journal.append([write(10)]);
  t.equal(journal.position.writtenThrough, 0n);
  t.equal(journal.position.capturedThrough, 2n);
  await clock.advance(1);
  t.equal(journal.position.writtenThrough, 2n);
  t.equal((await collect(journal.frames(asSequence(0n)))).length, 1);
  await journal.close();
});

t.test('a frame closes when it holds about 1 MiB, and no change is split', async (t) => {
  const { journal, clock } = await openJournal();
  await journal.append(Array.from({ length: 9 }, (_, at) => write(writeBytesMax, at)));
  await clock.advance(20);
  const frames = await collect(journal.frames(asSequence(0n)));
  t.same(frames.map(({ header }) => header.lastSequence - header.firstSequence + 1n), [3n, 3n, 3n]);
  await journal.close();
});

t.test('a frame closes at the greatest number of changes', async (t) => {
  const { journal, clock } = await openJournal();
  const flush: CapturedChange = { volume: write(1).volume, body: { kind: 'flush' } };
  // About 96 bytes a change are reckoned, so the byte limit comes first; the number is the bound for readers.
  await journal.append(Array.from({ length: frameChangesMax + 10 }, () => flush));
  await clock.advance(20);
  const frames = await collect(journal.frames(asSequence(0n)));
  t.ok(frames.every(({ header }) => header.lastSequence - header.firstSequence < BigInt(frameChangesMax)));
  t.equal(frames.reduce((sum, { header }) => sum + Number(header.lastSequence - header.firstSequence + 1n), 0), frameChangesMax + 10);
  await journal.close();
});

t.test('a change that no frame can hold is refused before anything of its batch is taken', async (t) => {
  const { journal } = await openJournal();
  await t.rejects(journal.append([write(1), write(writeBytesMax + 1)]), { name: 'RangeError', message: /a write of 262145 bytes/ });
  const xattrs = new Map([['user.a', Buffer.alloc(3 * 1024 * 1024)]]);
  const { volume } = write(1);
  await t.rejects(journal.append([{ volume, body: { kind: 'create', node: 5n as never, metadata: { nodeKind: 'file', mode: 0, uid: 0, gid: 0, modifyNs: 0n, xattrs } } }]), RangeError);
  t.equal(journal.position.capturedThrough, 0n);
  t.match(await journal.append([write(1)]), { taken: true, firstSequence: 1n, lastSequence: 1n });
  await journal.close();
});

t.test('an engine that is faster than the disk waits', async (t) => {
  const { journal, clock, files } = await openJournal();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  files.duringSync = (path) => (path.endsWith('.segment') ? held : Promise.resolve());
  // The first segment's creation is what is held up here.
  const waits: Promise<unknown>[] = [];
  const done: number[] = [];
  for (let at = 0; at < 20; at += 1) {
    const appended = journal.append(Array.from({ length: 4 }, (_, each) => noise(writeBytesMax, at * 4 + each)));
    waits.push(appended.then(() => done.push(at)));
  }
  await clock.advance(0);
  t.ok(done.length >= 8 && done.length <= 13, `${done.length} MiB were taken`);
  release();
  for (let turn = 0; turn < 5; turn += 1) await clock.advance(20);
  await Promise.all(waits);
  t.same(done, Array.from({ length: 20 }, (_, at) => at), 'and they go on in order');
  await journal.close();
});

t.test('whoever follows gets every frame in order, from memory and from disk, and new ones as they come', async (t) => {
  const { journal, clock } = await openJournal({ recentBytesMax: 64 * 1024 });
  for (let at = 0; at < 30; at += 1) {
    await journal.append([noise(10_000, at)]);
    await clock.advance(20);
  }
  const stop = new AbortController();
  const seen: Sequence[] = [];
  const following = (async () => {
    for await (const { firstSequence, lastSequence } of journal.follow(asSequence(3n), stop.signal)) for (let at = firstSequence as bigint; at <= lastSequence; at += 1n) seen.push(asSequence(at));
  })();
  await clock.advance(1);
  t.same(seen, Array.from({ length: 27 }, (_, at) => BigInt(at) + 4n));
  await journal.append([write(1), write(1)]);
  await clock.advance(20);
  t.equal(seen.length, 29);
  stop.abort(new Error('enough'));
  await t.rejects(following, /enough/);
  await journal.close();
});
