/** The way to the receiver as the shipper sees it: gRPC in production, a simulated network in tests. */
import type { Sequence } from '../../proto/change.js';
import type { AgentMessage, Hello, ReceiverMessage, Welcome } from '../../proto/wire/messages.js';

/** One stream to the receiver, past its greeting. Both directions end together. */
export interface LinkSession extends AsyncDisposable {
  readonly welcome: Welcome;
  /** Resolves when the message may be followed by another (backpressure); rejects once the link is down. */
  send(message: AgentMessage): Promise<void>;
  /** What the receiver says, until the link ends (return) or breaks (throw). A `refused` message throws PeerError instead. */
  messages(): AsyncIterable<ReceiverMessage>;
}

export interface ReceiverLink {
  /** Connects and exchanges hello and welcome. Throws PeerError; code `unavailable` when it is worth trying again. */
  connect(hello: Hello, signal: AbortSignal): Promise<LinkSession>;
  /** Whole frames of this host's journal after `after`, as the receiver holds them durably, in order. */
  readFrames(after: Sequence, signal: AbortSignal): AsyncIterable<Buffer>;
}
