/** Takes frames that the receiver sends back, checking each against the chain before it counts. */
import { PeerError } from '../../proto/errors.js';
import type { Sequence } from '../../proto/change.js';
import { chainFault, readFrame, type Frame, type JournalEnd } from '../../proto/journal/frame.js';

/** What the receiver sent does not follow what is here: the two hold different histories. */
export class ForkedError extends PeerError {
  constructor(message: string) {
    super('out-of-order', message);
  }
}

export interface FetchOptions {
  /** What the first frame must follow; undefined: whatever it says it follows. */
  readonly end: JournalEnd | undefined;
  /** Where the receiver's journal ends, and the digest it has there. */
  readonly through: Sequence;
  readonly digest: Buffer;
  readonly journal: Buffer;
  readonly frames: AsyncIterable<Buffer>;
  /** Called before the first frame is taken, with the end it follows. */
  readonly begin?: (end: JournalEnd) => Promise<void>;
  readonly take: (frame: Frame) => Promise<void>;
}

/**
 * Takes whole frames up to `through`. Throws ForkedError when they do not follow, and PeerError
 * `invalid` or `unavailable` when they are damaged or end early; what was taken until then is good.
 */
export async function fetchFrames(options: FetchOptions): Promise<void> {
  const { through, digest, journal, frames, begin, take } = options;
  let end = options.end;
  let isFirst = true;
  for await (const bytes of frames) {
    const frame = checked(bytes);
    const { firstSequence, lastSequence, lastTimeNs, firstTimeNs, previousDigest } = frame.header;
    end ??= { journal, lastSequence: (firstSequence - 1n) as Sequence, lastTimeNs: firstTimeNs, digest: previousDigest };
    const fault = chainFault(end, frame.header);
    if (fault !== undefined) throw new ForkedError(`the receiver's frame ${firstSequence}..${lastSequence} does not follow what is here: ${fault}`);
    if (lastSequence > through) throw new ForkedError(`the receiver said that its journal ends at ${through}, but sends a frame ${firstSequence}..${lastSequence}`);
    if (isFirst) await begin?.(end);
    isFirst = false;
    await take(frame);
    end = { journal, lastSequence, lastTimeNs, digest: frame.digest };
    if (lastSequence === through) {
      if (!frame.digest.equals(digest)) throw new ForkedError(`the receiver's frame that ends at ${through} is not the one that it announced`);
      return;
    }
  }
  throw new PeerError('unavailable', `the receiver's frames end ${end === undefined ? 'before they begin' : `at change ${end.lastSequence}`}, although it holds ${through}`);
}

function checked(bytes: Buffer): Frame {
  try {
    return readFrame(bytes);
  } catch (cause) {
    throw new PeerError('invalid', `the receiver sent a damaged frame: ${(cause as Error).message}`, cause);
  }
}
