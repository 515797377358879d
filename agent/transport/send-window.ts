/** Counts the bytes that are sent and not yet durable, and says when more may follow. */
import type { Sequence } from '../../proto/change.js';

interface Sent {
  readonly lastSequence: Sequence;
  readonly bytes: number;
}

export class SendWindow {
  readonly #windowBytes: number;
  readonly #nowMs: () => number;
  readonly #sent: Sent[] = [];
  #bytes = 0;
  #sentThrough: Sequence;
  #waitingSinceMs: number | undefined;
  #room: { readonly resolve: () => void; readonly bytes: number } | undefined;

  constructor(options: { readonly windowBytes: number; readonly after: Sequence; readonly nowMs: () => number }) {
    this.#windowBytes = options.windowBytes;
    this.#sentThrough = options.after;
    this.#nowMs = options.nowMs;
  }

  /** Bytes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  get sentThrough(): Sequence {
    return this.#sentThrough;
  }

  /** Since when something is under way, counted anew with each acknowledgement; undefined when nothing is. */
  get waitingSinceMs(): number | undefined {
    return this.#waitingSinceMs;
  }

  /**
   * Resolves once `bytes` more fit. A frame larger than the whole window goes alone, rather than never.
   * One caller at a time.
   */
  whenRoom(bytes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#fits(bytes)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#room = undefined;
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#room = {
        bytes,
        resolve: () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        },
      };
    });
  }

  add(lastSequence: Sequence, bytes: number): void {
    this.#sent.push({ lastSequence, bytes });
    this.#bytes += bytes;
    this.#sentThrough = lastSequence;
    this.#waitingSinceMs ??= this.#nowMs();
  }

  /** Everything up to `through` is durable. Older acknowledgements change nothing. */
  acknowledge(through: Sequence): void {
    let count = 0;
    for (const { lastSequence, bytes } of this.#sent) {
      if (lastSequence > through) break;
      this.#bytes -= bytes;
      count += 1;
    }
    if (count === 0) return;
    this.#sent.splice(0, count);
    this.#waitingSinceMs = this.#sent.length === 0 ? undefined : this.#nowMs();
    const waiting = this.#room;
    if (waiting !== undefined && this.#fits(waiting.bytes)) {
      this.#room = undefined;
      waiting.resolve();
    }
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#windowBytes;
  }
}
