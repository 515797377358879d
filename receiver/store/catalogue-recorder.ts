/**
 * Keeps the catalogue up with what ingest makes durable, a little behind and in batches. Its writes may
 * fail (a full disk): what they would have noted is then read back from the segments, later.
 */
import type { Clock } from '../../native/host/clock.js';
import { asSequence, noSequence, type Change, type Sequence, type TimeNs } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Report } from '../../proto/wire/messages.js';
import type { Catalogue } from './catalogue.js';
import { isCatalogued } from './control-changes.js';
import type { FrameNote } from './journal-tables.js';
import { catchUp } from './rebuild.js';
import type { SegmentStore } from './segment-store.js';

export interface Logger {
  debug(context: object, message: string): void;
  info(context: object, message: string): void;
  warn(context: object, message: string): void;
  error(context: object, message: string): void;
}

export interface CatalogueRecorderOptions {
  readonly catalogue: Catalogue;
  readonly store: Pick<SegmentStore, 'list' | 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly flushMs?: number;
  readonly retryMs?: number;
}

interface Pending {
  readonly journal: JournalId;
  frames: FrameNote[];
  control: Change[];
  durable: { readonly through: Sequence; readonly timeNs: TimeNs } | undefined;
  state: { readonly state: string; readonly message: string } | undefined;
  seen: { readonly connected: boolean; readonly seenNs: TimeNs; readonly platform?: string; readonly agentVersion?: string } | undefined;
  report: Report | undefined;
  /** `behind`: notes were lost or do not follow, so the segments have to be read; while that goes on, newer notes are held. */
  status: 'current' | 'behind' | 'catching-up';
}

/** Notes held between two flushes at most; beyond, they are dropped and read back from the segments. */
const controlHeldMax = 65536;

export class CatalogueRecorder implements AsyncDisposable {
  readonly #options: CatalogueRecorderOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #closing = new AbortController();
  /** How far catching up was tried where damage at the end kept it from getting there. */
  readonly #unreachable = new Map<string, Sequence>();
  #timer: (() => void) | undefined;
  #catchingUp: Promise<void> | undefined;
  #failing = false;

  constructor(options: CatalogueRecorderOptions) {
    this.#options = options;
  }

  durable(journal: JournalId, progress: { readonly through: Sequence; readonly timeNs: TimeNs; readonly frames: readonly FrameNote[]; readonly control: readonly Change[] }): void {
    const pending = this.#of(journal);
    pending.durable = { through: progress.through, timeNs: progress.timeNs };
    if (pending.status !== 'behind') {
      for (const frame of progress.frames) merge(pending.frames, frame);
      for (const change of progress.control) if (isCatalogued(change.body)) pending.control.push(change);
      if (pending.control.length > controlHeldMax) fallBehind(pending);
    }
    this.#schedule();
  }

  state(journal: JournalId, state: { readonly state: string; readonly message: string }): void {
    this.#of(journal).state = state;
    this.#schedule();
  }

  connected(journal: JournalId, { platform, agentVersion }: { readonly platform: string; readonly agentVersion: string }): void {
    this.#of(journal).seen = { connected: true, seenNs: this.#options.clock.wallNs(), platform, agentVersion };
    this.#schedule();
  }

