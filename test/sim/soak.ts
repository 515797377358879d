/** Runs simulated worlds until time is up: `node dist/test/sim/soak.js [minutes]`. */
import { randomInt } from 'node:crypto';
import { simulate } from './simulate.js';

const minutes = Number(process.argv[2] ?? 10);
const first = process.env['AFTERIMAGE_SEED'] === undefined ? randomInt(2 ** 31) : Number(process.env['AFTERIMAGE_SEED']);
const until = performance.now() + minutes * 60_000;
let seed = first;
let events = 0;
for (; performance.now() < until; seed += 1) {
  const { outcome, failure } = await simulate(seed);
  if (failure !== undefined) {
    console.error(failure);
    process.exitCode = 1;
    break;
  }
  events += outcome!.events;
}
console.log(`${seed - first} worlds from seed ${first}, ${events} events`);
