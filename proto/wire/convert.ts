/** Turns changes into protobuf and back; with messages.ts, the only code that sees generated types. */
import protobuf from 'protobufjs/minimal.js';
import type { Actor, ByteRange, CapturedChange, Change, ChangeBody, NodeId, NodeKind, NodeMetadata, TimeNs, VolumeId, Sequence } from '../change.js';
import { FormatError } from '../errors.js';
import { nameBytes, nameFromBytes } from '../name.js';
import { afterimage as wire } from './generated/messages.js';
import { fromSigned, fromSize, fromUnsigned, toSigned, toSize, toUnsigned } from './numbers.js';
import { putVarint, putWrite, WriteReader } from './write-codec.js';
import type Long from 'long';

const kinds: readonly NodeKind[] = ['file', 'directory', 'symlink', 'fifo', 'socket', 'block-device', 'character-device'];
const xattrKeyBytesMax = 1024;
const symlinkBytesMax = 64 * 1024;
const textBytesMax = 64 * 1024;

/** Content-free upper bound of what a change adds to a payload, in bytes; names and values come on top. */
const changeOverheadBytes = 96;

/** About how many payload bytes a change takes; never less than it does. */
export function payloadBytes(change: CapturedChange): number {
  const { body } = change;
  let bytes = changeOverheadBytes + (change.actor === undefined ? 0 : 32 + change.actor.command.length * 2);
  switch (body.kind) {
    case 'write':
      return bytes + body.data.byteLength;
    case 'create':
      bytes += (body.name?.length ?? 0) + (body.metadata.target?.byteLength ?? 0);
      for (const [key, value] of body.metadata.xattrs ?? []) bytes += key.length + value.byteLength + 16;
      return bytes;
    case 'link':
    case 'unlink':
      return bytes + body.name.length;
    case 'rename':
      return bytes + body.name.length + body.toName.length;
    case 'xattr-set':
      return bytes + body.key.length + body.value.byteLength;
    case 'xattr-remove':
      return bytes + body.key.length;
    case 'gap':
    case 'retired':
      return bytes + body.cause.length * 3;
    case 'mark':
      return bytes + body.name.length * 3;
    case 'volume':
      return bytes + (body.name.length + body.path.length + body.platform.length) * 3;
    default:
      return bytes;
  }
}

/**
 * Encodes changes, already in order, as a frame's payload. `timeNs` of each must not be below the one before.
 * Throws RangeError for a change that no reader would accept.
 */
export function encodePayload(changes: readonly Change[], firstTimeNs: TimeNs): Buffer {
  const encoder = new PayloadEncoder();
  encoder.begin(firstTimeNs);
  for (const change of changes) encoder.add(change);
  return Buffer.from(encoder.bytes);
}

/** Encodes a frame's payload change by change, into memory that the next payload takes again. */
export class PayloadEncoder {
  #target = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  #actors = new ActorTable();
  #beforeNs: TimeNs = 0n;

  /** Of what was added since the beginning; valid until more is. */
  get bytes(): Buffer {
    return this.#target.subarray(0, this.#length);
  }

  begin(firstTimeNs: TimeNs): void {
    this.#length = 0;
    this.#actors = new ActorTable();
    this.#beforeNs = firstTimeNs;
  }

  /** Copies all there is in the change. Its time must not be below that of the one before. Throws RangeError for one that no reader would accept. */
  add(change: Change): void {
    const { timeNs, volume, body } = change;
    this.#reserve(payloadBytes(change));
    const timeDeltaNs = timeNs - this.#beforeNs;
    const timeDelta = Number(timeDeltaNs);
    const place = this.#actors.placeOf(change.actor);
    const newActor = place === newPlace ? actorToWire(change.actor!) : undefined;
    this.#beforeNs = timeNs;
    if (body.kind === 'write' && isPlain(body, timeDelta)) {
      this.#length = putWrite(this.#target, this.#length, { timeDelta, volume, actor: place, node: Number(body.node), offset: body.offset, data: body.data }, newActor === undefined ? undefined : wire.Actor.encode(newActor).finish());
      return;
    }
    const message: wire.Change.$Properties = bodyToWire(body);
    checkReadable(message, change);
    message.timeDeltaNs = toUnsigned(timeDeltaNs);
    message.volume = volume;
    if (newActor !== undefined) message.newActor = newActor;
    else if (place > 0) message.actor = place;
    const bytes = wire.Change.encode(message).finish();
    this.#reserve(bytes.byteLength + 8);
    const at = putVarint(this.#target, this.#length, bytes.byteLength);
    this.#target.set(bytes, at);
    this.#length = at + bytes.byteLength;
  }

  #reserve(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#target.byteLength) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#target.byteLength));
    this.#target.copy(grown, 0, 0, this.#length);
    this.#target = grown;
  }
}

