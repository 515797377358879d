/** Shipping against a receiver in memory: everything arrives once and in order, whatever the link does. */
import t from 'tap';
import { Shipper, type ShipperOptions } from '../../../agent/transport/shipper.js';
import { asSequence, asVolumeId } from '../../../proto/change.js';
import { PeerError, type PeerErrorCode } from '../../../proto/errors.js';
import { frameLength } from '../../../proto/journal/frame.js';
import type { Random } from '../../../native/host/random.js';
import { settle } from '../../sim/clock.js';
import { allChanges, collectingLogger, noise, openJournal, write, type Opened } from '../journal/fixture.js';
import { chance, type Chance } from '../../proto/seeded.js';
import { FakeReceiver } from './fake-receiver.js';

const half: Random = { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 };

interface Shipping extends Opened {
  readonly receiver: FakeReceiver;
  readonly shipper: Shipper;
  readonly stop: () => Promise<void>;
}

async function ship(opened: Opened, receiver = new FakeReceiver(opened.clock), options: Partial<ShipperOptions> = {}): Promise<Shipping> {
  const shipper = new Shipper({
    journal: opened.journal, link: receiver, clock: opened.clock, random: half, logger: collectingLogger() as unknown as ShipperOptions['logger'],
    agentVersion: '1.2.3', platform: 'test', volumeReports: () => [], ...options,
  });
  const stopping = new AbortController();
  const running = shipper.run(stopping.signal);
  running.catch(() => undefined);
  await settle();
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopping'));
    let ended = false;
    void running.then(() => (ended = true), () => (ended = true));
    for (let turn = 0; turn < 50 && !ended; turn += 1) await opened.clock.advance(100);
    await running;
  };
  return { ...opened, receiver, shipper, stop };
}

t.test('what is captured is shipped, acknowledged and applied, and the greeting says who comes', async (t) => {
  const greeted: bigint[] = [];
  const { journal, clock, receiver, shipper, stop } = await ship(await openJournal(), undefined, { onWelcome: ({ durableThrough }) => greeted.push(durableThrough) });
  t.match(shipper.status, { state: 'connected', message: '' });
  t.same(greeted, [0n]);
  for (let at = 0; at < 20; at += 1) {
    await journal.append([noise(2000, at)]);
    await clock.advance(10);
  }
  await clock.advance(40);
  t.equal(receiver.copy.end.lastSequence, 20n);
  t.equal(journal.position.durableThrough, 20n);
  receiver.say({ kind: 'applied', through: asSequence(17n) });
  await settle();
  t.equal(journal.position.appliedThrough, 17n);
  t.match(receiver.hellos, [{ journal: journal.journal, agentVersion: '1.2.3', platform: 'test', heldFrom: 0n, capturedThrough: 0n }]);
  const { shippedBytes, shippedFrames, resentBytes, reconnects } = shipper.status.counters;
  t.ok(shippedBytes > 40_000 && shippedFrames > 5);
  t.same([resentBytes, reconnects], [0, 0]);
  await stop();
  t.equal(shipper.status.state, 'stopped');
  await journal.close();
  t.equal(clock.timerCount, 0, 'nothing is left running');
});

t.test('about once a second the agent says where it stands', async (t) => {
  const volumes = [{ volume: asVolumeId(1), label: 'exact', cause: '', phase: 'watching', settled: true, gaps: 0, reportCount: 0 }];
  const { journal, clock, receiver, stop } = await ship(await openJournal(), undefined, { volumeReports: () => volumes });
  await journal.append([write(10)]);
  await clock.advance(5050);
  t.equal(receiver.reports.length, 6);
  const last = receiver.reports[5]!;
  t.match(last, { capturedThrough: 1n, oldestUndurableNs: 0n, undurableBytes: 0, volumes });
  t.ok(last.spoolBytes > 0 && last.sentNs > 0n && last.capturedTimeNs > 0n);
  await stop();
  await journal.close();
});

