/** A device volume on the command line: looked into, compared, verified, and restored to an image by both programs. */
import { spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import t from 'tap';
import { DeviceModel } from '../receiver/recovery/device-model.js';
import { Dice, printedSeed } from '../receiver/recovery/dice.js';
import { deviceHost, DeviceHost } from './device-host.js';
import { agentMain, receiverMain, run } from './programs.js';
import { Workplace } from './world.js';

const sizeBytes = 3 * 1024 * 1024 + 512;

/** What a command writes to standard output, byte by byte. */
async function output(words: readonly string[]): Promise<Buffer> {
  const child = spawn(process.execPath, [receiverMain, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: Buffer[] = [];
  for await (const part of child.stdout) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

t.test('a device volume is one image to every command', async (t) => {
  const dice = new Dice(printedSeed(t));
  await using work = await Workplace.make('device-volume');
  await using host = await DeviceHost.start(work);
  const volume = await host.define('disk', sizeBytes);
  const model = new DeviceModel(sizeBytes, { resizes: false });
  const grow = async () => ({ at: `seq:${await host.send(volume, Array.from({ length: 200 }, () => model.change(dice)))}`, bytes: model.copy() });
  const [first, last] = [await grow(), await grow()];
  const { receiver } = host;
  const point = ['--host', deviceHost, '--volume', 'disk', '--at', first.at];
  const failure = (command: string, ...words: string[]) => run(receiverMain, [command, '--data', receiver.data, ...point, ...words]);

  t.strictSame(await receiver.json('ls', ...point), [{ name: 'disk', kind: 'device', size: sizeBytes }]);
  t.match(await receiver.command('ls', ...point), new RegExp(`device +${sizeBytes} +disk`));
  t.match(await receiver.json('stat', ...point), { name: 'disk', kind: 'device', size: sizeBytes, point: { label: 'exact' } });
  t.ok((await output(['cat', '--data', receiver.data, ...point])).equals(first.bytes), 'cat without a path');
  t.ok((await output(['cat', '--data', receiver.data, ...point, '.'])).equals(first.bytes), 'cat of the root');
  for (const command of ['ls', 'stat', 'cat']) {
    t.match(await failure(command, 'etc/passwd'), { code: 2, stdout: '', stderr: /"disk" is a block device, which has no paths; restore with --path/ }, command);
  }
  const between = ['--host', deviceHost, '--volume', 'disk', '--from', first.at, '--to', last.at];
  t.match(await receiver.command('diff', ...between), /^~ \. \(\d+ bytes in \d+ ranges\)\n$/);
  const [difference] = await receiver.json<[{ ranges: { offset: number; length: number }[] }]>('diff', ...between);
  for (const { offset, length } of difference.ranges) t.notOk(first.bytes.subarray(offset, offset + length).equals(last.bytes.subarray(offset, offset + length)));
  t.match(await receiver.command('verify', '--host', deviceHost, '--volume', 'disk', '--at', first.at), /no damage/);

  const image = work.path('image');
  t.match(await receiver.command('restore', ...point, '--to', image, '--dry-run'), /an image of .* \(3146240 bytes\) would be made/);
  await t.rejects(stat(image), { code: 'ENOENT' });
  t.match(await receiver.command('restore', ...point, '--to', image), /an image of .* \(3146240 bytes\) was made/);
  t.ok((await readFile(image)).equals(first.bytes), 'restored');
  t.match(await failure('restore', '--to', image), { code: 2, stderr: /exists; restore to another place, or use --in-place/ });
  t.match(await failure('restore', '--to', work.path('new'), '--yes-overwrite', '/dev/sda'), { code: 2, stderr: /--yes-overwrite is for block devices/ });
  t.match(await failure('restore', '--to', work.path('new'), '--partition', '1'), { code: 2, stderr: /--partition goes with --path/ });
  t.match(await failure('restore', '--to', work.path('new'), '--path', 'x', '--partition', 'one'), { code: 2, stderr: /must be the number of a partition/ });

  const agent = (to: string, ...more: string[]) => run(agentMain, ['restore', '--state', host.state, '--volume', 'disk', '--at', last.at, '--to', to, ...more]);
  await writeFile(work.path('longer'), Buffer.alloc(sizeBytes + 5000, 7));
  const inPlace = await agent(work.path('longer'), '--in-place', '--json');
  t.equal(inPlace.code, 0, inPlace.stderr);
  t.match(JSON.parse(inPlace.stdout), { created: false, sizeBytes, sizeBytesBefore: sizeBytes + 5000, point: { volume: 'disk' } });
  t.ok((await readFile(work.path('longer'))).equals(last.bytes), 'the agent, in place');
  t.equal((await agent(work.path('agent'))).code, 0);
  t.ok((await readFile(work.path('agent'))).equals(last.bytes), 'the agent, to a new image');
  t.match(await agent(image), { code: 2, stderr: /exists; restore to another place/ });
});
