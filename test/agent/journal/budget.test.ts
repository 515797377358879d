/** What the journal takes and refuses: the budget, its reserve, full disks, and trimming. */
import t from 'tap';
import { admission, admissionTable, queueBytesMax, reserveBytes, type Admission, type AdmissionFacts } from '../../../agent/journal/admission.js';
import { asSequence } from '../../../proto/change.js';
import { allChanges, gap, noise, openJournal, type Opened } from './fixture.js';
import { MemoryFiles } from './memory-files.js';

const mebibyte = 1024 * 1024;
const batch = (seed: number) => [noise(200_000, seed), noise(200_000, seed + 1), noise(200_000, seed + 2), noise(200_000, seed + 3), noise(200_000, seed + 4)];

const base: AdmissionFacts = { held: false, controlOnly: false, state: 'ok', queuedBytes: 0, usedBytes: 0, spoolBytesMax: 100 * mebibyte };
const cases: Readonly<Record<string, readonly [Partial<AdmissionFacts>, Admission][]>> = {
  'the receiver may hold these sequences already': [[{ held: true }, 'wait'], [{ held: true, controlOnly: true, state: 'spent' }, 'wait'], [{ held: true, state: 'disk-full' }, 'wait']],
  'content, and the budget is spent or the disk full': [[{ state: 'spent' }, 'refuse'], [{ state: 'disk-full', queuedBytes: 2 * queueBytesMax }, 'refuse']],
  'control changes, and the reserve is spent too': [[{ controlOnly: true, state: 'spent', usedBytes: 100 * mebibyte + reserveBytes + 1 }, 'wait']],
  'control changes on a full disk, and the reserve in memory is spent': [[{ controlOnly: true, state: 'disk-full', queuedBytes: queueBytesMax + reserveBytes + 1 }, 'wait']],
  'control changes on a full disk': [[{ controlOnly: true, state: 'disk-full', queuedBytes: queueBytesMax + reserveBytes }, 'take']],
  'the disk does not keep up': [[{ queuedBytes: queueBytesMax + 1 }, 'wait'], [{ controlOnly: true, queuedBytes: queueBytesMax + 1 }, 'wait']],
  room: [[{}, 'take'], [{ controlOnly: true, state: 'spent', usedBytes: 100 * mebibyte + reserveBytes }, 'take'], [{ queuedBytes: queueBytesMax }, 'take']],
};

t.test('the admission table', async (t) => {
  t.same(Object.keys(cases).sort(), admissionTable.map(({ label }) => label).sort(), 'every row has a case');
  for (const [label, rows] of Object.entries(cases)) {
    for (const [change, verdict] of rows) {
      const facts = { ...base, ...change };
      t.equal(admissionTable.find((row) => row.when(facts))?.label, label);
      t.equal(admission(facts), verdict, label);
    }
  }
});

async function fill({ journal, clock }: Opened): Promise<number> {
  for (let taken = 0; ; taken += 1) {
    if (!(await journal.append(batch(taken * 100))).taken) return taken;
    await clock.advance(20);
    if (taken > 1000) throw new Error('never full');
  }
}

t.test('content is refused when the budget is spent, control changes are not, and room comes back with hysteresis', async (t) => {
  const opened = await openJournal({ spoolBytesMax: 20 * mebibyte });
  const { journal, clock } = opened;
  const taken = await fill(opened);
  t.ok(taken >= 18 && taken <= 22, `${taken} MB were taken`);
  t.equal(journal.state.state, 'spent');
  t.match(journal.state.message, /budget of 20971520 bytes is spent/);
  const before = journal.position.capturedThrough;
  t.same(await journal.append([noise(10), gap()]), { taken: false }, 'a batch with content is refused whole');
  t.equal(journal.position.capturedThrough, before);
  t.match(await journal.append([gap()]), { taken: true });
  await clock.advance(20);

  let room = false;
  void journal.whenRoom().then(() => (room = true));
  journal.setKeepAfter(asSequence(10_000n));
  journal.noteDurable(asSequence(before / 20n));
  await clock.advance(1);
  t.notOk(room, 'a little is not enough');
  t.equal(journal.state.state, 'spent');
  journal.noteDurable(asSequence((before * 2n) / 3n));
  await clock.advance(1);
  t.ok(room);
  t.equal(journal.state.state, 'ok');
  t.match(await journal.append([noise(10)]), { taken: true });
  await journal.close();
});

