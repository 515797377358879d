/** Writing trees from items: what hostile items cannot do, what targets must be, and what a kill leaves. */
import { link as linkFile, mkdir, mkdtemp, readFile, readdir, rm, symlink as makeSymlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import { nativeUnavailableReason, systemDirectories } from '../../../native/index.js';
import type { TreeItem } from '../../../native/tree/items.js';
import type { TreeRestoreReport } from '../../../native/tree/report.js';
import { restoreTree, type RestoreTreeOptions } from '../../../native/tree/restore-tree.js';
import { lines, linesAt, readTree } from './disk-tree.js';
import { directory, entryOf, file, itemsOf, link, modifyNs, root, streamOf, symlink, type WantedEntry } from './items-of.js';

/** A place with a directory to restore into and, beside it, one that nothing may change. */
async function withCanary(t: Test): Promise<{ target: string; canary: string; unharmed(): Promise<void> }> {
  const place = await mkdtemp(join(tmpdir(), 'afterimage-hostile-'));
  t.teardown(() => rm(place, { recursive: true, force: true }));
  const [target, canary] = [join(place, 'target'), join(place, 'canary')];
  await mkdir(canary);
  await writeFile(join(canary, 'bird'), 'sings');
  const before = await linesAt(canary);
  return {
    target,
    canary,
    async unharmed() {
      t.strictSame(await linesAt(canary), before, 'the canary is unharmed');
      t.strictSame((await readdir(place)).filter((name) => name !== 'canary' && name !== 'target'), [], 'nothing lies beside the target');
    },
  };
}

function run(target: string, items: Iterable<TreeItem>, more: Partial<RestoreTreeOptions> = {}): Promise<TreeRestoreReport> {
  return restoreTree({ directories: systemDirectories, target, items: streamOf(items), mode: 'fresh', ...more });
}

/** Items whose head agrees with them, whatever they are. */
function raw(entries: readonly WantedEntry[], pieces: readonly TreeItem[] = []): TreeItem[] {
  const bytes = pieces.reduce((sum, item) => sum + (item.kind === 'piece' ? item.data.byteLength : 0), 0);
  return [{ kind: 'head', entries: entries.length, bytes }, ...entries.map(entryOf), ...pieces, { kind: 'end', entries: entries.length, bytes }];
}

const piece = (index: number, offset: number, data: string): TreeItem => ({ kind: 'piece', index, offset, data: Buffer.from(data) });

const hostile: readonly { readonly label: string; readonly items: readonly TreeItem[] }[] = [
  ...['..', '.', '', 'a/b', '/etc', '../../canary', 'nul\0byte', 'wide\u0100', 'x'.repeat(5000)].map((name) => ({ label: `a file named ${JSON.stringify(name.slice(0, 20))}`, items: itemsOf([root, { path: [name], content: 'x' }]) })),
  { label: 'a directory named ..', items: itemsOf([root, { path: ['..'], kind: 'directory' as const }, { path: ['..', 'canary'], content: 'x' }]) },
  { label: 'a file below a symbolic link', items: itemsOf([root, symlink('out', '../canary'), { path: ['out', 'bird'], content: 'dies' }]) },
  { label: 'a file below a file', items: itemsOf([root, file('f', 'x'), file('f/g', 'x')]) },
  { label: 'a file before its directory', items: itemsOf([root, file('d/f', 'x'), directory('d')]) },
  { label: 'a name twice', items: itemsOf([root, file('f', 'x'), file('f', 'y')]) },
  { label: 'a directory and a symbolic link of one name', items: itemsOf([root, directory('d'), symlink('d', '../canary'), file('d/bird', 'x')]) },
  { label: 'a symbolic link and a directory of one name', items: itemsOf([root, symlink('d', '../canary'), directory('d'), file('d/bird', 'x')]) },
  { label: 'no root', items: itemsOf([file('f', 'x')]) },
  { label: 'two roots', items: itemsOf([root, root]) },
  { label: 'nothing', items: raw([]) },
  { label: 'an index out of turn', items: raw([root, { path: ['f'], more: { index: 7 } }]) },
  { label: 'a further name of a later entry', items: raw([root, { path: ['f'], linkOf: 2 }, { path: ['g'] }]) },
  { label: 'a further name of itself', items: raw([root, { path: ['f'], linkOf: 1 }]) },
  { label: 'a further name of a directory', items: raw([root, { path: ['f'], kind: 'directory', linkOf: 0 }]) },
  { label: 'a further name of another kind', items: raw([root, { path: ['f'] }, { path: ['g'], kind: 'fifo', linkOf: 1 }]) },
  { label: 'a further name with data', items: raw([root, { path: ['f'] }, { path: ['g'], linkOf: 1, more: { size: 1, data: [{ offset: 0, length: 1 }] } }], [piece(2, 0, 'x')]) },
  { label: 'a directory with data', items: raw([root, { path: ['d'], kind: 'directory', more: { size: 1, data: [{ offset: 0, length: 1 }] } }], [piece(1, 0, 'x')]) },
  { label: 'data past the size', items: raw([root, { path: ['f'], more: { size: 2, data: [{ offset: 0, length: 3 }] } }], [piece(1, 0, 'xyz')]) },
  { label: 'ranges that overlap', items: raw([root, { path: ['f'], more: { size: 9, data: [{ offset: 0, length: 5 }, { offset: 4, length: 5 }] } }]) },
  { label: 'a range of no length', items: raw([root, { path: ['f'], more: { size: 9, data: [{ offset: 3, length: 0 }] } }]) },
  { label: 'a negative offset', items: raw([root, { path: ['f'], more: { size: 9, data: [{ offset: -4, length: 8 }] } }]) },
  { label: 'a size that is no size', items: raw([root, { path: ['f'], more: { size: 2 ** 60 } }]) },
  { label: 'a mode with a kind in it', items: raw([root, { path: ['f'], metadata: { mode: 0o120777 } }]) },
  { label: 'an owner that means "leave it"', items: raw([root, { path: ['f'], metadata: { uid: 0xffff_ffff } }]) },
  { label: 'a symbolic link without a target', items: raw([root, { path: ['s'], kind: 'symlink' }]) },
  { label: 'a symbolic link with a NUL in it', items: raw([root, symlink('s', 'a\0b')]) },
  { label: 'a kind that does not exist', items: raw([root, { path: ['f'], kind: 'door' as never }]) },
  { label: 'more entries than announced', items: [{ kind: 'head', entries: 1, bytes: 0 }, entryOf(root, 0), entryOf(file('f', ''), 1), { kind: 'end', entries: 2, bytes: 0 }] },
  { label: 'two heads', items: [{ kind: 'head', entries: 1, bytes: 0 }, { kind: 'head', entries: 1, bytes: 0 }, entryOf(root, 0)] },
  { label: 'no head', items: [entryOf(root, 0)] },
];

t.test('hostile entries are refused before anything is written', async (t) => {
  for (const { label, items } of hostile) {
    for (const mode of ['fresh', 'in-place'] as const) {
      const { target, unharmed } = await withCanary(t);
      if (mode === 'in-place') await mkdir(target);
      await t.rejects(run(target, items, { mode }), { name: 'TreeRestoreError', code: 'invalid' }, `${label}, ${mode}`);
      if (mode === 'in-place') t.strictSame(await readdir(target), [], 'the target is untouched');
      else await t.rejects(readdir(target), { code: 'ENOENT' });
      await unharmed();
    }
  }
});

t.test('hostile pieces stop the restore', async (t) => {
  const one = [root, file('f', 'content'), directory('d'), symlink('s', '../canary/bird')];
  const cases: readonly (readonly [string, readonly TreeItem[]])[] = [
    ['outside of the declared size', [piece(1, 3, 'content')]],
    ['far outside', [piece(1, 2 ** 50, 'x')]],
    ['negative', [piece(1, -1, 'x')]],
    ['empty', [piece(1, 0, '')]],
    ['the same bytes twice', [piece(1, 0, 'con'), piece(1, 0, 'con')]],
    ['after all came', [piece(1, 0, 'content'), piece(1, 0, 'content')]],
    ['for a directory', [piece(2, 0, 'x')]],
    ['for a symbolic link', [piece(3, 0, 'x')]],
    ['for no entry', [piece(9, 0, 'x')]],
    ['for a fraction of an entry', [piece(0.5, 0, 'x')]],
    ['an entry among the pieces', [piece(1, 0, 'content'), entryOf(file('late', ''), 4)]],
  ];
  for (const [label, pieces] of cases) {
    const { target, unharmed } = await withCanary(t);
    await t.rejects(run(target, [...itemsOf(one).slice(0, 5), ...pieces, { kind: 'end', entries: 4, bytes: 7 }]), { name: 'TreeRestoreError', code: 'invalid' }, label);
    await unharmed();
  }
});

t.test('a restore that ends early says so', async (t) => {
  const items = itemsOf([root, file('f', 'content'), file('g', 'more')]);
  for (let length = 0; length < items.length; length += 1) {
    const { target } = await withCanary(t);
    await t.rejects(run(target, items.slice(0, length)), { code: 'incomplete', message: /restore incomplete/ }, `${length} items`);
  }
  for (const wrong of [{ kind: 'end', entries: 3, bytes: 4 }, { kind: 'end', entries: 4, bytes: 11 }] as const) {
    const { target } = await withCanary(t);
    await t.rejects(run(target, [...items.slice(0, -1), wrong]), { code: 'incomplete' });
  }
  const { target } = await withCanary(t);
  const without = [...items.slice(0, 5), { kind: 'end', entries: 3, bytes: 7 } as const];
  await t.rejects(run(target, without), { code: 'incomplete', message: /not all data of g came/ });
});

t.test('links in the target lead nowhere', async (t) => {
  const { target, canary, unharmed } = await withCanary(t);
  await mkdir(target);
  await makeSymlink(canary, join(target, 'd'));
  await makeSymlink(join(canary, 'bird'), join(target, 'f'));
  await makeSymlink(canary, join(target, 'extra'));
  await mkdir(join(target, 'dir'));
  await makeSymlink('../../canary', join(target, 'dir', 'inner'));
  await run(target, itemsOf([root, directory('d'), file('d/bird', 'new'), file('f', 'new'), directory('dir'), directory('dir/inner'), file('dir/inner/bird', 'new')]), { mode: 'in-place' });
  await unharmed();
  t.strictSame((await linesAt(target)).map((line) => (JSON.parse(line) as string[]).slice(0, 2).join(' ')), [' directory', 'd directory', 'd/bird file', 'dir directory', 'dir/inner directory', 'dir/inner/bird file', 'f file']);
  t.equal(await readFile(join(target, 'd', 'bird'), 'utf8'), 'new');
});

t.test('a file that has another name outside is replaced, not written through', async (t) => {
  const { target, canary } = await withCanary(t);
  await mkdir(target);
  await writeFile(join(canary, 'shared'), 'bird feed');
  await linkFile(join(canary, 'shared'), join(target, 'f'));
  await run(target, itemsOf([root, file('f', 'cat food!', { mode: 0o600 })]), { mode: 'in-place' });
  t.equal(await readFile(join(canary, 'shared'), 'utf8'), 'bird feed');
  t.equal(await readFile(join(target, 'f'), 'utf8'), 'cat food!');
});

t.test('a newline and bytes that are not text are names like any other', async (t) => {
  const { target } = await withCanary(t);
  const wanted = [root, file('line\nfeed', 'x'), file('\xff\xfe', 'y'), directory('\x01'), symlink('\x01/\x80', '\xff')];
  await run(target, itemsOf(wanted));
  t.strictSame((await linesAt(target)).map((line) => (JSON.parse(line) as string[])[0]), ['', '\x01', '\x01/\x80', 'line\nfeed', '\xff\xfe']);
});

t.test('a fresh target must not hold anything', async (t) => {
  const { target, canary } = await withCanary(t);
  const items = itemsOf([root, file('f', 'x')]);
  await t.rejects(run(canary, items), { code: 'target', message: /not empty.*--in-place/ });
  await t.rejects(run(join(canary, 'bird'), items), { code: 'target', message: /no directory/ });
  await t.rejects(run(join(canary, 'bird'), items, { mode: 'in-place' }), { code: 'target' });
  await t.rejects(run(join(canary, 'no', 'such'), items), { code: 'target', message: /cannot be opened/ });
  await mkdir(target);
  await run(target, items);
  t.equal(await readFile(join(target, 'f'), 'utf8'), 'x', 'an empty directory will do');
  await rm(target, { recursive: true });
  await run(target, items, { mode: 'in-place', sync: true });
  t.equal(await readFile(join(target, 'f'), 'utf8'), 'x', 'in place into nothing');
});

t.test('whatever is in the way in place is replaced', { skip: nativeUnavailableReason() ?? false }, async (t) => {
  const { target } = await withCanary(t);
  const kinds = ['file', 'directory', 'symlink', 'fifo'] as const;
  const entries = (shift: number): WantedEntry[] => {
    const all: WantedEntry[] = [root];
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
      const kind = kinds[(index + shift) % 4]!;
      if (kind === 'file') all.push(file(name, `content ${shift}`));
      else if (kind === 'directory') all.push(directory(name), file(`${name}/inner`, `inner ${shift}`));
      else if (kind === 'symlink') all.push(symlink(name, `to-${shift}`));
      else all.push({ path: [name], kind });
    }
    return all;
  };
  for (const shift of [0, 1, 2, 3, 1, 0, 2]) {
    await run(target, itemsOf(entries(shift)), { mode: 'in-place' });
    const fresh = await withCanary(t);
    await run(fresh.target, itemsOf(entries(shift)));
    t.strictSame(await linesAt(target), await linesAt(fresh.target), `shift ${shift}`);
  }
});

