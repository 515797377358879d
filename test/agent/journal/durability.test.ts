/** What survives power loss, who sees to it, and what a failing disk does. */
import t from 'tap';
import { defaultSyncPolicy, syncTable, syncWaitMs, type SyncFacts } from '../../../agent/journal/group-sync.js';
import { asSequence, noSequence } from '../../../proto/change.js';
import { UndurableQueue } from '../../../agent/journal/undurable-queue.js';
import { noise, openJournal, write } from './fixture.js';

const facts: SyncFacts = { undurable: true, linkUp: true, waitedMs: undefined, sinceSyncMs: 300 };
const cases: Readonly<Record<string, readonly [Partial<SyncFacts>, number | undefined][]>> = {
  'all that is written is durable': [[{ undurable: false, linkUp: false, waitedMs: 5 }, undefined]],
  'somebody waits, and there is no receiver': [[{ linkUp: false, waitedMs: 0 }, 0]],
  'somebody waits, and the receiver may be faster': [[{ waitedMs: 0 }, 100], [{ waitedMs: 60 }, 40], [{ waitedMs: 500 }, 0]],
  'nobody waits, and there is no receiver': [[{ linkUp: false }, 700], [{ linkUp: false, sinceSyncMs: 5000 }, 0]],
  'nobody waits, and the receiver sees to it': [[{}, undefined]],
};

t.test('the table of syncs', async (t) => {
  t.same(Object.keys(cases), syncTable.map(({ label }) => label), 'every row has a case');
  for (const [label, rows] of Object.entries(cases)) for (const [change, waitMs] of rows) {
    t.equal(syncTable.find((row) => row.when({ ...facts, ...change }))?.label, label);
    t.equal(syncWaitMs({ ...facts, ...change }, defaultSyncPolicy), waitMs, label);
  }
});

t.test('while the receiver acknowledges, the spool is not synced', async (t) => {
  const { journal, clock, files } = await openJournal();
  journal.noteLink(true);
  await journal.append([write(10)]);
  await clock.advance(20);
  const syncs = files.counts.get('datasync')!;
  for (let at = 0; at < 50; at += 1) {
    const result = await journal.append([write(100)]);
    const through = result.taken ? result.lastSequence : noSequence;
    const durable = journal.whenDurable(through);
    await clock.advance(30);
    journal.noteDurable(journal.position.writtenThrough);
    await durable;
    await clock.advance(100);
  }
  t.equal(files.counts.get('datasync')! - syncs, 0);
  t.ok(journal.position.locallyDurableThrough < journal.position.durableThrough);
  await journal.close();
});

t.test('who waits longer than the receiver takes gets a local sync, and one sync serves all', async (t) => {
  const { journal, clock, files } = await openJournal();
  journal.noteLink(true);
  await journal.append([write(10)]);
  await clock.advance(20);
  const syncs = files.counts.get('datasync')!;
  let done = 0;
  for (let at = 0; at < 10; at += 1) {
    await journal.append([write(10)]);
    void journal.whenDurable(journal.position.capturedThrough).then(() => (done += 1));
  }
  await clock.advance(90);
  t.equal(done, 0);
  t.equal(files.counts.get('datasync')! - syncs, 0);
  await clock.advance(40);
  t.equal(done, 10);
  t.equal(files.counts.get('datasync')! - syncs, 1);
  await journal.close();
});

t.test('without a receiver who waits gets a sync at once, and the rest is synced every second', async (t) => {
  const { journal, clock, files } = await openJournal();
  await journal.append([write(10)]);
  let done = false;
  void journal.whenDurable(asSequence(1n)).then(() => (done = true));
  await clock.advance(19);
  t.notOk(done, 'it is not even written');
  await clock.advance(1);
  t.ok(done);
  const syncs = files.counts.get('datasync')!;
  for (let at = 0; at < 300; at += 1) {
    await journal.append([write(10)]);
    await clock.advance(20);
  }
  const segmentSyncs = files.counts.get('datasync')! - syncs;
  t.ok(segmentSyncs >= 5 && segmentSyncs <= 9, `${segmentSyncs} syncs in 6 s, those of the state file included`);
  await clock.advance(1000);
  t.equal(journal.position.locallyDurableThrough, journal.position.writtenThrough);
  await journal.close();
});

t.test('waiting ends with the signal, and for what is durable already there is none', async (t) => {
  const { journal, clock } = await openJournal();
  journal.noteLink(true);
  await journal.whenDurable(noSequence);
  const stop = new AbortController();
  const waits = [journal.whenDurable(asSequence(5n), stop.signal), journal.whenApplied(asSequence(5n), stop.signal), journal.whenShipped(asSequence(5n), stop.signal)];
  stop.abort(new Error('not any more'));
  for (const wait of waits) await t.rejects(wait, /not any more/);
  await journal.append([write(1)]);
  await clock.advance(20);
  let applied = false;
  let shipped = false;
  void journal.whenApplied(asSequence(1n)).then(() => (applied = true));
  void journal.whenShipped(asSequence(1n)).then(() => (shipped = true));
  journal.noteDurable(asSequence(1n));
  await clock.advance(0);
  t.ok(shipped);
  t.notOk(applied);
  journal.noteApplied(asSequence(1n));
  await clock.advance(0);
  t.ok(applied);
  await journal.close();
});

