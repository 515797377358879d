/** What the identity tests share: a clock that is set by hand, an authority in a fresh directory, hostile certificates. */
import 'reflect-metadata';
import {
  BasicConstraintsExtension, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension, X509CertificateGenerator, type Extension,
} from '@peculiar/x509';
import { webcrypto, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { generateKey } from '../../../agent/identity/keys.js';
import { systemClock, type Clock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { CertificateAuthority } from '../../../receiver/identity/authority.js';

export const startMs = Date.parse('2026-03-01T12:00:00Z');
export const dayMs = 86_400_000;

export class SetClock implements Clock {
  ms: number;
  constructor(ms: number = startMs) {
    this.ms = ms;
  }
  wallNs(): bigint {
    return BigInt(this.ms) * 1_000_000n;
  }
  monotonicMs = systemClock.monotonicMs;
  sleep = systemClock.sleep;
  every = systemClock.every;
  after = systemClock.after;
}

export async function newAuthority(directory: string, names: string[] = [], clock: Clock = new SetClock()): Promise<CertificateAuthority> {
  return CertificateAuthority.create({ files: systemFiles, directory: join(directory, 'ca'), clock, names, hostname: 'box.test' });
}

export async function signedHost(authority: CertificateAuthority, name = 'web-1'): Promise<{ certificate: X509Certificate; keyPem: string }> {
  const { keyPem, csrDer } = await generateKey();
  const { certificatePem } = await authority.sign(csrDer, { name, role: 'host' });
  return { certificate: new X509Certificate(certificatePem), keyPem };
}

export interface Forgery {
  readonly subject?: string;
  readonly issuer?: string;
  readonly uris?: string[];
  readonly usages?: string[];
  readonly ca?: boolean;
  readonly days?: number;
  readonly serialNumber?: string;
  /** Signs with this key instead of its own. */
  readonly signingKey?: webcrypto.CryptoKey;
}

export async function forge({ subject = 'CN=x', issuer, uris, usages, ca = false, days = 365, serialNumber = `4${'1'.repeat(31)}`, signingKey }: Forgery): Promise<X509Certificate> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const extensions: Extension[] = [new BasicConstraintsExtension(ca, undefined, true)];
  if (usages !== undefined) extensions.push(new ExtendedKeyUsageExtension(usages, true));
  if (uris !== undefined) extensions.push(new SubjectAlternativeNameExtension(uris.map((value) => ({ type: 'url', value }))));
  const certificate = await X509CertificateGenerator.create({
    subject, issuer: issuer ?? subject, serialNumber, publicKey: keys.publicKey, signingKey: signingKey ?? keys.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' }, notBefore: new Date(startMs - dayMs), notAfter: new Date(startMs + days * dayMs), extensions,
  });
  return new X509Certificate(Buffer.from(certificate.rawData));
}
