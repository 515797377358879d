/** Reads the content of many nodes in segment order: each frame once, whatever the order of the files. */
import type { NodeId } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import { framePayload } from '../../proto/journal/frame.js';
import type { JournalReader } from '../../proto/journal/journal-reader.js';
import type { FrameLocation } from '../../proto/journal/segment-scan.js';
import type { ExtentMap, FrameTable } from '../../proto/tree/extent-map.js';
import type { PointPiece } from './point.js';

/** Content bytes of one piece at most. */
export const pieceBytesMax = 1024 * 1024;
/** Frames read ahead of the one being handed out. A frame's payload has at most 2 MiB. */
const readAheadFrames = 4;
const zeroes = Buffer.alloc(pieceBytesMax);

interface Source {
  readonly node: NodeId;
  readonly map: ExtentMap;
}

/** Extents of all sources, by frame: 24 bytes each, without objects. */
interface Plan {
  /** Where the extents of each frame begin; one more than there are frames. */
  readonly starts: Float64Array;
  readonly source: Uint32Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
  readonly payloadOffset: Uint32Array;
}

function plan(frames: FrameTable, sources: readonly Source[]): Plan {
  // Counting sort: frame numbers are few and already in journal order.
  const starts = new Float64Array(frames.count + 1);
  for (const { map } of sources) map.eachFramed((_offset, _length, frame) => void (starts[frame + 1]! += 1));
  for (let frame = 0; frame < frames.count; frame += 1) starts[frame + 1]! += starts[frame]!;
  const count = starts[frames.count]!;
  const next = starts.slice();
  const [source, offset, length, payloadOffset] = [new Uint32Array(count), new Float64Array(count), new Uint32Array(count), new Uint32Array(count)];
  sources.forEach(({ map }, index) => {
    map.eachFramed((extentOffset, extentLength, frame, extentPayloadOffset) => {
      const at = next[frame]!;
      next[frame] = at + 1;
      source[at] = index;
      offset[at] = extentOffset;
      length[at] = extentLength;
      payloadOffset[at] = extentPayloadOffset;
    });
  });
  return { starts, source, offset, length, payloadOffset };
}

/** The raw payload of a frame, read again and verified. */
export async function readPayload(reader: JournalReader, location: FrameLocation): Promise<Buffer> {
  try {
    return framePayload(await reader.frameAt(location));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError('read content', { segment: location.segment, offset: location.offset, cause });
  }
}

/** Part of a payload, checked to lie within it. */
export function payloadPart(payload: Buffer, location: FrameLocation, at: number, length: number): Buffer {
  if (at + length > payload.byteLength) throw new FormatError('read content', { segment: location.segment, offset: location.offset, fault: 'an extent reaches past its frame' });
  return payload.subarray(at, at + length);
}

export async function* readPieces(options: {
  readonly reader: JournalReader;
  readonly frames: FrameTable;
  readonly sources: readonly Source[];
  readonly signal?: AbortSignal | undefined;
}): AsyncGenerator<PointPiece, void, undefined> {
  const { reader, frames, sources, signal } = options;
  const wanted = plan(frames, sources);
  const ahead: { readonly frame: number; readonly payload: Promise<Buffer> }[] = [];
  let frame = 0;
  const fill = (): void => {
    for (; frame < frames.count && ahead.length < readAheadFrames; frame += 1) {
      if (wanted.starts[frame] === wanted.starts[frame + 1]) continue;
      const payload = readPayload(reader, frames.location(frame));
      // Awaited in turn; until then a failure must not count as unhandled.
      payload.catch(() => undefined);
      ahead.push({ frame, payload });
    }
  };
  for (fill(); ahead.length > 0; fill()) {
    signal?.throwIfAborted();
    const current = ahead.shift()!;
    const payload = await current.payload;
    yield* framePieces({ wanted, frame: current.frame, sources, payload, location: frames.location(current.frame) });
  }
  for (const { node, map } of sources) yield* zeroPieces(node, map, signal);
}

/** The extents of one frame in order of node and offset, joined where they touch. */
function* framePieces(options: { wanted: Plan; frame: number; sources: readonly Source[]; payload: Buffer; location: FrameLocation }): Generator<PointPiece, void, undefined> {
  const { wanted, frame, sources, payload, location } = options;
  const from = wanted.starts[frame]!;
  const count = wanted.starts[frame + 1]! - from;
  // The plan was filled source by source, each ascending, so the order is there already.
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let offset = 0;
  let source = -1;
  const flush = (): PointPiece | undefined => {
    const piece = parts.length === 0 ? undefined : { node: sources[source]!.node, offset, data: parts.length === 1 ? parts[0]! : Buffer.concat(parts, partsBytes) };
    parts = [];
    partsBytes = 0;
    return piece;
  };
  for (let at = from; at < from + count; at += 1) {
    const length = wanted.length[at]!;
    const touches = wanted.source[at] === source && wanted.offset[at] === offset + partsBytes && partsBytes + length <= pieceBytesMax;
    if (!touches) {
      const piece = flush();
      if (piece !== undefined) yield piece;
      source = wanted.source[at]!;
      offset = wanted.offset[at]!;
    }
    const data = payloadPart(payload, location, wanted.payloadOffset[at]!, length);
    if (length <= pieceBytesMax) {
      parts.push(data);
      partsBytes += length;
      continue;
    }
    for (let done = 0; done < length; done += pieceBytesMax) yield { node: sources[source]!.node, offset: offset + done, data: data.subarray(done, done + pieceBytesMax) };
  }
  const piece = flush();
  if (piece !== undefined) yield piece;
}

/** Allocated zeroes, which no frame has to be read for. */
function* zeroPieces(node: NodeId, map: ExtentMap, signal: AbortSignal | undefined): Generator<PointPiece, void, undefined> {
  for (const { offset, length, source } of map.slice()) {
    if (source !== 'zero') continue;
    for (let done = 0; done < length; done += pieceBytesMax) {
      signal?.throwIfAborted();
      yield { node, offset: offset + done, data: zeroes.subarray(0, Math.min(pieceBytesMax, length - done)) };
    }
  }
}
