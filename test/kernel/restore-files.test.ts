/** Files taken out of the file systems on device volumes, as those were while they were mounted and never unmounted. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nativeUnavailableReason } from '../../native/index.js';
import type { Sequence } from '../../proto/change.js';
import { deviceHost, DeviceHost } from '../end-to-end/device-host.js';
import { agentMain, receiverMain, run, type Outcome } from '../end-to-end/programs.js';
import { eventually, Workplace } from '../end-to-end/world.js';
import { linesAt } from '../native/tree/disk-tree.js';
import { makeTree } from '../native/tree/sample-tree.js';
import { packageReason } from './debian-package.js';
import { fileSystemReason, mountReason, type FileSystemKind } from './file-systems.js';
import { openLoop, execute, loopsBelow } from './loop-image.js';

const mebibyte = 1024 * 1024;
const skip = mountReason() ?? nativeUnavailableReason() ?? false;
const oddName = 'odd \\xff\\n\\\\name';

type Kind = Exclude<FileSystemKind, 'tmpfs'>;
const sizes: Readonly<Record<Kind, number>> = { ext4: 48 * mebibyte, xfs: 300 * mebibyte, btrfs: 128 * mebibyte };
const kinds = Object.keys(sizes) as Kind[];

async function sparseFile(path: string, sizeBytes: number): Promise<void> {
  await writeFile(path, '');
  await truncate(path, sizeBytes);
}

/** Makes a file system with the sample tree, at an offset of an image. `whileMounted` sees the image before it is unmounted. */
async function withFileSystem(work: Workplace, kind: Kind, place: { readonly image: string; readonly offset?: number; readonly length: number }, whileMounted: (mounted: string) => Promise<void>): Promise<void> {
  await using device = await openLoop(place.image, undefined, ['--offset', String(place.offset ?? 0), '--sizelimit', String(place.length)]);
  await execute(`mkfs.${kind}`, ['-q', kind === 'ext4' ? '-F' : '-f', device.path]);
  const mounted = work.path(`mounted-${kind}-${place.offset ?? 0}`);
  await mkdir(mounted);
  await execute('mount', [device.path, mounted]);
  try {
    await makeTree(mounted);
    await symlink(work.directory, join(mounted, 'absolute'));
    await execute('sync', ['--file-system', mounted]);
    await whileMounted(mounted);
  } finally {
    await execute('umount', [mounted]);
  }
}

class Restores {
  readonly #host: DeviceHost;
  readonly #work: Workplace;

  constructor(work: Workplace, host: DeviceHost) {
    this.#work = work;
    this.#host = host;
  }

