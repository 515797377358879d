/** Decides who is on the other end of a connection: the only gate, for TLS is told to let every certificate through. */
import { X509Certificate } from 'node:crypto';
import { FormatError, PeerError } from '../../proto/errors.js';
import { clientAuthUsage, identityOf, millisecondsOf, serialOf, validityOf, type Identity } from '../../proto/identity.js';

export interface PeerEvidence {
  /** The certificate the TLS peer proved to hold the key of, as DER; undefined when it showed none. */
  readonly certificateDer: Uint8Array | undefined;
  readonly authority: { readonly certificate: X509Certificate };
  /** The receiver's clock. */
  readonly nowNs: bigint;
  readonly revoked: (serial: string) => boolean;
}

const certificateSizeBytesMax = 16 * 1024;
const remedy = 'enrol this host with afterimage-agent enroll';

/** Returns the identity when every check holds; throws PeerError 'unauthenticated' with cause and remedy otherwise. */
export function identifyPeer({ certificateDer, authority, nowNs, revoked }: PeerEvidence): Identity {
  if (certificateDer === undefined || certificateDer.length === 0) throw refusal(`no client certificate was presented: ${remedy}`);
  const certificate = parse(certificateDer);
  const issuer = authority.certificate;
  // The authority's own certificate passes the issuer checks below, since it issued itself.
  if (certificate.ca) throw refusal(`the certificate presented is a certificate authority's, not a host's: ${remedy}`);
  if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    throw refusal(`the client certificate was not issued by this receiver (its issuer is ${oneLine(certificate.issuer)}): ${remedy} against this receiver`);
  }
  checkDates(certificate, nowNs, 'the client certificate', remedy);
  checkDates(issuer, nowNs, 'the certificate authority of this receiver', 'make a new one and enrol every host');
  const usages = certificate.keyUsage ?? [];
  if (usages.length !== 1 || usages[0] !== clientAuthUsage) throw refusal(`the certificate presented is not for clients (a server's certificate cannot identify a host): ${remedy}`);
  const identity = identityIn(certificate);
  if (revoked(identity.serial) !== false) {
    throw refusal(`the certificate of ${identity.role} ${identity.name} (serial ${identity.serial}) has been revoked: ask the operator of the receiver for a new token, then ${remedy}`);
  }
  return identity;
}

function parse(der: Uint8Array): X509Certificate {
  let certificate: X509Certificate | undefined;
  try {
    if (der.length <= certificateSizeBytesMax) certificate = new X509Certificate(der);
  } catch {
    // Told below, as every other certificate that cannot be read.
  }
  // The same bytes again: no PEM, nothing after the end, no second spelling of the same certificate.
  if (certificate === undefined || !certificate.raw.equals(der)) throw refusal(`the client certificate cannot be read: ${remedy} again`);
  return certificate;
}

function checkDates(certificate: X509Certificate, nowNs: bigint, whose: string, then: string): void {
  let validity;
  try {
    validity = validityOf(certificate);
  } catch (cause) {
    throw refusal(`${whose} has no readable dates: ${then}`, cause);
  }
  const nowMs = millisecondsOf(nowNs);
  const now = `the receiver's clock says ${iso(nowMs)}`;
  if (!(nowMs >= validity.notBeforeMs)) throw refusal(`${whose} is not valid before ${iso(validity.notBeforeMs)} (${now}): check the clocks of both machines`);
  if (!(nowMs <= validity.notAfterMs)) throw refusal(`${whose} expired at ${iso(validity.notAfterMs)} (${now}): ${then} again`);
}

function identityIn(certificate: X509Certificate): Identity {
  try {
    const identity = identityOf(certificate);
    if (!/^[0-9a-f]{32}$/.test(identity.serial)) throw new FormatError('read serial', { serial: serialOf(certificate) });
    return identity;
  } catch (cause) {
    throw refusal(`the client certificate names no identity that this receiver gives: ${remedy} again`, cause);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A stranger's text, bounded and without control characters, so that it can go into logs and messages. */
function oneLine(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 120));
}

function refusal(message: string, cause?: unknown): PeerError {
  return new PeerError('unauthenticated', message, cause);
}
