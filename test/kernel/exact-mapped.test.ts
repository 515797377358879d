/** Files that were mapped for writing before they were protected: their mapped stores are not overlooked. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { statSync, writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import t, { type Test } from 'tap';
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

/** Maps a file, and stores a byte into each of its pages whenever it is told to; `r` reads them. */
const mapper = `
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
view = mmap.mmap(fd, 0)
os.close(fd)
for line in sys.stdin:
    for page in range(0, len(view), 4096):
        if line[0] == 'r': view[page]
        else: view[page] = ord(line[0])
    print('stored', flush=True)
`;

class Mapper {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(t: Test, file: string) {
    this.#child = spawn('python3', ['-c', mapper, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    t.teardown(() => this.#child.kill('SIGKILL'));
  }

  async store(letter: string): Promise<void> {
    this.#child.stdin.write(`${letter}\n`);
    await this.#lines.next();
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }
}

for (const kind of fileSystemKinds) {
  const skip = await exactSkip(kind);
  t.test(`stores through a mapping that was there first: ${kind}`, { skip }, async (t) => {
    await using fileSystem = await makeFileSystem(kind);
    const bench = new ExactBench(t, { place: fileSystem.path });
    const file = join(bench.root, 'mapped');
    writeFileSync(file, Buffer.alloc(64 * 1024, 'x'));
    const child = new Mapper(t, file);
    // Its pages are dirty from here on: nothing in the kernel tells of further stores into them.
    await child.store('a');
    await bench.open();
    await child.store('b');
    t.strictSame(await bench.differences(), [], 'stored after the first look began');
    await child.store('c');
    t.strictSame(await bench.differences(), [], 'stored later');
    t.match(bench.sink.changes.map(({ body }) => body).filter(({ kind: each }) => each === 'gap'), [{ edge: 'open', cause: /memory mapping/ }], 'a gap says so meanwhile');
    await child.end();
    await bench.untilExact();
    t.strictSame(await bench.differences(), []);
    await bench.close();
  });

  t.test(`stores through a mapping while the agent is away: ${kind}`, { skip }, async (t) => {
    await using fileSystem = await makeFileSystem(kind);
    const bench = new ExactBench(t, { place: fileSystem.path });
    const file = join(bench.root, 'mapped');
    writeFileSync(file, Buffer.alloc(64 * 1024, 'x'));
    const child = new Mapper(t, file);
    await child.store('a');
    await bench.open();
    t.strictSame(await bench.differences(), [], 'looked at while it is dirty');
    await bench.close();
    const before = statSync(file, { bigint: true });
    await child.store('b');
    await child.end();
    t.comment(`the store shows in the file's times: ${statSync(file, { bigint: true }).mtimeNs !== before.mtimeNs}`);
    await bench.open();
    await bench.untilExact();
    t.strictSame(await bench.differences(), [], 'pages that were dirty before');
    await bench.close();
    const later = new Mapper(t, file);
    // Read first: where nothing waits for the store, that maps a page for stores as well.
    await later.store('r');
    await later.store('c');
    await later.end();
    await bench.open();
    await bench.untilExact();
    t.strictSame(await bench.differences(), [], 'pages that were not');
    await bench.close();
  });
}
