/** Many files: the first copy, the replica and a restore, compared whole. AFTERIMAGE_FILES=100000 makes it a hundred thousand. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { describeTree, differences } from './trees.js';
import { liveVolume, openWorld, protect, restored } from './world.js';

const files = Number(process.env['AFTERIMAGE_FILES'] ?? 20_000);

t.test(`${files} small files`, async (t) => {
  await using world = await openWorld('many', { agentArguments: ['--scan-interval', '60s'] });
  const { source, receiver, agent } = world;
  const [directories, each] = [Math.ceil(files / 1000), 1000];
  for (let place = 0; place < directories; place += 1) {
    const directory = join(source, `directory ${place}`);
    await mkdir(directory);
    await Promise.all(Array.from({ length: each }, (_, file) => writeFile(join(directory, `file ${file}`), `content ${place}/${file}`)));
  }
  await protect(agent, source, 'data');
  await agent.command('flush');
  const part = await restored(world, 'data', 'latest', '--path', 'directory 7');
  const [wanted, found] = [await describeTree(join(source, 'directory 7')), await describeTree(join(part, 'directory 7'))];
  t.equal(found.length, each + 1);
  t.same(differences(wanted, found), [], 'a part of it is restored by its path');
  const { replica } = await liveVolume(receiver, 'data');
  const whole = await describeTree(source, { xattrs: false });
  t.equal(whole.length, directories * (each + 1) + 1);
  t.same(differences(whole, await describeTree(replica, { xattrs: false })), [], 'the replica has all of it');
  t.same(differences(whole, await describeTree(await restored(world, 'data'), { xattrs: false })), [], 'the restored point has all of it');
});
