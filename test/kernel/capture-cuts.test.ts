/** Cuts by path: which file it was that got another size, wherever the path led and whoever called. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { RecordCall, RecordKind } from '../../native/capture/record.js';
import { captureSkipReason, fileSystemMissing, fileSystems, python, Recorder, recordWhile, Volume } from './capture-harness.js';

const [major, minor] = release().split('.').map(Number) as [number, number];
const skip = captureSkipReason() || (major > 6 || (major === 6 && minor >= 13) ? false : 'the kernel does not tell of changed inodes (6.13)');

const program = `
other = sys.argv[2]
for leaf in 'plain', 'linked': os.write(opened(leaf), pattern(20000))
os.mkdir(name('d'))
os.symlink('../plain', name('d', 'symlink'))
os.link(name('linked'), name('d', 'second'))
os.truncate(name('plain'), 5001)
os.truncate(name('d', 'symlink'), 70002)
os.truncate(name('d', 'second'), 0)
os.truncate(name('plain'), 70002)
os.chdir(name('d'))
os.truncate('../linked', 9003)
os.truncate('/proc/self/cwd/../linked', 9004)
try: os.truncate(name('d', 'missing'), 5)
except FileNotFoundError: pass
try: os.truncate(name('plain'), -1)
except OSError: pass
os.close(os.open(os.path.join(other, 'elsewhere'), os.O_RDWR | os.O_CREAT))
for size in 10, 20, 0: os.truncate(os.path.join(other, 'elsewhere'), size)
os.symlink(name('plain'), os.path.join(other, 'into'))
os.truncate(os.path.join(other, 'into'), 5)
if os.fork() == 0:
    call(272, 0x20000)
    libc.mount(name('d').encode(), other.encode(), None, ctypes.c_ulong(0x1000), None)
    os.truncate(os.path.join(other, 'second'), 123)
    os._exit(0)
os.wait()
`;

for (const kind of fileSystems) {
  t.test(kind, { skip: skip || (fileSystemMissing(kind) ?? false) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume);
    const other = mkdtempSync(join(tmpdir(), 'afterimage-cuts-'));
    t.teardown(() => rmSync(other, { recursive: true }));
    const records = await recordWhile(recorder, python(volume, program, other));
    const inode = (name: string): bigint => statSync(join(volume.path, name), { bigint: true }).ino;
    const names = new Map(['plain', 'linked'].map((name) => [inode(name), name]));
    const sizes = new Map<string | undefined, number>();
    // Some file systems tell of a cut to the size that the file has, and some do not.
    const isNew = ([, name, size]: readonly [number, string | undefined, number]): boolean => sizes.get(name) !== size && sizes.set(name, size) !== undefined;
    const cuts = records.filter(({ call, command }) => call === RecordCall.truncate && command === 'python3').map(({ kind, ino, size }) => [kind, names.get(ino), size] as const).filter(isNew);
    const cut = (name: string, size: number) => [RecordKind.truncate, name, size];
    t.strictSame(cuts, [
      cut('plain', 5001), cut('plain', 70002), cut('linked', 0), cut('linked', 9003), cut('linked', 9004), cut('plain', 5), cut('linked', 123),
    ], 'each that changed something is told of with its inode, and no other');
    t.strictSame(recorder.takeLost(), { ranges: [], namesSinceNs: undefined, everythingSinceNs: undefined });
  });
}
