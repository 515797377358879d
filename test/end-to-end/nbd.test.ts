/** The command that serves a device as it was, used as people use it: by the clients of libnbd and QEMU. */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { ChangeBody } from '../../proto/change.js';
import { Catalogue } from '../../receiver/store/catalogue.js';
import { packageReason } from '../kernel/debian-package.js';
import { begun, deviceHost, deviceVolume, storeDevice, written } from '../receiver/nbd/device-directory.js';
import { Dice, printedSeed } from '../receiver/recovery/dice.js';
import { Daemon, receiverMain, run, type ReceiverProgram } from './programs.js';
import { Workplace } from './world.js';

const execute = promisify(execFile);
const sizeBytes = 48 * 1024 * 1024;
const block = 4096;

interface Ready {
  readonly export: string;
  readonly sizeBytes: number;
  readonly writable: boolean;
  readonly uri: string;
  readonly point: { readonly sequence: string; readonly label: string };
}

/** A device of which about a third is data, in two versions: at a sequence, and at the end. */
async function prepared(dice: Dice, data: string): Promise<{ receiver: ReceiverProgram; earlier: { sequence: bigint; image: Buffer }; image: Buffer }> {
  const image = Buffer.alloc(sizeBytes);
  const bodies: ChangeBody[] = begun(sizeBytes);
  const write = (): void => {
    const offset = dice.below(sizeBytes / block) * block;
    const length = Math.min(sizeBytes - offset, (1 + dice.below(64)) * block);
    const bytes = Buffer.alloc(length, dice.bytes(4099));
    bytes.copy(image, offset);
    bodies.push(written(offset, bytes));
  };
  for (let count = 0; count < 100; count += 1) write();
  const earlier = { sequence: BigInt(bodies.length), image: Buffer.from(image) };
  for (let count = 0; count < 40; count += 1) write();
  const cut = { offset: 10 * 1024 * 1024, length: 8 * 1024 * 1024 };
  image.fill(0, cut.offset, cut.offset + cut.length);
  bodies.push({ kind: 'discard', ...cut });
  const { receiver } = await storeDevice(data, bodies);
  return { receiver, earlier, image };
}

const at = (data: string, when: string): string[] => ['nbd', '--data', data, '--host', deviceHost, '--volume', deviceVolume, '--at', when];

/** Starts the command, which ends with the test at the latest; what it says when it is ready. */
async function serving(t: Test, data: string, when: string, ...args: string[]): Promise<{ daemon: Daemon; ready: Ready }> {
  const daemon = new Daemon(receiverMain, [...at(data, when), '--json', ...args]);
  t.teardown(() => daemon[Symbol.asyncDispose]());
  const [said] = await daemon.start(/\{[^]*\n\}\n/);
  return { daemon, ready: JSON.parse(said) as Ready };
}

t.test('a device is read as it was, over TCP and a UNIX socket, by the clients there are', async (t) => {
  await using work = await Workplace.make('nbd');
  const data = work.path('receiver');
  const { earlier, image } = await prepared(new Dice(printedSeed(t)), data);
  const expected = work.path('expected.img');
  await writeFile(expected, image);

  const { daemon, ready } = await serving(t, data, 'latest', '--listen', '127.0.0.1:0');
  t.match(ready, { export: deviceVolume, sizeBytes, writable: false, uri: /^nbd:\/\/127\.0\.0\.1:\d+\/disk$/, point: { label: 'exact' } });
  const socket = work.path('earlier.sock');
  const early = await serving(t, data, `seq:${earlier.sequence}`, '--listen', socket);
  t.equal(early.ready.uri, `nbd+unix:///disk?socket=${socket}`);
  t.equal(early.ready.point.sequence, earlier.sequence.toString());

  await t.test('nbdinfo and nbdcopy', { skip: packageReason('nbdcopy', 'libnbd-bin') ?? false }, async (t) => {
    const { exports: [told] } = JSON.parse((await execute('nbdinfo', ['--json', ready.uri])).stdout) as { exports: Record<string, unknown>[] };
    t.match(told, { 'export-name': 'disk', 'export-size': sizeBytes, is_read_only: true, can_multi_conn: true, 'block_size_minimum': 1, 'block_size_preferred': 4096, 'block_size_maximum': 32 * 1024 * 1024 });
    t.match((await execute('nbdinfo', ['--list', ready.uri])).stdout, /export="disk"/);
    const extents = JSON.parse((await execute('nbdinfo', ['--map', '--json', ready.uri])).stdout) as { offset: number; length: number; type: number }[];
    t.equal(extents.reduce((sum, { length }) => sum + length, 0), sizeBytes);
    for (const { offset, length, type } of extents) if (type === 3 && !image.subarray(offset, offset + length).every((byte) => byte === 0)) t.fail(`data at ${offset} is told to be a hole`);
    t.ok(extents.some(({ type }) => type === 3));
    for (const [uri, bytes] of [[ready.uri, image], [early.ready.uri, earlier.image]] as const) {
      const copy = work.path('copied.img');
      await writeFile(copy, '');
      await execute('nbdcopy', [uri, copy]);
      t.ok((await readFile(copy)).equals(bytes));
      t.ok(statSync(copy).blocks * 512 < sizeBytes * 0.8, 'holes stayed holes');
    }
  });

  await t.test('qemu-img', { skip: packageReason('qemu-img', 'qemu-utils') ?? false }, async (t) => {
    t.match((await execute('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', ready.uri, expected])).stdout, /identical/);
    await t.rejects(execute('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', early.ready.uri, expected]), { code: 1 });
    const converted = work.path('converted.qcow2');
    await execute('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ready.uri, converted]);
    t.match((await execute('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', converted, expected])).stdout, /identical/);
    await t.rejects(execute('qemu-io', ['-f', 'raw', '-c', 'write 0 4k', ready.uri]), 'it is read-only');
  });

  t.equal(await daemon.stop(), 0);
  t.equal(await early.daemon.stop(), 0);
  t.notOk(existsSync(socket));
  const catalogue = Catalogue.open({ path: join(data, 'catalogue.sqlite'), readOnly: true });
  t.teardown(() => catalogue.close());
  t.match(catalogue.access.auditEntries().filter(({ act }) => act === 'nbd'), [{ identity: 'operator local', detail: { host: deviceHost, volume: deviceVolume, at: 'latest', writable: false, listen: ready.uri } }, { detail: { sequence: earlier.sequence.toString() } }]);
});

