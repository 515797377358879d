/** How the kernel merges events that were not read yet: what a reader of names must expect and cannot tell apart. */
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openNameStream } from '../../native/capture/names.js';
import { handledDirectories } from '../../native/index.js';
import { Inodes, compileOperations } from './names-operations.js';
import { makeVolume, skipKernel, volumeKinds } from './names-volumes.js';

interface Row {
  readonly label: string;
  /** By one thread each, one thread after the other. */
  readonly threads: readonly (readonly string[])[];
  readonly events: readonly string[];
}

/** In each row `top` is a directory with one file `w`, which is inode #1. */
const rows: readonly Row[] = [
  { label: 'creat, unlink, creat: the first two become one; another inode is another event',
    threads: [['creat:a', 'unlink:a', 'creat:a']],
    events: ['CREATE|DELETE top/a = #2', 'ATTRIB = #2', 'CREATE top/a = #3'] },
  { label: 'mkdir, rmdir, mkdir',
    threads: [['mkdir:a', 'rmdir:a', 'mkdir:a']],
    events: ['CREATE|DELETE dir top/a = #2', 'CREATE dir top/a = #3'] },
  { label: 'link, unlink, link of the same inode: all in one, whatever came last',
    threads: [['link:w:a', 'unlink:a', 'link:w:a']],
    events: ['ATTRIB = #1', 'CREATE|DELETE top/a = #1'] },
  { label: 'link, unlink: told like link, unlink, link',
    threads: [['link:w:a', 'unlink:a']],
    events: ['ATTRIB = #1', 'CREATE|DELETE top/a = #1'] },
  { label: 'rename there, back and there: the last one is lost in the first',
    threads: [['rename:w:a', 'rename:a:w', 'rename:w:a']],
    events: ['RENAME top/w to top/a = #1', 'RENAME top/a to top/w = #1'] },
  { label: 'and there is no telling how often',
    threads: [['rename:w:a', 'rename:a:w', 'rename:w:a', 'rename:a:w', 'rename:w:a', 'rename:a:w']],
    events: ['RENAME top/w to top/a = #1', 'RENAME top/a to top/w = #1'] },
  { label: 'of directories too',
    threads: [['mkdir:d', 'rename:d:e', 'rename:e:d', 'rename:d:e']],
    events: ['CREATE dir top/d = #2', 'RENAME dir top/d to top/e = #2', 'RENAME dir top/e to top/d = #2'] },
  { label: 'exchange twice: the second pair in the first',
    threads: [['creat:a', 'exchange:w:a', 'exchange:w:a', 'exchange:w:a']],
    events: ['CREATE top/a = #2', 'RENAME top/w to top/a = #1', 'RENAME top/a to top/w = #2', 'RENAME top/w to top/a = #2', 'RENAME top/a to top/w = #1'] },
  { label: 'renames merge with renames only; what is merged keeps the place of the first',
    threads: [['link:w:a', 'rename:a:b', 'unlink:b', 'link:w:a', 'rename:a:b']],
    events: ['ATTRIB = #1', 'CREATE top/a = #1', 'RENAME top/a to top/b = #1', 'DELETE top/b = #1'] },
  { label: 'made, renamed and back, removed: removed before it was renamed',
    threads: [['mkdir:a', 'rename:a:b', 'rename:b:a', 'rmdir:a']],
    events: ['CREATE|DELETE dir top/a = #2', 'RENAME dir top/a to top/b = #2', 'RENAME dir top/b to top/a = #2'] },
  { label: 'attributes merge with each other',
    threads: [['chmod:w:600', 'chmod:w:640', 'chown:w', 'setxattr:w', 'utimens:w']],
    events: ['ATTRIB top/w = #1'] },
  { label: 'and with the name they came by',
    threads: [['creat:a', 'chmod:a:640', 'unlink:a']],
    events: ['CREATE|DELETE|ATTRIB top/a = #2', 'ATTRIB = #2'] },
  { label: 'but not with those of a directory that were told of itself',
    threads: [['mkdir:d', 'chmod:d:755', 'chmod:d:700', 'rmdir:d']],
    events: ['CREATE|DELETE dir top/d = #2', 'ATTRIB dir = #2'] },
  { label: 'two threads: nothing merges between them',
    threads: [['chmod:w:600', 'link:w:a'], ['unlink:a', 'chmod:w:640']],
    events: ['ATTRIB top/w = #1', 'ATTRIB = #1', 'CREATE top/a = #1', 'ATTRIB = #1', 'DELETE top/a = #1', 'ATTRIB top/w = #1'] },
];

for (const kind of volumeKinds) {
  t.test(kind, { skip: skipKernel }, async (t) => {
    const volume = makeVolume(t, kind);
    const operate = compileOperations(t);
    using stream = openNameStream();
    stream.watch(Buffer.from(volume.path));
    for (const [index, { label, threads, events }] of rows.entries()) {
      const top = join(volume.path, `${index}`);
      mkdirSync(top);
      operate(top, 'creat:w');
      const directory = await handledDirectories.openRoot(top);
      const [stat, w] = [await directory.stat(), await directory.lookup(Buffer.from('w'))];
      await directory.close();
      const inodes = new Inodes();
      inodes.name({ ino: stat.ino, ...stat.inode! }, 'top');
      inodes.of({ ino: w!.ino, ...w!.inode! });
      stream.drain();
      for (const operations of threads) operate(top, ...operations);
      t.same(stream.drain().map((event) => inodes.tell(event)), events, label);
    }
  });
}

t.test("a thread's event joins its earlier one across another thread's between them", { skip: skipKernel }, (t) => {
  const volume = makeVolume(t, 'ext4');
  const [one, other] = [compileOperations(t), compileOperations(t)];
  one(volume.path, 'creat:w');
  using stream = openNameStream();
  stream.watch(Buffer.from(volume.path));
  const at = (name: string): string => join(volume.path, name);
  renameSync(at('w'), at('a'));
  other(volume.path, 'rename:a:w');
  renameSync(at('w'), at('a'));
  t.same(stream.drain().map(({ name, toName }) => `${name} to ${toName}`), ['w to a', 'a to w'], 'though the file is at a');
  t.end();
});
