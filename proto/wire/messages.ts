/** What agent and receiver say to each other, as domain types; converted to protobuf and back here. */
import type Long from 'long';
import type { NodeMetadata, ByteRange, Sequence, TimeNs, VolumeId } from '../change.js';
import { FormatError, type PeerErrorCode } from '../errors.js';
import { digestBytes, frameBytesMax, journalIdBytes } from '../journal/layout.js';
import { nameBytes, nameFromBytes, type Path } from '../name.js';
import { agentFrameMessage, frameMessage, restorePieceMessage } from './bulk-codec.js';
import { metadataFromWire, metadataToWire } from './convert.js';
import { afterimage as wire } from './generated/messages.js';
import { fromSize, fromUnsigned, toSize, toUnsigned } from './numbers.js';

/** Version of the conversation; both sides must name the same one. */
export const protocolVersion = 1;
/** Bytes of one message at most; what is larger is refused before it is read. */
export const messageBytesMax = frameBytesMax + 64 * 1024;

export interface Hello {
  readonly kind: 'hello';
  readonly protocolVersion: number;
  readonly journal: Buffer;
  readonly agentVersion: string;
  readonly platform: string;
  /** First sequence that the agent's spool still holds; 0 when it holds none. */
  readonly heldFrom: bigint;
  readonly capturedThrough: Sequence;
}
export interface FrameMessage {
  readonly kind: 'frame';
  /** One whole frame, exactly as a segment holds it. */
  readonly frame: Buffer;
}
export interface VolumeReport {
  readonly volume: VolumeId;
  readonly label: string;
  readonly cause: string;
  readonly phase: string;
  readonly settled: boolean;
  readonly gaps: number;
  readonly reportCount: number;
}
/** The agent's own view, sent about once a second: what lag is computed from while the link is up. */
export interface Report {
  readonly kind: 'report';
  readonly capturedThrough: Sequence;
  readonly capturedTimeNs: TimeNs;
  /** Time of the oldest change not known to be durable; 0 when there is none. */
  readonly oldestUndurableNs: TimeNs;
  readonly undurableBytes: number;
  readonly spoolBytes: number;
  readonly sentNs: TimeNs;
  readonly volumes: readonly VolumeReport[];
}
export type AgentMessage = Hello | FrameMessage | Report;

export interface Welcome {
  readonly kind: 'welcome';
  readonly protocolVersion: number;
  readonly durableThrough: Sequence;
  /** Digest of the frame that ends at `durableThrough`. */
  readonly digest: Buffer;
  readonly lastTimeNs: TimeNs;
  readonly appliedThrough: Sequence;
  /** Bytes of frames that may be sent and not yet durable. */
  readonly windowBytes: number;
  /** Highest volume id that the journal ever defined, and those not retired. */
  readonly lastVolume: VolumeId;
  readonly liveVolumes: readonly VolumeId[];
}
export interface Durable {
  readonly kind: 'durable';
  readonly through: Sequence;
}
export interface Applied {
  readonly kind: 'applied';
  readonly through: Sequence;
}
export interface ReceiverState {
  readonly kind: 'state';
  readonly state: 'ok' | 'disk-full' | 'quota';
  readonly message: string;
}
/** The last message of a stream that the receiver ends; the code is a PeerErrorCode. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: PeerErrorCode;
  readonly message: string;
}
export type ReceiverMessage = Welcome | Durable | Applied | ReceiverState | Refused;

export interface EnrolRequest {
  readonly token: string;
  readonly certificateRequestDer: Buffer;
  readonly platform: string;
  readonly agentVersion: string;
}
export interface EnrolReply {
  readonly host: string;
  readonly role: string;
  readonly journal: Buffer;
  readonly certificatePem: string;
  readonly caPem: string;
}

export interface RestoreRequest {
  /** Empty: the host that asks. */
  readonly host: string;
  readonly volume: string;
  readonly at: string;
  /** Paths below the volume's root, as a person writes them; none: the whole volume. */
  readonly paths: readonly string[];
  readonly exactOnly: boolean;
  /** Head and entries only, no content. */
  readonly planOnly: boolean;
}
/** What a restore is made of, in this order: one head, all entries (parents first), pieces in any order, one end. */
export interface RestoreHead {
  readonly kind: 'head';
  readonly volume: string;
  readonly sequence: Sequence;
  readonly timeNs: TimeNs;
  readonly label: string;
  readonly cause: string;
  readonly settled: boolean;
  /** What a person should know: nearest better points and the like. */
  readonly advice: readonly string[];
  readonly entries: number;
  readonly bytes: number;
  /** Platform of the host that the volume was captured on. */
  readonly platform: string;
}
export interface RestoreEntry {
  readonly kind: 'entry';
  /** 0 and up, without holes. Entry 0 is the root of what is restored. */
  readonly index: number;
  readonly path: Path;
  readonly metadata: NodeMetadata;
  readonly size: number;
  /** The entry, before this one, of which this is a further name (hard link). */
  readonly linkOf?: number;
  /** Ranges that hold data, ascending and apart; all else within `size` is a hole. */
  readonly data: readonly ByteRange[];
}
export interface RestorePiece {
  readonly kind: 'piece';
  readonly index: number;
  readonly offset: number;
  readonly data: Buffer;
}
export interface RestoreEnd {
  readonly kind: 'end';
  readonly entries: number;
  readonly bytes: number;
}
export type RestoreItem = RestoreHead | RestoreEntry | RestorePiece | RestoreEnd;

