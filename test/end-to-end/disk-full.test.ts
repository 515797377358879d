/** Full disks, at the receiver and under the agent's state: applications notice nothing, people are told, and it heals by itself. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Ballast, mountObstacle, mountSmall } from './mounts.js';
import { AgentProgram, ReceiverProgram, receiverMain, run } from './programs.js';
import { assertConverged, eventually, hostName, protect, Workplace, type GapRow, type World } from './world.js';

const mebibyte = 1024 * 1024;
const scanEvery = ['--scan-interval', '5s'];

/** Applications: each file written must be written without an error. */
async function writeFiles(t: Test, directory: string, label: string, count: number): Promise<void> {
  let written = 0;
  for (; written < count; written += 1) await writeFile(join(directory, `${label} ${written}`), randomBytes(mebibyte));
  t.equal(written, count, `${label}: applications write as ever`);
}

async function worldOn(work: Workplace): Promise<World> {
  const source = await work.makeDirectory('source');
  const receiver = await ReceiverProgram.init(work.path('receiver', 'data'));
  work.onEnd(() => receiver[Symbol.asyncDispose]());
  await receiver.start();
  const agent = await AgentProgram.enroll(work.path('agent', 'state'), receiver, hostName);
  work.onEnd(() => agent[Symbol.asyncDispose]());
  await agent.start(...scanEvery);
  return { work, source, receiver, agent, [Symbol.asyncDispose]: () => Promise.resolve() };
}

if (mountObstacle !== undefined) t.comment(`small disks cannot be made: ${mountObstacle}`);
t.test('the receiver\'s disk is full: the agent spools, people are told, and with space it goes on by itself', { skip: mountObstacle ?? false }, async (t) => {
  await using work = await Workplace.make('disk-full');
  const disk = await work.makeDirectory('receiver');
  await mountSmall(work, disk, 48);
  const ballast = new Ballast(disk);
  await ballast.load(36 * mebibyte);
  const world = await worldOn(work);
  const { source, receiver, agent } = world;
  await writeFiles(t, source, 'before', 1);
  await protect(agent, source, 'data');
  await assertConverged(t, world);

  await writeFiles(t, source, 'while the disk fills', 15);
  const full = await agent.until('told of the full disk', ({ receiver: { state }, journal }) => state === 'disk-full' && journal.spoolBytes > 4 * mebibyte);
  // By the space that is kept free, or by a write that others were faster than.
  t.match(full.receiver.message, /the receiver's disk is full: (\d+ bytes are free|.*ENOSPC)/);
  t.match(await agent.command('status'), /receiver says: the receiver's disk is full/, 'the agent\'s status says so');
  await eventually('told by the receiver', () => run(receiverMain, ['lag', '--data', receiver.data]), ({ stdout }) => /disk-full.*/.test(stdout));
  t.match(receiver.daemon.log, /disk is full/, 'the receiver\'s log says so');

  t.equal(await receiver.daemon.stop(), 0, 'a receiver with a full disk stops cleanly');
  await receiver.start();
  t.pass('and starts again');
  await writeFile(join(source, 'while it is full'), 'small');
  await agent.until('told again', ({ receiver: { state } }) => state === 'disk-full');

  await ballast.drop();
  await agent.until('durable', ({ receiver: { state }, journal }) => state === 'ok' && journal.captured === journal.durable);
  await assertConverged(t, world);
  await receiver.command('verify');
  const gaps = await receiver.json<GapRow[]>('gaps', '--volume', 'data');
  t.same(gaps.filter((gap) => gap.to === '' || gap.label === 'unknown'), [], 'nothing was missed');
  t.equal(await agent.daemon.stop(), 0);
  t.equal(await receiver.daemon.stop(), 0);
});

for (const [label, share] of [['fills with the spool', 'spool'], ['is filled by others to the last byte', 'others']] as const) {
  t.test(`the disk of the agent's state ${label}: applications write on, the gap is on record, and it heals`, { skip: mountObstacle ?? false }, async (t) => {
    await using work = await Workplace.make('disk-full');
    const disk = await work.makeDirectory('agent');
    await mountSmall(work, disk, 24);
    const ballast = new Ballast(disk);
    const world = await worldOn(work);
    const { source, receiver, agent } = world;
    await writeFiles(t, source, 'before', 2);
    await protect(agent, source, 'data');
    await assertConverged(t, world);

    t.equal(await receiver.daemon.stop(), 0);
    if (share === 'others') {
      // Once the agent has come to rest, and for longer than an idle one writes nothing.
      await sleep(3000);
      for (let left = 6; left > 0; left -= 1) {
        await ballast.load();
        await sleep(2000);
      }
      t.not((await agent.status()).volumes[0]?.phase, 'failed', 'an idle agent outlives a full disk');
    }
    await writeFiles(t, source, 'while the disk fills', 40);
    const full = await agent.until('out of space', ({ journal }) => journal.state === 'disk-full');
    t.match(full.journal.message, /disk.*(bytes left|full)|no space/i);
    t.match(await agent.command('status'), /disk-full: /, 'the status says so');
    const during = new Date().toISOString();
    await writeFiles(t, source, 'while it is full', 2);
    t.ok(agent.daemon.running, 'the agent lives');

    await ballast.drop();
    await receiver.start();
    await agent.until('healed', ({ journal, volumes, connection }) => connection.state === 'connected' && journal.state === 'ok' && volumes[0]?.phase === 'watching' && journal.captured === journal.durable);
    await assertConverged(t, world);
    const gaps = await receiver.json<GapRow[]>('gaps', '--volume', 'data');
    t.ok(gaps.some((gap) => gap.from < during && gap.to > during), `a gap spans the time without space: ${JSON.stringify(gaps)}`);
    t.ok(gaps.every((gap) => gap.to !== ''), 'no gap stays open');
    await receiver.command('verify');
  });
}
