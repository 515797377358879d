/** Builds and signs one certificate: the CA's own, the server's, or a client's. */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, PublicKey,
  SubjectAlternativeNameExtension, SubjectKeyIdentifierExtension, X509CertificateGenerator, type Extension,
} from '@peculiar/x509';
import { randomBytes, webcrypto, type webcrypto as crypto, type X509Certificate } from 'node:crypto';
import { clientAuthUsage, serverAuthUsage } from '../../proto/identity.js';

export interface CertificateOrder {
  readonly subject: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** Undefined: signed by its own key. */
  readonly issuer: X509Certificate | undefined;
  readonly signingKey: crypto.CryptoKey;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly usage: 'authority' | 'server' | 'client';
  readonly alternativeNames?: readonly { readonly type: 'dns' | 'ip' | 'url'; readonly value: string }[];
}

/** Returns the certificate as PEM, ending in a newline. */
export async function issueCertificate(order: CertificateOrder): Promise<string> {
  const { usage, issuer } = order;
  const publicKey = new PublicKey(Uint8Array.from(order.publicKey));
  const issuerKey = issuer === undefined ? publicKey : new PublicKey(Uint8Array.from(issuer.publicKey.export({ type: 'spki', format: 'der' })));
  const extensions: Extension[] = [
    // A path length of 0: certificates this CA signs can never sign others.
    usage === 'authority' ? new BasicConstraintsExtension(true, 0, true) : new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(usage === 'authority' ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature, true),
    await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
    await AuthorityKeyIdentifierExtension.create(issuerKey, false, webcrypto),
  ];
  if (usage !== 'authority') extensions.push(new ExtendedKeyUsageExtension([usage === 'server' ? serverAuthUsage : clientAuthUsage], true));
  if (order.alternativeNames !== undefined) extensions.push(new SubjectAlternativeNameExtension([...order.alternativeNames]));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: order.subject,
    issuer: issuer?.subject ?? order.subject,
    // Certificates count whole seconds.
    notBefore: new Date(Math.floor(order.notBeforeMs / 1000) * 1000),
    notAfter: new Date(Math.floor(order.notAfterMs / 1000) * 1000),
    publicKey,
    signingKey: order.signingKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions,
  }, webcrypto);
  return `${certificate.toString('pem').trimEnd()}\n`;
}

/** 128 bits of which 126 are random: the top two are 01, so that every serial is positive and has 32 digits. */
function randomSerial(): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial.toString('hex');
}
