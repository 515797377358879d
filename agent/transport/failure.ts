/** What the end of a conversation with the receiver means: what to show, and when to try again. */
import { FormatError, PeerError, type PeerErrorCode } from '../../proto/errors.js';

export type ConnectionState =
  | 'stopped'
  | 'connecting'
  | 'connected'
  /** Broken or not reached; it is tried again soon. */
  | 'waiting'
  /** The receiver does not want us, or we not it; somebody has to act. */
  | 'refused'
  /** The receiver holds another history than this host. */
  | 'forked'
  /** The receiver lost what it had acknowledged, and it is held nowhere else. */
  | 'lost-changes'
  /** The spool cannot be read where it must be shipped from. */
  | 'spool-damaged';

export interface Failure {
  readonly state: ConnectionState;
  readonly message: string;
  readonly retry: 'soon' | 'slowly';
}

const peerFailures: Readonly<Record<PeerErrorCode, Pick<Failure, 'state' | 'retry'>>> = {
  unauthenticated: { state: 'refused', retry: 'slowly' },
  forbidden: { state: 'refused', retry: 'slowly' },
  invalid: { state: 'refused', retry: 'slowly' },
  'not-found': { state: 'refused', retry: 'slowly' },
  // The next reconciliation finds out whether the two really differ.
  'out-of-order': { state: 'waiting', retry: 'soon' },
  unavailable: { state: 'waiting', retry: 'soon' },
};

/** How a conversation ended: `undefined` when the receiver just ended it. */
export function failureOf(error: unknown): Failure {
  if (error === undefined) return { state: 'waiting', message: 'the receiver ended the stream', retry: 'soon' };
  if (error instanceof PeerError) return { ...peerFailures[error.code], message: error.message };
  if (error instanceof FormatError) return { state: 'spool-damaged', message: error.message, retry: 'slowly' };
  return { state: 'waiting', message: error instanceof Error ? error.message : String(error), retry: 'soon' };
}
