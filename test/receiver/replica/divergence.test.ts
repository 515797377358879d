/** Lets another hand into the replica's tree or state and checks that the volume is rebuilt, once and whole. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemDirectories } from '../../../native/index.js';
import { asNodeId, asSequence, noSequence, rootNode, type ChangeBody } from '../../../proto/change.js';
import { nameFromText } from '../../../proto/name.js';
import { FileDatabases } from '../../../receiver/replica/file-databases.js';
import type { JournalReplica } from '../../../receiver/replica/replica.js';
import { CrashRig } from './crash-rig.js';
import { appendInFrames, faults, HandClock, memoryLogger, MemoryDatabases, modelAt, openReplica, seededRandom, seedOf, turns, type LoggedLine } from './fixture.js';
import { MemoryJournal } from './memory-journal.js';
import { RandomHistory } from './random-history.js';
import { removeTree } from './remove-tree.js';

t.setTimeout(300_000);

const metadata = { mode: 0o644, uid: 0, gid: 0, modifyNs: 1_700_000_000_000_000_001n } as const;
const file = (node: bigint, name: string, parent: bigint = rootNode): ChangeBody => ({ kind: 'create', node: asNodeId(node), parent: asNodeId(parent), name: nameFromText(name), metadata: { ...metadata, nodeKind: 'file' } });
const directory = (node: bigint, name: string, parent: bigint = rootNode): ChangeBody => ({ kind: 'create', node: asNodeId(node), parent: asNodeId(parent), name: nameFromText(name), metadata: { ...metadata, mode: 0o755, nodeKind: 'directory' } });
const write = (node: bigint, text: string, offset = 0): ChangeBody => ({ kind: 'write', node: asNodeId(node), offset, data: Buffer.from(text) });

interface Rig {
  readonly journal: MemoryJournal;
  readonly root: string;
  readonly tree: string;
  readonly replica: JournalReplica;
  readonly lines: LoggedLine[];
  check(label: string): Promise<void>;
}

/** A replica on the real disk that holds a directory and two files. */
async function onDisk(t: Test): Promise<Rig> {
  const root = mkdtempSync(join(tmpdir(), 'afterimage-replica-'));
  t.teardown(() => removeTree(root));
  const journal = new MemoryJournal();
  journal.define();
  journal.append([directory(2n, 'd'), file(3n, 'one', 2n), write(3n, 'first'), file(4n, 'two'), write(4n, 'second'), { kind: 'baseline', edge: 'end' }]);
  const lines: LoggedLine[] = [];
  const asRoot = process.getuid?.() === 0;
  const replica = await openReplica({ reader: journal, directories: systemDirectories, databases: new FileDatabases(join(root, 'state')), root, clock: systemClock, logger: memoryLogger(lines), asRoot, limits: { retryMs: 10 } });
  t.teardown(() => replica[Symbol.asyncDispose]());
  await replica.applyThrough(journal.last);
  const tree = join(root, '1', 'tree');
  const check = async (label: string): Promise<void> => void t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), [], label);
  await check('at first the tree is as of the end');
  return { journal, root, tree, replica, lines, check };
}

