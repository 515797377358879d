/** An agent that is stopped and started again: capture goes on in the kernel meanwhile, and nothing is missed or compared. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { exactStateDirectory, pinDirectory } from '../../agent/exact-kernel.js';
import { systemClock } from '../../native/host/clock.js';
import { agentMain, run } from '../end-to-end/programs.js';
import type { GapRow } from '../end-to-end/world.js';
import { assertSame, exactSkip, openExactWorld, restoredExactly, untilExact, type ExactWorld } from './exact-world.js';
import { fileSystemKinds } from './file-systems.js';
import { compileWorkload, workloadSeed } from './workload/workload.js';

t.setTimeout(900_000);

/** AFTERIMAGE_RESTARTS=everywhere does all of it on all file systems. */
const everywhere = process.env['AFTERIMAGE_RESTARTS'] === 'everywhere';
const keep = ['--keep-capturing', '5m'];

function pinsOf({ world: { agent } }: ExactWorld): string {
  return pinDirectory(exactStateDirectory(agent.state));
}

async function unknownGaps({ world: { receiver } }: ExactWorld): Promise<GapRow[]> {
  return (await receiver.json<GapRow[]>('gaps', '--volume', 'data')).filter((gap) => gap.label === 'unknown');
}

/** Ends what the last agent left, so that the test leaves nothing in the kernel. */
async function unpin(exact: ExactWorld): Promise<void> {
  await exact.world.agent.daemon.stop();
  await run(agentMain, ['uninstall', '--unpin', '--state', exact.world.agent.state]);
}

for (const kind of fileSystemKinds) {
  t.test(`stopped and started again on ${kind}: instants in between are exact`, { skip: await exactSkip(kind) }, async (t) => {
    const { workload, reason } = await compileWorkload();
    if (workload === undefined) return void t.fail(reason);
    await using exact = await openExactWorld(kind, { agentArguments: keep });
    const { world, source, outside } = exact;
    const { agent, work } = world;
    const seed = workloadSeed(t);
    try {
      await mkdir(join(source, 'kept'));
      await writeFile(join(source, 'kept', 'file'), 'before');
      await agent.command('flush');
      await untilExact(world);
      t.equal(await agent.daemon.stop(), 0);
      t.ok(existsSync(pinsOf(exact)), 'capture goes on in the kernel');
      await appendFile(join(source, 'kept', 'file'), ' and while it was away');
      await rename(join(source, 'kept', 'file'), join(source, 'kept', 'renamed'));
      await writeFile(join(source, 'kept', 'new'), 'made meanwhile');
      await systemClock.sleep(20);
      const at = new Date().toISOString();
      await systemClock.sleep(20);
      await writeFile(join(source, 'kept', 'renamed'), 'later');
      await rm(join(source, 'kept', 'new'));
      await agent.start(...keep);
      await assertSame(t, exact, 'the same after a stop');
      t.notOk(existsSync(pinsOf(exact)), 'the next agent took it over');
      const target = work.path('between');
      if (await restoredExactly(world, { volume: 'data', at, to: target })) {
        t.equal(await readFile(join(target, 'kept', 'renamed'), 'utf8'), 'before and while it was away');
        t.equal(await readFile(join(target, 'kept', 'new'), 'utf8'), 'made meanwhile');
      } else t.fail(`${at} is not exact: ${JSON.stringify(await world.receiver.json('gaps', '--volume', 'data'))}`);

      if (kind !== 'ext4' && !everywhere) return;
      t.equal(await agent.daemon.stop(), 0);
      await workload.run(source, { seed, operations: 1000, processes: 2, threads: 2, outside });
      await agent.start(...keep);
      await assertSame(t, exact, 'the same after random operations while it was away');
      const running = workload.start(source, { seed: seed + 2, operations: 2000, processes: 2, outside });
      for (let restart = 0; restart < 2; restart += 1) {
        await systemClock.sleep(300);
        t.equal(await agent.daemon.stop(), 0, agent.daemon.log.slice(-600));
        await agent.start(...keep);
      }
      await running.report;
      await assertSame(t, exact, 'the same after it was stopped under load');
      t.same(await unknownGaps(exact), [], 'no time is unknown');
    } finally {
      await unpin(exact);
    }
  });
}

t.test('what cannot go on is compared', { skip: await exactSkip('ext4') }, async (t) => {
  const { workload, reason } = await compileWorkload();
  if (workload === undefined) return void t.fail(reason);
  await using exact = await openExactWorld('ext4', { agentArguments: keep });
  const { world: { agent }, source, outside } = exact;
  const seed = workloadSeed(t);
  try {
    await workload.run(source, { seed, operations: 300, outside, settle: true });
    t.equal(await agent.daemon.stop(), 0);
    await run(agentMain, ['uninstall', '--unpin', '--state', agent.state]);
    t.notOk(existsSync(pinsOf(exact)), 'nothing is left in the kernel');
    await workload.run(source, { seed: seed + 1, operations: 300, outside, settle: true });
    await agent.start(...keep);
    await untilExact(exact.world);
    await assertSame(t, exact, 'the same after what was kept had been removed');
    t.equal((await unknownGaps(exact)).length, 1, 'the time is unknown');

    t.equal(await agent.daemon.stop(), 0);
    await agent.start('--ring-bytes', '1MiB', ...keep);
    await untilExact(exact.world);
    t.equal((await unknownGaps(exact)).length, 2, 'a ring of another size is not taken over');
    t.notOk(existsSync(pinsOf(exact)));

    t.equal(await agent.daemon.stop(), 0);
    await workload.overload(source, { seconds: 2, seed });
    await agent.start('--ring-bytes', '1MiB', ...keep);
    await assertSame(t, exact, 'the same after the ring overflowed meanwhile');
    await untilExact(exact.world);
    t.equal((await unknownGaps(exact)).length, 2, 'what was lost is known');

    const running = workload.start(source, { seed: seed + 2, operations: 2000, processes: 2, outside });
    for (let kill = 0; kill < 2; kill += 1) {
      await systemClock.sleep(300);
      await agent.daemon.kill();
      await agent.start('--ring-bytes', '1MiB', ...keep);
    }
    await running.report;
    await untilExact(exact.world);
    await assertSame(t, exact, 'the same after it was killed');
  } finally {
    await unpin(exact);
  }
});
