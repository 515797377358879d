/** Turns a one-time token and a certificate request into an identity. */
import type { Identity } from '../../proto/identity.js';
import type { CertificateAuthority } from './authority.js';
import type { TokenBook } from './tokens.js';

export interface EnrolmentRequest {
  readonly token: string;
  /** PKCS#10, DER. */
  readonly csrDer: Uint8Array;
}

export interface Enrolment {
  readonly identity: Identity;
  readonly certificatePem: string;
  readonly caPem: string;
}

export interface EnrolmentDesk {
  readonly tokens: TokenBook;
  readonly authority: CertificateAuthority;
}

/**
 * The token is checked first (cheap, and nothing else is owed to a stranger), then the request is
 * checked and signed in memory, so that a bad request leaves the token usable; then the token is
 * used up, durably, and only then does the certificate leave. A crash before that step enrols
 * nobody; one after it loses an unsent certificate, and the host needs a new token.
 */
export async function enrol({ token, csrDer }: EnrolmentRequest, { tokens, authority }: EnrolmentDesk): Promise<Enrolment> {
  const { host, role } = await tokens.check(token);
  const { identity, certificatePem } = await authority.sign(csrDer, { name: host, role });
  await tokens.redeem(token, identity);
  return { identity, certificatePem, caPem: authority.caPem };
}
