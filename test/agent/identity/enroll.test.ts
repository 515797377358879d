/** First contact over real TLS: the token goes only to the receiver that made it, and the identity is kept whole. */
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import { enroll, type SendEnrollment } from '../../../agent/identity/enroll.js';
import { chooseAuthority, parseReceiverAddress } from '../../../agent/identity/first-contact.js';
import { loadIdentity, renewalDue, storeIdentity } from '../../../agent/identity/state.js';
import { systemFiles } from '../../../native/host/files.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemRandom } from '../../../native/host/random.js';
import { publicKeyFingerprintOf, type Identity } from '../../../proto/identity.js';
import type { CertificateAuthority } from '../../../receiver/identity/authority.js';
import { enrol } from '../../../receiver/identity/enrolment.js';
import { MemoryTokenStore } from '../../../receiver/identity/memory-token-store.js';
import { identifyPeer } from '../../../receiver/identity/peer.js';
import { TokenBook } from '../../../receiver/identity/tokens.js';
import { dayMs, newAuthority, signedHost, SetClock, startMs } from '../../receiver/identity/fixture.js';

async function listen(server: Server, t: Tap): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => { server.close(); });
  return (server.address() as AddressInfo).port;
}
type Tap = Pick<typeof t, 'teardown' | 'testdir'>;

/** A receiver reduced to its identity layer: TLS that lets every certificate through, and the gate. */
async function receiver(t: Tap, clock = systemClock) {
  const authority = await newAuthority(t.testdir({ ca: {}, state: {} }), [], clock);
  const tokens = new TokenBook({ store: new MemoryTokenStore(), clock, random: systemRandom, caFingerprint: authority.fingerprint });
  const peers: (Identity | Error)[] = [];
  const port = await listen(tlsServer(authority, peers), t);
  const send: SendEnrollment = async (_, request) => {
    const { certificatePem, identity } = await enrol(request, { tokens, authority });
    // As the receiver does: one journal a host name.
    return { certificatePem, journal: createHash('sha256').update(identity.name).digest().subarray(0, 16) };
  };
  return { authority, tokens, peers, port, send };
}

function tlsServer(authority: CertificateAuthority, peers: (Identity | Error)[] = [], credentials = authority.serverCredentials()) {
  const { certificateChainPem: cert, keyPem: key, caPem: ca } = credentials;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, (socket: TLSSocket) => {
    socket.on('error', () => {});
    try {
      peers.push(identifyPeer({ certificateDer: socket.getPeerX509Certificate()?.raw, authority, nowNs: systemClock.wallNs(), revoked: () => false }));
    } catch (error) {
      peers.push(error as Error);
    }
    socket.end('done');
  });
  return server;
}

const options = (stateDirectory: string, port: number, token: string, send: SendEnrollment) =>
  ({ files: systemFiles, clock: systemClock, stateDirectory, receiver: `localhost:${port}`, token, send });
const neverSent: SendEnrollment = () => { throw new Error('the token was sent'); };

t.test('a host enrols, stores its identity privately, and is known at the next connection', async (t) => {
  const { authority, tokens, peers, port, send } = await receiver(t);
  const state = t.testdir({});
  const authorityBefore = authority.caPem;
  const token = await tokens.issue({ host: 'web-1', role: 'host', ttlMs: 60_000 });
  let pinned = '';
  const identity = await enroll(options(state, port, `${token}\n`, (caPem, request) => { pinned = caPem; return send(caPem, request); }));
  t.same(new X509Certificate(pinned).raw, new X509Certificate(authorityBefore).raw);
  t.match(identity, { name: 'web-1', receiver: `localhost:${port}`, journalId: /^[0-9a-f]{32}$/ });
  t.same(await loadIdentity(systemFiles, state), identity);
  const directory = join(state, 'identity');
  t.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory)) t.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);

  peers.length = 0;
  const socket = connect({ host: 'localhost', port, ca: identity.caPem, cert: identity.certificatePem, key: identity.keyPem, ALPNProtocols: ['h2'] });
  await new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject).resume());
  t.match(peers, [{ name: 'web-1', role: 'host' }]);

  const secondToken = await tokens.issue({ host: 'web-1', role: 'host', ttlMs: 60_000 });
  const again = await enroll(options(state, port, secondToken, send));
  t.equal(again.journalId, identity.journalId, 'the same host goes on with its journal');
  t.not(again.keyPem, identity.keyPem);
  t.equal(readdirSync(directory).length, 2, 'the former key is gone');
  const otherToken = await tokens.issue({ host: 'web-2', role: 'host', ttlMs: 60_000 });
  await t.rejects(enroll(options(state, port, otherToken, send)), { name: 'UsageError', message: /belongs to another journal/ }, 'another host needs another state directory');
  t.equal((await loadIdentity(systemFiles, state)).name, 'web-1');
});