t.test('a long backlog is read from the spool, and the window is kept', async (t) => {
  const opened = await openJournal({ recentBytesMax: 100_000, segmentSizeBytes: 1024 * 1024 });
  for (let at = 0; at < 60; at += 1) {
    await opened.journal.append([noise(60_000, at)]);
    await opened.clock.advance(20);
  }
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { welcome: { windowBytes: 200_000 }, durableMs: () => 15 };
  const { journal, clock, stop } = await ship(opened, receiver);
  await clock.advance(1);
  t.equal(receiver.copy.end.lastSequence, 3n, 'no more than the window before the first acknowledgement');
  for (let at = 0; at < 40; at += 1) {
    await journal.append([noise(500, at)]);
    await clock.advance(20);
  }
  await clock.advance(1000);
  t.equal(receiver.copy.end.lastSequence, 100n);
  t.ok(receiver.windowBytesMost <= 200_000, `${receiver.windowBytesMost} were under way`);
  await stop();
  await journal.close();
});

t.test('a frame larger than the window goes alone', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { welcome: { windowBytes: 1000 } };
  const { journal, clock, stop } = await ship(opened, receiver);
  for (let at = 0; at < 5; at += 1) {
    await journal.append([noise(50_000, at)]);
    await clock.advance(25);
  }
  await clock.advance(100);
  t.equal(receiver.copy.end.lastSequence, 5n);
  t.ok(receiver.windowBytesMost < 60_000);
  await stop();
  await journal.close();
});

t.test('after a break shipping goes on after the last durable change', async (t) => {
  for (const fate of ['break-before', 'break-after'] as const) {
    const opened = await openJournal();
    const receiver = new FakeReceiver(opened.clock);
    receiver.behaviour = { frame: (index) => (index === 3 || index === 4 ? fate : undefined), durableMs: () => 1000 };
    const { journal, clock, shipper, stop } = await ship(opened, receiver);
    for (let at = 0; at < 10; at += 1) {
      await journal.append([noise(1000, at)]);
      await clock.advance(20);
    }
    await clock.advance(5000);
    t.equal(receiver.copy.end.lastSequence, 10n, fate);
    t.equal(journal.position.durableThrough, 10n);
    t.equal(shipper.status.counters.reconnects, 2);
    if (fate === 'break-before') t.ok(shipper.status.counters.resentFrames >= 1);
    else t.equal(shipper.status.counters.resentFrames, 0, 'nothing the receiver kept is sent again');
    await stop();
    await journal.close();
  }
});

t.test('refusals that somebody has to cure are shown and tried again at leisure', async (t) => {
  for (const code of ['unauthenticated', 'forbidden', 'invalid', 'not-found'] satisfies PeerErrorCode[]) {
    const opened = await openJournal();
    const receiver = new FakeReceiver(opened.clock);
    receiver.behaviour = { connect: () => new PeerError(code, 'the certificate has been revoked') };
    const { clock, journal, shipper, stop } = await ship(opened, receiver);
    t.match(shipper.status, { state: 'refused', message: 'the certificate has been revoked' }, code);
    const { sinceNs } = shipper.status;
    await clock.advance(44_000);
    t.equal(receiver.hellos.length, 1);
    await clock.advance(2_000);
    t.equal(receiver.hellos.length, 2);
    t.equal(shipper.status.sinceNs, sinceNs, 'since the first time');
    receiver.behaviour = {};
    await clock.advance(46_000);
    t.equal(shipper.status.state, 'connected');
    await stop();
    await journal.close();
  }
});

t.test('a receiver that is not there is tried ever less often, and soon again after a stable connection', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { connect: () => new PeerError('unavailable', 'nothing listens') };
  const { clock, journal, shipper, stop } = await ship(opened, receiver);
  t.match(shipper.status, { state: 'waiting', message: 'nothing listens' });
  await clock.advance(1600);
  t.equal(receiver.hellos.length, 6, 'after 50, 100, 200, 400 and 800 ms');
  await clock.advance(120_000);
  const before = receiver.hellos.length;
  await clock.advance(60_000);
  t.equal(receiver.hellos.length - before, 4, 'every 15 s, half of the bound');
  receiver.behaviour = {};
  await clock.advance(15_000);
  t.equal(shipper.status.state, 'connected');
  await clock.advance(10_000);
  const connections = receiver.connections;
  receiver.breakNow();
  await clock.advance(60);
  t.equal(receiver.connections, connections + 1);
  t.equal(shipper.status.state, 'connected');
  await stop();
  await journal.close();
});