const refusalCodes: ReadonlySet<string> = new Set<PeerErrorCode>(['unauthenticated', 'forbidden', 'invalid', 'out-of-order', 'unavailable', 'not-found']);
const stateKinds = ['ok', 'disk-full', 'quota'] as const;

export function encodeAgentMessage(message: AgentMessage): Buffer {
  return message.kind === 'frame' ? agentFrameMessage(message.frame) : finish(wire.AgentMessage.encode(agentMessageToWire(message)));
}

function agentMessageToWire(message: Hello | Report): wire.AgentMessage.$Properties {
  switch (message.kind) {
    case 'hello':
      return {
        hello: {
          protocolVersion: message.protocolVersion,
          journal: message.journal,
          agentVersion: message.agentVersion,
          platform: message.platform,
          heldFrom: toUnsigned(message.heldFrom),
          capturedThrough: toUnsigned(message.capturedThrough),
        },
      };
    case 'report':
      return {
        report: {
          capturedThrough: toUnsigned(message.capturedThrough),
          capturedTimeNs: toUnsigned(message.capturedTimeNs),
          oldestUndurableNs: toUnsigned(message.oldestUndurableNs),
          undurableBytes: toSize(message.undurableBytes),
          spoolBytes: toSize(message.spoolBytes),
          sentNs: toUnsigned(message.sentNs),
          volumes: message.volumes.map((volume) => ({ ...volume, gaps: toSize(volume.gaps), reportCount: toSize(volume.reportCount) })),
        },
      };
  }
}

/** Throws FormatError for anything but one well-formed message. */
export function decodeAgentMessage(bytes: Buffer): AgentMessage {
  const { hello, frame, report } = decoded('agent message', () => wire.AgentMessage.decode(bytes));
  if (frame != null) {
    const data = buffer(frame.frame);
    if (data.byteLength > frameBytesMax) throw new FormatError('read frame message', { bytes: data.byteLength, fault: `more than ${frameBytesMax}` });
    return { kind: 'frame', frame: data };
  }
  if (hello != null) {
    return {
      kind: 'hello',
      protocolVersion: hello.protocolVersion!,
      journal: exactly(hello.journal, journalIdBytes, 'journal id'),
      agentVersion: hello.agentVersion!,
      platform: hello.platform!,
      heldFrom: u64(hello.heldFrom),
      capturedThrough: u64(hello.capturedThrough) as Sequence,
    };
  }
  if (report != null) {
    return {
      kind: 'report',
      capturedThrough: u64(report.capturedThrough) as Sequence,
      capturedTimeNs: u64(report.capturedTimeNs),
      oldestUndurableNs: u64(report.oldestUndurableNs),
      undurableBytes: fromSize(report.undurableBytes!, 'undurable bytes'),
      spoolBytes: fromSize(report.spoolBytes!, 'spool bytes'),
      sentNs: u64(report.sentNs),
      volumes: (report.volumes ?? []).map((volume) => ({
        volume: volume.volume! as VolumeId,
        label: volume.label!,
        cause: volume.cause!,
        phase: volume.phase!,
        settled: volume.settled!,
        gaps: fromSize(volume.gaps!, 'gaps'),
        reportCount: fromSize(volume.reportCount!, 'report count'),
      })),
    };
  }
  throw new FormatError('read agent message', { fault: 'of a kind that this version does not know' });
}

export function encodeReceiverMessage(message: ReceiverMessage): Buffer {
  return finish(wire.ReceiverMessage.encode(receiverMessageToWire(message)));
}

