/** Rows kept in memory against a table with savepoints: after any kept, dropped and written batches both say the same. */
import t from 'tap';
import { RowCache } from '../../../agent/capture/tree/row-cache.js';
import { seededRandom, seedFromEnvironment } from './seeded.js';

const { fraction } = seededRandom(seedFromEnvironment(t));
const random = (below: number): number => Math.floor(fraction() * below);
const [nodes, parts, rounds] = [4, 4, 20_000];

t.test('what a cache shows is what was kept', async (t) => {
  let table = new Map<string, number[]>();
  let savepoint = new Map<string, number[]>();
  let model = new Map<string, number>();
  let keptModel = new Map<string, number>();
  const cache = new RowCache<number[]>({
    read: (volume, node, part) => table.get(`${volume}/${node}/${part}`)?.slice(),
    write: (volume, node, part, row) => void table.set(`${volume}/${node}/${part}`, row.slice()),
    copy: (row) => row.slice(),
    rowsMax: 6,
  });
  for (let round = 0; round < rounds; round += 1) {
    const [volume, node, part] = [1 + random(2), random(nodes), random(parts)];
    const key = `${volume}/${node}/${part}`;
    switch (random(12)) {
      case 0: case 1: case 2: {
        const row = cache.alter(volume, node, part);
        if ((row !== undefined) !== model.has(key)) return t.fail(`round ${round}: ${key} is ${row}`);
        if (row !== undefined) model.set(key, (row[0] = round));
        break;
      }
      case 3: case 4:
        cache.set(volume, node, part, [round]);
        model.set(key, round);
        break;
      case 5:
        cache.writeBack();
        break;
      case 6:
        // As SQL changes a row by itself.
        cache.release(volume, node, part);
        if (model.has(key)) {
          table.set(key, [round]);
          model.set(key, round);
        }
        break;
      case 7:
        cache.forgetParts(volume, node, part);
        for (let each = part; each < parts; each += 1) {
          table.delete(`${volume}/${node}/${each}`);
          model.delete(`${volume}/${node}/${each}`);
        }
        break;
      case 8:
        cache.forget();
        break;
      case 9: case 10:
        cache.keep();
        savepoint = new Map([...table].map(([at, row]) => [at, row.slice()]));
        keptModel = new Map(model);
        break;
      default:
        cache.drop();
        table = new Map([...savepoint].map(([at, row]) => [at, row.slice()]));
        model = new Map(keptModel);
    }
    for (let each = 0; each < 2 * nodes * parts; each += 1) {
      const [v, n, p] = [1 + (each % 2), (each >> 1) % nodes, Math.floor(each / 2 / nodes)];
      if (random(3) > 0) continue;
      const [shown, wanted] = [cache.get(v, n, p)?.[0], model.get(`${v}/${n}/${p}`)];
      if (shown !== wanted) return t.fail(`round ${round}: ${v}/${n}/${p} is ${shown} and not ${wanted}`);
    }
  }
  cache.writeBack();
  t.same([...table].map(([at, [value]]) => [at, value]).sort(), [...model].sort(), 'and written back, the table says it too');
});
