/** The portable engine where things go wrong: what cannot be read, watched, kept or found. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Directory, DirectoryOpener, EntryStat, TreeFile } from '../../../native/host/directory.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemRandom } from '../../../native/host/random.js';
import { systemDirectories } from '../../../native/index.js';
import { asSequence, asVolumeId } from '../../../proto/change.js';
import { PortableSource } from '../../../agent/capture/portable.js';
import type { HintFactory, HintOptions } from '../../../agent/capture/portable/hints.js';
import { portableVerdict } from '../../../agent/capture/portable-verdict.js';
import { PortableBench, quietLogger, until, volume } from './portable-bench.js';

/** Changes what a directory answers about some names, all the way down. */
function wrapDirectory(directory: Directory, change: { openFile?(name: string): void; stat?(name: string, stat: EntryStat): EntryStat }): Directory {
  const stat = (name: Buffer, found: EntryStat): EntryStat => change.stat?.(name.toString(), found) ?? found;
  return new Proxy(directory, {
    get(target, property) {
      if (property === 'openDirectory') return async (name: Buffer) => wrapDirectory(await target.openDirectory(name), change);
      if (property === 'openFile') {
        return async (name: Buffer, mode: 'read' | 'write') => {
          change.openFile?.(name.toString());
          return target.openFile(name, mode);
        };
      }
      if (property === 'list') return async () => (await target.list()).map((entry) => ({ ...entry, stat: stat(entry.name, entry.stat) }));
      if (property === 'lookup') {
        return async (name: Buffer) => {
          const found = await target.lookup(name);
          return found === undefined ? undefined : stat(name, found);
        };
      }
      const value = (target as unknown as Record<string | symbol, unknown>)[property];
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

function wrapping(change: Parameters<typeof wrapDirectory>[1]): DirectoryOpener {
  return { openRoot: async (path) => wrapDirectory(await systemDirectories.openRoot(path), change) };
}

/** Hints that come only when the test gives them. */
class ManualHints {
  options: HintOptions | undefined;
  readonly factory: HintFactory = (options) => {
    this.options = options;
    queueMicrotask(() => options.onReady());
    return { close: async () => undefined };
  };
}

t.test('a file that cannot be read is there with its metadata, reported, and read once it can be', async (t) => {
  let refused = true;
  const directories = wrapping({
    openFile(name) {
      if (refused && name === 'secret') throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'openat' });
    },
  });
  const bench = new PortableBench(t, { directories });
  writeFileSync(join(bench.root, 'secret'), 'hidden', { mode: 0o600 });
  writeFileSync(join(bench.root, 'open'), 'shown');
  await bench.open();
  await bench.source!.flush();
  const status = bench.source!.status(volume)!;
  t.match(status.reports, [{ path: 'secret', problem: /EACCES/ }]);
  t.equal(status.reportCount, 1);
  t.match(bench.model().describe().find((line) => line.startsWith('secret')), /^secret file 600 .* 0 bytes/);
  refused = false;
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.strictSame(bench.source!.status(volume)!.reports, []);
});

t.test('a volume of which something cannot be read is not said to be equal', async (t) => {
  let refused = true;
  const directories = wrapping({
    openFile(name) {
      if (refused && name === 'secret') throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'openat' });
    },
    stat: (name, stat) => (name === 'mount' ? { ...stat, dev: stat.dev + 1n } : stat),
  });
  const bench = new PortableBench(t, { directories, timing: { scanIntervalMs: 20, quietMs: 10 } });
  writeFileSync(join(bench.root, 'secret'), 'hidden', { mode: 0o600 });
  mkdirSync(join(bench.root, 'mount'));
  await bench.open();
  await bench.source!.flush();
  const looks = new Set<bigint | undefined>();
  await until(() => looks.add(bench.source!.status(volume)!.lastScanNs).size >= 6);
  t.strictSame(bench.sink.bodies('settled'), []);
  t.equal(bench.source!.status(volume)!.settled, false);
  t.match(bench.sink.bodies('gap'), [{ edge: 'open', label: 'converging', cause: 'could not be read: secret' }], 'it is on record, once');
  refused = false;
  await until(() => bench.sink.bodies('settled').length > 0);
  t.match(bench.sink.bodies('gap').at(-1), { edge: 'close' });
  t.equal(bench.sink.bodies('write').length, 1, 'only when all of it was read; what is mounted is no part of it');
});

