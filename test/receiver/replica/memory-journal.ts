/** A journal in memory: real frames, as the store would give them. */
import { asSequence, asVolumeId, noSequence, type Change, type ChangeBody, type Sequence, type TimeNs, type VolumeId } from '../../../proto/change.js';
import { encodeFrame, zeroDigest, type Frame } from '../../../proto/journal/frame.js';
import type { JournalReader, StoredFrame } from '../../../proto/journal/journal-reader.js';

export const volume = asVolumeId(1);

export class MemoryJournal implements JournalReader {
  readonly journal = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  readonly frameList: Frame[] = [];
  readonly changes: Change[] = [];
  /** When set, reading fails with it. */
  fault: Error | undefined;
  #digest = zeroDigest;

  get last(): Sequence {
    return asSequence(BigInt(this.changes.length));
  }

  /** Appends one frame. */
  append(bodies: readonly ChangeBody[], to: VolumeId = volume): Sequence {
    const changes = bodies.map((body, index): Change => ({ sequence: asSequence(BigInt(this.changes.length + index + 1)), timeNs: 1_000n + BigInt(this.changes.length), volume: to, body }));
    const frame = encodeFrame({ journal: this.journal, previousDigest: this.#digest, changes });
    this.#digest = frame.digest;
    this.frameList.push(frame);
    this.changes.push(...changes);
    return this.last;
  }

  define(name = 'data', volumeKind: 'tree' | 'device' = 'tree', to: VolumeId = volume): Sequence {
    return this.append([{ kind: 'volume', name, volumeKind, path: '/data', engine: 'exact', platform: 'linux' }, { kind: 'baseline', edge: 'begin' }], to);
  }

  async *frames({ after, through, signal }: { readonly after: Sequence; readonly through?: Sequence; readonly signal?: AbortSignal }): AsyncIterable<StoredFrame> {
    let first = 0;
    // Found by halves: histories of many frames are read on from their end again and again.
    for (let high = this.frameList.length; first < high; ) {
      const middle = (first + high) >>> 1;
      if (this.frameList[middle]!.header.lastSequence > after) high = middle;
      else first = middle + 1;
    }
    for (let at = first; at < this.frameList.length; at += 1) {
      signal?.throwIfAborted();
      if (this.fault !== undefined) throw this.fault;
      const frame = this.frameList[at]!;
      if (through !== undefined && frame.header.firstSequence > through) return;
      yield { frame, location: { segment: asSequence(1n), offset: at, length: 0 } };
    }
  }

  async frameAt({ offset }: { readonly offset: number }): Promise<Frame> {
    return this.frameList[offset]!;
  }

  async sequenceAt(): Promise<{ sequence: Sequence; timeNs: TimeNs }> {
    return { sequence: noSequence, timeNs: 0n };
  }

  async timeOf(sequence: Sequence): Promise<TimeNs | undefined> {
    return this.changes[Number(sequence) - 1]?.timeNs;
  }

  async lastSequence(): Promise<Sequence> {
    return this.last;
  }

  async controlChanges(): Promise<readonly Change[]> {
    return [];
  }
}
