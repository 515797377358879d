/** The workload replays from its seed and does all it claims to, and the comparison notices every kind of difference. */
import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, link, lutimes, mkdir, open, readFile, rename, rm, stat, symlink, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { systemDirectories } from '../../native/index.js';
import { Workplace } from '../end-to-end/world.js';
import { describeTree, differences } from '../end-to-end/trees.js';
import { fileSystemKinds, fileSystemReason, makeFileSystem, mountReason, type FileSystem, type FileSystemKind } from './file-systems.js';
import { compareTrees } from './tree-compare.js';
import { compileWorkload, recordsIn, workloadSeed, type OperationCounts } from './workload/workload.js';

const run = promisify(execFile);
// For runs by name too, which .taprc gives no time.
t.setTimeout(900_000);
const seed = workloadSeed(t);
const { workload, reason: compileReason } = await compileWorkload();
const skip = compileReason ?? mountReason() ?? false;

/** What a file system refuses. All else must succeed at least once in a long run. */
const refused: Record<FileSystemKind, readonly string[]> = {
  ext4: ['clone', 'clone-range', 'dedupe'],
  xfs: [],
  btrfs: ['collapse', 'insert'],
  tmpfs: ['clone', 'clone-range', 'dedupe', 'collapse', 'insert', 'zero'],
};

/** Since which kernel there is what older ones refuse. */
const newer: readonly { readonly operations: RegExp; readonly kinds: readonly FileSystemKind[]; readonly since: number }[] = [
  { operations: /^setxattrat$/, kinds: fileSystemKinds, since: 6.13 },
  { operations: /^uring-truncate$/, kinds: fileSystemKinds, since: 6.09 },
  { operations: /^(uring-xattr)$/, kinds: fileSystemKinds, since: 5.19 },
  { operations: /^(.*xattr.*|direct|aio-direct|uring-direct)$/, kinds: ['tmpfs'], since: 6.06 },
  { operations: /^flag-/, kinds: ['tmpfs'], since: 6.0 },
];
const [major = 0, minor = 0] = release().split('.').map(Number);
const kernel = major + minor / 100;

function mayRefuse(kind: FileSystemKind, name: string, { errors }: OperationCounts): boolean {
  // An administrator or a container's filter may forbid io_uring as a whole.
  if (name.startsWith('uring-') && Object.keys(errors).some((error) => error === 'EPERM' || error === 'ENOSYS')) return true;
  return refused[kind].includes(name) || newer.some(({ operations, kinds, since }) => operations.test(name) && kinds.includes(kind) && kernel < since);
}

async function makeSides(fs: FileSystem, name: string): Promise<{ readonly inside: string; readonly outside: string }> {
  const [inside, outside] = [join(fs.path, name, 'inside'), join(fs.path, name, 'outside')];
  await mkdir(inside, { recursive: true });
  await mkdir(outside);
  return { inside, outside };
}

for (const kind of fileSystemKinds) {
  const kindSkip = skip === false ? ((await fileSystemReason(kind)) ?? false) : skip;
  t.test(`the workload on ${kind}`, { skip: kindSkip }, async (t) => {
    await using fs = await makeFileSystem(kind, { sizeBytes: 1024 * 1024 * 1024 });

    await t.test('one process with one thread makes the same tree from the same seed', async (t) => {
      const trees: string[][] = [];
      // What direct I/O by the kernel's own threads leaves where pages are mapped and dirty depends on when they are written back.
      const without = ['mmap-held', 'mmap-read', 'aio-direct', 'uring-direct', 'uring-polled'];
      for (const name of ['first', 'second']) {
        const { inside, outside } = await makeSides(fs, name);
        await workload!.run(inside, { seed, operations: 3000, outside, without, settle: true });
        trees.push([...(await describeTree(inside, { times: false })), ...(await describeTree(outside, { times: false }))]);
        await rm(join(fs.path, name), { recursive: true });
      }
      t.same(differences(trees[0]!, trees[1]!), []);
      t.ok(trees[0]!.length > 20, `${trees[0]!.length} entries are compared`);
    });

    await t.test('a long run does each operation, without unexpected failures, and stays small', async (t) => {
      const { inside, outside } = await makeSides(fs, 'long');
      const { operations, unexpected } = await workload!.run(inside, { seed, operations: 10_000, outside });
      t.equal(unexpected, 0);
      const never = Object.entries(operations).filter(([name, counts]) => counts.done === 0 && !mayRefuse(kind, name, counts));
      t.same(never, [], 'each operation succeeded');
      t.ok(Object.keys(operations).length > 90, `there are ${Object.keys(operations).length} operations`);
      const { stdout } = await run('du', ['-s', '--block-size=1M', join(fs.path, 'long')]);
      t.ok(Number(stdout.split('\t')[0]) < 300, `${stdout.split('\t')[0]} MiB are on disk`);
      if (kind !== 'tmpfs') {
        const before = await describeTree(inside);
        await fs.remount();
        t.same(differences(before, await describeTree(inside)), [], 'what is read is what is on disk');
      }
      await rm(join(fs.path, 'long'), { recursive: true });
    });

    await t.test('many processes and threads end without unexpected failures', async (t) => {
      const { inside, outside } = await makeSides(fs, 'many');
      const { unexpected, operations } = await workload!.run(inside, { seed, operations: 6000, processes: 3, threads: 3, outside, settle: true });
      t.equal(unexpected, 0);
      t.ok(Object.values(operations).reduce((sum, { done, failed }) => sum + done + failed, 0) === 6000, 'all were tried');
      await rm(join(fs.path, 'many'), { recursive: true });
    });
  });
}

