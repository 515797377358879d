/** Runs the replica as the receiver does: in a worker thread, over journals of the store. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { systemDirectories } from '../../../native/index.js';
import { asNodeId, asVolumeId, noSequence, type Sequence } from '../../../proto/change.js';
import { ReplicaWorker, type ReplicaStanding, type ReplicaWorkerOptions } from '../../../receiver/replica/worker-client.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';
import { appendInFrames, faults, memoryLogger, modelAt, seededRandom, seedOf, type LoggedLine } from './fixture.js';
import { MemoryJournal, volume } from './memory-journal.js';
import { RandomHistory } from './random-history.js';
import { removeTree } from './remove-tree.js';

t.setTimeout(120_000);

const asRoot = process.getuid?.() === 0;

interface Rig {
  readonly data: string;
  readonly journal: MemoryJournal;
  readonly tree: string;
  /** Writes what is new of the journal to the store. */
  store(): Promise<void>;
  start(options?: Partial<ReplicaWorkerOptions>): Promise<{ worker: ReplicaWorker; lines: LoggedLine[]; applied: Sequence[]; whenApplied: (through: Sequence) => Promise<void> }>;
}

function rigOf(t: Test, random = seededRandom(seedOf(t))): Rig {
  const data = mkdtempSync(join(tmpdir(), 'afterimage-replica-'));
  t.teardown(() => removeTree(data));
  for (const name of ['journals', 'replicas']) mkdirSync(join(data, name));
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot, bytesMax: 10_000 }).next(600), random);
  let stored = 0;
  const store = async (): Promise<void> => {
    await using segments = new LocalSegmentStore({ files: systemFiles, directory: join(data, 'journals') });
    await using appender = await segments.openAppender(journal.journal, noSequence);
    for (; stored < journal.frameList.length; stored += 1) await appender.append(journal.frameList[stored]!);
    await appender.sync();
  };
  const start: Rig['start'] = async (options = {}) => {
    const lines: LoggedLine[] = [];
    const applied: Sequence[] = [];
    const waiting = new Set<() => void>();
    const worker = await ReplicaWorker.start({
      journals: join(data, 'journals'),
      replicas: join(data, 'replicas'),
      clock: systemClock,
      logger: memoryLogger(lines),
      restartMs: 20,
      onApplied: ({ through }) => {
        applied.push(through);
        for (const wake of waiting) wake();
      },
      ...options,
    });
    t.teardown(() => worker.stop());
    const whenApplied = (through: Sequence): Promise<void> => new Promise((resolve) => {
      const look = (): void => {
        if (!applied.some((reached) => reached >= through)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
    return { worker, lines, applied, whenApplied };
  };
  return { data, journal, tree: join(data, 'replicas', journal.journal.toString('hex'), '1', 'tree'), store, start };
}

t.test('a worker follows a journal of the store, tells how far it is, and ends in good order', async (t) => {
  const { journal, tree, store, start } = rigOf(t);
  await store();
  const standings: ReplicaStanding[] = [];
  const { worker, applied, whenApplied } = await start({ onState: (_, standing) => standings.push(standing) });
  for (let through = 1n; through <= journal.last; through += 37n) worker.notifyDurable(journal.journal, through as Sequence);
  worker.notifyDurable(journal.journal, journal.last);
  await whenApplied(journal.last);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), []);
  t.same([...applied].sort((a, b) => (a < b ? -1 : 1)), applied, 'it only ever went forwards');
  t.match(await worker.status(), [{ journal: journal.journal.toString('hex'), appliedThrough: journal.last, volumes: [{ state: 'filling' }] }]);
  journal.append([{ kind: 'baseline', edge: 'end' }]);
  await store();
  worker.notifyDurable(journal.journal, journal.last);
  await whenApplied(journal.last);
  await worker.stop();
  t.match(standings.at(-1), { volume, appliedThrough: journal.last }, 'the last standing was told');
  await t.rejects(worker.status(), /not running/);
  const again = await start();
  again.worker.notifyDurable(journal.journal, journal.last);
  await again.whenApplied(journal.last);
  t.notOk(again.lines.some(({ message }) => message.includes('repaired')), 'after a good end nothing is repaired', { lines: again.lines });
  await again.worker.stop();
});

t.test('a replica can be rebuilt without a receiver that says what is durable', async (t) => {
  const { data, journal, tree, store, start } = rigOf(t);
  await store();
  const { worker } = await start();
  t.equal(await worker.rebuild(journal.journal, volume), tree, 'also one that never was');
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), []);
  writeFileSync(join(tree, 'foreign'), '');
  t.equal(await worker.rebuild(journal.journal, volume), tree);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), []);
  await t.rejects(worker.rebuild(journal.journal, asVolumeId(9)), /volume 9/);
  await worker.stop();
  t.ok(data);
});

t.test('a worker that dies is started again, and goes on where it was', async (t) => {
  const { data, journal, tree, store, start } = rigOf(t);
  await store();
  const entry = join(data, 'entry.mjs');
  const marker = join(data, 'died');
  const real = new URL('../../../receiver/replica-worker.js', import.meta.url).href;
  // Dies in the middle of its first life.
  writeFileSync(entry, `import { existsSync, writeFileSync } from 'node:fs';
    if (!existsSync(${JSON.stringify(marker)})) { setTimeout(() => { writeFileSync(${JSON.stringify(marker)}, ''); throw new Error('died on purpose'); }, 150); }
    await import(${JSON.stringify(real)});`);
  const { worker, lines, whenApplied } = await start({ entry: pathToFileURL(entry) });
  worker.notifyDurable(journal.journal, journal.last);
  while (worker.restarts === 0) await systemClock.sleep(10);
  journal.append([{ kind: 'create', node: asNodeId(0xffff_ffffn), parent: asNodeId(1n), name: 'after the death' as never, metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 7n } }]);
  await store();
  worker.notifyDurable(journal.journal, journal.last);
  await whenApplied(journal.last);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), []);
  t.ok(lines.some(({ level, message }) => level === 'error' && message.includes('started again')), 'it was logged');
  t.equal(readFileSync(marker, 'utf8'), '');
  await worker.stop();
});