t.test('a connection that breaks at once does not make the agent hammer', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { frame: () => 'break-before' };
  const { clock, journal, stop } = await ship(opened, receiver);
  await journal.append([write(1)]);
  await clock.advance(60_000);
  t.ok(receiver.connections < 20, `${receiver.connections} connections in a minute`);
  await stop();
  await journal.close();
});

t.test('a link on which nothing is heard is given up, unless the receiver said that it has no space', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { durableMs: () => undefined };
  const { clock, journal, shipper, stop } = await ship(opened, receiver);
  await clock.advance(120_000);
  t.equal(receiver.connections, 1, 'with nothing under way silence is nothing');
  await journal.append([noise(10)]);
  await clock.advance(29_000);
  t.equal(receiver.connections, 1);
  await clock.advance(3_000);
  t.equal(receiver.connections, 2);
  t.equal(journal.position.durableThrough, 1n, 'it had it, as the greeting says');

  receiver.say({ kind: 'state', state: 'disk-full', message: 'no space left' });
  await journal.append([noise(10)]);
  await clock.advance(200_000);
  t.equal(receiver.connections, 2);
  t.match(shipper.status, { state: 'connected', receiver: { state: 'disk-full', message: 'no space left' } });
  t.equal(journal.position.locallyDurableThrough, 2n, 'and meanwhile the spool is synced here');
  receiver.say({ kind: 'state', state: 'ok', message: '' });
  receiver.say({ kind: 'durable', through: asSequence(2n) });
  await settle();
  t.match(shipper.status, { receiver: { state: 'ok' } });
  t.equal(journal.position.durableThrough, 2n);
  await stop();
  await journal.close();
});

t.test('another history at the receiver stops shipping, in words, and is looked at again at leisure', async (t) => {
  const opened = await openJournal();
  await opened.journal.append([noise(10), noise(10)]);
  await opened.clock.advance(20);
  const receiver = new FakeReceiver(opened.clock);
  receiver.copy.add(2);
  const { clock, journal, shipper, stop } = await ship(opened, receiver);
  t.match(shipper.status, { state: 'forked', message: /not the one here/ });
  await clock.advance(46_000);
  t.equal(receiver.connections, 2);
  t.equal(receiver.framesSeen, 0);
  await stop();
  await journal.close();
});

t.test('a receiver that lost what is held nowhere else is shown', async (t) => {
  const opened = await openJournal({ segmentSizeBytes: 1000 });
  for (let at = 0; at < 5; at += 1) {
    await opened.journal.append([noise(2000, at)]);
    await opened.clock.advance(20);
  }
  opened.journal.setKeepAfter(asSequence(5n));
  opened.journal.noteDurable(asSequence(5n));
  await opened.clock.advance(1);
  const { journal, shipper, receiver, stop } = await ship(opened);
  t.match(shipper.status, { state: 'lost-changes', message: /lost acknowledged changes 1\.\.4/ });
  t.equal(receiver.framesSeen, 0);
  await stop();
  await journal.close();
});

t.test('a receiver of another protocol version is refused in words', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  receiver.behaviour = { welcome: { protocolVersion: 9 } };
  const { journal, shipper, stop } = await ship(opened, receiver);
  t.match(shipper.status, { state: 'refused', message: /version 9 of the protocol, this agent version 1/ });
  await stop();
  await journal.close();
});

t.test('acknowledgements of what was never sent, and a second greeting, end the conversation', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  const { journal, clock, shipper, stop } = await ship(opened, receiver);
  receiver.say({ kind: 'durable', through: asSequence(5n) });
  await settle();
  t.match(shipper.status, { state: 'waiting', message: /acknowledged change 5, but was sent changes up to 0/ });
  t.equal(journal.position.durableThrough, 0n);
  await clock.advance(100);
  t.equal(shipper.status.state, 'connected');
  receiver.say(receiver.copy.welcome());
  await settle();
  t.match(shipper.status, { state: 'refused', message: /greeted twice/ });
  await stop();
  await journal.close();
});

