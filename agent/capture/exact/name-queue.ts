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

/** Events of one thread in the order they were queued; those before `head` are done with. */
interface Thread {
  readonly events: QueuedName[];
  head: number;
}

export class NameQueue {
  readonly #threads = new Map<number, Thread>();
  /** What waits and gave an inode a name, by inode. */
  readonly #naming = new Map<string, QueuedName[]>();
  /** All that waits, in queue order. */
  readonly #waiting = new Map<number, QueuedName>();
  #next = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** The least index that waits; Infinity when nothing does. */
  get firstWaiting(): number {
    for (const index of this.#waiting.keys()) return index;
    return Infinity;
  }

  add(event: NameEvent, readNs: bigint): void {
    const waiting = event.mask & anyName;
    if (waiting === 0) return;
    const queued = { index: this.#next, event, readNs, waiting, merged: false };
    this.#next += 1;
    this.#waiting.set(queued.index, queued);
    const thread = this.#threads.get(event.tid);
    if (thread === undefined) this.#threads.set(event.tid, { events: [queued], head: 0 });
    else thread.events.push(queued);
    if (event.target === undefined || (waiting & givesName) === 0) return;
    const key = keyOf(event.target);
    const named = this.#naming.get(key);
    if (named === undefined) this.#naming.set(key, [queued]);
    else named.push(queued);
  }

  /**
   * The events of a call: one, or the two halves of an exchange. None when the call was on a file system
   * that is not watched.
   */
  claim(call: NameCall, exchange = false): QueuedName[] {
    const thread = this.#threads.get(call.tid);
    if (thread === undefined) return [];
    const first = this.#claimOne(thread, call);
    this.#prune(call.tid, thread, call.returnedNs);
    if (first === undefined || !exchange) return first === undefined ? [] : [first];
    const second = this.#claimOne(thread, { ...call, name: call.toName, toName: call.name });
    this.#prune(call.tid, thread, call.returnedNs);
    return second === undefined ? [first] : [first, second];
  }

  #claimOne({ events, head }: Thread, call: NameCall): QueuedName | undefined {
    let merged: QueuedName | undefined;
    for (let at = head; at < events.length; at += 1) {
      const queued = events[at]!;
      if ((queued.event.mask & call.bit) === 0 || !isOf(queued.event, call)) continue;
      if ((queued.waiting & call.bit) !== 0) {
        // Several deeds in one event: from the second on its place in the queue is the first one's.
        if (queued.waiting !== (queued.event.mask & anyName)) queued.merged = true;
        this.#take(queued, call.bit);
        return queued;
      }
      if (call.returnedNs <= queued.readNs) merged ??= queued;
    }
    if (merged !== undefined) merged.merged = true;
    return merged;
  }

  /** Takes out an event before its call was met: something else needs its effect. */
  take(queued: QueuedName, bit: number): void {
    this.#take(queued, bit);
  }

  /** The event that gave an inode a name and waits. */
  naming(inode: InodeKey): QueuedName | undefined {
    return this.#naming.get(keyOf(inode))?.[0];
  }

  /** Takes out, in queue order, what was read before `beforeNs` and has met no call: its calls are not in the stream. */
  takeOrphans(beforeNs: bigint): QueuedName[] {
    const orphans: QueuedName[] = [];
    for (const queued of this.#waiting.values()) {
      if (queued.readNs >= beforeNs) break;
      orphans.push({ ...queued });
      this.#take(queued, queued.waiting);
    }
    for (const [tid, thread] of this.#threads) this.#prune(tid, thread, beforeNs);
    return orphans;
  }

  #take(queued: QueuedName, bit: number): void {
    const gaveName = (queued.waiting & givesName) !== 0;
    queued.waiting &= ~bit;
    if (queued.waiting === 0) this.#waiting.delete(queued.index);
    const { target } = queued.event;
    if (target === undefined || !gaveName || (queued.waiting & givesName) !== 0) return;
    const key = keyOf(target);
    const left = this.#naming.get(key)?.filter((other) => other !== queued) ?? [];
    if (left.length === 0) this.#naming.delete(key);
    else this.#naming.set(key, left);
  }

  /** Forgets events that are claimed and were read before a call of the thread returned: none merged into them since. */
  #prune(tid: number, thread: Thread, returnedNs: bigint): void {
    const { events } = thread;
    while (thread.head < events.length && events[thread.head]!.waiting === 0 && events[thread.head]!.readNs < returnedNs) thread.head += 1;
    if (thread.head === events.length) this.#threads.delete(tid);
    else if (thread.head > 1000 && thread.head * 2 > events.length) {
      events.splice(0, thread.head);
      thread.head = 0;
    }
  }
}

function keyOf({ ino, generation, tree }: InodeKey): string {
  return `${ino}:${generation}:${tree}`;
}

function isOf(event: NameEvent, { name, toName }: NameCall): boolean {
  if (name !== undefined && event.name !== undefined && !event.name.equals(name)) return false;
  return toName === undefined || event.toName === undefined || event.toName.equals(toName);
}
