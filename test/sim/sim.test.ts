/** Hundreds of worlds, each from a seed: nothing acknowledged is lost, nothing is doubled, and the replica is always a prefix. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { plannedFaults } from './faults.js';
import { simulate } from './simulate.js';

const worlds = 320;
/** On a busy machine the rest is left to the next run, which begins with another seed. */
const budgetMs = 55_000;
const given = process.env['AFTERIMAGE_SEED'];

if (given !== undefined) {
  t.test(`the world of seed ${given} keeps every promise`, async (t) => {
    const { outcome, failure } = await simulate(Number(given));
    if (failure !== undefined) t.fail(failure);
    else t.comment(`${outcome!.events} events, ${outcome!.changes} changes, ${Math.round(outcome!.virtualMs)} ms of its time`);
    t.end();
  });
} else {
  const first = randomInt(2 ** 31);
  t.comment(`AFTERIMAGE_SEED=${first} and the ones after it`);

  t.test('one seed gives one course of events', async (t) => {
    for (const seed of [first, first + 1, first + 2]) {
      const one = await simulate(seed);
      const other = await simulate(seed);
      t.equal(other.outcome?.traceHash, one.outcome?.traceHash, `seed ${seed}`);
      t.equal(other.outcome?.events, one.outcome?.events, `seed ${seed}`);
    }
    t.end();
  });

  t.test('whatever fails, every promise is kept', { timeout: 240_000 }, async (t) => {
    const fired = new Map<string, number>();
    const until = performance.now() + budgetMs;
    let seed = first;
    let events = 0;
    let changes = 0;
    const missing = (): string[] => plannedFaults.filter((fault) => !fired.has(fault));
    for (; (seed < first + worlds && performance.now() < until) || (missing().length > 0 && performance.now() < until + budgetMs); seed += 1) {
      const { outcome, failure, fired: firedHere } = await simulate(seed);
      for (const [fault, count] of firedHere) fired.set(fault, (fired.get(fault) ?? 0) + count);
      if (failure !== undefined) {
        t.fail(failure);
        break;
      }
      events += outcome!.events;
      changes += outcome!.changes;
    }
    t.comment(`${seed - first} worlds from seed ${first}: ${changes} changes, ${events} events`);
    for (const [fault, count] of [...fired].sort()) t.comment(`${fault}: ${count}`);
    // A fault that never happened was not survived either.
    t.same(missing(), [], 'every planned fault happened');
    t.end();
  });
}
