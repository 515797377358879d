/** Applies the records of the stream, in their order, to the volumes that they concern. */
import type { CaptureBatch, CaptureStream } from '../../../native/capture/stream.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { actorWords, DirtyCause, RecordCall, RecordCursor, RecordFlag, RecordKind } from '../../../native/capture/record.js';
import type { Clock } from '../../../native/host/clock.js';
import { type Actor, type NodeKind, type NodeMetadata, rootNode } from '../../../proto/change.js';
import { blockBytes } from '../tree/block-hash.js';
import type { ChangeFacts } from '../tree/recorder.js';
import { isMaking, type MadeInode, NameApplier } from './apply-names.js';
import { asynchronousCause } from './direct-requests.js';
import type { ExactDevice } from './exact-device.js';
import { type ExactVolume, mappedCause } from './exact-volume.js';
import type { FileSystem, FoundNode } from './file-system.js';
import { nameBits, type QueuedName } from './name-queue.js';
import type { ToldStamp } from './volume-metadata.js';

/** Causes of a `dirty` record, for a person. */
const dirtyCauses: Readonly<Record<number, string>> = {
  [DirtyCause.ringFull]: 'the capture ring was full',
  [DirtyCause.userFault]: 'what was written could not be read from the writer\u2019s memory',
  [DirtyCause.concurrent]: 'several writers wrote one file at once, past the page cache',
  [DirtyCause.asynchronous]: asynchronousCause,
  [DirtyCause.unknownCall]: 'a file was changed outside any captured call',
  [DirtyCause.sharedMapping]: mappedCause,
  [DirtyCause.notByByte]: 'a call changed content without passing its bytes',
  [DirtyCause.deviceError]: 'the device reported an error',
};

const nameCalls: ReadonlyMap<number, number> = new Map<number, number>([
  ...[RecordCall.mkdir, RecordCall.mknod, RecordCall.symlink, RecordCall.link, RecordCall.open, RecordCall.bind].map((call) => [call, nameBits.create] as const),
  ...[RecordCall.unlink, RecordCall.rmdir].map((call) => [call, nameBits.delete] as const),
  [RecordCall.rename, nameBits.rename],
]);

const kindsByType: Readonly<Record<number, NodeKind>> = { 0o140000: 'socket', 0o120000: 'symlink', 0o100000: 'file', 0o060000: 'block-device', 0o040000: 'directory', 0o020000: 'character-device', 0o010000: 'fifo' };
const typeMask = 0o170000;
const exchangeFlag = 2;
const whiteoutFlag = 4;
/** O_TRUNC of open(2). */
const truncateFlag = 0o1000;

/** Bits of fallocate(2). */
const allocation = { keepSize: 1, punch: 2, collapse: 8, zero: 16, insert: 32 } as const;

/** Those whose effect can be told without reading. */
const allocationKnown = allocation.keepSize | allocation.punch | allocation.zero;

const actorsMax = 4096;
/** Names lie in the kernel for so long before they are read, where nothing else asks for them. */
const drainIntervalNs = 1_000_000_000n;
/** Files of one name that are read back after a cut by path; more make the whole volume be compared. */
const namesakesMax = 64;

export interface ApplierState {
  readonly appliedNs: bigint;
  readonly wallOffsetNs: bigint;
  /** By device of the file system. */
  readonly latest: ReadonlyMap<number, ReadonlyMap<string, number>>;
}

export interface RecordApplierOptions {
  readonly stream: CaptureStream;
  readonly clock: Clock;
  readonly fileSystems: ReadonlyMap<number, FileSystem>;
  /** Block devices, by their numbers. */
  readonly devices: ReadonlyMap<number, ExactDevice>;
  /** Whether all that the kernel lost has been taken account of. */
  readonly isComplete: () => boolean;
  /** CLOCK_MONOTONIC, as the kernel stamps records. */
  readonly monotonicNs: () => bigint;
}

export class RecordApplier {
  readonly #options: RecordApplierOptions;
  readonly #names = new Map<FileSystem, NameApplier>();
  readonly #actors = new Map<number, { readonly startNs: bigint; readonly actor: Actor }>();

  readonly #lastActorWords = new Uint32Array(actorWords);
  #lastActor: Actor | undefined;

  /** When the last record that was applied was made, CLOCK_MONOTONIC, and what makes it a time of day. */
  #appliedNs = 0n;
  #wallOffsetNs = 0n;

  constructor(options: RecordApplierOptions) {
    this.#options = options;
  }

  /** When the last record that was applied was made; undefined before the first. */
  get appliedTimeNs(): bigint | undefined {
    return this.#appliedNs === 0n ? undefined : this.#appliedNs + this.#wallOffsetNs;
  }

