/** What is not captured byte by byte is said: mappings, overflow, asynchronous I/O; and what is excluded stays silent. */
import { writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DirtyCause, RecordCall, RecordKind } from '../../native/capture/record.js';
import { captureSkipReason, fileSystemMissing, fileSystems, python, Recorder, recordWhile, runProgram, Volume, type CaptureRecord, type FileSystem } from './capture-harness.js';
import { Model } from './capture-model.js';

const skip = captureSkipReason();
const skipOn = (kind: FileSystem) => skip || (fileSystemMissing(kind) ?? false);
const withInode = ({ ino }: CaptureRecord) => ino !== 0n;

for (const kind of fileSystems) {
  t.test(`${kind}: stores through a shared mapping`, { skip: skipOn(kind) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume);
    const before = await recordWhile(recorder, python(volume, `fd = opened('mapped')\nos.write(fd, bytes(1 << 20))\nos.fsync(fd)`));
    const { ino, generation, device, tree } = before.find(withInode)!;
    t.equal(recorder.stream.isMapped({ ino, generation, device, tree }), false, 'it is not mapped yet');
    let mapped: boolean | undefined;
    const ready = join(volume.path, 'ready');
    const running = python(volume, `
fd = opened('mapped')
memory = mmap.mmap(fd, 1 << 20)
memory[5000] = 1
memory[500000] = 2
os.mkdir(name('ready'))
while os.path.exists(name('ready')): time.sleep(0.01)
memory.flush()
`);
    const records = await recordWhile(recorder, (async () => {
      while (statSync(ready, { throwIfNoEntry: false }) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      mapped = recorder.stream.isMapped({ ino, generation, device, tree });
      execFileSync('rmdir', [ready]);
      await running;
    })());
    t.equal(mapped, true, 'it is mapped while the program runs');
    t.equal(recorder.stream.isMapped({ ino, generation, device, tree }), false, 'and not after');
    const dirty = records.filter((record) => record.kind === RecordKind.dirty);
    t.ok(dirty.length >= 1 && dirty.length <= 2, `few records however many stores: ${dirty.length}`);
    t.ok(dirty.every((record) => record.ino === ino && record.a === BigInt(DirtyCause.sharedMapping)));
    t.ok(records.some((record) => record.call === RecordCall.msync && record.ino === ino), 'msync is reported for the inode');
    const [range, ...more] = recorder.takeLost().ranges;
    t.equal(more.length, 0);
    t.match(range, { ino, low: 0, high: Infinity, causes: 1 << DirtyCause.sharedMapping });
    t.strictSame(recorder.takeLost().ranges, [], 'what was taken is not given again');
  });

  t.test(`${kind}: io_uring and Linux AIO`, { skip: skipOn(kind) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume);
    const model = new Model();
    const records = await recordWhile(recorder, python(volume, `
fd = opened('aio')
context = ctypes.c_ulong(0)
call(206, 8, ctypes.byref(context))
data = ctypes.create_string_buffer(pattern(30000, 5), 30000)
control = struct.pack('QIIHhIQQqQII', 0, 0, 0, 1, 0, fd, ctypes.addressof(data), 30000, 4321, 0, 0, 0)
block = ctypes.create_string_buffer(control, len(control))
pointers = (ctypes.c_void_p * 1)(ctypes.addressof(block))
assert call(209, context.value, 1, ctypes.byref(pointers)) == 1
events = ctypes.create_string_buffer(64)
call(208, context.value, 1, 1, ctypes.byref(events), 0)

try:
    parameters = ctypes.create_string_buffer(120)
    ring = call(425, 8, ctypes.byref(parameters))
except OSError as error:
    print('no io_uring', error)
    sys.exit(0)
values = struct.unpack('10I10I10I', parameters.raw)
submission, completion = values[10:20], values[20:30]
rings = mmap.mmap(ring, submission[6] + 4 * 8 + 4096 * 4, offset=0)
entries = mmap.mmap(ring, 64 * 8, offset=0x10000000)
def submit(opcode, fd, offset, address, length, flags=0):
    tail = struct.unpack_from('I', rings, submission[1])[0]
    entries[0:64] = struct.pack('BBHiQQIIQQQQ', opcode, flags, 0, fd, offset, address, length, 0, 0, 0, 0, 0)
    struct.pack_into('I', rings, submission[6] + 4 * (tail & 7), 0)
    struct.pack_into('I', rings, submission[1], tail + 1)
    call(426, ring, 1, 0 if flags else 1, 1, 0, 0)
fd = opened('uring')
submit(23, fd, 777, ctypes.addressof(data), 30000)
submit(23, fd, 100000, ctypes.addressof(data), 4096)
iov = (ctypes.c_ulong * 2)(ctypes.addressof(data), 5000)
submit(2, fd, 50, ctypes.addressof(iov), 1)
submit(3, fd, 0, 0, 0)
directory = ctypes.create_string_buffer(name('by uring').encode())
submit(37, -100, 0, ctypes.addressof(directory), 0o755)
print('io_uring done')
`).then((output) => t.comment(output)));
    for (const record of records) model.apply(record);
    model.applyLost(recorder.takeLost());
    t.strictSame(model.differences(volume), [], 'the model equals the files');
    t.equal(model.dirty, 0);
    const aio = records.filter(({ call }) => call === RecordCall.ioSubmit);
    t.ok(aio.length > 0 && aio.every((record) => record.kind === RecordKind.write));
    const uring = records.filter(({ call }) => call === RecordCall.ioUring);
    t.ok(uring.length > 0 && uring.every((record) => record.kind === RecordKind.write));
    t.ok(records.some((record) => record.call === RecordCall.mkdir && record.ino === 0n && record.data.length === 0), 'the directory is announced without its name');
  });
}

