/** Contract of TreeFile: reading, writing, holes, and which files open at all. */
import type { Test } from 'tap';
import type { TreeFile } from '../../native/host/directory.js';
import { content, name, put, refused, type Subject } from './directory-subject.js';

const BLOCK = 64 * 1024;

async function spans(file: TreeFile): Promise<{ offset: number; length: number }[]> {
  const found = [];
  for (let at = 0; ; ) {
    const span = await file.nextData(at);
    if (span === undefined) return found;
    found.push(span);
    at = span.offset + span.length;
  }
}

export function fileContract(t: Test, subject: Subject): void {
  t.test('a new file is empty, private and writable', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    t.match(await file.stat(), { kind: 'file', size: 0, mode: 0o600, linkCount: 1, deviceMajor: 0, deviceMinor: 0 });
    await file.write(name('content'), 0);
    t.match(await file.stat(), { size: 7 });
    t.same(await root.lookup(name('file')), await file.stat(), 'lookup and stat agree');
    await file.datasync();
    await file.close();
    await file.close();
    await refused(t, file.write(name('x'), 0), 'EBADF');
    await refused(t, file.stat(), 'EBADF');
  });

  t.test('reads end at the end of the file and nowhere else', async (t) => {
    const root = await subject.open(t);
    const bytes = Buffer.alloc(300_000, 'abcdefg');
    await put(root, name('file'), bytes);
    const file = await root.openFile(name('file'), 'read');
    const target = Buffer.alloc(400_000, 0xee);
    t.equal(await file.read(target, 0), bytes.length);
    t.same(target.subarray(0, bytes.length), bytes);
    t.equal(target[bytes.length], 0xee, 'what lies beyond is left alone');
    t.equal(await file.read(target.subarray(0, 10), 299_995), 5);
    t.equal(await file.read(target, 300_000), 0);
    t.equal(await file.read(target, 2 ** 40), 0);
    t.equal(await file.read(Buffer.alloc(0), 0), 0);
    await refused(t, file.write(name('x'), 0), ['EBADF', 'EPERM', 'EACCES']);
    await refused(t, file.truncate(0), ['EBADF', 'EINVAL', 'EPERM']);
    await file.close();
    t.same(await content(root, name('file')), bytes);
  });

  t.test('writes land where they are put, also far beyond the end', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    const far = 5 * 2 ** 30 + 12_345;
    await file.write(name('end'), far);
    await file.write(name('start'), 0);
    await file.write(new Uint8Array(0), far * 2);
    const { size, allocatedBytes } = await file.stat();
    t.equal(size, far + 3);
    t.ok(allocatedBytes < 2 ** 20, 'what was skipped takes no space');
    const target = Buffer.alloc(8);
    await file.read(target, far - 5);
    t.same(target, name('\0\0\0\0\0end'));
    await file.close();
  });

  t.test('several writes at once all land', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    const pieces = Array.from({ length: 64 }, (_, index) => Buffer.alloc(10_007, index));
    await Promise.all(pieces.map((piece, index) => file.write(piece, index * 10_007)));
    await file.close();
    t.same(await content(root, name('file')), Buffer.concat(pieces));
  });

  t.test('truncate cuts, and what a later extension uncovers is zero', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    await file.write(Buffer.alloc(10_000, 1), 0);
    await file.truncate(4_500);
    await file.truncate(9_000);
    const target = Buffer.alloc(10_000, 9);
    t.equal(await file.read(target, 0), 9_000);
    t.same(target.subarray(0, 9_000), Buffer.concat([Buffer.alloc(4_500, 1), Buffer.alloc(4_500)]));
    await file.truncate(0);
    t.equal((await file.stat()).size, 0);
    t.equal((await file.stat()).allocatedBytes, 0);
    await file.close();
  });

  t.test('nextData finds all data and, where holes are known, skips them', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    t.same(await spans(file), [], 'an empty file has none');
    await file.write(Buffer.alloc(BLOCK, 1), BLOCK);
    await file.write(Buffer.alloc(10, 2), 5 * BLOCK);
    await file.truncate(9 * BLOCK);
    const expected = subject.can.holes
      ? [{ offset: BLOCK, length: BLOCK }, { offset: 5 * BLOCK, length: 4096 }]
      : [{ offset: 0, length: 9 * BLOCK }];
    t.same(await spans(file), expected);
    t.same(await file.nextData(BLOCK + 7), { offset: BLOCK + 7, length: expected[0]!.offset + expected[0]!.length - BLOCK - 7 });
    t.equal(await file.nextData(9 * BLOCK), undefined);
    t.equal(await file.nextData(2 ** 45), undefined);
    await file.close();
  });

  t.test('punch zeroes a range of any alignment and keeps the size', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    const model = Buffer.alloc(8 * BLOCK + 100, 7);
    await file.write(model, 0);
    const ranges = [
      { offset: 10, length: 5 },
      { offset: BLOCK, length: BLOCK },
      { offset: 2 * BLOCK + 3000, length: 2 * BLOCK },
      { offset: 8 * BLOCK + 50, length: 10_000 },
      { offset: 20 * BLOCK, length: BLOCK },
      { offset: 0, length: 0 },
    ];
    for (const span of ranges) {
      await file.punch(span);
      model.fill(0, Math.min(span.offset, model.length), Math.min(span.offset + span.length, model.length));
    }
    t.equal((await file.stat()).size, model.length);
    t.same(await content(root, name('file')), model);
    if (subject.can.holes) {
      t.ok((await file.stat()).allocatedBytes <= 7 * BLOCK, 'the space is given back');
      t.ok(!(await spans(file)).some((span) => span.offset < 2 * BLOCK && span.offset + span.length > BLOCK), 'it is a hole');
    }
    await file.close();
  });

  t.test('an open file survives the removal of its last name', async (t) => {
    const root = await subject.open(t);
    const file = await root.createFile(name('file'));
    await root.unlink(name('file'));
    await file.write(name('x'), 0);
    t.match(await file.stat(), { linkCount: 0, size: 1 });
    await file.close();
  });

  t.test('only regular files open as files, and nothing waits', async (t) => {
    const root = await subject.open(t);
    await root.makeDirectory(name('directory'));
    await refused(t, root.openFile(name('directory'), 'read'), 'EINVAL', name('directory'));
    await put(root, name('file'), '');
    await refused(t, root.openDirectory(name('file')), 'ENOTDIR', name('file'));
    if (!subject.can.specials) return;
    for (const kind of ['fifo', 'socket'] as const) {
      await root.makeSpecial(name(kind), { kind, mode: 0o666, deviceMajor: 0, deviceMinor: 0 });
      await refused(t, root.openFile(name(kind), 'read'), 'EINVAL', name(kind));
      await refused(t, root.openFile(name(kind), 'write'), 'EINVAL', name(kind));
    }
  });
}
