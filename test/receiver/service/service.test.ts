/** Over real connections: who gets in and who does not, what is said and logged, and that the service goes on. */
import { status } from '@grpc/grpc-js';
import { connect } from 'node:net';
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { generateKey } from '../../../agent/identity/keys.js';
import { systemClock } from '../../../native/host/clock.js';
import { identityOf } from '../../../proto/identity.js';
import { frame as layout } from '../../../proto/journal/layout.js';
import { encodeAgentMessage, messageBytesMax } from '../../../proto/wire/messages.js';
import { newAuthority } from '../identity/fixture.js';
import { FrameMaker, stored } from '../ingest/fixture.js';
import { collected, dial, front, helloOf, type Credentials, type Front } from './fixture.js';

/** That a host can stream, whatever happened before. */
async function works(t: { ok(value: unknown, message: string): void }, made: Front, name: string): Promise<void> {
  const who = await made.enrol(name);
  const stream = made.client(who).stream().say(helloOf(who.journal));
  await stream.hears(({ kind }) => kind === 'welcome');
  const maker = new FrameMaker(who.journal);
  stream.say({ kind: 'frame', frame: maker.write() });
  await stream.hears((message) => message.kind === 'durable' && message.through === 1n);
  stream.call.end();
  t.ok((await stream.ended) === undefined, 'a good client is served');
}

/** Whether one line of the log matches them all. */
function logged(made: Front, ...patterns: RegExp[]): boolean {
  return made.log.text().split('\n').some((line) => patterns.every((pattern) => pattern.test(line)));
}

t.test('a host enrols, streams, reads its frames back and renews', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  t.match(who, { host: 'web-1', role: 'host', caPem: made.authority.caPem });
  t.equal(who.journal.length, 16);
  const peer = made.client(who);
  const stream = peer.stream().say(helloOf(who.journal));
  t.match(await stream.hears(({ kind }) => kind === 'welcome'), { durableThrough: 0n });
  const maker = new FrameMaker(who.journal);
  const frames = Array.from({ length: 40 }, () => maker.write(100_000));
  for (const frame of frames) stream.say({ kind: 'frame', frame });
  await stream.hears((message) => message.kind === 'durable' && message.through === 40n);
  stream.call.end();
  t.equal(await stream.ended, undefined);
  t.same(await collected(peer.readFrames(10n)), frames.slice(10));
  t.same(await collected(peer.readFrames(40n)), []);

  const { keyPem, csrDer } = await generateKey();
  const renewed = await peer.renew(csrDer);
  t.match(renewed, { host: 'web-1', role: 'host', journal: who.journal });
  t.equal(identityOf(new X509Certificate(renewed.certificatePem)).name, 'web-1');
  const again = made.client({ keyPem, ...renewed }).stream().say(helloOf(who.journal));
  t.match(await again.hears(({ kind }) => kind === 'welcome'), { durableThrough: 40n, digest: maker.end.digest });
  t.same((await made.enrol('web-1')).journal, who.journal, 'enrolled again it keeps its journal');
  t.same(made.catalogue.access.auditEntries().map(({ identity, act }) => `${identity} ${act}`), ['host web-1 enrol', 'host web-1 renew', 'host web-1 enrol']);
  t.equal(made.catalogue.access.identities().length, 3);
});