t.test('a budget smaller than a segment does not stay spent for ever', async (t) => {
  const opened = await openJournal({ spoolBytesMax: 4 * mebibyte, segmentSizeBytes: 16 * mebibyte });
  const { journal, clock } = opened;
  await fill(opened);
  journal.setKeepAfter(journal.position.capturedThrough);
  journal.noteDurable(journal.position.writtenThrough);
  await clock.advance(1);
  t.equal(journal.state.state, 'ok');
  await journal.close();
});

t.test('control changes wait once the reserve is spent as well, and go on in order', async (t) => {
  const opened = await openJournal({ spoolBytesMax: 4 * mebibyte });
  const { journal, clock } = opened;
  await fill(opened);
  const definition = (at: number) => [{ volume: 1 as never, body: { kind: 'gap', edge: 'open', gap: at, label: 'unknown', cause: String.fromCharCode(...Array.from({ length: 60_000 }, (_, n) => 33 + (((n * n + at) ^ (n >> 3)) % 90))), sinceNs: 1n } as const }];
  let accepted = 0;
  const all: Promise<unknown>[] = [];
  for (let at = 0; at < 900; at += 1) {
    all.push(journal.append(definition(at)).then(() => (accepted += 1)));
    if (at % 8 === 7) await clock.advance(20);
  }
  await clock.advance(100);
  t.ok(accepted > 50 && accepted < 900, `${accepted} were taken`);
  t.same(await journal.append([noise(10)]), { taken: false }, 'content is refused meanwhile, not kept waiting behind them');
  journal.setKeepAfter(asSequence(100_000n));
  for (let turn = 0; turn < 100 && accepted < 900; turn += 1) {
    journal.noteDurable(journal.position.writtenThrough);
    await clock.advance(50);
  }
  t.equal(accepted, 900);
  await Promise.all(all);
  await journal.close();
});

t.test('segments go only when the receiver has them and the engine does not need them', async (t) => {
  const { journal, clock, files } = await openJournal({ segmentSizeBytes: mebibyte });
  for (let at = 0; at < 10; at += 1) {
    await journal.append(batch(at * 100));
    await clock.advance(20);
  }
  const segmentCount = (): number => files.paths().filter((path) => path.endsWith('.segment')).length;
  t.equal(segmentCount(), 10);
  const end = journal.position.writtenThrough;
  journal.noteDurable(end);
  await clock.advance(5);
  t.equal(segmentCount(), 10, 'the engine has committed nothing');
  journal.setKeepAfter(asSequence(22n));
  await clock.advance(5);
  t.equal(segmentCount(), 6);
  t.equal(journal.position.heldFrom, 21n);
  t.same((await allChanges(journal, asSequence(22n))).length, 28, 'what the engine needs is there');
  journal.setKeepAfter(asSequence(1000n));
  await clock.advance(5);
  t.equal(segmentCount(), 1, 'the last one stays');
  t.ok(journal.position.spoolBytes < 2 * mebibyte);
  await journal.append(batch(7));
  await clock.advance(20);
  journal.noteDurable(journal.position.writtenThrough);
  await clock.advance(5);
  t.equal(segmentCount(), 1, 'and makes way for the next');
  await journal.close();
});

t.test('a spool that has gone quiet shrinks with the next frame, and a busy one is not sealed early', async (t) => {
  const { journal, clock, files } = await openJournal();
  journal.noteLink(true);
  for (let at = 0; at < 8; at += 1) {
    await journal.append(batch(at * 100));
    await clock.advance(900);
  }
  t.ok(journal.position.spoolBytes > 8_000_000);
  journal.setKeepAfter(asSequence(1000n));
  journal.noteDurable(asSequence(39n));
  await clock.advance(20_000);
  await journal.append([noise(10)]);
  await clock.advance(20);
  t.ok(journal.position.spoolBytes > 8_000_000, 'not while the receiver lacks a part of it');
  journal.noteDurable(asSequence(41n));
  await clock.advance(4_000);
  const syncs = files.counts.get('datasync')!;
  await clock.advance(4_000);
  t.equal(files.counts.get('datasync')! - syncs, 1);
  await clock.advance(20_000);
  await journal.append([noise(10)]);
  await clock.advance(1_000);
  t.ok(journal.position.spoolBytes < 1000);
  t.same((await allChanges(journal, asSequence(41n))).length, 1);
  await journal.close();
});