t.test('another file system inside the volume is reported and left alone', async (t) => {
  let mounted = true;
  const directories = wrapping({ stat: (name, stat) => (mounted && name === 'mount' ? { ...stat, dev: stat.dev + 1n } : stat) });
  const bench = new PortableBench(t, { directories });
  mkdirSync(join(bench.root, 'mount'));
  writeFileSync(join(bench.root, 'mount/file'), 'x');
  await bench.open();
  await bench.source!.flush();
  t.match(bench.source!.status(volume)!.reports, [{ path: 'mount', problem: /another file system/ }]);
  t.equal(bench.sink.bodies('create').length, 0);
  mounted = false;
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
});

t.test('lost hints are a gap that a scan heals, and scanning goes on at intervals', async (t) => {
  const hints = new ManualHints();
  const bench = new PortableBench(t, { hints: hints.factory, timing: { pollIntervalMs: 30, quietMs: 10 } });
  await bench.open();
  await bench.source!.flush();
  hints.options!.onTrouble(Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' }));
  hints.options!.onTrouble(new Error('again'));
  await until(() => bench.sink.changes.some(({ body }) => body.kind === 'gap' && body.edge === 'close'));
  t.match(bench.sink.bodies('gap').map((body) => body.kind === 'gap' && [body.edge, body.label]), [['open', 'converging'], ['close', 'converging']]);
  t.match(bench.source!.status(volume)!.cause, /scanned at intervals/);
  writeFileSync(join(bench.root, 'unseen'), 'found by scanning');
  await until(() => bench.sink.bodies('write').length === 1);
});

t.test('hints that name nothing exactly lead to the directory they are in', async (t) => {
  const hints = new ManualHints();
  const bench = new PortableBench(t, { hints: hints.factory });
  mkdirSync(join(bench.root, 'dir'));
  await bench.open();
  await bench.source!.flush();
  writeFileSync(Buffer.concat([Buffer.from(`${bench.root}/dir/`), Buffer.from([0xe9])]), 'latin1');
  hints.options!.onHint('dir', 'list');
  await until(() => bench.sink.bodies('write').length === 1);
  writeFileSync(join(bench.root, 'dir/plain'), 'x');
  hints.options!.onHint('dir/plain/what/is/not/there', 'entry');
  await until(() => bench.sink.bodies('write').length === 2);
});

t.test('a directory whose name is not text is polled', async (t) => {
  const bench = new PortableBench(t, { timing: { tickMs: 30, scanIntervalMs: 1_000_000, quietMs: 1_000_000 } });
  const odd = Buffer.concat([Buffer.from(`${bench.root}/`), Buffer.from([0xff])]);
  mkdirSync(odd);
  await bench.open();
  await bench.source!.flush();
  writeFileSync(Buffer.concat([odd, Buffer.from('/file')]), 'x');
  await until(() => bench.sink.bodies('write').length === 1);
});

t.test('a file written all the time does not keep a flush waiting', async (t) => {
  const bench = new PortableBench(t);
  const path = join(bench.root, 'log');
  writeFileSync(path, 'start\n');
  await bench.open();
  const stop = systemClock.every(1, () => appendFileSync(path, 'line\n'));
  t.teardown(stop);
  await Promise.all([bench.source!.flush(), bench.source!.flush()]);
  await bench.source!.flush();
  stop();
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
});

t.test('a baseline cut short goes on where it was', async (t) => {
  const bench = new PortableBench(t);
  for (let k = 0; k < 3000; k += 1) writeFileSync(join(bench.root, `file${k}`), `content ${k}`);
  await bench.open();
  await until(() => bench.sink.bodies('create').length > 500);
  await bench.crash(bench.sink.changes.length);
  t.notOk(bench.sink.changes.some(({ body }) => body.kind === 'baseline' && body.edge === 'end'));
  await bench.open();
  t.equal(bench.source!.status(volume)!.label, 'baseline');
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.equal(bench.sink.bodies('create').length, 3000, 'nothing is created twice');
  t.strictSame(bench.sink.bodies('baseline').map((body) => body.kind === 'baseline' && body.edge), ['begin', 'end']);
});

t.test('the state directory is left out even inside the volume', async (t) => {
  const bench = new PortableBench(t);
  Object.defineProperty(bench, 'state', { value: join(bench.root, 'state') });
  writeFileSync(join(bench.root, 'file'), 'x');
  await bench.open();
  const { journal, tree } = await bench.compare((shown) => shown.startsWith('state'));
  t.strictSame(journal, tree);
});

t.test('volumes come and go', async (t) => {
  const bench = new PortableBench(t);
  await bench.open();
  const other = asVolumeId(2);
  const path = join(bench.base, 'other');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'of the other');
  await bench.source!.add({ ...bench.definition, volume: other, name: 'other', path: Buffer.from(path) });
  await t.rejects(bench.source!.add({ ...bench.definition, volume: other, name: 'other', path: Buffer.from(path) }), { name: 'UsageError' });
  await bench.source!.flush();
  t.ok(bench.sink.changes.some((change) => change.volume === other && change.body.kind === 'write'));
  await bench.source!.remove(other);
  t.equal(bench.source!.status(other), undefined);
  const count = bench.sink.changes.length;
  writeFileSync(join(path, 'file'), 'no longer');
  await bench.source!.flush();
  t.notOk(bench.sink.changes.slice(count).some((change) => change.volume === other));
  await until(() => bench.source!.committedThrough === bench.sink.durableThrough);
  const through = asSequence(bench.source!.committedThrough + 10n);
  await until(() => {
    bench.source!.advance(through);
    return bench.source!.committedThrough === through;
  });
});

