/** The receiver's gRPC server: one TLS port for enrolment, journals and recovery. */
import { Server, ServerCredentials, type ConnectionInjector, type sendUnaryData, type ServerDuplexStream, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '../../native/host/clock.js';
import { PeerError } from '../../proto/errors.js';
import { messageBytesMax, type EnrolReply, type ReceiverMessage, type RestoreItem } from '../../proto/wire/messages.js';
import { enrolmentService, journalService, recoveryService } from './definitions.js';
import { Gate, type Caller } from './gate.js';
import { Handlers, type CallSignals } from './handlers.js';
import { observeCalls } from './observe-calls.js';
import type { Logger, ServiceParts } from './parts.js';
import { isInternal, statusOf } from './status.js';
import { TlsFront } from './tls-front.js';

export interface ReceiverServiceOptions {
  readonly parts: ServiceParts;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly credentials: { readonly certificateChainPem: string; readonly keyPem: string; readonly caPem: string };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: ServiceLimits;
  readonly recheckMs?: number;
  readonly keepaliveMs?: number;
}

export interface ServiceLimits {
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
  readonly callsMax?: number;
  readonly callsPerIdentityMax?: number;
  readonly enrolmentsMax?: number;
}

const keepaliveMsDefault = 30_000;
const keepaliveTimeoutMs = 20_000;
const streamsPerConnectionMax = 64;
const shutdownMsMax = 5000;

export class ReceiverService implements AsyncDisposable {
  readonly #options: ReceiverServiceOptions;
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #handlers: Handlers;
  readonly #closing = new AbortController();
  #front: TlsFront | undefined;

  private constructor(options: ReceiverServiceOptions) {
    const { parts, clock, logger, limits = {}, recheckMs, keepaliveMs = keepaliveMsDefault } = options;
    this.#options = options;
    const { callsMax, callsPerIdentityMax, enrolmentsMax } = limits;
    const gate = new Gate({
      identify: (certificateDer) => parts.identify(certificateDer),
      unverified: (peer) => this.#front?.unverified(peer),
      ...(callsMax === undefined ? {} : { callsMax }), ...(callsPerIdentityMax === undefined ? {} : { callsPerIdentityMax }),
    });
    this.#handlers = new Handlers({ parts, gate, clock, logger, ...(enrolmentsMax === undefined ? {} : { enrolmentsMax }), ...(recheckMs === undefined ? {} : { recheckMs }) });
    this.#server = new Server({
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.max_concurrent_streams': streamsPerConnectionMax,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.enable_channelz': 0,
      interceptors: [observeCalls({ logger, called: (peer) => this.#front?.noteCall(peer) })],
    });
    this.#server.addService(enrolmentService, { enrol: this.#unary((call) => this.#handlers.enrol(call, call.request)) });
    this.#server.addService(journalService, {
      stream: (call: ServerDuplexStream<Buffer, ReceiverMessage>) => this.#run(call, (signals) => this.#handlers.stream(call, signals)),
      readFrames: (call: ServerWritableStream<Buffer, Buffer>) => this.#run(call, (signals) => this.#handlers.readFrames(call, signals)),
      renew: this.#unary((call) => this.#handlers.renew(call, call.request)),
    });
    this.#server.addService(recoveryService, {
      restore: (call: ServerWritableStream<Buffer, RestoreItem>) => this.#run(call, (signals) => this.#handlers.restore(call, signals)),
    });
    // TLS is done before a connection gets here.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Starts to listen. Throws UsageError when the address cannot be used. */
  static async listen(options: ReceiverServiceOptions): Promise<ReceiverService> {
    const service = new ReceiverService(options);
    const { host, port, credentials, logger, limits = {} } = options;
    const { connectionsMax, connectionsPerAddressMax } = limits;
    service.#front = await TlsFront.listen({
      host, port, ...credentials, logger, inject: (socket) => service.#injector.injectConnection(socket),
      ...(connectionsMax === undefined ? {} : { connectionsMax }), ...(connectionsPerAddressMax === undefined ? {} : { connectionsPerAddressMax }),
    });
    return service;
  }

  /** Where it listens. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#front!.address;
  }

  /** Ends every call with word of it, then the connections; those that do not end in time are cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#front?.stopAccepting();
    this.#closing.abort(new PeerError('unavailable', 'the receiver is shutting down'));
    const patience = new AbortController();
    const ended = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const late = this.#options.clock.sleep(shutdownMsMax, patience.signal).catch(() => undefined);
    await Promise.race([ended, late]);
    patience.abort();
    this.#server.forceShutdown();
    this.#front?.destroy();
  }

  #unary(handle: (call: ServerUnaryCall<Buffer, EnrolReply>) => Promise<EnrolReply>): (call: ServerUnaryCall<Buffer, EnrolReply>, reply: sendUnaryData<EnrolReply>) => void {
    return (call, reply) => {
      handle(call).then(
        (value) => reply(null, value),
        (error: unknown) => {
          this.#note(call, error);
          reply(statusOf(error));
        },
      );
    };
  }

  /** Runs a call that streams: to its end, to the end of its stream, or to the service's. */
  #run(call: (ServerDuplexStream<Buffer, ReceiverMessage> | ServerWritableStream<Buffer, never>) & Caller, handle: (signals: CallSignals) => Promise<void>): void {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort(new PeerError('unavailable', 'the peer ended the call')));
    handle({ gone: gone.signal, signal: AbortSignal.any([gone.signal, this.#closing.signal]) }).then(
      () => call.end(),
      (error: unknown) => {
        if (gone.signal.aborted) return;
        this.#note(call, error);
        call.emit('error', statusOf(error));
      },
    );
  }

  #note(call: Caller, error: unknown): void {
    if (isInternal(error)) this.#options.logger.error({ peer: call.getPeer(), err: error }, 'a call failed');
  }
}
