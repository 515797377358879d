/**
 * Holds what fanotify told until the call that did it has its place in the stream.
 *
 * fanotify says what changed, but not when; a record in the stream says when a call returned, but not on
 * which directory. The kernel queues a call's event before the call returns, so when its record
 * is met the event is here: the thread and the last part of the path tell which one it is.
 *
 * Events of one thread that concern the same name and inode merge while they wait in the kernel: one
 * event may stand for several calls, so it serves again for each call that returned before it was read.
 */
import type { InodeKey, NameEvent } from '../../../native/capture/names.js';

/** Bits of fanotify(7). */
export const nameBits = { create: 0x100, delete: 0x200, rename: 0x1000_0000, attributes: 0x4 } as const;
const anyName = nameBits.create | nameBits.delete | nameBits.rename;
const givesName = nameBits.create | nameBits.rename;

export interface QueuedName {
  /** Position in the kernel's queue: for one directory the order in which its entries changed. */
  readonly index: number;
  readonly event: NameEvent;
  /** CLOCK_MONOTONIC when it was read: every call it stands for returns later or has been told of in the stream before. */
  readonly readNs: bigint;
  /** Bits that no call has claimed yet. */
  waiting: number;
  /** It was claimed for another call before: calls that merged, so its index says nothing of this one. */
  merged: boolean;
  /** Whether it is the call's at all, or where that stands among those of other threads, cannot be told. */
  unsure: boolean;
}

/** A call as the stream tells of it. */
export interface NameCall {
  readonly tid: number;
  readonly bit: number;
  /** When it returned, CLOCK_MONOTONIC. */
  readonly returnedNs: bigint;
  /** The name that it made or removed, or that a rename moved; undefined where the record could not tell. */
  readonly name: Buffer | undefined;
  /** The new name of a rename. */
  readonly toName?: Buffer | undefined;
}

/**
 * Events of one thread and name in the order they were queued. Those before `head` are done with, those
 * before `waiting` are claimed: a thread may change one name a hundred thousand times before its calls are met.
 */
interface Register {
  readonly events: QueuedName[];
  head: number;
  waiting: number;
}
type Thread = Map<string, Register>;

/** All that a queue holds, for a later engine to go on with; its parts refer to one another. */
export interface NameQueueState {
  readonly threads: ReadonlyMap<number, Thread>;
  readonly naming: ReadonlyMap<string, Set<QueuedName>>;
  readonly waiting: ReadonlyMap<number, QueuedName>;
  readonly latest: ReadonlyMap<string, Map<number, number>>;
  readonly next: number;
  readonly first: number;
  readonly held: number;
}

const latestMin = 10_000;
/** Events of about half a kilobyte each. */
const heldMax = 200_000;

