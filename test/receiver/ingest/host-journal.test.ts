/** Nothing is acknowledged before it is durable, one sync covers many frames, and what does not follow is refused whole. */
import t from 'tap';
import { rootNode } from '../../../proto/change.js';
import { readFrame } from '../../../proto/journal/frame.js';
import { frame as layout } from '../../../proto/journal/layout.js';
import { hash64 } from '../../../proto/journal/hash.js';
import type { FrameSource, HostJournal, Standing } from '../../../receiver/ingest/host-journal.js';
import { bench, bytesOf, failure, FrameMaker, Listener, stored, volumeOne } from './fixture.js';

t.test('a frame is acknowledged after its sync has returned, not before', async (t) => {
  const { files, watcher, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  journal.accept(listener, maker.write());
  await listener.until(() => listener.durableThrough === 1n);
  let release = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    files.onDatasync = () => {
      resolve();
      return new Promise((done) => {
        release = done;
      });
    };
  });
  journal.accept(listener, maker.write());
  await begun;
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(listener.durableThrough, 1n, 'the sync has not returned');
  t.equal(journal.durableThrough, 1n);
  files.onDatasync = async () => undefined;
  release();
  await listener.until(() => listener.durableThrough === 2n);
  t.same(watcher.progress.slice(1).map(({ through }) => through), [1n, 2n], 'the observer hears of it then, too');
});

