/** The authority keeps its keys private, survives interruption, and signs only what it should. */
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { webcrypto, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { generateKey } from '../../../agent/identity/keys.js';
import { systemFiles } from '../../../native/host/files.js';
import { PeerError, UsageError } from '../../../proto/errors.js';
import { validityOf } from '../../../proto/identity.js';
import { CertificateAuthority } from '../../../receiver/identity/authority.js';
import { parseServerName } from '../../../receiver/identity/server-names.js';
import { dayMs, newAuthority, SetClock, startMs } from './fixture.js';

const sanOf = (authority: CertificateAuthority): string => new X509Certificate(authority.serverCredentials().certificateChainPem).subjectAltName ?? '';
const place = (directory: string, clock = new SetClock()) => ({ files: systemFiles, directory: join(directory, 'ca'), clock, hostname: 'box.test' });

t.test('create makes private files in a private directory, and refuses to replace them', async (t) => {
  const directory = t.testdir({});
  await newAuthority(directory, ['Backup.Example.com', '192.0.2.7', '2001:DB8::0:7']);
  t.equal(statSync(join(directory, 'ca')).mode & 0o777, 0o700);
  const names = readdirSync(join(directory, 'ca')).sort();
  t.same(names, ['ca-key.pem', 'ca.pem', 'server-key.pem', 'server-names.json', 'server.pem']);
  for (const name of names) t.equal(statSync(join(directory, 'ca', name)).mode & 0o777, 0o600, name);
  t.match(readFileSync(join(directory, 'ca', 'ca-key.pem'), 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
  const before = readFileSync(join(directory, 'ca', 'ca.pem'));
  await t.rejects(newAuthority(directory), { name: 'UsageError', message: /holds a certificate authority already/ });
  t.same(readFileSync(join(directory, 'ca', 'ca.pem')), before);
});

t.test('the certificates hold for 20 years and 2 years, and the server\'s names are those given and local ones', async (t) => {
  const authority = await newAuthority(t.testdir({}), ['Backup.Example.com', '192.0.2.7', '2001:DB8::0:7']);
  t.equal(sanOf(authority), 'DNS:backup.example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, DNS:box.test, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  const years = (certificate: X509Certificate): number => Math.round((validityOf(certificate).notAfterMs - startMs) / (365.25 * dayMs));
  t.equal(years(authority.certificate), 20);
  t.equal(years(new X509Certificate(authority.serverCredentials().certificateChainPem)), 2);
  t.ok(authority.certificate.ca);
  t.equal(authority.serverCredentials().certificateChainPem.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

t.test('open brings back the same authority and the same server certificate', async (t) => {
  const directory = t.testdir({});
  const made = await newAuthority(directory, ['a.example']);
  const opened = await CertificateAuthority.open(place(directory));
  t.same(opened.serverCredentials(), made.serverCredentials());
  t.same(opened.names, ['a.example']);
  t.same(opened.fingerprint, made.fingerprint);
});

t.test('the server certificate is renewed when the names change, and near its end, keeping its key', async (t) => {
  const directory = t.testdir({});
  const made = await newAuthority(directory, ['a.example']);
  const renamed = await CertificateAuthority.open({ ...place(directory), names: ['b.example'] });
  t.match(sanOf(renamed), /^DNS:b\.example, /);
  t.equal(renamed.serverCredentials().keyPem, made.serverCredentials().keyPem);
  const again = await CertificateAuthority.open(place(directory, new SetClock(startMs + 480 * dayMs)));
  t.same(again.serverCredentials(), renamed.serverCredentials(), 'over a third left: kept');
  const late = await CertificateAuthority.open(place(directory, new SetClock(startMs + 500 * dayMs)));
  t.not(late.serverCredentials().certificateChainPem, renamed.serverCredentials().certificateChainPem);
  t.match(sanOf(late), /^DNS:b\.example, /);
});

t.test('an interrupted create is completed by the next, with the key it left', async (t) => {
  const directory = t.testdir({});
  const made = await newAuthority(directory);
  for (const name of ['ca.pem', 'server.pem', 'server-key.pem']) rmSync(join(directory, 'ca', name));
  t.notOk(await CertificateAuthority.exists(place(directory)));
  const completed = await newAuthority(directory);
  t.same(completed.fingerprint, made.fingerprint);
});

t.test('open says what is missing', async (t) => {
  const directory = t.testdir({});
  await t.rejects(CertificateAuthority.open(place(directory)), { name: 'UsageError', message: /run afterimage-receiver init/ });
  await newAuthority(directory);
  rmSync(join(directory, 'ca', 'ca-key.pem'));
  await t.rejects(CertificateAuthority.open(place(directory)), { name: 'UsageError', message: /ca-key\.pem is missing/ });
});

t.test('names that no agent could dial are refused before anything is written', async (t) => {
  const rows: [string, RegExp][] = [
    ['', /it is empty/], ['https://a.example', /is a URL/], ['a.example:7433', /ends with a port/], ['a..b', /empty label/], ['-a', /"-a" is no DNS label/],
    ['a b', /no DNS label/], ['*.a.example', /no DNS label/], ['192.0.2.300', /last label is a number/], ['bücher.example', /xn--/], ['fe80::1%eth0', /zone/], ['x.'.repeat(130), /260 characters/],
  ];
  for (const [name, message] of rows) t.throws(() => parseServerName(name), { name: 'UsageError', message }, JSON.stringify(name));
  t.same(parseServerName('[2001:DB8::7]'), { type: 'ip', value: '2001:db8::7' });
  const directory = t.testdir({});
  await t.rejects(newAuthority(directory, ['a b']), UsageError);
  t.same(readdirSync(directory), []);
});

t.test('a signed certificate carries the given identity and nothing from the request', async (t) => {
  const authority = await newAuthority(t.testdir({}));
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=admin', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } });
  for (const form of [new Uint8Array(request.rawData), request.toString('pem')]) {
    const { certificatePem, identity } = await authority.sign(form, { name: 'db.example', role: 'operator' });
    const certificate = new X509Certificate(certificatePem);
    t.equal(certificate.subjectAltName, 'URI:urn:afterimage:operator:db.example');
    t.equal(certificate.subject, 'CN=afterimage operator');
    t.notOk(certificate.ca);
    t.equal(identity.serial, certificate.serialNumber.toLowerCase());
  }
  await t.rejects(authority.sign(new Uint8Array(request.rawData), { name: '../x', role: 'host' }), UsageError);
});

t.test('keys that are strong enough are signed, others refused', async (t) => {
  const authority = await newAuthority(t.testdir({}));
  type Algorithms = Parameters<typeof webcrypto.subtle.generateKey>[0] & { hash?: string; namedCurve?: string; modulusLength?: number; publicExponent?: Uint8Array };
  const request = async (algorithm: Algorithms, hash = 'SHA-256'): Promise<Uint8Array> => {
    const keys = (await webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, true, ['sign', 'verify']));
    return new Uint8Array((await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: { ...(algorithm as object), hash } as never })).rawData);
  };
  const rsa = (modulusLength: number, hash = 'SHA-256', publicExponent = Uint8Array.of(1, 0, 1)): Promise<Uint8Array> => request({ name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent, hash } as Algorithms, hash);
  const sign = (csr: Uint8Array) => authority.sign(csr, { name: 'a', role: 'host' });
  await t.resolves(sign(await request({ name: 'Ed25519' } as Algorithms)), 'Ed25519');
  await t.resolves(sign(await rsa(2048)), 'RSA 2048');
  await t.rejects(sign(await rsa(1024)), { code: 'invalid', message: /an RSA key of 1024 bits; accepted are/ });
  await t.rejects(sign(await rsa(2048, 'SHA-256', Uint8Array.of(3))), { code: 'invalid', message: /exponent 3/ });
  await t.rejects(sign(await rsa(2048, 'SHA-1')), { code: 'invalid', message: /not signed with the private key/ });
  await t.rejects(sign(await request({ name: 'ECDSA', namedCurve: 'P-384' } as Algorithms)), { code: 'invalid', message: /curve secp384r1/ });
});

t.test('a request that does not prove possession, or is no request, is refused', async (t) => {
  const authority = await newAuthority(t.testdir({}));
  const { csrDer } = await generateKey();
  const { csrDer: other } = await generateKey();
  const swapped = Buffer.from(csrDer);
  const point = Buffer.from(other).indexOf(Buffer.from('034200', 'hex')) + 3;
  Buffer.from(other).copy(swapped, Buffer.from(csrDer).indexOf(Buffer.from('034200', 'hex')) + 3, point, point + 65);
  await t.rejects(authority.sign(swapped, { name: 'a', role: 'host' }), { code: 'invalid', message: /not signed with the private key/ });
  for (const bytes of [new Uint8Array(0), Buffer.from('noise'), new Uint8Array(20_000), csrDer.subarray(0, 50)]) {
    await t.rejects(authority.sign(bytes, { name: 'a', role: 'host' }), PeerError);
  }
  let signed = 0;
  for (let at = 0; at < csrDer.length; at++) {
    const altered = Uint8Array.from(csrDer);
    altered[at]! ^= 0x40;
    await authority.sign(altered, { name: 'a', role: 'host' }).then(() => signed++, (error: unknown) => t.ok(error instanceof PeerError, String(error)));
  }
  t.equal(signed, 0);
});
