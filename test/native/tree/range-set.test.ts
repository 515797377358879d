/** Ranges still to come, against a plain array of bytes. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { RangeSet } from '../../../native/tree/range-set.js';

t.test('ranges are taken out once, in any order', async (t) => {
  const seed = Number(process.env['AFTERIMAGE_SEED'] ?? randomInt(2 ** 31));
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  let state = seed >>> 0;
  const dice = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 10; round += 1) {
    const size = 20_000;
    const model = new Uint8Array(size);
    const spans: { offset: number; length: number }[] = [];
    for (let at = dice(5); at < size; ) {
      const length = Math.min(1 + dice(round % 2 === 0 ? 4 : 400), size - at);
      spans.push({ offset: at, length });
      model.fill(1, at, at + length);
      at += length + dice(3);
    }
    const set = new RangeSet(spans);
    let left = model.reduce((sum, one) => sum + one, 0);
    t.equal(set.bytes, left);
    for (let step = 0; step < 20_000 && left > 0; step += 1) {
      // Mostly what is there, so that the set runs empty.
      const offset = dice(2) === 0 ? Math.max(0, model.indexOf(1, dice(size))) : dice(size);
      const length = 1 + dice(30);
      const isThere = offset + length <= size && model.subarray(offset, offset + length).every((one) => one === 1);
      if (set.remove(offset, length) !== isThere) return void t.fail(`seed ${seed}, round ${round}, step ${step}: ${offset}+${length} should be ${isThere ? 'there' : 'refused'}`);
      if (isThere) {
        model.fill(0, offset, offset + length);
        left -= length;
      }
      if (set.bytes !== left) return void t.fail(`seed ${seed}, round ${round}, step ${step}: ${set.bytes} bytes instead of ${left}`);
    }
  }
});

t.test('what is no ascending list of ranges is refused', async (t) => {
  for (const spans of [[{ offset: -1, length: 1 }], [{ offset: 0, length: 0 }], [{ offset: 5, length: 5 }, { offset: 9, length: 1 }], [{ offset: Number.MAX_SAFE_INTEGER, length: 1 }], [{ offset: 0.5, length: 1 }]]) {
    t.throws(() => new RangeSet(spans), RangeError);
  }
  const set = new RangeSet([{ offset: 0, length: 10 }]);
  t.equal(set.remove(0, 0), false);
  t.equal(set.remove(0, 11), false);
  t.equal(set.remove(0, -1), false);
  t.equal(set.bytes, 10);
});

t.test('two hundred thousand pieces go in random order', async (t) => {
  const count = 200_000;
  const set = new RangeSet([{ offset: 0, length: count }]);
  // 7919 is a prime, so every offset comes once.
  for (let step = 0, at = 0; step < count; step += 1, at = (at + 7919) % count) if (!set.remove(at, 1)) return void t.fail(`${at} was not there`);
  t.equal(set.bytes, 0);
});
