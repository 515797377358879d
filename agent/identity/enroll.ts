/** Enrols this host: pins the receiver by the token, has a new key certified, and stores the identity. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { errorCode, FormatError, PeerError, UsageError } from '../../proto/errors.js';
import { clientAuthUsage, decodeToken, identityOf, type Identity, type Token } from '../../proto/identity.js';
import type { Clock } from '../../native/host/clock.js';
import type { Files } from '../../native/host/files.js';
import { parseReceiverAddress, pinReceiver } from './first-contact.js';
import { generateKey } from './keys.js';
import { findIdentity, isJournalId, storeIdentity, type AgentIdentity } from './state.js';

export interface EnrollRequest {
  readonly token: string;
  /** PKCS#10, DER. */
  readonly csrDer: Uint8Array;
}

export interface EnrollReply {
  readonly certificatePem: string;
  /** The journal that the receiver keeps for this host: 16 bytes. */
  readonly journal: Uint8Array;
}

/** Sends the request over a connection on which only `pinnedCaPem` is trusted. */
export type SendEnrollment = (pinnedCaPem: string, request: EnrollRequest) => Promise<EnrollReply>;

export interface EnrollOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly stateDirectory: string;
  /** HOST:PORT. */
  readonly receiver: string;
  readonly token: string;
  readonly send: SendEnrollment;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const contactTimeoutMs = 15_000;

/** Returns the stored identity. UsageError for a bad token or address; PeerError when the receiver is another or refuses. */
export async function enroll(options: EnrollOptions): Promise<AgentIdentity> {
  const { files, clock, stateDirectory, send, signal } = options;
  const receiver = parseReceiverAddress(options.receiver);
  const text = options.token.trim();
  const { caFingerprint } = readToken(text);
  const former = await findFormer(files, stateDirectory);
  const caPem = await pinReceiver({
    receiver, caFingerprint, nowNs: clock.wallNs(), timeoutMs: options.timeoutMs ?? contactTimeoutMs, ...(signal === undefined ? {} : { signal }),
  });
  const { keyPem, csrDer } = await generateKey();
  const { certificatePem, journal } = await send(caPem, { token: text, csrDer });
  const { name } = checkCertificate(certificatePem, { caPem, keyPem });
  const journalId = Buffer.from(journal).toString('hex');
  if (!isJournalId(journalId)) throw new PeerError('invalid', `the receiver named a journal of ${journal.byteLength} bytes instead of 16`);
  // What lies in the spool belongs to one journal for ever; another journal needs another state directory.
  if (former !== undefined && former.journalId !== journalId) {
    throw new UsageError(`${stateDirectory} belongs to another journal (host ${former.name} at ${former.receiver}); enrol again with another --state directory and a new token`);
  }
  const identity: AgentIdentity = { keyPem, certificatePem, caPem, receiver: options.receiver, name, journalId };
  await storeIdentity(files, stateDirectory, identity);
  return identity;
}

function readToken(text: string): Token {
  try {
    return decodeToken(text);
  } catch (cause) {
    throw new UsageError(`this is not a whole enrolment token: ${(cause as Error).message}; copy it again`, { cause });
  }
}

/** Damage is no obstacle: enrolling again is how a damaged identity is repaired. */
async function findFormer(files: Files, stateDirectory: string): Promise<AgentIdentity | undefined> {
  try {
    return await findIdentity(files, stateDirectory);
  } catch (error) {
    if (error instanceof FormatError || errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}


/** A reply that could not be used later is refused now, while the user is looking. */
export function checkCertificate(certificatePem: string, { caPem, keyPem }: { readonly caPem: string; readonly keyPem: string }): Identity {
  try {
    const certificate = new X509Certificate(certificatePem);
    const authority = new X509Certificate(caPem);
    if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) throw new FormatError('check certificate: not issued by the pinned authority');
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new FormatError('check certificate: not for the key that was sent');
    if (certificate.ca || certificate.keyUsage?.includes(clientAuthUsage) !== true) throw new FormatError('check certificate: not for a client');
    return identityOf(certificate);
  } catch (cause) {
    throw new PeerError('invalid', `the receiver's reply holds no usable certificate: ${(cause as Error).message}`, cause);
  }
}
