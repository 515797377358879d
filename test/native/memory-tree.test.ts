/** What the in-memory tree has beyond the directory contract: hooks before operations, snapshots, determinism. */
import t from 'tap';
import { MemoryTree } from '../../native/host/memory-directory.js';
import { content, name, namesOf, put } from '../contract/directory-subject.js';

t.test('every operation that changes or syncs is announced first, and can be made to fail', async (t) => {
  const announced: string[] = [];
  let broken: string | undefined;
  const tree = new MemoryTree({
    onOperation: (operation) => {
      announced.push(operation);
      if (operation === broken) throw Object.assign(new Error('ENOSPC: planned'), { code: 'ENOSPC' });
    },
  });
  const root = await tree.openRoot();
  const steps: [string, () => Promise<unknown>][] = [
    ['createFile', async () => (await root.createFile(name('file'))).close()],
    ['write', async () => (await root.openFile(name('file'), 'write')).write(name('content'), 0)],
    ['truncate', async () => (await root.openFile(name('file'), 'write')).truncate(3)],
    ['punch', async () => (await root.openFile(name('file'), 'write')).punch({ offset: 0, length: 1 })],
    ['datasync', async () => (await root.openFile(name('file'), 'read')).datasync()],
    ['makeDirectory', () => root.makeDirectory(name('directory'))],
    ['makeSymlink', () => root.makeSymlink(name('symlink'), name('x'))],
    ['makeSpecial', () => root.makeSpecial(name('fifo'), { kind: 'fifo', mode: 0o600, deviceMajor: 0, deviceMinor: 0 })],
    ['link', () => root.link(name('file'), root, name('second'))],
    ['rename', () => root.rename(name('second'), root, name('third'))],
    ['exchange', () => root.exchange(name('third'), root, name('symlink'))],
    ['unlink', () => root.unlink(name('fifo'))],
    ['removeDirectory', () => root.removeDirectory(name('directory'))],
    ['setOwnerAndMode', () => root.setOwnerAndMode(name('file'), { mode: 0o644 })],
    ['setTimes', () => root.setTimes(name('file'), { modifyNs: 5n })],
    ['setXattr', () => root.setXattr(name('file'), 'user.a', name('1'))],
    ['removeXattr', () => root.removeXattr(name('file'), 'user.a')],
    ['syncTree', () => root.syncTree()],
  ];
  for (const [operation, run] of steps) {
    const before = await root.list();
    broken = operation;
    await t.rejects(run(), { code: 'ENOSPC' }, `${operation} fails as planned`);
    t.same(await root.list(), before, 'and changes nothing');
    broken = undefined;
    await run();
    t.equal(announced.at(-1), operation);
  }
  const changes = announced.length;
  await root.list();
  await root.lookup(name('file'));
  await root.xattrs(name('file'));
  await content(root, name('file'));
  t.equal(announced.length, changes, 'looking is not announced');
});

t.test('a snapshot holds everything, hard links too, and later changes do not reach it', async (t) => {
  const tree = new MemoryTree();
  const root = await tree.openRoot();
  await root.makeDirectory(name('inner'));
  const inner = await root.openDirectory(name('inner'));
  await put(inner, name('one'), 'before');
  await inner.link(name('one'), root, name('two'));
  await inner.setXattr(name('one'), 'user.a', name('before'));
  const listed = await root.list();
  const snapshot = tree.snapshot();

  for (let round = 0; round < 2; round++) {
    const at = await tree.openRoot('/');
    const file = await at.openFile(name('two'), 'write');
    await file.write(name('after!'), 0);
    await file.truncate(100_000);
    await at.setXattr(name('two'), 'user.a', name('after'));
    await at.rename(name('two'), at, name('gone'));
    tree.restore(snapshot);
    await t.rejects(file.write(name('x'), 0), { code: 'ESTALE' }, 'what was open is gone');
    await t.rejects(at.list(), { code: 'ESTALE' });

    const again = await tree.openRoot('/inner');
    t.same(await (await tree.openRoot()).list(), listed);
    t.same(await content(again, name('one')), name('before'));
    t.same(await again.xattrs(name('one')), new Map([['user.a', name('before')]]));
    const second = await (await tree.openRoot()).openFile(name('two'), 'write');
    await second.write(name('shared'), 0);
    t.same(await content(again, name('one')), name('shared'), 'both names are still one file');
    tree.restore(snapshot);
  }
});

t.test('a restore from within the announced operation stops that operation', async (t) => {
  const tree = new MemoryTree({
    onOperation: (operation) => {
      if (operation === 'rename') tree.restore(snapshot);
    },
  });
  const root = await tree.openRoot();
  await put(root, name('file'), 'x');
  const snapshot = tree.snapshot();
  await t.rejects(root.rename(name('file'), root, name('moved')), { code: 'ESTALE' });
  t.same(namesOf(await (await tree.openRoot()).list()), ['file']);
});

t.test('two trees with the same history are equal, times included', async (t) => {
  const listings = [];
  for (let round = 0; round < 2; round++) {
    const root = await new MemoryTree().openRoot();
    await put(root, name('a'), 'x');
    await root.makeDirectory(name('b'));
    await root.rename(name('a'), root, name('c'));
    listings.push(await root.list());
  }
  t.same(listings[0], listings[1]);
  let nowNs = 10n;
  const root = await new MemoryTree({ wallNs: () => nowNs, dev: 7n }).openRoot();
  nowNs = 20n;
  await put(root, name('a'), 'x');
  t.match(await root.lookup(name('a')), { birthNs: 20n, modifyNs: 20n, dev: 7n });
});

t.test('random writes, cuts and holes read back like a plain buffer', async (t) => {
  const seed = Number(process.env['AFTERIMAGE_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const root = await new MemoryTree().openRoot();
  const file = await root.createFile(name('file'));
  let model: Buffer = Buffer.alloc(0);
  const resized = (size: number): Buffer => Buffer.concat([model.subarray(0, size), Buffer.alloc(Math.max(0, size - model.length))]);
  for (let round = 0; round < 2_000; round++) {
    const [offset, length] = [below(40_000), below(9_000)];
    if (below(10) < 6) {
      const bytes = Buffer.alloc(length, 1 + below(255));
      await file.write(bytes, offset);
      if (length > 0 && offset + length > model.length) model = resized(offset + length);
      bytes.copy(model, offset);
    } else if (below(2) === 0) {
      await file.punch({ offset, length });
      model.fill(0, Math.min(offset, model.length), Math.min(offset + length, model.length));
    } else {
      await file.truncate(offset);
      model = resized(offset);
    }
    const found = Buffer.alloc(60_000);
    if (model.compare(found, 0, await file.read(found, 0)) !== 0) return t.fail(`differs after step ${round}`);
    // Outside of what nextData reports there must be nothing but zeroes.
    let at = 0;
    for (let span = await file.nextData(0); span !== undefined; span = await file.nextData(at)) {
      if (model.subarray(at, span.offset).some((byte) => byte !== 0)) return t.fail(`data lost at step ${round}`);
      at = span.offset + span.length;
    }
    if (model.subarray(at).some((byte) => byte !== 0)) return t.fail(`data lost at step ${round}`);
  }
  t.pass('2,000 steps agree');
});
