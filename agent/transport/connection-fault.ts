/** Turns what gRPC, TLS and the network say about a failed call into a PeerError a person can act on. */
import { status, type ServiceError } from '@grpc/grpc-js';
import { PeerError, type PeerErrorCode } from '../../proto/errors.js';

/** First match counts. Texts are those of Node's TLS and net modules, which gRPC hands on in its details. */
export const connectionFaults: readonly { readonly label: string; readonly pattern: RegExp; readonly code: PeerErrorCode; readonly message: (address: string, details: string) => string }[] = [
  {
    label: 'name mismatch',
    pattern: /does not match certificate's altnames|ERR_TLS_CERT_ALTNAME_INVALID/,
    code: 'unauthenticated',
    message: (address, details) => `the certificate of the receiver at ${address} does not name that address (${/altnames: (.*?)(?:\. Resolution note|$)/.exec(details)?.[1] ?? details}): use a name it carries, or add this one at the receiver`,
  },
  {
    label: 'another authority',
    pattern: /self[- ]signed certificate|unable to (?:verify the first certificate|get (?:local )?issuer certificate)|UNABLE_TO_VERIFY|certificate signature failure/i,
    code: 'unauthenticated',
    message: (address) => `the server at ${address} shows a certificate that the receiver this host was enrolled at did not issue: it is another server, or somebody is in between; nothing was sent`,
  },
  {
    label: 'no receiver\'s certificate',
    pattern: /unsupported certificate purpose|unsuitable certificate purpose|INVALID_PURPOSE/,
    code: 'unauthenticated',
    message: (address) => `the server at ${address} shows a certificate that is not a receiver's, such as another host's: somebody may be in between; nothing was sent`,
  },
  {
    label: 'dates',
    pattern: /certificate has expired|certificate is not yet valid|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    code: 'unauthenticated',
    message: (address, details) => `the certificate of the receiver at ${address} is ${/not.yet.valid/i.test(details) ? 'not valid yet' : 'no longer valid'} by this host's clock: check both clocks`,
  },
  {
    label: 'our certificate is not wanted',
    pattern: /alert (?:bad|unknown|expired|revoked|unsupported)? ?(?:certificate|ca)\b|alert (?:certificate|handshake|access)|certificate required/i,
    code: 'unauthenticated',
    message: (address) => `the receiver at ${address} does not accept this host's certificate: enrol this host again`,
  },
  {
    label: 'no TLS there',
    pattern: /wrong version number|packet length too long|EPROTO|http request|disconnected before secure TLS/i,
    code: 'unavailable',
    message: (address) => `what listens at ${address} does not speak TLS as a receiver does: check the port`,
  },
  { label: 'refused', pattern: /ECONNREFUSED/, code: 'unavailable', message: (address) => `nothing listens at ${address} (connection refused)` },
  { label: 'no such name', pattern: /ENOTFOUND|EAI_AGAIN|Name resolution failed/, code: 'unavailable', message: (address) => `the name in ${address} cannot be resolved` },
  { label: 'unreachable', pattern: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN/, code: 'unavailable', message: (address) => `${address} cannot be reached` },
];

const codes: Readonly<Partial<Record<status, PeerErrorCode>>> = {
  [status.UNAUTHENTICATED]: 'unauthenticated',
  [status.PERMISSION_DENIED]: 'forbidden',
  [status.INVALID_ARGUMENT]: 'invalid',
  [status.UNIMPLEMENTED]: 'invalid',
  [status.FAILED_PRECONDITION]: 'out-of-order',
  [status.OUT_OF_RANGE]: 'out-of-order',
  [status.ABORTED]: 'out-of-order',
  [status.NOT_FOUND]: 'not-found',
};

/** What a failed call means; errors that are PeerErrors already stay as they are. */
export function peerErrorOf(error: unknown, address: string): PeerError {
  if (error instanceof PeerError) return error;
  const { code, details } = (error ?? {}) as Partial<ServiceError>;
  const words = typeof details === 'string' && details !== '' ? details : error instanceof Error ? error.message : String(error);
  if (code === status.INTERNAL && /parsing error|decode/i.test(words)) return new PeerError('invalid', `the receiver sent a message that cannot be read: ${words}`, error);
  const known = code === undefined ? undefined : codes[code];
  if (known !== undefined) return new PeerError(known, words, error);
  for (const fault of connectionFaults) if (fault.pattern.test(words)) return new PeerError(fault.code, fault.message(address, words), error);
  return new PeerError('unavailable', `the connection to ${address} failed: ${words}`, error);
}
