/** Calls that change names and metadata, by path and by descriptor, and those that make things durable. */
import t from 'tap';
import { RecordCall, RecordKind } from '../../native/capture/record.js';
import { captureSkipReason, fileSystemMissing, fileSystems, python, Recorder, recordWhile, Volume, type CaptureRecord } from './capture-harness.js';

const skip = captureSkipReason();

/** A program, and what it must say: the call, and the names or, with an inode, the kind. */
const rows: readonly { readonly program: string; readonly call: number; readonly names?: string[]; readonly kind?: number; readonly except?: string }[] = [
  { program: `os.mkdir(name('folder'))`, call: RecordCall.mkdir, names: ['folder'] },
  { program: `os.mkdir(name('folder', 'below') + '///')`, call: RecordCall.mkdir, names: ['below'] },
  { program: `os.mkfifo(name('pipe'))`, call: RecordCall.mknod, names: ['pipe'] },
  { program: `os.symlink('some/target', name('symlink'))`, call: RecordCall.symlink, names: ['target', 'symlink'] },
  { program: `os.close(opened('first'))`, call: RecordCall.open, kind: RecordKind.names, names: ['first'] },
  { program: `os.link(name('first'), name('second'))`, call: RecordCall.link, names: ['first', 'second'] },
  { program: `os.rename(name('second'), name('folder', 'third'))`, call: RecordCall.rename, names: ['second', 'third'] },
  { program: `os.chmod(name('first'), 0o600)`, call: RecordCall.chmod, names: ['first'] },
  { program: `os.chown(name('first'), 1, 2)`, call: RecordCall.chown, names: ['first'] },
  { program: `os.utime(name('first'), (1, 2))`, call: RecordCall.utimes, names: ['first'] },
  { program: `os.setxattr(name('first'), 'trusted.key', b'value')`, call: RecordCall.setxattr, names: ['first'] },
  { program: `os.removexattr(name('first'), 'trusted.key')`, call: RecordCall.removexattr, names: ['first'] },
  { program: `os.fchmod(opened('first'), 0o640)`, call: RecordCall.fchmod, kind: RecordKind.attributes },
  { program: `os.fchmod(os.open(path, os.O_RDONLY), 0o755)`, call: RecordCall.fchmod, kind: RecordKind.attributes },
  { program: `os.fchown(opened('first'), 3, 4)`, call: RecordCall.fchown, kind: RecordKind.attributes },
  { program: `os.utime(opened('first'), (3, 4))`, call: RecordCall.futimens, kind: RecordKind.attributes },
  { program: `os.setxattr(opened('first'), 'trusted.other', b'value')`, call: RecordCall.fsetxattr, kind: RecordKind.attributes },
  { program: `os.removexattr(opened('first'), 'trusted.other')`, call: RecordCall.fremovexattr, kind: RecordKind.attributes },
  { program: `fcntl.ioctl(opened('first'), 0x40086602, struct.pack('l', 0x40))`, call: RecordCall.inodeFlags, kind: RecordKind.attributes },
  { program: `os.fsync(opened('first'))`, call: RecordCall.fsync, kind: RecordKind.durable },
  { program: `os.fdatasync(opened('first'))`, call: RecordCall.fdatasync, kind: RecordKind.durable },
  { program: `call(306, opened('first'))`, call: RecordCall.syncfs, kind: RecordKind.durable },
  { program: `os.sync()`, call: RecordCall.sync, kind: RecordKind.durable },
  { program: `socket.socket(socket.AF_UNIX).bind(name('socket'))`, call: RecordCall.bind, names: ['socket'] },
  { program: `os.unlink(name('folder', 'third'))`, call: RecordCall.unlink, names: ['third'] },
  { program: `os.rmdir(name('folder', 'below'))`, call: RecordCall.rmdir, names: ['below'] },
  { program: `call(263, os.open(path, os.O_RDONLY), b'folder', 0x200)`, call: RecordCall.rmdir, names: ['folder'] },
  { program: `os.rename(name('first'), name('${'n'.repeat(255)}'))`, call: RecordCall.rename, names: ['first', 'n'.repeat(255)] },
];

for (const kind of fileSystems) {
  t.test(kind, { skip: skip || (fileSystemMissing(kind) ?? false) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume);
    const marker = (index: number) => `os.mkfifo(name('mark ${index}'))`;
    const program = rows.map((row, index) => `${row.program}\n${marker(index)}`).join('\n');
    const records = (await recordWhile(recorder, python(volume, `${marker(1000)}\n${program}`))).filter(({ command }) => command === 'python3');
    const isMark = (record: CaptureRecord, index: number) => record.call === RecordCall.mknod && record.names[0] === `mark ${index}`;
    let from = records.findIndex((record) => isMark(record, 1000)) + 1;
    rows.forEach((row, index) => {
      const to = records.findIndex((record) => isMark(record, index));
      const between = records.slice(from, to);
      from = to + 1;
      const found = between.find(({ call }) => call === row.call);
      t.ok(found, `${row.program} is reported`);
      if (found === undefined) return;
      t.equal(found.kind, row.kind ?? RecordKind.names);
      if (row.names !== undefined) t.strictSame(found.names, row.names);
      if (row.kind !== undefined && row.call !== RecordCall.sync) t.ok(found.ino !== 0n, 'with its inode');
    });
    t.strictSame(recorder.takeLost().ranges, []);
  });
}