t.test('who is not entitled is refused with a reason, logged with its address, and nothing is stored', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  const other = await made.enrol('web-2');
  const stranger = await newAuthority(t.testdir({ stranger: {} }) + '/stranger', [], systemClock);
  const { keyPem, csrDer } = await generateKey();
  const foreign: Credentials = { keyPem, ...(await stranger.sign(csrDer, { name: 'web-1', role: 'host' })) };
  const auditor = await made.enrol('eve', 'auditor');
  const operator = await made.enrol('ann', 'operator');
  const revoked = await made.enrol('web-1');
  const identity = identityOf(new X509Certificate(revoked.certificatePem));
  made.catalogue.access.revoke({ ...identity, revokedMs: Date.now() });

  const cases: readonly { readonly what: string; readonly who: Credentials | undefined; readonly journal: Buffer; readonly code: status; readonly reason: RegExp }[] = [
    { what: 'no certificate', who: undefined, journal: who.journal, code: status.UNAUTHENTICATED, reason: /no client certificate was presented: enrol this host/ },
    { what: "another authority's certificate", who: foreign, journal: who.journal, code: status.UNAUTHENTICATED, reason: /was not issued by this receiver \(its issuer is .*Afterimage CA/ },
    { what: 'a revoked certificate', who: revoked, journal: who.journal, code: status.UNAUTHENTICATED, reason: /host web-1 \(serial [0-9a-f]{32}\) has been revoked/ },
    { what: "another host's certificate", who: other, journal: who.journal, code: status.PERMISSION_DENIED, reason: /certificate belongs to host web-2, whose journal is/ },
    { what: 'an auditor', who: auditor, journal: who.journal, code: status.PERMISSION_DENIED, reason: /of the auditor eve, and this is for hosts only/ },
    { what: 'an operator', who: operator, journal: who.journal, code: status.PERMISSION_DENIED, reason: /of the operator ann, and this is for hosts only/ },
  ];
  for (const { what, who: as, journal, code, reason } of cases) {
    const stream = made.client(as).stream().say(helloOf(journal)).say({ kind: 'frame', frame: new FrameMaker(journal).write() });
    const error = await stream.ended;
    t.equal(error?.code, code, what);
    t.match(error?.details, reason, what);
    t.ok(logged(made, reason, /"peer":"127\.0\.0\.1:\d+"/, /"call":"\/afterimage\.Journal\/Stream"/), `${what} is logged`);
  }
  for (const { who: as, code } of cases.slice(0, 3)) {
    const peer = made.client(as);
    await t.rejects(collected(peer.readFrames(0n)), { code });
    await t.rejects(collected(peer.restore({})), { code });
    await t.rejects(peer.renew((await generateKey()).csrDer), { code });
  }
  await t.rejects(made.client(auditor).renew((await generateKey()).csrDer), { code: status.PERMISSION_DENIED });
  t.same(made.restores, []);
  for (const journal of [who.journal, other.journal]) t.ok((await stored(made.store, journal)).length <= 72, 'no frame is stored');
  await works(t, made, 'web-3');
});

t.test('a token that is no good enrols nobody, and says why', async (t) => {
  const made = await front(t);
  const { csrDer } = await generateKey();
  await t.rejects(made.client().enrol('ai1.nonsense', csrDer), { code: status.INVALID_ARGUMENT, details: /not a whole enrolment token/ });
  const token = await made.tokens.issue({ host: 'web-1', role: 'host', ttlMs: 60_000 });
  await t.rejects(made.client().enrol(token, Buffer.from('noise')), { code: status.INVALID_ARGUMENT, details: /certificate request cannot be read/ });
  await made.client().enrol(token, csrDer);
  await t.rejects(made.client().enrol(token, csrDer), { code: status.UNAUTHENTICATED, details: /works only once/ });
  t.ok(logged(made, /works only once/, /"peer":"127\.0\.0\.1:\d+"/));
  t.notMatch(made.log.text(), token, 'no token is ever logged');
});

