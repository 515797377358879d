/** Programs that nobody here wrote, on exactly captured volumes: afterwards the replica is what the source is. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { root } from '../end-to-end/programs.js';
import { packageReason } from './debian-package.js';
import { assertSame, exactSkip, gapCauses, openExactWorld, untilExact } from './exact-world.js';
import type { FileSystemKind } from './file-systems.js';

t.setTimeout(900_000);
const execute = promisify(execFile);

interface Program {
  readonly label: string;
  /** Run by bash in the volume, $OUTSIDE is a directory beside it and $INPUT one with some ten thousand real files. */
  readonly script: string;
  /** Programs by their paths, and the packages that have them. */
  readonly needs?: Readonly<Record<string, string>>;
}

const fio = { '/usr/bin/fio': 'fio' };
const verify = '--verify=crc32c --verify_fatal=1 --verify_state_save=0 --output-format=terse --size=16m --bs=1k-64k --bs_unaligned --time_based=0 --randrepeat=0 --rw=randwrite --fallocate=none --do_verify=1';
const aligned = verify.replace('--bs=1k-64k --bs_unaligned', '--bs=4k-64k');
/** Counted in what the stressor calls an operation, which may be anything from one call to some thousands. */
const stress = (stressor: string): string => `stress-ng --${stressor} 2 --${stressor}-ops 200 --timeout 5 --temp-path . --verify > "$OUTSIDE/stress.log" 2>&1 || { cat "$OUTSIDE/stress.log"; exit 1; }`;
const stressors = ['hdd', 'rename', 'link', 'symlink', 'dentry', 'dir', 'dirdeep', 'chmod', 'chown', 'xattr', 'copy-file', 'fallocate', 'fpunch', 'seek', 'sync-file', 'utime', 'iomix', 'aio', 'aiol', 'io-uring', 'sendfile', 'splice', 'mmap', 'msync', 'filename', 'mknod', 'revio'];

const programs: readonly Program[] = [
  ...['psync', 'pvsync2', 'vsync', 'mmap', 'splice'].map((engine) => ({ label: `fio ${engine}`, script: `fio --name=${engine} --ioengine=${engine} --numjobs=2 ${engine === 'mmap' ? aligned : verify} > /dev/null`, needs: fio })),
  { label: 'fio libaio, direct', script: `fio --name=aio --ioengine=libaio --direct=1 --iodepth=16 --numjobs=2 ${aligned} > /dev/null`, needs: fio },
  { label: 'fio libaio, buffered', script: `fio --name=aiob --ioengine=libaio --iodepth=16 ${verify} > /dev/null`, needs: fio },
  { label: 'fio io_uring', script: `fio --name=uring --ioengine=io_uring --iodepth=16 --numjobs=2 ${verify} > /dev/null`, needs: fio },
  { label: 'fio io_uring, direct, fixed buffers', script: `fio --name=uringd --ioengine=io_uring --direct=1 --fixedbufs=1 --registerfiles=1 --iodepth=16 ${aligned} > /dev/null`, needs: fio },
  { label: 'fio io_uring, polled by the kernel', script: `fio --name=uringp --ioengine=io_uring --sqthread_poll=1 --iodepth=16 ${aligned} > /dev/null`, needs: fio },
  { label: 'git', script: 'git init -q -b main r; cd r; git config user.email a@b; git config user.name a; cp -r "$INPUT"/typescript/lib .; git add -A; git commit -qm one; for i in 1 2 3 4 5; do echo $i >> f; git add f; git commit -qm $i; done; git checkout -q -b side HEAD~3; git mv lib moved; git commit -qm move; cd ..; git clone -q r c; cd c; git checkout -q main; git gc -q --aggressive --prune=now; cd ../r; git rebase -q main side || git rebase --abort; git gc -q' },
  { label: 'tar', script: 'tar -C "$INPUT" -cf "$OUTSIDE/t.tar" protobufjs typescript tap; tar --xattrs -xpf "$OUTSIDE/t.tar"; rm -r tap; tar -cf here.tar protobufjs' },
  { label: 'rsync', script: 'rsync -aH "$INPUT"/protobufjs . ; ln protobufjs/index.js hard; rsync -aH --delete protobufjs/ copy/; echo more >> protobufjs/index.js; rsync -aH --inplace --no-whole-file protobufjs/ copy/; rsync -aS "$INPUT"/pino sparse', needs: { '/usr/bin/rsync': 'rsync' } },
  { label: 'dpkg-deb', script: 'mkdir -p p/DEBIAN p/usr/share/x; cp -r "$INPUT"/pino p/usr/share/x/; printf "Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n" > p/DEBIAN/control; dpkg-deb -b p x.deb > /dev/null; dpkg-deb -x x.deb out; dpkg-deb -e x.deb control' },
  { label: 'copies, reflinks where there are any', script: 'cp -r "$INPUT"/pino a; cp -a --reflink=auto a b; cp --sparse=always a/package.json s; dd if=/dev/urandom of=big bs=1M count=20 status=none; cp --reflink=auto big big2; dd if=/dev/urandom of=big bs=4k seek=100 count=300 conv=notrunc status=none; install -m 755 -D big d/e/f; split -b 1M big part.; cat part.* > joined; shred -n 1 -u part.aa; sed -i s/a/b/ a/package.json; truncate -s 100M hole; fallocate -d hole; mv a c; ln -s c/package.json link' },
  ...stressors.map((stressor) => ({ label: `stress-ng ${stressor}`, script: stress(stressor), needs: { '/usr/bin/stress-ng': 'stress-ng' } })),
];

/** Every day the stressors that found something are run; AFTERIMAGE_PROGRAMS=regular-expression chooses others, AFTERIMAGE_FILE_SYSTEM another kind. */
const everyday = /^(?!stress-ng)|^stress-ng (rename|link|dir|fallocate|xattr|aiol|io-uring|mmap)$/;
const told = process.env['AFTERIMAGE_PROGRAMS'];
const chosen = programs.filter(({ label }) => (told === undefined ? everyday : new RegExp(told)).test(label));
const kind = (process.env['AFTERIMAGE_FILE_SYSTEM'] ?? 'ext4') as FileSystemKind;
const skip = await exactSkip(kind);

t.test(`real programs on ${kind}`, { skip }, async (t) => {
  await using exact = await openExactWorld(kind, { sizeBytes: 6 * 1024 ** 3, agentArguments: ['--ring-bytes', '256MiB'] });
  const { world, source, outside } = exact;
  for (const { label, script, needs = {} } of chosen) {
    for (const [program, packageName] of Object.entries(needs)) {
      const reason = packageReason(program, packageName);
      if (reason !== undefined) return void t.fail(reason);
    }
    const beganMs = performance.now();
    try {
      await execute('bash', ['-euo', 'pipefail', '-c', script], { cwd: source, env: { ...process.env, OUTSIDE: outside, INPUT: `${root}/node_modules` }, maxBuffer: 64 * 1024 ** 2 });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      t.fail(`${label}: ${(error as Error).message.slice(0, 200)}\n${(stdout ?? '').slice(-2000)}${(stderr ?? '').slice(-2000)}`);
    }
    const ranMs = performance.now();
    await assertSame(t, exact, label);
    t.comment(`${label}: ran ${((ranMs - beganMs) / 1000).toFixed(1)} s, the same after ${((performance.now() - ranMs) / 1000).toFixed(1)} s more`);
    await execute('bash', ['-euc', 'find . -mindepth 1 -delete'], { cwd: source });
  }
  await assertSame(t, exact, 'everything removed');
  await untilExact(world);
  t.comment((await gapCauses(world)).join('\n'));
});
