/** Random operations of several processes and threads on each file system: afterwards the replica is what the source is. */
import t from 'tap';
import { assertRestoredSame, assertSame, exactSkip, gapCauses, openExactWorld } from './exact-world.js';
import { fileSystemKinds } from './file-systems.js';
import { compileWorkload, workloadSeed } from './workload/workload.js';

t.setTimeout(900_000);

/** Over all file systems 10,000 operations at least. */
const operationsEach = 2600;

for (const kind of fileSystemKinds) {
  const skip = await exactSkip(kind);
  t.test(`random operations on ${kind}`, { skip }, async (t) => {
    const [{ workload, reason }, { workload: workload32, reason: reason32 }] = [await compileWorkload(), await compileWorkload({ bits: 32 })];
    if (workload === undefined || workload32 === undefined) return void t.fail(reason ?? reason32 ?? 'no workload');
    await using exact = await openExactWorld(kind);
    const seed = workloadSeed(t);
    for (const [bits, processes, threads, operations] of [[64, 1, 1, operationsEach / 2], [64, 3, 2, operationsEach / 2], [32, 2, 2, operationsEach / 4]] as const) {
      const report = await (bits === 32 ? workload32 : workload).run(exact.source, { seed, operations, processes, threads, outside: exact.outside });
      t.equal(report.unexpected, 0);
      await assertSame(t, exact, `the same after ${operations} operations of ${processes} processes of ${bits} bits with ${threads} threads`);
    }
    await assertRestoredSame(t, exact, 'a restore of it is the same, inode flags included');
    t.comment((await gapCauses(exact.world)).join('\n'));
  });
}
