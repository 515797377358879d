/** Block devices, by the real programs: copied while in use, captured exactly, and the replica's image is the device. */
import { execFile, execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { liveVolume, openWorld, restored, type World } from '../end-to-end/world.js';
import { packageReason } from './debian-package.js';
import { exactSkip, gapCauses, untilExact } from './exact-world.js';
import { LoopDevice, loopDeviceSkip } from './loop-device.js';

t.setTimeout(600_000);
const execute = promisify(execFile);
const skip = (await exactSkip()) || loopDeviceSkip();

const run = (script: string): Promise<unknown> => execute('bash', ['-euc', script], { maxBuffer: 64 * 1024 ** 2 });

async function imagePath(world: World): Promise<string> {
  const { replica } = await liveVolume(world.receiver, 'data');
  return join(replica, '..', 'image');
}

/** The device must be at rest: frozen, or not in use. */
async function assertImage(t: Test, world: World, device: { readonly path: string; content(path?: string): Buffer }, label: string): Promise<void> {
  await world.agent.command('flush');
  const [image, content] = [await readFile(await imagePath(world)), device.content()];
  t.equal(image.length, content.length, `${label}: size`);
  const differing = Array.from({ length: content.length / 4096 }, (_, at) => at).filter((at) => !content.subarray(at * 4096, at * 4096 + 4096).equals(image.subarray(at * 4096, at * 4096 + 4096)));
  t.strictSame(differing.slice(0, 10), [], `${label}: the image is what the device is`);
}

const kinds = [['ext4', 'e2fsprogs', '-q -F', 'discard'], ['xfs', 'xfsprogs', '-q -f', 'discard'], ['btrfs', 'btrfs-progs', '-q -f', 'discard=sync']] as const;

for (const [kind, packageName, makeOptions, mountOptions] of kinds) {
  t.test(`a file system in use: ${kind}`, { skip: skip || (packageReason(`mkfs.${kind}`, packageName) ?? false) }, async (t) => {
    using device = new LoopDevice({ sizeMiB: 400 });
    await run(`mkfs.${kind} ${makeOptions} ${device.path}`);
    const mount = device.mount(device.path, '-o', mountOptions);
    const writing = (label: string, rounds: number): string => `cd ${mount}; mkdir -p ${label}; for i in $(seq ${rounds}); do dd if=/dev/urandom of=${label}/f$i bs=4k count=$((i % 50 + 1)) conv=fsync status=none; dd if=/dev/urandom of=${label}/same bs=4k seek=$((i * 7 % 90)) count=3 conv=notrunc status=none; if [ $((i % 5)) = 0 ]; then rm ${label}/f$((i - 2)); fi; done`;
    await run(writing('before', 50));
    await using world = await openWorld(`device-${kind}`);
    const [protecting] = await Promise.all([world.agent.command('protect', device.path, '--name', 'data'), run(writing('meanwhile', 200))]);
    t.match(protecting, /exact/);
    await untilExact(world);
    await run(`fsfreeze -f ${mount}`);
    await assertImage(t, world, device, 'copied while in use');
    await world.agent.command('mark', 'frozen');
    const frozen = device.content();
    await run(`fsfreeze -u ${mount}`);
    await run(writing('after', 100));
    await run(`cd ${mount}; rm -r before; fstrim . || true; fsfreeze -f .`);
    await assertImage(t, world, device, 'written, removed and trimmed');
    await run(`fsfreeze -u ${mount}`);
    t.strictSame(await gapCauses(world), [], 'nothing had to be read back');
    const target = await restored(world, 'data', 'mark:frozen');
    t.ok((await readFile(target)).equals(frozen), 'the marked instant is restored as it was');
    device.unmount(mount);
    await assertImage(t, world, device, 'unmounted');
  });
}

t.test('an agent that was stopped, one that was killed, and a ring that was too small', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 64 });
  await using world = await openWorld('device-breaks', { agentArguments: ['--ring-bytes', '1MiB'] });
  await world.agent.command('protect', device.path, '--name', 'data');
  await untilExact(world);
  const write = (seed: number, count: number): Promise<unknown> => run(`dd if=/dev/urandom of=${device.path} bs=64k seek=${seed} count=${count} oflag=direct conv=notrunc iflag=fullblock status=none`);
  await write(3, 10);
  await assertImage(t, world, device, 'at first');
  await run(`dd if=/dev/urandom of=${device.path} bs=4M count=14 oflag=direct conv=notrunc iflag=fullblock status=none`);
  await assertImage(t, world, device, 'faster than the ring');
  t.ok((await gapCauses(world)).some((cause) => /ring was full/.test(cause)), 'with a gap on record');
  await untilExact(world);
  await world.agent.daemon.stop();
  await write(100, 50);
  await world.agent.start();
  await untilExact(world);
  await assertImage(t, world, device, 'written while the agent was away');
  await world.agent.daemon.kill();
  await write(200, 50);
  await world.agent.start();
  await untilExact(world);
  await assertImage(t, world, device, 'written after the agent was killed');
});

t.test('an agent that is stopped and started again misses nothing', { skip }, async (t) => {
  const keep = ['--keep-capturing', '5m'];
  using device = new LoopDevice({ sizeMiB: 64 });
  await using world = await openWorld('device-kept', { agentArguments: keep });
  await world.agent.command('protect', device.path, '--name', 'data');
  await untilExact(world);
  await world.agent.daemon.stop();
  const write = `dd if=/dev/urandom of=${device.path} bs=64k seek=3 count=30 oflag=direct conv=notrunc iflag=fullblock status=none`;
  await run(write);
  const between = device.content();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const at = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await run(write);
  await world.agent.start(...keep);
  await assertImage(t, world, device, 'written while it was away');
  t.strictSame(await gapCauses(world), []);
  const target = await restored(world, 'data', at, '--exact-only');
  t.ok((await readFile(target)).equals(between), 'an instant while it was away');
});

t.test('two partitions, one of which is protected', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 64, partitions: [20, 20] });
  execFileSync('dd', ['if=/dev/urandom', `of=${device.path}`, 'bs=1M', 'seek=1', 'count=60', 'conv=notrunc', 'status=none']);
  await using world = await openWorld('device-partitions');
  await world.agent.command('protect', device.partition(2), '--name', 'data');
  await untilExact(world);
  await run(`dd if=/dev/urandom of=${device.partition(1)} bs=64k count=30 oflag=direct conv=notrunc status=none; dd if=/dev/urandom of=${device.partition(2)} bs=64k count=30 seek=5 oflag=direct conv=notrunc status=none`);
  await assertImage(t, world, { path: device.partition(2), content: () => device.content(device.partition(2)) }, 'the protected one');
  await t.rejects(world.agent.command('protect', device.partition(2), '--name', 'again'), /protected already/);
});
