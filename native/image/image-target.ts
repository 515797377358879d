/** What an image is written to: a file or a block device, with nothing decided about what to write. */
import type { ByteSpan } from '../host/directory.js';

export interface ImageTarget {
  /** As a person knows it. */
  readonly place: string;
  readonly kind: 'file' | 'device';
  /** Nothing is there yet: it reads as zeroes from start to end. */
  readonly isBlank: boolean;
  /** Of a device, bytes that an image may have at most. Of a file, bytes that are there now. */
  readonly sizeBytes: number;
  /** Brings it to the size of the image before anything else is written. A device stays as it is. */
  begin(sizeBytes: number): Promise<void>;
  /** Bytes read; fewer than asked only at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  write(source: Uint8Array, position: number): Promise<void>;
  /** Makes a span read as zeroes, without using space where that is possible. */
  zero(span: ByteSpan): Promise<void>;
  /** The next span at or after `offset` that may hold bytes other than zero. */
  nextData(offset: number): Promise<ByteSpan | undefined>;
  /** All is written: gives it its name, makes it durable when `sync`, closes it. What a person should know of that, in words. */
  finish(options: { readonly sync: boolean }): Promise<readonly string[]>;
  /** Closes it without having written all; takes away what would only be in the way. */
  abandon(): Promise<void>;
}