  /** Applies a whole batch; what it told of attributes is recorded at its end. */
  async apply({ bytes, wallOffsetNs }: CaptureBatch): Promise<void> {
    const cursor = new RecordCursor(bytes);
    let timeNs = 0n;
    while (cursor.next()) {
      this.#appliedNs = cursor.monotonicNs;
      this.#wallOffsetNs = wallOffsetNs;
      timeNs = this.#appliedNs + wallOffsetNs;
      const facts = { timeNs, actor: this.#actor(cursor, wallOffsetNs) };
      const unfinished = this.#applyOne(cursor, facts);
      if (unfinished !== undefined) await unfinished;
    }
    await this.#settle(timeNs === 0n ? {} : { timeNs });
  }

  /** Records what is known of attributes of what was touched. */
  async #settle(facts: ChangeFacts): Promise<void> {
    for (const fileSystem of this.#options.fileSystems.values()) for (const volume of fileSystem.volumes) await volume.settleBatch(facts);
  }

  /** Where the stream is applied up to in time, and what was applied of names out of order; for a later engine to go on with. */
  get state(): ApplierState {
    // Where no record was applied yet: all that is still to come is later than now.
    const nowNs = this.#options.monotonicNs();
    const [appliedNs, wallOffsetNs] = this.#appliedNs === 0n ? [nowNs, this.#options.clock.wallNs() - nowNs] : [this.#appliedNs, this.#wallOffsetNs];
    return { appliedNs, wallOffsetNs, latest: new Map([...this.#names].map(([fileSystem, names]) => [fileSystem.device, names.latest])) };
  }
  restore({ appliedNs, wallOffsetNs }: ApplierState): void {
    [this.#appliedNs, this.#wallOffsetNs] = [appliedNs, wallOffsetNs];
  }
  restoreNames(fileSystem: FileSystem, { latest }: ApplierState): void {
    this.#namesOf(fileSystem).restore(latest.get(fileSystem.device) ?? new Map());
  }

  /** Takes over what fanotify has told by now. `foreign`: none of it is of this process, whatever its threads' numbers. */
  drain({ foreign = false } = {}): void {
    for (const fileSystem of this.#options.fileSystems.values()) fileSystem.drain(this.#options.monotonicNs(), this.#appliedNs, foreign);
  }

  /** Looks up what fanotify told and no call claims, with a gap on record. `ageNs`: those that have waited for so long, by the stream's time. */
  async applyOrphans(ageNs: bigint, isCaughtUp: () => boolean): Promise<void> {
    const nowNs = this.#options.monotonicNs();
    // A call's record may wait in the stream for as long as that is behind.
    const streamNs = isCaughtUp() ? nowNs : this.#appliedNs;
    for (const fileSystem of this.#options.fileSystems.values()) {
      fileSystem.drain(nowNs, this.#appliedNs);
      const why = { cause: 'names were changed outside any captured call', sinceNs: this.#options.clock.wallNs() - ageNs - (nowNs - streamNs) - drainIntervalNs };
      for (const queued of fileSystem.queue.takeOrphans(streamNs - ageNs)) await this.#namesOf(fileSystem).lookUp(queued, why);
      const incompleteSinceNs = fileSystem.incompleteSinceNs;
      fileSystem.incompleteSinceNs = undefined;
      if (incompleteSinceNs === undefined) continue;
      for (const volume of fileSystem.volumes) await volume.lostAll('names changed faster than they could be taken down', this.#options.clock.wallNs() - (nowNs - incompleteSinceNs));
    }
    await this.#settle({});
  }

  /** Returns a promise only where something is left to be waited for: not for nearly all writes. */
  #applyOne(cursor: RecordCursor, facts: ChangeFacts): Promise<void> | undefined {
    if (cursor.kind >= RecordKind.blockWrite) return applyBlocks(this.#options.devices.get(cursor.device), cursor, facts);
    if (cursor.kind === RecordKind.names) return this.#applyName(cursor, facts);
    const fileSystem = this.#options.fileSystems.get(cursor.device);
    if (fileSystem === undefined || cursor.ino === 0n) return undefined;
    const found = fileSystem.find(cursor);
    return found === undefined ? this.#applyUnknown(fileSystem, cursor, facts) : this.#applyFound(fileSystem, found, cursor, facts);
  }

  async #applyUnknown(fileSystem: FileSystem, cursor: RecordCursor, facts: ChangeFacts): Promise<void> {
    const inode = inodeOf(cursor);
    const found = await this.#findNamed(fileSystem, inode, facts);
    if (found !== undefined) await this.#applyFound(fileSystem, found, cursor, facts);
    // Not everything is known while a volume is looked at: what is outside is found out later.
    else if (!fileSystem.isPartial) this.#options.stream.markOutside({ ino: inode.ino, generation: inode.generation, device: fileSystem.device });
  }

  /** Names of one inode may lie in several volumes. */
  #applyFound(fileSystem: FileSystem, found: FoundNode, cursor: RecordCursor, facts: ChangeFacts): Promise<void> | undefined {
    return cursor.links > 1 ? this.#applyToAll(fileSystem.findAll(cursor), cursor, facts) : this.#applyTo(found, cursor, facts);
  }

  async #applyToAll(nodes: readonly FoundNode[], cursor: RecordCursor, facts: ChangeFacts): Promise<void> {
    for (const found of nodes) await this.#applyTo(found, cursor, facts);
  }

  /** An inode that got its name by a call that has not returned. */
  async #findNamed(fileSystem: FileSystem, inode: InodeKey, facts: ChangeFacts): Promise<FoundNode | undefined> {
    let naming = fileSystem.queue.naming(inode);
    if (naming === undefined) {
      fileSystem.drain(this.#options.monotonicNs(), this.#appliedNs);
      naming = fileSystem.queue.naming(inode);
    }
    if (naming === undefined || !isMaking(naming)) return undefined;
    await this.#namesOf(fileSystem).applyEarly(naming, facts);
    return fileSystem.find(inode);
  }

  #applyTo(found: FoundNode, cursor: RecordCursor, facts: ChangeFacts): Promise<void> | undefined {
    const { kind } = cursor;
    const { volume, node, id } = found;
    switch (kind) {
      case RecordKind.write: {
        const write = (): Promise<void> | undefined => volume.content({ kind: 'write', node: id, offset: cursor.offset, data: cursor.data }, stampOf(cursor), facts);
        if (cursor.call !== RecordCall.ioSubmit || (cursor.flags & RecordFlag.direct) === 0) return write();
        const submitted = volume.submitted(node, { low: cursor.offset, high: cursor.offset + cursor.length }, facts.timeNs!);
        return submitted === undefined ? write() : submitted.then(write);
      }
      case RecordKind.truncate:
        return volume.content({ kind: 'truncate', node: id, size: cursor.size }, stampOf(cursor), facts);
      case RecordKind.allocate:
        return this.#allocate(found, cursor, facts);
      case RecordKind.clone:
        return this.#clone(found, cursor, facts);
      case RecordKind.dirty: {
        const cause = Number(cursor.a);
        const { offset, length } = cursor;
        volume.stamp(node, stampOf(cursor));
        return volume.dirty(node, { low: offset, high: length === 0 ? Number.MAX_SAFE_INTEGER : offset + length }, { cause: causeOf(1 << cause), sinceNs: facts.timeNs!, mapped: cause === DirtyCause.sharedMapping, unseen: isUnseen(1 << cause) });
      }
      case RecordKind.attributes:
        volume.stamp(node, stampOf(cursor));
        if (cursor.call === RecordCall.fsetxattr || cursor.call === RecordCall.fremovexattr || cursor.call === RecordCall.inodeFlags || cursor.call === RecordCall.fchmod || cursor.call === RecordCall.fchown) volume.look(node);
        return undefined;
      case RecordKind.durable:
        return volume.durable(node, facts);
      default:
        return undefined;
    }
  }

  async #allocate({ volume, node, id }: FoundNode, cursor: RecordCursor, facts: ChangeFacts): Promise<void> {
    const mode = Number(cursor.a);
    const { offset, length, size } = cursor;
    const stamp = stampOf(cursor);
    if ((mode & ~allocationKnown) !== 0) {
      volume.stamp(node, stamp);
      await volume.dirty(node, { low: offset, high: Number.MAX_SAFE_INTEGER }, { cause: causeOf(1 << DirtyCause.notByByte), sinceNs: facts.timeNs! });
      return;
    }
    // Reads as zeroes; whether the file system keeps space for it does not show.
    if ((mode & (allocation.punch | allocation.zero)) !== 0) await volume.content({ kind: 'punch', node: id, offset, length }, stamp, facts);
    const before = volume.index.node(volume.definition.volume, node)?.size ?? 0;
    if ((mode & allocation.keepSize) === 0 && offset + length > before && size >= offset + length) await volume.content({ kind: 'truncate', node: id, size: offset + length }, stamp, facts);
    volume.stamp(node, stamp);
  }

  async #clone({ volume, node, id }: FoundNode, cursor: RecordCursor, facts: ChangeFacts): Promise<void> {
    const { offset, length, tree, device, data } = cursor;
    const stamp = stampOf(cursor);
    const source = this.#options.fileSystems.get(device)?.findAll({ ino: cursor.a, generation: Number(cursor.b & 0xffff_ffffn), tree }).find((found) => found.volume === volume);
    volume.stamp(node, stamp);
    const isWhole = length > 0 && data.length >= 8 && offset % blockBytes === 0;
    if (source === undefined || source.volume !== volume || !isWhole || !this.#options.isComplete() || volume.isHealing(source.node)) {
      await volume.dirty(node, { low: offset, high: length === 0 ? Number.MAX_SAFE_INTEGER : offset + length }, { cause: causeOf(1 << DirtyCause.notByByte), sinceNs: facts.timeNs! });
      return;
    }
    await volume.content({ kind: 'clone', node: id, offset, length, sourceNode: source.id, sourceOffset: Number(data.readBigUInt64LE(0)) }, stamp, facts);
  }

  async #applyName(cursor: RecordCursor, facts: ChangeFacts): Promise<void> {
    const bit = nameCalls.get(cursor.call);
    const nowNs = this.#options.monotonicNs();
    const { tid, monotonicNs: returnedNs } = cursor;
    const inode = inodeOf(cursor);
    if (inode.ino !== 0n) {
      const fileSystem = this.#options.fileSystems.get(cursor.device);
      if (fileSystem === undefined) return;
      const parent = { ino: cursor.a, generation: Number(cursor.b & 0xffff_ffffn), tree: inode.tree };
      fileSystem.drain(nowNs, this.#appliedNs);
      const [name] = cursor.names();
      const claimed = fileSystem.queue.claim({ tid, bit: nameBits.create, returnedNs, name });
      const made: MadeInode = { inode, metadata: madeMetadata(cursor) };
      if (claimed.length > 0) return this.#namesOf(fileSystem).apply(claimed, nameBits.create, facts, { made, isNew: true });
      const found = fileSystem.find(parent);
      if (found !== undefined && name !== undefined) await found.volume.names.set({ directory: found.node, name: name.toString('latin1') }, { inode, isDirectory: false, isNew: true, metadata: () => made.metadata }, facts);
      return;
    }
    const [name, toName] = cursor.names();
    if (cursor.call === RecordCall.truncate) return this.#truncateNamed(name, Number(cursor.a), facts);
    if (cursor.call === RecordCall.open && (Number(cursor.a) & truncateFlag) !== 0) await this.#truncateNamed(name, 0, facts);
    for (const fileSystem of this.#options.fileSystems.values()) {
      fileSystem.drain(nowNs, this.#appliedNs);
      if (bit === undefined) continue;
      const isRename = bit === nameBits.rename;
      const call = { tid, bit, returnedNs, name: isRename ? name : (toName ?? name), ...(isRename ? { toName } : {}) };
      const claimed = fileSystem.queue.claim(call, isRename && (Number(cursor.a) & exchangeFlag) !== 0);
      if (claimed.length === 0) continue;
      await this.#namesOf(fileSystem).apply(claimed, bit, facts, { isNew: cursor.call !== RecordCall.link && !isRename });
      // The whiteout that stands in the old name's place is told by nothing.
      if (isRename && (Number(cursor.a) & whiteoutFlag) !== 0) await this.#lookForWhiteout(fileSystem, claimed, facts);
      return;
    }
  }

  /** A file was cut by its path, of which only the last part is known: whatever has that name is read back from there on. */
  async #truncateNamed(name: Buffer | undefined, size: number, facts: ChangeFacts): Promise<void> {
    const why = { cause: 'a file was cut by its path', sinceNs: facts.timeNs! };
    let isFound = false;
    for (const fileSystem of this.#options.fileSystems.values()) {
      for (const volume of fileSystem.volumes) {
        const nodes = name === undefined ? undefined : this.#filesNamed(volume, name.toString('latin1'));
        if (nodes === undefined) await volume.lostAll(why.cause, why.sinceNs);
        if (nodes === undefined || nodes.size > 0) isFound = true;
        for (const node of nodes ?? []) await volume.dirty(node, { low: size, high: Number.MAX_SAFE_INTEGER }, why);
      }
    }
    if (isFound) return;
    // On another file system, or by a link from outside: which of them is not told.
    for (const fileSystem of this.#options.fileSystems.values()) for (const volume of fileSystem.volumes) await volume.lostAll(why.cause, why.sinceNs);
  }

  /** Files that a name may lead to, through symbolic links too; undefined when those are too many to tell. */
  #filesNamed(volume: ExactVolume, name: string): Set<number> | undefined {
    const files = new Set<number>();
    const names = new Set([name]);
    for (const each of names) {
      const rows = volume.index.nodesNamed(volume.definition.volume, each, namesakesMax);
      if (rows.length === namesakesMax || names.size > namesakesMax) return undefined;
      for (const { node, kind, target } of rows) {
        if (kind === 'file') files.add(node);
        const last = kind === 'symlink' ? target?.toString('latin1').split('/').filter((part) => part !== '').pop() : undefined;
        if (last !== undefined && last !== '.' && last !== '..') names.add(last);
      }
    }
    return files;
  }

  async #lookForWhiteout(fileSystem: FileSystem, claimed: readonly QueuedName[], facts: ChangeFacts): Promise<void> {
    for (const queued of claimed) await this.#namesOf(fileSystem).lookUp(queued, { cause: 'a rename left a whiteout', sinceNs: facts.timeNs! });
  }

  #namesOf(fileSystem: FileSystem): NameApplier {
    let applier = this.#names.get(fileSystem);
    if (applier === undefined) this.#names.set(fileSystem, (applier = new NameApplier(fileSystem)));
    return applier;
  }

  /** One object a process, for as long as it keeps its name and user. */
  #actor(cursor: RecordCursor, wallOffsetNs: bigint): Actor {
    if (this.#lastActor !== undefined && cursor.hasActor(this.#lastActorWords)) return this.#lastActor;
    this.#lastActor = this.#lookUpActor(cursor, wallOffsetNs);
    cursor.copyActor(this.#lastActorWords);
    return this.#lastActor;
  }

  #lookUpActor(cursor: RecordCursor, wallOffsetNs: bigint): Actor {
    const { pid, startNs, actorUid: uid, command } = cursor;
    const known = this.#actors.get(pid);
    if (known !== undefined && known.startNs === startNs && known.actor.uid === uid && known.actor.command === command) return known.actor;
    if (this.#actors.size >= actorsMax) this.#actors.clear();
    // The start counts from boot; the same process is to have the same start whenever it is met.
    const actor = { pid, startNs: known?.startNs === startNs ? known.actor.startNs : startNs + wallOffsetNs, uid, command };
    this.#actors.set(pid, { startNs, actor });
    return actor;
  }
}

function madeMetadata(cursor: RecordCursor): NodeMetadata {
  const { mode, uid, gid, modifyNs } = stampOf(cursor);
  return { nodeKind: kindsByType[cursor.mode & typeMask] ?? 'file', mode, uid, gid, modifyNs };
}

function inodeOf({ ino, generation, tree }: RecordCursor): InodeKey {
  return { ino, generation, tree };
}

function stampOf({ mode, uid, gid, modifySeconds, modifyNanoseconds, monotonicNs }: RecordCursor): ToldStamp {
  return { mode: mode & 0o7777, uid, gid, modifyNs: modifySeconds * 1_000_000_000n + BigInt(modifyNanoseconds), toldNs: monotonicNs };
}

function applyBlocks(device: ExactDevice | undefined, cursor: RecordCursor, facts: ChangeFacts): Promise<void> | undefined {
  if (device === undefined) return undefined;
  const { kind, offset, length } = cursor;
  const range = { low: offset, high: offset + length };
  switch (kind) {
    case RecordKind.blockWrite: {
      const written = device.content({ kind: 'write', node: rootNode, offset, data: cursor.data }, range, facts);
      if ((cursor.flags & RecordFlag.durable) === 0) return written;
      const edge = (): Promise<void> | undefined => device.edge({ kind: 'durable', node: rootNode }, facts);
      return written === undefined ? edge() : written.then(edge);
    }
    case RecordKind.blockDiscard:
      return device.content({ kind: 'discard', offset, length }, range, facts);
    case RecordKind.blockZero:
      return device.content({ kind: 'zero', node: rootNode, offset, length }, range, facts);
    case RecordKind.blockFlush:
      return device.edge({ kind: 'flush' }, facts);
    default:
      return undefined;
  }
}

/** Whether some of the causes may go on, or come into effect later, without being told of again. */
export function isUnseen(bits: number): boolean {
  return (bits & ((1 << DirtyCause.unknownCall) | (1 << DirtyCause.asynchronous))) !== 0;
}

/** The causes that a set of bits stands for. */
export function causeOf(bits: number): string {
  return Object.entries(dirtyCauses).filter(([bit]) => (bits & (1 << Number(bit))) !== 0).map(([, cause]) => cause).join('; ') || 'content was lost in the kernel';
}

