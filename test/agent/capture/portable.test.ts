/** The portable engine on real directories: what it journals is what is there. */
import { appendFileSync, chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { ModelTree } from './model-tree.js';
import { PortableBench, until, volume } from './portable-bench.js';

t.test('a new volume is copied whole between the edges of a baseline', async (t) => {
  const bench = new PortableBench(t);
  mkdirSync(join(bench.root, 'a/b'), { recursive: true });
  writeFileSync(join(bench.root, 'a/one'), 'hello');
  writeFileSync(join(bench.root, 'a/b/large'), Buffer.alloc(3_000_001, 7));
  symlinkSync('../nowhere', join(bench.root, 'a/link'));
  linkSync(join(bench.root, 'a/one'), join(bench.root, 'a/b/two'));
  await bench.open();
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.match(bench.sink.changes[0]?.body, { kind: 'baseline', edge: 'begin' });
  t.ok(bench.sink.changes.some(({ body }) => body.kind === 'baseline' && body.edge === 'end'));
  t.equal(bench.source?.status(volume)?.label, 'converging');
});

t.test('only the blocks that differ travel', async (t) => {
  const bench = new PortableBench(t);
  const path = join(bench.root, 'file');
  const content = Buffer.alloc(1_000_000, 1);
  writeFileSync(path, content);
  await bench.open();
  await bench.source!.flush();
  const before = bench.sink.changes.length;
  content[500_000] = 2;
  writeFileSync(path, content, { flag: 'r+' });
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  const writes = bench.sink.changes.slice(before).filter(({ body }) => body.kind === 'write');
  t.equal(writes.length, 1);
  const body = writes[0]?.body;
  t.strictSame(body?.kind === 'write' && [body.offset, body.data.byteLength], [499_712, 4096]);
});

t.test('names move without their content', async (t) => {
  const bench = new PortableBench(t);
  mkdirSync(join(bench.root, 'from/deep'), { recursive: true });
  mkdirSync(join(bench.root, 'to'));
  writeFileSync(join(bench.root, 'from/deep/file'), 'content');
  await bench.open();
  await bench.source!.flush();
  const before = bench.sink.changes.length;
  renameSync(join(bench.root, 'from/deep'), join(bench.root, 'to/moved'));
  renameSync(join(bench.root, 'to/moved/file'), join(bench.root, 'out'));
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  const kinds = new Set(bench.sink.changes.slice(before).map(({ body }) => body.kind));
  t.notOk(kinds.has('write') || kinds.has('create') || kinds.has('unlink'), [...kinds].join());
});

t.test('changes are captured without being asked for', async (t) => {
  const bench = new PortableBench(t);
  await bench.open();
  await bench.source!.flush();
  mkdirSync(join(bench.root, 'new'));
  writeFileSync(join(bench.root, 'new/file'), 'found by hints');
  await until(() => bench.sink.changes.some(({ body }) => body.kind === 'write' && body.data.toString() === 'found by hints'));
  appendFileSync(join(bench.root, 'new/file'), ' again');
  await until(() => bench.sink.changes.some(({ body }) => body.kind === 'write' && body.data.toString() === 'found by hints again'));
  unlinkSync(join(bench.root, 'new/file'));
  await until(() => bench.sink.bodies('unlink').length > 0);
  t.pass('creation, append and removal');
});

t.test('a quiet volume is settled, once', async (t) => {
  const bench = new PortableBench(t, { timing: { quietMs: 50, scanIntervalMs: 50 } });
  writeFileSync(join(bench.root, 'file'), 'content');
  await bench.open();
  await until(() => bench.source!.status(volume)!.settled);
  const { sinceNs } = bench.sink.bodies('settled')[0] as { sinceNs: bigint };
  t.ok(sinceNs > 0n);
  await bench.source!.flush();
  t.equal(bench.sink.bodies('settled').length, 1);
  writeFileSync(join(bench.root, 'file'), 'other');
  await until(() => bench.sink.bodies('settled').length === 2);
  t.pass('again after a change');
});

t.test('downtime is a gap, and only what differs is sent after it', async (t) => {
  const bench = new PortableBench(t);
  writeFileSync(join(bench.root, 'stays'), Buffer.alloc(100_000, 1));
  writeFileSync(join(bench.root, 'changes'), 'before');
  writeFileSync(join(bench.root, 'goes'), 'gone');
  await bench.open();
  await bench.source!.flush();
  await bench.close();
  const before = bench.sink.changes.length;
  writeFileSync(join(bench.root, 'changes'), 'after');
  unlinkSync(join(bench.root, 'goes'));
  await bench.open();
  t.equal(bench.source?.status(volume)?.label, 'unknown');
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  const since = bench.sink.changes.slice(before).map(({ body }) => body);
  t.match(since[0], { kind: 'gap', edge: 'open', label: 'unknown', cause: 'the agent was not running' });
  t.ok(since.some((body) => body.kind === 'gap' && body.edge === 'close'));
  t.strictSame(since.filter((body) => body.kind === 'write').map((body) => body.kind === 'write' && body.data.toString()), ['after']);
});

t.test('a refused batch is captured later, within a gap', async (t) => {
  const bench = new PortableBench(t);
  await bench.open();
  await bench.source!.flush();
  bench.sink.full = true;
  writeFileSync(join(bench.root, 'one'), 'first');
  mkdirSync(join(bench.root, 'dir'));
  writeFileSync(join(bench.root, 'dir/two'), Buffer.alloc(200_000, 3));
  await until(() => bench.source!.status(volume)!.phase === 'waiting-for-room');
  t.match(bench.sink.changes.at(-1)?.body, { kind: 'gap', edge: 'open', label: 'converging', cause: 'the spool budget is spent' });
  unlinkSync(join(bench.root, 'one'));
  bench.sink.full = false;
  bench.sink.release();
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.ok(bench.sink.refusals > 0);
  t.ok(bench.sink.changes.some(({ body }) => body.kind === 'gap' && body.edge === 'close'));
});

t.test('a missing root is a gap and not a deletion', async (t) => {
  const bench = new PortableBench(t, { timing: { tickMs: 20 } });
  writeFileSync(join(bench.root, 'file'), 'content');
  await bench.open();
  await bench.source!.flush();
  renameSync(bench.root, `${bench.root}.away`);
  await until(() => bench.source!.status(volume)!.label === 'unknown');
  t.match(bench.source!.status(volume)!.cause, /missing/);
  mkdirSync(bench.root);
  await until(() => bench.source!.status(volume)!.phase === 'starting');
  await bench.source!.flush();
  t.equal(bench.sink.bodies('unlink').length, 0, 'an empty directory in its place changes nothing');
  rmSync(bench.root, { recursive: true });
  renameSync(`${bench.root}.away`, bench.root);
  writeFileSync(join(bench.root, 'more'), 'added while away');
  await until(() => bench.source!.status(volume)!.label === 'converging');
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.equal(bench.sink.bodies('unlink').length, 0);
});

t.test('a root restored from a copy is compared by name', async (t) => {
  const bench = new PortableBench(t, { timing: { tickMs: 20 } });
  mkdirSync(join(bench.root, 'dir'));
  writeFileSync(join(bench.root, 'dir/file'), 'content');
  await bench.open();
  await bench.source!.flush();
  mkdirSync(`${bench.root}.copy/dir`, { recursive: true });
  writeFileSync(join(`${bench.root}.copy`, 'dir/file'), 'content');
  renameSync(bench.root, `${bench.root}.old`);
  renameSync(`${bench.root}.copy`, bench.root);
  const { journal, tree } = await bench.compare();
  t.strictSame(journal, tree);
  t.equal(bench.sink.bodies('create').length, 2, 'nothing is created a second time');
});

t.test('names of one file that are files of their own in a restored root are told apart at once', async (t) => {
  const bench = new PortableBench(t, { timing: { tickMs: 20 } });
  writeFileSync(join(bench.root, 'a'), 'content');
  linkSync(join(bench.root, 'a'), join(bench.root, 'b'));
  await bench.open();
  await bench.source!.flush();
  await systemClock.sleep(400);
  mkdirSync(`${bench.root}.copy`);
  writeFileSync(join(`${bench.root}.copy`, 'a'), 'of a');
  writeFileSync(join(`${bench.root}.copy`, 'b'), 'of b');
  renameSync(bench.root, `${bench.root}.old`);
  renameSync(`${bench.root}.copy`, bench.root);
  const closed = (): number => bench.sink.changes.findIndex(({ body }) => body.kind === 'gap' && body.edge === 'close' && /replaced/.test(body.cause));
  await until(() => closed() >= 0);
  const healed = ModelTree.from(bench.sink.changes.slice(0, closed()), volume).describe();
  const { tree } = await bench.compare();
  t.strictSame(healed, tree, 'the look that closes the gap has seen both');
});

t.test('a crash right after the initial copy leaves the time since then unknown', async (t) => {
  const bench = new PortableBench(t, { timing: { quietMs: 1_000_000 } });
  writeFileSync(join(bench.root, 'file'), 'content');
  bench.sink.syncs = false;
  await bench.open();
  const ended = () => bench.sink.changes.find(({ body }) => body.kind === 'baseline' && body.edge === 'end');
  await until(() => ended() !== undefined);
  await bench.crash(Infinity);
  await bench.open();
  const [gap] = bench.sink.bodies('gap');
  t.match(gap, { kind: 'gap', edge: 'open', label: 'unknown', cause: 'the agent was not running' });
  t.ok(gap?.kind === 'gap' && gap.sinceNs <= ended()!.timeNs, 'from the end of the copy on, not from the start only');
});

t.test('what is excluded is left out, and goes when it becomes so', async (t) => {
  const bench = new PortableBench(t);
  mkdirSync(join(bench.root, 'keep/cache'), { recursive: true });
  writeFileSync(join(bench.root, 'keep/cache/x'), 'x');
  writeFileSync(join(bench.root, 'keep/y.tmp'), 'y');
  await bench.open();
  await bench.source!.flush();
  await bench.close();
  Object.defineProperty(bench, 'definition', { value: { ...bench.definition, exclude: ['**/cache', '**/*.tmp'] } });
  await bench.open();
  const { journal, tree } = await bench.compare((shown) => shown.includes('cache') || shown.endsWith('.tmp'));
  t.strictSame(journal, tree);
  t.equal(journal.length, 2);
});

t.test('shrinking, growing and metadata alone', async (t) => {
  const bench = new PortableBench(t);
  writeFileSync(join(bench.root, 'file'), Buffer.alloc(50_000, 5));
  await bench.open();
  await bench.source!.flush();
  truncateSync(join(bench.root, 'file'), 10_001);
  let compared = await bench.compare();
  t.strictSame(compared.journal, compared.tree);
  truncateSync(join(bench.root, 'file'), 90_000);
  chmodSync(join(bench.root, 'file'), 0o600);
  compared = await bench.compare();
  t.strictSame(compared.journal, compared.tree);
});

t.test('a block device is refused', async (t) => {
  const bench = new PortableBench(t, {}, { kind: 'device' });
  await t.rejects(bench.open(), { name: 'UsageError' });
});
