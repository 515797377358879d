/** Restores onto real block devices: what is refused, what is written, and what an interruption leaves. */
import { constants, existsSync } from 'node:fs';
import { mkdir, open, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { systemDirectories } from '../../native/index.js';
import { openImageTarget } from '../../native/image/open-target.js';
import { restoreImage, type ImageRestoreReport } from '../../native/image/restore-image.js';
import type { TreeItem } from '../../native/tree/items.js';
import type { Sequence, VolumeId } from '../../proto/change.js';
import { deviceHost, DeviceHost } from '../end-to-end/device-host.js';
import { agentMain, receiverMain, run, type Outcome } from '../end-to-end/programs.js';
import { Workplace } from '../end-to-end/world.js';
import { DeviceModel } from '../receiver/recovery/device-model.js';
import { Dice, printedSeed } from '../receiver/recovery/dice.js';
import { packageReason } from './debian-package.js';
import { fileSystemReason, mountReason } from './file-systems.js';
import { openLoop, execute, type LoopImage } from './loop-image.js';

const skip = mountReason() ?? false;
const mebibyte = 1024 * 1024;
const imageBytes = 6 * mebibyte;

interface World extends AsyncDisposable {
  readonly work: Workplace;
  readonly host: DeviceHost;
  readonly volume: VolumeId;
  readonly instants: readonly { readonly sequence: Sequence; readonly bytes: Buffer }[];
  restore(to: string, at: bigint, ...more: readonly string[]): Promise<Outcome>;
  agentRestore(to: string, at: bigint, ...more: readonly string[]): Promise<Outcome>;
}

async function openWorld(dice: Dice): Promise<World> {
  const work = await Workplace.make('restore-device');
  const host = await DeviceHost.start(work);
  const volume = await host.define('disk', imageBytes);
  const model = new DeviceModel(imageBytes, { resizes: false });
  const instants = [];
  for (let round = 0; round < 3; round += 1) {
    const bodies = Array.from({ length: 150 }, () => model.change(dice));
    instants.push({ sequence: await host.send(volume, bodies), bytes: model.copy() });
  }
  return {
    work, host, volume, instants,
    restore: (to, at, ...more) => run(receiverMain, ['restore', '--data', host.receiver.data, '--host', deviceHost, '--volume', 'disk', '--at', `seq:${at}`, '--to', to, ...more]),
    agentRestore: (to, at, ...more) => run(agentMain, ['restore', '--state', host.state, '--volume', 'disk', '--at', `seq:${at}`, '--to', to, ...more]),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await work[Symbol.asyncDispose]();
    },
  };
}

/** The first bytes of a device, past every cache of this process. */
async function bytesOf(path: string, length: number, offset = 0): Promise<Buffer> {
  const file = await open(path);
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  await file.close();
  return bytes;
}

async function fill(device: LoopImage, bytes: Buffer): Promise<void> {
  const file = await open(device.path, 'r+');
  await file.write(bytes, 0, bytes.byteLength, 0);
  await file.sync();
  await file.close();
}

function refused(t: Test, outcome: Outcome, says: RegExp, label: string): void {
  t.equal(outcome.code, 2, `${label}: it is refused; ${outcome.stdout}${outcome.stderr}`);
  t.match(outcome.stderr, says, label);
}

