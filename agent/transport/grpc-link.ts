/** The way to the receiver over gRPC with mutual TLS. */
import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import type { Sequence } from '../../proto/change.js';
import { PeerError } from '../../proto/errors.js';
import { decodeReceiverMessage, encodeAgentMessage, type AgentMessage, type EnrolReply, type Hello, type ReceiverMessage, type RestoreItem, type RestoreRequest, type Welcome } from '../../proto/wire/messages.js';
import type { Clock } from '../../native/host/clock.js';
import { peerErrorOf } from './connection-fault.js';
import { readFrames, renew, restore } from './grpc-calls.js';
import { openClient, type LinkIdentity } from './grpc-client.js';
import type { LinkSession, ReceiverLink } from './link.js';

export { enrol } from './grpc-calls.js';
export type { LinkIdentity } from './grpc-client.js';

export interface GrpcLinkOptions {
  /** A function where the certificate is renewed while the link lives: each connection asks anew. */
  readonly identity: LinkIdentity | (() => LinkIdentity);
  readonly clock: Clock;
  /** How long connecting and greeting may take. */
  readonly connectTimeoutMs?: number;
}

const connectTimeoutMsDefault = 20_000;

export class GrpcLink implements ReceiverLink {
  readonly #options: GrpcLinkOptions;

  constructor(options: GrpcLinkOptions) {
    this.#options = options;
  }

  async connect(hello: Hello, signal: AbortSignal): Promise<LinkSession> {
    signal.throwIfAborted();
    const { clock, connectTimeoutMs = connectTimeoutMsDefault } = this.#options;
    const session = new GrpcSession(this.#identity());
    const abort = (): void => session.end(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const cancelTimer = clock.after(connectTimeoutMs, () => session.end(new PeerError('unavailable', `the receiver did not greet within ${connectTimeoutMs} ms`)));
    try {
      await session.greet(hello);
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', abort);
    }
  }

  readFrames(after: Sequence, signal: AbortSignal): AsyncIterable<Buffer> {
    return readFrames(this.#identity(), after, signal);
  }

  /** Restores over this host's identity. Throws PeerError. */
  restore(request: RestoreRequest, signal: AbortSignal): AsyncIterable<RestoreItem> {
    return restore(this.#identity(), request, signal);
  }

  /** A new certificate for a new key, before the present one expires. Throws PeerError. */
  renew(certificateRequestDer: Uint8Array, signal?: AbortSignal): Promise<EnrolReply> {
    return renew(this.#identity(), certificateRequestDer, signal, this.#options.clock);
  }

  #identity(): LinkIdentity {
    const { identity } = this.#options;
    return typeof identity === 'function' ? identity() : identity;
  }
}

class GrpcSession implements LinkSession {
  readonly #address: string;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<AgentMessage, ReceiverMessage>;
  readonly #incoming: AsyncIterator<ReceiverMessage>;
  #welcome: Welcome | undefined;
  /** Why the stream is over, once it is. */
  #over: unknown;
  #isOver = false;
  #drained: (() => void) | undefined;

  constructor(identity: LinkIdentity) {
    this.#address = identity.address;
    this.#client = openClient(identity);
    this.#call = this.#client.makeBidiStreamRequest('/afterimage.Journal/Stream', encodeAgentMessage, decodeReceiverMessage);
    // Also catches what comes while nobody reads; whoever reads or sends next is told.
    this.#call.on('error', (error) => this.#finish(error));
    this.#call.on('close', () => this.#finish(undefined));
    this.#call.on('drain', () => this.#letSend());
    this.#incoming = this.#call[Symbol.asyncIterator]() as AsyncIterator<ReceiverMessage>;
  }

  get welcome(): Welcome {
    return this.#welcome!;
  }

  async greet(hello: Hello): Promise<void> {
    await this.send(hello);
    const first = await this.#next();
    if (first === undefined) throw new PeerError('unavailable', 'the receiver ended the stream without a greeting');
    if (first.kind !== 'welcome') throw new PeerError('invalid', `the receiver began with a ${first.kind} instead of a welcome`);
    this.#welcome = first;
  }

  async send(message: AgentMessage): Promise<void> {
    if (this.#isOver) throw this.#failure();
    if (this.#call.write(message)) return;
    // Sends do not overlap, so there is one to let go on.
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    if (this.#isOver) throw this.#failure();
  }

  async *messages(): AsyncGenerator<ReceiverMessage> {
    for (;;) {
      const message = await this.#next();
      if (message === undefined) return;
      yield message;
    }
  }

  /** Ends the stream at once: whoever waits is told `reason`. */
  end(reason: unknown): void {
    this.#finish(reason);
    this.#call.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.end(new PeerError('unavailable', 'the connection was ended here'));
    this.#client.close();
    return Promise.resolve();
  }

  async #next(): Promise<ReceiverMessage | undefined> {
    let step: IteratorResult<ReceiverMessage>;
    try {
      step = await this.#incoming.next();
    } catch (error) {
      this.#finish(error);
      throw this.#failure();
    }
    if (step.done === true) {
      if (this.#isOver && this.#over !== undefined) throw this.#failure();
      return undefined;
    }
    if (step.value.kind === 'refused') {
      const refusal = new PeerError(step.value.code, step.value.message);
      this.#finish(refusal);
      throw refusal;
    }
    return step.value;
  }

  /** The first reason counts: what follows is its consequence. */
  #finish(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over = reason;
    this.#letSend();
  }

  #letSend(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }

  #failure(): unknown {
    const reason = this.#over;
    if (reason === undefined) return new PeerError('unavailable', 'the receiver ended the stream');
    // What aborted us is handed back as it is; what broke is put into words.
    return reason instanceof Error && !('code' in reason && typeof reason.code === 'number') ? reason : peerErrorOf(reason, this.#address);
  }
}
