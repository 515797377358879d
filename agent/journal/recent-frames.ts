/** Keeps the latest frames in memory, so that shipping does not read back what was just written. */
import type { Sequence } from '../../proto/change.js';

/** A frame as it travels. */
export interface SpooledFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** Header and payload, exactly as a segment holds them. */
  readonly bytes: Buffer;
}

export class RecentFrames {
  readonly #bytesMax: number;
  readonly #frames = new Map<Sequence, SpooledFrame>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The frame that begins at `firstSequence`, if it is still here. */
  get(firstSequence: Sequence): SpooledFrame | undefined {
    return this.#frames.get(firstSequence);
  }

  /** Frames come in order; the oldest make way. */
  push(frame: SpooledFrame): void {
    this.#frames.set(frame.firstSequence, frame);
    this.#bytes += frame.bytes.byteLength;
    for (const oldest of this.#frames.values()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  dropThrough(through: Sequence): void {
    for (const frame of this.#frames.values()) {
      if (frame.lastSequence > through) break;
      this.#drop(frame);
    }
  }

  #drop(frame: SpooledFrame): void {
    this.#frames.delete(frame.firstSequence);
    this.#bytes -= frame.bytes.byteLength;
  }
}
