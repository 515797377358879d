/** Accepts the streams of all hosts: one journal each, opened when first needed. */
import type { Clock } from '../../native/host/clock.js';
import type { Sequence } from '../../proto/change.js';
import { PeerError } from '../../proto/errors.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { AgentMessage, ReceiverMessage } from '../../proto/wire/messages.js';
import { HostJournal } from './host-journal.js';
import type { FrameStore, IngestObserver, Logger, Space } from './parts.js';
import { serveSession, type AppliedFeed } from './session.js';

export interface IngestOptions {
  readonly store: FrameStore;
  readonly space: () => Promise<Space>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: IngestObserver;
  /** The last sequence known to have been durable; 0 where nothing is known. */
  readonly durableFloor: (journal: JournalId) => Sequence;
  readonly knownVolumes: (journal: JournalId) => Promise<{ readonly lastVolume: number; readonly liveVolumes: readonly number[] }>;
  readonly applied?: AppliedFeed;
  readonly windowBytes?: number;
  readonly reserveBytes?: number;
  readonly retryMs?: number;
  readonly idleMs?: number;
}

export interface Stream {
  /** The host that the peer was identified as, and the journal that it was given. */
  readonly host: string;
  readonly journal: JournalId;
  readonly incoming: AsyncIterable<AgentMessage>;
  readonly send: (message: ReceiverMessage) => Promise<void>;
  readonly signal: AbortSignal;
}

export class Ingest implements AsyncDisposable {
  readonly #options: IngestOptions;
  readonly #journals = new Map<string, Promise<HostJournal>>();
  readonly #closing = new AbortController();

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /** Opens a journal, or returns the one that is open. Throws FormatError when its end cannot be told. */
  open(journal: JournalId): Promise<HostJournal> {
    if (this.#closing.signal.aborted) return Promise.reject(new PeerError('unavailable', 'the receiver is shutting down'));
    const key = journal.toString('hex');
    let open = this.#journals.get(key);
    if (open === undefined) {
      const { durableFloor, knownVolumes, ...rest } = this.#options;
      // What fails is forgotten, so that the next stream tries again.
      open = (async () => HostJournal.open({ ...rest, journal, durableFloor: durableFloor(journal), knownVolumes: () => knownVolumes(journal) }))();
      this.#journals.set(key, open);
      open.catch(() => this.#journals.delete(key));
    }
    return open;
  }

  /** The durable end of a journal that is open; undefined otherwise. */
  async durableThrough(journal: JournalId): Promise<Sequence | undefined> {
    return (await this.#journals.get(journal.toString('hex')))?.durableThrough;
  }

  /** Serves one stream to its end; see serveSession. */
  async serve({ host, journal, incoming, send, signal }: Stream): Promise<void> {
    const { clock, logger, observer, applied, idleMs } = this.#options;
    let opened: HostJournal;
    try {
      opened = await this.open(journal);
    } catch (error) {
      logger.error({ host, journal: journal.toString('hex'), err: error }, 'a journal cannot be opened');
      const refusal = error instanceof PeerError ? error : new PeerError('unavailable', `the receiver cannot open the journal of host ${host}: ${(error as Error).message}`, error);
      await send({ kind: 'refused', code: refusal.code, message: refusal.message }).catch(() => undefined);
      throw refusal;
    }
    await serveSession({
      host, journal: opened, incoming, send, clock, logger, observer, signal: AbortSignal.any([signal, this.#closing.signal]),
      ...(applied === undefined ? {} : { applied }), ...(idleMs === undefined ? {} : { idleMs }),
    });
  }

  /** Ends all streams; what was accepted becomes durable where it can. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const open of [...this.#journals.values()]) {
      const journal = await open.catch(() => undefined);
      await journal?.[Symbol.asyncDispose]();
    }
    this.#journals.clear();
  }
}