t.test('another hand in the tree is noticed, and the volume rebuilt from the journal', async (t) => {
  const cases: { label: string; tamper: (tree: string) => void; changes: ChangeBody[] }[] = [
    { label: 'a file that is removed by hand and then written', tamper: (tree) => unlinkSync(join(tree, 'two')), changes: [write(4n, 'again')] },
    { label: 'a file that is removed by hand and then renamed', tamper: (tree) => unlinkSync(join(tree, 'two')), changes: [{ kind: 'rename', parent: rootNode, name: nameFromText('two'), toParent: rootNode, toName: nameFromText('three'), exchange: false }] },
    { label: 'a file that is replaced by another one', tamper: (tree) => (writeFileSync(join(tree, 'new'), 'foreign'), renameSync(join(tree, 'new'), join(tree, 'two'))), changes: [write(4n, 'again')] },
    { label: 'a foreign file where one is created', tamper: (tree) => writeFileSync(join(tree, 'three'), 'foreign'), changes: [file(5n, 'three')] },
    { label: 'a foreign file where one is moved to', tamper: (tree) => writeFileSync(join(tree, 'three'), 'foreign'), changes: [{ kind: 'rename', parent: rootNode, name: nameFromText('two'), toParent: rootNode, toName: nameFromText('three'), exchange: false }] },
    { label: 'a foreign file in a directory that is removed', tamper: (tree) => writeFileSync(join(tree, 'd', 'foreign'), ''), changes: [{ kind: 'unlink', parent: asNodeId(2n), name: nameFromText('one') }, { kind: 'unlink', parent: rootNode, name: nameFromText('d') }] },
    { label: 'a directory that is replaced by a link out of the tree', tamper: (tree) => (rmSync(join(tree, 'd'), { recursive: true }), mkdirSync(join(tree, '..', 'elsewhere')), writeFileSync(join(tree, 'd'), '')), changes: [file(5n, 'x', 2n)] },
    { label: 'attributes of a file that is gone', tamper: (tree) => unlinkSync(join(tree, 'd', 'one')), changes: [{ kind: 'attributes', node: asNodeId(3n), mode: 0o600 }] },
  ];
  for (const { label, tamper, changes } of cases) {
    await t.test(label, async (t) => {
      const { journal, tree, replica, check, lines } = await onDisk(t);
      tamper(tree);
      journal.append(changes);
      await replica.applyThrough(journal.last);
      await check('afterwards the tree is as of the end');
      t.match(replica.status().volumes, [{ state: 'live', rebuilds: 1, appliedThrough: journal.last, isUsable: true }]);
      t.match(replica.status().volumes[0]?.rebuildCause, /./, 'the cause is kept');
      t.ok(lines.some(({ level, message }) => level === 'error' && message === 'the replica diverged'), 'it was logged');
      journal.append([file(9n, 'later'), write(9n, 'after the rebuild')]);
      await replica.applyThrough(journal.last);
      await check('changes after the rebuild are followed');
    });
  }
});

t.test('a tree that was removed while the replica was closed is rebuilt at the start', async (t) => {
  const { journal, root, tree, replica, check } = await onDisk(t);
  await replica[Symbol.asyncDispose]();
  rmSync(tree, { recursive: true });
  const next = await openReplica({ reader: journal, directories: systemDirectories, databases: new FileDatabases(join(root, 'state')), root, clock: systemClock });
  t.teardown(() => next[Symbol.asyncDispose]());
  await next.applyThrough(journal.last);
  await check('it is as of the end again');
});

t.test('damaged state of the replica is made anew', async (t) => {
  for (const name of ['replica', 'volume-1-1']) {
    const { journal, root, replica, check } = await onDisk(t);
    await replica[Symbol.asyncDispose]();
    for (const suffix of ['-wal', '-shm']) rmSync(join(root, 'state', `${name}.db${suffix}`), { force: true });
    writeFileSync(join(root, 'state', `${name}.db`), 'this is no database, but long enough to look like one'.repeat(100));
    const next = await openReplica({ reader: journal, directories: systemDirectories, databases: new FileDatabases(join(root, 'state')), root, clock: systemClock });
    await next.applyThrough(journal.last);
    await check(`${name}: it is as of the end again`);
    await next[Symbol.asyncDispose]();
  }
});

t.test('a rebuild that is asked for replaces the tree as a whole', async (t) => {
  const { root, tree, replica, check } = await onDisk(t);
  writeFileSync(join(tree, 'foreign'), 'x');
  await replica.rebuild(1 as never);
  await check('nothing foreign is left');
  t.match(replica.status().volumes, [{ state: 'live', rebuilds: 1, rebuildCause: 'asked for' }]);
  t.equal(readFileSync(join(root, '1', 'tree', 'two'), 'utf8'), 'second');
  await t.rejects(replica.rebuild(7 as never), /no volume 7/);
});

