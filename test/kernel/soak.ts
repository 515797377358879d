/**
 * Random operations on exactly captured volumes for as long as is asked for: file systems, rings and
 * disturbances by chance. Stops at the first difference, says how to replay its round, and leaves it all there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { liveVolume } from '../end-to-end/world.js';
import { exactSkip, gapCauses, openExactWorld, untilExact } from './exact-world.js';
import { fileSystemKinds } from './file-systems.js';
import { compareTrees } from './tree-compare.js';
import { compileWorkload } from './workload/workload.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const endMs = performance.now() + Number(values.minutes) * 60_000;
const { workload, reason } = await compileWorkload();
if (workload === undefined) throw new Error(reason);

/** Numbers from 0 to below 1 that one seed determines (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function round(seed: number): Promise<boolean> {
  const next = numbersFrom(seed);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)]!;
  const kind = pick(fileSystemKinds);
  const skip = await exactSkip(kind);
  if (skip !== false) throw new Error(skip);
  const ring = pick(['1MiB', '64MiB', '64MiB', '256MiB']);
  const [processes, threads, operations, kills] = [pick([1, 2, 4]), pick([1, 1, 3]), pick([1000, 3000, 8000]), pick([0, 0, 1, 3])];
  const what = `seed ${seed}: ${kind}, ring ${ring}, ${operations} operations of ${processes} processes with ${threads} threads, ${kills} kills`;
  const exact = await openExactWorld(kind, { agentArguments: ['--ring-bytes', ring, '--log-level', 'error'] });
  const { world, source, outside } = exact;
  const running = workload!.start(source, { seed, operations, processes, threads, outside });
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(100 + 400 * next());
    await world.agent.daemon.kill();
    await world.agent.start('--ring-bytes', ring, '--log-level', 'error');
  }
  const report = await running.report;
  await world.agent.command('flush');
  await untilExact(world);
  const { replica } = await liveVolume(world.receiver, 'data');
  const differing = await compareTrees({ source, copy: replica });
  if (differing.length === 0 && report.unexpected === 0) {
    process.stdout.write(`same  ${what}; gaps: ${(await gapCauses(world)).join('; ') || 'none'}\n`);
    await exact[Symbol.asyncDispose]();
    return true;
  }
  process.stdout.write(`DIFFERS  ${what}\n${differing.join('\n')}\nsource ${source}\nreplica ${replica}\nagain: npm run soak:exact -- --minutes 0 --seed ${seed}\n`);
  return false;
}

let seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
do {
  if (!(await round(seed))) {
    process.stdout.write('everything is left as it is; end this program to remove it\n');
    process.exitCode = 1;
    await sleep(2 ** 31 - 1);
  }
  seed = (seed + 1) % 2 ** 31;
} while (performance.now() < endMs);
