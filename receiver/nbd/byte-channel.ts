/** One client's connection as exact numbers of bytes in and whole replies out; holds few bytes, whatever the client does. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** Bytes that are taken from the socket before somebody asks for them. What lies beyond stays in the client's kernel. */
const heldBytesMax = 64 * 1024;

export class ByteChannel {
  readonly #socket: Duplex;
  readonly #gone = new AbortController();
  #chunks: Buffer[] = [];
  #held = 0;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('readable', () => {
      this.#pull(heldBytesMax);
      this.#wake();
    });
    socket.on('end', () => {
      // Requests that came before the end are still answered; else nobody is left to answer to.
      if (this.#held === 0 && !this.#socket.writableEnded) this.#leave();
      this.#endInput();
    });
    // An error is followed by the close.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#leave();
      this.#endInput();
    });
  }

  /** Aborts when the client has gone and no reply can reach it. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** The next `length` bytes, to be used before more are taken; undefined when the input ends before. */
  async take(length: number): Promise<Buffer | undefined> {
    for (;;) {
      this.#pull(Math.max(length, heldBytesMax));
      if (this.#held >= length) return this.#cut(length);
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Passes over bytes without keeping them; false when the input ends before. */
  async skip(length: number): Promise<boolean> {
    for (let left = length; left > 0; ) {
      const part = Math.min(left, heldBytesMax);
      if ((await this.take(part)) === undefined) return false;
      left -= part;
    }
    return true;
  }

  /** Sends the parts, one after the other, and returns when there is room for more. Rejects when the client has gone. */
  async send(...parts: readonly Buffer[]): Promise<void> {
    // The event that tells of it may wait for this very loop of replies to end.
    if (this.#socket.destroyed) this.#leave();
    this.gone.throwIfAborted();
    this.#socket.cork();
    for (const part of parts) if (part.byteLength > 0) this.#socket.write(part);
    this.#socket.uncork();
    if (this.#socket.writableNeedDrain) await once(this.#socket, 'drain', { signal: this.gone });
  }

  /** Nothing more is taken: who waits for bytes gets none, what is being answered is answered. */
  refuseInput(): void {
    this.#chunks = [];
    this.#held = 0;
    this.#endInput();
  }

  /** Ends the connection once what was sent is on its way. */
  end(): void {
    if (!this.#socket.writableEnded) this.#socket.end();
    // What the client goes on to send is of no use, but unread it would keep the socket open.
    this.#socket.removeAllListeners('readable').resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #leave(): void {
    this.#gone.abort(new Error('the client went away'));
  }

  #endInput(): void {
    this.#ended = true;
    this.#wake();
  }

  #pull(heldMax: number): void {
    while (this.#held < heldMax && !this.#ended) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      this.#chunks.push(chunk);
      this.#held += chunk.byteLength;
    }
  }

  #cut(length: number): Buffer {
    this.#held -= length;
    const first = this.#chunks[0];
    if (length === 0 || first === undefined) return Buffer.alloc(0);
    if (first.byteLength > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const bytes = first.byteLength === length ? first : Buffer.concat(this.#chunks, length);
    let left = length;
    let whole = 0;
    for (; whole < this.#chunks.length && this.#chunks[whole]!.byteLength <= left; whole += 1) left -= this.#chunks[whole]!.byteLength;
    this.#chunks.splice(0, whole);
    if (left > 0) this.#chunks[0] = this.#chunks[0]!.subarray(left);
    return bytes;
  }
}
