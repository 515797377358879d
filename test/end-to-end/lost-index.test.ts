/** An agent whose capture index is gone copies its volumes anew, and the old points stay. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AgentProgram, ReceiverProgram } from './programs.js';
import { describeTree, differences } from './trees.js';

t.test('a lost capture index costs a new copy and nothing else', async (t) => {
  const work = await mkdtemp(join(tmpdir(), 'afterimage-index-'));
  t.teardown(() => rm(work, { recursive: true, force: true, maxRetries: 5 }));
  await using receiver = await ReceiverProgram.init(join(work, 'receiver'));
  await receiver.start('--log-level', 'warn');
  await using agent = await AgentProgram.enroll(join(work, 'agent'), receiver, 'host');
  await agent.start('--log-level', 'warn');
  const data = join(work, 'data');
  await mkdir(join(data, 'folder'), { recursive: true });
  await writeFile(join(data, 'folder', 'one'), 'first');
  await agent.command('protect', data, '--name', 'data');
  await agent.command('flush');
  await agent.command('mark', 'before');
  t.equal(await agent.daemon.stop(), 0);

  // Whichever engine it was.
  for (const index of ['capture', 'capture-exact']) await rm(join(work, 'agent', index), { recursive: true, force: true });
  await writeFile(join(data, 'folder', 'two'), 'second');
  await agent.start('--log-level', 'warn');
  await agent.command('flush');
  const latest = join(work, 'latest');
  await receiver.command('restore', '--host', 'host', '--volume', 'data', '--at', 'latest', '--to', latest);
  t.same(differences(await describeTree(data), await describeTree(latest)), []);
  const before = join(work, 'before');
  await receiver.command('restore', '--host', 'host', '--volume', 'data', '--at', 'mark:before', '--to', before);
  t.same((await describeTree(before)).map((line) => line.split(' ')[0]), ['.', 'folder', 'folder/one']);
  t.match(await receiver.command('verify'), /no damage/);
});
