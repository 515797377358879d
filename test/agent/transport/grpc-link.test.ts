/** The link over real gRPC and TLS on this machine: greeting, both directions, limits, and how each failure is told. */
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Server, ServerCredentials, status, type handleBidiStreamingCall, type handleServerStreamingCall, type handleUnaryCall, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import t from 'tap';
import { restore, renew } from '../../../agent/transport/grpc-calls.js';
import { enrol, GrpcLink } from '../../../agent/transport/grpc-link.js';
import type { LinkIdentity } from '../../../agent/transport/grpc-client.js';
import { systemClock } from '../../../native/host/clock.js';
import { asSequence } from '../../../proto/change.js';
import {
  decodeAgentMessage, decodeEnrolRequest, decodeReadFramesRequest, decodeRenewRequest, decodeRestoreRequest, encodeEnrolReply, encodeFrameMessage, encodeReceiverMessage, encodeRestoreItem, messageBytesMax, protocolVersion,
  type AgentMessage, type EnrolReply, type EnrolRequest, type Hello, type ReceiverMessage, type RestoreItem, type RestoreRequest,
} from '../../../proto/wire/messages.js';
import type { CertificateAuthority } from '../../../receiver/identity/authority.js';
import { newAuthority, signedHost } from '../../receiver/identity/fixture.js';
import { collect, journalId, welcomeAt } from '../journal/fixture.js';

const hello: Hello = { kind: 'hello', protocolVersion, journal: journalId, agentVersion: '1', platform: 'test', heldFrom: 0n, capturedThrough: asSequence(3n) };
const never = new AbortController().signal;

type Stream = ServerDuplexStream<AgentMessage, ReceiverMessage>;

interface Served {
  readonly stream?: (call: Stream) => void;
  readonly readFrames?: (call: ServerWritableStream<bigint, Buffer>) => void;
  readonly restore?: (call: ServerWritableStream<RestoreRequest, RestoreItem>) => void;
  readonly enrol?: handleUnaryCall<EnrolRequest, EnrolReply>;
  readonly renew?: handleUnaryCall<Buffer, EnrolReply>;
}

const unimplemented = (_: unknown, reply: (error: { code: status }) => void): void => reply({ code: status.UNIMPLEMENTED });

async function serve(t: Tap, authority: CertificateAuthority, served: Served, { certificateChainPem, keyPem }: { readonly certificateChainPem: string; readonly keyPem: string } = authority.serverCredentials(), address = '127.0.0.1'): Promise<number> {
  const { caPem } = authority;
  const server = new Server({ 'grpc.max_receive_message_length': messageBytesMax });
  const method = <Q, A>(path: string, decode: (bytes: Buffer) => Q, encode: (value: A) => Buffer, streams: readonly [boolean, boolean]) => ({ path, requestStream: streams[0], responseStream: streams[1], requestDeserialize: decode, requestSerialize: () => Buffer.alloc(0), responseSerialize: encode, responseDeserialize: () => undefined as never });
  server.addService({
    stream: method('/afterimage.Journal/Stream', decodeAgentMessage, encodeReceiverMessage, [true, true]),
    readFrames: method('/afterimage.Journal/ReadFrames', decodeReadFramesRequest, encodeFrameMessage, [false, true]),
    renew: method('/afterimage.Journal/Renew', decodeRenewRequest, encodeEnrolReply, [false, false]),
  }, {
    stream: (served.stream ?? ((call: Stream) => call.end())) as handleBidiStreamingCall<AgentMessage, ReceiverMessage>,
    readFrames: (served.readFrames ?? ((call) => call.end())) as handleServerStreamingCall<bigint, Buffer>,
    renew: served.renew ?? unimplemented,
  });
  server.addService({ enrol: method('/afterimage.Enrolment/Enrol', decodeEnrolRequest, encodeEnrolReply, [false, false]) }, { enrol: served.enrol ?? unimplemented });
  server.addService({ restore: method('/afterimage.Recovery/Restore', decodeRestoreRequest, encodeRestoreItem, [false, true]) }, { restore: (served.restore ?? ((call) => call.end())) as handleServerStreamingCall<RestoreRequest, RestoreItem> });
  const credentials = ServerCredentials.createSsl(Buffer.from(caPem), [{ private_key: Buffer.from(keyPem), cert_chain: Buffer.from(certificateChainPem) }], false);
  const port = await new Promise<number>((resolve, reject) => server.bindAsync(`${address}:0`, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))));
  t.teardown(() => server.forceShutdown());
  return port;
}