function receiverMessageToWire(message: ReceiverMessage): wire.ReceiverMessage.$Properties {
  switch (message.kind) {
    case 'durable':
      return { durable: { through: toUnsigned(message.through) } };
    case 'applied':
      return { applied: { through: toUnsigned(message.through) } };
    case 'state':
      return { state: { kind: stateKinds.indexOf(message.state), message: message.message } };
    case 'refused':
      return { refused: { code: message.code, message: message.message } };
    case 'welcome':
      return {
        welcome: {
          protocolVersion: message.protocolVersion,
          durableThrough: toUnsigned(message.durableThrough),
          digest: message.digest,
          lastTimeNs: toUnsigned(message.lastTimeNs),
          appliedThrough: toUnsigned(message.appliedThrough),
          windowBytes: toSize(message.windowBytes),
          lastVolume: message.lastVolume,
          liveVolumes: [...message.liveVolumes],
        },
      };
  }
}

/** Throws FormatError for anything but one well-formed message. */
export function decodeReceiverMessage(bytes: Buffer): ReceiverMessage {
  const { welcome, durable, applied, state, refused } = decoded('receiver message', () => wire.ReceiverMessage.decode(bytes));
  if (durable != null) return { kind: 'durable', through: u64(durable.through) as Sequence };
  if (applied != null) return { kind: 'applied', through: u64(applied.through) as Sequence };
  if (state != null) {
    const kind = stateKinds[state.kind ?? 0];
    if (kind === undefined) throw new FormatError('read state', { kind: state.kind });
    return { kind: 'state', state: kind, message: state.message! };
  }
  if (refused != null) {
    const code = refusalCodes.has(refused.code!) ? (refused.code as PeerErrorCode) : 'invalid';
    return { kind: 'refused', code, message: refused.message! };
  }
  if (welcome != null) {
    return {
      kind: 'welcome',
      protocolVersion: welcome.protocolVersion!,
      durableThrough: u64(welcome.durableThrough) as Sequence,
      digest: exactly(welcome.digest, digestBytes, 'digest'),
      lastTimeNs: u64(welcome.lastTimeNs),
      appliedThrough: u64(welcome.appliedThrough) as Sequence,
      windowBytes: fromSize(welcome.windowBytes!, 'window'),
      lastVolume: welcome.lastVolume! as VolumeId,
      liveVolumes: (welcome.liveVolumes ?? []) as VolumeId[],
    };
  }
  throw new FormatError('read receiver message', { fault: 'of a kind that this version does not know' });
}

export function encodeFrameMessage(frame: Buffer): Buffer {
  return frameMessage(frame);
}

export function decodeFrameMessage(bytes: Buffer): Buffer {
  return buffer(decoded('frame message', () => wire.FrameMessage.decode(bytes)).frame);
}

export function encodeReadFramesRequest(after: Sequence): Buffer {
  return finish(wire.ReadFramesRequest.encode({ after: toUnsigned(after) }));
}

export function decodeReadFramesRequest(bytes: Buffer): Sequence {
  return u64(decoded('read request', () => wire.ReadFramesRequest.decode(bytes)).after) as Sequence;
}

export function encodeEnrolRequest(message: EnrolRequest): Buffer {
  return finish(wire.EnrolRequest.encode(message));
}

export function decodeEnrolRequest(bytes: Buffer): EnrolRequest {
  const message = decoded('enrolment', () => wire.EnrolRequest.decode(bytes));
  return { token: message.token, certificateRequestDer: buffer(message.certificateRequestDer), platform: message.platform, agentVersion: message.agentVersion };
}

export function encodeEnrolReply(message: EnrolReply): Buffer {
  return finish(wire.EnrolReply.encode(message));
}

export function decodeEnrolReply(bytes: Buffer): EnrolReply {
  const { host, role, journal, certificatePem, caPem } = decoded('enrolment reply', () => wire.EnrolReply.decode(bytes));
  return { host, role, journal: buffer(journal), certificatePem, caPem };
}

export function encodeRenewRequest(certificateRequestDer: Buffer): Buffer {
  return finish(wire.RenewRequest.encode({ certificateRequestDer }));
}

export function decodeRenewRequest(bytes: Buffer): Buffer {
  return buffer(decoded('renewal', () => wire.RenewRequest.decode(bytes)).certificateRequestDer);
}

export function encodeRestoreRequest(message: RestoreRequest): Buffer {
  return finish(wire.RestoreRequest.encode({ ...message, paths: message.paths.map((path) => Buffer.from(path, 'utf8')) }));
}

export function decodeRestoreRequest(bytes: Buffer): RestoreRequest {
  const { host, volume, at, paths, exactOnly, planOnly } = decoded('restore request', () => wire.RestoreRequest.decode(bytes));
  return { host, volume, at, paths: paths.map((path) => Buffer.from(path).toString('utf8')), exactOnly, planOnly };
}

