/** Reads a journal out of a segment store, also while another process appends to it. */
import { asSequence, noSequence, type Change, type Sequence, type TimeNs } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import { chainFault, frameChanges, frameLength, readFrame, type Frame, type FrameHeader, type JournalEnd, type JournalId } from '../../proto/journal/frame.js';
import type { JournalReader, StoredFrame } from '../../proto/journal/journal-reader.js';
import { frameBytesMax } from '../../proto/journal/layout.js';
import { scanFrames, scanHeaders, type FrameLocation, type ReadAt } from '../../proto/journal/segment-scan.js';
import { isCatalogued } from './control-changes.js';
import { fromBegin, openSegment, scanFault, type OpenSegment } from './segment-reading.js';
import type { SegmentInfo, SegmentStore } from './segment-store.js';

export interface StoreJournalReaderOptions {
  readonly store: Pick<SegmentStore, 'list' | 'read'>;
  readonly journal: JournalId;
  /** Where reading ends, for one who must not see what could still be lost; without it, at what is written. */
  readonly durableThrough?: () => Sequence;
  /** Control changes from a catalogue that keeps them; without it they are found by reading the whole journal. */
  readonly controlChanges?: (journal: JournalId, through: Sequence) => readonly Change[] | Promise<readonly Change[]>;
}

interface Place {
  readonly segment: Sequence;
  readonly offset: number;
}

const placesMax = 16;

export class StoreJournalReader implements JournalReader {
  readonly journal: JournalId;
  readonly #options: StoreJournalReaderOptions;
  /** Where the frame that begins with a sequence lies, for readers who come back for what follows. */
  readonly #places = new Map<Sequence, Place>();
  readonly #firstTimes = new Map<Sequence, TimeNs>();

  constructor(options: StoreJournalReaderOptions) {
    this.#options = options;
    this.journal = options.journal;
  }