t.test('hostile messages are refused and logged, and the service goes on', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  const maker = new FrameMaker(who.journal);
  const good = maker.write();
  const version = Buffer.from(good);
  version.writeUInt16LE(7, layout.version);
  const bent = Buffer.from(good);
  bent[bent.length - 1]! ^= 1;
  const hello = encodeAgentMessage(helloOf(who.journal));
  const frame = (bytes: Buffer): Buffer => encodeAgentMessage({ kind: 'frame', frame: bytes });
  const cases: readonly { readonly what: string; readonly says: readonly Buffer[]; readonly code: status; readonly reason: RegExp }[] = [
    { what: 'garbage for a hello', says: [Buffer.from('\xff\xff\xff garbage', 'latin1')], code: status.INVALID_ARGUMENT, reason: /decode agent message/ },
    { what: 'an empty message', says: [Buffer.alloc(0)], code: status.INVALID_ARGUMENT, reason: /kind that this version does not know/ },
    { what: 'another protocol', says: [encodeAgentMessage({ ...helloOf(who.journal), protocolVersion: 99 })], code: status.INVALID_ARGUMENT, reason: /speaks protocol version 99/ },
    { what: 'garbage for a frame', says: [hello, Buffer.from([0x12, 0x05, 1, 2])], code: status.INVALID_ARGUMENT, reason: /decode agent message/ },
    { what: 'a bent frame', says: [hello, frame(bent)], code: status.INVALID_ARGUMENT, reason: /payload checksum does not match/ },
    { what: 'a frame of another version', says: [hello, frame(version)], code: status.INVALID_ARGUMENT, reason: /format version 7; this program reads version 1/ },
    { what: 'a frame that does not follow', says: [hello, frame(maker.write())], code: status.FAILED_PRECONDITION, reason: /starts at sequence 2, expected 1/ },
    { what: "another journal's frame", says: [hello, frame(new FrameMaker(Buffer.alloc(16, 3)).write())], code: status.PERMISSION_DENIED, reason: /came over the stream of journal/ },
    { what: 'a message too large', says: [hello, Buffer.alloc(messageBytesMax + 1)], code: status.RESOURCE_EXHAUSTED, reason: new RegExp(`larger than max \\(${messageBytesMax + 1} vs ${messageBytesMax}\\)`) },
    { what: 'a message far too large', says: [Buffer.alloc(64 * 1024 * 1024)], code: status.RESOURCE_EXHAUSTED, reason: /larger than max/ },
  ];
  for (const { what, says, code, reason } of cases) {
    const stream = made.client(who).stream();
    for (const bytes of says) stream.sayBytes(bytes);
    const error = await stream.ended;
    t.equal(error?.code, code, what);
    t.match(error?.details, reason, what);
    if (code !== status.RESOURCE_EXHAUSTED) t.match(stream.told.at(-1), { kind: 'refused', message: reason }, `${what}: the last message says so too`);
    t.ok(logged(made, reason, /"peer":"127\.0\.0\.1:\d+"/), `${what} is logged`);
  }
  t.ok((await stored(made.store, who.journal)).length <= 72, 'nothing is stored');
  await t.rejects(collected(made.client(who).restore({ host: 'web-2' })), { code: status.PERMISSION_DENIED, details: /may restore its own volumes only, not those of web-2/ });
  await works(t, made, 'web-3');
  const stream = made.client(who).stream().sayBytes(hello).sayBytes(frame(good));
  await stream.hears((message) => message.kind === 'durable' && message.through === 1n);
});

t.test('what does not even speak TLS or gRPC is shut out and logged', async (t) => {
  const made = await front(t);
  await new Promise<void>((resolve) => {
    const socket = connect(made.port, '127.0.0.1', () => socket.write(Buffer.alloc(1000, 0x55)));
    socket.on('error', () => undefined).on('close', () => resolve());
  });
  t.ok(logged(made, /no TLS handshake/), 'garbage instead of TLS');
  const garbled = await dial(made.port, { protocols: ['h2'] });
  const closed = new Promise((resolve) => garbled.on('close', resolve));
  garbled.write(Buffer.alloc(1000, 0x55));
  garbled.resume();
  await closed;
  await dialRefused(made.port);
  await until(() => logged(made, /ended without a call/, /"peer":"127\.0\.0\.1:\d+"/));
  await works(t, made, 'web-1');
});

t.test('a revoked certificate ends the stream that it opened', async (t) => {
  const made = await front(t, { recheckMs: 30 });
  const who = await made.enrol('web-1');
  const stream = made.client(who).stream().say(helloOf(who.journal));
  await stream.hears(({ kind }) => kind === 'welcome');
  made.catalogue.access.revoke({ ...identityOf(new X509Certificate(who.certificatePem)), revokedMs: 1 });
  t.match(await stream.ended, { code: status.UNAUTHENTICATED, details: /has been revoked/ });
  t.match(stream.told.at(-1), { kind: 'refused', code: 'unauthenticated' });
});

t.test('a second connection of a host displaces the first', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  const first = made.client(who).stream().say(helloOf(who.journal));
  await first.hears(({ kind }) => kind === 'welcome');
  const second = made.client(who).stream().say(helloOf(who.journal));
  await second.hears(({ kind }) => kind === 'welcome');
  t.match(await first.ended, { code: status.UNAVAILABLE, details: /another connection of host web-1 took over/ });
});

