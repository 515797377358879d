/** Names told by fanotify find the calls that changed them: by thread and last part of the path, merged events too. */
import t from 'tap';
import { nameBits, NameQueue, type NameCall } from '../../../agent/capture/exact/name-queue.js';
import type { NameEvent } from '../../../native/capture/names.js';

const directory = { ino: 2n, generation: 0, tree: 0n };
const inode = (ino: bigint) => ({ ino, generation: 7, tree: 0n });

function event(mask: number, name: string, more: Partial<NameEvent> = {}): NameEvent {
  return { mask, tid: 1, isDirectory: false, isOverflow: false, fileSystem: 1n, directory, name: Buffer.from(name), target: inode(10n), ...more };
}
function call(bit: number, name: string | undefined, more: Partial<NameCall> = {}): NameCall {
  return { tid: 1, bit, returnedNs: 100n, name: name === undefined ? undefined : Buffer.from(name), ...more };
}
const { create, delete: remove, rename, attributes } = nameBits;

t.test('a call takes the event of its own thread, kind and name', async (t) => {
  const queue = new NameQueue();
  queue.add(event(create, 'a'), 100n);
  queue.add(event(create, 'b', { tid: 2, target: inode(11n) }), 100n);
  queue.add(event(attributes, 'c'), 100n);
  t.equal(queue.size, 2, 'attributes have no place in the order of names');
  t.same(queue.claim(call(create, 'b')), [], 'another thread made that');
  t.same(queue.claim(call(remove, 'a')), [], 'that was another call');
  t.same(queue.claim(call(create, 'z')), [], 'a call on a file system that is not watched');
  t.match(queue.claim(call(create, 'a')), [{ index: 0, merged: false }]);
  t.match(queue.claim(call(create, 'b', { tid: 2 })), [{ index: 1 }]);
  t.equal(queue.size, 0);
  t.equal(queue.firstWaiting, Infinity);
});

t.test('a merged event serves every call that returned before it was read, and none after', async (t) => {
  const queue = new NameQueue();
  queue.add(event(create | remove, 'a'), 100n);
  t.strictSame(queue.claim(call(create, 'a', { returnedNs: 10n })).map(({ merged }) => merged), [false]);
  t.match(queue.claim(call(remove, 'a', { returnedNs: 20n })), [{ merged: true }], 'its place in the queue is the first call\'s');
  t.match(queue.claim(call(create, 'a', { returnedNs: 30n })), [{ merged: true }], 'the third call merged into it');
  t.same(queue.claim(call(create, 'a', { returnedNs: 101n })), [], 'a later call of that name was elsewhere');
});

t.test('both halves of an exchange go together', async (t) => {
  const queue = new NameQueue();
  queue.add(event(rename, 'a', { toDirectory: directory, toName: Buffer.from('b') }), 100n);
  queue.add(event(rename, 'b', { toDirectory: directory, toName: Buffer.from('a'), target: inode(11n) }), 100n);
  t.match(queue.claim(call(rename, 'a', { toName: Buffer.from('b') }), true), [{ index: 0 }, { index: 1 }]);
  t.equal(queue.size, 0);
});

t.test('an inode is found by the event that named it, until a call takes that', async (t) => {
  const queue = new NameQueue();
  queue.add(event(create, 'a'), 100n);
  t.match(queue.naming(inode(10n)), { index: 0 });
  t.equal(queue.naming(inode(11n)), undefined);
  queue.claim(call(create, 'a'));
  t.equal(queue.naming(inode(10n)), undefined);
});

t.test('what no call takes comes out in order once it is old', async (t) => {
  const queue = new NameQueue();
  for (const [at, name] of ['a', 'b', 'c'].entries()) queue.add(event(create, name, { tid: 3 + at, target: inode(BigInt(20 + at)) }), BigInt(100 * at));
  queue.claim(call(create, 'a', { tid: 3 }));
  t.strictSame(queue.takeOrphans(200n).map((queued) => queued.event.name?.toString()), ['b'], 'c is too young, a was taken');
  t.equal(queue.size, 1);
});

t.test('a long backlog of one thread is worked off in order', async (t) => {
  const queue = new NameQueue();
  const count = 20_000;
  for (let at = 0; at < count; at += 1) queue.add(event(create, `f${at}`, { target: inode(BigInt(at)) }), 5n);
  for (let at = 0; at < count; at += 1) if (queue.claim(call(create, `f${at}`))[0]?.index !== at) return void t.fail(`call ${at} got another event`);
  t.equal(queue.size, 0);
});

t.test('a name that one thread changed a hundred thousand times before its calls are met', async (t) => {
  const queue = new NameQueue();
  const count = 100_000;
  // All read after all calls returned, as when the stream is behind.
  for (let at = 0; at < count; at += 1) queue.add(event(at % 2 === 0 ? create : remove, 'a', { target: inode(10n) }), 10_000_000n);
  let inOrder = 0;
  for (let at = 0; at < count; at += 1) {
    const [queued] = queue.claim(call(at % 2 === 0 ? create : remove, 'a', { returnedNs: BigInt(at) }));
    if (queued?.index === at && !queued.merged) inOrder += 1;
  }
  t.equal(inOrder, count);
  t.equal(queue.size, 0);
});

t.test('a call that does not tell its name takes the earliest event of its thread', async (t) => {
  const queue = new NameQueue();
  queue.add(event(remove, 'x'), 100n);
  queue.add(event(create, 'b', { target: inode(11n) }), 100n);
  queue.add(event(create, 'a', { target: inode(12n) }), 100n);
  t.match(queue.claim(call(create, undefined)), [{ index: 1 }]);
  t.match(queue.claim(call(create, undefined)), [{ index: 2 }]);
  t.match(queue.claim(call(create, undefined)), [{ index: 1, merged: true }], 'or one that it merged into');
});

t.test('several deeds in one event are sure, unless another thread was there or one is told of twice', async (t) => {
  const queue = new NameQueue();
  queue.add(event(create | remove, 'a'), 100n);
  t.match(queue.claim(call(create, 'a', { returnedNs: 10n })), [{ unsure: false }]);
  t.match(queue.claim(call(remove, 'a', { returnedNs: 20n })), [{ merged: true, unsure: false }], 'within one thread the calls tell the order');
  t.match(queue.claim(call(remove, 'a', { returnedNs: 30n })), [{ unsure: true }], 'it may have been another file of that name');
  queue.add(event(create | remove, 'b'), 100n);
  queue.add(event(rename, 'c', { tid: 2, toDirectory: directory, toName: Buffer.from('b') }), 100n);
  t.match(queue.claim(call(create, 'b', { returnedNs: 40n })), [{ unsure: false }]);
  t.match(queue.claim(call(remove, 'b', { returnedNs: 50n })), [{ unsure: true }], 'before or after the other thread moved something there');
});
