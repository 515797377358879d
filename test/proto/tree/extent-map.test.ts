/** The extent map against the plainest model there is: an array that says for each byte where it came from. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { asSequence } from '../../../proto/change.js';
import { ExtentMap, FrameTable } from '../../../proto/tree/extent-map.js';

const size = 4000;

/** For each byte: 0 a hole, -1 allocated zero, else 1 + frame * 1e6 + offset in its payload. */
type Model = Float64Array;

function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function read(map: ExtentMap, range?: { offset: number; length: number }): Model {
  const bytes = new Float64Array(size);
  let end = 0;
  for (const { offset, length, source } of map.slice(range)) {
    if (offset < end || length <= 0) throw new Error(`extent at ${offset}, ${length} bytes, after one that ends at ${end}`);
    end = offset + length;
    for (let at = 0; at < length; at += 1) bytes[offset + at] = source === 'zero' ? -1 : 1 + Number(source.frame.segment) * 1e6 + source.payloadOffset + at;
  }
  return bytes;
}

function tableOf(count: number): FrameTable {
  const frames = new FrameTable();
  for (let frame = 0; frame < count; frame += 1) frames.add({ segment: asSequence(BigInt(frame)), offset: 0, length: 1 });
  return frames;
}

t.test('random operations give what a byte array gives', async (t) => {
  const seed = Number(process.env['AFTERIMAGE_SEED'] ?? randomInt(2 ** 31));
  t.comment(`AFTERIMAGE_SEED=${seed}`);
  const dice = seeded(seed);
  const frames = tableOf(50);
  for (let round = 0; round < 20; round += 1) {
    const maps = [new ExtentMap(frames), new ExtentMap(frames)] as const;
    const models: readonly [Model, Model] = [new Float64Array(size), new Float64Array(size)];
    // Short extents make chunks split, long ones make them go.
    const lengthMax = [3, 30, 1000][dice(3)]!;
    for (let step = 0; step < 1500; step += 1) {
      const which = dice(2);
      const [map, model] = [maps[which]!, models[which]!];
      const offset = dice(3) === 0 ? Math.min(size - 1, map.end) : dice(size);
      const length = Math.min(1 + dice(dice(10) === 0 ? size : lengthMax), size - offset);
      switch (dice(10)) {
        case 0:
          map.punch({ offset, length });
          model.fill(0, offset, offset + length);
          break;
        case 1:
          map.zero({ offset, length });
          model.fill(-1, offset, offset + length);
          break;
        case 2:
          if (dice(10) > 0) break;
          map.truncate(offset);
          model.fill(0, offset);
          break;
        case 3: {
          const from = dice(2);
          const sourceOffset = dice(size - length + 1);
          const taken = models[from]!.slice(sourceOffset, sourceOffset + length);
          map.cloneFrom(maps[from]!, { offset, length, sourceOffset });
          model.set(taken, offset);
          break;
        }
        default: {
          const frame = dice(50);
          const payloadOffset = dice(5000);
          map.write({ offset, length }, { frame, payloadOffset });
          for (let at = 0; at < length; at += 1) model[offset + at] = 1 + frame * 1e6 + payloadOffset + at;
        }
      }
      if (step % 50 > 0) continue;
      for (const [index, one] of maps.entries()) {
        if (!Buffer.from(read(one).buffer).equals(Buffer.from(models[index]!.buffer))) return void t.fail(`seed ${seed}, round ${round}, step ${step}: content differs`);
        const covered = models[index]!.filter((value) => value !== 0).length;
        if (one.bytes !== covered) return void t.fail(`seed ${seed}, round ${round}, step ${step}: ${one.bytes} bytes instead of ${covered}`);
        const ranges = new Uint8Array(size);
        let end = -1;
        for (const range of one.dataRanges()) {
          if (range.offset <= end) return void t.fail(`seed ${seed}, round ${round}, step ${step}: data ranges touch or overlap`);
          end = range.offset + range.length;
          ranges.fill(1, range.offset, end);
        }
        if (!models[index]!.every((value, at) => (value !== 0 ? 1 : 0) === ranges[at])) return void t.fail(`seed ${seed}, round ${round}, step ${step}: data ranges differ`);
        if (one.extentCount !== [...one.slice()].length) return void t.fail(`seed ${seed}, round ${round}, step ${step}: extents are miscounted`);
      }
    }
    const window = { offset: dice(size), length: dice(500) };
    const [map, model] = [maps[0], models[0].slice()];
    model.fill(0, 0, window.offset);
    model.fill(0, Math.min(size, window.offset + window.length));
    t.ok(Buffer.from(read(map, window).buffer).equals(Buffer.from(model.buffer)), 'a slice is cut to its range');
  }
});

t.test('appended writes that continue each other stay one extent', async (t) => {
  const map = new ExtentMap(tableOf(2));
  map.write({ offset: 0, length: 10 }, { frame: 0, payloadOffset: 5 });
  map.write({ offset: 10, length: 10 }, { frame: 0, payloadOffset: 15 });
  map.write({ offset: 20, length: 10 }, { frame: 1, payloadOffset: 25 });
  map.zero({ offset: 30, length: 5 });
  map.zero({ offset: 35, length: 5 });
  t.equal(map.extentCount, 3);
  t.strictSame([...map.dataRanges()], [{ offset: 0, length: 40 }]);
  t.equal(map.end, 40);
});

t.test('nothing happens for empty ranges', async (t) => {
  const map = new ExtentMap(tableOf(1));
  map.write({ offset: 5, length: 0 }, { frame: 0, payloadOffset: 0 });
  map.zero({ offset: 5, length: 0 });
  map.punch({ offset: 0, length: 0 });
  map.truncate(0);
  t.equal(map.extentCount, 0);
  t.strictSame([...map.slice()], []);
  map.write({ offset: 0, length: 10 }, { frame: 0, payloadOffset: 0 });
  t.strictSame([...map.slice({ offset: 5, length: 0 })], [], 'within an extent too');
  map.cloneFrom(map, { offset: 20, length: 0, sourceOffset: 5 });
  t.equal(map.extentCount, 1);
});

t.test('a quarter of a million random small writes stay as many extents', async (t) => {
  const dice = seeded(1);
  const map = new ExtentMap(tableOf(1000));
  for (let step = 0; step < 250_000; step += 1) map.write({ offset: dice(2 ** 31) * 512, length: 512 }, { frame: step >> 8, payloadOffset: step & 255 });
  t.ok(map.extentCount > 240_000);
});
