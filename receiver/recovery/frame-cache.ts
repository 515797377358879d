/** Decoded frames, kept while they are in use: bounded in bytes, shared by all that read at once. */
import type { FrameLocation } from '../../proto/journal/segment-scan.js';

/** Frames that are read and decoded at once; each may take some 4 MiB meanwhile, beyond what is kept. */
const loadsMaxDefault = 4;

export interface FrameCacheOptions {
  /** Reads a frame's raw payload. */
  readonly load: (location: FrameLocation) => Promise<Buffer>;
  /** Of payloads that are kept. */
  readonly bytesMax: number;
  readonly loadsMax?: number;
}

export class FrameCache {
  readonly #load: (location: FrameLocation) => Promise<Buffer>;
  readonly #bytesMax: number;
  readonly #loadsMax: number;
  /** The longest unused first. */
  readonly #kept = new Map<string, Buffer>();
  readonly #loading = new Map<string, Promise<Buffer>>();
  /** Loads that wait for their turn. */
  readonly #waiting: (() => void)[] = [];
  #loads = 0;
  #bytes = 0;

  constructor({ load, bytesMax, loadsMax = loadsMaxDefault }: FrameCacheOptions) {
    this.#load = load;
    this.#bytesMax = bytesMax;
    this.#loadsMax = loadsMax;
  }

  /** Bytes of the payloads that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The payload, at once when it is kept. It must not be altered, and whoever holds on to it holds its memory. */
  payload(location: FrameLocation): Buffer | Promise<Buffer> {
    const key = `${location.segment}/${location.offset}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      // Taken out and put back in, so that the first of the map is the one unused for longest.
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#loadInTurn(key, location).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #loadInTurn(key: string, location: FrameLocation): Promise<Buffer> {
    if (this.#loads >= this.#loadsMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#loads += 1;
    try {
      const payload = await this.#load(location);
      this.#keep(key, payload);
      return payload;
    } finally {
      // The turn goes to whoever waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#loads -= 1;
      else next();
    }
  }

  #keep(key: string, payload: Buffer): void {
    this.#kept.set(key, payload);
    this.#bytes += payload.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}
