/** Directories that tell who each inode is, and inodes reached by identity, wherever this machine keeps temporary files. */
import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openHandleAccess, type InodeKey } from '../../native/capture/handles.js';
import { directoryError, errorCode } from '../../native/host/directory-error.js';
import type { EntryStat } from '../../native/host/directory.js';
import { plainDirectories } from '../../native/host/plain-directory.js';
import { NODE_RECORD_BYTES, STAT_RECORD_BYTES, decodeListing, decodeNodeStat } from '../../native/host/stat-record.js';
import { empty } from '../contract/directory-subject.js';
import { handledDirectories, loadNative, nativeUnavailableReason, systemDirectories } from '../../native/index.js';

const addon = loadNative();
const skipAddon: string | false = addon === undefined ? (nativeUnavailableReason() ?? 'no native addon') : process.platform === 'linux' ? false : 'only Linux has file handles';

/** Why inodes cannot be opened by identity here; false where they can. */
function accessObstacle(path: string): string | false {
  if (skipAddon !== false) return skipAddon;
  try {
    openHandleAccess(Buffer.from(path))[Symbol.dispose]();
    return false;
  } catch (error) {
    if (errorCode(error) === 'EPERM' || errorCode(error) === 'ENOTSUP') return (error as Error).message;
    throw error;
  }
}
const skipAccess = accessObstacle(t.testdir());

function keyOf(stat: EntryStat | undefined): InodeKey {
  if (stat?.inode === undefined) throw new Error('no identity');
  return { ino: stat.ino, ...stat.inode };
}

function withoutInode(stat: EntryStat | undefined): Omit<EntryStat, 'inode'> {
  const { inode: _, ...rest } = stat!;
  return rest;
}

t.test('listing, lookup and stat tell the same identity, and only where it was asked for', { skip: skipAddon }, async (t) => {
  const path = t.testdir({ file: 'x', directory: { inner: '' }, link: t.fixture('symlink', 'file') });
  linkSync(join(path, 'file'), join(path, 'other name'));
  const [handled, ordinary] = [await handledDirectories.openRoot(path), await systemDirectories.openRoot(path)];
  const listed = new Map((await handled.list()).map(({ name, stat }) => [name.toString(), stat]));
  t.same([...listed.keys()].sort(), ['directory', 'file', 'link', 'other name']);
  for (const { name, stat } of await ordinary.list()) {
    t.same(withoutInode(listed.get(name.toString())), stat);
    t.notOk('inode' in stat || 'inode' in (await ordinary.lookup(name))!);
    t.same(await handled.lookup(name), listed.get(name.toString()));
  }
  if ((await handled.stat()).inode === undefined) {
    t.comment('the file system under the temporary directory has handles of an unknown kind');
  } else {
    t.same(keyOf(listed.get('file')), keyOf(listed.get('other name')), 'two names of one inode');
    t.equal(new Set([...listed.values()].map((stat) => `${stat.ino} ${stat.inode?.generation}`)).size, 3);
    const directory = await handled.openDirectory(Buffer.from('directory'));
    t.same(keyOf(await directory.stat()), keyOf(listed.get('directory')));
    t.ok((await directory.lookup(Buffer.from('inner')))?.inode, 'directories opened from it do the same');
    const file = await handled.openFile(Buffer.from('file'), 'read');
    t.same(keyOf(await file.stat()), keyOf(listed.get('file')));
    const made = await handled.createFile(Buffer.from('made'));
    t.ok((await made.stat()).inode, 'and so do files');
    await Promise.all([directory.close(), file.close(), made.close()]);
  }
  t.equal(await handled.lookup(Buffer.from('absent')), undefined);
  await t.rejects(handled.openDirectory(Buffer.from('file')), { code: 'ENOTDIR' });
  await Promise.all([handled.close(), ordinary.close()]);
});

t.test('where the handles are of an unknown kind a stat has no identity', (t) => {
  const record = Buffer.alloc(NODE_RECORD_BYTES, 1);
  record.writeUInt32LE(0o100644, 64);
  record.fill(0, 48, 64);
  t.ok('inode' in decodeNodeStat(record));
  record.fill(0, NODE_RECORD_BYTES - 4);
  t.notOk('inode' in decodeNodeStat(record));
  t.end();
});

t.test('the records are what the addon writes', { skip: skipAddon }, async (t) => {
  const path = t.testdir({ name: 'x' });
  const fd = addon!.openRoot(Buffer.from(path));
  const record = Buffer.alloc(NODE_RECORD_BYTES);
  t.equal(addon!.statNode(fd, Buffer.from('name'), record), true);
  t.same(decodeListing(await addon!.listNodes(fd), { nodes: true }), [{ name: Buffer.from('name'), stat: decodeNodeStat(record) }]);
  t.throws(() => addon!.statNode(fd, undefined, Buffer.alloc(STAT_RECORD_BYTES)), TypeError);
  t.equal(decodeNodeStat(record).ino, BigInt(statSync(join(path, 'name')).ino));
  closeSync(fd);
});

