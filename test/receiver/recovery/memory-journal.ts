/** A journal in memory: frames made from a list of changes, in segments of a few frames, that can be damaged. */
import { asSequence, asVolumeId, isControl, noSequence, type Change, type ChangeBody, type Sequence, type TimeNs } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { encodeFrame, readFrame, zeroDigest, type Frame } from '../../../proto/journal/frame.js';
import type { JournalReader, StoredFrame } from '../../../proto/journal/journal-reader.js';
import { payloadBytes } from '../../../proto/wire/convert.js';
import type { FrameLocation } from '../../../proto/journal/segment-scan.js';

interface Stored {
  readonly bytes: Buffer;
  readonly location: FrameLocation;
  readonly first: Sequence;
  readonly last: Sequence;
}

export const startNs = 1_772_000_000_000_000_000n;
export const secondNs = 1_000_000_000n;

export class MemoryJournal implements JournalReader {
  readonly journal = Buffer.alloc(16, 7);
  readonly #changes: readonly Change[];
  readonly #frames: Stored[] = [];
  /** How often each frame was read by its location. */
  readonly reads = new Map<string, number>();

  constructor(changes: readonly Change[], options: { readonly changesAFrame?: number; readonly framesASegment?: number } = {}) {
    const { changesAFrame = 7, framesASegment = 4 } = options;
    this.#changes = changes;
    let previousDigest = zeroDigest;
    let segment = asSequence(1n);
    let offset = 72;
    for (let at = 0, next = 0; at < changes.length; at = next) {
      let bytesInFrame = 0;
      for (next = at; next < changes.length && next - at < changesAFrame && bytesInFrame < 1024 * 1024; next += 1) bytesInFrame += payloadBytes(changes[next]!);
      const frame = encodeFrame({ journal: this.journal, previousDigest, changes: changes.slice(at, next) });
      if (this.#frames.length > 0 && this.#frames.length % framesASegment === 0) {
        segment = frame.header.firstSequence;
        offset = 72;
      }
      const bytes = Buffer.from(frame.bytes);
      this.#frames.push({ bytes, location: { segment, offset, length: bytes.byteLength }, first: frame.header.firstSequence, last: frame.header.lastSequence });
      offset += bytes.byteLength;
      previousDigest = frame.digest;
    }
  }

  /** Alters one byte of the frame that holds a sequence. */
  damage(sequence: bigint, at = -1): FrameLocation {
    const stored = this.#frames.find(({ first, last }) => first <= sequence && sequence <= last)!;
    const place = at < 0 ? stored.bytes.byteLength + at : at;
    stored.bytes[place]! ^= 0x55;
    return stored.location;
  }

  async *frames(options: { readonly after: Sequence; readonly through?: Sequence; readonly signal?: AbortSignal }): AsyncGenerator<StoredFrame, void, undefined> {
    const { after, through = this.#last(), signal } = options;
    for (const stored of this.#frames) {
      if (stored.last <= after) continue;
      if (stored.first > through) return;
      signal?.throwIfAborted();
      yield { frame: this.#read(stored), location: stored.location };
    }
  }

  async frameAt(location: FrameLocation): Promise<Frame> {
    const key = `${location.segment}/${location.offset}`;
    this.reads.set(key, (this.reads.get(key) ?? 0) + 1);
    const stored = this.#frames.find((known) => known.location.segment === location.segment && known.location.offset === location.offset);
    if (stored === undefined) throw new FormatError('read frame', { segment: location.segment, offset: location.offset, fault: 'no frame begins here' });
    return this.#read(stored);
  }

  async sequenceAt(timeNs: TimeNs): Promise<{ sequence: Sequence; timeNs: TimeNs }> {
    const found = this.#changes.findLast((change) => change.timeNs <= timeNs);
    return found === undefined ? { sequence: noSequence, timeNs: 0n } : { sequence: found.sequence, timeNs: found.timeNs };
  }

  async timeOf(sequence: Sequence): Promise<TimeNs | undefined> {
    return this.#changes[Number(sequence) - 1]?.timeNs;
  }

  async lastSequence(): Promise<Sequence> {
    return this.#last();
  }

  async controlChanges(through: Sequence = this.#last()): Promise<readonly Change[]> {
    return this.#changes.filter(({ body, sequence }) => isControl(body) && sequence <= through);
  }

  #last(): Sequence {
    return this.#changes.at(-1)?.sequence ?? noSequence;
  }

  #read(stored: Stored): Frame {
    try {
      return readFrame(stored.bytes);
    } catch (cause) {
      throw new FormatError('read segment', { segment: stored.location.segment, offset: stored.location.offset, cause });
    }
  }
}

/** Numbers changes one after the other. Each is a second after the one before unless a time is given. */
export class ChangeList {
  readonly changes: Change[] = [];
  #timeNs = startNs;

  add(volume: number, body: ChangeBody, timeNs = this.#timeNs + secondNs): Sequence {
    this.#timeNs = timeNs;
    const sequence = asSequence(BigInt(this.changes.length + 1));
    this.changes.push({ sequence, timeNs, volume: asVolumeId(volume), body });
    return sequence;
  }

  get timeNs(): TimeNs {
    return this.#timeNs;
  }

  /** A tree volume with its root and a finished baseline of nothing. */
  define(volume: number, name: string, options: { readonly engine?: 'exact' | 'portable'; readonly volumeKind?: 'tree' | 'device' } = {}): Sequence {
    const { engine = 'exact', volumeKind = 'tree' } = options;
    this.add(volume, { kind: 'volume', name, volumeKind, path: `/${name}`, engine, platform: 'linux' });
    this.add(volume, { kind: 'baseline', edge: 'begin' });
    return this.add(volume, { kind: 'baseline', edge: 'end' });
  }
}