const { workload: workload32, reason: reason32 } = skip === false ? await compileWorkload({ bits: 32 }) : { workload: undefined, reason: 'as the others' };
t.test('a program of 32 bits does the same', { skip: skip === false ? (reason32 ?? false) : skip }, async (t) => {
  await using fs = await makeFileSystem('ext4');
  const { inside, outside } = await makeSides(fs, 'narrow');
  const { operations, unexpected } = await workload32!.run(inside, { seed, operations: 4000, processes: 2, threads: 2, outside });
  t.equal(unexpected, 0);
  for (const name of ['pwrite', 'mmap-munmap', 'aio', 'rename', 'utimens']) t.ok(operations[name]!.done > 0, name);
});

t.test('a run takes what it is told to take, and ends when it is told to', { skip: compileReason ?? false }, async (t) => {
  await using work = await Workplace.make('workload');
  const directory = await work.makeDirectory('tree');
  const { operations } = await workload!.run(directory, { seed, operations: 50, only: ['mmap', '=rename'], without: ['mmap-exit'] });
  t.same(Object.keys(operations), ['mmap-msync', 'mmap-munmap', 'mmap-held', 'mmap-read', 'rename']);
  await t.rejects(workload!.run(directory, { seed, operations: 1, only: ['nothing-like-it'] }), /there is no operation nothing-like-it/);
  const end = new AbortController();
  const { report } = workload!.start(directory, { seed, operations: 1_000_000_000, processes: 2, without: ['flag-immutable'], signal: end.signal });
  setTimeout(() => end.abort(), 300);
  const { operations: until } = await report;
  t.ok(Object.values(until).some(({ done }) => done > 0), 'it reports what it did until then');
});

t.test('causal records are appended in order, by one process and by two', { skip: compileReason ?? false }, async (t) => {
  await using work = await Workplace.make('causal');
  for (const pipe of [false, true]) {
    const [first, second] = [work.path(`first ${pipe}`), work.path(`second ${pipe}`)];
    t.same(await workload!.causal({ first, second, count: 500, pipe }), { records: 500 });
    for (const path of [first, second]) t.equal(recordsIn(await readFile(path)), 500);
  }
  t.throws(() => recordsIn(Buffer.from('000000000000\n000000000002\n')), /record 1 is/);
  t.equal(recordsIn(Buffer.from('000000000000\n00000')), 1, 'a part of a record does not count');
});

t.test('overload writes at full speed in a bounded space', { skip: compileReason ?? false }, async (t) => {
  await using work = await Workplace.make('overload');
  const { bytesWritten, writes } = await workload!.overload(work.directory, { seconds: 1, processes: 2, seed });
  t.ok(writes > 0 && bytesWritten > 0);
  for (const process of [0, 1]) t.ok((await stat(work.path(`overload-${process}`))).size <= 32 * 1024 * 1024);
});

