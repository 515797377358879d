/** Holds the replica to trees that few programs expect: deep, linked, sparse, with names and kinds that cannot be made. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import { systemDirectories } from '../../../native/index.js';
import { asNodeId, asVolumeId, rootNode, type ChangeBody, type NodeKind } from '../../../proto/change.js';
import type { Name } from '../../../proto/name.js';
import { FileDatabases } from '../../../receiver/replica/file-databases.js';
import type { JournalReplica } from '../../../receiver/replica/replica.js';
import { faults, MemoryDatabases, modelAt, openReplica, stagedEntries } from './fixture.js';
import { MemoryJournal } from './memory-journal.js';
import { removeTree } from './remove-tree.js';

t.setTimeout(300_000);

const asRoot = process.getuid?.() === 0;
let nextTime = 1_700_000_000_000_000_000n;

function create(node: bigint, parent: bigint | undefined, name: string, nodeKind: NodeKind = 'file', mode = 0o644): ChangeBody {
  nextTime += 1_000_001n;
  const metadata = { nodeKind, mode, uid: 0, gid: 0, modifyNs: nextTime, ...(nodeKind === 'symlink' ? { target: Buffer.from('nowhere') } : {}), ...(nodeKind.endsWith('device') ? { device: { major: 1, minor: 5 } } : {}) };
  return parent === undefined ? { kind: 'create', node: asNodeId(node), metadata } : { kind: 'create', node: asNodeId(node), parent: asNodeId(parent), name: name as Name, metadata };
}
const write = (node: bigint, text: string, offset = 0): ChangeBody => ({ kind: 'write', node: asNodeId(node), offset, data: Buffer.from(text) });
const rename = (parent: bigint, name: string, toParent: bigint, toName: string, exchange = false): ChangeBody => ({ kind: 'rename', parent: asNodeId(parent), name: name as Name, toParent: asNodeId(toParent), toName: toName as Name, exchange });
const unlink = (parent: bigint, name: string): ChangeBody => ({ kind: 'unlink', parent: asNodeId(parent), name: name as Name });
const link = (node: bigint, parent: bigint, name: string): ChangeBody => ({ kind: 'link', node: asNodeId(node), parent: asNodeId(parent), name: name as Name });

async function realDisk(t: Test, journal: MemoryJournal): Promise<{ root: string; replica: JournalReplica; reopen: () => Promise<JournalReplica> }> {
  const root = mkdtempSync(join(tmpdir(), 'afterimage-replica-'));
  t.teardown(() => removeTree(root));
  const reopen = (): Promise<JournalReplica> => openReplica({ reader: journal, directories: systemDirectories, databases: new FileDatabases(join(root, 'state')), root, clock: systemClock, asRoot });
  return { root, replica: await reopen(), reopen };
}

t.test('a tree far deeper than a path may be long is followed, moved and removed', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  const depth = 400;
  const bodies: ChangeBody[] = [];
  for (let level = 0; level < depth; level += 1) bodies.push(create(BigInt(level + 2), BigInt(level + 1), 'a-rather-long-name', 'directory', 0o755));
  bodies.push(create(1000n, BigInt(depth + 1), 'deep'), write(1000n, 'at the bottom'), create(1001n, rootNode, 'other', 'directory', 0o755));
  journal.append(bodies);
  const { root, replica, reopen } = await realDisk(t, journal);
  const tree = join(root, '1', 'tree');
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), []);
  journal.append([rename(200n, 'a-rather-long-name', 1001n, 'half'), write(1000n, 'still there', 5), rename(BigInt(depth + 1), 'deep', rootNode, 'up')]);
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), [], 'after half of it moved');
  journal.append([unlink(rootNode, 'a-rather-long-name'), unlink(rootNode, 'other')]);
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, tree, modelAt(journal), { owners: asRoot }), [], 'after it was removed as a whole');
  await replica[Symbol.asyncDispose]();
  const next = await reopen();
  t.match(next.status().volumes, [{ rebuilds: 0 }]);
  await next[Symbol.asyncDispose]();
});

t.test('directories change places with each other, files with directories, and links stay links', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  const steps: ChangeBody[][] = [
    [create(2n, 1n, 'a', 'directory', 0o755), create(3n, 1n, 'b', 'directory', 0o700), create(4n, 2n, 'inner', 'directory', 0o755), create(5n, 4n, 'file'), write(5n, 'content'), link(5n, 3n, 'again')],
    [rename(1n, 'a', 1n, 'b', true)],
    [rename(1n, 'a', 2n, 'into'), rename(4n, 'file', 1n, 'top')],
    [rename(1n, 'top', 2n, 'inner', true)],
    [write(5n, 'CONTENT'), unlink(3n, 'again'), link(5n, 1n, 'third')],
    [rename(2n, 'into', 4n, 'deeper'), create(6n, 1n, 'x', 'directory', 0o755), rename(1n, 'top', 6n, 'under')],
    [rename(6n, 'under', 1n, 'x')],
  ];
  const { root, replica } = await realDisk(t, journal);
  for (const [index, step] of steps.entries()) {
    journal.append(step);
    await replica.applyThrough(journal.last);
    t.same(await faults(systemDirectories, join(root, '1', 'tree'), modelAt(journal), { owners: asRoot }), [], `after step ${index}`);
  }
  t.match(replica.status().volumes, [{ rebuilds: 0 }]);
  await replica[Symbol.asyncDispose]();
});

t.test('a name that this file system cannot hold is noted, and nothing is lost by it', async (t) => {
  const long = 'n'.repeat(300);
  const journal = new MemoryJournal();
  journal.define();
  const { root, replica, reopen } = await realDisk(t, journal);
  const tree = join(root, '1', 'tree');
  journal.append([create(2n, 1n, long), write(2n, 'kept aside'), create(3n, 1n, `${long}d`, 'directory', 0o755), create(4n, 3n, 'below'), write(4n, 'also kept'), create(5n, 1n, 'short'), write(5n, 'short')]);
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes[0], { notRepresented: { count: 2 }, rebuilds: 0 });
  const home = await systemDirectories.openRoot(join(root, '1'));
  t.same(await stagedEntries(home), ['n2', 'n3']);
  journal.append([rename(1n, long, 1n, 'now'), rename(1n, `${long}d`, 1n, 'dir'), rename(1n, 'short', 1n, `${long}s`)]);
  await replica.applyThrough(journal.last);
  t.same(await stagedEntries(home), ['n5']);
  journal.append([rename(1n, `${long}s`, 1n, 'now', true)]);
  await replica.applyThrough(journal.last);
  t.same(await stagedEntries(home), ['n2'], 'the exchange put the other one aside');
  journal.append([link(2n, 1n, 'seen'), link(5n, 1n, `${long}5`), unlink(1n, 'now')]);
  await replica.applyThrough(journal.last);
  t.same(await stagedEntries(home), ['n5'], 'a file whose last name that can be held went is put aside');
  await replica[Symbol.asyncDispose]();
  const next = await reopen();
  journal.append([rename(1n, `${long}5`, 1n, 'five'), unlink(1n, `${long}s`)]);
  await next.applyThrough(journal.last);
  const model = modelAt(journal);
  t.same(await faults(systemDirectories, tree, model, { owners: asRoot }), [], 'once all names can be held, all is there');
  t.same(await stagedEntries(home), []);
  t.match(next.status().volumes, [{ rebuilds: 0 }]);
  await home.close();
  await next[Symbol.asyncDispose]();
});

t.test('an unnamed file is kept aside until it gets a name', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.append([create(2n, undefined, ''), write(2n, 'made without a name')]);
  const { root, replica, reopen } = await realDisk(t, journal);
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, join(root, '1', 'tree'), modelAt(journal), { owners: asRoot }), []);
  await replica[Symbol.asyncDispose]();
  const next = await reopen();
  journal.append([write(2n, ', then named', 19), link(2n, 1n, 'named'), link(2n, 1n, 'twice')]);
  await next.applyThrough(journal.last);
  t.same(await faults(systemDirectories, join(root, '1', 'tree'), modelAt(journal), { owners: asRoot }), []);
  await next[Symbol.asyncDispose]();
});

t.test('ranges are copied as they were at that change, holes included, onto themselves too', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  const big = 3 * 1024 * 1024;
  const clone = (node: bigint, offset: number, sourceNode: bigint, sourceOffset: number, length: number): ChangeBody => ({ kind: 'clone', node: asNodeId(node), offset, sourceNode: asNodeId(sourceNode), sourceOffset, length });
  journal.append([create(2n, 1n, 'source'), write(2n, 'head'), write(2n, 'tail', big), create(3n, 1n, 'copy'), write(3n, 'x'.repeat(1000)), clone(3n, 100, 2n, 0, big + 50), write(2n, 'HEAD'), clone(3n, 0, 2n, 0, 4)]);
  const stripes = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, index) => index % 127)).toString('latin1');
  journal.append([create(4n, 1n, 'self'), write(4n, stripes), clone(4n, 7, 4n, 0, 150_000), clone(4n, 0, 4n, 33, 150_000), clone(4n, 500_000, 4n, 10, 1000), unlink(1n, 'source')]);
  const { root, replica } = await realDisk(t, journal);
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, join(root, '1', 'tree'), modelAt(journal), { owners: asRoot }), []);
  const tree = await systemDirectories.openRoot(join(root, '1', 'tree'));
  const stat = await tree.lookup(Buffer.from('copy'));
  t.ok(stat!.allocatedBytes < 1024 * 1024, 'the hole stayed a hole', { found: stat });
  await tree.close();
  await replica[Symbol.asyncDispose]();
});

t.test('a huge range of zeroes takes no space', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  journal.append([create(2n, 1n, 'sparse'), write(2n, 'x'.repeat(9000)), { kind: 'zero', node: asNodeId(2n), offset: 4000, length: 2 ** 40 }, { kind: 'truncate', node: asNodeId(2n), size: 2 ** 41 }]);
  const { root, replica } = await realDisk(t, journal);
  await replica.applyThrough(journal.last);
  const tree = await systemDirectories.openRoot(join(root, '1', 'tree'));
  t.match(await tree.lookup(Buffer.from('sparse')), { size: 2 ** 41 });
  await tree.close();
  await replica[Symbol.asyncDispose]();
});

t.test('a device volume is one image', async (t) => {
  const device = asVolumeId(4);
  const journal = new MemoryJournal();
  journal.define('disk', 'device', device);
  journal.append([{ kind: 'truncate', node: rootNode, size: 1_000_000 }, { kind: 'write', node: rootNode, offset: 4096, data: Buffer.alloc(8192, 7) }, { kind: 'discard', offset: 4096, length: 4096 }, { kind: 'zero', node: rootNode, offset: 999_999, length: 2 }, { kind: 'flush' }, { kind: 'baseline', edge: 'end' }], device);
  const { root, replica, reopen } = await realDisk(t, journal);
  await replica.applyThrough(journal.last);
  const image = async (): Promise<Buffer> => {
    const home = await systemDirectories.openRoot(join(root, '4'));
    const file = await home.openFile(Buffer.from('image'), 'read');
    const content = Buffer.alloc((await file.stat()).size);
    await file.read(content, 0);
    await file.close();
    await home.close();
    return content;
  };
  const wanted = Buffer.alloc(1_000_001);
  wanted.fill(7, 8192, 12_288);
  t.ok((await image()).equals(wanted));
  t.match(replica.status().volumes, [{ kind: 'device', state: 'live', isUsable: true }]);
  await replica.rebuild(device);
  t.ok((await image()).equals(wanted), 'rebuilt it is the same');
  await replica[Symbol.asyncDispose]();
  const next = await reopen();
  journal.append([{ kind: 'write', node: rootNode, offset: 0, data: Buffer.from('boot') }], device);
  await next.applyThrough(journal.last);
  wanted.write('boot');
  t.ok((await image()).equals(wanted));
  t.match(next.status().volumes, [{ rebuilds: 1, anomalies: { count: 0 } }]);
  await next[Symbol.asyncDispose]();
});

t.test('the state of a volume tells what can be relied on', async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  const replica = await openReplica({ reader: journal, directories: new MemoryTree(), databases: new MemoryDatabases() });
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes, [{ state: 'filling', isUsable: false, name: 'data' }]);
  journal.append([create(2n, 1n, 'a'), { kind: 'baseline', edge: 'end' }]);
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes, [{ state: 'live', isUsable: true }]);
  journal.append([unlink(1n, 'not there'), { kind: 'volume', name: 'renamed', volumeKind: 'tree', path: '/data', engine: 'exact', platform: 'linux' }]);
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes, [{ state: 'live', name: 'renamed', anomalies: { count: 1, first: [{ where: 'sequence 5' }] } }]);
  journal.append([{ kind: 'retired', cause: 'no longer needed' }]);
  await replica.applyThrough(journal.last);
  t.match(replica.status(), { appliedThrough: journal.last, volumes: [{ state: 'retired', reason: 'no longer needed' }] });
  await replica[Symbol.asyncDispose]();
});

t.test('volumes of one journal do not hold each other up', async (t) => {
  const journal = new MemoryJournal();
  const other = asVolumeId(2);
  journal.define('one');
  journal.define('two', 'tree', other);
  journal.append([create(2n, 1n, 'a')]);
  journal.append([create(2n, 1n, 'b')], other);
  const applied: string[] = [];
  const replica = await openReplica({ reader: journal, directories: new MemoryTree(), databases: new MemoryDatabases(), onApplied: (volume, through) => applied.push(`${volume}:${through}`) });
  await replica.applyThrough(journal.last);
  t.match(replica.status(), { appliedThrough: 6n, volumes: [{ volume: 1, appliedThrough: 6n }, { volume: 2, appliedThrough: 6n }] });
  t.ok(applied.includes('1:6') && applied.includes('2:6'), applied.join(' '));
  await replica[Symbol.asyncDispose]();
});

t.test('kinds that may not be made are stood in for by an empty file', async (t) => {
  const refused = ['makeSpecial', 'makeSymlink'];
  const journal = new MemoryJournal();
  journal.define();
  journal.append([create(2n, 1n, 'null', 'character-device'), create(3n, 1n, 'link', 'symlink'), rename(1n, 'null', 1n, 'zero')]);
  const tree = new MemoryTree({ onOperation: (name) => {
    if (refused.includes(name)) throw Object.assign(new Error(`EPERM: not permitted, ${name}`), { code: 'EPERM' });
  } });
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases() });
  await replica.applyThrough(journal.last);
  t.match(replica.status().volumes, [{ rebuilds: 0, notRepresented: { count: 2, first: [{ where: 'null', what: /character-device/ }, { where: 'link', what: /symbolic link/ }] } }]);
  const root = await tree.openRoot('/1/tree');
  t.same((await root.list()).map(({ name, stat }) => `${name} ${stat.kind}`).sort(), ['link file', 'zero file']);
  await replica[Symbol.asyncDispose]();
});

t.test('a default ACL that went with the same batch is not inherited', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  const journal = new MemoryJournal();
  journal.define();
  // user::rwx user:1000:rwx group::r-x mask::rwx other::r-x, in the form of the extended attribute (acl(5)).
  const acl = Buffer.from('0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff', 'hex');
  const key = 'system.posix_acl_default';
  journal.append([create(2n, rootNode, 'd', 'directory', 0o755), { kind: 'xattr-set', node: asNodeId(2n), key, value: acl }]);
  const { root, replica } = await realDisk(t, journal);
  await replica.applyThrough(journal.last);
  journal.append([{ kind: 'xattr-remove', node: asNodeId(2n), key }, create(3n, 2n, 'file'), create(4n, 2n, 'inner', 'directory', 0o755), create(5n, 4n, 'deeper')]);
  await replica.applyThrough(journal.last);
  t.same(await faults(systemDirectories, join(root, '1', 'tree'), modelAt(journal), { owners: asRoot }), []);
  await replica[Symbol.asyncDispose]();
});
