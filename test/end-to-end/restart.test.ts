/** Programs that are stopped, lose each other or lose what they know come back: nothing is copied twice, nothing is forgotten. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { AgentProgram } from './programs.js';
import { describeTree, differences } from './trees.js';
import { assertConverged, hostName, liveVolume, openWorld, protect, restored, segmentBytes, type GapRow, type PointRow, type VolumeRow } from './world.js';

const mebibyte = 1024 * 1024;

/** Directories with small files, and one large file of bytes that do not compress. */
async function fill(source: string): Promise<void> {
  await writeFile(join(source, 'large.bin'), randomBytes(32 * mebibyte));
  for (let place = 0; place < 5; place += 1) {
    const directory = join(source, `directory ${place}`);
    await mkdir(directory);
    for (let file = 0; file < 10; file += 1) await writeFile(join(directory, `file ${file}`), randomBytes(10_000));
  }
}

async function overwrite(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

t.test('what changed while the agent was away travels as differing blocks, and the downtime is on record', async (t) => {
  await using world = await openWorld('restart');
  const { source, receiver, agent } = world;
  await fill(source);
  await protect(agent, source, 'data');
  await assertConverged(t, world);
  const before = await segmentBytes(receiver);
  t.equal(await agent.daemon.stop(), 0, 'the agent stops cleanly');

  for (const offset of [0, 7 * mebibyte + 123, 31 * mebibyte]) await overwrite(join(source, 'large.bin'), offset, randomBytes(100));
  await rename(join(source, 'directory 1'), join(source, 'renamed'));
  await rm(join(source, 'directory 2', 'file 3'));
  await rm(join(source, 'directory 3'), { recursive: true });
  await rename(join(source, 'directory 4', 'file 1'), join(source, 'directory 0', 'moved'));
  await writeFile(join(source, 'new file'), randomBytes(5000));
  const stopped = new Date().toISOString();

  await agent.start('--scan-interval', '5s');
  await agent.until('watching again', ({ volumes }) => volumes[0]?.phase === 'watching');
  await assertConverged(t, world);
  const grown = (await segmentBytes(receiver)) - before;
  // Four differing blocks of the large file at the most (an edit may straddle two), and the new file.
  t.ok(grown < mebibyte, `only what differs travelled: the segments grew by ${grown} bytes`);
  const gaps = (await receiver.json<GapRow[]>('gaps', '--volume', 'data')).filter((gap) => gap.label === 'unknown');
  t.equal(gaps.length, 1, 'the downtime is one gap');
  t.ok(gaps[0]!.from < stopped && gaps[0]!.to > stopped, 'which spans it and is closed');
  t.match(gaps[0]!.cause, /agent/, 'and names its cause');
  const [points] = await receiver.json<PointRow[]>('points', '--volume', 'data');
  const during = points!.ranges.find((range) => range.from <= stopped && (range.to === '' || range.to > stopped));
  t.equal(during?.label, 'unknown', 'instants of the downtime are labelled');
  t.not(points!.ranges.at(-1)?.label, 'unknown', 'and those after it are not');
});

t.test('the agent outlasts its receiver, marks are points, and a volume protected anew is another one', async (t) => {
  await using world = await openWorld('restart');
  const { work, source, receiver, agent } = world;
  await fill(source);
  await protect(agent, source, 'data');
  await agent.command('mark', 'first');
  const first = await describeTree(source);

  t.equal(await receiver.daemon.stop(), 0, 'the receiver stops cleanly while an agent is connected');
  await overwrite(join(source, 'large.bin'), 5 * mebibyte, randomBytes(3 * mebibyte));
  await writeFile(join(source, 'while away'), 'the receiver was away');
  await agent.until('aware that the receiver is away', ({ connection }) => connection.state !== 'connected');
  await receiver.start();
  await agent.until('connected again', ({ connection }) => connection.state === 'connected');
  await assertConverged(t, world);
  await agent.command('mark', 'second');
  const second = await describeTree(source);

  await agent.command('unprotect', 'data');
  await writeFile(join(source, 'between'), 'nobody looked');
  await rm(join(source, 'directory 0'), { recursive: true });
  await protect(agent, source, 'data');
  await assertConverged(t, world);
  const volumes = (await receiver.json<VolumeRow[]>('volumes')).filter((volume) => volume.name === 'data');
  t.same(volumes.map((volume) => volume.retired === '').sort(), [false, true], 'the former volume is retired, the new one live');
  for (const [mark, wanted] of [['first', first], ['second', second]] as const) {
    t.same(differences(wanted, await describeTree(await restored(world, 'data', `mark:${mark}`))), [], `mark:${mark} is restored as it was`);
  }

  const { replica } = await liveVolume(receiver, 'data');
  t.equal(await agent.daemon.stop(), 0);
  t.equal(await receiver.daemon.stop(), 0);

  const listings = async (): Promise<unknown[]> => [
    (await receiver.json<VolumeRow[]>('volumes')).map(({ host, volume, name, path, retired }) => ({ host, volume, name, path, retired })),
    await receiver.json('points'),
    await receiver.json('gaps'),
  ];
  const known = await listings();
  for (const suffix of ['', '-wal', '-shm']) await rm(join(receiver.data, `catalogue.sqlite${suffix}`), { force: true });
  await receiver.command('rebuild-catalogue');
  t.same(await listings(), known, 'volumes, points and gaps are the same in a catalogue rebuilt from the segments');

  await writeFile(join(replica, 'large.bin'), 'not what the journal says');
  await rm(join(replica, 'between'));
  await receiver.command('rebuild-replica', '--host', hostName, '--volume', 'data');
  t.same(differences(await describeTree(source), await describeTree(replica)), [], 'the replica is rebuilt from the journal');

  await receiver.start();
  await agent.start('--scan-interval', '5s');
  await agent.until('watching', ({ volumes }) => volumes[0]?.phase === 'watching');
  await writeFile(join(source, 'afterwards'), 'life goes on');
  await assertConverged(t, world);

  await agent.daemon.stop();
  await rm(agent.state, { recursive: true });
  await using again = await AgentProgram.enroll(work.path('second agent'), receiver, hostName);
  await again.start('--scan-interval', '5s');
  await protect(again, source, 'data');
  await overwrite(join(source, 'large.bin'), 1000, Buffer.from('after the state was lost'));
  await assertConverged(t, { ...world, agent: again });
  t.same(differences(second, await describeTree(await restored(world, 'data', 'mark:second'))), [], 'points from before the state was lost are still there');
  t.match(await readFile(join(await restored(world, 'data', 'latest', '--path', 'large.bin'), 'large.bin')), /^/, 'one file is restored by its path');
  await receiver.command('verify');
});
