/**
 * The services of service.proto for gRPC, made by hand. Requests arrive as bytes and are decoded by the
 * handlers: a message that is none is then refused with a reason and logged, which gRPC would not do.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { encodeEnrolReply, encodeFrameMessage, encodeReceiverMessage, encodeRestoreItem, type EnrolReply, type ReceiverMessage, type RestoreItem } from '../../proto/wire/messages.js';

const asBytes = (bytes: Buffer): Buffer => bytes;
/** For the client's half of a definition, which a server has no use for. */
const notHere = (): never => {
  throw new Error('a server does not decode replies');
};

function method<Reply>(path: string, options: { readonly requestStream: boolean; readonly responseStream: boolean; readonly encode: (reply: Reply) => Buffer }): MethodDefinition<Buffer, Reply> {
  return {
    path, requestStream: options.requestStream, responseStream: options.responseStream,
    requestSerialize: asBytes, requestDeserialize: asBytes, responseSerialize: options.encode, responseDeserialize: notHere,
  };
}

export const enrolmentService = {
  enrol: method<EnrolReply>('/afterimage.Enrolment/Enrol', { requestStream: false, responseStream: false, encode: encodeEnrolReply }),
};

export const journalService = {
  stream: method<ReceiverMessage>('/afterimage.Journal/Stream', { requestStream: true, responseStream: true, encode: encodeReceiverMessage }),
  readFrames: method<Buffer>('/afterimage.Journal/ReadFrames', { requestStream: false, responseStream: true, encode: encodeFrameMessage }),
  renew: method<EnrolReply>('/afterimage.Journal/Renew', { requestStream: false, responseStream: false, encode: encodeEnrolReply }),
};

export const recoveryService = {
  restore: method<RestoreItem>('/afterimage.Recovery/Restore', { requestStream: false, responseStream: true, encode: encodeRestoreItem }),
};