t.test('a rebuild that is cut short at any operation is finished by the next process', async (t) => {
  const random = seededRandom(seedOf(t));
  const journal = new MemoryJournal();
  journal.define();
  appendInFrames(journal, new RandomHistory({ random, asRoot: true, bytesMax: 9000 }).next(60), random);
  const rebuilt = async (rig: CrashRig, crashAt: number): Promise<boolean> => {
    const replica = await rig.open(noSequence);
    await replica.applyThrough(journal.last);
    rig.operations = 0;
    rig.crashAt = crashAt;
    let isDone = false;
    const done = replica.rebuild(1 as never).then(() => (isDone = true), () => {});
    while (!isDone && !rig.hasCrashed) await turns(1);
    if (!rig.hasCrashed) {
      await done;
      await replica[Symbol.asyncDispose]();
    } else await turns(10);
    return isDone;
  };
  const whole = new CrashRig(journal);
  t.ok(await rebuilt(whole, Infinity));
  t.same(await faults(whole.tree, '/1/tree', modelAt(journal)), [], 'a whole rebuild gives the volume');
  const total = whole.operations;
  for (let at = 1; at <= total; at += 1) {
    const rig = new CrashRig(journal);
    await rebuilt(rig, at);
    rig.crash();
    const next = await rig.open(journal.last);
    await next.applyThrough(journal.last);
    const found = await faults(rig.tree, '/1/tree', modelAt(journal));
    const [status] = next.status().volumes;
    await next[Symbol.asyncDispose]();
    const home = await rig.tree.openRoot('/1');
    const left = (await home.list()).map(({ name }) => name.toString()).sort();
    if (found.length > 0 && !t.same(found, [], `crash at operation ${at} of ${total}`)) return;
    if (left.length !== 2 && !t.equal(left.join(' '), 'staging-N tree', `crash at operation ${at} of ${total}: nothing is left over`)) return;
    if (rig.databases.names.length !== 2 && !t.same(rig.databases.names, [], `crash at operation ${at}: no old database is left`)) return;
    if (status?.state !== 'filling' && !t.equal(status?.state, 'filling', `crash at operation ${at}`)) return;
  }
  t.pass(`finished after a crash at each of ${total} operations`);
});

t.test('a rebuild that comes to the same is not repeated for ever', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.append([file(2n, 'a'), file(3n, 'b')]);
  let refusing = false;
  const tree = new MemoryTree({ onOperation: (name) => {
    if (refusing && name === 'createFile') throw Object.assign(new Error('ENOENT: not there'), { code: 'ENOENT' });
  } });
  const clock = new HandClock();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock });
  await replica.applyThrough(journal.last);
  refusing = true;
  journal.append([file(4n, 'c')]);
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes, [{ state: 'failed', rebuilds: 1, reason: /rebuild failed too/ }], 'it says so and stays as it was');
  t.equal(replica.appliedThrough, journal.last, 'a failed volume holds up no one else');
  refusing = false;
  await replica.rebuild(1 as never);
  t.same(await faults(tree, '/1/tree', modelAt(journal)), [], 'asked to, it is rebuilt');
  t.match(replica.status().volumes, [{ state: 'filling', rebuilds: 2 }]);
  await replica[Symbol.asyncDispose]();
});

t.test('a journal that lost its end gives a replica of what is left', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.append([file(2n, 'kept')]);
  const shorter = new MemoryJournal();
  shorter.define();
  shorter.append([file(2n, 'kept')]);
  journal.append([file(3n, 'lost')]);
  const [tree, databases] = [new MemoryTree(), new MemoryDatabases()];
  const replica = await openReplica({ reader: journal, directories: tree, databases });
  await replica.applyThrough(journal.last);
  await replica[Symbol.asyncDispose]();
  const next = await openReplica({ reader: shorter, directories: tree, databases });
  await next.applyThrough(shorter.last);
  t.same(await faults(tree, '/1/tree', modelAt(shorter)), []);
  t.match(next.status().volumes, [{ rebuilds: 1, rebuildCause: /journal ends at sequence 3/ }]);
  shorter.append([file(5n, 'new')]);
  await next.applyThrough(asSequence(4n));
  t.same(await faults(tree, '/1/tree', modelAt(shorter)), []);
  await next[Symbol.asyncDispose]();
});