t.test('a device is written only when it is meant, large enough, writable and in nobody\'s use', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  await using world = await openWorld(dice);
  const { work, instants } = world;
  const { sequence } = instants[0]!;
  await using device = await openLoop(work.path('device'), imageBytes);
  await using other = await openLoop(work.path('other'), imageBytes);
  await using small = await openLoop(work.path('small'), imageBytes - 4096);
  const old = dice.bytes(imageBytes);
  await fill(device, old);
  const untouched = async (label: string): Promise<void> => {
    t.ok((await bytesOf(device.path, imageBytes)).equals(old), `${label}: nothing was written`);
  };

  refused(t, await world.restore(device.path, sequence), new RegExp(`${device.path} is the block device \\d+:\\d+; what it holds would be lost.*--yes-overwrite ${device.path}`), 'without consent');
  refused(t, await world.restore(device.path, sequence, '--in-place'), /--yes-overwrite/, 'in place without consent');
  refused(t, await world.restore(device.path, sequence, '--yes-overwrite', other.path), new RegExp(`names ${other.path}, which is another device; expected --yes-overwrite ${device.path}`), 'consent to another device');
  refused(t, await world.restore(device.path, sequence, '--yes-overwrite', '/dev/none'), /which does not exist; expected/, 'consent to nothing');
  refused(t, await world.restore(device.path, sequence, '--yes-overwrite', device.image), /which is no block device; expected/, 'consent to a file');
  refused(t, await world.agentRestore(device.path, sequence, '--yes-overwrite', other.path), /which is another device; expected/, 'the agent, with consent to another device');
  await untouched('without consent');
  refused(t, await world.restore(small.path, sequence, '--yes-overwrite', small.path), new RegExp(`${small.path} is too small: it has ${imageBytes - 4096} bytes, the image has ${imageBytes}`), 'too small');
  refused(t, await world.restore(device.path, sequence, '--yes-overwrite', device.path, '--partition', '1'), /--partition goes with --path/, 'a partition without a path');
  refused(t, await world.restore('/dev/no-such-device', sequence), /there is no device \/dev\/no-such-device/, 'a name that is no device');

  {
    await using readOnly = await openLoop(work.path('read-only'), imageBytes, ['--read-only']);
    refused(t, await world.restore(readOnly.path, sequence, '--yes-overwrite', readOnly.path), /is read-only/, 'read-only');
  }
  {
    const held = await open(device.path, constants.O_RDONLY | constants.O_EXCL);
    t.teardown(() => held.close().catch(() => undefined));
    refused(t, await world.restore(device.path, sequence, '--yes-overwrite', device.path), /is in use, says the kernel/, 'held by another program');
    await held.close();
  }
  {
    await using above = await openLoop(device.path, undefined);
    refused(t, await world.restore(device.path, sequence, '--yes-overwrite', device.path), new RegExp(`it is what ${above.path.slice(5)} is made on`), 'a loop device is made on it');
  }
  await untouched('in use');
  const reason = await fileSystemReason('ext4');
  if (reason === undefined) {
    await execute('mkfs.ext4', ['-q', '-F', other.path]);
    await mkdir(work.path('mounted'));
    await execute('mount', [other.path, work.path('mounted')]);
    try {
      refused(t, await world.restore(other.path, sequence, '--yes-overwrite', other.path), /in use: it is mounted at .*mounted/, 'mounted');
      refused(t, await world.restore(other.path, sequence, '--yes-overwrite', other.path, '--in-place'), /in use: it is mounted at/, 'mounted, in place');
      refused(t, await world.restore(other.path, sequence, '--dry-run'), /in use: it is mounted at/, 'mounted, dry run');
    } finally {
      await execute('umount', [work.path('mounted')]);
    }
  }
  await execute('mkswap', [other.path]);
  const swap = await execute('swapon', [other.path]).then(() => true, () => false);
  if (swap) {
    try {
      refused(t, await world.restore(other.path, sequence, '--yes-overwrite', other.path), /in use: it is used as swap/, 'swap');
    } finally {
      await execute('swapoff', [other.path]);
    }
  } else t.comment('swapon is refused here');
});

t.test('a whole restore replaces all that a device held, and leaves what lies behind the image', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  await using world = await openWorld(dice);
  const { work, instants } = world;
  await using device = await openLoop(work.path('device'), imageBytes + 3 * mebibyte);
  await symlink(device.path, work.path('by-name'));
  const old = dice.bytes(imageBytes + 3 * mebibyte);
  for (const [place, { sequence, bytes }] of instants.entries()) {
    await fill(device, old);
    const words = ['--yes-overwrite', device.path, ...(place === 0 ? ['--json'] : [])];
    const outcome = await (place === 1 ? world.agentRestore(work.path('by-name'), sequence, ...words) : world.restore(work.path('by-name'), sequence, ...words));
    t.equal(outcome.code, 0, outcome.stderr);
    t.ok((await bytesOf(device.path, imageBytes)).equals(bytes), `seq:${sequence}`);
    t.ok((await bytesOf(device.path, 3 * mebibyte, imageBytes)).equals(old.subarray(imageBytes)), 'the rest is as it was');
    if (place === 0) {
      const report = JSON.parse(outcome.stdout) as ImageRestoreReport;
      t.match(report, { kind: 'device', created: false, bytesCompared: 0, bytesBehind: 3 * mebibyte });
      t.equal(report.bytesWritten + report.bytesZeroed, imageBytes, 'no byte was left out');
    } else t.match(outcome.stdout, /its last 3145728 bytes were left as they are/);
  }
  const { stdout } = await world.restore(device.path, instants[1]!.sequence, '--dry-run');
  t.match(stdout, /would be brought to the point/);
  t.ok((await bytesOf(device.path, imageBytes)).equals(instants[2]!.bytes), 'a dry run writes nothing');
});

t.test('in place a device gets the blocks that differ, and no others', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  await using world = await openWorld(dice);
  const { work, instants } = world;
  await using device = await openLoop(work.path('device'), imageBytes);
  await fill(device, dice.bytes(imageBytes));
  let before = await bytesOf(device.path, imageBytes);
  for (const place of [0, 1, 0, 2, 2]) {
    const { sequence, bytes } = instants[place]!;
    let differing = 0;
    for (let at = 0; at < imageBytes; at += 4096) if (!before.subarray(at, at + 4096).equals(bytes.subarray(at, at + 4096))) differing += 4096;
    const outcome = await world.restore(device.path, sequence, '--yes-overwrite', device.path, '--in-place', '--json');
    t.equal(outcome.code, 0, outcome.stderr);
    const report = JSON.parse(outcome.stdout) as ImageRestoreReport;
    t.ok((await bytesOf(device.path, imageBytes)).equals(bytes), `seq:${sequence}`);
    t.equal(report.bytesCompared, imageBytes, 'everything was compared');
    t.ok(report.bytesWritten + report.bytesZeroed <= differing, `${report.bytesWritten} and ${report.bytesZeroed} of ${differing} bytes in blocks that differ`);
    before = bytes;
  }
});