  words(volume: string, at: Sequence, to: string, ...more: readonly string[]): string[] {
    return ['restore', '--data', this.#host.receiver.data, '--host', deviceHost, '--volume', volume, '--at', `seq:${at}`, '--to', this.#work.path('out', to), ...more];
  }

  receiver(volume: string, at: Sequence, to: string, ...more: readonly string[]): Promise<Outcome> {
    return run(receiverMain, this.words(volume, at, to, ...more));
  }

  agent(volume: string, at: Sequence, to: string, ...more: readonly string[]): Promise<Outcome> {
    return run(agentMain, ['restore', '--state', this.#host.state, '--volume', volume, '--at', `seq:${at}`, '--to', this.#work.path('out', to), ...more]);
  }

  /** Nothing but the targets is left: no image, no mount, no loop device. */
  async leftNothing(t: Test, label: string): Promise<void> {
    const out = this.#work.path('out');
    t.strictSame((await readdir(out)).filter((name) => name.startsWith('.')), [], `${label}: no image is left`);
    t.notMatch(await readFile('/proc/self/mountinfo', 'utf8'), out, `${label}: nothing is mounted`);
    await eventually(`${label}: no loop device is left`, async () => (await loopsBelow(out)).length, (count) => count === 0, 10_000);
  }
}

async function start(): Promise<{ work: Workplace; host: DeviceHost; restores: Restores }> {
  const work = await Workplace.make('restore-files');
  await mkdir(work.path('out'));
  const host = await DeviceHost.start(work);
  return { work, host, restores: new Restores(work, host) };
}

function succeeded(t: Test, outcome: Outcome, label: string): void {
  t.equal(outcome.code, 0, `${label}; ${outcome.stderr}`);
}

for (const kind of kinds) {
  t.test(`files come out of ${kind} as they were, its journal replayed`, { skip: skip || ((await fileSystemReason(kind)) ?? false) }, async (t) => {
    const { work, host, restores } = await start();
    await using _work = work;
    await using _host = host;
    const image = work.path('image');
    await sparseFile(image, sizes[kind]);
    await withFileSystem(work, kind, { image, length: sizes[kind] }, async (mounted) => {
      const volume = await host.define('disk', sizes[kind]);
      const at = await host.sendImage(volume, image);
      const source = await linesAt(mounted);
      const pathOf = (line: string): string => (JSON.parse(line) as [string])[0];

      succeeded(t, await restores.receiver('disk', at, 'all', '--path', '.'), 'everything');
      t.strictSame(await linesAt(work.path('out', 'all')), source, 'all of the tree is the same');
      await restores.leftNothing(t, 'everything');

      const some = await restores.receiver('disk', at, 'some', '--path', 'etc/deep', oddName, '--path', 'sparse', '--json');
      succeeded(t, some, 'some');
      t.match(JSON.parse(some.stdout), { entries: 8, point: { volume: 'disk', sequence: String(at) } });
      const found = await linesAt(work.path('out', 'some'));
      t.strictSame(found.map(pathOf), ['', 'etc', 'etc/deep', 'etc/deep/deeper', 'etc/deep/large', 'etc/deep/the same', 'odd \xff\n\\name', 'sparse'].filter((path) => source.some((line) => pathOf(line) === path)));
      t.strictSame(found.filter((line) => !/the same/.test(line)), source.filter((line) => found.map(pathOf).includes(pathOf(line)) && !/the same/.test(line)), 'with owners, modes, times, attributes and content');

      await rm(work.path('out', 'some', 'sparse'));
      await writeFile(work.path('out', 'some', 'etc', 'deep', 'large'), 'altered');
      await writeFile(work.path('out', 'some', 'of the target'), 'stays');
      const plan = await restores.receiver('disk', at, 'some', '--path', 'etc/deep', '--in-place', '--dry-run');
      succeeded(t, plan, 'dry run');
      t.match(plan.stdout, /1 changed/);
      t.equal(await readFile(work.path('out', 'some', 'etc', 'deep', 'large'), 'utf8'), 'altered', 'a dry run writes nothing to the target');
      succeeded(t, await restores.agent('disk', at, 'some', '--path', 'etc/deep', '--in-place'), 'the agent, in place');
      t.equal((await readFile(work.path('out', 'some', 'etc', 'deep', 'large'))).byteLength, 2_500_000);
      t.equal(await readFile(work.path('out', 'some', 'of the target'), 'utf8'), 'stays');
      await restores.leftNothing(t, 'in place');

      for (const [path, says] of [
        ['absolute/receiver', /absolute is a symbolic link to .*, which is not followed/],
        ['etc/leads out/etc', /etc\/leads out is a symbolic link/],
        ['etc/no such', /etc\/no such does not exist in the file system/],
        ['../etc', /\.\./],
      ] as const) {
        const refused = await restores.receiver('disk', at, 'refused', '--path', path);
        t.equal(refused.code, 2, path);
        t.match(refused.stderr, says);
      }
      const full = await restores.receiver('disk', at, 'some', '--path', 'etc');
      t.equal(full.code, 2);
      t.match(full.stderr, /is not empty; restore to another place, or use --in-place/);
      t.match(await restores.receiver('disk', at, 'new', '--path', 'etc', '--yes-overwrite', '/dev/sda'), { code: 2, stderr: /does not go with --path/ });
      t.match(await restores.receiver('disk', at, 'new', '--path', 'etc', '--partition', '1'), { code: 2, stderr: new RegExp(`no partition 1; the image holds on all of it ${kind}`) });
      await restores.leftNothing(t, 'refusals');
    });
  });
}

t.test('of a partitioned image the partition is named where there is a choice', { skip: skip || ((await fileSystemReason('ext4')) ?? (await fileSystemReason('btrfs')) ?? packageReason('sfdisk', 'fdisk') ?? false) }, async (t) => {
  const { work, host, restores } = await start();
  await using _work = work;
  await using _host = host;
  for (const label of ['dos', 'gpt'] as const) {
    const image = work.path(`${label}-image`);
    await sparseFile(image, 256 * mebibyte);
    await writeFile(work.path('table'), `label: ${label}\nstart=1MiB, size=8MiB\nstart=10MiB, size=40MiB\nstart=60MiB, size=128MiB\n`);
    await execute('sh', ['-c', 'sfdisk --quiet "$0" < "$1"', image, work.path('table')]);
    const volume = await host.define(label, 256 * mebibyte);
    const part = (start: number, length: number) => ({ image, offset: start * mebibyte, length: length * mebibyte });
    let alone = 0n as Sequence;
    await withFileSystem(work, 'ext4', part(10, 40), async () => {
      alone = await host.sendImage(volume, image);
    });
    succeeded(t, await restores.receiver(label, alone, `${label}-alone`, '--path', 'etc/passwd'), `${label}: the only one is taken`);
    t.equal(await readFile(work.path('out', `${label}-alone`, 'etc', 'passwd'), 'utf8'), 'root:x:0:0');
    await rm(work.path(`mounted-ext4-${10 * mebibyte}`), { recursive: true });
    await withFileSystem(work, 'btrfs', part(60, 128), async (mounted) => {
      const both = await host.sendImage(volume, image);
      const choice = await restores.receiver(label, both, `${label}-both`, '--path', 'etc/passwd');
      t.equal(choice.code, 2);
      t.match(choice.stderr, /say which one with --partition; the image holds partition 1: unknown content \(8388608 bytes\), partition 2: ext4 \(41943040 bytes\), partition 3: btrfs/);
      t.match(choice.stderr, new RegExp(`afterimage-receiver nbd --host HOST --volume ${label} --at seq:${both}`));
      const third = await restores.receiver(label, both, `${label}-third`, '--path', 'etc', '--partition', '3');
      succeeded(t, third, 'the third');
      t.match(third.stderr, /taken from the btrfs of partition 3/);
      t.strictSame(await linesAt(work.path('out', `${label}-third`, 'etc')), await linesAt(join(mounted, 'etc')));
      succeeded(t, await restores.agent(label, both, `${label}-second`, '--path', 'etc', '--partition', '2'), 'the second');
      t.match(await restores.receiver(label, both, 'none', '--path', 'etc', '--partition', '1'), { code: 2, stderr: /partition 1 cannot be mounted/ });
      t.match(await restores.receiver(label, both, 'none', '--path', 'etc', '--partition', '9'), { code: 2, stderr: /no partition 9/ });
    });
    await rm(work.path(`mounted-btrfs-${60 * mebibyte}`), { recursive: true });
  }
  await restores.leftNothing(t, 'partitions');
});

t.test('what is no file system, or a broken one, is said, with another way', { skip: skip || ((await fileSystemReason('ext4')) ?? false) }, async (t) => {
  const { work, host, restores } = await start();
  await using _work = work;
  await using _host = host;
  const image = work.path('image');
  await sparseFile(image, sizes.ext4);
  const volume = await host.define('disk', sizes.ext4);
  const nothing = await host.sendImage(volume, image);
  const unknown = await restores.receiver('disk', nothing, 'none', '--path', 'etc');
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, /no file system can be mounted[^]*neither a file system nor partitions/);
  t.match(unknown.stderr, /afterimage-receiver nbd/);
  await withFileSystem(work, 'ext4', { image, length: sizes.ext4 }, async () => undefined);
  await execute('dd', ['if=/dev/urandom', `of=${image}`, 'bs=1024', 'seek=2', 'count=600', 'conv=notrunc']);
  const broken = await restores.receiver('disk', await host.sendImage(volume, image), 'none', '--path', 'etc');
  t.equal(broken.code, 1, broken.stderr);
  t.match(broken.stderr, /mount: [^]*afterimage-receiver nbd/);
  await restores.leftNothing(t, 'broken');
  t.strictSame(await readdir(work.path('out')), []);
});

t.test('a restore that is stopped or killed leaves neither mount nor loop device', { skip: skip || ((await fileSystemReason('ext4')) ?? false) }, async (t) => {
  const { work, host, restores } = await start();
  await using _work = work;
  await using _host = host;
  const image = work.path('image');
  await sparseFile(image, 96 * mebibyte);
  let at = 0n as Sequence;
  await withFileSystem(work, 'ext4', { image, length: 96 * mebibyte }, async (mounted) => {
    for (let count = 0; count < 3000; count += 1) await writeFile(join(mounted, `file ${count}`), 'x');
    await execute('sync', ['--file-system', mounted]);
    at = await host.sendImage(await host.define('disk', 96 * mebibyte), image);
  });
  for (const [signal, when] of [['SIGINT', 'image'], ['SIGINT', 'files'], ['SIGKILL', 'files']] as const) {
    const target = `${signal}-${when}`;
    const child = spawn(process.execPath, [receiverMain, ...restores.words('disk', at, target, '--path', '.')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await eventually('the restore to get so far', async () => (when === 'image' ? (await readdir(work.path('out'))).some((name) => name.startsWith('.afterimage-image')) : /taken from/.test(said)) || child.exitCode !== null, Boolean, 30_000);
    child.kill(signal);
    const code = await ended;
    if (signal === 'SIGINT') t.ok(code === 1 || code === 0, `${target}: it ended by itself with ${code}; ${said}`);
    await restores.leftNothing(t, target);
    await rm(work.path('out', target), { recursive: true, force: true });
  }
});
