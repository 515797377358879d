/** A kernel that leaves things out, as a test wants it to. */
import { RecordCursor } from '../../native/capture/record.js';
import type { NameEvent, NameStream } from '../../native/capture/names.js';
import type { CaptureStream, Lost } from '../../native/capture/stream.js';

export interface Loss {
  /** Records that the stream does not tell of. */
  drops: (cursor: RecordCursor) => boolean;
  /** What fanotify tells instead of what it has to tell; undefined for that. */
  names?: ((events: NameEvent[]) => NameEvent[]) | undefined;
  /** What the kernel owns up to besides. */
  lost?: ((lost: Lost) => Lost) | undefined;
}

export function lossyNames(names: NameStream, loss: Loss): NameStream {
  return new Proxy(names, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'drain') return () => loss.names?.(target.drain()) ?? target.drain();
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

export function lossyStream(stream: CaptureStream, loss: Loss): CaptureStream {
  return new Proxy(stream, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'next') {
        return async (signal?: AbortSignal) => {
          const batch = await stream.next(signal);
          if (batch === undefined) return undefined;
          const kept: Buffer[] = [];
          const cursor = new RecordCursor(batch.bytes);
          for (let at = 0; cursor.next(); ) {
            const length = batch.bytes.readUInt32LE(at);
            if (!loss.drops(cursor)) kept.push(batch.bytes.subarray(at, at + length));
            at += length;
          }
          return { ...batch, bytes: Buffer.concat(kept) };
        };
      }
      if (name === 'takeLost') return () => loss.lost?.(target.takeLost()) ?? target.takeLost();
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
