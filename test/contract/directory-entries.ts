/** Contract of Directory: names, listing, opening, links, renaming and removing. */
import { readdirSync } from 'node:fs';
import type { Test } from 'tap';
import type { Directory } from '../../native/host/directory.js';
import { awkwardNames, content, empty, hostileNames, makeAndOpen, name, namesOf, put, refused, type Subject } from './directory-subject.js';

export function entryContract(t: Test, subject: Subject): void {
  t.test('any bytes but slash and NUL are a name', async (t) => {
    const root = await subject.open(t);
    for (const entry of awkwardNames) await put(root, entry, entry);
    const listed = await root.list();
    t.same(namesOf(listed), awkwardNames.map((entry) => entry.toString('latin1')).sort(), 'all are listed as they are');
    for (const entry of awkwardNames) {
      t.same(await content(root, entry), entry, 'each leads to its own content');
      await root.unlink(entry);
      await root.makeDirectory(entry);
      const child = await root.openDirectory(entry);
      await root.makeSymlink(name('link'), entry);
      t.same(await root.readSymlink(name('link')), entry);
      await root.rename(name('link'), child, entry);
      t.equal((await child.lookup(entry))?.kind, 'symlink');
      await child.close();
    }
    t.equal((await root.list()).length, awkwardNames.length);
    await refused(t, root.createFile(name('n'.repeat(256))), 'ENAMETOOLONG', name('n'.repeat(256)));
    await refused(t, root.lookup(name('n'.repeat(256))), 'ENAMETOOLONG');
  });

  t.test('what is not a single component is refused before anything is touched', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), 'kept');
    const inner = await makeAndOpen(root, name('inner'));
    const ok = name('fresh');
    for (const bad of hostileNames) {
      const attempts: Promise<unknown>[] = [
        inner.lookup(bad), inner.openDirectory(bad), inner.openFile(bad, 'read'), inner.createFile(bad),
        inner.makeDirectory(bad), inner.makeSymlink(bad, name('x')), inner.readSymlink(bad),
        inner.makeSpecial(bad, { kind: 'fifo', mode: 0o600, deviceMajor: 0, deviceMinor: 0 }),
        inner.link(bad, root, ok), root.link(name('file'), inner, bad), inner.rename(bad, root, ok),
        root.rename(name('file'), inner, bad), inner.exchange(bad, root, name('file')), inner.unlink(bad),
        inner.removeDirectory(bad), inner.setOwnerAndMode(bad, { mode: 0o777 }), inner.setTimes(bad, { modifyNs: 0n }),
        inner.xattrs(bad), inner.setXattr(bad, 'user.a', name('x')), inner.removeXattr(bad, 'user.a'),
      ];
      for (const result of await Promise.allSettled(attempts)) {
        t.match(result, { status: 'rejected', reason: { code: 'EINVAL', entry: bad } });
      }
    }
    t.same(namesOf(await root.list()), ['file', 'inner']);
    t.same(await inner.list(), []);
    await inner.close();
  });

  t.test('a missing entry is undefined to lookup and ENOENT to the rest', async (t) => {
    const root = await subject.open(t);
    const none = name('none');
    t.equal(await root.lookup(none), undefined);
    await refused(t, root.openDirectory(none), 'ENOENT', none);
    await refused(t, root.openFile(none, 'read'), 'ENOENT', none);
    await refused(t, root.readSymlink(none), 'ENOENT', none);
    await refused(t, root.link(none, root, name('x')), 'ENOENT', none);
    await refused(t, root.rename(none, root, name('x')), 'ENOENT', none);
    await refused(t, root.unlink(none), 'ENOENT', none);
    await refused(t, root.removeDirectory(none), 'ENOENT', none);
    await refused(t, root.setOwnerAndMode(none, { mode: 0o600 }), 'ENOENT', none);
    await refused(t, root.setTimes(none, { modifyNs: 1n }), 'ENOENT', none);
    await refused(t, root.xattrs(none), 'ENOENT', none);
  });

  t.test('nothing is created over what exists', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), 'first');
    await root.makeSymlink(name('dangling'), name('nowhere'));
    for (const taken of [name('file'), name('dangling')]) {
      await refused(t, root.createFile(taken), 'EEXIST', taken);
      await refused(t, root.makeDirectory(taken), 'EEXIST', taken);
      await refused(t, root.makeSymlink(taken, name('x')), 'EEXIST', taken);
      await refused(t, root.link(name('file'), root, taken), 'EEXIST');
    }
    t.same(await content(root, name('file')), name('first'));
    t.same(namesOf(await root.list()), ['dangling', 'file']);
  });

  t.test('a symbolic link is never followed', async (t) => {
    const root = await subject.open(t);
    const outside = await makeAndOpen(root, name('outside'));
    const inside = await makeAndOpen(root, name('inside'));
    await put(outside, name('secret'), 'untouched');
    await outside.setOwnerAndMode(name('secret'), { mode: 0o640 });
    await inside.makeSymlink(name('to-file'), name('../outside/secret'));
    await inside.makeSymlink(name('to-directory'), name('../outside'));
    const before = await outside.lookup(name('secret'));

    for (const link of [name('to-file'), name('to-directory')]) {
      t.equal((await inside.lookup(link))?.kind, 'symlink');
      await refused(t, inside.openFile(link, 'read'), 'ELOOP', link);
      await refused(t, inside.openFile(link, 'write'), 'ELOOP', link);
      await refused(t, inside.openDirectory(link), ['ELOOP', 'ENOTDIR'], link);
      await refused(t, inside.removeDirectory(link), 'ENOTDIR', link);
      await inside.setOwnerAndMode(link, { mode: 0o777 });
      await inside.setTimes(link, { accessNs: 5_000_000_000n, modifyNs: 6_000_000_000n });
      t.equal((await inside.lookup(link))?.modifyNs, 6_000_000_000n, 'the times are those of the link');
      if (subject.asRoot) await inside.setOwnerAndMode(link, { uid: 12, gid: 34 });
      await refused(t, inside.setXattr(link, 'user.mark', name('x')), ['EPERM', 'ENOTSUP'], link);
      t.notOk((await inside.xattrs(link)).has('user.mark'));
      await inside.link(link, inside, name('second'));
      t.equal((await inside.lookup(name('second')))?.kind, 'symlink', 'a hard link is to the link itself');
      await inside.unlink(name('second'));
    }
    t.same((await inside.list()).map((entry) => entry.stat.kind), ['symlink', 'symlink']);
    t.same(await outside.lookup(name('secret')), before, 'its target has not changed');
    t.same((await outside.xattrs(name('secret'))).size, 0);
    await inside.unlink(name('to-directory'));
    await inside.unlink(name('to-file'));
    t.same(await content(outside, name('secret')), name('untouched'));
    await inside.close();
    await outside.close();
  });

  t.test('link targets are bytes too, up to 4095 of them', async (t) => {
    const root = await subject.open(t);
    for (const target of [Buffer.from([0xff, 0x2f, 0xfe, 0x0a]), Buffer.alloc(4095, 'ab/'), name('..'), name('/etc/passwd')]) {
      await root.makeSymlink(name('link'), target);
      t.same(await root.readSymlink(name('link')), target);
      t.equal((await root.lookup(name('link')))?.size, target.length);
      await root.unlink(name('link'));
    }
    await refused(t, root.makeSymlink(name('link'), Buffer.alloc(0)), 'ENOENT', name('link'));
    await refused(t, root.makeSymlink(name('link'), name('a\0b')), 'EINVAL', name('link'));
    await put(root, name('file'), '');
    await refused(t, root.readSymlink(name('file')), 'EINVAL', name('file'));
  });

  t.test('hard links are names of one file', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    await put(root, name('one'), 'same');
    await root.link(name('one'), inner, name('two'));
    const [one, two] = [await root.lookup(name('one')), await inner.lookup(name('two'))];
    t.equal(one?.ino, two?.ino);
    t.equal(one?.dev, two?.dev);
    t.equal(one?.linkCount, 2);
    await root.unlink(name('one'));
    t.same(await content(inner, name('two')), name('same'));
    t.equal((await inner.lookup(name('two')))?.linkCount, 1);
    await refused(t, root.link(name('inner'), root, name('no')), 'EPERM', name('inner'));
    await inner.close();
  });

  t.test('rename replaces its target as rename(2) does', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    await put(root, name('new'), 'new');
    await put(inner, name('old'), 'old');
    await root.rename(name('new'), inner, name('old'));
    t.same(await content(inner, name('old')), name('new'));
    t.equal(await root.lookup(name('new')), undefined);

    await root.makeDirectory(name('vacant'));
    await root.rename(name('inner'), root, name('vacant'));
    t.same(namesOf(await root.list()), ['vacant'], 'an empty directory is replaced by a full one');
    await root.rename(name('vacant'), root, name('inner'));

    await root.makeDirectory(name('full'));
    const full = await root.openDirectory(name('full'));
    await put(full, name('x'), '');
    await root.makeDirectory(name('vacant'));
    await refused(t, root.rename(name('vacant'), root, name('full')), ['ENOTEMPTY', 'EEXIST']);
    await put(root, name('file'), '');
    await refused(t, root.rename(name('vacant'), root, name('file')), 'ENOTDIR');
    await refused(t, root.rename(name('file'), root, name('vacant')), 'EISDIR');
    await refused(t, root.rename(name('full'), full, name('into-itself')), 'EINVAL');
    await full.close();
    await inner.close();
  });

  t.test('renaming one of two names of a file over the other does nothing', async (t) => {
    const root = await subject.open(t);
    await put(root, name('a'), 'x');
    await root.link(name('a'), root, name('b'));
    await root.rename(name('a'), root, name('b'));
    t.same(namesOf(await root.list()), ['a', 'b']);
  });

  t.test('exchange swaps two entries, or says that it cannot', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    await put(root, name('a'), 'content of a');
    await inner.makeSymlink(name('b'), name('target of b'));
    if (!subject.can.exchange) {
      await refused(t, root.exchange(name('a'), inner, name('b')), 'ENOTSUP', name('a'));
      t.same(await content(root, name('a')), name('content of a'));
      return inner.close();
    }
    await root.exchange(name('a'), inner, name('b'));
    t.same(await root.readSymlink(name('a')), name('target of b'));
    t.same(await content(inner, name('b')), name('content of a'));
    await refused(t, root.exchange(name('a'), inner, name('absent')), 'ENOENT');
    await refused(t, root.exchange(name('inner'), inner, name('b')), ['EINVAL', 'ENOTSUP']);
    await inner.close();
  });

  t.test('unlink takes no directory, removeDirectory nothing else and none that is full', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    await put(inner, name('file'), '');
    await refused(t, root.unlink(name('inner')), ['EISDIR', 'EPERM'], name('inner'));
    await refused(t, inner.removeDirectory(name('file')), 'ENOTDIR', name('file'));
    await refused(t, root.removeDirectory(name('inner')), 'ENOTEMPTY', name('inner'));
    await inner.unlink(name('file'));
    await root.removeDirectory(name('inner'));
    t.equal(await root.lookup(name('inner')), undefined);
    await refused(t, inner.createFile(name('late')), 'ENOENT');
    await inner.close();
  });

  t.test('entries of two implementations do not mix', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), '');
    const stranger = {} as Directory;
    await refused(t, root.link(name('file'), stranger, name('x')), 'EXDEV', name('x'));
    await refused(t, root.rename(name('file'), stranger, name('x')), 'EXDEV', name('x'));
    await refused(t, root.exchange(name('file'), stranger, name('x')), 'EXDEV', name('x'));
  });

  t.test('a closed directory does nothing more, and what was opened from it still works', async (t) => {
    const root = await subject.open(t);
    const parent = await makeAndOpen(root, name('parent'));
    const child = await makeAndOpen(parent, name('child'));
    const file = await child.createFile(name('file'));
    await parent.close();
    await parent.close();
    await refused(t, parent.list(), 'EBADF');
    await refused(t, parent.lookup(name('child')), 'EBADF');
    await refused(t, parent.makeDirectory(name('x')), 'EBADF');
    await refused(t, child.rename(name('file'), parent, name('x')), 'EBADF');
    await file.write(name('still'), 0);
    await file.close();
    t.same(await content(child, name('file')), name('still'));
    await child.close();
  });

  t.test('a list of 10,000 entries is complete, and several run at once', async (t) => {
    const root = await subject.open(t);
    const expected: string[] = [];
    for (let index = 0; index < 10_000; index++) {
      expected.push(`entry-${index}`);
      await root.makeSymlink(name(`entry-${index}`), name('x'));
    }
    expected.sort();
    for (const listed of await Promise.all([root.list(), root.list(), root.list()])) t.same(namesOf(listed), expected);
    await empty(root);
    t.same(await root.list(), []);
  });

  t.test('a tree may be deeper than any path is long, or says that it may not', async (t) => {
    const root = await subject.open(t);
    const level = Buffer.alloc(255, 'd');
    let at = root;
    for (let depth = 0; depth < 100; depth++) {
      if (!subject.can.pathsOfAnyLength && (depth + 1) * 256 > 3_900) {
        return refused(t, makeAndOpen(at, level), 'ENAMETOOLONG', level);
      }
      const next = await makeAndOpen(at, level);
      if (at !== root) await at.close();
      at = next;
    }
    await put(at, name('bottom'), 'reached');
    t.same(await content(at, name('bottom')), name('reached'));
    await at.setOwnerAndMode(name('bottom'), { mode: 0o604 });
    await at.setTimes(name('bottom'), { modifyNs: 1n });
    await at.setXattr(name('bottom'), 'user.depth', name('100'));
    t.same((await at.xattrs(name('bottom'))).get('user.depth'), name('100'));
    t.match(await at.lookup(name('bottom')), { mode: 0o604, modifyNs: 1n });
    await at.syncTree();
    await at.close();
    await empty(root);
    t.same(await root.list(), []);
  });

  t.test('what is closed is given back to the system', { skip: process.platform === 'win32' && 'no descriptors to count' }, async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), 'x');
    await root.makeDirectory(name('inner'));
    await root.makeSymlink(name('link'), name('x'));
    const count = () => readdirSync('/dev/fd').length;
    await root.list();
    const before = count();
    for (let round = 0; round < 500; round++) {
      const inner = await root.openDirectory(name('inner'));
      const file = await root.openFile(name('file'), 'write');
      const pending = Promise.all([inner.list(), file.read(Buffer.alloc(1), 0), inner.list()]);
      await Promise.all([inner.close(), file.close(), pending]);
      await Promise.allSettled([
        root.openFile(name('inner'), 'read'), root.openFile(name('link'), 'read'), root.openDirectory(name('file')),
        root.createFile(name('file')), root.openDirectory(name('none')), inner.list(),
      ]);
    }
    t.equal(count(), before);
  });
}