t.test('a failed sync breaks the journal: appending rejects, and so does who waits', async (t) => {
  const { journal, clock, files } = await openJournal();
  await journal.append([write(1)]);
  await clock.advance(20);
  files.fault = (deed, path) => (deed === 'datasync' && path.endsWith('.segment') ? 'EIO' : undefined);
  const broken = journal.whenBroken();
  await journal.append([write(1)]);
  const waiting = journal.whenDurable(asSequence(2n));
  waiting.catch(() => undefined);
  await clock.advance(20);
  await t.rejects(waiting, { name: 'DurabilityError' });
  t.match(await broken, { name: 'DurabilityError', message: /sync segment.*EIO/ });
  t.equal(journal.state.state, 'broken');
  t.match(journal.state.message, /sync segment/);
  await t.rejects(journal.append([write(1)]), { name: 'DurabilityError' });
  await t.rejects(journal.whenRoom(), { name: 'DurabilityError' });
  t.ok(files.fired > 0);
  await journal.close();
  files.fault = undefined;
  const next = await openJournal({ files, as: 'found' });
  t.ok(next.journal.mayBehind, 'the next start asks the receiver, which may have what was cut off');
  await next.journal.close();
});

t.test('a write that fails for another reason than space breaks the journal', async (t) => {
  const { journal, clock, files } = await openJournal();
  await journal.append([write(1)]);
  await clock.advance(20);
  files.fault = (deed, path) => (deed === 'write' && path.endsWith('.segment') ? 'EIO' : undefined);
  await journal.append([write(1)]);
  await clock.advance(20);
  t.equal(journal.state.state, 'broken');
  await t.rejects(journal.append([write(1)]), { name: 'DurabilityError', message: /append frame.*EIO/ });
  await journal.close();
});

t.test('lag counts from the oldest change that the receiver has not made durable', async (t) => {
  const { journal, clock } = await openJournal();
  t.equal(journal.position.oldestUndurableNs, 0n);
  const firstNs = clock.wallNs();
  await journal.append([noise(1000)]);
  t.equal(journal.position.oldestUndurableNs, firstNs, 'also while its frame is open');
  await clock.advance(100);
  const secondNs = clock.wallNs();
  await journal.append([noise(2000, 3)]);
  await clock.advance(100);
  t.equal(journal.position.oldestUndurableNs, firstNs);
  t.ok(journal.position.undurableBytes > 3000);
  await journal.whenDurable(asSequence(2n));
  t.equal(journal.position.oldestUndurableNs, firstNs, 'durable here is not durable there');
  journal.noteDurable(asSequence(1n));
  t.equal(journal.position.oldestUndurableNs, secondNs);
  journal.noteDurable(asSequence(2n));
  t.equal(journal.position.oldestUndurableNs, 0n);
  t.equal(journal.position.undurableBytes, 0);
  journal.noteDurable(asSequence(1n));
  t.equal(journal.position.durableThrough, 2n, 'an old acknowledgement changes nothing');
  t.throws(() => journal.noteDurable(asSequence(3n)), { code: 'out-of-order' });
  await journal.close();
});

t.test('the queue behind lag is bounded, and errs towards too much', async (t) => {
  const queue = new UndurableQueue();
  for (let at = 1; at <= 100_000; at += 1) queue.push({ lastSequence: asSequence(BigInt(at)), firstTimeNs: BigInt(at), bytes: 10 });
  t.ok(queue.spanCount <= 8192);
  t.equal(queue.bytes, 1_000_000);
  queue.dropThrough(asSequence(50_000n));
  t.ok(queue.oldestNs! <= 50_001n);
  t.ok(queue.bytes >= 500_000 && queue.bytes < 510_000);
  queue.dropThrough(asSequence(100_000n));
  t.equal(queue.bytes, 0);
  t.equal(queue.oldestNs, undefined);
});

t.test('a disk that is found full by a sync breaks the journal: the segment is in doubt, and waiting would be for ever', async (t) => {
  const { journal, clock, files } = await openJournal({ segmentSizeBytes: 3000 });
  journal.noteLink(true);
  await journal.append([noise(2000)]);
  await clock.advance(20);
  files.fault = (deed, path) => (deed === 'datasync' && path.endsWith('.segment') ? 'ENOSPC' : undefined);
  for (let count = 0; count < 3 && journal.state.state !== 'broken'; count += 1) {
    await journal.append([noise(2000, count)]);
    await clock.advance(20);
  }
  t.equal(files.fired, 1, 'sealing a segment met it');
  t.equal(journal.state.state, 'broken');
  files.fault = undefined;
  await journal.close();
});