t.test('a segment that cannot be removed now is removed later', async (t) => {
  const { journal, clock, files, lines } = await openJournal({ segmentSizeBytes: mebibyte });
  for (let at = 0; at < 3; at += 1) {
    await journal.append(batch(at * 100));
    await clock.advance(20);
  }
  files.fault = (deed, path) => (deed === 'remove' && path.endsWith('.segment') ? 'EBUSY' : undefined);
  journal.setKeepAfter(asSequence(1000n));
  journal.noteDurable(journal.position.writtenThrough);
  await clock.advance(5);
  t.ok(files.fired > 0);
  t.ok(lines.some(({ message }) => /could not be removed/.test(message)));
  files.fault = undefined;
  await clock.advance(1000);
  t.equal(files.paths().filter((path) => path.endsWith('.segment')).length, 1);
  await journal.close();
});

t.test('a full disk refuses content, keeps what was accepted, and goes on once there is space', async (t) => {
  const files = new MemoryFiles();
  const opened = await openJournal({ files });
  const { journal, clock } = opened;
  await journal.append(batch(1));
  await clock.advance(20);
  files.capacityBytes = files.usedBytes + mebibyte + 300_000;
  t.match(await journal.append(batch(10)), { taken: true });
  t.match(await journal.append(batch(20)), { taken: true });
  t.match(await journal.append(batch(30)), { taken: true });
  await clock.advance(25);
  t.equal(journal.state.state, 'disk-full');
  t.match(journal.state.message, /ENOSPC/);
  t.same(await journal.append([noise(10)]), { taken: false });
  t.match(await journal.append([gap()]), { taken: true }, 'that content is missing can still be said');
  const captured = journal.position.capturedThrough;
  await clock.advance(3000);
  t.equal(journal.state.state, 'disk-full');
  let room = false;
  void journal.whenRoom().then(() => (room = true));
  files.capacityBytes = Infinity;
  await clock.advance(1000);
  t.ok(room);
  t.equal(journal.state.state, 'ok');
  t.equal(journal.position.writtenThrough, captured);
  t.match(await journal.append([noise(10)]), { taken: true });
  await clock.advance(20);
  const changes = await allChanges(journal);
  t.same(changes.map(({ sequence }) => sequence), changes.map((_, at) => BigInt(at) + 1n), 'no hole');
  t.equal(changes.length, Number(captured) + 1);
  await journal.close();
});

t.test('what waited for a slow disk is refused, not kept waiting, when the disk turns out to be full', async (t) => {
  const { journal, clock, files } = await openJournal();
  await journal.append([noise(10)]);
  await clock.advance(20);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  files.capacityBytes = files.usedBytes + 100_000;
  files.duringWrite = () => held;
  const results: boolean[] = [];
  for (let at = 0; at < 14; at += 1) void journal.append(batch(at * 10)).then(({ taken }) => results.push(taken));
  await clock.advance(20);
  release();
  await clock.advance(20);
  t.equal(results.length, 14);
  t.ok(results.includes(false));
  t.ok(results.includes(true));
  files.capacityBytes = Infinity;
  await clock.advance(1000);
  t.equal(journal.state.state, 'ok');
  await journal.close();
});

t.test('the spool leaves the applications some of their disk', async (t) => {
  const files = new MemoryFiles();
  files.totalBytes = 100 * mebibyte;
  const { journal, clock } = await openJournal({ files });
  files.totalBytes = 100 * mebibyte;
  files.capacityBytes = files.usedBytes + 4 * mebibyte;
  await clock.advance(1000);
  t.equal(journal.state.state, 'disk-full');
  t.match(journal.state.message, /has only 41\d+ bytes left/);
  t.same(await journal.append([noise(10)]), { taken: false });
  files.capacityBytes = files.usedBytes + 6 * mebibyte;
  await clock.advance(1000);
  t.equal(journal.state.state, 'disk-full', 'a little more is not enough');
  files.capacityBytes = files.usedBytes + 7 * mebibyte;
  await clock.advance(1000);
  t.equal(journal.state.state, 'ok');
  await journal.close();
});

t.test('closing on a full disk leaves no mark of order', async (t) => {
  const files = new MemoryFiles();
  const { journal, clock, lines } = await openJournal({ files });
  await journal.append([noise(1000)]);
  await clock.advance(20);
  files.capacityBytes = files.usedBytes;
  await journal.append([noise(1000)]);
  await clock.advance(20);
  await journal.close();
  t.ok(lines.some(({ message }) => /could not be spooled/.test(message)));
  t.notOk(files.paths().includes('/state/spool/clean'));
});
