/** Follows random changes in memory and on the real disk and compares with an independent model. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import { systemDirectories } from '../../../native/index.js';
import { systemClock } from '../../../native/host/clock.js';
import { asSequence } from '../../../proto/change.js';
import { FileDatabases } from '../../../receiver/replica/file-databases.js';
import type { ReplicaDatabases } from '../../../receiver/replica/databases.js';
import { appendInFrames, faults, MemoryDatabases, modelAt, openReplica, seededRandom, seedOf, smallLimits } from './fixture.js';
import { MemoryJournal } from './memory-journal.js';
import { RandomHistory } from './random-history.js';
import { removeTree } from './remove-tree.js';

interface Place {
  readonly directories: DirectoryOpener;
  readonly root: string;
  readonly databases: ReplicaDatabases;
}

const asRoot = process.getuid?.() === 0;

/** Random changes, applied in batches of random size, with restarts in good order in between. */
async function follows(t: Test, place: Place, seed: number, count: number): Promise<void> {
  const random = seededRandom(seed);
  const history = new RandomHistory({ random, asRoot });
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, history.next(count), random);
  const tree = join(place.root, '1', 'tree');
  let replica = await openReplica({ ...place, reader: journal, clock: systemClock, asRoot, durableThrough: asSequence(0n), limits: { ...smallLimits, checkpointMs: 20 } });
  for (let through = 2n; through < journal.last; ) {
    through += BigInt(1 + Math.floor(random.fraction() * 60));
    if (through > journal.last) through = journal.last;
    await replica.applyThrough(asSequence(through));
    t.equal(replica.appliedThrough, through, `applied through ${through}`);
    const found = await faults(place.directories, tree, modelAt(journal, asSequence(through)), { owners: asRoot });
    if (!t.same(found, [], `the tree is as of ${through}`)) break;
    if (random.fraction() < 0.2) {
      await replica[Symbol.asyncDispose]();
      replica = await openReplica({ ...place, reader: journal, clock: systemClock, asRoot, durableThrough: asSequence(through), limits: smallLimits });
    }
  }
  const [status] = replica.status().volumes;
  t.equal(status?.rebuilds, 0, 'nothing was rebuilt', { found: status });
  // Whole directories are removed at once here, which no file system does.
  t.same(status?.anomalies.first.filter(({ what }) => !what.endsWith('with what it holds')), [], 'nothing misfitted');
  if (asRoot) t.same(status?.notRepresented.first, [], 'everything could be represented');
  await replica[Symbol.asyncDispose]();
}

t.setTimeout(300_000);

t.test('random changes are followed exactly in memory', async (t) => {
  const seed = seedOf(t);
  for (let round = 0; round < 6; round += 1) await follows(t, { directories: new MemoryTree(), root: '/', databases: new MemoryDatabases() }, seed + round, 400);
});

t.test('random changes are followed exactly on the real disk', async (t) => {
  const seed = seedOf(t);
  const root = mkdtempSync(join(tmpdir(), 'afterimage-replica-'));
  t.teardown(() => removeTree(root));
  await follows(t, { directories: systemDirectories, root, databases: new FileDatabases(join(root, 'state')) }, seed, 900);
});