t.test('a client without a certificate reaches the gate and is told what to do', async (t) => {
  const { peers, port, authority } = await receiver(t);
  const socket = connect({ host: 'localhost', port, ca: authority.caPem, ALPNProtocols: ['h2'] });
  await new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject).resume());
  t.match(peers, [{ message: /afterimage-agent enroll/ }]);
});

t.test('the token is not sent to another receiver', async (t) => {
  const made = await receiver(t);
  const token = await made.tokens.issue({ host: 'a', role: 'host', ttlMs: 60_000 });
  const other = await newAuthority(t.testdir({ x: {} }) + '/x', [], systemClock);
  const port = await listen(tlsServer(other), t);
  await t.rejects(enroll(options(t.testdir({}), port, token, neverSent)), { name: 'PeerError', code: 'unauthenticated', message: /is not the receiver that made the token.*not sent/ });
});

t.test('showing the right CA without a certificate from it is refused', async (t) => {
  const made = await receiver(t);
  const token = await made.tokens.issue({ host: 'a', role: 'host', ttlMs: 60_000 });
  const fake = await newAuthority(t.testdir({ x: {} }) + '/x', [], systemClock);
  const fakeLeaf = new X509Certificate(fake.serverCredentials().certificateChainPem);
  const nowNs = systemClock.wallNs();
  const caFingerprint = publicKeyFingerprintOf(made.authority.certificate);
  const choose = (chain: X509Certificate[], host = 'localhost', at = nowNs) => chooseAuthority(chain, { receiver: { host, port: 1 }, caFingerprint, nowNs: at });
  t.throws(() => choose([fakeLeaf, made.authority.certificate]), { message: /no certificate issued by it: someone may be in between/ });
  t.throws(() => choose([made.authority.certificate]), { message: /no certificate issued by it/ });
  t.throws(() => choose([]), { message: /is not the receiver/ });
  const client = await signedHost(made.authority);
  t.throws(() => choose([client.certificate, made.authority.certificate]), { message: /not a receiver's/ });
  const chain = [new X509Certificate(made.authority.serverCredentials().certificateChainPem), made.authority.certificate];
  t.ok(choose(chain));
  t.throws(() => choose(chain, 'wrong.example'), { message: /does not name wrong\.example; it names box\.test, localhost, 127\.0\.0\.1, 0:0:0:0:0:0:0:1\. Dial one of those, or .*afterimage-receiver init --name wrong\.example/ });
  t.throws(() => choose(chain, '192.0.2.1'), { message: /does not name 192\.0\.2\.1/ });
  t.ok(choose(chain, '::1'));
  t.throws(() => choose(chain, 'localhost', nowNs + BigInt(800 * dayMs) * 1_000_000n), { message: /is valid from .* but this host's clock says/ });
  const port = await listen(tlsServer(fake, [], { ...fake.serverCredentials(), certificateChainPem: fakeLeaf.toString() + made.authority.caPem }), t);
  await t.rejects(enroll(options(t.testdir({}), port, token, neverSent)), { name: 'PeerError', code: 'unauthenticated' });
});

t.test('no receiver, a silent one, one that hangs up, and an aborted wait end in an error', async (t) => {
  const { tokens } = await receiver(t);
  const token = await tokens.issue({ host: 'a', role: 'host', ttlMs: 60_000 });
  const silent = await listen(createTcpServer((socket) => { t.teardown(() => socket.destroy()); }), t);
  const rude = await listen(createTcpServer((socket) => socket.destroy()), t);
  const state = t.testdir({});
  await t.rejects(enroll(options(state, 1, token, neverSent)), { code: 'unavailable', message: /cannot reach a receiver at localhost:1: ECONNREFUSED/ });
  await t.rejects(enroll({ ...options(state, silent, token, neverSent), timeoutMs: 50 }), { code: 'unavailable', message: /no answer within 50 ms/ });
  await t.rejects(enroll(options(state, rude, token, neverSent)), { code: 'unavailable' });
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('stopped')), 20);
  await t.rejects(enroll({ ...options(state, silent, token, neverSent), signal: abort.signal }), /stopped/);
});

t.test('a reply with a certificate for another key or from another CA is refused and nothing is stored', async (t) => {
  const { tokens, authority, port } = await receiver(t);
  const token = await tokens.issue({ host: 'a', role: 'host', ttlMs: 60_000 });
  const state = t.testdir({ other: {} });
  const other = await newAuthority(join(state, 'other'), [], systemClock);
  const reply = (certificatePem: string): SendEnrollment => async () => ({ certificatePem, journal: Buffer.alloc(16, 1) });
  const { certificate } = await signedHost(authority);
  await t.rejects(enroll(options(state, port, token, reply(certificate.toString()))), { code: 'invalid', message: /not for the key that was sent/ });
  await t.rejects(enroll(options(state, port, token, async (_, { csrDer }) => ({ ...(await other.sign(csrDer, { name: 'a', role: 'host' })), journal: Buffer.alloc(16, 1) }))), { code: 'invalid', message: /not issued by the pinned authority/ });
  await t.rejects(enroll(options(state, port, token, reply('noise'))), { code: 'invalid' });
  await t.rejects(loadIdentity(systemFiles, state), { name: 'UsageError', message: /not enrolled: run afterimage-agent enroll/ });
});

t.test('mistyped tokens and addresses are usage errors', async (t) => {
  const state = t.testdir({});
  await t.rejects(enroll({ ...options(state, 1, 'ai1.x', neverSent) }), { name: 'UsageError', message: /not a whole enrolment token/ });
  for (const text of ['', 'a', 'a:', ':1', 'a:0', 'a:65536', '::1:80', '[a]:1', 'https://a:1', 'a b:1']) t.throws(() => parseReceiverAddress(text), { name: 'UsageError', message: /HOST:PORT/ }, text);
  t.same(parseReceiverAddress('[::1]:80'), { host: '::1', port: 80 });
});

t.test('damaged identity files are named, and renewal is due in the last third', async (t) => {
  const authority = await newAuthority(t.testdir({ ca: {}, state: {} }), [], new SetClock());
  const state = join(t.testdirName, 'state');
  const { certificate, keyPem } = await signedHost(authority);
  const identity = { keyPem, certificatePem: certificate.toString(), caPem: authority.caPem, receiver: 'a:1', name: 'web-1', journalId: '0'.repeat(32) };
  await storeIdentity(systemFiles, state, identity);
  t.same(await loadIdentity(systemFiles, state), identity);
  const other = await signedHost(authority);
  await t.rejects(storeIdentity(systemFiles, state, { ...identity, keyPem: other.keyPem }), { name: 'FormatError', message: /not that of the certificate/ });
  const nowNs = (ms: number): bigint => BigInt(ms) * 1_000_000n;
  t.notOk(renewalDue(identity, nowNs(startMs + 480 * dayMs)));
  t.ok(renewalDue(identity, nowNs(startMs + 490 * dayMs)));
  const path = join(state, 'identity', 'identity.json');
  const whole = readFileSync(path, 'utf8');
  for (const [content, message] of [['{', /read agent identity/], ['{}', /unknown version/], ['null', /unknown version/], [whole.replace('"name"', '"nome"'), /field is missing.*name/], [whole.replace('0'.repeat(32), '0'), /not a journal id/], [whole.replace(/key-[0-9a-f]+/, '../x'), /not the name of a key file/]] as const) {
    writeFileSync(path, content);
    await t.rejects(loadIdentity(systemFiles, state), { name: 'FormatError', message });
  }
  rmSync(path);
  await t.rejects(loadIdentity(systemFiles, state), { name: 'UsageError' });
});