t.test('a broken journal ends shipping with its error', async (t) => {
  const opened = await openJournal();
  const receiver = new FakeReceiver(opened.clock);
  const { journal, clock, files, shipper, stop } = await ship(opened, receiver);
  files.fault = (deed, path) => (deed === 'write' && path.endsWith('.segment') ? 'EIO' : undefined);
  await journal.append([write(1)]);
  await clock.advance(30);
  await t.rejects(stop(), { name: 'DurabilityError' });
  t.match(shipper.status, { state: 'stopped', message: /EIO/ });
  await journal.close();
});

t.test('a spool that is damaged where it must be shipped from is shown', async (t) => {
  const opened = await openJournal({ recentBytesMax: 0 });
  await opened.journal.append([noise(5000)]);
  await opened.clock.advance(20);
  const path = opened.files.paths().find((each) => each.endsWith('.segment'))!;
  opened.files.content(path).fill(0, 1000, 1010);
  const { journal, shipper, stop } = await ship(opened);
  t.match(shipper.status, { state: 'spool-damaged', message: /read segment.*offset 72/ });
  await stop();
  await journal.close();
});

t.test('whatever the link does, everything arrives once and in order within the window', async (t) => {
  const c = chance(t);
  for (let round = 0; round < 30; round += 1) await storm(t, c);
});

async function storm(t: Tap, c: Chance): Promise<void> {
  let opened = await openJournal({ recentBytesMax: c.pick([0, 20_000, 1_000_000]), segmentSizeBytes: c.pick([5_000, 100_000]) });
  const receiver = new FakeReceiver(opened.clock);
  const windowBytes = c.pick([15_000, 40_000, 1_000_000]);
  const badness = c.pick([0, 20, 6]);
  const bad = (): boolean => badness > 0 && c.below(badness) === 0;
  receiver.behaviour = {
    connect: () => (bad() ? new PeerError(c.pick(['unavailable', 'out-of-order']), 'not now') : undefined),
    frame: () => (bad() ? c.pick(['break-before', 'break-after'] as const) : undefined),
    durableMs: () => (bad() ? undefined : c.below(200)),
    repeats: () => (bad() ? 3 : 1),
    sendMs: () => (bad() ? c.below(500) : 0),
    welcome: { windowBytes },
  };
  const random: Random = { bytes: (length) => c.bytes(length), fraction: () => c.below(1000) / 1000 };
  let shipping = await ship(opened, receiver, { random, ackTimeoutMs: 3000 });
  let captured = 0;
  for (let step = 0; step < 60; step += 1) {
    const count = 1 + c.below(4);
    const result = await Promise.race([shipping.journal.append(Array.from({ length: count }, () => noise(1 + c.below(5000), c.below(100)))), shipping.clock.advance(200_000).then(() => undefined)]);
    if (result === undefined || !result.taken) throw new Error('appending does not go on');
    captured += count;
    t.equal(result.lastSequence, BigInt(captured));
    await shipping.clock.advance(c.below(100));
    if (c.below(10) === 0) receiver.breakNow();
    shipping.journal.setKeepAfter(asSequence(BigInt(c.below(captured + 1))));
    if (c.below(25) === 0) {
      await shipping.stop();
      await shipping.journal.close();
      opened = await openJournal({ files: opened.files, clock: opened.clock, as: 'found', segmentSizeBytes: 5_000 });
      shipping = await ship(opened, receiver, { random, ackTimeoutMs: 3000 });
    }
  }
  receiver.behaviour = { welcome: { windowBytes } };
  for (let turn = 0; turn < 200 && shipping.journal.position.durableThrough < captured; turn += 1) await shipping.clock.advance(1000);
  t.equal(receiver.copy.end.lastSequence, BigInt(captured));
  t.equal(shipping.journal.position.durableThrough, BigInt(captured));
  const largest = receiver.copy.frames.reduce((most, frame) => Math.max(most, frameLength(frame)), 0);
  t.ok(receiver.windowBytesMost <= Math.max(windowBytes, largest), 'within the window, or one frame that is larger');
  t.same((await allChanges(shipping.journal, asSequence(BigInt(captured - 1)))).length, 1);
  await shipping.stop();
  await shipping.journal.close();
}

type Tap = Pick<typeof t, 'equal' | 'ok' | 'same'>;