/** A tree with one of everything, twice, and one thing changed in the second. */
const changes: readonly { readonly label: string; readonly option?: 'holes'; change(copy: string): Promise<unknown> }[] = [
  { label: 'one flipped bit', change: (copy) => flip(join(copy, 'large'), 1_234_567) },
  { label: 'a flipped bit in the last byte', change: async (copy) => flip(join(copy, 'large'), (await stat(join(copy, 'large'))).size - 1) },
  { label: 'a flipped bit in an island far out', change: (copy) => flip(join(copy, 'sparse'), 2 ** 30 + 77) },
  { label: 'content one byte further on', change: (copy) => keepingTime(join(copy, 'directory/file'), () => writeFile(join(copy, 'directory/file'), '\0content')) },
  { label: 'a size, where only zeroes follow', change: (copy) => keepingTime(join(copy, 'sparse'), () => truncate(join(copy, 'sparse'), 2 ** 30 + 8193)) },
  { label: 'an empty file that got content', change: (copy) => keepingTime(join(copy, 'empty'), () => writeFile(join(copy, 'empty'), '0')) },
  { label: 'a hole that is filled', option: 'holes', change: (copy) => keepingTime(join(copy, 'sparse'), () => fillHole(join(copy, 'sparse'))) },
  { label: 'a mode', change: (copy) => chmod(join(copy, 'large'), 0o644) },
  { label: 'a set-user-ID bit', change: (copy) => chmod(join(copy, 'large'), 0o4600) },
  { label: 'the mode of a directory', change: (copy) => chmod(join(copy, 'directory'), 0o1777) },
  { label: 'the mode of the root', change: (copy) => chmod(copy, 0o711) },
  { label: 'an owner', change: (copy) => chown(join(copy, 'large'), 1, 0) },
  { label: 'a group', change: (copy) => chown(join(copy, 'directory'), 0, 1) },
  { label: 'one nanosecond of a modification time', change: (copy) => run('touch', ['-m', '-d', '@1000.000000001', join(copy, 'large')]) },
  { label: 'the time of a symbolic link', change: (copy) => lutimes(join(copy, 'symlink'), 1000, 1001) },
  { label: 'the time of a directory', change: (copy) => touch(join(copy, 'directory'), 1001) },
  { label: 'the value of an attribute', change: (copy) => setXattr(copy, 'large', 'user.note', 'another') },
  { label: 'a further attribute', change: (copy) => setXattr(copy, 'large', 'user.further', '') },
  { label: 'an attribute of a directory', change: (copy) => setXattr(copy, 'directory', 'user.note', 'x') },
  { label: 'an attribute of the root', change: (copy) => setXattr(copy, undefined, 'user.note', 'x') },
  { label: 'an ACL', change: (copy) => setXattr(copy, 'large', 'system.posix_acl_access', acl(5)) },
  { label: 'an attribute of a symbolic link', change: (copy) => setXattr(copy, 'symlink', 'trusted.note', 'x') },
  { label: 'a name that is missing', change: (copy) => keepingTime(copy, () => unlink(join(copy, 'second name'))) },
  { label: 'a link that is a copy', change: (copy) => keepingTime(copy, () => unshare(join(copy, 'first name'), join(copy, 'second name'))) },
  { label: 'a link of a special file that is a copy', change: (copy) => keepingTime(copy, () => remakeFifo(join(copy, 'second fifo'))) },
  { label: 'a file that is renamed', change: (copy) => keepingTime(copy, () => rename(join(copy, 'large'), join(copy, 'Large'))) },
  { label: 'a byte of a name that is not text', change: (copy) => keepingTime(copy, () => rename(bytes(copy, [0xff, 0x0a]), bytes(copy, [0xfe, 0x0a]))) },
  { label: 'where a symbolic link points', change: (copy) => keepingTime(copy, () => relink(join(copy, 'symlink'))) },
  { label: 'a file too many', change: (copy) => keepingTime(join(copy, 'directory'), () => writeFile(join(copy, 'directory', 'too many'), '')) },
  { label: 'a kind', change: (copy) => keepingTime(copy, () => replaceByDirectory(join(copy, 'empty'))) },
  { label: 'a device number', change: (copy) => keepingTime(copy, () => remakeDevice(join(copy, 'device'))) },
];

t.test('the comparison notices', { skip: mountReason() ?? false }, async (t) => {
  await using fs = await makeFileSystem('ext4');
  const source = await makeSample(join(fs.path, 'source'));
  for (const { label, option, change } of changes) {
    await t.test(label, async (t) => {
      const copy = await makeSample(join(fs.path, 'copy'));
      t.same(await compareTrees({ source, copy }, { holes: true }), [], 'nothing, as long as the copy is identical');
      await change(copy);
      t.not((await compareTrees({ source, copy }, { holes: option === 'holes' })).length, 0);
      if (option === 'holes') t.same(await compareTrees({ source, copy }), [], 'but not unless it is asked to');
      await rm(copy, { recursive: true });
    });
  }
  const copy = await makeSample(join(fs.path, 'copy'));
  await flip(join(copy, 'large'), 8192);
  t.match((await compareTrees({ source, copy })).join('\n'), /content of "large" differs in bytes 8192-12287/, 'it says where content differs');
});

