/** Content of every call that changes it, on every file system: what is replayed from the records is what the files hold. */
import t from 'tap';
import { RecordCall, RecordFlag, RecordKind } from '../../native/capture/record.js';
import { captureSkipReason, fileSystemMissing, fileSystems, python, Recorder, recordWhile, Volume } from './capture-harness.js';
import { Model } from './capture-model.js';

const skip = captureSkipReason();

const runs = [
  ...fileSystems.map((kind) => ({ kind, preferPageCache: true })),
  { kind: 'ext4', preferPageCache: false },
  { kind: 'tmpfs', preferPageCache: false },
] as const;

for (const { kind, preferPageCache } of runs) {
  t.test(`${kind}, from ${preferPageCache ? 'the page cache' : 'user memory'}`, { skip: skip || (fileSystemMissing(kind) ?? false) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume, 2 ** 26, preferPageCache);
    const source = preferPageCache ? RecordFlag.pageCache : 0;
    const model = new Model();
    let dirtyBefore = 0;

    /** Runs the program; the model of all records so far must equal the files. Gives the records that have an inode. */
    const check = async (label: string, program: string, dirty = 0) => {
      const records = await recordWhile(recorder, python(volume, program));
      for (const record of records) model.apply(record);
      t.strictSame(model.differences(volume), [], `${label}: the model equals the files`);
      t.equal(model.dirty - dirtyBefore, dirty, `${label}: so much went uncaptured`);
      dirtyBefore = model.dirty;
      return records.filter(({ ino }) => ino !== 0n);
    };

    const first = await check('write and pwrite', `
fd = opened('file')
os.write(fd, b'hello')
os.pwrite(fd, b'J', 0)
for size in (1, 511, 512, 513, 4095, 4096, 4097, 8192, 10000, 16384, 65535, 65536, 65537, 300001):
    os.write(fd, pattern(size, size))
    os.pwrite(fd, pattern(size, size + 1), size * 3)
os.close(fd)
`);
    t.match(first[0], { kind: RecordKind.names, call: RecordCall.open, names: ['file'], size: 0 }, 'the file is made first');
    t.match(first[1], { kind: RecordKind.write, call: RecordCall.write, flags: RecordFlag.filePosition | source, offset: 0, size: 5, data: Buffer.from('hello'), links: 1, command: 'python3' });
    t.match(first[2], { kind: RecordKind.write, call: RecordCall.pwrite, flags: source, offset: 0, data: Buffer.from('J') });
    t.ok(first.every(({ device }) => device === volume.device));

    await check('vectors', `
fd = opened('vectors')
pieces = [pattern(n, n) for n in (1, 0, 100, 5000, 70000, 3)]
os.writev(fd, pieces)
os.pwritev(fd, pieces, 12345)
os.pwritev(fd, pieces, 200000, 0)
os.pwritev(fd, [bytes([n % 251]) * (n % 7) for n in range(1024)], 17)
os.lseek(fd, 100, 0)
iov = (ctypes.c_ulong * 2)(ctypes.addressof(ctypes.create_string_buffer(b'through the position', 20)), 20)
call(328, fd, ctypes.byref(iov), 1, -1, -1, 0)
call(328, fd, ctypes.byref(iov), 1, 0, 0, 0x10)
os.close(fd)
`);

    await check('appending', `
fd = opened('appended', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for n in range(20): os.write(fd, pattern(1000 + n, n))
os.pwrite(fd, b'appended whatever the offset', 5)
os.close(fd)
`);

    const truncations = await check('truncation', `
fd = opened('cut')
os.write(fd, pattern(100000))
os.ftruncate(fd, 50001)
os.ftruncate(fd, 70000)
os.pwrite(fd, b'x', 90000)
os.close(fd)
os.close(opened('cut', os.O_WRONLY | os.O_TRUNC))
fd = os.open(name('cut'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(fd, b'again')
os.close(fd)
fd = call(85, name('cut').encode(), 0o600)
os.write(fd, b'creat')
os.close(fd)
`);
    t.strictSame(truncations.filter((record) => record.kind === RecordKind.truncate).map(({ call, size }) => [call, size]), [
      [RecordCall.ftruncate, 50001], [RecordCall.ftruncate, 70000], [RecordCall.open, 0], [RecordCall.open, 0], [RecordCall.open, 0],
    ]);

    await check('direct I/O', kind === 'tmpfs' ? '' : `
fd = opened('direct', os.O_RDWR | os.O_CREAT | os.O_DIRECT)
memory = mmap.mmap(-1, 1 << 20)
memory.write(pattern(1 << 20))
os.writev(fd, [memory])
os.pwritev(fd, [memoryview(memory)[8192:8192 + 65536]], 4096)
os.close(fd)
`);

    await check('sendfile and splice', `
source = opened('source')
os.write(source, pattern(300000, 7))
fd = opened('sent')
os.lseek(fd, 11, 0)
os.sendfile(fd, source, 1000, 250000)
os.close(fd)
fd = opened('spliced')
read, write = os.pipe()
os.write(write, pattern(40000, 8))
os.splice(read, fd, 30000, offset_dst=777)
os.splice(read, fd, 10000)
os.close(fd)
`);

    const copies = await check('copy_file_range', `
source = os.open(name('source'), os.O_RDONLY)
fd = opened('copied')
done = 0
while done < 300000: done += os.copy_file_range(source, fd, 300000 - done)
os.copy_file_range(source, fd, 4096, 4096, 8192)
os.close(fd)
`);
    t.ok(copies.some(({ call, kind }) => call === RecordCall.copyFileRange && (kind === RecordKind.write || kind === RecordKind.clone)));

    await check('allocation', kind === 'btrfs' ? `
fd = opened('allocated')
os.write(fd, pattern(100000))
call(285, fd, 0, 0, 150000)
call(285, fd, 1, 0, 200000)
call(285, fd, 3, 5000, 20000)
call(285, fd, 16, 120000, 1000)
` : kind === 'tmpfs' ? `
fd = opened('allocated')
os.write(fd, pattern(100000))
os.posix_fallocate(fd, 0, 150000)
call(285, fd, 3, 5000, 20000)
` : `
fd = opened('allocated')
os.write(fd, pattern(100000))
os.posix_fallocate(fd, 0, 150000)
call(285, fd, 1, 0, 200000)
call(285, fd, 3, 5000, 20000)
call(285, fd, 16, 20000, 1000)
call(285, fd, 8, 4096, 8192)
call(285, fd, 32, 8192, 4096)
`);

    if (kind === 'xfs' || kind === 'btrfs') {
      const clones = await check('clones', `
source = os.open(name('source'), os.O_RDONLY)
fd = opened('cloned')
fcntl.ioctl(fd, 0x40049409, source)
fd = opened('cloned range')
os.ftruncate(fd, 131072)
fcntl.ioctl(fd, 0x4020940d, struct.pack('qQQQ', source, 4096, 65536, 8192))
a = opened('cloned')
fcntl.ioctl(a, 0xc0189436, bytearray(struct.pack('QQHHIqQQiI', 4096, 4096, 1, 0, 0, fd, 8192, 0, 0, 0)))
`);
      t.strictSame(clones.filter((record) => record.kind === RecordKind.clone).map(({ call, offset, length }) => [call, offset, length]), [
        [RecordCall.clone, 0, 300000], [RecordCall.cloneRange, 8192, 65536],
      ], 'deduplication changes no content');
    }

    await check('sparse and far', `
fd = opened('sparse')
for offset in (0, 4096 * 63, 4096 * 64, 4096 * 4097, (1 << 28) + 3): os.pwrite(fd, pattern(5000, offset), offset)
`);

    const temporary = await check('temporary', `
fd = os.open(path, os.O_RDWR | os.O_TMPFILE, 0o600)
os.write(fd, b'nameless')
`);
    t.match(temporary.map((record) => record.kind), [RecordKind.temporary, RecordKind.write]);

    const lost = recorder.takeLost();
    t.strictSame(lost, { ranges: [], namesSinceNs: undefined, everythingSinceNs: undefined }, 'nothing was lost');
  });
}
