/** Sees every call of the server: which status it leaves with, and over what connection it came. */
import { ServerInterceptingCall, status, type ServerInterceptingCallInterface, type ServerInterceptor } from '@grpc/grpc-js';
import type { ServerHttp2Session } from 'node:http2';
import type { Logger } from './parts.js';

/** Bytes that may be on their way to this side, of a call and of a connection: HTTP/2's 64 KiB would let every far link idle. */
const receiveWindowBytes = 4 * 1024 * 1024;

/**
 * Logs each refusal once, also those that gRPC itself sends (a message too large, an unknown encoding), which
 * no handler hears of. For these the call is watched from the inside out: `sendStatus` of the innermost call
 * is what every status goes through.
 */
export function observeCalls(options: { readonly logger: Logger; readonly called: (peer: string) => void }): ServerInterceptor {
  const widened = new WeakSet<ServerHttp2Session>();
  return (method, call) => {
    const peer = call.getPeer();
    options.called(peer);
    widen(call, widened);
    const send = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      if (sent.code !== status.OK) options.logger.warn({ peer, call: method.path, code: status[sent.code ?? status.UNKNOWN], reason: sent.details }, 'a call was refused or failed');
      send(sent);
    };
    return new ServerInterceptingCall(call);
  };
}

/** gRPC lets clients set their receive window and servers not. Without the session, which is internal to it, calls are slower and no less right. */
function widen(call: ServerInterceptingCallInterface, widened: WeakSet<ServerHttp2Session>): void {
  const session = (call as { readonly stream?: { readonly session?: ServerHttp2Session } }).stream?.session;
  if (session === undefined || widened.has(session) || session.destroyed) return;
  widened.add(session);
  session.setLocalWindowSize(receiveWindowBytes);
  session.settings({ initialWindowSize: receiveWindowBytes });
}
