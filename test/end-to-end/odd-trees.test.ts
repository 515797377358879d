/** Trees as they are found: huge holes, odd names, odd kinds, and changes while they are being looked at. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, readFile, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { systemDirectories } from '../../native/index.js';
import { mountObstacle, mountSmall, unmount } from './mounts.js';
import { assertConverged, hostName, liveVolume, openWorld, protect, restored, segmentBytes } from './world.js';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

t.test('a sparse file stays sparse, and only its islands travel', async (t) => {
  await using world = await openWorld('sparse');
  const { source, receiver, agent } = world;
  const path = join(source, 'sparse');
  const islands = [0, 123_456_789, gibibyte + 1, 3 * gibibyte, 4 * gibibyte - 4096];
  const file = await open(path, 'w');
  await file.truncate(4 * gibibyte);
  for (const offset of islands) await file.write(randomBytes(4096), 0, 4096, offset);
  await file.close();
  await protect(agent, source, 'data');
  await assertConverged(t, world);
  t.ok((await segmentBytes(receiver)) < mebibyte, 'holes do not travel');
  const { replica } = await liveVolume(receiver, 'data');
  const target = await restored(world, 'data');
  for (const [what, where] of [['the replica', join(replica, 'sparse')], ['the restored file', join(target, 'sparse')]] as const) {
    const { size, blocks } = await stat(where);
    t.equal(size, 4 * gibibyte);
    t.ok(blocks * 512 < mebibyte, `${what} takes ${blocks * 512} bytes on disk`);
  }
  await truncate(path, 5 * gibibyte);
  const later = await open(path, 'r+');
  await later.write(randomBytes(100), 0, 100, 4 * gibibyte + 5);
  await later.close();
  await assertConverged(t, world);
});

t.test('names of any bytes, paths of any depth, and every kind of entry', async (t) => {
  await using world = await openWorld('odd');
  const { source, receiver, agent } = world;
  const root = await systemDirectories.openRoot(source);
  const names = [Buffer.alloc(255, 0x78), Buffer.concat([Buffer.alloc(254, 0xff), Buffer.from([0x0a])]), Buffer.from('new\nline'), Buffer.from([0x80, 0xc3, 0x28]), Buffer.from(' '), Buffer.from('-n'), Buffer.from('\u001b[31mred'), Buffer.from('back\\slash'), Buffer.from('Ünïcödé')];
  for (const name of names) {
    const file = await root.createFile(name);
    await file.write(randomBytes(100), 0);
    await file.close();
  }
  // A path of a hundred long names is far past what one system call takes.
  let deepest = root;
  for (let depth = 0; depth < 100; depth += 1) {
    const name = Buffer.from(`${depth} `.padEnd(200, 'deep'));
    await deepest.makeDirectory(name);
    const next = await deepest.openDirectory(name);
    if (deepest !== root) await deepest.close();
    deepest = next;
  }
  const bottom = await deepest.createFile(Buffer.from('bottom'));
  await bottom.write(Buffer.from('reached'), 0);
  await bottom.close();
  await deepest.close();

  await run('mkfifo', [join(source, 'fifo')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(source, 'socket'), resolve));
  if (process.getuid?.() === 0) await run('mknod', [join(source, 'null'), 'c', '1', '3']);
  await mkdir(join(source, 'empty directory'));
  await writeFile(join(source, 'one name'), 'of two');
  await link(join(source, 'one name'), join(source, 'empty directory', 'other name'));
  await symlink('/nowhere/at all', join(source, 'dangling'));
  await symlink(Buffer.from([0x2e, 0xff]), join(source, 'odd link'));
  await root.setXattr(Buffer.from('one name'), 'user.note', Buffer.from([0, 1, 255]));
  await root.setXattr(Buffer.from('empty directory'), 'user.empty', Buffer.alloc(0));
  await chmod(join(source, 'one name'), 0o4711);
  await utimes(join(source, 'dangling', '..', 'one name'), 1, 1_000_000.123);
  await protect(agent, source, 'data');
  await assertConverged(t, world);

  await root.rename(names[1]!, root, Buffer.from('renamed from odd bytes'));
  await root.removeXattr(Buffer.from('one name'), 'user.note');
  await rm(join(source, 'fifo'));
  await writeFile(join(source, 'fifo'), 'a file now');
  await root.close();
  await assertConverged(t, world);
  await new Promise((resolve) => server.close(resolve));
  await assertConverged(t, world);
  t.match(await receiver.command('ls', '--host', hostName, '--volume', 'data', '--at', 'latest'), /new\\nline/, 'a name is one line of a listing');
});

t.test('directories renamed and files vanishing while the first copy is made', async (t) => {
  await using world = await openWorld('churn');
  const { source, agent } = world;
  for (let place = 0; place < 20; place += 1) {
    await mkdir(join(source, `stays ${place}`));
    for (let file = 0; file < 50; file += 1) await writeFile(join(source, `stays ${place}`, `file ${file}`), randomBytes(20_000));
  }
  await mkdir(join(source, 'wanders'));
  for (let file = 0; file < 100; file += 1) await writeFile(join(source, 'wanders', `file ${file}`), randomBytes(5000));
  const end = new AbortController();
  const wandering = (async () => {
    let at = 'wanders';
    for (let place = 0; !end.signal.aborted; place += 1) {
      const to = place % 3 === 0 ? join(`stays ${place % 20}`, 'wandered') : `wanders ${place}`;
      await rename(join(source, at), join(source, to));
      at = to;
      await sleep(2);
    }
  })();
  const vanishing = (async () => {
    for (let place = 0; !end.signal.aborted; place += 1) {
      await writeFile(join(source, `vanishes ${place % 10}`), randomBytes(3000));
      await mkdir(join(source, `gone ${place}`));
      await writeFile(join(source, `gone ${place}`, 'file'), 'soon gone');
      await sleep(1);
      await rm(join(source, `vanishes ${(place + 5) % 10}`), { force: true });
      await rm(join(source, `gone ${place}`), { recursive: true });
    }
  })();
  await protect(agent, source, 'data');
  await sleep(2000);
  end.abort();
  await Promise.all([wandering, vanishing]);
  await assertConverged(t, world);
});

t.test('what cannot be read is named, and the rest is protected', { skip: mountObstacle ?? false }, async (t) => {
  await using world = await openWorld('unreadable');
  const { source, agent } = world;
  await agent.daemon.stop();
  // Root without the right to pass over permissions.
  agent.launcher = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];
  await agent.start('--scan-interval', '2s');
  await writeFile(join(source, 'readable'), 'content');
  await writeFile(join(source, 'secret file'), 'content');
  await mkdir(join(source, 'secret directory'));
  await writeFile(join(source, 'secret directory', 'inside'), 'content');
  await chmod(join(source, 'secret file'), 0);
  await chmod(join(source, 'secret directory'), 0);
  await protect(agent, source, 'data');
  await agent.command('flush');
  const status = await agent.until('reporting', ({ volumes: [volume] }) => (volume?.reports.length ?? 0) >= 2);
  const reported = status.volumes[0]!.reports.map(({ path }) => path).join('\n');
  t.match(reported, /secret file/, 'the file is named');
  t.match(reported, /secret directory/, 'the directory is named');
  t.match(await agent.command('status'), /secret file: .*(EACCES|permission)/i, 'a person sees why');
  t.equal(await readFile(join(await restored(world, 'data'), 'readable'), 'utf8'), 'content', 'the rest is protected');
  await chmod(join(source, 'secret file'), 0o600);
  await chmod(join(source, 'secret directory'), 0o700);
  await agent.command('flush');
  await sleep(3000);
  await assertConverged(t, world);
});

t.test('another file system inside of the volume is left out and named', { skip: mountObstacle ?? false }, async (t) => {
  await using world = await openWorld('mounted');
  const { work, source, agent } = world;
  const mounted = await work.makeDirectory('source', 'mounted');
  await mountSmall(work, mounted, 4);
  await writeFile(join(mounted, 'elsewhere'), 'of another file system');
  await writeFile(join(source, 'here'), 'of this one');
  await protect(agent, source, 'data');
  await agent.command('flush');
  const { volumes: [volume] } = await agent.status();
  t.match(volume?.reports.map(({ path, problem }) => `${path}: ${problem}`).join('\n'), /mounted: .*(file system|mount)/, 'it is named');
  const target = await restored(world, 'data');
  t.same(await readdir(target), ['here'], 'it is left out');
  t.equal(await readFile(join(target, 'here'), 'utf8'), 'of this one');
  await unmount(mounted);
  await assertConverged(t, world);
});