t.test('one sync covers all frames that were appended while the one before ran', async (t) => {
  const { files, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  journal.accept(listener, maker.write());
  await listener.until(() => listener.durableThrough === 1n);
  const { datasyncs, written } = files;
  files.onDatasync = async () => {
    // The first sync takes as long as it takes to append all the others.
    while (files.written < written + 50) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  for (let n = 0; n < 50; n += 1) journal.accept(listener, maker.write());
  await listener.until(() => listener.durableThrough === 51n);
  t.equal(files.datasyncs - datasyncs, 2, '50 frames took two syncs');
  t.same(listener.events, ['durable 1', 'durable 2', 'durable 51'], 'and were acknowledged together');
});

t.test('a repeated frame is skipped without a word', async (t) => {
  const { store, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  const frames = [maker.write(), maker.write(), maker.write()];
  for (const frame of frames) t.equal(journal.accept(listener, frame), true);
  await listener.until(() => listener.durableThrough === 3n);
  const before = await stored(store);
  for (const frame of frames) t.equal(journal.accept(listener, frame), false);
  t.equal(journal.accept(listener, maker.write()), true, 'and the next one follows');
  await listener.until(() => listener.durableThrough === 4n);
  t.ok((await stored(store)).subarray(0, before.length).equals(before));
});

t.test('frames that are not the next one of their journal are refused, and the bytes on disk stay', async (t) => {
  const { store, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  const one = maker.write();
  const atOne = maker.end;
  const two = maker.write();
  for (const frame of [one, two]) journal.accept(listener, frame);
  await listener.until(() => listener.durableThrough === 2n);
  const before = await stored(store);
  const refused = (frame: Buffer, code: string, message: RegExp, what: string): void => {
    t.throws(() => journal.accept(listener, frame), { name: 'PeerError', code, message }, what);
  };

  const three = maker.write();
  const four = maker.write();
  refused(four, 'out-of-order', /starts at sequence 4, expected 3; the receiver has the journal through sequence 2/, 'a gap');
  const write = { kind: 'write', node: rootNode, offset: 0, data: Buffer.from('other') } as const;
  refused(bytesOf(new FrameMaker(undefined, atOne).frame(write)), 'out-of-order', /not what it holds there; expected is sequence 3/, 'other content under a sequence that is taken');
  refused(bytesOf(new FrameMaker(undefined, atOne).frame(write, write)), 'out-of-order', /starts at sequence 2, expected 3/, 'an overlap');
  refused(bytesOf(new FrameMaker(undefined, { ...maker.end, lastSequence: atOne.lastSequence, digest: Buffer.alloc(32, 7) }).frame(write, write)), 'out-of-order', /starts at sequence 2/, 'an overlap of another chain');
  const foreignChain = new FrameMaker(undefined, { journal: maker.end.journal, lastSequence: readFrame(two).header.lastSequence, lastTimeNs: 0n, digest: Buffer.alloc(32, 7) });
  refused(bytesOf(foreignChain.frame(write)), 'out-of-order', /digest of the frame before it does not match/, 'another history');
  const early = new FrameMaker(undefined, { journal: maker.end.journal, lastSequence: readFrame(two).header.lastSequence, lastTimeNs: 0n, digest: readFrame(two).digest });
  refused(bytesOf(early.frame(write)), 'out-of-order', /time is before/, 'a time that runs backwards');
  refused(new FrameMaker(Buffer.alloc(16, 9)).write(), 'forbidden', /0909.*; nothing of it was stored/, "another journal's frame");

  for (let at = 0; at < three.length; at += 1) {
    const bent = Buffer.from(three);
    bent[at]! ^= 0x10;
    t.throws(() => journal.accept(listener, bent), { name: 'PeerError' }, `byte ${at} bent`);
  }
  const version = Buffer.from(three);
  version.writeUInt16LE(9, layout.version);
  refused(version, 'invalid', /format version 9; this program reads version 1/, 'a later format');
  refused(three.subarray(0, three.length - 1), 'invalid', /bytes instead of/, 'cut short');
  refused(Buffer.concat([three, Buffer.alloc(1)]), 'invalid', /bytes instead of/, 'too long');
  refused(Buffer.alloc(0), 'invalid', /nothing of it stored/, 'nothing');
  refused(noChanges(three), 'invalid', /nothing of it stored/, 'intact checksums around what is no change');
  t.ok((await stored(store)).equals(before), 'nothing of all that is on disk');

  journal.accept(listener, three);
  journal.accept(listener, four);
  await listener.until(() => listener.durableThrough === 4n);
});

t.test('volumes are known from what is durable', async (t) => {
  const { watcher, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  t.match(await journal.attach(listener, 'host a'), { durableThrough: 0n, lastVolume: 0, liveVolumes: [] });
  const maker = new FrameMaker();
  journal.accept(listener, bytesOf(maker.frame(volumeOne, { kind: 'flush' }, { kind: 'mark', name: 'm' }, { kind: 'durable' })));
  await listener.until(() => listener.durableThrough === 4n);
  t.match(await journal.attach(new Listener(), 'host a'), { durableThrough: 4n, digest: maker.end.digest, lastTimeNs: maker.end.lastTimeNs, lastVolume: 1, liveVolumes: [1] });
  t.equal(listener.reason?.message, 'another connection of host a took over');
  t.same(watcher.progress.at(-1)?.control.map(({ body }) => body.kind), ['volume', 'mark'], 'flushes and durable edges are left out');
  t.match(watcher.progress.at(-1)?.frames, [{ segment: 1n, firstSequence: 1n, lastSequence: 4n }]);
  const last = new Listener();
  await journal.attach(last, 'host a');
  journal.accept(last, bytesOf(maker.frame({ kind: 'retired', cause: 'unprotected' })));
  await last.until(() => last.durableThrough === 5n);
  t.match(await journal.attach(new Listener(), 'host a'), { lastVolume: 1, liveVolumes: [] });
});

t.test('a sender that ignores the window is refused', async (t) => {
  const { files, open } = bench(t);
  await using journal = await open({ windowBytes: 100_000 });
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  let release = (): void => undefined;
  files.onDatasync = () => new Promise((resolve) => {
    release = resolve;
  });
  const maker = new FrameMaker();
  t.throws(() => {
    for (let n = 0; n < 100; n += 1) journal.accept(listener, maker.write(200_000));
  }, { name: 'PeerError', code: 'invalid', message: /ignores the window: \d+ bytes are not durable yet, and 100000 may be under way/ });
  t.ok(maker.end.lastSequence < 14n, 'after the window and one frame');
  files.onDatasync = async () => undefined;
  while (journal.durableThrough < maker.end.lastSequence - 1n) {
    release();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

t.test('what the stream before had sent and was not appended is dropped for the next one', async (t) => {
  const { files, open } = bench(t);
  await using journal = await open();
  const first = new Listener();
  await journal.attach(first, 'host a');
  const maker = new FrameMaker();
  const frames = Array.from({ length: 20 }, () => maker.write());
  files.onDatasync = () => new Promise((resolve) => setTimeout(resolve, 5));
  for (const frame of frames) journal.accept(first, frame);
  const second = new Listener();
  const { durableThrough } = await journal.attach(second, 'host a');
  t.equal(journal.durableThrough, durableThrough, 'the new stream is told where it stands, exactly');
  t.throws(() => journal.accept(first, frames[19]!), { code: 'unavailable' }, 'the old one feeds no more');
  for (const frame of frames) journal.accept(second, frame);
  await second.until(() => second.durableThrough === 20n);
});

t.test('segments go on from one to the next', async (t) => {
  const { store, watcher, open } = bench(t, { segmentSizeBytes: 2000 });
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  for (let n = 0; n < 40; n += 1) journal.accept(listener, maker.write(300));
  await listener.until(() => listener.durableThrough === 40n);
  const segments = await store.list(journal.journal);
  t.ok(segments.length > 5);
  t.same(segments.map(({ sealed }) => sealed), segments.map((_, at) => at < segments.length - 1));
  t.same([...new Set(watcher.progress.flatMap(({ frames }) => frames.map(({ segment }) => segment)))], segments.map(({ segment }) => segment));
});

t.test('a full disk is waited out, and what was sent meanwhile is kept', async (t) => {
  const { files, watcher, open } = bench(t);
  for (const code of ['ENOSPC', 'EDQUOT']) {
    await using journal = await open();
    const listener = new Listener();
    const { durableThrough, digest, lastTimeNs } = await journal.attach(listener, 'host a');
    const maker = new FrameMaker(undefined, { journal: journal.journal, lastSequence: durableThrough, lastTimeNs, digest });
    journal.accept(listener, maker.write());
    await listener.until(() => listener.durableThrough === maker.end.lastSequence);
    const before = listener.durableThrough;
    files.onWrite = () => {
      throw failure(code);
    };
    for (let n = 0; n < 3; n += 1) journal.accept(listener, maker.write());
    const state = code === 'ENOSPC' ? 'disk-full' : 'quota';
    await listener.until(() => listener.storage?.state === state);
    t.match(listener.storage?.message, code === 'ENOSPC' ? /disk is full/ : /quota is used up/);
    await new Promise((resolve) => setTimeout(resolve, 70));
    t.equal(listener.durableThrough, before);
    t.equal(listener.reason, undefined, 'the stream stays');
    files.onWrite = () => undefined;
    await listener.until(() => listener.durableThrough === maker.end.lastSequence);
    t.equal(listener.storage?.state, 'ok');
    t.same(watcher.events.splice(0), [`state ${state}`, 'state ok']);
  }
});

t.test('some space is left free, and a host that waits hears when there is more', async (t) => {
  const { files, open } = bench(t);
  await using journal = await open({ reserveBytes: 1000 });
  files.freeBytes = 1050;
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  journal.accept(listener, maker.write());
  await listener.until(() => listener.storage?.state === 'disk-full');
  t.match(listener.storage?.message, /1050 bytes are free and 1000 are kept in reserve/);
  t.equal(files.written, 0);
  const next = new Listener();
  t.match(await journal.attach(next, 'host a'), { state: { state: 'disk-full' } });
  files.freeBytes = 1e9;
  await next.until(() => next.storage?.state === 'ok');
  t.same(next.events, ['state ok']);
});

t.test('after a failed sync the journal is opened again and the stream dropped; sent again, everything becomes durable', async (t) => {
  const { files, store, log, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  const frames = Array.from({ length: 6 }, () => maker.write());
  journal.accept(listener, frames[0]!);
  await listener.until(() => listener.durableThrough === 1n);
  const before = await stored(store);
  let failed = 0;
  files.onDatasync = async () => {
    if (failed++ === 0) throw failure('EIO');
  };
  for (const frame of frames.slice(1, 4)) journal.accept(listener, frame);
  await listener.until(() => listener.reason !== undefined);
  t.match(listener.reason, { code: 'unavailable', message: /could not write the journal.*go on from what is durable/ });
  t.equal(listener.durableThrough, 1n);
  t.throws(() => journal.accept(listener, frames[4]!), { code: 'unavailable' });
  const again = new Listener();
  const standing = await attachWhenOpen(journal, again);
  t.equal(standing.durableThrough, 1n, 'what was not durable is gone, also from the page cache');
  t.ok((await stored(store)).equals(before));
  for (const frame of frames) journal.accept(again, frame);
  await again.until(() => again.durableThrough === 6n);
  t.match(log.text(), /the journal cannot be written; opening it again/);
});

t.test('a journal that cannot be opened again is tried until it can', async (t) => {
  const { files, open } = bench(t);
  await using journal = await open();
  const listener = new Listener();
  await journal.attach(listener, 'host a');
  const maker = new FrameMaker();
  const frame = maker.write();
  journal.accept(listener, frame);
  await listener.until(() => listener.durableThrough === 1n);
  let failures = 5;
  files.onDatasync = async () => {
    if (failures-- > 0) throw failure('EIO');
  };
  journal.accept(listener, maker.write());
  await listener.until(() => listener.reason !== undefined);
  await t.rejects(journal.attach(new Listener(), 'host a'), { code: 'unavailable', message: /being opened again/ });
  const again = new Listener();
  await attachWhenOpen(journal, again);
  t.ok(failures < 0);
});

t.test('closing makes durable what was accepted, and opening finds it', async (t) => {
  const { open } = bench(t);
  const maker = new FrameMaker();
  {
    await using journal = await open();
    const listener = new Listener();
    await journal.attach(listener, 'host a');
    for (let n = 0; n < 10; n += 1) journal.accept(listener, maker.write());
  }
  await using journal = await open();
  t.equal(journal.durableThrough, 10n);
});

t.test('a journal that lost durable frames is not opened', async (t) => {
  const { open } = bench(t);
  await t.rejects(open({ durableFloor: 5n as never }), { name: 'FormatError', message: /5 was durable/ });
});

/** The frame with a payload that is no change, and every checksum right. */
function noChanges(frame: Buffer): Buffer {
  const bent = Buffer.from(frame);
  bent.fill(0xff, layout.length);
  bent.writeUInt8(0, layout.codec);
  bent.writeUInt32LE(bent.length - layout.length, layout.rawLength);
  bent.writeBigUInt64LE(hash64(bent.subarray(layout.length)), layout.payloadHash);
  bent.writeBigUInt64LE(hash64(bent.subarray(0, layout.headerHash)), layout.headerHash);
  return bent;
}

async function attachWhenOpen(journal: HostJournal, source: FrameSource): Promise<Standing> {
  for (;;) {
    try {
      return await journal.attach(source, 'host a');
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
