/** A directory tree taken as the items of a restore: restored elsewhere it is the same tree. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nativeUnavailableReason, systemDirectories } from '../../../native/index.js';
import { directoryItems } from '../../../native/tree/directory-items.js';
import { restoreTree } from '../../../native/tree/restore-tree.js';
import { linesAt, place } from './disk-tree.js';
import { makeTree } from './sample-tree.js';

const reason = nativeUnavailableReason() ?? (process.geteuid?.() === 0 ? undefined : 'needs root: owners and devices are part of the tree');
const skip = reason ?? false;

async function copied(t: Test, source: string, paths: readonly (readonly string[])[]): Promise<string> {
  const target = join(await place(t), 'copy');
  const root = await systemDirectories.openRoot(source);
  try {
    await restoreTree({ directories: systemDirectories, target, items: directoryItems({ root, paths }), mode: 'fresh', ...(paths.length === 0 ? {} : { paths }) });
  } finally {
    await root.close();
  }
  return target;
}

t.test('everything is the same', { skip }, async (t) => {
  const source = await place(t);
  await makeTree(source);
  const target = await copied(t, source, []);
  t.strictSame(await linesAt(target), await linesAt(source));
  const root = await systemDirectories.openRoot(target);
  t.ok((await root.lookup(Buffer.from('sparse')))!.allocatedBytes < 1_000_000, 'a hole stays one');
  await root.close();
});

t.test('paths are taken with what leads to them, and no more', { skip }, async (t) => {
  const source = await place(t);
  await makeTree(source);
  const all = await linesAt(source);
  const pathOf = (line: string): string => (JSON.parse(line) as [string])[0];
  const names = async (paths: readonly (readonly string[])[]): Promise<string[]> => (await linesAt(await copied(t, source, paths))).map(pathOf);
  t.strictSame(await names([['etc', 'passwd']]), ['', 'etc', 'etc/passwd']);
  t.strictSame(await names([['etc', 'deep'], ['odd \xff\n\\name']]), ['', 'etc', 'etc/deep', 'etc/deep/deeper', 'etc/deep/large', 'etc/deep/the same', 'odd \xff\n\\name']);
  t.strictSame(await names([['etc', 'deep'], ['etc']]), all.map(pathOf).filter((path) => path === '' || path === 'etc' || path.startsWith('etc/')), 'one within the other');
  t.strictSame(await names([['link']]), ['', 'link'], 'a link itself is a link');
  t.strictSame(await names([[]]), all.map(pathOf));
});

t.test('a path that cannot be walked to is refused, with what is in its way', { skip }, async (t) => {
  const source = await place(t);
  await makeTree(source);
  const rows: readonly [path: readonly string[], says: RegExp][] = [
    [['etc', 'no such'], /^etc\/no such does not exist/],
    [['link', 'passwd'], /^link is a symbolic link to etc, which is not followed/],
    [['etc', 'leads out', 'canary'], /^etc\/leads out is a symbolic link to \.\.\/\.\.\/\.\.\/outside/],
    [['etc', 'passwd', 'below'], /^etc\/passwd is a file/],
    [['fifo', 'below'], /^fifo is a fifo/],
  ];
  for (const [path, says] of rows) await t.rejects(copied(t, source, [['etc'], path]), { name: 'TreeRestoreError', code: 'request', message: says }, path.join('/'));
});

t.test('a walk that is stopped ends', { skip }, async (t) => {
  const source = await place(t);
  await makeTree(source);
  const root = await systemDirectories.openRoot(source);
  const controller = new AbortController();
  const items = directoryItems({ root, paths: [], signal: controller.signal });
  await items.next();
  controller.abort(new Error('stopped'));
  await t.rejects(items.next(), { message: 'stopped' });
  await root.close();
});