t.test('a restore killed at any operation leaves nothing behind that a second one does not clear away', async (t) => {
  const first = itemsOf([root, file('keep', 'same'), file('f', 'old old old'), link('hard', 2), directory('d'), file('d/x', 'x'), symlink('s', 'old')]);
  const second = itemsOf([root, directory('new'), file('new/y', 'y'), symlink('f', 'was a file'), file('s', 'was a link'), file('keep', 'SAME'), file('hard', 'of its own')]);
  const told = async (tree: MemoryTree): Promise<string[]> => lines(await readTree(await tree.openRoot('t')));
  const build = async (stopAfter: number): Promise<{ tree: MemoryTree; count: () => number; restart(): void }> => {
    let [count, isArmed] = [0, false];
    const tree = new MemoryTree({
      onOperation: () => {
        count += isArmed ? 1 : 0;
        if (isArmed && count > stopAfter) throw Object.assign(new Error('stopped'), { code: 'EIO' });
      },
    });
    await restoreTree({ directories: tree, target: '/t', items: streamOf(first), mode: 'fresh' });
    isArmed = true;
    return { tree, count: () => count, restart: () => void (isArmed = false) };
  };
  const whole = await build(Infinity);
  await restoreTree({ directories: whole.tree, target: '/t', items: streamOf(second), mode: 'in-place' });
  const wanted = await told(whole.tree);
  const total = whole.count();
  t.ok(total > 20, `${total} operations`);
  for (let stop = 0; stop < total; stop += 1) {
    const { tree, restart } = await build(stop);
    await restoreTree({ directories: tree, target: '/t', items: streamOf(second), mode: 'in-place' }).then(() => t.fail(`stop ${stop} was not reached`), () => undefined);
    restart();
    await restoreTree({ directories: tree, target: '/t', items: streamOf(second), mode: 'in-place' });
    t.strictSame(await told(tree), wanted, `stopped at operation ${stop}`);
  }
});

