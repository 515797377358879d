/** Open handles: bounded, shared, never closed under a user. */
import t from 'tap';
import { HandleCache } from '../../../native/tree/handle-cache.js';
import { WorkLimit } from '../../../native/tree/work-limit.js';

class Handle {
  isOpen = true;
  async close(): Promise<void> {
    this.isOpen = false;
  }
}

t.test('at most so many stay open, the latest used ones', async (t) => {
  const cache = new HandleCache<Handle>(2);
  const handles = [new Handle(), new Handle(), new Handle()];
  const use = (key: number): Promise<void> => cache.use(key, async () => handles[key]!, async () => undefined);
  await use(0);
  await use(1);
  await use(0);
  await use(2);
  t.strictSame(handles.map(({ isOpen }) => isOpen), [true, false, true]);
  await cache.closeAll();
  t.ok(handles.every(({ isOpen }) => !isOpen));
});

t.test('a handle in use stays open however many others come', async (t) => {
  const cache = new HandleCache<Handle>(1);
  const handle = new Handle();
  await cache.use(0, async () => handle, async () => {
    for (let key = 1; key < 5; key += 1) await cache.use(key, async () => new Handle(), async () => undefined);
    await cache.close(0);
    t.ok(handle.isOpen);
  });
  await cache.close(0);
  t.notOk(handle.isOpen);
});

t.test('two that want the same handle at once open it once; one that failed to open is opened anew', async (t) => {
  const cache = new HandleCache<Handle>(4);
  let opened = 0;
  const open = async (): Promise<Handle> => {
    opened += 1;
    if (opened === 1) throw new Error('no');
    return new Handle();
  };
  const both = await Promise.allSettled([cache.use(0, open, async () => 1), cache.use(0, open, async () => 2)]);
  t.strictSame(both.map(({ status }) => status), ['rejected', 'rejected']);
  t.equal(opened, 1);
  t.strictSame(await Promise.all([cache.use(0, open, async () => 1), cache.use(0, open, async () => 2)]), [1, 2]);
  t.equal(opened, 2);
  await t.rejects(cache.use(0, open, async () => Promise.reject(new Error('use failed'))));
  await cache.use(0, open, async () => undefined);
  t.equal(opened, 2, 'a failed use leaves the handle');
});

t.test('work is bounded in number and bytes, and its first failure stops what follows', async (t) => {
  const limit = new WorkLimit({ countMax: 3, bytesMax: 100 });
  let [running, most] = [0, 0];
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  for (let index = 0; index < 20; index += 1) await limit.start(10, work);
  await limit.finish();
  t.equal(most, 3);
  most = 0;
  for (let index = 0; index < 5; index += 1) await limit.start(1000, work);
  await limit.finish();
  t.equal(most, 1, 'what is larger than the bound goes alone');
  await limit.start(1, async () => Promise.reject(new Error('first')));
  await limit.settle();
  await t.rejects(limit.start(1, work), { message: 'first' });
  await t.rejects(limit.finish(), { message: 'first' });
});
