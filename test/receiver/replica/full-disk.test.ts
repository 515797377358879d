/** Lets the disk fill up or fail under the replica and checks that it waits and goes on by itself. */
import t from 'tap';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import { asNodeId, asSequence, asVolumeId } from '../../../proto/change.js';
import { appendInFrames, faults, HandClock, memoryLogger, MemoryDatabases, modelAt, openReplica, seededRandom, seedOf, turns, type LoggedLine } from './fixture.js';
import { MemoryJournal } from './memory-journal.js';
import { RandomHistory } from './random-history.js';

const growing = new Set(['write', 'createFile', 'makeDirectory', 'makeSymlink', 'makeSpecial', 'link', 'rename', 'truncate', 'punch']);

t.test('a full disk stops the replica only until there is room again', async (t) => {
  const random = seededRandom(seedOf(t));
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot: true, bytesMax: 9000 }).next(200), random);
  let full = false;
  const tree = new MemoryTree({
    onOperation: (name) => {
      if (!full && random.fraction() < 0.02) full = true;
      if (full && growing.has(name)) throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' });
    },
  });
  const clock = new HandClock();
  const lines: LoggedLine[] = [];
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock, logger: memoryLogger(lines), durableThrough: asSequence(0n) });
  let isDone = false;
  const done = replica.applyThrough(journal.last).then(() => (isDone = true));
  let stalls = 0;
  let waits = 0;
  while (!isDone) {
    await turns(5);
    const [status] = replica.status().volumes;
    if (status?.state === 'stalled') {
      t.equal(status.reason, 'disk full');
      stalls += 1;
      await clock.pass(3000);
      // A try may also get past the place by operations that take no room.
      if (replica.status().volumes[0]?.state === 'stalled') waits += 1;
      full = false;
      await clock.pass(3000);
    }
  }
  await done;
  t.ok(stalls > 0 && waits > 0, `it stalled ${stalls} times, and waited on ${waits} times while the disk stayed full`);
  t.same(await faults(tree, '/1/tree', modelAt(journal)), [], 'in the end it is as of the end');
  t.match(replica.status().volumes, [{ rebuilds: 0 }]);
  t.ok(lines.some(({ message }) => message === 'the replica waits') && lines.some(({ message }) => message === 'the replica goes on'), 'both were logged');
  await replica[Symbol.asyncDispose]();
});

t.test('a replica that waits for room ends when told to, and is repaired at the next start', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.append([{ kind: 'create', node: asNodeId(2n), parent: asNodeId(1n), name: 'a' as never, metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 5n } }, { kind: 'write', node: asNodeId(2n), offset: 0, data: Buffer.from('x') }]);
  let full = true;
  const tree = new MemoryTree({
    onOperation: (name) => {
      if (full && name === 'write') throw Object.assign(new Error('EDQUOT: quota'), { code: 'EDQUOT' });
    },
  });
  const databases = new MemoryDatabases();
  const replica = await openReplica({ reader: journal, directories: tree, databases });
  const ended = t.rejects(replica.applyThrough(journal.last));
  await turns();
  t.match(replica.status().volumes, [{ state: 'stalled', reason: 'disk full' }]);
  await replica[Symbol.asyncDispose]();
  await ended;
  full = false;
  const next = await openReplica({ reader: journal, directories: tree, databases });
  await next.applyThrough(journal.last);
  t.same(await faults(tree, '/1/tree', modelAt(journal)), []);
  await next[Symbol.asyncDispose]();
});

t.test('any other failure is waited out as well, longer each time, and repaired', async (t) => {
  const random = seededRandom(seedOf(t));
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot: true, bytesMax: 9000 }).next(150), random);
  let failures = 0;
  const tree = new MemoryTree({
    onOperation: (name) => {
      if (random.fraction() >= 0.01) return;
      failures += 1;
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
    },
  });
  const clock = new HandClock();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock, durableThrough: asSequence(0n) });
  let isDone = false;
  const done = replica.applyThrough(journal.last).then(() => (isDone = true));
  for (let round = 0; !isDone && round < 2000; round += 1) {
    await turns(5);
    if (replica.status().volumes.some(({ state }) => state === 'stalled')) await clock.pass(60_000);
  }
  t.ok(isDone, `it got through in spite of ${failures} failures`);
  await done;
  t.same(await faults(tree, '/1/tree', modelAt(journal)), []);
  t.match(replica.status().volumes, [{ rebuilds: 0 }]);
  await replica[Symbol.asyncDispose]().catch(() => {});
});

t.test('a journal that cannot be read is tried again, and says why meanwhile', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.fault = new Error('damage in segment 1');
  const clock = new HandClock();
  const tree = new MemoryTree();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock });
  const done = replica.applyThrough(journal.last);
  await turns();
  t.equal(replica.status().reason, 'damage in segment 1');
  journal.fault = undefined;
  await clock.pass(60_000);
  await done;
  t.match(replica.status(), { reason: '', appliedThrough: journal.last });
  await replica[Symbol.asyncDispose]();
});

t.test('one volume that waits does not keep another from being applied', async (t) => {
  const journal = new MemoryJournal();
  const other = asVolumeId(2);
  journal.define('one');
  journal.define('two', 'tree', other);
  const file = { kind: 'create', node: asNodeId(2n), parent: asNodeId(1n), name: 'a' as never, metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 5n } } as const;
  journal.append([file]);
  journal.append([file], other);
  let failing = true;
  const tree = new MemoryTree({
    onOperation: (name) => {
      if (failing && name === 'createFile') {
        failing = false;
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      }
    },
  });
  const clock = new HandClock();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock });
  const done = replica.applyThrough(journal.last);
  await turns(100);
  t.match(replica.status().volumes, [{ state: 'stalled' }, { appliedThrough: journal.last }]);
  await clock.pass(60_000);
  await done;
  t.equal(replica.appliedThrough, journal.last);
  await replica[Symbol.asyncDispose]();
});

t.test('a tree that diverged is removed where the rebuilt one needs its space', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  const create = (node: bigint, name: string) => ({ kind: 'create', node: asNodeId(node), parent: asNodeId(1n), name: name as never, metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 5n } }) as const;
  journal.append([create(2n, 'a'), create(3n, 'b'), create(4n, 'c')]);
  let small = false;
  const tree = new MemoryTree({
    onOperation: async (name) => {
      if (!small || name !== 'createFile') return;
      const home = await tree.openRoot('/1');
      if ((await home.lookup(Buffer.from('tree'))) !== undefined) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    },
  });
  const clock = new HandClock();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock });
  await replica.applyThrough(journal.last);
  const root = await tree.openRoot('/1/tree');
  await root.unlink(Buffer.from('b'));
  small = true;
  journal.append([{ kind: 'write', node: asNodeId(3n), offset: 0, data: Buffer.from('x') }]);
  const done = replica.applyThrough(journal.last);
  for (let round = 0; round < 5; round += 1) await clock.pass(3000);
  await done;
  t.same(await faults(tree, '/1/tree', modelAt(journal)), []);
  t.match(replica.status().volumes, [{ rebuilds: 1, state: 'filling' }]);
  await replica[Symbol.asyncDispose]();
});