async function world(t: Tap, served: Served, names: string[] = []): Promise<{ readonly identity: LinkIdentity; readonly port: number; readonly authority: CertificateAuthority; readonly link: GrpcLink }> {
  const authority = await newAuthority(t.testdir({ ca: {} }), names, systemClock);
  const { certificate, keyPem } = await signedHost(authority);
  const port = await serve(t, authority, served);
  const identity = { address: `127.0.0.1:${port}`, caPem: authority.caPem, keyPem, certificatePem: certificate.toString() };
  return { identity, port, authority, link: new GrpcLink({ identity: () => identity, clock: systemClock }) };
}

const greet = (then: (call: Stream, message: AgentMessage) => void = () => undefined) => (call: Stream): void => {
  call.on('error', () => undefined);
  call.on('data', (message: AgentMessage) => {
    if (message.kind === 'hello') call.write(welcomeAt());
    then(call, message);
  });
  call.on('end', () => call.end());
};

t.test('the greeting is exchanged, messages go both ways, and large frames whole', async (t) => {
  const received: AgentMessage[] = [];
  const { link } = await world(t, {
    stream: greet((call, message) => {
      received.push(message);
      if (message.kind === 'frame') call.write({ kind: 'durable', through: asSequence(BigInt(received.length)) });
    }),
  });
  const session = await link.connect(hello, never);
  t.match(session.welcome, { kind: 'welcome', protocolVersion });
  const messages = session.messages()[Symbol.asyncIterator]();
  const frame = Buffer.alloc(2 * 1024 * 1024, 5);
  for (let at = 0; at < 40; at += 1) await session.send({ kind: 'frame', frame });
  for (let at = 0; at < 40; at += 1) t.match((await messages.next()).value, { kind: 'durable', through: BigInt(at + 2) });
  t.same(received[0], hello);
  t.same(received[40], { kind: 'frame', frame });
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  await t.rejects(session.send({ kind: 'frame', frame }), { name: 'PeerError', code: 'unavailable' });
  await t.rejects(messages.next(), { name: 'PeerError' });
});

t.test('a receiver that does not read holds the sender up, and the end of the link lets it go', async (t) => {
  const { link } = await world(t, {
    stream: (call) => {
      call.on('error', () => undefined);
      call.once('data', () => {
        call.pause();
        call.write(welcomeAt());
      });
    },
  });
  const session = await link.connect(hello, never);
  const frame = Buffer.alloc(1024 * 1024, 5);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 500; sent += 1) await session.send({ kind: 'frame', frame });
  })();
  sending.catch(() => undefined);
  await systemClock.sleep(700);
  const then = sent;
  t.ok(then < 200, `${then} MiB were taken`);
  await systemClock.sleep(200);
  t.ok(sent - then <= 1);
  await session[Symbol.asyncDispose]();
  await t.rejects(sending, { name: 'PeerError' });
});

t.test('a refusal is thrown with its code, as greeting, as message and as status', async (t) => {
  const { link } = await world(t, { stream: (call) => { call.on('error', () => undefined); call.write({ kind: 'refused', code: 'forbidden', message: 'not your journal' }); call.end(); } });
  await t.rejects(link.connect(hello, never), { code: 'forbidden', message: 'not your journal' });

  const later = await world(t, { stream: greet((call, message) => { if (message.kind === 'frame') { call.write({ kind: 'durable', through: asSequence(1n) }); call.write({ kind: 'refused', code: 'out-of-order', message: 'a hole' }); call.emit('error', { code: status.FAILED_PRECONDITION, details: 'a hole' }); } }) });
  const session = await later.link.connect(hello, never);
  await session.send({ kind: 'frame', frame: Buffer.alloc(10) });
  await t.rejects(collect(session.messages()), { code: 'out-of-order', message: 'a hole' });
  await t.rejects(session.send({ kind: 'frame', frame: Buffer.alloc(10) }), { code: 'out-of-order' });
  await session[Symbol.asyncDispose]();

  const status16 = await world(t, { stream: (call) => { call.on('error', () => undefined); call.emit('error', { code: status.UNAUTHENTICATED, details: 'the certificate has been revoked' }); } });
  await t.rejects(status16.link.connect(hello, never), { code: 'unauthenticated', message: 'the certificate has been revoked' });
});