  disconnected(journal: JournalId): void {
    const pending = this.#of(journal);
    pending.seen = { ...pending.seen, connected: false, seenNs: this.#options.clock.wallNs() };
    this.#schedule();
  }

  reported(journal: JournalId, report: Report): void {
    const pending = this.#of(journal);
    pending.report = report;
    pending.seen = { ...pending.seen, connected: true, seenNs: this.#options.clock.wallNs() };
    this.#schedule();
  }

  /** Writes what is held now. Returns once the catalogue holds it, or has failed to take it. */
  async flush(): Promise<void> {
    do {
      this.#write();
      await this.#catchingUp;
    } while (!this.#failing && [...this.#pending.values()].some((pending) => pending.status !== 'current'));
    this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#write();
    this.#closing.abort();
    this.#timer?.();
    this.#timer = undefined;
    await this.#catchingUp;
  }

  #of(journal: JournalId): Pending {
    const key = journal.toString('hex');
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = { journal, frames: [], control: [], durable: undefined, state: undefined, seen: undefined, report: undefined, status: 'current' };
      this.#pending.set(key, pending);
    }
    return pending;
  }

  #schedule(ms = this.#options.flushMs ?? 250): void {
    if (this.#timer !== undefined || this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#write();
    });
  }

  #write(): void {
    let failed = false;
    for (const [key, pending] of this.#pending) {
      try {
        this.#options.catalogue.together(() => this.#writeOne(pending));
        if (pending.status === 'current') this.#pending.delete(key);
        else Object.assign(pending, { state: undefined, seen: undefined, report: undefined });
      } catch (error) {
        // The latest state is small and kept; notes of frames are not, for the segments have them.
        fallBehind(pending);
        failed = true;
        this.#failed(error);
      }
    }
    if (failed) this.#schedule(this.#options.retryMs ?? 5000);
    else {
      if (this.#failing) this.#options.logger.info({}, 'the catalogue takes writes again');
      this.#failing = false;
      if ([...this.#pending.values()].some((pending) => pending.status === 'behind')) this.#startCatchUp();
    }
  }

  #writeOne(pending: Pending): void {
    const { catalogue, clock } = this.#options;
    const { journal, durable, state, seen, report } = pending;
    const nowNs = clock.wallNs();
    if (pending.status === 'current' && pending.frames.length > 0) {
      const through = catalogue.journals.cataloguedThrough(journal);
      // Catching up may have read some of these from the segments already.
      const frames = pending.frames.filter((frame) => frame.lastSequence > through);
      const first = frames[0];
      const rest = first !== undefined && first.firstSequence <= through ? [{ ...first, firstSequence: asSequence(through + 1n) }, ...frames.slice(1)] : frames;
      const control = pending.control.filter((change) => change.sequence > through);
      if (!catalogue.journals.extend({ journal, frames: rest, control })) fallBehind(pending);
    }
    // After a stop the journal may be ahead of the catalogue, without anything new to say so.
    const through = durable?.through ?? noSequence;
    if (pending.status === 'current' && through > catalogue.journals.cataloguedThrough(journal) && through > (this.#unreachable.get(journal.toString('hex')) ?? noSequence)) fallBehind(pending);
    if (durable !== undefined) catalogue.state.putDurable(journal, { ...durable, nowNs });
    if (state !== undefined) catalogue.state.putState(journal, { ...state, nowNs });
    if (report !== undefined) catalogue.state.putReport(journal, report, nowNs);
    if (seen !== undefined) catalogue.access.setConnected(journal, seen);
  }

  #startCatchUp(): void {
    this.#catchingUp ??= this.#catchUp().finally(() => {
      this.#catchingUp = undefined;
    });
  }

  async #catchUp(): Promise<void> {
    const { store, catalogue, logger } = this.#options;
    for (const [key, pending] of [...this.#pending]) {
      if (pending.status !== 'behind') continue;
      const through = pending.durable?.through ?? noSequence;
      pending.status = 'catching-up';
      try {
        const damage = await catchUp({ store, catalogue, journal: pending.journal, through, signal: this.#closing.signal });
        for (const { after, next, fault } of damage) logger.error({ journal: key, after, next, fault }, 'part of a journal cannot be read');
        if (catalogue.journals.cataloguedThrough(pending.journal) < through) this.#unreachable.set(key, through);
        if (statusOf(pending) === 'catching-up') pending.status = 'current';
      } catch (error) {
        fallBehind(pending);
        if (this.#closing.signal.aborted) return;
        this.#failed(error);
      }
    }
    this.#schedule(this.#failing ? (this.#options.retryMs ?? 5000) : undefined);
  }

  #failed(error: unknown): void {
    if (!this.#failing) this.#options.logger.error({ err: error }, 'the catalogue cannot be written; ingest goes on, and it will be brought up to date from the segments');
    this.#failing = true;
  }
}

/** Newer notes may have become too many meanwhile, which the compiler cannot see. */
function statusOf(pending: Pending): Pending['status'] {
  return pending.status;
}

function fallBehind(pending: Pending): void {
  pending.status = 'behind';
  pending.frames = [];
  pending.control = [];
}

/** Segments are what the catalogue lists, so frames of one segment become one note. */
function merge(notes: FrameNote[], frame: FrameNote): void {
  const before = notes[notes.length - 1];
  if (before?.segment === frame.segment && before.lastSequence + 1n === frame.firstSequence) notes[notes.length - 1] = { ...frame, firstSequence: before.firstSequence, firstTimeNs: before.firstTimeNs };
  else notes.push(frame);
}
