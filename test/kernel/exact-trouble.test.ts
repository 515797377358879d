/** The exact engine where it cannot be exact: a small ring, downtime, mappings. Gaps are on record, and it heals. */
import t from 'tap';
import { assertSame, exactSkip, gapCauses, openExactWorld, untilExact } from './exact-world.js';
import { compileWorkload, workloadSeed } from './workload/workload.js';

t.setTimeout(900_000);
const skip = await exactSkip('ext4');

t.test('a ring that is too small overflows, says so, and what it lost is read back', { skip }, async (t) => {
  const { workload, reason } = await compileWorkload();
  if (workload === undefined) return void t.fail(reason);
  await using exact = await openExactWorld('ext4', { agentArguments: ['--ring-bytes', '1MiB'] });
  await workload.overload(exact.source, { seconds: 3, processes: 2, seed: workloadSeed(t) });
  await assertSame(t, exact, 'the same after an overload');
  t.match((await gapCauses(exact.world)).join('\n'), /ring/, 'the gap is on record');
  await untilExact(exact.world);
  await workload.run(exact.source, { seed: 7, operations: 500, processes: 2, outside: exact.outside });
  await assertSame(t, exact, 'the same after random operations');
});

t.test('what changed while the agent was away is found, and the time is marked as unknown', { skip }, async (t) => {
  const { workload, reason } = await compileWorkload();
  if (workload === undefined) return void t.fail(reason);
  await using exact = await openExactWorld('ext4');
  const { source, outside, world: { agent } } = exact;
  const seed = workloadSeed(t);
  await workload.run(source, { seed, operations: 300, outside });
  t.equal(await agent.daemon.stop(), 0);
  await workload.run(source, { seed: seed + 1, operations: 300, outside });
  await agent.start();
  await untilExact(exact.world);
  await assertSame(t, exact, 'the same after a clean stop');
  t.match((await gapCauses(exact.world)).join('\n'), /not running/);
  const running = workload.start(source, { seed: seed + 2, operations: 2000, processes: 2, outside });
  for (let kill = 0; kill < 5; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await agent.daemon.kill();
    await agent.start();
  }
  await running.report;
  await untilExact(exact.world);
  await assertSame(t, exact, 'the same after it was killed five times under load');
});