t.test('the end of the stream is no error, but without a greeting it is', async (t) => {
  const { link } = await world(t, { stream: greet((call, message) => { if (message.kind === 'frame') call.end(); }) });
  const session = await link.connect(hello, never);
  await session.send({ kind: 'frame', frame: Buffer.alloc(10) });
  t.same(await collect(session.messages()), []);
  await session[Symbol.asyncDispose]();
  const silent = await world(t, { stream: (call) => { call.on('error', () => undefined); call.end(); } });
  await t.rejects(silent.link.connect(hello, never), { code: 'unavailable', message: /without a greeting/ });
  const rude = await world(t, { stream: (call) => { call.on('error', () => undefined); call.write({ kind: 'durable', through: asSequence(1n) }); } });
  await t.rejects(rude.link.connect(hello, never), { code: 'invalid', message: /began with a durable/ });
});

t.test('connecting ends with the signal, and with patience', async (t) => {
  const { identity } = await world(t, { stream: (call) => { call.on('error', () => undefined); } });
  const hasty = new GrpcLink({ identity, clock: systemClock, connectTimeoutMs: 100 });
  await t.rejects(hasty.connect(hello, never), { code: 'unavailable', message: /did not greet within 100 ms/ });
  const stop = new AbortController();
  const connecting = new GrpcLink({ identity, clock: systemClock }).connect(hello, stop.signal);
  setTimeout(() => stop.abort(new Error('stopping')), 50);
  await t.rejects(connecting, /stopping/);
  await t.rejects(hasty.connect(hello, stop.signal), /stopping/);
});