async function makeSample(path: string): Promise<string> {
  await mkdir(join(path, 'directory'), { recursive: true });
  await writeFile(join(path, 'large'), Buffer.alloc(2_500_001, 'some content of no meaning'));
  await chmod(join(path, 'large'), 0o600);
  await writeFile(join(path, 'directory', 'file'), 'content');
  await writeFile(join(path, 'empty'), '');
  const sparse = await open(join(path, 'sparse'), 'w');
  await sparse.write(Buffer.alloc(5000, 1), 0, 5000, 100);
  await sparse.write(Buffer.alloc(5000, 2), 0, 5000, 2 ** 30);
  await sparse.truncate(2 ** 30 + 8192);
  // Written back: which blocks are holes is settled only then.
  await sparse.sync();
  await sparse.close();
  await writeFile(join(path, 'first name'), 'of two');
  await link(join(path, 'first name'), join(path, 'second name'));
  await symlink('where it points', join(path, 'symlink'));
  await writeFile(bytes(path, [0xff, 0x0a]), 'named by bytes');
  await run('mkfifo', [join(path, 'first fifo')]);
  await link(join(path, 'first fifo'), join(path, 'second fifo'));
  await run('mknod', [join(path, 'device'), 'c', '300', '7']);
  await setXattr(path, 'large', 'user.note', 'some');
  await setXattr(path, 'large', 'system.posix_acl_access', acl(4));
  await lutimes(join(path, 'symlink'), 1000, 1000);
  for (const name of ['large', 'directory/file', 'empty', 'sparse', 'first name', 'first fifo', 'device', 'directory', '.']) await touch(join(path, name), 1000);
  await utimes(bytes(path, [0xff, 0x0a]), 1000, 1000);
  await touch(path, 1000);
  return path;
}

function bytes(directory: string, name: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name)]);
}

function touch(path: string, seconds: number): Promise<void> {
  return utimes(path, seconds, seconds);
}

async function keepingTime(path: string, change: () => Promise<unknown>): Promise<void> {
  await change();
  await touch(path, 1000);
}

function flip(path: string, offset: number): Promise<void> {
  return keepingTime(path, async () => {
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0]! ^= 0x10;
    await file.write(byte, 0, 1, offset);
    await file.close();
  });
}

async function fillHole(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(4096), 0, 4096, 2 ** 20);
  await file.close();
}

async function unshare(first: string, second: string): Promise<void> {
  await unlink(second);
  await copyFile(first, second);
  await touch(second, 1000);
}

async function remakeFifo(path: string): Promise<void> {
  await unlink(path);
  await run('mkfifo', [path]);
  await touch(path, 1000);
}

async function relink(path: string): Promise<void> {
  await unlink(path);
  await symlink('where it pointz', path);
  await lutimes(path, 1000, 1000);
}

async function replaceByDirectory(path: string): Promise<void> {
  await unlink(path);
  await mkdir(path, { mode: 0o644 });
  await touch(path, 1000);
}

async function remakeDevice(path: string): Promise<void> {
  await unlink(path);
  await run('mknod', [path, 'c', '300', '8']);
  await touch(path, 1000);
}

async function setXattr(directory: string, name: string | undefined, key: string, value: string | Buffer): Promise<void> {
  const root = await systemDirectories.openRoot(directory);
  await root.setXattr(name === undefined ? undefined : Buffer.from(name), key, Buffer.from(value));
  await root.close();
}

/** An access ACL that gives user 1 some permissions, in the form that the kernel takes. */
function acl(permissions: number): Buffer {
  const entries: [tag: number, permissions: number, id: number][] = [[0x01, 6, 0xffff_ffff], [0x02, permissions, 1], [0x04, 0, 0xffff_ffff], [0x10, permissions, 0xffff_ffff], [0x20, 0, 0xffff_ffff]];
  const encoded = Buffer.alloc(4 + entries.length * 8);
  encoded.writeUInt32LE(2, 0);
  for (const [place, [tag, bits, id]] of entries.entries()) {
    encoded.writeUInt16LE(tag, 4 + place * 8);
    encoded.writeUInt16LE(bits, 6 + place * 8);
    encoded.writeUInt32LE(id, 8 + place * 8);
  }
  return encoded;
}