t.test('an inode is found by identity through renames, and not after it is gone', { skip: skipAccess }, async (t) => {
  const path = t.testdir({ one: { file: 'content' }, two: {} });
  symlinkSync('target', join(path, 'link'));
  const root = await handledDirectories.openRoot(path);
  const [one, two, link] = [await root.openDirectory(Buffer.from('one')), keyOf(await root.lookup(Buffer.from('two'))), keyOf(await root.lookup(Buffer.from('link')))];
  const [top, file] = [keyOf(await root.stat()), keyOf(await one.lookup(Buffer.from('file')))];
  using handles = openHandleAccess(Buffer.from(path));
  renameSync(join(path, 'one', 'file'), join(path, 'two', 'renamed'));
  const found = handles.look(file);
  t.equal(found?.stat.size, 7);
  t.notOk('target' in found!);
  t.same(handles.look(link)?.target, Buffer.from('target'));
  const opened = await handles.openFile(file);
  const content = Buffer.alloc(8);
  t.equal(await opened!.read(content, 0), 7);
  await t.rejects(opened!.write(content, 0), 'it is for reading');
  await opened!.close();
  renameSync(join(path, 'two'), join(path, 'one', 'two'));
  t.equal(handles.isBelow(two, keyOf(await one.stat())), true);
  t.equal(handles.isBelow(two, top), true);
  t.equal(handles.isBelow(top, two), false);
  rmSync(join(path, 'one', 'two'), { recursive: true });
  t.equal(handles.isBelow(two, top), undefined);
  t.equal(handles.look(file), undefined);
  t.equal(handles.stat(file), undefined);
  t.equal(await handles.openFile(file), undefined);
  await Promise.all([root.close(), one.close()]);
});

t.test('a way up of any length is gone', { skip: skipAccess }, async (t) => {
  // Not t.testdir, which cannot remove a tree this deep.
  const path = mkdtempSync(join(tmpdir(), 'afterimage-handles-'));
  const root = await handledDirectories.openRoot(path);
  t.teardown(async () => {
    await empty(root);
    await root.close();
    rmSync(path, { recursive: true });
  });
  const top = keyOf(await root.stat());
  let at = root;
  for (let level = 0; level < 3_000; level++) {
    await at.makeDirectory(Buffer.from('d'));
    const next = await at.openDirectory(Buffer.from('d'));
    if (at !== root) await at.close();
    at = next;
  }
  using handles = openHandleAccess(Buffer.from(path));
  t.equal(handles.isBelow(keyOf(await at.stat()), top), true);
  await at.close();
});

t.test('no identity crashes it or leaves a descriptor open', { skip: skipAccess }, async (t) => {
  const path = t.testdir({ file: '' });
  mkdirSync(join(path, 'directory'));
  const root = await handledDirectories.openRoot(path);
  const [top, file] = [keyOf(await root.stat()), keyOf(await root.lookup(Buffer.from('file')))];
  using handles = openHandleAccess(Buffer.from(path));
  const before = readdirSync('/dev/fd').length;
  const numbers = [0n, 1n, 2n, 3n, 5n, 11n, 255n, 256n, 257n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n, top.ino, file.ino];
  const codes = new Set<string>();
  for (const ino of numbers) {
    for (const generation of [0, 1, 2 ** 31, 2 ** 32 - 1, top.generation, file.generation]) {
      for (const tree of [0n, 5n, 256n, 2n ** 64n - 1n]) {
        const key = { ino, generation, tree };
        try {
          handles.stat(key);
          handles.look(key);
          await (await handles.openFile(key))?.close();
        } catch (error) {
          codes.add(errorCode(error) ?? String(error));
        }
        for (const pair of [[key, top], [top, key]]) {
          try {
            handles.isBelow(pair[0]!, pair[1]!);
          } catch (error) {
            codes.add(errorCode(error) ?? String(error));
          }
        }
      }
    }
  }
  for (const code of codes) t.ok(directoryError(code, 'x').errno !== undefined, code);
  t.equal(readdirSync('/dev/fd').length, before);
  const fd = openSync(path, 'r');
  const room = Buffer.alloc(NODE_RECORD_BYTES);
  for (const format of [8, 255, 2 ** 32 - 1]) t.throws(() => addon!.statByHandle(fd, format, Buffer.alloc(24), room), TypeError);
  for (const format of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const wrong = Buffer.alloc(24, 0xff);
    try {
      t.equal(addon!.statByHandle(fd, format, wrong, room), false);
    } catch (error) {
      t.ok(errorCode(error), `format ${format}`);
    }
  }
  for (const length of [0, 23, 25]) t.throws(() => addon!.statByHandle(fd, 0, Buffer.alloc(length), room), TypeError);
  closeSync(fd);
  await root.close();
});

t.test('without the addon the same opener works, and gives no identities', async (t) => {
  const path = t.testdir({ file: '' });
  writeFileSync(join(path, 'file'), 'x');
  const root = await plainDirectories.openRoot(path);
  t.notOk('inode' in (await root.lookup(Buffer.from('file')))!);
  await root.close();
});