t.test('a full ring is said, with the range', { skip }, async (t) => {
  using volume = new Volume('tmpfs');
  await using recorder = new Recorder(volume, 2 ** 20);
  await python(volume, `
fd = opened('much')
for n in range(200): os.pwrite(fd, pattern(60000, n), 1000 + n * 60000)
for n in range(20000): os.mkdir(name('d%d' % n))
`);
  const records = await recorder.collect();
  const lost = recorder.takeLost();
  t.ok(recorder.stream.stats().lostRecords > 0n);
  t.type(lost.namesSinceNs, 'bigint', 'names were lost');
  t.equal(lost.everythingSinceNs, undefined);
  const [range, ...more] = lost.ranges;
  t.equal(more.length, 0);
  t.ok(range !== undefined && range.low >= 1000 && range.high === 1000 + 200 * 60000 && range.causes === 1 << DirtyCause.ringFull);
  const model = new Model();
  for (const record of records) model.apply(record);
  model.applyLost(lost);
  t.strictSame(model.differences(volume), [], 'with the lost range read back the model equals the file');
  const after = await recordWhile(recorder, python(volume, `os.write(opened('more'), b'more')`));
  t.ok(after.some(({ call }) => call === RecordCall.write), 'there is room again');
  t.strictSame(recorder.takeLost().ranges, [], 'what was taken is not given again');
});

t.test('what is outside, unwatched or our own is not reported', { skip }, async (t) => {
  using volume = new Volume('ext4');
  await using recorder = new Recorder(volume);
  writeFileSync(join(volume.path, 'own'), 'own');
  const [write] = (await recordWhile(recorder, python(volume, `os.write(opened('theirs'), b'theirs')`))).filter(({ kind }) => kind === RecordKind.write);
  t.match(write, { data: Buffer.from('theirs') });
  recorder.stream.markOutside(write!);
  const after = await recordWhile(recorder, python(volume, `os.write(opened('theirs'), b'again')\nos.write(opened('another'), b'another')`));
  t.strictSame(after.filter(({ kind }) => kind === RecordKind.write).map(({ data }) => String(data)), ['another']);
  recorder.stream.unwatch(volume.device);
  const unwatched = await recordWhile(recorder, python(volume, `os.write(opened('another'), b'unseen')`));
  t.strictSame(unwatched.filter(withInode), []);
});

t.test('a buffer that cannot be read is replaced by the page cache', { skip }, async (t) => {
  using volume = new Volume('ext4');
  await using recorder = new Recorder(volume);
  // A source file's pages are in the page cache, but not in the page table of who maps it.
  const records = await recordWhile(recorder, python(volume, `
source = opened('source')
os.write(source, pattern(100000))
fd = opened('target')
libc.mmap.restype = ctypes.c_void_p
address = libc.mmap(None, 100000, 1, 1, source, ctypes.c_long(0))
os.write(fd, b'')
call(1, fd, address, 100000)
libc.madvise(ctypes.c_void_p(address), 100000, 4)
`));
  const model = new Model();
  for (const record of records) model.apply(record);
  t.strictSame(model.differences(volume), []);
});

t.test('32-bit programs', { skip: skip || (process.arch === 'x64' ? false : 'of x86-64 only') }, async (t) => {
  using volume = new Volume('ext4');
  await using recorder = new Recorder(volume);
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-compat-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // The old way into the kernel takes 32-bit numbers and arguments from a 64-bit program too.
  writeFileSync(join(folder, 'compat.c'), String.raw`
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
static long call(long number, long a, long b, long c, long d, long e) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}
int main(int count, char** options) {
  char* low = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  strcpy(low, options[1]);
  int fd = call(5, (long)low, 0100102, 0644, 0, 0);
  if (fd < 0) return 1;
  memset(low + 4096, 'c', 5000);
  if (call(4, fd, (long)low + 4096, 5000, 0, 0) != 5000) return 2;
  if (call(181, fd, (long)low + 4096, 5000, 0x10000000, 1) != 5000) return 3;
  if (call(93, fd, 3000, 0, 0, 0) != 0) return 4;
  unsigned* pieces = (unsigned*)(low + 16384);
  pieces[0] = (unsigned)(long)(low + 4096); pieces[1] = 100; pieces[2] = (unsigned)(long)(low + 4096); pieces[3] = 700;
  if (call(146, fd, (long)pieces, 2, 0, 0) != 800) return 5;
  if (call(4, fd, 1, 5000, 0, 0) != -14 || call(181, fd, 1, 700, 200, 0) != -14) return 7;
  strcpy(low + 2048, options[1]); strcat(low + 2048, ".moved");
  return call(38, (long)low, (long)low + 2048, 0, 0, 0) == 0 ? 0 : 6;
}
`);
  execFileSync('gcc', ['-o', join(folder, 'compat'), join(folder, 'compat.c')]);
  const records = await recordWhile(recorder, runProgram(join(folder, 'compat'), [join(volume.path, 'compat')]));
  const model = new Model();
  // What is written far off is cut away again, and would be much memory for the model.
  for (const record of records) if (record.offset < 2 ** 32) model.apply(record);
  t.strictSame(model.differences(volume), []);
  const written = records.filter(({ kind }) => kind === RecordKind.write).reduce((bytes, { length }) => bytes + length, 0);
  t.equal(written, 5000 + 5000 + 800, 'calls that failed wrote nothing');
  t.notOk(records.some(({ kind }) => kind === RecordKind.dirty));
  t.ok(records.some(({ offset }) => offset === 0x1_1000_0000), 'an offset of 64 bits comes in two halves');
  t.ok(records.some(({ names }) => names[1] === 'compat.moved'));
});
