/** The calls beside the journal's stream: enrolment, renewal, frames read back, restores. */
import type { Client, ClientReadableStream } from '@grpc/grpc-js';
import type { Sequence } from '../../proto/change.js';
import { PeerError } from '../../proto/errors.js';
import {
  decodeEnrolReply, decodeFrameMessage, decodeRestoreItem, encodeEnrolRequest, encodeReadFramesRequest, encodeRenewRequest, encodeRestoreRequest,
  type EnrolReply, type EnrolRequest, type RestoreItem, type RestoreRequest,
} from '../../proto/wire/messages.js';
import { systemClock, type Clock } from '../../native/host/clock.js';
import { peerErrorOf } from './connection-fault.js';
import { openClient, type LinkIdentity } from './grpc-client.js';

const unaryTimeoutMs = 30_000;

/** Asks for an identity with a one-time token, over a connection that trusts `pinnedCaPem` alone. Throws PeerError. */
export function enrol(address: string, pinnedCaPem: string, request: EnrolRequest, signal?: AbortSignal, clock: Clock = systemClock): Promise<EnrolReply> {
  return unary({ address, caPem: pinnedCaPem }, '/afterimage.Enrolment/Enrol', encodeEnrolRequest(request), signal, clock);
}

/** A new certificate for the identity that asks, for the key of the request. Throws PeerError. */
export function renew(identity: LinkIdentity, certificateRequestDer: Uint8Array, signal?: AbortSignal, clock: Clock = systemClock): Promise<EnrolReply> {
  return unary(identity, '/afterimage.Journal/Renew', encodeRenewRequest(Buffer.from(certificateRequestDer)), signal, clock);
}

/** Whole frames after `after`, as the receiver holds them durably. Read ahead by a few frames at most. Throws PeerError. */
export function readFrames(identity: LinkIdentity, after: Sequence, signal: AbortSignal): AsyncGenerator<Buffer> {
  return serverStream(identity, '/afterimage.Journal/ReadFrames', encodeReadFramesRequest(after), decodeFrameMessage, signal);
}

/** What a restore is made of; the receiver waits while the items are not taken. Throws PeerError. */
export function restore(identity: LinkIdentity, request: RestoreRequest, signal: AbortSignal): AsyncGenerator<RestoreItem> {
  return serverStream(identity, '/afterimage.Recovery/Restore', encodeRestoreRequest(request), decodeRestoreItem, signal);
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

async function unary(identity: LinkIdentity, path: string, request: Buffer, signal: AbortSignal | undefined, clock: Clock): Promise<EnrolReply> {
  signal?.throwIfAborted();
  const client = openClient(identity);
  let abort: (() => void) | undefined;
  let cancelTimer: (() => void) | undefined;
  try {
    return await new Promise<EnrolReply>((resolve, reject) => {
      const call = client.makeUnaryRequest(path, bytesAsTheyAre, decodeEnrolReply, request, (error, reply) => {
        if (error !== null || reply === undefined) reject(peerErrorOf(error, identity.address));
        else resolve(reply);
      });
      const giveUp = (reason: unknown): void => {
        reject(reason as Error);
        call.cancel();
      };
      abort = () => giveUp(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      cancelTimer = clock.after(unaryTimeoutMs, () => giveUp(new PeerError('unavailable', `${identity.address} did not answer within ${unaryTimeoutMs} ms`)));
    });
  } finally {
    cancelTimer?.();
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
    client.close();
  }
}

/** The stream is read as its items are taken: gRPC asks the server for another message only when there is room for it. */
async function* serverStream<T>(identity: LinkIdentity, path: string, request: Buffer, decode: (bytes: Buffer) => T, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const client: Client = openClient(identity);
  const call: ClientReadableStream<T> = client.makeServerStreamRequest(path, bytesAsTheyAre, decode, request);
  // An error that comes while nobody reads must not end the process; the next read throws it.
  call.on('error', () => undefined);
  const abort = (): void => call.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const item of call) yield item as T;
  } catch (error) {
    signal.throwIfAborted();
    throw peerErrorOf(error, identity.address);
  } finally {
    signal.removeEventListener('abort', abort);
    call.cancel();
    client.close();
  }
}
