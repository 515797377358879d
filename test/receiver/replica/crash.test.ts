/** Ends the replica at every operation on its tree, and by power cuts, and checks what the next process makes of it. */
import t, { type Test } from 'tap';
import { asSequence, type Sequence } from '../../../proto/change.js';
import { brought, CrashRig } from './crash-rig.js';
import { appendInFrames, faults, modelAt, seededRandom, seedOf, stagedEntries } from './fixture.js';
import { hostileChanges } from './hostile-history.js';
import { MemoryJournal } from './memory-journal.js';
import type { Model } from './model.js';
import { NamespaceModel } from './namespace-model.js';
import { RandomHistory } from './random-history.js';

function historyOf(seed: number, count: number): MemoryJournal {
  const random = seededRandom(seed);
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot: true, bytesMax: 12_000 }).next(count), random);
  return journal;
}

function hostileHistoryOf(seed: number, count: number): MemoryJournal {
  const random = seededRandom(seed);
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, hostileChanges(random, count), random);
  return journal;
}

function hostileModelAt(journal: MemoryJournal, through: Sequence): Model {
  const model = new NamespaceModel();
  for (const { sequence, body } of journal.changes) if (sequence <= through) model.apply(body);
  return model.model();
}

/** Opens what a crash left, checks it where it stands, applies the rest and checks again. */
async function recovers(t: Test, rig: CrashRig, model: (through: Sequence) => Model, label: string): Promise<boolean> {
  rig.crash();
  const replica = await rig.open(rig.journal.last);
  const { volumes } = await brought(replica);
  const [standing] = volumes;
  let good = true;
  if (standing !== undefined && standing.appliedThrough > 0n) {
    const found = await faults(rig.tree, '/1/tree', model(standing.appliedThrough));
    good = found.length === 0 || t.same(found, [], `${label}: repaired, it is as of ${standing.appliedThrough}`);
  }
  await replica.applyThrough(rig.journal.last);
  const [status] = replica.status().volumes;
  const found = await faults(rig.tree, '/1/tree', model(rig.journal.last));
  good = (found.length === 0 || t.same(found, [], `${label}: it is as of the end`)) && good;
  good = (status?.rebuilds === 0 || t.fail(`${label}: it was rebuilt: ${status?.rebuildCause}`)) && good;
  await replica[Symbol.asyncDispose]();
  return good;
}

async function everyOperation(t: Test, journal: MemoryJournal, model: (through: Sequence) => Model, power: boolean): Promise<void> {
  const whole = new CrashRig(journal);
  const untouched = await whole.open(asSequence(0n));
  await whole.run(untouched, journal.last);
  const total = whole.operations;
  await untouched[Symbol.asyncDispose]();
  t.same(await faults(whole.tree, '/1/tree', model(journal.last)), [], 'without a crash it is as of the end');
  t.ok(total > 100, `${total} operations`);
  let failed = 0;
  for (let at = 1; at <= total && failed < 3; at += 1) {
    const rig = new CrashRig(journal);
    if (power) rig.power = seededRandom(at);
    rig.crashAt = at;
    await rig.run(await rig.open(asSequence(0n)), journal.last);
    if (!(await recovers(t, rig, model, `crash at operation ${at}`))) failed += 1;
  }
  t.equal(failed, 0, `it recovered from a crash at each of ${total} operations`);
}

t.setTimeout(300_000);

t.test('a process killed at any operation leaves a replica that is repaired', async (t) => {
  const journal = historyOf(seedOf(t), 110);
  await everyOperation(t, journal, (through) => modelAt(journal, through), false);
});

t.test('a power cut after any operation leaves a replica that is repaired', async (t) => {
  const journal = historyOf(seedOf(t), 90);
  await everyOperation(t, journal, (through) => modelAt(journal, through), true);
});

t.test('the same holds for changes that do not fit', async (t) => {
  const journal = hostileHistoryOf(seedOf(t), 500);
  await everyOperation(t, journal, (through) => hostileModelAt(journal, through), false);
});

t.test('crashes upon crashes, some in the middle of repairs, lose nothing', async (t) => {
  const seed = seedOf(t);
  for (let round = 0; round < 25; round += 1) {
    const random = seededRandom(seed + round);
    const hostile = round % 3 === 2;
    const journal = hostile ? hostileHistoryOf(seed + round, 400) : historyOf(seed + round, 250);
    const model = (through: Sequence): Model => (hostile ? hostileModelAt(journal, through) : modelAt(journal, through));
    const rig = new CrashRig(journal);
    if (round % 2 === 0) rig.power = random;
    let durable = 2n;
    for (let crash = 0; crash < 12; crash += 1) {
      rig.crashAt = 1 + Math.floor(random.fraction() ** 2 * 120);
      const replica = await rig.open(asSequence(durable));
      durable += BigInt(Math.floor(random.fraction() * 40));
      if (durable > journal.last) durable = journal.last;
      await rig.run(replica, asSequence(durable));
      rig.crash();
    }
    if (!(await recovers(t, rig, model, `round ${round}`))) break;
    const home = await rig.tree.openRoot('/1');
    const staged = await stagedEntries(home);
    t.same(staged.filter((name) => !/^n[0-9]+$/.test(name)), [], `round ${round}: nothing but unnamed nodes is left in staging`);
  }
});