t.test('the leftover of a killed restore of one file is cleared away, too', async (t) => {
  const { target } = await withCanary(t);
  const items = itemsOf([root, directory('etc'), file('etc/passwd', 'root')]);
  await mkdir(join(target, 'etc'), { recursive: true });
  await writeFile(join(target, 'etc', 'passwd'), 'old');
  await linkFile(join(target, 'etc', 'passwd'), join(target, 'etc', 'other'));
  const paths = [['etc', 'passwd']];
  const failing: AsyncIterable<TreeItem> = {
    async *[Symbol.asyncIterator]() {
      yield* items.slice(0, 4);
      // Long enough for the write to be under way, and its draft to be there.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const names = await readdir(join(target, 'etc'));
      t.equal(names.filter((name) => name.startsWith('.afterimage-')).length, 0, 'nothing yet: no data came');
      yield { kind: 'piece', index: 2, offset: 0, data: Buffer.from('ro') };
      for (let tries = 0; tries < 100 && !(await readdir(join(target, 'etc'))).some((name) => name.startsWith('.afterimage-')); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
      const drafts = (await readdir(join(target, 'etc'))).filter((name) => name.startsWith('.afterimage-'));
      t.equal(drafts.length, 1);
      await writeFile(join(target, 'draft-name'), drafts[0]!);
      throw new Error('cut');
    },
  };
  await t.rejects(restoreTree({ directories: systemDirectories, target, items: failing, mode: 'in-place', paths }), { message: 'cut' });
  t.strictSame((await readdir(join(target, 'etc'))).sort(), ['other', 'passwd'], 'a failure takes its draft away');
  await writeFile(join(target, 'etc', await readFile(join(target, 'draft-name'), 'utf8')), 'a kill does not');
  await run(target, items.filter((item) => item.kind !== 'entry' || item.index < 3), { mode: 'in-place', paths });
  t.strictSame((await readdir(join(target, 'etc'))).sort(), ['other', 'passwd']);
  t.equal(await readFile(join(target, 'etc', 'other'), 'utf8'), 'old');
});

t.test('a tree deeper than any path is restored, brought back in place and removed', { skip: nativeUnavailableReason() ?? false }, async (t) => {
  const { target, unharmed } = await withCanary(t);
  const depth = 900;
  const wanted: WantedEntry[] = [root];
  for (let level = 1; level <= depth; level += 1) wanted.push({ path: Array.from({ length: level }, () => 'deep'), kind: 'directory' });
  wanted.push({ path: [...Array.from({ length: depth }, () => 'deep'), 'bottom'], content: 'reached' });
  await run(target, itemsOf(wanted));
  const again = await run(target, itemsOf(wanted), { mode: 'in-place' });
  t.match(again, { bytesWritten: 0, created: { count: 0 }, changed: { count: 0 }, unchanged: depth + 2 });
  const report = await run(target, itemsOf([root]), { mode: 'in-place' });
  t.strictSame(report.deleted, { count: 1, first: ['deep'] });
  t.strictSame(await readdir(target), []);
  await unharmed();
});

t.test('a restore can be stopped, even while its source waits for ever', async (t) => {
  const { target } = await withCanary(t);
  const stop = new AbortController();
  const items: AsyncIterable<TreeItem> = {
    async *[Symbol.asyncIterator]() {
      yield* itemsOf([root, file('f', 'x')]).slice(0, 3);
      setImmediate(() => stop.abort(new Error('enough')));
      await new Promise(() => undefined);
    },
  };
  await t.rejects(restoreTree({ directories: systemDirectories, target, items, mode: 'fresh', signal: stop.signal }), { message: 'enough' });
});

t.test('progress ends where it should', async (t) => {
  const { target } = await withCanary(t);
  let last: unknown;
  await run(target, itemsOf([root, file('f', 'abc'), directory('d'), link('g', 1), file('empty', '')]), { onProgress: (progress) => (last = progress) });
  t.strictSame(last, { doneBytes: 3, totalBytes: 3, doneEntries: 5, totalEntries: 5 });
});

t.test('what cannot be set is told once a problem, and the rest is restored', async (t) => {
  const tree = new MemoryTree();
  const refusing: DirectoryOpener = {
    async openRoot(path) {
      const wrap = (directory: Awaited<ReturnType<MemoryTree['openRoot']>>): typeof directory =>
        new Proxy(directory, {
          get(of, key) {
            if (key === 'setXattr') return async () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTSUP' }));
            if (key === 'makeSpecial') return async () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' }));
            if (key === 'openDirectory') return async (name: Buffer) => wrap(await of.openDirectory(name));
            if (key === 'link') return async () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' }));
            const value = of[key as keyof typeof of] as unknown;
            return typeof value === 'function' ? value.bind(of) : value;
          },
        });
      return wrap(await tree.openRoot(path));
    },
  };
  const xattrs = new Map([['user.x', Buffer.from('1')]]);
  const metadata = { xattrs, uid: 5, gid: 5, mode: 0o4755 };
  const own = { uid: 0, gid: 0 };
  const wanted = [{ ...root, metadata: own }, file('a', 'A', metadata), file('b', 'B', { xattrs, ...own }), { path: ['fifo'], kind: 'fifo' as const }, { ...link('c', 1), metadata }];
  const report = await restoreTree({ directories: refusing, target: '/t', items: streamOf(itemsOf(wanted)), mode: 'fresh', owner: false });
  t.match(report.skipped, [
    { problem: 'the owner is not set: only root may', count: 2 },
    { problem: /user\.x is refused here \(ENOTSUP\)/, count: 3, paths: ['a', 'b', 'c'] },
    { problem: /set-id bits/, count: 2, paths: ['a', 'c'] },
    { problem: /hard link cannot be made/, count: 1, paths: ['c'] },
  ]);
  t.match(report.notRepresented, [{ problem: /fifo may not be made here \(EPERM\)/, count: 1, paths: ['fifo'] }]);
  const told = lines(await readTree(await tree.openRoot('t'))).map((line) => JSON.parse(line) as string[]);
  t.strictSame(told.map(([path, , mode]) => `${path} ${mode}`), [' 755', 'a 755', 'b 644', 'c 755'], 'set-id bits go where the owner could not be set');
});

t.test('names that collide or do not fit here are told and left out, with what they hold', async (t) => {
  const tree = new MemoryTree();
  const long = 'n'.repeat(300);
  const wanted = [root, directory(long), file(`${long}/below`, 'x'), file('ok', 'y'), { path: [`${long}x`], content: 'z' }, link('again', 4)];
  const report = await restoreTree({ directories: tree, target: '/t', items: streamOf(itemsOf(wanted)), mode: 'fresh' });
  t.match(report.notRepresented.map(({ problem, count }) => [problem, count]), [['its name is too long here', 2], ['its directory is not restored', 1], ['the file it is a further name of is not restored', 1]]);
  t.strictSame((await readTree(await tree.openRoot('t'))).map(({ path }) => path.join('/')), ['', 'ok']);
});

t.test('extended attributes and times are brought back in place', async (t) => {
  const tree = new MemoryTree();
  const wanted = [root, directory('d'), file('d/f', 'x', { xattrs: new Map([['user.a', Buffer.from('1')]]) })];
  await restoreTree({ directories: tree, target: '/t', items: streamOf(itemsOf(wanted)), mode: 'fresh' });
  const before = lines(await readTree(await tree.openRoot('t')));
  const d = await tree.openRoot('t/d');
  await d.setXattr(Buffer.from('f'), 'user.b', Buffer.from('2'));
  await d.setXattr(Buffer.from('f'), 'user.a', Buffer.from('3'));
  await d.setXattr(Buffer.from('f'), 'security.selinux', Buffer.from('label'));
  await d.setTimes(undefined, { modifyNs: 1n });
  const report = await restoreTree({ directories: tree, target: '/t', items: streamOf(itemsOf(wanted)), mode: 'in-place' });
  t.strictSame(lines(await readTree(await tree.openRoot('t'))), before);
  t.match(report, { bytesWritten: 0, changed: { count: 2, first: ['d/f', 'd'] } });
  t.ok((await d.xattrs(Buffer.from('f'))).has('security.selinux'), 'labels of this machine stay');
  t.equal((await d.stat()).modifyNs, modifyNs);
});
