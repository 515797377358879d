/** The addon against careless callers: wrong arguments, closed descriptors, threads, collection of garbage. */
import { chmodSync, chownSync, closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { STAT_RECORD_BYTES } from '../../native/host/stat-record.js';
import { windowsName } from '../../native/host/windows-name.js';
import { loadNative, nativeUnavailableReason, systemDirectories } from '../../native/index.js';
import { chance } from '../proto/seeded.js';

const addon = loadNative();
const skip = addon === undefined && (nativeUnavailableReason() ?? true);
/** Whose rights the modes decide. */
const nobody = 65534;
type Call = (...given: unknown[]) => unknown;

function calls(): Map<string, Call> {
  const found = new Map<string, Call>();
  for (const [key, value] of Object.entries(addon ?? {})) if (typeof value === 'function') found.set(key, value as Call);
  return found;
}

function temporary(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'afterimage-addon-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function openDescriptors(): number {
  return readdirSync('/dev/fd').length;
}

const detached = new Uint8Array(16);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const hostile: unknown[] = [
  undefined, null, true, -1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 53, -0.1, '', 'text', 1n, 2n ** 64n, -(2n ** 63n) - 1n,
  Symbol('s'), {}, [], () => {}, new Uint16Array(4), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8),
  Buffer.alloc(0), Buffer.from('a/b'), Buffer.from('nul\0'), detached, new Float64Array(1),
  new Proxy({}, { get() { throw new Error('trap'); } }),
];

t.test('wrong arguments are refused with a TypeError', { skip }, async (t) => {
  for (const [name, call] of calls()) {
    t.throws(() => call(), TypeError, `${name} without arguments`);
    for (const value of hostile) {
      // Bytes are what a path is made of. Elsewhere the first argument is a descriptor, and no number
      // here can be one.
      if (name === 'openRoot' && value instanceof Uint8Array) continue;
      t.throws(() => call(value), TypeError, `${name}(${typeof value})`);
    }
  }
});

t.test('an attribute that the mode keeps from its reader is refused, and not left out', { skip: skip || (process.getuid?.() === 0 ? false : 'needs root, to become somebody else') }, (t) => {
  const path = temporary(t);
  const file = join(path, 'file');
  writeFileSync(file, 'x', { mode: 0 });
  const fd = addon!.openRoot(Buffer.from(path));
  t.teardown(() => closeSync(fd));
  addon!.setXattr(fd, Buffer.from('file'), Buffer.from('user.kept'), Buffer.from('value'));
  chownSync(file, nobody, nobody);
  chmodSync(path, 0o755);
  process.seteuid!(nobody);
  try {
    t.throws(() => addon!.xattrs(fd, Buffer.from('file')), { code: 'EACCES' });
  } finally {
    process.seteuid!(0);
  }
  t.same(addon!.xattrs(fd, Buffer.from('file')).map(String), ['user.kept', 'value']);
  t.end();
});

t.test('no mix of arguments crashes it or leaves a descriptor open', { skip }, async (t) => {
  const path = temporary(t);
  writeFileSync(join(path, 'file'), 'x');
  const fd = addon!.openRoot(Buffer.from(path));
  const random = chance(t);
  // Names that do not exist and offsets that are small: what succeeds must do no harm.
  const absent = Buffer.from('absent');
  const fitting: unknown[] = [absent, Buffer.alloc(STAT_RECORD_BYTES), 0, 0o600, 4096, false, true, undefined, 5n];
  const pool = [...fitting, ...fitting, ...hostile];
  const before = openDescriptors();
  const kinds = new Set<string>();
  for (let round = 0; round < 1_000; round++) {
    // What an earlier round made would else hide the name that does not exist from all later ones.
    rmSync(join(path, 'absent'), { recursive: true, force: true });
    for (const [name, call] of calls()) {
      if (['openRoot', 'syncFileSystem', 'close', 'closeNow'].includes(name)) continue;
      // A call that takes a target may have written to it.
      absent.write('absent');
      const given = Array.from({ length: 5 }, () => random.pick(pool));
      try {
        const result = await call(fd, ...given);
        if (typeof result === 'number') closeSync(result);
        kinds.add('done');
      } catch (error) {
        kinds.add((error as NodeJS.ErrnoException).code ?? (error as Error).name);
        if (!(error instanceof Error)) t.fail(`${name} threw no error`);
      }
    }
  }
  t.ok(kinds.has('TypeError') && kinds.has('ENOENT') && kinds.has('done'), [...kinds].join(' '));
  t.equal(openDescriptors(), before);
  closeSync(fd);
});

t.test('errors have the shape of Node errors', { skip }, async (t) => {
  const path = temporary(t);
  const fd = addon!.openRoot(Buffer.from(path));
  t.throws(() => addon!.openFile(fd, Buffer.from('no such'), false), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'openat',
    entry: Buffer.from('no such'),
    message: "ENOENT: no such file or directory, openat 'no such'",
  });
  addon!.closeNow(fd);
  t.throws(() => addon!.closeNow(fd), { code: 'EBADF', syscall: 'close' });
  await t.rejects(addon!.close(fd), { code: 'EBADF', syscall: 'close' });
  t.throws(() => addon!.stat(fd, Buffer.from('x'), Buffer.alloc(STAT_RECORD_BYTES)), { code: 'EBADF' });
  await t.rejects(async () => addon!.list(fd), { code: 'EBADF' });
  await t.rejects(async () => addon!.syncFileSystem(fd), { code: 'EBADF' });
  const file = openSync(join(path, 'file'), 'wx');
  await t.rejects(async () => addon!.list(file), { code: 'ENOTDIR' });
  await t.rejects(async () => addon!.punch(file, 0, 0), { code: 'EINVAL', syscall: 'fallocate' });
  t.throws(() => addon!.openRoot(Buffer.from(join(path, 'file'))), { code: 'ENOTDIR' });
  closeSync(file);
});