export class NameQueue {
  readonly #threads = new Map<number, Thread>();
  /** What waits and gave an inode a name, by inode. */
  readonly #naming = new Map<string, Set<QueuedName>>();
  /** All that waits, in queue order. */
  readonly #waiting = new Map<number, QueuedName>();
  /** By directory and name, each thread's latest event there. */
  readonly #latest = new Map<string, Map<number, number>>();
  #latestPurge = latestMin;
  #next = 0;
  #first = 0;
  /** Events that are not done with. */
  #held = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** The least index that waits; Infinity when nothing does. */
  get firstWaiting(): number {
    if (this.#waiting.size === 0) return Infinity;
    // Not by the map's own order: it steps over each entry that ever went.
    while (!this.#waiting.has(this.#first)) this.#first += 1;
    return this.#first;
  }

  /** Whether more is held than is worth the memory. */
  get isTooLong(): boolean {
    return this.#held > heldMax;
  }

  /** Forgets everything: what it tells of has to be found out otherwise. */
  clear(): void {
    this.#threads.clear();
    this.#naming.clear();
    this.#waiting.clear();
    this.#latest.clear();
    this.#held = 0;
  }

  get state(): NameQueueState {
    return { threads: this.#threads, naming: this.#naming, waiting: this.#waiting, latest: this.#latest, next: this.#next, first: this.#first, held: this.#held };
  }

  /** Takes over what another held; this one must be empty. */
  restore({ threads, naming, waiting, latest, next, first, held }: NameQueueState): void {
    for (const [key, value] of threads) this.#threads.set(key, value);
    for (const [key, value] of naming) this.#naming.set(key, value);
    for (const [key, value] of waiting) this.#waiting.set(key, value);
    for (const [key, value] of latest) this.#latest.set(key, value);
    [this.#next, this.#first, this.#held] = [next, first, held];
  }

  add(event: NameEvent, readNs: bigint): void {
    const waiting = event.mask & anyName;
    if (waiting === 0) return;
    const queued = { index: this.#next, event, readNs, waiting, merged: false, unsure: false };
    this.#next += 1;
    this.#held += 1;
    this.#waiting.set(queued.index, queued);
    let thread = this.#threads.get(event.tid);
    if (thread === undefined) this.#threads.set(event.tid, (thread = new Map()));
    const name = nameOf(event.name);
    const register = thread.get(name);
    if (register === undefined) thread.set(name, { events: [queued], head: 0, waiting: 0 });
    else register.events.push(queued);
    this.#note(event.directory, event.name, queued);
    this.#note(event.toDirectory, event.toName, queued);
    if (event.target === undefined || (waiting & givesName) === 0) return;
    const key = keyOf(event.target);
    const named = this.#naming.get(key);
    if (named === undefined) this.#naming.set(key, new Set([queued]));
    else named.add(queued);
  }

  /**
   * The events of a call: one, or the two halves of an exchange. None when the call was on a file system
   * that is not watched.
   */
  claim(call: NameCall, exchange = false): QueuedName[] {
    const thread = this.#threads.get(call.tid);
    if (thread === undefined) return [];
    const first = this.#claimOne(thread, call);
    const second = first === undefined || !exchange ? undefined : this.#claimOne(thread, { ...call, name: call.toName, toName: call.name });
    if (thread.size === 0) this.#threads.delete(call.tid);
    return [first, second].filter((queued) => queued !== undefined);
  }

  #claimOne(thread: Thread, call: NameCall): QueuedName | undefined {
    let best: { readonly queued: QueuedName; readonly name: string; readonly register: Register } | undefined;
    let merged: QueuedName | undefined;
    // Without a name it may be any of the thread's.
    const names = call.name === undefined ? [...thread.keys()] : [nameOf(call.name)];
    for (const name of names) {
      const register = thread.get(name);
      if (register === undefined) continue;
      const queued = firstOf(register.events, register.waiting, call, ({ waiting }) => (waiting & call.bit) !== 0);
      if (queued !== undefined && (best === undefined || queued.index < best.queued.index)) best = { queued, name, register };
      if (best === undefined) merged ??= firstOf(register.events, register.head, call, ({ readNs }) => call.returnedNs <= readNs);
      if (queued === undefined) this.#prune(thread, name, register, call.returnedNs);
    }
    if (best === undefined) {
      // Done before already: it may as well be a call of that name somewhere else.
      if (merged !== undefined) merged.merged = merged.unsure = true;
      return merged;
    }
    const { queued, name, register } = best;
    // Several deeds in one event: from the second on its place in the queue is the first one's.
    if (queued.waiting !== (queued.event.mask & anyName)) {
      queued.merged = true;
      if (this.#isContested(queued)) queued.unsure = true;
    }
    this.#take(queued, call.bit);
    this.#prune(thread, name, register, call.returnedNs);
    return queued;
  }

  #note(directory: InodeKey | undefined, name: Buffer | undefined, { index, event }: QueuedName): void {
    if (directory === undefined || name === undefined) return;
    const key = `${keyOf(directory)}/${nameOf(name)}`;
    const latest = this.#latest.get(key);
    if (latest !== undefined) latest.set(event.tid, index);
    else this.#latest.set(key, new Map([[event.tid, index]]));
    if (this.#latest.size < this.#latestPurge) return;
    let oldest = this.#next;
    for (const thread of this.#threads.values()) for (const { events, head } of thread.values()) oldest = Math.min(oldest, events[head]?.index ?? oldest);
    for (const [each, indexes] of this.#latest) if ([...indexes.values()].every((at) => at < oldest)) this.#latest.delete(each);
    this.#latestPurge = Math.max(latestMin, 2 * this.#latest.size);
  }

  /** Whether another thread changed one of the event's names since the first of its deeds. */
  #isContested({ index, event }: QueuedName): boolean {
    for (const [directory, name] of [[event.directory, event.name], [event.toDirectory, event.toName]] as const) {
      if (directory === undefined || name === undefined) continue;
      for (const [tid, at] of this.#latest.get(`${keyOf(directory)}/${nameOf(name)}`) ?? []) if (tid !== event.tid && at > index) return true;
    }
    return false;
  }

  /** Takes out an event before its call was met: something else needs its effect. */
  take(queued: QueuedName, bit: number): void {
    this.#take(queued, bit);
  }

  /** The event that gave an inode a name and waits. */
  naming(inode: InodeKey): QueuedName | undefined {
    for (const queued of this.#naming.get(keyOf(inode)) ?? []) return queued;
    return undefined;
  }

  /** Takes out, in queue order, what was read before `beforeNs` and has met no call: its calls are not in the stream. */
  takeOrphans(beforeNs: bigint): QueuedName[] {
    const orphans: QueuedName[] = [];
    for (const queued of this.#waiting.values()) {
      if (queued.readNs >= beforeNs) break;
      orphans.push({ ...queued });
      this.#take(queued, queued.waiting);
    }
    for (const [tid, thread] of this.#threads) {
      for (const [name, register] of thread) this.#prune(thread, name, register, beforeNs);
      if (thread.size === 0) this.#threads.delete(tid);
    }
    return orphans;
  }

  #take(queued: QueuedName, bit: number): void {
    const gaveName = (queued.waiting & givesName) !== 0;
    queued.waiting &= ~bit;
    if (queued.waiting === 0) this.#waiting.delete(queued.index);
    const { target } = queued.event;
    if (target === undefined || !gaveName || (queued.waiting & givesName) !== 0) return;
    const key = keyOf(target);
    const named = this.#naming.get(key);
    named?.delete(queued);
    if (named?.size === 0) this.#naming.delete(key);
  }

  /** Forgets events that are claimed and were read before a call of the thread returned: none merged into them since. */
  #prune(thread: Thread, name: string, register: Register, returnedNs: bigint): void {
    const { events } = register;
    while (register.waiting < events.length && events[register.waiting]!.waiting === 0) register.waiting += 1;
    while (register.head < register.waiting && events[register.head]!.readNs < returnedNs) {
      register.head += 1;
      this.#held -= 1;
    }
    if (register.head === events.length) thread.delete(name);
    else if (register.head > 1000 && register.head * 2 > events.length) {
      events.splice(0, register.head);
      register.waiting -= register.head;
      register.head = 0;
    }
  }
}

function nameOf(name: Buffer | undefined): string {
  return name === undefined ? '' : name.toString('latin1');
}

/** The first event from a place on that fits a call. */
function firstOf(events: readonly QueuedName[], from: number, call: NameCall, fits: (queued: QueuedName) => boolean): QueuedName | undefined {
  for (let at = from; at < events.length; at += 1) {
    const queued = events[at]!;
    if ((queued.event.mask & call.bit) !== 0 && isOf(queued.event, call) && fits(queued)) return queued;
  }
  return undefined;
}

function keyOf({ ino, generation, tree }: InodeKey): string {
  return `${ino}:${generation}:${tree}`;
}

function isOf(event: NameEvent, { name, toName }: NameCall): boolean {
  if (name !== undefined && event.name !== undefined && !event.name.equals(name)) return false;
  return toName === undefined || event.toName === undefined || event.toName.equals(toName);
}