t.test('with an overlay a device can be written, and stays as it was', async (t) => {
  await using work = await Workplace.make('nbd-overlay');
  const data = work.path('receiver');
  const { image } = await prepared(new Dice(printedSeed(t)), data);
  const expected = work.path('expected.img');
  await writeFile(expected, image);
  const overlay = work.path('overlay');

  await t.test('by QEMU', { skip: packageReason('qemu-io', 'qemu-utils') ?? false }, async (t) => {
    const { daemon, ready } = await serving(t, data, 'latest', '--listen', work.path('disk.sock'), '--writable-overlay', overlay);
    t.equal(ready.writable, true);
    const commands = ['write -P 0x5a 1M 64k', 'write -P 0xa5 1000 3000', 'write -z 2M 1M', 'discard 4M 1M', 'flush', 'read -P 0x5a 1M 64k', 'read -P 0xa5 1000 3000', 'read -P 0 2M 1M', 'read -P 0 4M 1M'];
    const { stdout } = await execute('qemu-io', ['-f', 'raw', '-d', 'unmap', ...commands.flatMap((command) => ['-c', command]), ready.uri]);
    t.notMatch(stdout, /failed|Pattern verification/);
    await execute('qemu-io', ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), expected]);
    t.match((await execute('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', ready.uri, expected])).stdout, /identical/);
    t.ok(existsSync(overlay));
    t.equal(await daemon.stop(), 0);
    t.notOk(existsSync(overlay), 'it is thrown away');
    await writeFile(expected, image);
    const again = await serving(t, data, 'latest', '--listen', work.path('disk.sock'));
    t.match((await execute('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', again.ready.uri, expected])).stdout, /identical/);
  });

  await t.test('by a file system copied over it', { skip: packageReason('nbdcopy', 'libnbd-bin') ?? packageReason('mkfs.ext4', 'e2fsprogs') ?? false }, async (t) => {
    const { daemon, ready } = await serving(t, data, 'latest', '--listen', work.path('disk.sock'), '--writable-overlay', overlay);
    const made = work.path('made.img');
    await writeFile(made, '');
    await truncate(made, sizeBytes);
    await execute('mkfs.ext4', ['-q', '-F', made], { env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
    await execute('nbdcopy', [made, ready.uri]);
    const back = work.path('back.img');
    await writeFile(back, '');
    await execute('nbdcopy', [ready.uri, back]);
    t.ok((await readFile(back)).equals(await readFile(made)));
    t.equal(await daemon.stop(), 0);
  });

  await writeFile(overlay, 'precious');
  const refused = await run(receiverMain, [...at(data, 'latest'), '--listen', work.path('x.sock'), '--writable-overlay', overlay]);
  t.match(refused, { code: 2, stderr: /overlay exists; name a file that does not/ });
  t.equal(await readFile(overlay, 'utf8'), 'precious');
});

t.test('what cannot be served is refused with what to do', async (t) => {
  await using work = await Workplace.make('nbd-refused');
  const data = work.path('receiver');
  const tree = begun(0).map((body): ChangeBody => (body.kind === 'volume' ? { ...body, volumeKind: 'tree' } : body)).filter(({ kind }) => kind !== 'truncate');
  await storeDevice(data, tree);
  t.match(await run(receiverMain, at(data, 'latest')), { code: 2, stdout: '', stderr: /disk is a tree of files[^]*"afterimage-receiver restore"[^]*"afterimage-receiver cat"/ });
  t.match(await run(receiverMain, at(data, 'latest').map((word) => (word === deviceVolume ? 'disc' : word))), { code: 2, stderr: /disc/ });
  t.match(await run(receiverMain, [...at(data, 'latest'), '--listen', 'nowhere']), { code: 2, stderr: /--listen nowhere is no address/ });
  t.match(await run(receiverMain, [...at(data, 'latest'), '--log-level', 'loud']), { code: 2, stderr: /--log-level loud is not one of/ });
});
