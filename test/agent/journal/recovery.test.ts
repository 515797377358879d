/** What a start finds after each kind of end, and what it concludes. */
import t from 'tap';
import { durableFloor, mayBehindAtStart, startTable, type SpoolMemory, type StartFacts } from '../../../agent/journal/spool-state.js';
import { asSequence } from '../../../proto/change.js';
import { allChanges, Copy, gap, noise, openJournal, stateDirectory, write } from './fixture.js';
import { MemoryFiles } from './memory-files.js';
import { ManualClock } from '../../sim/clock.js';
import { chance } from '../../proto/seeded.js';

const memory: SpoolMemory = { bootId: 'boot-1', mayBehind: false, isNew: false, base: undefined, locallyDurableThrough: asSequence(10n), receiverDurableThrough: asSequence(10n) };
const facts: StartFacts = { memory, isClean: false, bootId: 'boot-2', writtenThrough: asSequence(12n), isCut: false };
const cases: Readonly<Record<string, readonly [Partial<StartFacts>, boolean][]>> = {
  'nothing is remembered: a new journal, or a lost state': [[{ memory: undefined, isClean: true }, true]],
  'the last run ended before it could ask the receiver, or with a failed disk': [[{ memory: { ...memory, mayBehind: true }, isClean: true, bootId: 'boot-1' }, true]],
  'the segments end before what the receiver acknowledged': [[{ writtenThrough: asSequence(9n), isClean: true, bootId: 'boot-1' }, true]],
  'something was cut off at the end': [[{ isCut: true, bootId: 'boot-1' }, true]],
  'closed in order': [[{ isClean: true }, false]],
  'killed, and the operating system ran on': [[{ bootId: 'boot-1' }, false]],
  'not closed, and the operating system was started again': [[{}, true]],
};

t.test('the table of starts', async (t) => {
  t.same(Object.keys(cases), startTable.map(({ label }) => label), 'every row has a case');
  for (const [label, rows] of Object.entries(cases)) for (const [change, mayBehind] of rows) {
    const found = { ...facts, ...change };
    t.equal(startTable.find((row) => row.when(found))?.label, label);
    t.equal(mayBehindAtStart(found), mayBehind, label);
  }
});

t.test('only what a local sync covered and no receiver has is a floor', async (t) => {
  t.equal(durableFloor(undefined), 0n);
  t.equal(durableFloor(memory), 0n);
  t.equal(durableFloor({ ...memory, locallyDurableThrough: asSequence(20n) }), 20n);
});

t.test('killed without a close, every written frame is found again, and appending goes on', async (t) => {
  const first = await openJournal();
  for (let at = 0; at < 5; at += 1) {
    await first.journal.append([noise(1000, at), gap(at)]);
    await first.clock.advance(20);
  }
  await first.journal.append([noise(1000, 77)]);
  const files = first.files.afterKill();
  const { journal, clock } = await openJournal({ files, as: 'found' });
  t.notOk(journal.mayBehind, 'the page cache outlives the process');
  t.equal(journal.position.capturedThrough, 10n, 'what was in the open frame is gone');
  t.ok(journal.position.oldestUndurableNs > 0n, 'and lag goes on');
  t.match(await journal.append([write(5)]), { taken: true, firstSequence: 11n });
  await clock.advance(20);
  t.same((await allChanges(journal)).map(({ sequence }) => sequence), Array.from({ length: 11 }, (_, at) => BigInt(at) + 1n));
  await journal.close();
});

t.test('closed in order, nothing is missing and nobody need be asked, also after a boot', async (t) => {
  const first = await openJournal();
  await first.journal.append([noise(1000)]);
  await first.journal.close();
  await first.journal.close();
  await t.rejects(first.journal.append([write(1)]), { message: /it is closed/ });
  t.equal(first.clock.timerCount, 0, 'no timer is left');
  const files = first.files.afterPowerLoss();
  const { journal } = await openJournal({ files, as: 'found', bootId: 'boot-2' });
  t.notOk(journal.mayBehind);
  t.equal(journal.position.capturedThrough, 1n);
  t.notOk(files.paths().includes(`${stateDirectory}/spool/clean`), 'the mark counts once');
  await journal.close();
});

t.test('times go on after those of the run before, whatever the clock says by then', async (t) => {
  const first = await openJournal();
  await first.journal.append([noise(10)]);
  const firstNs = first.journal.position.capturedTimeNs;
  await first.journal.close();
  const clock = new ManualClock(firstNs - 10_000_000_000_000n);
  const { journal } = await openJournal({ files: first.files, as: 'found', clock });
  await journal.append([noise(10)]);
  await clock.advance(20);
  t.same((await allChanges(journal)).map(({ timeNs }) => timeNs), [firstNs, firstNs]);
  await journal.close();
});