export function encodeRestoreItem(item: RestoreItem): Buffer {
  return item.kind === 'piece' ? restorePieceMessage(item) : finish(wire.RestoreMessage.encode(restoreItemToWire(item)));
}

function restoreItemToWire(item: RestoreHead | RestoreEntry | RestoreEnd): wire.RestoreMessage.$Properties {
  switch (item.kind) {
    case 'entry':
      return {
        entry: {
          index: toSize(item.index),
          path: item.path.map(nameBytes),
          metadata: metadataToWire(item.metadata),
          size: toSize(item.size),
          linkOf: toSize(item.linkOf === undefined ? 0 : item.linkOf + 1),
          data: item.data.flatMap(({ offset, length }) => [toSize(offset), toSize(length)]),
        },
      };
    case 'head':
      return {
        head: {
          volume: item.volume,
          sequence: toUnsigned(item.sequence),
          timeNs: toUnsigned(item.timeNs),
          label: item.label,
          cause: item.cause,
          settled: item.settled,
          advice: [...item.advice],
          entries: toSize(item.entries),
          bytes: toSize(item.bytes),
          platform: item.platform,
        },
      };
    case 'end':
      return { end: { entries: toSize(item.entries), bytes: toSize(item.bytes) } };
  }
}

/** Throws FormatError for anything but one well-formed item; names are checked to be single components. */
export function decodeRestoreItem(bytes: Buffer): RestoreItem {
  const { head, entry, piece, end } = decoded('restore message', () => wire.RestoreMessage.decode(bytes));
  if (piece != null) {
    const offset = fromSize(piece.offset!, 'offset');
    const data = buffer(piece.data);
    if (!Number.isSafeInteger(offset + data.byteLength)) throw new FormatError('read piece', { offset });
    return { kind: 'piece', index: fromSize(piece.index!, 'index'), offset, data };
  }
  if (entry != null) {
    if (entry.metadata == null) throw new FormatError('read entry', { fault: 'no metadata' });
    const linkOf = fromSize(entry.linkOf!, 'link');
    return {
      kind: 'entry',
      index: fromSize(entry.index!, 'index'),
      path: (entry.path ?? []).map(nameFromBytes),
      metadata: metadataFromWire(entry.metadata),
      size: fromSize(entry.size!, 'size'),
      ...(linkOf === 0 ? {} : { linkOf: linkOf - 1 }),
      data: rangesFrom(entry.data ?? []),
    };
  }
  if (head != null) {
    return {
      kind: 'head',
      volume: head.volume!,
      sequence: u64(head.sequence) as Sequence,
      timeNs: u64(head.timeNs),
      label: head.label!,
      cause: head.cause!,
      settled: head.settled!,
      advice: head.advice ?? [],
      entries: fromSize(head.entries!, 'entries'),
      bytes: fromSize(head.bytes!, 'bytes'),
      platform: head.platform!,
    };
  }
  if (end != null) return { kind: 'end', entries: fromSize(end.entries!, 'entries'), bytes: fromSize(end.bytes!, 'bytes') };
  throw new FormatError('read restore message', { fault: 'of a kind that this version does not know' });
}

function rangesFrom(pairs: readonly Long[]): ByteRange[] {
  if (pairs.length % 2 !== 0) throw new FormatError('read ranges', { fault: 'an offset without a length' });
  const ranges: ByteRange[] = [];
  let end = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const offset = fromSize(pairs[at]!, 'offset');
    const length = fromSize(pairs[at + 1]!, 'length');
    if (offset < end || length === 0 || !Number.isSafeInteger(offset + length)) throw new FormatError('read ranges', { offset, length, fault: 'not ascending and apart' });
    ranges.push({ offset, length });
    end = offset + length;
  }
  return ranges;
}

function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new FormatError(`decode ${what}`, { cause });
  }
}

function finish(writer: { finish(): Uint8Array }): Buffer {
  return buffer(writer.finish());
}

function u64(value: Long | null | undefined): bigint {
  return value == null ? 0n : fromUnsigned(value);
}

function exactly(bytes: Uint8Array | null | undefined, length: number, field: string): Buffer {
  const found = buffer(bytes);
  if (found.byteLength !== length) throw new FormatError('read message', { field, bytes: found.byteLength, expected: length });
  return Buffer.from(found);
}

function buffer(bytes: Uint8Array | null | undefined): Buffer {
  if (bytes == null) return Buffer.alloc(0);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
