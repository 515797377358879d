/** Errors as gRPC statuses. */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { FormatError, PeerError, UsageError, type PeerErrorCode } from '../../proto/errors.js';

const codes: Readonly<Record<PeerErrorCode, status>> = {
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  invalid: status.INVALID_ARGUMENT,
  'out-of-order': status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  'not-found': status.NOT_FOUND,
};

const detailsLengthMax = 2000;

/** The status that tells a peer of an error: all of one that is meant for it, and nothing of an internal one. */
export function statusOf(error: unknown): ServiceError {
  if (error instanceof PeerError) return serviceError(codes[error.code], error.message);
  if (error instanceof UsageError) return serviceError(status.INVALID_ARGUMENT, error.message);
  if (error instanceof FormatError) return serviceError(status.DATA_LOSS, error.message);
  return serviceError(status.INTERNAL, 'the receiver failed to serve this; its log says why');
}

/** True for an error that is the receiver's own and needs its stack in the log. */
export function isInternal(error: unknown): boolean {
  return !(error instanceof PeerError || error instanceof UsageError);
}

function serviceError(code: status, message: string): ServiceError {
  // A half of a surrogate pair, which a request may carry into a message, cannot go into a header; nor can very much.
  const details = message.slice(0, detailsLengthMax).replaceAll(/\p{Surrogate}/gu, '\ufffd');
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

/** Runs a decoder of requests; what it refuses is the peer's fault. */
export function decodeRequest<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof FormatError || error instanceof RangeError) throw new PeerError('invalid', error.message, error);
    throw error;
  }
}
