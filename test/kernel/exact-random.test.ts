/** Random operations of several processes and threads on each file system: afterwards the replica is what the source is. */
import t from 'tap';
import { assertSame, exactSkip, gapCauses, openExactWorld } from './exact-world.js';
import { fileSystemKinds } from './file-systems.js';
import { compileWorkload, workloadSeed } from './workload/workload.js';

t.setTimeout(900_000);

/** Over all file systems 10,000 operations at least. */
const operationsEach = 2600;

for (const kind of fileSystemKinds) {
  const skip = await exactSkip(kind);
  t.test(`random operations on ${kind}`, { skip }, async (t) => {
    const { workload, reason } = await compileWorkload();
    if (workload === undefined) return void t.fail(reason);
    await using exact = await openExactWorld(kind);
    const seed = workloadSeed(t);
    for (const [processes, threads, operations] of [[1, 1, operationsEach / 2], [3, 2, operationsEach / 2]] as const) {
      const report = await workload.run(exact.source, { seed, operations, processes, threads, outside: exact.outside });
      t.equal(report.unexpected, 0);
      await assertSame(t, exact, `the same after ${operations} operations of ${processes} processes with ${threads} threads`);
    }
    t.comment((await gapCauses(exact.world)).join('\n'));
  });
}
