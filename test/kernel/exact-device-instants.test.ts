/**
 * Past instants of block devices under load: the file systems on them recover as after a power cut, hold all that
 * was durable by then, and two of them agree on what came first.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { seededRandom, seedFromEnvironment } from '../agent/capture/seeded.js';
import { type GapRow, openWorld, restored } from '../end-to-end/world.js';
import { packageReason } from './debian-package.js';
import { exactSkip, untilExact } from './exact-world.js';
import { attachLoop, detachLoop, LoopDevice, loopDeviceSkip } from './loop-device.js';

t.setTimeout(600_000);
const execute = promisify(execFile);
const skip = (await exactSkip()) || loopDeviceSkip();
/** AFTERIMAGE_INSTANTS asks for more. */
const instants = Number(process.env['AFTERIMAGE_INSTANTS'] ?? 3);

/** Counts in a file on the first device, then on the second, each time durably, and says when that was so. */
const causalWriter = `
import os, sys, time
def put(path, number):
    with open(path, 'r+b') as file:
        file.write(b'%020d' % number); file.flush(); os.fsync(file.fileno())
paths = [os.path.join(folder, 'counter') for folder in sys.argv[1:3]]
for path in paths: open(path, 'wb').write(b'%020d' % 0); os.sync()
number = 0
while os.getppid() == int(sys.argv[3]):
    number += 1
    for path in paths: put(path, number)
    print(time.time_ns(), number, flush=True)
    if number % 10 == 0:
        for folder in sys.argv[1:3]:
            with open(os.path.join(folder, 'other%d' % (number % 70)), 'wb') as file: file.write(os.urandom(30000))
`;

const checks: Readonly<Record<string, (path: string) => readonly string[]>> = {
  ext4: (path) => ['e2fsck', '-f', '-n', path],
  xfs: (path) => ['xfs_repair', '-n', path],
  btrfs: (path) => ['btrfs', 'check', path],
};

/** Mounts a copy of an image, which recovers the file system, has it checked, and reads the counter. */
async function recovered(t: Test, kind: string, image: string, label: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'afterimage-recovered-'));
  const loop = attachLoop(image);
  try {
    await execute('mount', [...(kind === 'xfs' ? ['-o', 'nouuid'] : []), loop, folder]);
    const counter = Number((await readFile(join(folder, 'counter'), 'utf8')) || '0');
    await execute('umount', [folder]);
    const [program, ...words] = checks[kind]!(loop);
    await t.resolves(execute(program!, words), `${label}: nothing is wrong with it after recovery`);
    return counter;
  } finally {
    await execute('umount', ['-l', folder]).catch(() => undefined);
    detachLoop(loop);
  }
}

for (const [kind, packageName, options] of [['ext4', 'e2fsprogs', '-q -F'], ['xfs', 'xfsprogs', '-q -f'], ['btrfs', 'btrfs-progs', '-q -f']] as const) {
  t.test(`two devices and one writer: ${kind}`, { skip: skip || (packageReason(`mkfs.${kind}`, packageName) ?? false) }, async (t) => {
    const { fraction } = seededRandom(seedFromEnvironment(t));
    using one = new LoopDevice({ sizeMiB: 320 });
    using other = new LoopDevice({ sizeMiB: 320 });
    for (const { path } of [one, other]) execFileSync(`mkfs.${kind}`, [...options.split(' '), path]);
    const [first, second] = [one.mount(), other.mount()];
    await using world = await openWorld(`device-instants-${kind}`);
    for (const [device, name] of [[one, 'first'], [other, 'second']] as const) {
      await world.agent.command('protect', device.path, '--name', name);
      await untilExact(world, name);
    }
    const writer = spawn('python3', ['-c', causalWriter, first, second, String(process.pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    writer.stdout.on('data', (text) => (said += String(text)));
    const beganMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const endedMs = Date.now();
    writer.kill('SIGKILL');
    await new Promise((resolve) => writer.once('close', resolve));
    await world.agent.command('flush');
    const acknowledged = said.trim().split('\n').map((line) => line.split(' ').map(BigInt) as [bigint, bigint]);
    t.ok(acknowledged.length > 20, `${acknowledged.length} rounds`);
    for (let instant = 0; instant < instants; instant += 1) {
      const atMs = beganMs + 500 + Math.floor(fraction() * (endedMs - beganMs - 700));
      const at = new Date(atMs).toISOString();
      const [a, b] = [await recovered(t, kind, await restored(world, 'first', at, '--exact-only'), `${at}, first`), await recovered(t, kind, await restored(world, 'second', at, '--exact-only'), `${at}, second`)];
      const least = Number(acknowledged.filter(([timeNs]) => timeNs < BigInt(atMs) * 1_000_000n).at(-1)?.[1] ?? 0n);
      t.ok(a >= b && b >= least && a <= least + 2, `${at}: ${a} on the first, ${b} on the second, ${least} durable by then`);
    }
    t.strictSame((await world.receiver.json<GapRow[]>('gaps')).map(({ cause }) => cause), [], 'without a gap');
  });
}