t.test('work on the thread pool keeps to its own file when the number is closed and reused', { skip }, async (t) => {
  const [full, other] = [temporary(t), temporary(t)];
  for (let index = 0; index < 2_000; index++) symlinkSync('x', join(full, `link-${index}`));
  for (let round = 0; round < 20; round++) {
    const fd = addon!.openRoot(Buffer.from(full));
    const listing = addon!.list(fd);
    closeSync(fd);
    const reused = addon!.openRoot(Buffer.from(other));
    const packed = await listing;
    t.ok(packed.length >= 2_000 * 96, 'the listing is of the directory it was asked for');
    t.equal(fstatSync(reused).isDirectory(), true, 'the reused number was left open');
    closeSync(reused);
  }
});

t.test('shared memory is accepted, since it is copied before it is checked', { skip }, async (t) => {
  const path = temporary(t);
  const fd = addon!.openRoot(Buffer.from(path));
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  shared.set([0x6e, 0x61, 0x6d, 0x65]);
  addon!.makeDirectory(fd, shared);
  t.same(readdirSync(path), ['name']);
  closeSync(fd);
});

t.test('several threads load and use it at once', { skip }, async (t) => {
  const path = temporary(t);
  for (let index = 0; index < 200; index++) writeFileSync(join(path, `file-${index}`), '');
  const workers = Array.from({ length: 8 }, () => start({ path, rounds: 100, abandon: false }));
  t.same(await Promise.all(workers.map(({ message }) => message)), Array(8).fill('done'));
  t.same(await Promise.all(workers.map(({ exit }) => exit)), Array(8).fill(0));
});

t.test('a thread may be ended while its work is under way', { skip }, async (t) => {
  const path = temporary(t);
  for (let index = 0; index < 500; index++) symlinkSync('x', join(path, `link-${index}`));
  const before = openDescriptors();
  for (let round = 0; round < 10; round++) {
    const workers = Array.from({ length: 3 }, () => start({ path, rounds: 0, abandon: true }));
    await Promise.all(workers.map(({ message }) => message));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
  // Each of the 30 threads opened a root itself and never closed it; the addon closes only what is its own.
  t.equal(openDescriptors(), before + 30, 'what the tasks opened is closed, and nothing else');
});

t.test('listings live exactly as long as they are used', { skip }, async (t) => {
  const path = temporary(t);
  for (let index = 0; index < 3_000; index++) symlinkSync('x', join(path, `link-${index}`));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const fd = addon!.openRoot(Buffer.from(path));
  const kept = await addon!.list(fd);
  const copy = Buffer.from(kept);
  const residentBefore = process.memoryUsage().rss;
  for (let round = 0; round < 200; round++) {
    await addon!.list(fd);
    if (round % 20 === 0) collect();
  }
  collect();
  t.same(kept, copy, 'collection leaves a listing in use alone');
  const growthBytes = process.memoryUsage().rss - residentBefore;
  t.ok(growthBytes < 40 * 1024 * 1024, `200 listings of ${kept.length} bytes left ${growthBytes} bytes behind`);
  closeSync(fd);
});

t.test('the front door opens directories whatever the machine has', async (t) => {
  const path = temporary(t);
  const root = await systemDirectories.openRoot(path);
  t.equal((await root.stat()).kind, 'directory');
  t.same(await root.list(), []);
  await root.close();
  t.equal(nativeUnavailableReason() === undefined, loadNative() !== undefined, 'there is a reason if and only if there is no addon');
});

t.test('names that mean something else on Windows have no Windows name', async (t) => {
  for (const fine of ['file.txt', '.hidden', 'con-text', 'COM10', 'a b', '\u00e9', 'x'.repeat(255), 'nullable']) {
    t.equal(windowsName(Buffer.from(fine)), fine);
  }
  const refused = ['a\\b', '..\\..\\x', 'file:stream', 'a*', 'a?', 'a"', 'a<', 'a>', 'a|', 'trailing.', 'trailing ', 'con', 'NUL.txt', 'Com1', 'lpt9.a.b', 'aux .x', 'a\u0001', 'x'.repeat(256), ''];
  for (const bad of refused) t.equal(windowsName(Buffer.from(bad)), undefined, JSON.stringify(bad));
  t.equal(windowsName(Buffer.from([0xff, 0xfe])), undefined);
});

interface Started {
  readonly worker: Worker;
  readonly message: Promise<unknown>;
  readonly exit: Promise<number>;
}

function start(data: { path: string; rounds: number; abandon: boolean }): Started {
  const worker = new Worker(new URL('./addon-worker.js', import.meta.url), { workerData: data });
  const message = new Promise<unknown>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
  return { worker, message, exit };
}
