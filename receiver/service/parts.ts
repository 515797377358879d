/** What the service needs of the rest of the receiver; whoever composes the stages hands it in. */
import type { Sequence } from '../../proto/change.js';
import type { Identity } from '../../proto/identity.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { StoredFrame } from '../../proto/journal/journal-reader.js';
import type { AgentMessage, ReceiverMessage, RestoreItem, RestoreRequest } from '../../proto/wire/messages.js';

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

/** A certificate that was just signed. */
export interface Issued {
  readonly identity: Identity;
  readonly certificatePem: string;
  readonly caPem: string;
}

export interface ServiceParts {
  /** Who holds this certificate, which TLS proved the peer to hold the key of. Throws PeerError for nobody known. */
  identify(certificateDer: Uint8Array | undefined): Identity;
  /** Uses a token up for a certificate. Throws PeerError. */
  enrol(request: { readonly token: string; readonly csrDer: Uint8Array }): Promise<Issued>;
  /** A new certificate for the same identity. Throws PeerError. */
  renew(identity: Identity, csrDer: Uint8Array): Promise<Issued>;
  /** Notes that a certificate was issued. */
  noteIssued(issued: Issued): void;
  /** Makes a host known and returns its journal: the one it had, or a new one. */
  admit(host: { readonly name: string; readonly platform: string; readonly agentVersion: string }): Promise<JournalId>;
  journalOf(host: string): JournalId | undefined;
  /** Serves an agent's stream to its end. Throws PeerError, after having told the agent. */
  stream(stream: { readonly host: string; readonly journal: JournalId; readonly incoming: AsyncIterable<AgentMessage>; readonly send: (message: ReceiverMessage) => Promise<void>; readonly signal: AbortSignal }): Promise<void>;
  /** Durable frames of a journal, in order, to its durable end. */
  frames(request: { readonly journal: JournalId; readonly after: Sequence; readonly signal: AbortSignal }): AsyncIterable<StoredFrame>;
  /** What restoring a point takes. The request's host is never empty here, and the identity may read it. */
  restore(request: RestoreRequest, identity: Identity, signal: AbortSignal): AsyncIterable<RestoreItem>;
  /** Adds to the audit log; who acted, as `role name`. */
  audit(entry: { readonly identity: string; readonly act: string; readonly detail: Readonly<Record<string, unknown>> }): void;
}
