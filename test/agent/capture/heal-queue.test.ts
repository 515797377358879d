/** What is to be read back waits for its time and for the stream, and is read again where older changes were applied over it. */
import t from 'tap';
import { HealQueue, once } from '../../../agent/capture/exact/heal-queue.js';

const range = { low: 10, high: 20 };

t.test('a range waits for the stream to be applied, and grows with others of its node', async (t) => {
  const queue = new HealQueue();
  queue.add(1, range, once, { dueMs: 0, after: 100n });
  queue.add(1, { low: 5, high: 8 }, once, { dueMs: 0, after: 50n });
  t.equal(queue.take(0, 99n), undefined);
  t.ok(queue.isWaiting(99n));
  t.equal(queue.dueMs(99n), Infinity);
  t.strictSame(queue.take(0, 100n), { node: 1, low: 5, high: 20, mapped: false, untilMs: 0 });
  t.ok(queue.isEmpty);
});

t.test('what is mapped comes back at its time, and does not keep others waiting', async (t) => {
  const queue = new HealQueue();
  queue.add(1, range, { mapped: true, untilMs: 0 }, { dueMs: 500, after: 0n });
  t.equal(queue.take(499, 0n), undefined);
  t.ok(queue.isIdle, 'a flush need not wait for what is read again and again');
  t.notOk(queue.isEmpty, 'but its gap stays open');
  queue.hasten();
  t.notOk(queue.isIdle);
  t.match(queue.take(0, 0n), { node: 1, mapped: true });
});

t.test('a read is confirmed only when the stream held nothing older of the node', async (t) => {
  const item = { node: 1, ...range, mapped: true, untilMs: 0 };
  const untouched = new HealQueue();
  untouched.confirm(item, 100n);
  t.notOk(untouched.isIdle);
  untouched.applied(99n);
  t.notOk(untouched.isEmpty);
  untouched.applied(100n);
  t.ok(untouched.isEmpty);
  const touched = new HealQueue();
  touched.confirm(item, 100n);
  touched.touched(1);
  touched.touched(2);
  touched.applied(100n);
  t.match(touched.take(0, 100n), { node: 1 }, 'it is read once more');
});

t.test('a directory that is wanted whole stays so when names of it are wanted too', async (t) => {
  const queue = new HealQueue();
  queue.addDirectory(1, { names: ['a'], after: 0n });
  queue.addDirectory(1, { names: ['b'], after: 10n });
  queue.addDirectory(2, { after: 0n });
  queue.addDirectory(2, { names: ['a'], after: 0n });
  t.strictSame(queue.takeDirectories(5n), new Map([[2, undefined]]));
  t.strictSame(queue.takeDirectories(10n), new Map([[1, new Set(['a', 'b'])]]));
});