t.test('a journal that breaks ends capture and says so', async (t) => {
  const bench = new PortableBench(t);
  await bench.open();
  await bench.source!.flush();
  bench.sink.append = () => Promise.reject(new Error('disk gone'));
  writeFileSync(join(bench.root, 'file'), 'x');
  await t.rejects(bench.source!.flush(), /disk gone/);
  t.equal(bench.source!.status(volume)!.phase, 'failed');
  await t.rejects(bench.source!.flush(), /disk gone/);
});

t.test('a replay with a hole is refused', async (t) => {
  const bench = new PortableBench(t);
  await bench.open();
  await bench.source!.flush();
  await bench.close();
  const source = await PortableSource.open({ clock: systemClock, random: systemRandom, directories: systemDirectories, stateDirectory: bench.state, logger: quietLogger });
  const after = source.committedThrough;
  await t.rejects(source.replay((async function* () {
    yield [{ sequence: asSequence(after + 2n), timeNs: 0n, volume, body: { kind: 'flush' } as const }];
  })()), { name: 'FormatError' });
  await source[Symbol.asyncDispose]();
});

t.test('special files are carried by their metadata', async (t) => {
  const bench = new PortableBench(t);
  const root = await systemDirectories.openRoot(bench.root);
  t.teardown(() => root.close());
  const special: string[] = [];
  for (const kind of ['fifo', 'socket', 'character-device'] as const) {
    try {
      await root.makeSpecial(Buffer.from(kind), { kind, mode: 0o640, deviceMajor: kind === 'character-device' ? 1 : 0, deviceMinor: kind === 'character-device' ? 3 : 0 });
      special.push(kind);
    } catch (error) {
      t.comment(`${kind}: ${(error as Error).message}`);
    }
  }
  await bench.open();
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.equal(journal.length, special.length + 1);
});

t.test('a file that shrinks while it is read is captured when it rests', async (t) => {
  let shrunk = false;
  const directories: DirectoryOpener = {
    async openRoot(path) {
      const root = await systemDirectories.openRoot(path);
      return new Proxy(root, {
        get(target, property) {
          if (property === 'openFile') return async (name: Buffer, mode: 'read' | 'write') => shrinkOnce(await target.openFile(name, mode));
          const value = (target as unknown as Record<string | symbol, unknown>)[property];
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        },
      });
    },
  };
  const bench = new PortableBench(t, { directories });
  const path = join(bench.root, 'file');
  const shrinkOnce = (file: TreeFile): TreeFile => ({
    stat: () => file.stat(),
    async read(target, position) {
      if (!shrunk) writeFileSync(path, Buffer.alloc(5000, 2));
      shrunk = true;
      return file.read(target, position);
    },
    write: (source, position) => file.write(source, position),
    truncate: (size) => file.truncate(size),
    punch: (span) => file.punch(span),
    nextData: (offset) => file.nextData(offset),
    datasync: () => file.datasync(),
    close: () => file.close(),
  });
  writeFileSync(path, Buffer.alloc(100_000, 1));
  await bench.open();
  await bench.source!.flush();
  const { journal, tree } = await bench.compare();
  t.ok(shrunk);
  t.strictSame(journal, tree);
});

t.test('the verdict says what the engine can do for a path', async (t) => {
  const bench = new PortableBench(t);
  mkdirSync(join(bench.root, 'a/b'), { recursive: true });
  t.match(await portableVerdict(bench.root, systemDirectories), { engine: 'portable', available: true, reason: /watching and scanning/ });
  t.match(await portableVerdict(join(bench.root, 'absent'), systemDirectories), { engine: 'portable', available: false, reason: /cannot be opened/ });
});
