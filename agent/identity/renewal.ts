/** Replaces the certificate of this host before it expires, with a new key, while the agent runs. */
import type { Clock } from '../../native/host/clock.js';
import type { Files } from '../../native/host/files.js';
import { checkCertificate } from './enroll.js';
import { generateKey } from './keys.js';
import { renewalDue, storeIdentity, type AgentIdentity } from './state.js';

export interface RenewalOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly identity: AgentIdentity;
  /** Asks the receiver, as the present identity. */
  readonly renew: (csrDer: Uint8Array) => Promise<{ readonly certificatePem: string }>;
}

/** The identity to go on with: the present one while it is good for long enough, else a new one, stored. Throws PeerError. */
export async function renewIfDue({ files, clock, stateDirectory, identity, renew }: RenewalOptions): Promise<AgentIdentity> {
  if (!renewalDue(identity, clock.wallNs())) return identity;
  const { keyPem, csrDer } = await generateKey();
  const { certificatePem } = await renew(csrDer);
  checkCertificate(certificatePem, { caPem: identity.caPem, keyPem });
  const renewed: AgentIdentity = { ...identity, keyPem, certificatePem };
  await storeIdentity(files, stateDirectory, renewed);
  return renewed;
}
