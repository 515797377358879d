/** The comparison in the background: it finds what the stream did not tell of, and nothing else. */
import t from 'tap';
import { exactKernel } from '../../agent/exact-kernel.js';
import { RecordKind } from '../../native/capture/record.js';
import { systemClock } from '../../native/host/clock.js';
import { ExactBench, volume } from './exact-bench.js';
import { exactSkip } from './exact-world.js';
import { makeFileSystem } from './file-systems.js';
import { lossyNames, lossyStream, type Loss } from './lossy-kernel.js';
import { compileWorkload, workloadSeed } from './workload/workload.js';

t.setTimeout(300_000);
const skip = await exactSkip('ext4');
const cause = 'a comparison found what capture had overlooked';
const always = { intervalMs: 0, rest: 0, confirmMs: 100 };

const losses: readonly (readonly [label: string, script: string, drops: Loss['drops']])[] = [
  ['content', 'dd if=/dev/urandom of=file bs=4096 count=3 seek=5 conv=notrunc status=none', ({ kind }) => kind === RecordKind.write],
  ['content of a hole', 'dd if=/dev/urandom of=sparse bs=4096 count=1 seek=50 conv=notrunc status=none', ({ kind }) => kind === RecordKind.write],
  ['a cut', 'truncate -s 3000 file', ({ kind }) => kind === RecordKind.truncate],
  ['zeroes', 'fallocate -p -o 8192 -l 8192 file', ({ kind }) => kind === RecordKind.allocate],
  ['a new name', 'mkdir -p new/e; ln file new/f', ({ kind }) => kind === RecordKind.names],
  ['a name that is gone', 'rm d/x; rmdir d', ({ kind }) => kind === RecordKind.names],
];

t.test('what the stream left out is found, on record as a gap since the last comparison, and healed', { skip }, async (t) => {
  const loss: Loss = { drops: () => false };
  const kernel = exactKernel({ ringBytes: 8 * 1024 * 1024, stateDirectory: '/', keepSeconds: 0 });
  const bench = new ExactBench(t, { comparison: always, kernel: { openStream: () => lossyStream(kernel.openStream(), loss), openNames: () => lossyNames(kernel.openNames(), loss) } });
  await bench.open();
  await bench.untilExact();
  await bench.shell('head -c 100000 /dev/urandom > file; truncate -s 1000000 sparse; mkdir d; echo x > d/x');
  t.strictSame(await bench.differences(), []);
  for (const [label, script, drops] of losses) {
    const before = bench.source!.status(volume)!.comparison!.differences;
    // A whole pass: the loss lies after it.
    const since = systemClock.wallNs();
    while ((bench.source!.status(volume)!.comparison!.endedNs ?? 0n) < since) await systemClock.sleep(10);
    loss.drops = drops;
    // Names are left out together with their records.
    loss.names = label.includes('name') ? () => [] : undefined;
    await bench.shell(script);
    await bench.source!.flush();
    while (bench.source!.status(volume)!.comparison!.differences === before) await systemClock.sleep(10);
    loss.drops = () => false;
    loss.names = undefined;
    while (bench.source!.status(volume)!.label !== 'exact') await systemClock.sleep(10);
    t.strictSame(await bench.differences(), [], label);
    const gap = bench.sink.changes.map(({ body }) => body).filter((body) => body.kind === 'gap' && body.edge === 'open').at(-1);
    t.match(gap, { cause, label: 'converging' }, `${label}: the gap is on record`);
  }
  await bench.close();
});

for (const kind of ['ext4', 'btrfs'] as const) {
  t.test(`a comparison that never rests finds nothing while all is captured: ${kind}`, { skip: skip || (await exactSkip(kind)) }, async (t) => {
    const { workload, reason } = await compileWorkload();
    if (workload === undefined) return void t.fail(reason);
    await using fileSystem = await makeFileSystem(kind, { sizeBytes: 2 * 1024 ** 3 });
    const bench = new ExactBench(t, { place: fileSystem.path, comparison: always });
    await bench.open();
    await bench.untilExact();
    const report = await workload.run(bench.root, { seed: workloadSeed(t), operations: 1500, processes: 3, threads: 2, outside: bench.outside });
    t.equal(report.unexpected, 0);
    await bench.source!.flush();
    const since = systemClock.wallNs();
    while ((bench.source!.status(volume)!.comparison!.endedNs ?? 0n) < since) await systemClock.sleep(10);
    t.equal(bench.source!.status(volume)!.comparison!.differences, 0);
    t.strictSame(bench.warnings.filter((warning) => warning.includes(cause)), []);
    await bench.close();
  });
}
