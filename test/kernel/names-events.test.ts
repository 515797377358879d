/** Which events each change of a name or of attributes gives, with which fields, on every file system the exact engine knows. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, fchmodSync, mkdirSync, readdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { namesUnavailableReason, openNameStream, type InodeKey, type NameStream } from '../../native/capture/names.js';
import { handledDirectories, loadNative } from '../../native/index.js';
import { Inodes, compileOperations } from './names-operations.js';
import { makeVolume, run, skipKernel, volumeKinds } from './names-volumes.js';

interface Row {
  readonly label: string;
  /** Done before, by themselves, and not looked at. */
  readonly given?: readonly string[];
  readonly done: readonly string[];
  readonly events: readonly string[];
}

/** In each row `top` is an empty directory, and the working one; inodes are numbered as they appear in `given` and then in the events. */
const rows: readonly Row[] = [
  { label: 'mkdir', done: ['mkdir:a'], events: ['CREATE dir top/a = #1'] },
  { label: 'mkdir by io_uring', done: ['uring-mkdir:a'], events: ['CREATE dir top/a = #1 (by another thread)'] },
  { label: 'mknod', done: ['fifo:a'], events: ['CREATE top/a = #1'] },
  { label: 'bind of a socket', done: ['bind:a'], events: ['CREATE top/a = #1'] },
  { label: 'symlink', done: ['symlink:target:a'], events: ['CREATE top/a = #1'] },
  { label: 'open that creates', done: ['creat:a'], events: ['CREATE top/a = #1'] },
  { label: 'open that only truncates', given: ['creat:a'], done: ['overwrite:a'], events: [] },
  { label: 'link: its count first, and that without a name', given: ['creat:a'], done: ['link:a:b'], events: ['ATTRIB = #1', 'CREATE top/b = #1'] },
  { label: 'a temporary file gets a name', done: ['tmpfile:.:a'], events: ['ATTRIB = #1', 'CREATE top/a = #1'] },
  { label: 'unlink: its count first', given: ['creat:a'], done: ['unlink:a'], events: ['ATTRIB = #1', 'DELETE top/a = #1'] },
  { label: 'unlink of what is open', given: ['creat:a'], done: ['open:a', 'unlink:a'], events: ['ATTRIB = #1', 'DELETE top/a = #1'] },
  { label: 'attributes of what has no name any more: with its last name', given: ['creat:a'], done: ['unlink-fchmod:a'], events: ['ATTRIB = #1', 'DELETE|ATTRIB top/a = #1'] },
  { label: 'rmdir', given: ['mkdir:a'], done: ['rmdir:a'], events: ['DELETE dir top/a = #1'] },
  { label: 'rename', given: ['creat:a'], done: ['rename:a:b'], events: ['RENAME top/a to top/b = #1'] },
  { label: 'rename across directories', given: ['creat:a', 'mkdir:d'], done: ['rename:a:d/b'], events: ['RENAME top/a to #2/b = #1'] },
  { label: 'rename of a directory', given: ['mkdir:a', 'mkdir:d'], done: ['rename:a:d/b'], events: ['RENAME dir top/a to #2/b = #1'] },
  { label: 'rename over a file: its count, and no deletion', given: ['creat:a', 'creat:b'], done: ['rename:a:b'], events: ['RENAME top/a to top/b = #1', 'ATTRIB = #2'] },
  { label: 'rename over a directory', given: ['mkdir:a', 'mkdir:b'], done: ['rename:a:b'], events: ['RENAME dir top/a to top/b = #1', 'ATTRIB dir = #2'] },
  { label: 'rename to another name of the same inode: nothing happens', given: ['creat:a', 'link:a:b'], done: ['rename:a:b'], events: [] },
  { label: 'exchange: two renames', given: ['creat:a', 'mkdir:b'], done: ['exchange:a:b'], events: ['RENAME top/a to top/b = #1', 'RENAME dir top/b to top/a = #2'] },
  { label: 'rename with whiteout: the whiteout is not told of', given: ['creat:a'], done: ['whiteout:a:b'], events: ['RENAME top/a to top/b = #1'] },
  { label: 'chmod', given: ['creat:a'], done: ['chmod:a:640'], events: ['ATTRIB top/a = #1'] },
  { label: 'chmod by descriptor', given: ['creat:a'], done: ['fchmod:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'attributes by another name of the same inode: the name that was used', given: ['creat:a', 'link:a:b'], done: ['chmod:b:640'], events: ['ATTRIB top/b = #1'] },
  { label: 'chmod of a directory: only itself', given: ['mkdir:a'], done: ['chmod:a:755'], events: ['ATTRIB dir = #1'] },
  { label: 'chown', given: ['creat:a'], done: ['chown:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'chown of a symlink', given: ['symlink:target:a'], done: ['chown:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'utimensat', given: ['creat:a'], done: ['utimens:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'setxattr', given: ['creat:a'], done: ['setxattr:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'removexattr', given: ['creat:a', 'setxattr:a'], done: ['removexattr:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'setxattr of a symlink', given: ['symlink:target:a'], done: ['setxattr:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'an access control list', given: ['creat:a'], done: ['setacl:a'], events: ['ATTRIB top/a = #1'] },
  { label: 'file flags: nothing', given: ['creat:a'], done: ['nodump:a'], events: [] },
  { label: 'truncate: nothing, its times included', given: ['creat:a'], done: ['truncate:a:5'], events: [] },
  { label: 'write: nothing', given: ['creat:a'], done: ['write:a'], events: [] },
];

async function keyOf(path: string): Promise<InodeKey> {
  const directory = await handledDirectories.openRoot(path);
  const stat = await directory.stat();
  await directory.close();
  return { ino: stat.ino, ...stat.inode! };
}

/** The inodes of a directory by the order of their names: `given` makes them in that order. */
async function nameEntries(inodes: Inodes, path: string): Promise<void> {
  const directory = await handledDirectories.openRoot(path);
  const entries = await directory.list();
  await directory.close();
  for (const { stat } of entries.sort((one, other) => one.name.compare(other.name))) inodes.of({ ino: stat.ino, ...stat.inode! });
}

function watching(t: Test, path: string): NameStream {
  const stream = openNameStream();
  t.teardown(() => stream[Symbol.dispose]());
  stream.watch(Buffer.from(path));
  return stream;
}

for (const kind of volumeKinds) {
  t.test(kind, { skip: skipKernel }, async (t) => {
    const volume = makeVolume(t, kind);
    const operate = compileOperations(t);
    const stream = watching(t, volume.path);

    t.test('each change gives exactly these events, all of them by the thread that did it', async (t) => {
      for (const [index, { label, given, done, events }] of rows.entries()) {
        const top = join(volume.path, `${index}`);
        mkdirSync(top);
        if (given !== undefined) operate(top, ...given);
        const inodes = new Inodes();
        inodes.name(await keyOf(top), 'top');
        await nameEntries(inodes, top);
        stream.drain();
        const tid = operate(top, ...done);
        t.same(stream.drain().map((event) => inodes.tell(event) + (event.tid === tid ? '' : ' (by another thread)')), events, label);
      }
    });

    t.test('an event is queued before its system call returns', (t) => {
      let missing = 0;
      const at = (name: string): string => join(volume.path, name);
      mkdirSync(at('many'));
      const deeds: readonly ((name: string) => void)[] = [
        (name) => mkdirSync(name),
        (name) => chmodSync(name, 0o700),
        (name) => renameSync(name, `${name}-moved`),
        (name) => rmdirSync(`${name}-moved`),
        (name) => symlinkSync('target', name),
        (name) => unlinkSync(name),
        (name) => writeFileSync(name, 'x'),
        (name) => unlinkSync(name),
      ];
      stream.drain();
      for (let round = 0; round < 10_000; round++) {
        deeds[round % deeds.length]!(at(`many/${Math.floor(round / deeds.length)}`));
        if (!stream.drain().some(({ tid }) => tid === process.pid)) missing += 1;
      }
      t.equal(missing, 0);
      t.end();
    });

    t.test('it does not matter through which mount or in which namespaces it happens', async (t) => {
      mkdirSync(join(volume.path, 'seen', 'deep'), { recursive: true });
      const bound = volume.beside('bound');
      volume.mount('--bind', join(volume.path, 'seen', 'deep'), bound);
      const inodes = new Inodes();
      inodes.name(await keyOf(bound), 'deep');
      stream.drain();
      operate(bound, 'creat:by-bind');
      compileOperations(t, { before: ['unshare', '-m'] })(bound, 'creat:in-mount-namespace');
      const inner = compileOperations(t, { before: ['unshare', '-m', '-p', '-f'] })(bound, 'creat:in-pid-namespace');
      const events = stream.drain();
      t.same(events.map((event) => inodes.tell(event)), ['CREATE deep/by-bind = #1', 'CREATE deep/in-mount-namespace = #2', 'CREATE deep/in-pid-namespace = #3']);
      t.equal(inner, 1);
      t.ok(events[2]!.tid > 1, 'threads are numbered as this process sees them');
      volume.unmount(bound);
    });

    // Tmpfs always knows them.
    if (kind !== 'tmpfs') t.test('attributes through a handle come without a name where the kernel knows none', async (t) => {
      const path = join(volume.path, 'by-handle');
      mkdirSync(path);
      writeFileSync(join(path, 'file'), '');
      const directory = await handledDirectories.openRoot(path);
      const { ino, inode } = (await directory.lookup(Buffer.from('file')))!;
      await directory.close();
      // Unmounting makes the kernel forget the names.
      volume.unmount(volume.path);
      volume.mount('-o', 'loop', volume.source, volume.path);
      stream.watch(Buffer.from(volume.path));
      stream.drain();
      const addon = loadNative()!;
      const root = addon.openRoot(Buffer.from(volume.path));
      const format = new Uint32Array(1);
      addon.handleFormat(root, new Uint8Array(format.buffer));
      const identity = new BigUint64Array([ino, inode!.tree, BigInt(inode!.generation)]);
      const fd = addon.openByHandle(root, format[0]!, new Uint8Array(identity.buffer))!;
      fchmodSync(fd, 0o600);
      closeSync(fd);
      closeSync(root);
      const inodes = new Inodes();
      inodes.name({ ino, ...inode! }, 'file');
      t.same(stream.drain().map((event) => inodes.tell(event)), ['ATTRIB = file']);
    });

    t.test('names are bytes, of any length', (t) => {
      const names = [Buffer.from([0xff, 0xfe, 1]), Buffer.from('x'.repeat(255)), Buffer.from('..x'), Buffer.from('a\nb')];
      stream.drain();
      for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${volume.path}/`), name]), '');
      t.same(stream.drain().map(({ name }) => name), names);
      t.end();
    });

    // The files of a tmpfs would be gone too.
    if (kind !== 'tmpfs') t.test('a mark does not hold the file system, and ends with its last mount', (t) => {
      const stream = watching(t, volume.path);
      volume.unmount(volume.path);
      volume.mount('-o', 'loop', volume.source, volume.path);
      writeFileSync(join(volume.path, 'unseen'), '');
      t.same(stream.drain(), []);
      stream.watch(Buffer.from(volume.path));
      writeFileSync(join(volume.path, 'seen-again'), '');
      t.equal(stream.drain().length, 1);
      stream.unwatch(Buffer.from(volume.path));
      writeFileSync(join(volume.path, 'unseen-again'), '');
      t.same(stream.drain(), []);
      t.end();
    });
  });
}

t.test('one mark covers all btrfs subvolumes, through whichever it was made', { skip: skipKernel }, async (t) => {
  const volume = makeVolume(t, 'btrfs');
  const operate = compileOperations(t);
  const at = (...names: string[]): string => join(volume.path, ...names);
  const inodes = new Inodes();
  const streams = [watching(t, volume.path)];
  inodes.name(await keyOf(volume.path), 'top');
  run('btrfs', 'subvolume', 'create', at('sub'));
  const sub = await keyOf(at('sub'));
  inodes.name(sub, 'sub');
  t.same(streams[0]!.drain().map((event) => inodes.tell(event)), ['CREATE dir top/sub = sub']);
  t.ok(sub.ino === 256n && sub.tree >= 256n);

  // As distributions mount it: only the subvolume is to be seen.
  const only = volume.beside('only');
  volume.mount('-o', 'loop,subvol=sub', volume.source, only);
  streams.push(watching(t, only));
  operate(only, 'mkdir:in');
  operate(volume.path, 'creat:out');
  for (const stream of streams) {
    const events = stream.drain();
    t.same(events.map((event) => inodes.tell(event)), ['CREATE dir sub/in = #1', 'CREATE top/out = #2']);
    t.same(events.map(({ target }) => target?.tree), [sub.tree, 5n]);
    t.equal(new Set(events.map(({ fileSystem }) => fileSystem)).size, 1);
  }
  t.equal(streams[0]!.watch(Buffer.from(volume.path)), streams[1]!.watch(Buffer.from(only)));

  run('btrfs', 'subvolume', 'snapshot', at('sub'), at('snap'));
  inodes.name(await keyOf(at('snap')), 'snap');
  t.same(await keyOf(at('snap', 'in')), { ...(await keyOf(at('sub', 'in'))), tree: (await keyOf(at('snap'))).tree }, 'the same inode but for the tree');
  run('btrfs', 'subvolume', 'delete', at('snap'));
  t.same(streams[0]!.drain().map((event) => inodes.tell(event)), ['CREATE dir top/snap = snap', 'DELETE dir top/snap = snap'], 'and its entries are not told of');
});

t.test('a stream of several file systems tells them apart', { skip: skipKernel }, (t) => {
  const volumes = [makeVolume(t, 'tmpfs'), makeVolume(t, 'tmpfs')];
  const stream = openNameStream();
  const ids = volumes.map(({ path }) => stream.watch(Buffer.from(path)));
  t.not(ids[0], ids[1]);
  for (const { path } of volumes) mkdirSync(join(path, 'x'));
  t.same(stream.drain().map(({ fileSystem }) => fileSystem), ids);
  stream[Symbol.dispose]();
  stream[Symbol.dispose]();
  t.throws(() => stream.drain(), { code: 'EBADF' });
  t.throws(() => stream.fd, { code: 'EBADF' });
  t.throws(() => stream.watch(Buffer.from(volumes[0]!.path)), { code: 'EBADF' });
  t.end();
});

t.test('what cannot be watched says why', { skip: skipKernel }, (t) => {
  const volume = makeVolume(t, 'tmpfs');
  const before = readdirSync('/dev/fd').length;
  t.equal(namesUnavailableReason(Buffer.from(volume.path)), undefined);
  t.match(namesUnavailableReason(Buffer.from('/proc')), /file handles|identity/);
  t.match(namesUnavailableReason(Buffer.from(join(volume.path, 'absent'))), /ENOENT/);
  const stream = openNameStream();
  t.throws(() => stream.watch(Buffer.from(join(volume.path, 'absent'))), { code: 'ENOENT' });
  t.throws(() => stream.unwatch(Buffer.from(volume.path)), { code: 'ENOENT' });
  stream[Symbol.dispose]();
  t.equal(readdirSync('/dev/fd').length, before, 'no descriptor is left open');
  t.end();
});

t.test('without the capability there is a reason too', { skip: skipKernel }, (t) => {
  const script = `import { namesUnavailableReason } from ${JSON.stringify(new URL('../../native/capture/names.js', import.meta.url).href)};
    process.stdout.write(String(namesUnavailableReason(Buffer.from('/'))));`;
  const dropped = execFileSync('setpriv', ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' });
  t.match(dropped, /CAP_SYS_ADMIN|handles/);
  t.end();
});
