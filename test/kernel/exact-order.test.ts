/** A program that writes to one file only after another: no instant shows the second ahead of the first. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../native/host/clock.js';
import { liveVolume } from '../end-to-end/world.js';
import { exactSkip, openExactWorld, restoredExactly, untilExact } from './exact-world.js';
import { compileWorkload, recordsIn } from './workload/workload.js';

t.setTimeout(600_000);
const skip = await exactSkip('ext4');
/** AFTERIMAGE_INSTANTS=200 looks at more of them. */
const instants = Number(process.env['AFTERIMAGE_INSTANTS'] ?? 6);
const records = 3000;

async function recordsAt(path: string): Promise<number> {
  try {
    return recordsIn(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

for (const pipe of [false, true]) {
  t.test(pipe ? 'two processes with a pipe between them, in two volumes' : 'one process, two directories', { skip }, async (t) => {
    const { workload, reason } = await compileWorkload();
    if (workload === undefined) return void t.fail(reason);
    await using exact = await openExactWorld('ext4', { agentArguments: ['--ring-bytes', '256MiB'] });
    const { world, source, outside } = exact;
    const { agent, receiver, work } = world;
    await mkdir(join(source, 'a'));
    const second = pipe ? outside : join(source, 'b');
    if (pipe) {
      await agent.command('protect', outside, '--name', 'other', '--engine', 'exact');
      await untilExact(world, 'other');
    } else await mkdir(second);
    const other = pipe ? 'other' : 'data';
    const startedNs = systemClock.wallNs();
    const run = workload.causal({ first: join(source, 'a', 'first'), second: join(second, 'second'), count: records, pipe });
    t.equal((await run).records, records);
    const endedNs = systemClock.wallNs();
    await agent.command('flush');
    const seen: number[] = [];
    for (let instant = 0; instant < instants; instant += 1) {
      const timeNs = startedNs + ((endedNs - startedNs) * BigInt(instant)) / BigInt(instants - 1);
      const at = new Date(Number(timeNs / 1_000_000n)).toISOString();
      const [one, two] = [work.path(`one-${instant}`), work.path(`two-${instant}`)];
      if (!(await restoredExactly(world, { volume: 'data', at, to: one }))) continue;
      if (pipe && !(await restoredExactly(world, { volume: other, at, to: two }))) continue;
      const [first, then] = [await recordsAt(join(one, 'a', 'first')), await recordsAt(join(pipe ? two : join(one, 'b'), 'second'))];
      if (then > first || first > then + 1) t.fail(`at ${at} there are ${first} records, then ${then}`);
      seen.push(first);
    }
    t.same(seen, [...seen].sort((a, b) => a - b), 'later instants never show less');
    t.ok(seen.some((count) => count > 0 && count < records), `instants lie within the run: ${seen.join(' ')}`);
    const { replica } = await liveVolume(receiver, 'data');
    t.equal(await recordsAt(join(replica, 'a', 'first')), records);
  });
}
