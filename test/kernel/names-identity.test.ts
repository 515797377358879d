/** Identities of inodes on the file systems themselves: against the kernel's own generation, over reuse, mounts and subvolumes. */
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openHandleAccess, type HandleAccess, type InodeKey } from '../../native/capture/handles.js';
import { namesUnavailableReason } from '../../native/capture/names.js';
import type { EntryStat } from '../../native/host/directory.js';
import { handledDirectories } from '../../native/index.js';
import { makeVolume, run, skipKernel, volumeKinds } from './names-volumes.js';

function keyOf(stat: EntryStat | undefined): InodeKey {
  if (stat?.inode === undefined) throw new Error('no identity');
  return { ino: stat.ino, ...stat.inode };
}

async function keyAt(directory: string, name?: string): Promise<InodeKey> {
  const opened = await handledDirectories.openRoot(directory);
  try {
    return keyOf(name === undefined ? await opened.stat() : await opened.lookup(Buffer.from(name)));
  } finally {
    await opened.close();
  }
}

function access(t: Test, path: string): HandleAccess {
  const handles = openHandleAccess(Buffer.from(path));
  t.teardown(() => handles[Symbol.dispose]());
  return handles;
}

for (const kind of volumeKinds) {
  t.test(kind, { skip: skipKernel }, async (t) => {
    const volume = makeVolume(t, kind);
    const at = (...names: string[]): string => join(volume.path, ...names);
    mkdirSync(at('directory', 'inner'), { recursive: true });
    writeFileSync(at('file'), 'content');
    symlinkSync('target', at('link'));

    // Tmpfs has no such ioctl.
    if (kind !== 'tmpfs') t.test('the generation is the one that the kernel tells by ioctl', async (t) => {
      for (const name of ['file', 'directory', 'directory/inner']) {
        const generation = Number(run('lsattr', '-d', '-v', at(name)).trim().split(/\s+/)[0]);
        const [parent, last] = name.includes('/') ? [at('directory'), 'inner'] : [volume.path, name];
        t.equal((await keyAt(parent, last)).generation, generation, name);
      }
    });

    t.test('a name used again is another inode, even with the same number', async (t) => {
      const before = await keyAt(volume.path, 'file');
      const handles = access(t, volume.path);
      t.equal(handles.stat(before)?.size, 7);
      const open = openSync(at('file'), 'r');
      unlinkSync(at('file'));
      t.equal(handles.stat(before)?.linkCount, 0, 'unlinked, and still open');
      const file = await handles.openFile(before);
      t.equal((await file!.stat()).inode?.generation, before.generation);
      await file!.close();
      const kept = Buffer.alloc(7);
      readSync(open, kept);
      t.equal(kept.toString(), 'content');
      closeSync(open);
      for (let round = 0; round < 50; round++) {
        writeFileSync(at('file'), `${round}`);
        const now = await keyAt(volume.path, 'file');
        t.notSame(now, before, `round ${round}`);
        t.equal(handles.stat(before), undefined);
        t.equal(handles.look({ ...now, generation: 0 }), undefined, 'no generation stands for any');
        t.equal(handles.stat({ ...now, generation: 0 }), undefined);
        t.equal(await handles.openFile({ ...now, generation: 0 }), undefined);
        unlinkSync(at('file'));
      }
      writeFileSync(at('file'), 'content');
    });

    t.test('every kind of node is looked at without its path', async (t) => {
      const handles = access(t, volume.path);
      run('mknod', at('fifo'), 'p');
      run('mknod', at('device'), 'c', '1', '3');
      for (const [name, expected] of [['file', 'file'], ['directory', 'directory'], ['link', 'symlink'], ['fifo', 'fifo'], ['device', 'character-device']] as const) {
        const key = await keyAt(volume.path, name);
        // Before the look: reading a symbolic link's target sets its access time.
        const stat = handles.stat(key);
        const found = handles.look(key);
        t.equal(found?.stat.kind, expected);
        t.same(found?.stat, stat);
        t.same(found?.target, expected === 'symlink' ? Buffer.from('target') : undefined);
        if (expected !== 'file') await t.rejects(handles.openFile(key), { code: expected === 'symlink' ? 'ELOOP' : 'EINVAL' });
      }
      const root = await handledDirectories.openRoot(volume.path);
      await root.setXattr(Buffer.from('link'), 'trusted.of-link', Buffer.from('1'));
      await root.setXattr(Buffer.from('device'), 'trusted.of-device', Buffer.from('2'));
      await root.setOwnerAndMode(Buffer.from('file'), { mode: 0 });
      await root.setXattr(Buffer.from('file'), 'user.of-file', Buffer.from('3'));
      await root.close();
      t.equal(handles.look(await keyAt(volume.path, 'link'))?.xattrs.get('trusted.of-link')?.toString(), '1');
      t.equal(handles.look(await keyAt(volume.path, 'device'))?.xattrs.get('trusted.of-device')?.toString(), '2');
      t.equal(handles.look(await keyAt(volume.path, 'file'))?.xattrs.get('user.of-file')?.toString(), '3');
    });

    t.test('the way up is found over moves, bind mounts and mounts over it', async (t) => {
      const handles = access(t, volume.path);
      const [root, directory, inner] = [await keyAt(volume.path), await keyAt(at('directory')), await keyAt(at('directory', 'inner'))];
      mkdirSync(at('elsewhere'));
      const elsewhere = await keyAt(at('elsewhere'));
      t.equal(handles.isBelow(inner, root), true);
      t.equal(handles.isBelow(inner, inner), true, 'a directory is below itself');
      t.equal(handles.isBelow(inner, elsewhere), false);
      t.equal(handles.isBelow(root, inner), false);
      renameSync(at('directory', 'inner'), at('elsewhere', 'moved'));
      t.equal(handles.isBelow(inner, elsewhere), true);
      t.equal(handles.isBelow(inner, directory), false);
      t.equal(handles.isBelow({ ...inner, generation: inner.generation ^ 1 }, root), undefined);
      const file = await keyAt(volume.path, 'file');
      t.throws(() => handles.isBelow(file, root), { code: 'ENOTDIR' });

      volume.mount('-t', 'tmpfs', 'tmpfs', at('elsewhere'));
      t.equal(handles.isBelow(inner, elsewhere), true, 'under what is mounted over it');
      t.equal(handles.isBelow(inner, root), true);
      t.equal(handles.isBelow(inner, directory), false);
      volume.unmount(at('elsewhere'));

      const bound = volume.beside('bound');
      volume.mount('--bind', at('directory'), bound);
      const partial = access(t, bound);
      t.equal(partial.stat(inner)?.kind, 'directory', 'what the mount does not show is reached all the same');
      t.equal(partial.isBelow(inner, directory), false);
      t.equal(partial.isBelow(directory, directory), true);
      if (kind === 'ext4' || kind === 'btrfs') {
        t.equal(partial.isBelow(inner, elsewhere), true, 'nor does it matter what the mount shows');
        t.equal(partial.isBelow(directory, root), true);
      }
      rmSync(at('elsewhere', 'moved'), { recursive: true });
      t.equal(handles.isBelow(inner, root), undefined);
    });

    t.test('an access to what cannot be opened says so', (t) => {
      t.throws(() => openHandleAccess(Buffer.from(at('file'))), { code: 'ENOTDIR' });
      t.throws(() => openHandleAccess(Buffer.from('/proc')), { code: 'ENOTSUP' });
      const handles = openHandleAccess(Buffer.from(volume.path));
      handles[Symbol.dispose]();
      handles[Symbol.dispose]();
      t.throws(() => handles.stat({ ino: 2n, generation: 0, tree: 0n }), { code: 'EBADF' });
      t.end();
    });
  });
}

