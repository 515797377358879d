/** More is written than the spool may hold while the receiver is away: a gap on record, bounded memory, and all is healed. */
import { randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { assertConverged, openWorld, protect, type GapRow, type PointRow } from './world.js';

const mebibyte = 1024 * 1024;
const spoolBytesMax = 2 * mebibyte;

t.test('writes beyond the spool budget open a gap that closes once the receiver is back', async (t) => {
  await using world = await openWorld('spool', { agentArguments: ['--spool-bytes', String(spoolBytesMax)] });
  const { source, receiver, agent } = world;
  for (let place = 0; place < 8; place += 1) await writeFile(join(source, `file ${place}`), randomBytes(4 * mebibyte));
  await protect(agent, source, 'data');
  await assertConverged(t, world);
  const gapsBefore = (await agent.status()).journal.gaps;
  const residentBefore = (await agent.status()).memory.residentBytes;

  t.equal(await receiver.daemon.stop(), 0);
  for (let round = 0; round < 3; round += 1) {
    for (let place = 0; place < 8; place += 1) {
      const file = await open(join(source, `file ${place}`), 'r+');
      await file.write(randomBytes(2 * mebibyte), 0, undefined, round * mebibyte);
      await file.close();
    }
    await writeFile(join(source, `new in round ${round}`), randomBytes(2 * mebibyte));
  }
  const spent = await agent.until('out of spool', ({ journal, volumes }) => journal.gaps > gapsBefore && volumes[0]?.phase === 'waiting-for-room');
  t.not(spent.volumes[0]!.label, 'exact');
  t.match(spent.volumes[0]!.cause, /spool/, 'status names the cause');
  // A frame may be over the edge when the budget is found spent, and control changes have a reserve.
  t.ok(spent.journal.spoolBytes <= spoolBytesMax + 2 * mebibyte, `the spool keeps to its budget: ${spent.journal.spoolBytes} bytes`);
  t.ok(spent.memory.residentBytes < residentBefore + 128 * mebibyte, `memory is bounded: ${residentBefore} bytes before, ${spent.memory.residentBytes} now`);
  const during = new Date().toISOString();
  await writeFile(join(source, 'written while out of spool'), randomBytes(1000));

  await receiver.start();
  await agent.until('healed', ({ volumes }) => volumes[0]?.phase === 'watching');
  await assertConverged(t, world);
  const gaps = await receiver.json<GapRow[]>('gaps', '--volume', 'data');
  const gap = gaps.find((each) => /spool/.test(each.cause) && each.from < during && each.to > during);
  t.ok(gap, `a gap with its cause spans the time without room, and is closed: ${JSON.stringify(gaps)}`);
  t.ok(gaps.every((each) => each.to !== ''), 'no gap stays open');
  const [points] = await receiver.json<PointRow[]>('points', '--volume', 'data');
  const range = points!.ranges.find((each) => each.from <= during && (each.to === '' || each.to > during));
  t.match(range, { label: /converging|unknown/, cause: /spool/ }, 'the points of that time say what they are worth');
  await receiver.command('verify');
});
