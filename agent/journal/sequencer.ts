/** Gives changes their sequences and times, and closes them into frames, each encoded once. */
import { asSequence, writeBytesMax, type CapturedChange, type Sequence, type TimeNs } from '../../proto/change.js';
import { FrameBuilder, type Frame, type JournalEnd } from '../../proto/journal/frame.js';
import { frameChangesMax, frameRawBytesMax, frameRawBytesTarget } from '../../proto/journal/layout.js';
import { payloadBytes } from '../../proto/wire/convert.js';
import type { Clock } from '../../native/host/clock.js';

/** How long a change waits for company at most before its frame closes. */
export const frameDelayMs = 20;

/** Why a change can be in no frame, or undefined when it can. Engines split before; this guards the format. */
export function changeFault(change: CapturedChange): string | undefined {
  const { body } = change;
  if (body.kind === 'write' && body.data.byteLength > writeBytesMax) return `a write of ${body.data.byteLength} bytes; at most ${writeBytesMax} are allowed`;
  const bytes = payloadBytes(change);
  if (bytes > frameRawBytesMax) return `a ${body.kind} of ${bytes} bytes; a frame holds at most ${frameRawBytesMax}`;
  return undefined;
}

export interface SequencerOptions {
  readonly clock: Clock;
  /** The end of the journal: the next change follows it. */
  readonly end: JournalEnd;
  /** Takes each frame as it closes, in order. */
  readonly closed: (frame: Frame) => void;
  /** Told when a frame that the timer closes cannot be encoded; `append` and `close` throw instead. */
  readonly failed: (error: unknown) => void;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  #end: JournalEnd;
  #capturedThrough: Sequence;
  #capturedTimeNs: TimeNs;
  readonly #open = new FrameBuilder();
  #openBytes = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#end = options.end;
    this.#capturedThrough = options.end.lastSequence;
    this.#capturedTimeNs = options.end.lastTimeNs;
  }

  get capturedThrough(): Sequence {
    return this.#capturedThrough;
  }

  /** Time of the last change; of the journal's end before there was one. */
  get capturedTimeNs(): TimeNs {
    return this.#capturedTimeNs;
  }

  /** About how many payload bytes the open frame holds. */
  get openBytes(): number {
    return this.#openBytes;
  }

  /** Time of the open frame's first change; undefined when no frame is open. */
  get openSinceNs(): TimeNs | undefined {
    return this.#open.count === 0 ? undefined : this.#open.firstTimeNs;
  }

  /** Takes down changes, in order, and holds nothing of them. Returns the sequence of the first; the others follow without holes. */
  append(changes: readonly CapturedChange[]): Sequence {
    const first = asSequence(this.#capturedThrough + 1n);
    const nowNs = this.#options.clock.wallNs();
    for (const captured of changes) {
      const bytes = payloadBytes(captured);
      if (this.#open.count > 0 && this.#openBytes + bytes > frameRawBytesTarget) this.close();
      // Times never go back, whatever the wall clock does: an instant must name one place in the journal.
      const at = captured.timeNs ?? nowNs;
      if (at > this.#capturedTimeNs) this.#capturedTimeNs = at;
      this.#capturedThrough = asSequence(this.#capturedThrough + 1n);
      const { volume, actor, body } = captured;
      const sequence = this.#capturedThrough;
      const timeNs = this.#capturedTimeNs;
      this.#open.add(actor === undefined ? { sequence, timeNs, volume, body } : { sequence, timeNs, volume, actor, body });
      this.#openBytes += bytes;
      if (this.#openBytes >= frameRawBytesTarget || this.#open.count >= frameChangesMax) this.close();
      else this.#cancelTimer ??= this.#options.clock.after(frameDelayMs, () => this.#closeLate());
    }
    return first;
  }

  /** Closes the open frame, if there is one. Throws what encoding throws. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#open.count === 0) return;
    this.#openBytes = 0;
    const { journal, digest } = this.#end;
    const frame = this.#open.close({ journal, previousDigest: digest });
    this.#end = { journal, lastSequence: frame.header.lastSequence, lastTimeNs: frame.header.lastTimeNs, digest: frame.digest };
    this.#options.closed(frame);
  }

  /** Goes on after another end of the same journal, which came from the receiver. Nothing may be under way. */
  restart(end: JournalEnd): void {
    if (this.#open.count > 0 || end.lastSequence < this.#capturedThrough) throw new RangeError(`cannot go on after ${end.lastSequence}: changes up to ${this.#capturedThrough} have sequences`);
    this.#end = end;
    this.#capturedThrough = end.lastSequence;
    this.#capturedTimeNs = end.lastTimeNs;
  }

  #closeLate(): void {
    this.#cancelTimer = undefined;
    try {
      this.close();
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
