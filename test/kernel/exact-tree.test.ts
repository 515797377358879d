/** The exact engine on real calls of other processes: each kind of change, and that nothing had to be read back. */
import t from 'tap';
import { openCaptureStream } from '../../native/capture/stream.js';
import { ExactBench } from './exact-bench.js';
import { exactSkip } from './exact-world.js';
import { fileSystemKinds, makeFileSystem } from './file-systems.js';

const cutsLabel = 'files cut by their paths';
const scripts: readonly (readonly [label: string, script: string])[] = [
  ['files made, written, appended and cut', 'echo one > a; echo two >> a; printf xyz | dd of=a bs=1 seek=1 conv=notrunc status=none; truncate -s 100000 b; truncate -s 5 b; : > a'],
  [cutsLabel, 'head -c 9000 /dev/urandom > a; ln -s a l; ln -s l m; python3 -c "import os; os.truncate(\'a\', 5000); os.truncate(\'m\', 100); os.truncate(\'l\', 7000)"; mkdir d; echo long > d/a; python3 -c "import os; os.truncate(\'d/a\', 2)"'],
  ['directories and files in them', 'mkdir -p d/e/f; echo x > d/e/f/g; mkdir d/h; rmdir d/h; rm -r d/e'],
  ['renames', 'echo 1 > a; echo 2 > b; mkdir d; mv a c; mv c d/c; mv -f b d/c; mv d e; mv e/c .'],
  ['links', 'echo 1 > a; ln a b; ln -s b s; ln -s nowhere n; rm a; echo 2 >> b; rm s'],
  ['metadata', 'echo 1 > a; chmod 640 a; chown 12:34 a; touch -d "2001-02-03 04:05:06.789" a; mkdir d; chmod 700 d; python3 -c "import os; os.setxattr(b\'a\', b\'user.x\', b\'y\'); os.setxattr(b\'d\', b\'user.z\', b\'1\'); os.removexattr(b\'a\', b\'user.x\'); os.setxattr(b\'a\', b\'user.w\', b\'2\')"'],
  ['metadata by path right after writes', 'python3 -c "import os\nfor i in range(3000):\n  n=f\'f{i}\'; f=open(n,\'wb\'); f.write(b\'x\'*5000); f.close(); os.chmod(n,0o640); os.utime(n,ns=(1,10**18+i)); os.rename(n,n+\'.done\')"'],
  ['special files', 'mkfifo p; mknod c c 1 3; mknod b b 7 0; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'sock\')"'],
  ['a tree moved in and out', 'mkdir -p ../outside/t/u; echo 1 > ../outside/t/u/v; mv ../outside/t in; echo 2 >> in/u/v; mkdir out; echo 3 > out/w; mv out ../outside/gone; echo 4 > ../outside/gone/w'],
  ['names of any bytes', String.raw`mkdir $'\xff\xfe'; echo 1 > $'\xff\xfe/\x80 \n x'; mv $'\xff\xfe' ' spaced '`],
  ['the same name over and over', 'for i in $(seq 300); do echo $i > a; mv a b; rm b; ln -s x b; rm b; mkdir b; rmdir b; done; echo end > a'],
  ['a large file', 'head -c 20000000 /dev/urandom > big; dd if=big of=copy bs=1M status=none; cp --reflink=never big third; rm big'],
];

t.setTimeout(300_000);

for (const kind of fileSystemKinds) t.test(`each kind of change arrives as it was made: ${kind}`, { skip: await exactSkip(kind) }, async (t) => {
  await using fileSystem = await makeFileSystem(kind);
  const bench = new ExactBench(t, { place: fileSystem.path });
  await bench.open();
  await bench.untilExact();
  for (const [label, script] of scripts) {
    await bench.shell('rm -rf ./*');
    await bench.shell(script);
    t.strictSame(await bench.differences(), [], label);
  }
  t.strictSame(bench.warnings, []);
  await bench.close();
});

t.test('files cut by their paths, where the kernel does not tell which: some are looked at for it', { skip: await exactSkip('ext4') }, async (t) => {
  await using fileSystem = await makeFileSystem('ext4');
  const bench = new ExactBench(t, { place: fileSystem.path, kernel: { openStream: () => openCaptureStream({ ringBytes: 8 * 1024 * 1024, followChanges: false }) } });
  await bench.open();
  await bench.untilExact();
  const causes = (): string[] => bench.sink.changes.flatMap(({ body }) => (body.kind === 'gap' && body.edge === 'open' ? [body.cause] : []));
  await bench.shell(scripts.find(([label]) => label === cutsLabel)![1]);
  t.strictSame(await bench.differences(), []);
  t.ok(causes().includes('a file was cut by its path'), 'with a gap on record');
  await bench.untilExact();
  await bench.shell('echo long > unknown; ln unknown ../outside/other; python3 -c "import os; os.truncate(\'../outside/other\', 2)"');
  t.strictSame(await bench.differences(), [], 'a name of which nothing is known: everything is compared');
  await bench.close();
});