t.test('a restore that is stopped says that the device holds a mixture, and another one makes it whole', { skip }, async (t) => {
  const dice = new Dice(printedSeed(t));
  await using work = await Workplace.make('restore-device');
  await using device = await openLoop(work.path('device'), imageBytes);
  await fill(device, dice.bytes(imageBytes));
  const half = imageBytes / 2;
  const data = Array.from({ length: half / mebibyte }, () => dice.bytes(mebibyte));
  const controller = new AbortController();
  async function* items(stop: boolean): AsyncGenerator<TreeItem, void, undefined> {
    yield { kind: 'head', entries: 1, bytes: half };
    yield { kind: 'entry', index: 0, path: [], metadata: { nodeKind: 'file', mode: 0o600, uid: 0, gid: 0, modifyNs: 0n }, size: imageBytes, data: [{ offset: 0, length: half }] };
    for (const [place, piece] of data.entries()) {
      if (stop && place === 1) controller.abort(new Error('stopped by SIGINT'));
      yield { kind: 'piece', index: 0, offset: place * mebibyte, data: piece };
    }
    yield { kind: 'end', entries: 1, bytes: half };
  }
  const opened = () => openImageTarget({ directories: systemDirectories, target: device.path, mode: 'fresh', dryRun: false, overwrite: device.path });
  await t.rejects(restoreImage({ target: await opened(), items: items(true), mode: 'fresh', signal: controller.signal }), { message: new RegExp(`^stopped by SIGINT; ${device.path} now holds a mixture`) });
  const target = await opened();
  await t.rejects(opened(), { code: 'target', message: /in use, says the kernel/ }, 'while one restore has it, no other may');
  await restoreImage({ target, items: items(false), mode: 'fresh', sync: true });
  t.ok((await bytesOf(device.path, imageBytes)).equals(Buffer.concat([...data, Buffer.alloc(half)])));
});

t.test('a partition table is read again, and a partition in use keeps its disk from being written', { skip: skip || (packageReason('sfdisk', 'fdisk') ?? false) }, async (t) => {
  await using work = await Workplace.make('restore-device');
  await using host = await DeviceHost.start(work);
  const table = 'label: dos\nstart=2048, size=4096, type=83\nstart=8192, size=65536, type=83\n';
  const source = work.path('source');
  await writeFile(source, '');
  await truncate(source, 48 * mebibyte);
  await writeFile(work.path('table'), table);
  await execute('sh', ['-c', 'sfdisk --quiet "$0" < "$1"', source, work.path('table')]);
  const volume = await host.define('disk', 48 * mebibyte);
  const sequence = await host.sendImage(volume, source);
  await using device = await openLoop(work.path('device'), 48 * mebibyte, ['--partscan']);
  const restore = (to: string, ...more: string[]): Promise<Outcome> => run(receiverMain, ['restore', '--data', host.receiver.data, '--host', deviceHost, '--volume', 'disk', '--at', `seq:${sequence}`, '--to', to, '--yes-overwrite', to, ...more]);
  const { stdout, stderr, code } = await restore(device.path);
  t.equal(code, 0, stderr);
  t.match(stdout, /the partition table of \/dev\/loop\d+ was read again/);
  // A kernel may know no such tables; it is told then, as partx(8) does it.
  const name = device.path.slice(5);
  if (!existsSync(`/sys/block/${name}/${name}p2`)) await execute('partx', ['--add', device.path]);
  t.ok((await readFile(`/sys/block/${name}/${name}p2/size`, 'utf8')).startsWith('65536'), 'its partitions are there');
  await using plain = await openLoop(work.path('plain'), 48 * mebibyte);
  const told = await restore(plain.path);
  t.match(told.stdout, /the partition table of|the kernel has not read the partition table/, 'a device without partitions says what became of that');

  const [major, minor] = (await readFile(`/sys/block/${name}/${name}p2/dev`, 'utf8')).trim().split(':');
  // Without a daemon for devices nobody makes its node.
  await execute('mknod', [work.path('second'), 'b', major!, minor!]);
  if ((await fileSystemReason('ext4')) !== undefined) return;
  await execute('mkfs.ext4', ['-q', '-F', work.path('second')]);
  await mkdir(work.path('mounted'));
  await execute('mount', [work.path('second'), work.path('mounted')]);
  try {
    refused(t, await restore(device.path), new RegExp(`in use: its partition ${name}p2 is mounted at`), 'a mounted partition');
  } finally {
    await execute('umount', [work.path('mounted')]);
  }
  const again = await restore(device.path, '--in-place');
  t.equal(again.code, 0, again.stderr);
  t.ok((await bytesOf(device.path, 48 * mebibyte)).equals(await bytesOf(source, 48 * mebibyte)));
});
