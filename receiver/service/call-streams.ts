/** The streams of a gRPC call as async iterables and promises, with backpressure heeded both ways. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/**
 * What arrives, one by one. Unlike a stream's own iterator it does not destroy the call when its reader
 * stops early: the call still has to carry a status.
 */
export async function* arrivals(call: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  let wake: () => void = () => undefined;
  let failure: Error | undefined;
  let ended = false;
  const changed = (): void => wake();
  const broke = (error: Error): void => {
    failure ??= error;
    wake();
  };
  const finished = (): void => {
    ended = true;
    wake();
  };
  call.on('readable', changed).on('end', finished).on('close', finished).on('error', broke);
  signal.addEventListener('abort', changed);
  try {
    for (;;) {
      const waiting = new Promise<void>((resolve) => {
        wake = resolve;
      });
      signal.throwIfAborted();
      if (failure !== undefined) throw failure;
      const message = call.read() as Buffer | null;
      if (message !== null) yield message;
      else if (ended) return;
      else await waiting;
    }
  } finally {
    signal.removeEventListener('abort', changed);
    call.off('readable', changed).off('end', finished).off('close', finished).off('error', broke);
    // What still comes is let go by, so that the stream can end.
    if (!call.destroyed) call.resume();
  }
}

/** Sends one message; resolves when another may follow. Rejects with the signal's reason when that aborts first. */
export async function sendOn<T>(call: Writable, message: T, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!call.write(message)) await once(call, 'drain', { signal });
}