function isPlain({ node, offset, data }: ChangeBody & { readonly kind: 'write' }, timeDelta: number): boolean {
  return node > 0n && node <= Number.MAX_SAFE_INTEGER && offset >= 0 && Number.isSafeInteger(offset) && Number.isSafeInteger(offset + data.byteLength) && timeDelta >= 0 && timeDelta <= Number.MAX_SAFE_INTEGER;
}

const newPlace = -1;

/** The table of actors of a frame that is encoded. */
class ActorTable {
  readonly #places = new Map<string, number>();
  /** Engines hand over one object a process. */
  readonly #known = new Map<Actor, number>();

  /** Place from 1, 0 for no actor, `newPlace` the first time that it is met. */
  placeOf(actor: Actor | undefined): number {
    if (actor === undefined) return 0;
    const known = this.#known.get(actor);
    if (known !== undefined) return known;
    const key = `${actor.pid}/${actor.startNs}/${actor.uid}/${actor.command}`;
    const place = this.#places.get(key);
    this.#known.set(actor, place ?? this.#places.size + 1);
    if (place !== undefined) return place;
    this.#places.set(key, this.#places.size + 1);
    return newPlace;
  }
}

/**
 * Decodes a payload. Content (`data`, `value`, `target`) are views of `payload`, not copies.
 * Throws FormatError for anything that is not exactly `count` well-formed changes. `withoutWrites`: writes are
 * checked as all else, and left out of the result.
 */
export function decodePayload(payload: Buffer, head: { readonly firstSequence: Sequence; readonly firstTimeNs: TimeNs; readonly count: number; readonly withoutWrites?: boolean }): { readonly changes: Change[]; readonly lastTimeNs: TimeNs } {
  const reader = protobuf.Reader.create(payload);
  const writes = new WriteReader(payload);
  const changes: Change[] = [];
  const actors: Actor[] = [];
  let timeNs = head.firstTimeNs;
  let at = 0;
  let count = 0;
  let sequence = head.firstSequence;
  try {
    while (reader.pos < reader.len) {
      at = reader.pos;
      sequence = (head.firstSequence + BigInt(count)) as Sequence;
      if (count >= head.count) throw new FormatError('count changes', { fault: `more than the ${head.count} the header names` });
      const end = reader.uint32() + reader.pos;
      count += 1;
      if (end <= reader.len && writes.read(reader.pos, end)) {
        reader.pos = end;
        timeNs += BigInt(writes.timeDelta);
        if (writes.actor > actors.length) throw new FormatError('look up actor', { actor: writes.actor });
        if (head.withoutWrites === true) continue;
        const volume = writes.volume as VolumeId;
        const data = writes.dataStart === end ? empty : payload.subarray(writes.dataStart, end);
        const body = { kind: 'write', node: BigInt(writes.node) as NodeId, offset: writes.offset, data } as const;
        changes.push(writes.actor === 0 ? { sequence, timeNs, volume, body } : { sequence, timeNs, volume, actor: actors[writes.actor - 1]!, body });
        continue;
      }
      const message = wire.Change.decode(reader, end - reader.pos);
      if (reader.pos !== end) throw new FormatError('read change', { fault: 'its fields end past its length' });
      timeNs += fromUnsigned(message.timeDeltaNs);
      if (message.newActor != null) actors.push(actorFromWire(message.newActor));
      const actor = message.newActor != null ? actors[actors.length - 1] : actors[message.actor - 1];
      if (message.actor > actors.length) throw new FormatError('look up actor', { actor: message.actor });
      const body = bodyFromWire(message);
      if (head.withoutWrites === true && body.kind === 'write') continue;
      changes.push(actor === undefined ? { sequence, timeNs, volume: message.volume as VolumeId, body } : { sequence, timeNs, volume: message.volume as VolumeId, actor, body });
    }
  } catch (cause) {
    throw new FormatError('decode change', { sequence, payloadOffset: at, cause });
  }
  if (count !== head.count) throw new FormatError('count changes', { found: count, expected: head.count });
  return { changes, lastTimeNs: timeNs };
}

