/** Files that were mapped for writing before they were protected: their mapped stores are not overlooked. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { parseMapped } from '../../native/capture/mapped-files.js';
import { ExactBench } from './exact-bench.js';
import { exactSkip } from './exact-world.js';
import { fileSystemKinds, makeFileSystem } from './file-systems.js';

t.setTimeout(300_000);

t.test('shared mappings are read from a maps text', async (t) => {
  const text = [
    '7f0000001000-7f0000003000 rw-s 00000000 fd:01 1234                       /data/with space',
    '7f0000003000-7f0000004000 r--s 00001000 08:102 77                        /data/read-only for now',
    '7f0000004000-7f0000005000 rw-p 00000000 fd:01 1235                       /data/private',
    '7f0000005000-7f0000006000 rw-s 00000000 00:00 0 ',
    'nonsense',
  ].join('\n');
  t.strictSame(parseMapped(text), [
    { range: '7f0000001000-7f0000003000', device: 0xfd01, ino: 1234n },
    { range: '7f0000003000-7f0000004000', device: 0x100802, ino: 77n },
  ]);
});

/** Maps a file, and stores a byte into each of its pages whenever it is told to. */
const mapper = `
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
view = mmap.mmap(fd, 0)
os.close(fd)
for line in sys.stdin:
    for page in range(0, len(view), 4096): view[page] = ord(line[0])
    print('stored', flush=True)
`;

for (const kind of fileSystemKinds) {
  t.test(`stores through a mapping that was there first: ${kind}`, { skip: await exactSkip(kind) }, async (t) => {
    await using fileSystem = await makeFileSystem(kind);
    const bench = new ExactBench(t, { place: fileSystem.path });
    const file = join(bench.root, 'mapped');
    writeFileSync(file, Buffer.alloc(64 * 1024, 'x'));
    const child = spawn('python3', ['-c', mapper, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.teardown(() => child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const store = async (letter: string): Promise<void> => {
      child.stdin.write(`${letter}\n`);
      await lines.next();
    };
    // Its pages are dirty from here on: nothing in the kernel tells of further stores into them.
    await store('a');
    await bench.open();
    await store('b');
    t.strictSame(await bench.differences(), [], 'stored after the first look began');
    await store('c');
    t.strictSame(await bench.differences(), [], 'stored later');
    t.match(bench.sink.changes.map(({ body }) => body).filter(({ kind: each }) => each === 'gap'), [{ edge: 'open', cause: /memory mapping/ }], 'a gap says so meanwhile');
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    await ended;
    await bench.untilExact();
    t.strictSame(await bench.differences(), []);
    await bench.close();
  });
}
