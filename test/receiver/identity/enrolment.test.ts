/** A token enrols once, in time, at the receiver that made it; a failed attempt leaves it usable. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { generateKey } from '../../../agent/identity/keys.js';
import { systemRandom } from '../../../native/host/random.js';
import { PeerError, UsageError } from '../../../proto/errors.js';
import { decodeToken, encodeToken } from '../../../proto/identity.js';
import { enrol } from '../../../receiver/identity/enrolment.js';
import { MemoryTokenStore } from '../../../receiver/identity/memory-token-store.js';
import { identifyPeer } from '../../../receiver/identity/peer.js';
import { TokenBook } from '../../../receiver/identity/tokens.js';
import { newAuthority, SetClock, startMs } from './fixture.js';

const hourMs = 3_600_000;

async function desk(directory: string) {
  const clock = new SetClock();
  const authority = await newAuthority(directory, [], clock);
  const store = new MemoryTokenStore();
  const tokens = new TokenBook({ store, clock, random: systemRandom, caFingerprint: authority.fingerprint });
  return { clock, authority, store, tokens };
}

t.test('a token enrols its host, and the certificate is accepted by the gate', async (t) => {
  const { authority, tokens, store, clock } = await desk(t.testdir({}));
  const token = await tokens.issue({ host: 'web-1', role: 'host', ttlMs: hourMs });
  const { identity, certificatePem, caPem } = await enrol({ token, csrDer: (await generateKey()).csrDer }, { tokens, authority });
  t.equal(caPem, authority.caPem);
  t.same(identifyPeer({ certificateDer: new X509Certificate(certificatePem).raw, authority, nowNs: clock.wallNs(), revoked: () => false }), identity);
  t.same(store.uses.map((use) => use.identity), [identity], 'the store learns the identity in the step that uses the token');
});

t.test('the store never holds the secret', async (t) => {
  const { tokens, store } = await desk(t.testdir({}));
  const { secret } = decodeToken(await tokens.issue({ host: 'a', role: 'host', ttlMs: hourMs }));
  const [record] = store.records();
  t.equal(record?.secretDigest.length, 32);
  t.notMatch(JSON.stringify(store.records()), Buffer.from(secret).toString('hex'));
  t.notOk(Buffer.from(record!.secretDigest).includes(Buffer.from(secret)));
});

t.test('each refused token is told apart', async (t) => {
  const { authority, tokens, clock } = await desk(t.testdir({}));
  const elsewhere = await desk(t.testdir({ other: {} }) + '/other');
  const issue = (book = tokens): Promise<string> => book.issue({ host: 'web-1', role: 'host', ttlMs: hourMs });
  const { csrDer } = await generateKey();
  const refused = (token: string, code: string, message: RegExp) => t.rejects(enrol({ token, csrDer }, { tokens, authority }), { name: 'PeerError', code, message });
  const whole = await issue();
  const swap = whole.at(-1) === 'A' ? 'B' : 'A';
  await refused('', 'invalid', /does not begin with "ai1\."/);
  await refused(whole.slice(0, -1), 'invalid', /83 characters instead of 84; copy it again/);
  await refused(whole.slice(0, -1) + swap, 'invalid', /checksum does not match/);
  await refused(`${whole.slice(0, -1)}!`, 'invalid', /characters no token has/);
  const { id, caFingerprint } = decodeToken(whole);
  await refused(encodeToken({ id, caFingerprint, secret: new Uint8Array(16) }), 'unauthenticated', /knows no such token/);
  await refused(encodeToken({ id: new Uint8Array(8), caFingerprint, secret: new Uint8Array(16) }), 'unauthenticated', /knows no such token/);
  await refused(await issue(elsewhere.tokens), 'unauthenticated', /made by another receiver/);
  await enrol({ token: ` ${whole}\n`, csrDer }, { tokens, authority });
  clock.ms += 1000;
  await refused(whole, 'unauthenticated', /was used at 2026-03-01T12:00:00\.000Z and works only once/);
  const late = await issue();
  clock.ms += hourMs - 1;
  await tokens.check(late);
  clock.ms += 1;
  await refused(late, 'unauthenticated', /for web-1 expired at 2026-03-01T13:00:01\.000Z \(the receiver's clock says 2026-03-01T13:00:01\.000Z\)/);
  t.equal(clock.ms, startMs + 1000 + hourMs);
});

t.test('a bad certificate request does not use the token up', async (t) => {
  const { authority, tokens, store } = await desk(t.testdir({}));
  const token = await tokens.issue({ host: 'a', role: 'auditor', ttlMs: hourMs });
  await t.rejects(enrol({ token, csrDer: Buffer.from('noise') }, { tokens, authority }), { code: 'invalid' });
  t.equal(store.uses.length, 0);
  t.match(await enrol({ token, csrDer: (await generateKey()).csrDer }, { tokens, authority }), { identity: { name: 'a', role: 'auditor' } });
});

t.test('of many concurrent attempts with one token exactly one enrols', async (t) => {
  const { authority, tokens, store } = await desk(t.testdir({}));
  const token = await tokens.issue({ host: 'a', role: 'host', ttlMs: hourMs });
  const { csrDer } = await generateKey();
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => enrol({ token, csrDer }, { tokens, authority })));
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.match((outcome.reason as PeerError).message, /works only once/);
  t.equal(store.uses.length, 1);
});

t.test('a store that fails while marking lets no certificate out', async (t) => {
  const { authority, clock } = await desk(t.testdir({}));
  const store = new MemoryTokenStore();
  const tokens = new TokenBook({ store, clock, random: systemRandom, caFingerprint: authority.fingerprint });
  const token = await tokens.issue({ host: 'a', role: 'host', ttlMs: hourMs });
  store.markUsed = () => { throw new Error('disk full'); };
  await t.rejects(enrol({ token, csrDer: (await generateKey()).csrDer }, { tokens, authority }), /disk full/);
});

t.test('tokens for impossible names and lifetimes, or for somebody else, are refused', async (t) => {
  const { tokens, authority } = await desk(t.testdir({}));
  for (const host of ['', '.a', '-a', 'a/b', 'a b', 'ä', 'x'.repeat(254)]) await t.rejects(tokens.issue({ host, role: 'host', ttlMs: hourMs }), UsageError, host);
  for (const ttlMs of [0, -1, NaN, 1.5, 1e15]) await t.rejects(tokens.issue({ host: 'a', role: 'host', ttlMs }), UsageError, String(ttlMs));
  const token = await tokens.issue({ host: 'a', role: 'host', ttlMs: hourMs });
  const { identity } = await authority.sign((await generateKey()).csrDer, { name: 'b', role: 'host' });
  await t.rejects(tokens.redeem(token, identity), { code: 'forbidden' });
});
