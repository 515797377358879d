/** Contract of Directory: owner, mode, times, extended attributes, special nodes, syncing. */
import type { Test } from 'tap';
import type { Directory } from '../../native/host/directory.js';
import { makeAndOpen, name, put, refused, type Subject } from './directory-subject.js';

/** 13 hours before the epoch, the epoch, and instants whose nanoseconds no double can hold. */
const instants = [-46_800_000_000_001n, 0n, 1n, 999_999_999n, 1_700_000_000_123_456_789n, 2_147_483_648_000_000_001n, 4_102_444_800_999_999_999n];

async function sameTime(t: Test, subject: Subject, found: bigint | undefined, wanted: bigint): Promise<void> {
  if (subject.can.exactTimes) return void t.equal(found, wanted);
  const tolerance = wanted < 0n ? 1_000_000n : 2_000n;
  const off = (found ?? 0n) - wanted;
  t.ok(off <= tolerance && -off <= tolerance, `${found} is within ${tolerance} ns of ${wanted}`);
}

export function metadataContract(t: Test, subject: Subject): void {
  t.test('directories start private, and know themselves', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    t.match(await inner.stat(), { kind: 'directory', mode: 0o700, linkCount: 2 });
    t.same(await inner.stat(), await root.lookup(name('inner')));
    t.equal((await root.stat()).linkCount, 3, 'a sub-directory counts as a link');
    const { birthNs } = await inner.stat();
    t.ok(birthNs > 1_600_000_000_000_000_000n, 'the birth time is known');
    await inner.close();
  });

  t.test('modes are set exactly, set-id and sticky bits included', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), '');
    const inner = await makeAndOpen(root, name('inner'));
    for (const mode of [0o000, 0o4755, 0o2711, 0o6777, 0o604]) {
      await root.setOwnerAndMode(name('file'), { mode });
      t.equal((await root.lookup(name('file')))?.mode, mode);
    }
    await root.setOwnerAndMode(name('inner'), { mode: 0o1777 });
    t.equal((await inner.stat()).mode, 0o1777);
    await inner.setOwnerAndMode(undefined, { mode: 0o2750 });
    t.equal((await root.lookup(name('inner')))?.mode, 0o2750);
    await inner.setOwnerAndMode(undefined, {});
    t.equal((await inner.stat()).mode, 0o2750);
    await inner.close();
  });

  t.test('owner and mode together keep the set-id bits; only root gives files away', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), '');
    if (!subject.asRoot) {
      return refused(t, root.setOwnerAndMode(name('file'), { uid: 0, mode: 0o777 }), 'EPERM', name('file'));
    }
    await root.setOwnerAndMode(name('file'), { uid: 4_000_000_000, gid: 23, mode: 0o6755 });
    t.match(await root.lookup(name('file')), { uid: 4_000_000_000, gid: 23, mode: 0o6755 });
    await root.setOwnerAndMode(name('file'), { gid: 24 });
    t.match(await root.lookup(name('file')), { uid: 4_000_000_000, gid: 24, mode: 0o755 }, 'chown alone clears them');
    await root.setOwnerAndMode(name('file'), { uid: 5 });
    t.match(await root.lookup(name('file')), { uid: 5, gid: 24 });
    const inner = await makeAndOpen(root, name('inner'));
    await inner.setOwnerAndMode(undefined, { uid: 7, gid: 8 });
    t.match(await inner.stat(), { uid: 7, gid: 8 });
    await inner.close();
  });

  t.test('times are set to the nanosecond, one alone or both', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), '');
    await root.makeSymlink(name('link'), name('file'));
    const inner = await makeAndOpen(root, name('inner'));
    for (const instant of instants) {
      for (const entry of [name('file'), name('link'), name('inner')]) {
        await root.setTimes(entry, { accessNs: instant + 5_000n, modifyNs: instant });
        const found = await root.lookup(entry);
        await sameTime(t, subject, found?.accessNs, instant + 5_000n);
        await sameTime(t, subject, found?.modifyNs, instant);
      }
    }
    const own = 1_234_567_890_987_654_321n;
    await inner.setTimes(undefined, { modifyNs: own });
    await sameTime(t, subject, (await inner.stat()).modifyNs, own);
    const before = await root.lookup(name('file'));
    await root.setTimes(name('file'), { modifyNs: own });
    await sameTime(t, subject, (await root.lookup(name('file')))?.accessNs, before!.accessNs);
    await sameTime(t, subject, (await root.lookup(name('file')))?.modifyNs, own);
    await root.setTimes(name('file'), { accessNs: 77_000n });
    await sameTime(t, subject, (await root.lookup(name('file')))?.modifyNs, own);
    await root.setTimes(name('file'), {});
    await sameTime(t, subject, (await root.lookup(name('file')))?.accessNs, 77_000n);
    await inner.close();
  });

  t.test('extended attributes are kept byte by byte, or there are none', async (t) => {
    const root = await subject.open(t);
    await put(root, name('file'), '');
    t.same((await root.xattrs(name('file'))).size, 0);
    if (!subject.can.xattrs) {
      await refused(t, root.setXattr(name('file'), 'user.a', name('x')), 'ENOTSUP', name('file'));
      await refused(t, root.removeXattr(name('file'), 'user.a'), 'ENOTSUP', name('file'));
      return;
    }
    const values = new Map([
      ['user.empty', Buffer.alloc(0)],
      ['user.bytes', Buffer.from([0, 0xff, 0, 10])],
      [`user.${Buffer.from([0xff, 0xfe, 0x0a]).toString('latin1')}`, name('key of bytes')],
      ['user.long', Buffer.alloc(1500, 'v')],
    ]);
    for (const [key, value] of values) await root.setXattr(name('file'), key, value);
    t.same(await root.xattrs(name('file')), values);
    await root.setXattr(name('file'), 'user.bytes', name('replaced'));
    await root.removeXattr(name('file'), 'user.long');
    const found = await root.xattrs(name('file'));
    t.same(found.get('user.bytes'), name('replaced'));
    t.notOk(found.has('user.long'));
    await refused(t, root.removeXattr(name('file'), 'user.long'), ['ENODATA', 'ENOATTR'], name('file'));
    await refused(t, root.setXattr(name('file'), 'user.a\0b', name('x')), 'EINVAL', name('file'));
    await ownXattrs(t, root);
  });

  t.test('special nodes are made as described, or the error says why not', async (t) => {
    const root = await subject.open(t);
    const node = { mode: 0o666, deviceMajor: 0, deviceMinor: 0 };
    if (!subject.can.specials) {
      return refused(t, root.makeSpecial(name('fifo'), { kind: 'fifo', ...node }), 'ENOTSUP', name('fifo'));
    }
    for (const kind of ['fifo', 'socket'] as const) {
      await root.makeSpecial(name(kind), { kind, ...node });
      t.match(await root.lookup(name(kind)), { kind, mode: 0o666, deviceMajor: 0, deviceMinor: 0 });
      await refused(t, root.makeSpecial(name(kind), { kind, ...node }), 'EEXIST', name(kind));
    }
    for (const kind of ['block-device', 'character-device'] as const) {
      const device = { kind, mode: 0o640, deviceMajor: 4095, deviceMinor: 1_048_575 };
      if (!subject.asRoot) {
        await refused(t, root.makeSpecial(name(kind), device), 'EPERM', name(kind));
        continue;
      }
      await root.makeSpecial(name(kind), device);
      t.match(await root.lookup(name(kind)), device);
    }
  });

  t.test('a tree can be made durable as a whole', async (t) => {
    const root = await subject.open(t);
    const inner = await makeAndOpen(root, name('inner'));
    await put(inner, name('file'), 'x');
    await root.makeSymlink(name('link'), name('inner'));
    await root.syncTree();
    await inner.syncTree();
    await inner.close();
  });
}

/** Attributes of a directory, through its parent and through itself. */
async function ownXattrs(t: Test, root: Directory): Promise<void> {
  const inner = await makeAndOpen(root, name('inner'));
  await inner.setXattr(undefined, 'user.own', name('1'));
  t.same(await root.xattrs(name('inner')), new Map([['user.own', name('1')]]));
  await root.setXattr(name('inner'), 'user.own', name('2'));
  t.same(await inner.xattrs(undefined), new Map([['user.own', name('2')]]));
  await inner.removeXattr(undefined, 'user.own');
  t.equal((await inner.xattrs(undefined)).size, 0);
  await inner.close();
}