t.test('after power loss appending waits until the receiver was asked, and also over restarts', async (t) => {
  const first = await openJournal();
  await first.journal.append([noise(1000)]);
  await first.clock.advance(20);
  await first.journal.whenDurable(asSequence(1n));
  let files = first.files.afterPowerLoss();
  {
    const { journal, clock } = await openJournal({ files, as: 'found', bootId: 'boot-2' });
    t.ok(journal.mayBehind);
    const held = journal.append([noise(10)]);
    held.catch(() => undefined);
    await clock.advance(5000);
    t.equal(journal.position.capturedThrough, 1n);
    t.match(journal.state.waitingFor, /the receiver to say what it holds/);
    await journal.close();
    await t.rejects(held, { message: /it is closed/ });
  }
  files = files.afterPowerLoss();
  const { journal, clock } = await openJournal({ files, as: 'found', bootId: 'boot-2' });
  t.ok(journal.mayBehind, 'a close in between changes nothing');
  let taken = 0;
  void journal.append([noise(10)]).then(() => (taken += 1));
  void journal.append([gap()]).then(() => (taken += 1));
  let reconciled = false;
  void journal.whenReconciled().then(() => (reconciled = true));
  await clock.advance(1000);
  t.equal(taken, 0);
  const copy = await new Copy().take(journal);
  await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames });
  await clock.advance(20);
  t.equal(taken, 2);
  t.ok(reconciled);
  t.equal(journal.state.waitingFor, undefined);
  t.same((await allChanges(journal)).map(({ body }) => body.kind), ['write', 'write', 'gap']);
  await journal.close();
});

t.test('a damaged state file counts as none', async (t) => {
  const first = await openJournal();
  await first.journal.append([noise(10)]);
  await first.journal.close();
  const path = `${stateDirectory}/spool/state.json`;
  for (const text of ['', '{}', '[]', 'null', '{"version":1', first.files.content(path).toString().replace(/"journal": "\w+"/, '"journal": "00"')]) {
    const files = first.files.afterKill();
    await files.remove(path);
    const file = await files.create(path);
    await file.write([Buffer.from(text)], 0);
    const { journal, lines } = await openJournal({ files, as: 'found' });
    t.ok(journal.mayBehind);
    t.ok(lines.some(({ message }) => /state cannot be read/.test(message)), text);
    await journal.close();
  }
});

t.test('damage below what only this disk holds stops the start; where the receiver has it, it is cut off', async (t) => {
  for (const received of [false, true]) {
    const { journal, clock, files } = await openJournal();
    for (let at = 0; at < 3; at += 1) {
      await journal.append([noise(1000, at)]);
      await clock.advance(20);
    }
    await journal.whenDurable(asSequence(3n));
    if (received) journal.noteDurable(asSequence(3n));
    await clock.advance(31_000);
    const after = files.afterKill();
    const path = after.paths().find((each) => each.endsWith('.segment'))!;
    const file = await after.open(path);
    await file.write([Buffer.from('damage')], 2500);
    if (!received) await t.rejects(openJournal({ files: after, as: 'found' }), { name: 'FormatError', message: /but 3 was durable|payload checksum/ });
    else {
      const next = await openJournal({ files: after, as: 'found' });
      t.equal(next.journal.position.capturedThrough, 2n);
      t.ok(next.journal.mayBehind, 'the rest is fetched');
      await next.journal.close();
    }
    await journal.close();
  }
});

t.test('a start on a full disk works, and what cannot be remembered is remembered later', async (t) => {
  const first = await openJournal();
  await first.journal.append([noise(10)]);
  await first.journal.close();
  const files = first.files.afterKill();
  files.capacityBytes = files.usedBytes;
  const { journal, clock, lines } = await openJournal({ files, as: 'found', bootId: 'boot-9' });
  t.ok(lines.some(({ message }) => /no space to save the spool state/.test(message)));
  files.capacityBytes = Infinity;
  await clock.advance(1000);
  t.match(files.content(`${stateDirectory}/spool/state.json`).toString(), /boot-9/);
  await journal.close();
});

t.test('whatever is appended when, and however the host ends, what was durable is found again', async (t) => {
  const c = chance(t);
  for (let round = 0; round < 40; round += 1) {
    let files = new MemoryFiles();
    let durable = 0n;
    let end = 0n;
    const copy = new Copy();
    for (let life = 0; life < 4; life += 1) {
      const { journal, clock } = await openJournal({ files, as: 'found', bootId: `boot-${round}-${life}`, segmentSizeBytes: 20_000 });
      t.ok(journal.position.capturedThrough >= durable || journal.mayBehind, 'nothing durable is missing unless the receiver has it');
      await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames });
      t.ok(journal.position.capturedThrough >= durable, `at least ${durable} after life ${life}`);
      t.ok(journal.position.capturedThrough <= end);
      end = journal.position.capturedThrough;
      for (let step = c.below(15); step > 0; step -= 1) {
        const result = await journal.append(Array.from({ length: 1 + c.below(3) }, () => noise(1 + c.below(6000), c.below(1000))));
        if (!result.taken) throw new Error('refused');
        end = result.lastSequence;
        if (c.below(4) === 0) {
          void journal.whenDurable(result.lastSequence).then(() => { if (result.lastSequence > durable) durable = result.lastSequence; }, () => undefined);
        }
        await clock.advance(c.below(60));
        if (c.below(3) === 0) {
          await copy.take(journal);
          journal.noteDurable(copy.end.lastSequence);
          if (copy.end.lastSequence > durable) durable = copy.end.lastSequence;
          journal.setKeepAfter(asSequence(copy.end.lastSequence / 2n));
        }
      }
      const how = c.pick(['close', 'kill', 'power', 'power'] as const);
      if (how === 'close') {
        await journal.close();
        durable = end;
        files = files.afterPowerLoss();
      } else files = how === 'kill' ? files.afterKill() : files.afterPowerLoss();
      end = end > durable ? end : durable;
    }
  }
});