t.test('each way not to reach a receiver is told apart', async (t) => {
  const { identity, port, authority } = await world(t, { stream: greet() });
  const connect = (change: Partial<LinkIdentity>): Promise<unknown> => new GrpcLink({ identity: { ...identity, ...change }, clock: systemClock }).connect(hello, never);
  const other = await newAuthority(t.testdir({ ca: {} }), [], systemClock);
  await t.rejects(connect({ caPem: other.caPem }), { code: 'unauthenticated', message: /did not issue/ });
  await t.rejects(connect({ address: `127.0.0.2:${port}` }), { name: 'PeerError' }, 'nothing there');
  await t.rejects(connect({ address: '127.0.0.1:1' }), { code: 'unavailable', message: /nothing listens at 127.0.0.1:1/ });
  await t.rejects(connect({ address: 'nowhere.invalid:7433' }), { code: 'unavailable', message: /cannot be resolved/ });
  const plain = createTcpServer((socket) => { socket.on('error', () => undefined); socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'); });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  t.teardown(() => plain.close());
  await t.rejects(connect({ address: `127.0.0.1:${(plain.address() as AddressInfo).port}` }), { code: 'unavailable', message: /does not speak TLS/ });

  const host = await signedHost(authority);
  const impostor = await serve(t, authority, { stream: greet() }, { keyPem: host.keyPem, certificateChainPem: host.certificate.toString() });
  await t.rejects(connect({ address: `127.0.0.1:${impostor}` }), { code: 'unauthenticated', message: /not a receiver's, such as another host's/ });
});

t.test('a receiver under a name that it does not carry is not trusted', { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8' }, async (t) => {
  const { identity, authority } = await world(t, {});
  const port = await serve(t, authority, { stream: greet() }, authority.serverCredentials(), '127.0.0.2');
  const link = new GrpcLink({ identity: { ...identity, address: `127.0.0.2:${port}` }, clock: systemClock });
  await t.rejects(link.connect(hello, never), { code: 'unauthenticated', message: /does not name that address \(IP: 127\.0\.0\.2 is not in the cert's list/ });
});

t.test('a host certificate from elsewhere is refused in words when the receiver demands one of its own', async (t) => {
  const { identity, authority } = await world(t, {});
  const other = await newAuthority(t.testdir({ ca: {} }), [], systemClock);
  const { certificate, keyPem } = await signedHost(other);
  const { caPem, certificateChainPem, keyPem: serverKey } = authority.serverCredentials();
  const server = new Server();
  const port = await new Promise<number>((resolve) => server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(Buffer.from(caPem), [{ private_key: Buffer.from(serverKey), cert_chain: Buffer.from(certificateChainPem) }], true), (_, bound) => resolve(bound)));
  t.teardown(() => server.forceShutdown());
  const link = new GrpcLink({ identity: { ...identity, address: `127.0.0.1:${port}`, keyPem, certificatePem: certificate.toString() }, clock: systemClock });
  await t.rejects(link.connect(hello, never), { name: 'PeerError', message: /certificate|connection/ });
});

t.test('frames are read back in order, and no faster than they are taken', async (t) => {
  let written = 0;
  const { link } = await world(t, {
    readFrames: (call) => {
      call.on('error', () => undefined);
      t.equal(call.request, 7n);
      const more = (): void => {
        while (written < 60) {
          written += 1;
          if (!call.write(Buffer.alloc(1024 * 1024, written))) return void call.once('drain', more);
        }
        call.end();
      };
      more();
    },
  });
  let taken = 0;
  for await (const frame of link.readFrames(asSequence(7n), never)) {
    taken += 1;
    t.equal(frame[0], taken);
    if (taken === 1) {
      await systemClock.sleep(300);
      t.ok(written < 60, `${written} MiB were read ahead`);
    }
  }
  t.equal(taken, 60);
});

t.test('reading back ends with the signal, with the reader, and with the receiver', async (t) => {
  let cancelled = 0;
  const { link } = await world(t, {
    readFrames: (call) => {
      call.on('error', () => undefined);
      call.on('cancelled', () => (cancelled += 1));
      if (call.request === 9n) call.emit('error', { code: status.NOT_FOUND, details: 'the journal begins later' });
      else call.write(Buffer.alloc(10));
    },
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopping')), 100);
  await t.rejects(collect(link.readFrames(asSequence(1n), stop.signal)), /stopping/);
  for await (const frame of link.readFrames(asSequence(1n), never)) {
    t.equal(frame.byteLength, 10);
    break;
  }
  await systemClock.sleep(100);
  t.equal(cancelled, 2);
  await t.rejects(collect(link.readFrames(asSequence(9n), never)), { code: 'not-found', message: 'the journal begins later' });
});

t.test('enrolment needs no certificate, renewal and restore use the one there is', async (t) => {
  const reply: EnrolReply = { host: 'web-1', role: 'host', journal: journalId, certificatePem: 'C', caPem: 'A' };
  const end: RestoreItem = { kind: 'end', entries: 1, bytes: 2 };
  const piece: RestoreItem = { kind: 'piece', index: 0, offset: 5, data: Buffer.from('hello') };
  const asked: unknown[] = [];
  const { identity, authority, link, port } = await world(t, {
    enrol: (call, done) => {
      asked.push(call.request);
      if (call.request.token === 'bad') done({ code: status.UNAUTHENTICATED, details: 'no such token' });
      else done(null, reply);
    },
    renew: (call, done) => {
      asked.push(call.request);
      done(null, reply);
    },
    restore: (call) => {
      asked.push(call.request);
      call.write(piece);
      call.write(end);
      call.end();
    },
  });
  const request: EnrolRequest = { token: 'good', certificateRequestDer: Buffer.from([1, 2]), platform: 'linux', agentVersion: '1' };
  t.same(await enrol(`127.0.0.1:${port}`, authority.caPem, request), reply);
  await t.rejects(enrol(`127.0.0.1:${port}`, authority.caPem, { ...request, token: 'bad' }), { code: 'unauthenticated', message: 'no such token' });
  t.same(await link.renew(Buffer.from([3])), reply);
  t.same(await renew(identity, Buffer.from([4])), reply);
  const wanted: RestoreRequest = { host: '', volume: 'v', at: 'latest', paths: ['a/ü'], exactOnly: true, planOnly: false };
  t.same(await collect(link.restore(wanted, never)), [piece, end]);
  t.same(await collect(restore(identity, wanted, never)), [piece, end]);
  t.same(asked, [request, { ...request, token: 'bad' }, Buffer.from([3]), Buffer.from([4]), wanted, wanted]);
  const stop = new AbortController();
  stop.abort(new Error('stopping'));
  await t.rejects(enrol(`127.0.0.1:${port}`, authority.caPem, request, stop.signal), /stopping/);
});

type Tap = Pick<typeof t, 'teardown' | 'testdir'>;