/** Where a write's content lies within the payload it was decoded from. */
export function payloadOffset(payload: Buffer, data: Buffer): number {
  // Empty content is no view of anything.
  return data.byteLength === 0 ? 0 : data.byteOffset - payload.byteOffset;
}

function bodyToWire(body: ChangeBody): wire.Change.$Properties {
  switch (body.kind) {
    case 'create':
      return { create: { node: toUnsigned(body.node), parent: toUnsigned(body.parent ?? 0n), ...(body.name === undefined ? {} : { name: nameBytes(body.name) }), metadata: metadataToWire(body.metadata) } };
    case 'link':
      return { link: { node: toUnsigned(body.node), parent: toUnsigned(body.parent), name: nameBytes(body.name) } };
    case 'unlink':
      return { unlink: { parent: toUnsigned(body.parent), name: nameBytes(body.name) } };
    case 'rename':
      return { rename: { parent: toUnsigned(body.parent), name: nameBytes(body.name), toParent: toUnsigned(body.toParent), toName: nameBytes(body.toName), exchange: body.exchange } };
    case 'write':
      return { write: { node: toUnsigned(body.node), offset: toSize(body.offset), data: body.data } };
    case 'truncate':
      return { truncate: { node: toUnsigned(body.node), size: toSize(body.size) } };
    case 'punch':
      return { punch: { node: toUnsigned(body.node), offset: toSize(body.offset), length: toSize(body.length) } };
    case 'zero':
      return { zero: { node: toUnsigned(body.node), offset: toSize(body.offset), length: toSize(body.length) } };
    case 'clone':
      return { clone: { node: toUnsigned(body.node), offset: toSize(body.offset), length: toSize(body.length), sourceNode: toUnsigned(body.sourceNode), sourceOffset: toSize(body.sourceOffset) } };
    case 'attributes':
      return {
        attributes: {
          node: toUnsigned(body.node),
          ...(body.mode === undefined ? {} : { mode: body.mode }),
          ...(body.uid === undefined ? {} : { uid: body.uid }),
          ...(body.gid === undefined ? {} : { gid: body.gid }),
          ...(body.modifyNs === undefined ? {} : { modifyNs: toSigned(body.modifyNs) }),
        },
      };
    case 'xattr-set':
      return { xattrSet: { node: toUnsigned(body.node), key: Buffer.from(body.key, 'latin1'), value: body.value } };
    case 'xattr-remove':
      return { xattrRemove: { node: toUnsigned(body.node), key: Buffer.from(body.key, 'latin1') } };
    case 'discard':
      return { discard: { offset: toSize(body.offset), length: toSize(body.length) } };
    case 'flush':
      return { flush: {} };
    case 'baseline':
      return { baseline: { end: body.edge === 'end' } };
    case 'gap':
      return { gap: { close: body.edge === 'close', gap: toSize(body.gap), unknown: body.label === 'unknown', cause: body.cause, sinceNs: toUnsigned(body.sinceNs) } };
    case 'settled':
      return { settled: { sinceNs: toUnsigned(body.sinceNs) } };
    case 'mark':
      return { mark: { name: body.name } };
    case 'clock':
      return { clock: { stepNs: toSigned(body.stepNs) } };
    case 'durable':
      return { durable: { node: toUnsigned(body.node ?? 0n) } };
    case 'volume':
      return { volumeDefinition: { name: body.name, device: body.volumeKind === 'device', path: Buffer.from(body.path, 'latin1'), exact: body.engine === 'exact', platform: body.platform } };
    case 'retired':
      return { retired: { cause: body.cause } };
  }
}

/** A change that decoding refuses would stop every reader of the journal for ever, so it must not get in. */
function checkReadable(message: wire.Change.$Properties, change: Change): void {
  try {
    bodyFromWire(message);
  } catch (cause) {
    throw new RangeError(`change ${change.sequence} (${change.body.kind}) cannot be encoded: ${(cause as Error).message}`, { cause });
  }
}