t.test('a restore waits for its reader, and ends with it', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  const operator = await made.enrol('ann', 'operator');
  let sent = 0;
  let stopped = false;
  made.restoreItems = async function* (signal) {
    try {
      for (; sent < 400; sent += 1) yield { kind: 'piece', index: 0, offset: sent * 1_000_000, data: Buffer.alloc(1_000_000) };
    } finally {
      stopped = signal.aborted;
    }
  };
  const slow = made.client(who).restore({ volume: 'data', at: 'latest', paths: ['a/b'] });
  const reading = slow[Symbol.asyncIterator]();
  await reading.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(sent < 100, `only ${sent} MB were made for one that does not read`);
  slow.cancel();
  await reading.next().catch(() => undefined);
  await until(() => stopped);
  t.match(made.restores, [{ request: { host: 'web-1', volume: 'data', paths: ['a/b'] }, who: 'host web-1' }], 'a host without a name given means its own');

  sent = 397;
  t.equal((await collected(made.client(operator).restore({ host: 'web-1' }))).length, 3);
  t.match(made.restores[1], { request: { host: 'web-1' }, who: 'operator ann' });
  await t.rejects(collected(made.client(operator).restore({})), { code: status.INVALID_ARGUMENT, details: /say whose volume/ });
  t.match(made.catalogue.access.auditEntries().map(({ act }) => act), ['enrol', 'enrol', 'restore', 'restore']);
  made.restoreItems = async function* () {
    throw new TypeError('a secret of the receiver');
  };
  await t.rejects(collected(made.client(operator).restore({ host: 'web-1' })), { code: status.INTERNAL, details: 'the receiver failed to serve this; its log says why' });
  t.match(made.log.text(), /a secret of the receiver/);
});

t.test('no identity and no address can take more than its share', async (t) => {
  const made = await front(t, { limits: { callsPerIdentityMax: 2, connectionsPerAddressMax: 6 } });
  const who = await made.enrol('web-1');
  const endless = async function* (signal: AbortSignal) {
    yield { kind: 'end', entries: 0, bytes: 0 } as const;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  made.restoreItems = endless;
  const peer = made.client(who);
  const open = [peer.restore({}), peer.restore({})];
  for (const call of open) {
    call.on('error', () => undefined);
    await new Promise((resolve) => call.once('data', resolve));
  }
  await t.rejects(collected(peer.restore({})), { code: status.UNAVAILABLE, details: /host web-1 has 2 calls under way/ });
  for (const call of open) call.cancel();
  made.restoreItems = async function* () {
    yield { kind: 'end', entries: 0, bytes: 0 };
  };
  await until(async () => (await collected(peer.restore({})).catch(() => [])).length === 1);
  const sockets = await Promise.allSettled(Array.from({ length: 10 }, () => dial(made.port, { protocols: ['h2'] })));
  await until(() => logged(made, /too many from this address/));
  for (const socket of sockets) if (socket.status === 'fulfilled') socket.value.destroy();
});

t.test('shutting down tells those who are connected, and does not wait for ever', async (t) => {
  const made = await front(t);
  const who = await made.enrol('web-1');
  const stream = made.client(who).stream().say(helloOf(who.journal));
  await stream.hears(({ kind }) => kind === 'welcome');
  const silent = await dial(made.port, { protocols: ['h2'] });
  silent.on('error', () => undefined);
  const began = Date.now();
  await made.service[Symbol.asyncDispose]();
  t.ok(Date.now() - began < 8000);
  t.match(await stream.ended, { code: status.UNAVAILABLE, details: /shutting down/ });
  t.match(stream.told.at(-1), { kind: 'refused', code: 'unavailable' });
  await t.rejects(dial(made.port), 'the port is closed');
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A client that does not offer HTTP/2. */
async function dialRefused(port: number): Promise<void> {
  const socket = await dial(port).catch(() => undefined);
  if (socket === undefined) return;
  socket.on('error', () => undefined).resume();
  await new Promise((resolve) => socket.once('close', resolve));
}