  async *frames({ after, through, signal }: { readonly after: Sequence; readonly through?: Sequence; readonly signal?: AbortSignal }): AsyncGenerator<StoredFrame> {
    let next = asSequence(after + 1n);
    let end: JournalEnd | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const bound = this.#bound(through);
      if (bound !== undefined && next > bound) return;
      const segments = await this.#options.store.list(this.journal);
      const info = segmentOf(segments, next);
      const following = segments.find((candidate) => candidate.segment > next);
      if (info === undefined) {
        if (following === undefined) return;
        throw new FormatError('read journal', { journal: this.#name, sequence: next, fault: `it is missing: ${following === segments[0] ? 'the journal begins' : 'the next segment begins'} at sequence ${following.segment}` });
      }
      const began = next;
      const segment = await this.#open(info);
      if (segment === undefined) return;
      const scan = scanFrames(this.#read(info.segment), await this.#find(segment, next), segment.framesEnd);
      for (let step = await scan.next(); ; step = await scan.next()) {
        signal?.throwIfAborted();
        if (step.done === true) {
          await this.#checkScan(segment, step.value.offset, step.value.fault);
          break;
        }
        const { frame, offset } = step.value;
        const { firstSequence, lastSequence } = frame.header;
        if (lastSequence < next) continue;
        const fault = end === undefined ? beginFault(frame.header, this.journal, next) : chainFault(end, frame.header);
        if (fault !== undefined) throw new FormatError('read journal', { journal: this.#name, segment: info.segment, offset, fault });
        const now = this.#bound(through);
        // A frame that ends past what is durable is not durable; one that ends past `through` still holds it.
        const durable = this.#options.durableThrough?.();
        if ((durable !== undefined && lastSequence > durable) || (now !== undefined && firstSequence > now)) return;
        end = { journal: this.journal, lastSequence, lastTimeNs: frame.header.lastTimeNs, digest: frame.digest };
        next = asSequence(lastSequence + 1n);
        this.#remember(next, { segment: info.segment, offset: offset + frameLength(frame) });
        yield { frame, location: { segment: info.segment, offset, length: frameLength(frame) } };
      }
      const shortOf = segment.sealed ? segment.lastSequence! : following === undefined ? undefined : following.segment - 1n;
      if (shortOf !== undefined && next <= shortOf) {
        throw new FormatError('read segment', { journal: this.#name, segment: info.segment, offset: segment.framesEnd, fault: `it ends at sequence ${next - 1n} instead of ${shortOf}` });
      }
      // Nothing came of the segment that is being appended to: this is where reading ends.
      if (next === began) return;
    }
  }

  async frameAt({ segment, offset, length }: FrameLocation): Promise<Frame> {
    if (length > frameBytesMax) throw new FormatError('read frame', { journal: this.#name, segment, offset, length, fault: 'longer than a frame can be' });
    const bytes = Buffer.allocUnsafeSlow(length);
    const got = await this.#options.store.read(this.journal, segment, bytes, offset);
    try {
      const frame = readFrame(bytes.subarray(0, got));
      if (!frame.header.journal.equals(this.journal)) throw new FormatError('read frame', { fault: 'it belongs to another journal' });
      return frame;
    } catch (cause) {
      throw new FormatError('read frame', { journal: this.#name, segment, offset, cause });
    }
  }

  async sequenceAt(timeNs: TimeNs): Promise<{ readonly sequence: Sequence; readonly timeNs: TimeNs }> {
    const segments = await this.#options.store.list(this.journal);
    // The last segment that begins at or before the instant: times do not decrease along a journal.
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const firstTimeNs = await this.#firstTime(segments[middle]!);
      if (firstTimeNs !== undefined && firstTimeNs <= timeNs) low = middle + 1;
      else high = middle;
    }
    const durable = this.#options.durableThrough?.();
    for (let at = low - 1; at >= 0; at -= 1) {
      const found = await this.#lastFrame(segments[at]!, (header) => header.firstTimeNs <= timeNs && (durable === undefined || header.lastSequence <= durable));
      if (found === undefined) continue;
      const { changes } = frameChanges(await this.frameAt(found));
      const last = changes.findLast((change) => change.timeNs <= timeNs);
      if (last !== undefined) return { sequence: last.sequence, timeNs: last.timeNs };
    }
    return { sequence: noSequence, timeNs: 0n };
  }

  async timeOf(sequence: Sequence): Promise<TimeNs | undefined> {
    const durable = this.#options.durableThrough?.();
    if (durable !== undefined && sequence > durable) return undefined;
    const info = segmentOf(await this.#options.store.list(this.journal), sequence);
    if (info === undefined) return undefined;
    const found = await this.#lastFrame(info, (header) => header.firstSequence <= sequence);
    if (found === undefined) return undefined;
    return frameChanges(await this.frameAt(found)).changes.find((change) => change.sequence === sequence)?.timeNs;
  }

  async lastSequence(): Promise<Sequence> {
    const durable = this.#options.durableThrough?.();
    if (durable !== undefined) return durable;
    const segments = await this.#options.store.list(this.journal);
    for (const info of segments.reverse()) {
      if (info.sealed) return info.lastSequence!;
      const segment = await this.#open(info);
      if (segment === undefined) continue;
      let last = asSequence(info.segment - 1n);
      const scan = scanHeaders(this.#read(info.segment), fromBegin, segment.framesEnd);
      for (let step = await scan.next(); ; step = await scan.next()) {
        if (step.done === true) {
          await this.#checkScan(segment, step.value.offset, step.value.fault);
          break;
        }
        last = step.value.header.lastSequence;
      }
      if (last >= info.segment || segments.length === 1) return last;
    }
    return noSequence;
  }

  async controlChanges(through?: Sequence): Promise<readonly Change[]> {
    const last = through ?? (await this.lastSequence());
    if (this.#options.controlChanges !== undefined) return this.#options.controlChanges(this.journal, last);
    const found: Change[] = [];
    const first = (await this.#options.store.list(this.journal))[0];
    if (first === undefined) return found;
    for await (const { frame } of this.frames({ after: asSequence(first.segment - 1n), through: last })) {
      for (const change of frameChanges(frame).changes) if (change.sequence <= last && isCatalogued(change.body)) found.push(change);
    }
    return found;
  }

  get #name(): string {
    return this.journal.toString('hex');
  }

  #bound(through: Sequence | undefined): Sequence | undefined {
    const durable = this.#options.durableThrough?.();
    if (durable === undefined) return through;
    return through === undefined || durable < through ? durable : through;
  }

  #read(segment: Sequence): ReadAt {
    return (target, position) => this.#options.store.read(this.journal, segment, target, position);
  }

  #open(info: SegmentInfo): Promise<OpenSegment | undefined> {
    return openSegment(this.#read(info.segment), this.journal, info);
  }

  /** Throws unless the bytes where a scan ended are what an append in progress may leave at the very end. */
  async #checkScan(segment: OpenSegment, offset: number, fault: FormatError | undefined): Promise<void> {
    if (fault === undefined) return;
    const damage = await scanFault(this.#read(segment.segment), segment, { offset, fault });
    if (damage === undefined) return;
    throw new FormatError('read segment', { journal: this.#name, segment: segment.segment, offset, cause: damage });
  }

  /** Offset of the frame that holds `next`, or of the end when none does. */
  async #find(segment: OpenSegment, next: Sequence): Promise<number> {
    if (next === segment.segment) return fromBegin;
    const known = this.#places.get(next);
    if (known?.segment === segment.segment && known.offset <= segment.framesEnd) {
      // The end of a journal may have been cut back and written anew since: believe the bytes only.
      const step = await scanHeaders(this.#read(segment.segment), known.offset, segment.framesEnd).next();
      if (step.done === true ? step.value.fault === undefined : step.value.header.firstSequence === next) return known.offset;
    }
    let from = fromBegin;
    for await (const { header, offset } of scanHeaders(this.#read(segment.segment), fromBegin, segment.framesEnd)) {
      if (header.lastSequence >= next) return offset;
      from = offset + frameLength({ header });
    }
    return from;
  }

  async #firstTime(info: SegmentInfo): Promise<TimeNs | undefined> {
    const known = this.#firstTimes.get(info.segment);
    if (known !== undefined) return known;
    const segment = await this.#open(info);
    if (segment === undefined) return undefined;
    const scan = scanHeaders(this.#read(info.segment), fromBegin, segment.framesEnd);
    const step = await scan.next();
    if (step.done === true) {
      await this.#checkScan(segment, step.value.offset, step.value.fault);
      return undefined;
    }
    // Only a sealed segment is sure not to be cut back and begun anew.
    if (info.sealed) this.#firstTimes.set(info.segment, step.value.header.firstTimeNs);
    return step.value.header.firstTimeNs;
  }

  /** The last frame of a segment up to which all headers hold. */
  async #lastFrame(info: SegmentInfo, holds: (header: FrameHeader) => boolean): Promise<FrameLocation | undefined> {
    const segment = await this.#open(info);
    if (segment === undefined) return undefined;
    let found: FrameLocation | undefined;
    const scan = scanHeaders(this.#read(info.segment), fromBegin, segment.framesEnd);
    for (let step = await scan.next(); ; step = await scan.next()) {
      if (step.done === true) {
        await this.#checkScan(segment, step.value.offset, step.value.fault);
        return found;
      }
      const { header, offset } = step.value;
      if (!holds(header)) return found;
      found = { segment: info.segment, offset, length: frameLength({ header }) };
    }
  }

  #remember(next: Sequence, place: Place): void {
    this.#places.delete(next);
    this.#places.set(next, place);
    if (this.#places.size > placesMax) this.#places.delete(this.#places.keys().next().value!);
  }
}

/** The segment that holds a sequence, or would: undefined when the journal begins later or is empty. */
function segmentOf(segments: readonly SegmentInfo[], sequence: Sequence): SegmentInfo | undefined {
  const info = segments.findLast((candidate) => candidate.segment <= sequence);
  if (info?.sealed === true && info.lastSequence! < sequence) return undefined;
  return info;
}

function beginFault(header: FrameHeader, journal: JournalId, next: Sequence): string | undefined {
  if (!header.journal.equals(journal)) return 'it belongs to another journal';
  if (header.firstSequence > next) return `it starts at sequence ${header.firstSequence}, expected ${next} or before`;
  return undefined;
}