function bodyFromWire(message: wire.Change.$Properties): ChangeBody {
  const m = message;
  if (m.write != null) {
    const { node, offset, data } = m.write;
    const at = fromSize(offset!, 'offset');
    checkEnd(at, data!.byteLength);
    return { kind: 'write', node: nodeFrom(node), offset: at, data: asBuffer(data) };
  }
  if (m.create != null) return createFromWire(m.create);
  if (m.link != null) return { kind: 'link', node: nodeFrom(m.link.node), parent: nodeFrom(m.link.parent), name: nameFromBytes(asBuffer(m.link.name)) };
  if (m.unlink != null) return { kind: 'unlink', parent: nodeFrom(m.unlink.parent), name: nameFromBytes(asBuffer(m.unlink.name)) };
  if (m.rename != null) {
    const { parent, name, toParent, toName, exchange } = m.rename;
    return { kind: 'rename', parent: nodeFrom(parent), name: nameFromBytes(asBuffer(name)), toParent: nodeFrom(toParent), toName: nameFromBytes(asBuffer(toName)), exchange: exchange! };
  }
  if (m.truncate != null) return { kind: 'truncate', node: nodeFrom(m.truncate.node), size: fromSize(m.truncate.size!, 'size') };
  if (m.punch != null) return { kind: 'punch', node: nodeFrom(m.punch.node), ...rangeFrom(m.punch) };
  if (m.zero != null) return { kind: 'zero', node: nodeFrom(m.zero.node), ...rangeFrom(m.zero) };
  if (m.clone != null) {
    const range = rangeFrom(m.clone);
    const sourceOffset = fromSize(m.clone.sourceOffset!, 'source offset');
    checkEnd(sourceOffset, range.length);
    return { kind: 'clone', node: nodeFrom(m.clone.node), ...range, sourceNode: nodeFrom(m.clone.sourceNode), sourceOffset };
  }
  if (m.attributes != null) {
    const { node, mode, uid, gid, modifyNs } = m.attributes;
    return {
      kind: 'attributes',
      node: nodeFrom(node),
      ...(mode == null ? {} : { mode: checkMode(mode) }),
      ...(uid == null ? {} : { uid }),
      ...(gid == null ? {} : { gid }),
      ...(modifyNs == null ? {} : { modifyNs: fromSigned(modifyNs) }),
    };
  }
  if (m.xattrSet != null) return { kind: 'xattr-set', node: nodeFrom(m.xattrSet.node), key: keyFrom(m.xattrSet.key), value: asBuffer(m.xattrSet.value) };
  if (m.xattrRemove != null) return { kind: 'xattr-remove', node: nodeFrom(m.xattrRemove.node), key: keyFrom(m.xattrRemove.key) };
  if (m.discard != null) return { kind: 'discard', ...rangeFrom(m.discard) };
  if (m.flush != null) return { kind: 'flush' };
  if (m.baseline != null) return { kind: 'baseline', edge: m.baseline.end ? 'end' : 'begin' };
  if (m.gap != null) {
    const { close, gap, unknown, cause, sinceNs } = m.gap;
    return { kind: 'gap', edge: close ? 'close' : 'open', gap: fromSize(gap!, 'gap'), label: unknown ? 'unknown' : 'converging', cause: text(cause), sinceNs: fromUnsigned(sinceNs!) };
  }
  if (m.settled != null) return { kind: 'settled', sinceNs: fromUnsigned(m.settled.sinceNs!) };
  if (m.mark != null) return { kind: 'mark', name: text(m.mark.name) };
  if (m.clock != null) return { kind: 'clock', stepNs: fromSigned(m.clock.stepNs!) };
  if (m.durable != null) {
    const node = fromUnsigned(m.durable.node!);
    return node === 0n ? { kind: 'durable' } : { kind: 'durable', node: node as NodeId };
  }
  if (m.volumeDefinition != null) {
    const { name, device, path, exact, platform } = m.volumeDefinition;
    return { kind: 'volume', name: text(name), volumeKind: device ? 'device' : 'tree', path: asBuffer(path).toString('latin1'), engine: exact ? 'exact' : 'portable', platform: text(platform) };
  }
  if (m.retired != null) return { kind: 'retired', cause: text(m.retired.cause) };
  throw new FormatError('read change', { fault: 'of a kind that this version does not know' });
}

function createFromWire(create: wire.Create.$Properties): ChangeBody {
  const node = nodeFrom(create.node);
  if (create.metadata == null) throw new FormatError('read create', { node, fault: 'no metadata' });
  const metadata = metadataFromWire(create.metadata);
  if (fromUnsigned(create.parent!) === 0n) return { kind: 'create', node, metadata };
  return { kind: 'create', node, parent: nodeFrom(create.parent), name: nameFromBytes(asBuffer(create.name)), metadata };
}

