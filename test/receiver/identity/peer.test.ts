/** Every way of not being who one says: each is refused, and the refusal says why. */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PeerError } from '../../../proto/errors.js';
import { clientAuthUsage, serverAuthUsage } from '../../../proto/identity.js';
import { identifyPeer } from '../../../receiver/identity/peer.js';
import { dayMs, forge, newAuthority, signedHost, startMs } from './fixture.js';

const directory = t.testdir({});
const authority = await newAuthority(directory);
const { certificate } = await signedHost(authority);
const caKey = await webcrypto.subtle.importKey('pkcs8', createPrivateKey(readFileSync(join(directory, 'ca', 'ca-key.pem'))).export({ type: 'pkcs8', format: 'der' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
const issuer = authority.certificate.subject;

function identify(certificateDer: Uint8Array | undefined, { ms = startMs, revoked = (): boolean => false }: { ms?: number; revoked?: (serial: string) => boolean } = {}) {
  return identifyPeer({ certificateDer, authority, nowNs: BigInt(ms) * 1_000_000n, revoked });
}

function refuses(test: Pick<typeof t, 'ok' | 'equal' | 'match' | 'fail'>, der: Uint8Array | undefined, message: RegExp, options: Parameters<typeof identify>[1] = {}): void {
  try {
    identify(der, options);
    test.fail('accepted');
  } catch (error) {
    test.ok(error instanceof PeerError, String(error));
    test.equal((error as PeerError).code, 'unauthenticated');
    test.match((error as PeerError).message, message);
  }
}

t.test('a certificate this receiver issued identifies its host', async (t) => {
  const identity = identify(certificate.raw);
  t.match(identity, { name: 'web-1', role: 'host', serial: /^[4-7][0-9a-f]{31}$/, fingerprint: /^[0-9a-f]{64}$/ });
  t.equal(identity.fingerprint, certificate.fingerprint256.replaceAll(':', '').toLowerCase());
});

t.test('each refusal says what is wrong and what to do', async (t) => {
  const other = await newAuthority(t.testdir({}));
  const stranger = await signedHost(other);
  const uris = ['urn:afterimage:host:web-1'];
  const usages = [clientAuthUsage];
  const signed = (forgery: Parameters<typeof forge>[0]): Promise<X509Certificate> => forge({ issuer, signingKey: caKey, uris, usages, ...forgery });
  const rows: { label: string; der: Uint8Array | undefined; message: RegExp; ms?: number; revoked?: () => boolean }[] = [
    { label: 'none', der: undefined, message: /no client certificate was presented: enrol this host with afterimage-agent enroll/ },
    { label: 'empty', der: Buffer.alloc(0), message: /no client certificate/ },
    { label: 'noise', der: Buffer.from('noise'), message: /cannot be read/ },
    { label: 'PEM instead of DER', der: Buffer.from(certificate.toString()), message: /cannot be read/ },
    { label: 'bytes after the end', der: Buffer.concat([certificate.raw, Buffer.alloc(1)]), message: /cannot be read/ },
    { label: 'another CA', der: stranger.certificate.raw, message: /not issued by this receiver \(its issuer is "CN=Afterimage CA [0-9a-f]{8}"\): enrol/ },
    { label: 'another CA of the same subject', der: (await forge({ issuer, uris, usages })).raw, message: /not issued by this receiver/ },
    { label: 'self-signed with the right name', der: (await forge({ uris, usages })).raw, message: /not issued by this receiver/ },
    { label: 'self-signed under the CA subject', der: (await forge({ subject: issuer, uris, usages })).raw, message: /not issued by this receiver/ },
    { label: 'the CA itself', der: authority.certificate.raw, message: /certificate authority's, not a host's/ },
    { label: 'a CA that the CA issued', der: (await signed({ ca: true })).raw, message: /certificate authority's/ },
    { label: 'the server certificate', der: new X509Certificate(authority.serverCredentials().certificateChainPem).raw, message: /not for clients/ },
    { label: 'no usage', der: (await forge({ issuer, signingKey: caKey, uris })).raw, message: /not for clients/ },
    { label: 'client and server usage', der: (await signed({ usages: [clientAuthUsage, serverAuthUsage] })).raw, message: /not for clients/ },
    { label: 'no name', der: (await forge({ issuer, signingKey: caKey, usages })).raw, message: /names no identity/ },
    { label: 'two names', der: (await signed({ uris: ['urn:afterimage:host:a', 'urn:afterimage:host:b'] })).raw, message: /names no identity/ },
    { label: 'unknown role', der: (await signed({ uris: ['urn:afterimage:root:a'] })).raw, message: /names no identity/ },
    { label: 'escaped spelling', der: (await signed({ uris: ['urn:afterimage:host:%61'] })).raw, message: /names no identity/ },
    { label: 'hostile name', der: (await signed({ uris: ['urn:afterimage:host:..%2Fb'] })).raw, message: /names no identity/ },
    { label: 'short serial', der: (await signed({ serialNumber: '41' })).raw, message: /names no identity/ },
    { label: 'expired', der: certificate.raw, ms: startMs + 731 * dayMs, message: /client certificate expired at 2028-03-01T00:00:00\.000Z \(the receiver's clock says 2028-03-01T12:00:00\.000Z\): enrol/ },
    { label: 'not yet valid', der: certificate.raw, ms: startMs - 2 * dayMs, message: /client certificate is not valid before 2026-02-28T12:00:00\.000Z .*check the clocks/ },
    { label: 'after the authority itself ended', der: (await forge({ issuer, signingKey: caKey, uris, usages, days: 9000 })).raw, ms: startMs + 8000 * dayMs, message: /certificate authority of this receiver expired/ },
    { label: 'revoked', der: certificate.raw, revoked: () => true, message: /certificate of host web-1 \(serial [0-9a-f]{32}\) has been revoked: ask/ },
    { label: 'an unclear answer about revocation', der: certificate.raw, revoked: () => undefined as unknown as boolean, message: /revoked/ },
  ];
  for (const { label, der, message, ms, revoked } of rows) {
    t.test(label, async (t) => refuses(t, der, message, { ...(ms === undefined ? {} : { ms }), ...(revoked === undefined ? {} : { revoked }) }));
  }
  t.equal(identify((await signed({})).raw).name, 'web-1', 'the forging tool itself makes acceptable certificates');
});

t.test('a failing revocation lookup admits nobody', async (t) => {
  t.throws(() => identify(certificate.raw, { revoked: () => { throw new Error('catalogue closed'); } }), /catalogue closed/);
});

t.test('no certificate with one altered bit, or cut anywhere, is accepted', async (t) => {
  let accepted = 0;
  const attempt = (der: Uint8Array): void => {
    try {
      identify(der);
      accepted++;
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
    }
  };
  for (let at = 0; at < certificate.raw.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const altered = Buffer.from(certificate.raw);
      altered[at]! ^= 1 << bit;
      attempt(altered);
    }
    attempt(certificate.raw.subarray(0, at));
  }
  t.equal(accepted, 0);
});
