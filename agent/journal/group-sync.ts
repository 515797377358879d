/**
 * Knows what survives power loss, here or at the receiver, and syncs the spool when it must.
 *
 * A sync costs the application, whose disk it usually is; the receiver's acknowledgement costs it
 * nothing. So while the link is up the receiver is given a moment, and only who still waits then
 * gets a local sync. While it is down the spool is synced once a second, and at once for who waits.
 * One sync serves all who waited when it began.
 */
import type { DurabilityError } from '../../proto/errors.js';
import { noSequence, type Sequence } from '../../proto/change.js';
import type { SegmentLog } from '../../proto/journal/segment-log.js';
import type { Clock } from '../../native/host/clock.js';
import { Waiters } from './waiters.js';

export interface SyncPolicy {
  /** How long the receiver may take, while it is reached, before the spool is synced for those who wait. */
  readonly graceMs: number;
  /** How often the spool is synced while the receiver is not reached. */
  readonly intervalMs: number;
}

export const defaultSyncPolicy: SyncPolicy = { graceMs: 100, intervalMs: 1000 };

export interface SyncFacts {
  /** Something is written that is durable neither here nor there. */
  readonly undurable: boolean;
  readonly linkUp: boolean;
  /** How long somebody has waited for what is written; undefined when nobody does. */
  readonly waitedMs: number | undefined;
  readonly sinceSyncMs: number;
}

export const syncTable: readonly { readonly label: string; readonly when: (facts: SyncFacts) => boolean; readonly waitMs: (facts: SyncFacts, policy: SyncPolicy) => number | undefined }[] = [
  { label: 'all that is written is durable', when: (f) => !f.undurable, waitMs: () => undefined },
  { label: 'somebody waits, and there is no receiver', when: (f) => f.waitedMs !== undefined && !f.linkUp, waitMs: () => 0 },
  { label: 'somebody waits, and the receiver may be faster', when: (f) => f.waitedMs !== undefined, waitMs: (f, p) => Math.max(0, p.graceMs - f.waitedMs!) },
  { label: 'nobody waits, and there is no receiver', when: (f) => !f.linkUp, waitMs: (f, p) => Math.max(0, p.intervalMs - f.sinceSyncMs) },
  { label: 'nobody waits, and the receiver sees to it', when: () => true, waitMs: () => undefined },
];

/** Milliseconds until the spool is to be synced: 0 now, undefined not for these facts. */
export function syncWaitMs(facts: SyncFacts, policy: SyncPolicy): number | undefined {
  return syncTable.find((row) => row.when(facts))?.waitMs(facts, policy);
}

export interface GroupSyncOptions {
  readonly log: () => SegmentLog;
  readonly clock: Clock;
  readonly policy: SyncPolicy;
  /** A sync failed: what was written since the last one may be lost, and the log is broken. */
  readonly failed: (error: DurabilityError) => void;
}

export class GroupSync {
  readonly #options: GroupSyncOptions;
  readonly #waiters = new Waiters();
  readonly #awaited = new Map<object, { readonly through: Sequence; readonly sinceMs: number }>();
  #receiverThrough = noSequence;
  #linkUp = false;
  #lastSyncMs: number;
  #syncing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #isStopped = false;

  constructor(options: GroupSyncOptions) {
    this.#options = options;
    this.#lastSyncMs = options.clock.monotonicMs();
  }

  /** Everything up to here survives power loss, here or at the receiver. */
  get durableThrough(): Sequence {
    const local = this.#options.log().durableThrough;
    return local > this.#receiverThrough ? local : this.#receiverThrough;
  }

  noteReceiver(through: Sequence): void {
    if (through > this.#receiverThrough) this.#receiverThrough = through;
    this.#waiters.check();
    this.plan();
  }

  /** The receiver no longer holds what it acknowledged after `through`: the copies here are the only ones, and are synced now. */
  receiverLost(through: Sequence): void {
    this.#receiverThrough = through;
    void this.sync();
  }

  noteLink(up: boolean): void {
    this.#linkUp = up;
    this.plan();
  }

  async whenDurable(through: Sequence, signal?: AbortSignal): Promise<void> {
    if (through <= this.durableThrough) return;
    const key = {};
    this.#awaited.set(key, { through, sinceMs: this.#options.clock.monotonicMs() });
    try {
      const waiting = this.#waiters.wait(() => through <= this.durableThrough, signal);
      this.plan();
      await waiting;
    } finally {
      this.#awaited.delete(key);
    }
  }

  /** Looks at what is due; to be called whenever something was written. */
  plan(): void {
    if (this.#syncing !== undefined || this.#isStopped) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const waitMs = syncWaitMs(this.#facts(), this.#options.policy);
    if (waitMs === undefined) return;
    if (waitMs === 0) void this.sync();
    else this.#cancelTimer = this.#options.clock.after(waitMs, () => this.plan());
  }

  /** Syncs the spool now, for all who wait. Never rejects: a failure is told to `failed`. */
  sync(): Promise<void> {
    this.#syncing ??= this.#sync().finally(() => {
      this.#syncing = undefined;
      this.#waiters.check();
      this.plan();
    });
    return this.#syncing;
  }

  fail(error: Error): void {
    this.stop();
    this.#waiters.fail(error);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  async #sync(): Promise<void> {
    this.#lastSyncMs = this.#options.clock.monotonicMs();
    try {
      await this.#options.log().sync();
    } catch (error) {
      this.#options.failed(error as DurabilityError);
    }
  }

  #facts(): SyncFacts {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const { writtenThrough } = this.#options.log();
    const { durableThrough } = this;
    let oldestMs: number | undefined;
    for (const { through, sinceMs } of this.#awaited.values()) {
      // What is not written yet no sync can help.
      if (through > durableThrough && through <= writtenThrough && (oldestMs === undefined || sinceMs < oldestMs)) oldestMs = sinceMs;
    }
    return {
      undurable: writtenThrough > durableThrough,
      linkUp: this.#linkUp,
      waitedMs: oldestMs === undefined ? undefined : nowMs - oldestMs,
      sinceSyncMs: nowMs - this.#lastSyncMs,
    };
  }
}