/** Metadata for a message of the wire. */
export function metadataToWire(metadata: NodeMetadata): wire.Metadata.$Properties {
  const message: wire.Metadata.$Properties = {
    nodeKind: kinds.indexOf(metadata.nodeKind) + 1,
    mode: metadata.mode,
    uid: metadata.uid,
    gid: metadata.gid,
    modifyNs: toSigned(metadata.modifyNs),
  };
  if (metadata.device !== undefined) {
    message.deviceMajor = metadata.device.major;
    message.deviceMinor = metadata.device.minor;
  }
  if (metadata.target !== undefined) message.target = metadata.target;
  if (metadata.xattrs !== undefined) message.xattrs = [...metadata.xattrs].map(([key, value]) => ({ key: Buffer.from(key, 'latin1'), value }));
  return message;
}

/** Metadata off the wire, checked. */
export function metadataFromWire(message: wire.Metadata.$Properties): NodeMetadata {
  const nodeKind = kinds[(message.nodeKind ?? 0) - 1];
  if (nodeKind === undefined) throw new FormatError('read metadata', { fault: `unknown node kind ${message.nodeKind}` });
  const isDevice = nodeKind === 'block-device' || nodeKind === 'character-device';
  const target = asBuffer(message.target);
  if (nodeKind === 'symlink' && (target.byteLength === 0 || target.byteLength > symlinkBytesMax || target.includes(0))) {
    throw new FormatError('read metadata', { fault: `a symlink target of ${target.byteLength} bytes, or with a NUL` });
  }
  const xattrs = new Map<string, Buffer>();
  for (const { key, value } of message.xattrs ?? []) xattrs.set(keyFrom(key), asBuffer(value));
  return {
    nodeKind,
    mode: checkMode(message.mode ?? 0),
    uid: message.uid ?? 0,
    gid: message.gid ?? 0,
    modifyNs: message.modifyNs == null ? 0n : fromSigned(message.modifyNs),
    ...(isDevice ? { device: { major: message.deviceMajor ?? 0, minor: message.deviceMinor ?? 0 } } : {}),
    ...(nodeKind === 'symlink' ? { target } : {}),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

function actorToWire(actor: Actor): wire.Actor.$Properties {
  return { pid: toSize(actor.pid), startNs: toUnsigned(actor.startNs), uid: actor.uid, command: Buffer.from(actor.command, 'latin1') };
}

function actorFromWire(message: wire.Actor.$Properties): Actor {
  return { pid: fromSize(message.pid!, 'pid'), startNs: fromUnsigned(message.startNs!), uid: message.uid ?? 0, command: asBuffer(message.command).toString('latin1') };
}

function rangeFrom(message: { offset?: Long | null; length?: Long | null }): ByteRange {
  const offset = fromSize(message.offset!, 'offset');
  const length = fromSize(message.length!, 'length');
  checkEnd(offset, length);
  return { offset, length };
}

function checkEnd(offset: number, length: number): void {
  if (!Number.isSafeInteger(offset + length)) throw new FormatError('read range', { offset, length, fault: 'ends past 2^53 - 1 bytes' });
}

function checkMode(mode: number): number {
  if (mode > 0o7777) throw new FormatError('read mode', { mode: `0o${mode.toString(8)}` });
  return mode;
}

function nodeFrom(value: Long | null | undefined): NodeId {
  const node = value == null ? 0n : fromUnsigned(value);
  if (node === 0n) throw new FormatError('read node', { fault: 'zero names no node' });
  return node as NodeId;
}

function keyFrom(key: Uint8Array | null | undefined): string {
  const bytes = asBuffer(key);
  if (bytes.byteLength === 0 || bytes.byteLength > xattrKeyBytesMax || bytes.includes(0)) throw new FormatError('read attribute name', { bytes: bytes.byteLength });
  return bytes.toString('latin1');
}

function text(value: string | null | undefined): string {
  const known = value ?? '';
  if (known.length > textBytesMax) throw new FormatError('read text', { characters: known.length });
  return known;
}

const empty = Buffer.alloc(0);

/** Generated code gives views of the input as Buffer, but types them as Uint8Array. */
function asBuffer(bytes: Uint8Array | null | undefined): Buffer {
  if (bytes == null || bytes.byteLength === 0) return empty;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