t.test('btrfs subvolumes are told apart by their tree', { skip: skipKernel }, async (t) => {
  const volume = makeVolume(t, 'btrfs');
  const at = (...names: string[]): string => join(volume.path, ...names);
  run('btrfs', 'subvolume', 'create', at('first'));
  run('btrfs', 'subvolume', 'create', at('second'));
  for (const name of ['first', 'second']) mkdirSync(at(name, 'directory'));
  const [first, second] = [await keyAt(at('first'), 'directory'), await keyAt(at('second'), 'directory')];
  t.equal(first.ino, second.ino, 'inode numbers count anew');
  t.not(first.tree, second.tree);
  t.equal((await keyAt(volume.path)).tree, 5n);
  t.same(await keyAt(volume.path, 'first'), await keyAt(at('first')), "a subvolume's root is in its own tree, seen from outside too");
  t.equal((await keyAt(at('first'))).ino, 256n);

  // As distributions mount them: nowhere is the top level to be seen.
  const [one, two] = [volume.beside('one'), volume.beside('two')];
  volume.mount('-o', 'loop,subvol=first', volume.source, one);
  volume.mount('-o', 'loop,subvol=second', volume.source, two);
  volume.unmount(volume.path);
  const handles = access(t, one);
  const [top, root, otherRoot] = [{ ino: 256n, generation: 0, tree: 5n }, await keyAt(one), await keyAt(two)];
  t.equal(handles.stat(second)?.kind, 'directory', 'the other subvolume is reached');
  t.equal(handles.isBelow(first, root), true);
  t.equal(handles.isBelow(second, root), false);
  t.equal(handles.isBelow(second, otherRoot), true);
  t.equal(handles.isBelow(first, otherRoot), false);
  t.equal(handles.isBelow(first, top), false, 'no generation stands for any');
});

t.test('overlays have handles of their own kind, and so no identities', { skip: skipKernel }, async (t) => {
  const volume = makeVolume(t, 'tmpfs');
  const at = (name: string): string => join(volume.path, name);
  for (const name of ['lower', 'upper', 'work']) mkdirSync(at(name));
  const merged = volume.beside('merged');
  volume.mount('-t', 'overlay', '-o', `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`, 'overlay', merged);
  const root = await handledDirectories.openRoot(merged);
  t.notOk('inode' in (await root.stat()));
  await root.close();
  t.throws(() => openHandleAccess(Buffer.from(merged)), { code: 'ENOTSUP' });
  t.match(namesUnavailableReason(Buffer.from(merged)), /handles are of a kind that is not known/);
});
