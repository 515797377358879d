/** Content of the write calls, on every file system: what is replayed from the records is what the files hold. */
import t from 'tap';
import { RecordCall, RecordKind } from '../../native/capture/record.js';
import { captureSkipReason, fileSystemMissing, fileSystems, python, Recorder, recordWhile, Volume } from './capture-harness.js';
import { Model } from './capture-model.js';

const skip = captureSkipReason();

for (const kind of fileSystems) {
  t.test(kind, { skip: skip || (fileSystemMissing(kind) ?? false) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume);

    const check = async (label: string, program: string) => {
      const records = await recordWhile(recorder, python(volume, program));
      const model = new Model();
      for (const record of records) model.apply(record);
      t.strictSame(model.differences(volume), [], `${label}: the model equals the files`);
      t.equal(model.dirty, 0, `${label}: nothing went uncaptured`);
      return records;
    };

    const records = await check('write and pwrite', `
fd = opened('file')
os.write(fd, b'hello')
os.pwrite(fd, b'J', 0)
for size in (1, 511, 512, 513, 4095, 4096, 4097, 8192, 10000, 16384, 65535, 65536, 65537, 300001):
    os.write(fd, pattern(size, size))
    os.pwrite(fd, pattern(size, size + 1), size * 3)
os.close(fd)
`);
    const own = records.filter(({ ino, command }) => ino !== 0n && command === 'python3');
    t.match(own[0], { kind: RecordKind.names, call: RecordCall.open, names: ['file'], size: 0 }, 'the file is made first');
    t.match(own[1], { kind: RecordKind.write, call: RecordCall.write, offset: 0, size: 5, data: Buffer.from('hello'), links: 1 });
    t.match(own[2], { kind: RecordKind.write, call: RecordCall.pwrite, offset: 0, data: Buffer.from('J') });
    t.ok(own.every(({ device }) => device === volume.device));
  });
}
