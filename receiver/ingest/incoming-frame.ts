/** Judges a frame that arrived: intact, well formed, and the next one of its journal; or already here; or refused. */
import type { Change, Sequence } from '../../proto/change.js';
import { FormatError, PeerError } from '../../proto/errors.js';
import { chainFault, frameControl, readFrame, type Frame, type JournalEnd } from '../../proto/journal/frame.js';

export interface IncomingFrame {
  readonly frame: Frame;
  /** Its control changes, without flushes and durable edges. They hold no part of the frame's bytes. */
  readonly control: readonly Change[];
}

/** What is known of a frame accepted before. */
export interface KnownFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly digest: Buffer;
}

/**
 * The frame, when it follows `end`; undefined, when it is one that was accepted before. Throws PeerError
 * `invalid` for bytes that are no well-formed frame and `out-of-order` for one that does not follow.
 * `recent` are the last frames accepted, as far as they are remembered.
 */
export function judgeFrame(bytes: Buffer, { end, recent }: { readonly end: JournalEnd; readonly recent: readonly KnownFrame[] }): IncomingFrame | undefined {
  let frame: Frame;
  try {
    frame = readFrame(bytes);
  } catch (error) {
    throw invalid(error);
  }
  const { header } = frame;
  if (!header.journal.equals(end.journal)) throw new PeerError('forbidden', `a frame of journal ${header.journal.toString('hex')} came over the stream of journal ${end.journal.toString('hex')}; nothing of it was stored`);
  if (header.lastSequence <= end.lastSequence) {
    checkRepeated(frame, end, recent);
    return undefined;
  }
  const fault = chainFault(end, header);
  if (fault !== undefined) {
    throw new PeerError('out-of-order', `frame ${header.firstSequence} to ${header.lastSequence} does not follow: ${fault}; the receiver has the journal through sequence ${end.lastSequence}`);
  }
  try {
    return { frame, control: frameControl(frame).filter(({ body }) => body.kind !== 'flush' && body.kind !== 'durable') };
  } catch (error) {
    throw invalid(error);
  }
}

/** A repeated frame must be the one that is here; of frames too old to be remembered the chain of digests tells at the next new one. */
function checkRepeated({ header, digest }: Frame, end: JournalEnd, recent: readonly KnownFrame[]): void {
  const remembered = recent[0];
  if (remembered === undefined || header.firstSequence < remembered.firstSequence) return;
  const same = recent.find((known) => known.firstSequence === header.firstSequence && known.lastSequence === header.lastSequence);
  if (same === undefined || !same.digest.equals(digest)) {
    throw new PeerError('out-of-order', `frame ${header.firstSequence} to ${header.lastSequence} overlaps the journal and is not what it holds there; expected is sequence ${end.lastSequence + 1n}`);
  }
}

function invalid(error: unknown): unknown {
  return error instanceof FormatError ? new PeerError('invalid', `a frame was refused, and nothing of it stored: ${error.message}`, error) : error;
}
