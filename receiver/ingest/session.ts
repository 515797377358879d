/** The conversation over one stream: hello, welcome, then frames and reports in, and what became of them out. */
import type { Clock } from '../../native/host/clock.js';
import { noSequence, type Sequence } from '../../proto/change.js';
import { FormatError, PeerError } from '../../proto/errors.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { protocolVersion, type AgentMessage, type Hello, type ReceiverMessage } from '../../proto/wire/messages.js';
import type { FrameSource, HostJournal, Standing } from './host-journal.js';
import { Outbox } from './outbox.js';
import type { IngestObserver, Logger } from './parts.js';

export interface SessionOptions {
  /** Name of the host that the peer was identified as. */
  readonly host: string;
  readonly journal: HostJournal;
  readonly incoming: AsyncIterable<AgentMessage>;
  /** Resolves when another message may follow; rejects once the stream is down. */
  readonly send: (message: ReceiverMessage) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: IngestObserver;
  /** What the replica had applied when the stream began, and the way to hear of more; returns how to stop. */
  readonly applied?: AppliedFeed;
  /** Ends the session; a PeerError as its reason is what the agent is told. */
  readonly signal: AbortSignal;
  /** A stream that is silent for so long is dead: agents report about once a second. */
  readonly idleMs?: number;
}

export interface AppliedFeed {
  through(journal: JournalId): Sequence;
  subscribe(journal: JournalId, applied: (through: Sequence) => void): () => void;
}

const idleMsDefault = 60_000;

/**
 * Serves until the agent ends the stream. Throws PeerError, after telling the agent in a last message,
 * when the receiver ends it: what is not acknowledged by then the agent sends again.
 */
export async function serveSession(options: SessionOptions): Promise<void> {
  const session = new Session(options);
  await session.serve();
}

class Session implements FrameSource {
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  /** Why the session is over, once it is. */
  #endReason: { readonly reason: unknown } | undefined;
  /** Interrupts what the session waits for. */
  #interrupt: ((reason: unknown) => void) | undefined;
  #heardMs: number;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#outbox = new Outbox({ send: options.send, failed: (error) => this.#endNow(new StreamDown(error)) });
    this.#heardMs = options.clock.monotonicMs();
  }

  durable(through: Sequence): void {
    this.#outbox.put({ kind: 'durable', through });
  }

  state(state: Standing['state']): void {
    this.#outbox.put({ kind: 'state', ...state });
  }

  dropped(reason: PeerError): void {
    this.#endNow(reason);
  }

  async serve(): Promise<void> {
    const { signal, clock, idleMs = idleMsDefault, incoming } = this.#options;
    const aborted = (): void => this.#endNow(signal.reason instanceof PeerError ? signal.reason : new PeerError('unavailable', 'the receiver is shutting down'));
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    const stopWatch = clock.every(idleMs / 4, () => {
      if (clock.monotonicMs() - this.#heardMs >= idleMs) this.#endNow(new PeerError('unavailable', `nothing was heard for ${idleMs / 1000} s`));
    });
    const messages = incoming[Symbol.asyncIterator]();
    try {
      await this.#converse(messages);
    } catch (error) {
      if (error instanceof StreamDown) {
        this.#options.logger.debug({ host: this.#options.host, err: error.cause }, 'the stream broke');
        return;
      }
      const refusal = refusalOf(error);
      await this.#tell(refusal);
      throw refusal;
    } finally {
      stopWatch();
      signal.removeEventListener('abort', aborted);
      this.#ended = true;
      this.#options.journal.detach(this);
      // Not waited for: an iterator in the middle of a read ends only with its stream.
      void Promise.resolve(messages.return?.()).catch(() => undefined);
    }
  }

  async #converse(messages: AsyncIterator<AgentMessage>): Promise<void> {
    const { host, journal, observer, logger, applied } = this.#options;
    const hello = await this.#next(messages);
    if (hello === undefined) return;
    checkHello(hello, host, journal.journal);
    const standing = await this.#either(this.#attach());
    observer.connected(journal.journal, { platform: hello.platform, agentVersion: hello.agentVersion });
    const unsubscribe = applied?.subscribe(journal.journal, (through) => this.#outbox.put({ kind: 'applied', through }));
    try {
      if (hello.heldFrom > standing.durableThrough + 1n) {
        logger.warn({ host, heldFrom: hello.heldFrom, durableThrough: standing.durableThrough }, 'the agent no longer holds what follows the durable end of its journal');
      }
      logger.info({ host, durableThrough: standing.durableThrough, capturedThrough: hello.capturedThrough, agentVersion: hello.agentVersion }, 'host connected');
      await this.#either(this.#outbox.begin(this.#welcome(standing)));
      if (standing.state.state !== 'ok') this.state(standing.state);
      for (let message = await this.#next(messages); message !== undefined; message = await this.#next(messages)) {
        if (message.kind === 'frame') journal.accept(this, message.frame);
        else if (message.kind === 'report') observer.reported(journal.journal, message);
        else throw new PeerError('invalid', 'a second hello on one stream');
      }
    } finally {
      unsubscribe?.();
      journal.detach(this);
      // Another stream of the same host may have taken over already.
      if (!journal.fed) observer.disconnected(journal.journal);
      logger.info({ host, durableThrough: journal.durableThrough }, 'host disconnected');
    }
  }

  async #attach(): Promise<Standing> {
    const { host, journal } = this.#options;
    const standing = await journal.attach(this, `host ${host}`);
    // The session may have ended while it waited for the one before.
    if (this.#ended) journal.detach(this);
    return standing;
  }

  #welcome(standing: Standing): ReceiverMessage {
    const { journal, applied } = this.#options;
    return {
      kind: 'welcome',
      protocolVersion,
      durableThrough: standing.durableThrough,
      digest: standing.digest,
      lastTimeNs: standing.lastTimeNs,
      appliedThrough: applied?.through(journal.journal) ?? noSequence,
      windowBytes: journal.windowBytes,
      lastVolume: standing.lastVolume,
      liveVolumes: standing.liveVolumes,
    };
  }

  /** The next message; undefined at the end of the stream. */
  async #next(messages: AsyncIterator<AgentMessage>): Promise<AgentMessage | undefined> {
    let step: IteratorResult<AgentMessage>;
    try {
      step = await this.#either(messages.next());
    } catch (error) {
      if (error instanceof PeerError || error instanceof FormatError || error instanceof StreamDown) throw error;
      throw new StreamDown(error);
    }
    this.#heardMs = this.#options.clock.monotonicMs();
    return step.done === true ? undefined : step.value;
  }

  #endNow(reason: unknown): void {
    this.#endReason ??= { reason };
    this.#interrupt?.(this.#endReason.reason);
  }

  /**
   * Waits, but not past the end of the session. One wait at a time, and none is left behind: racing each
   * message against one promise that lives as long as the session would keep every message alive.
   */
  #either<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#interrupt = reject;
      if (this.#endReason !== undefined) reject(this.#endReason.reason);
      work.then(resolve, reject).finally(() => {
        if (this.#interrupt === reject) this.#interrupt = undefined;
      });
    });
  }

  async #tell(refusal: PeerError): Promise<void> {
    // An agent that does not read must not keep the session from ending.
    const patience = new AbortController();
    const told = this.#outbox.end({ kind: 'refused', code: refusal.code, message: refusal.message });
    const waited = this.#options.clock.sleep(tellMsMax, patience.signal);
    try {
      await Promise.race([told, waited]);
    } catch (error) {
      this.#options.logger.debug({ host: this.#options.host, err: error }, 'the agent could not be told why its stream ends');
    } finally {
      patience.abort();
      waited.catch(() => undefined);
      told.catch(() => undefined);
    }
  }
}

const tellMsMax = 2000;

/** The stream is gone, so there is nobody to tell. */
class StreamDown extends Error {
  constructor(cause: unknown) {
    super('the stream is down', { cause });
  }
}

function checkHello(message: AgentMessage, host: string, journal: JournalId): asserts message is Hello {
  if (message.kind !== 'hello') throw new PeerError('invalid', `the first message of a stream must be a hello, not a ${message.kind}`);
  if (message.protocolVersion !== protocolVersion) {
    throw new PeerError('invalid', `the agent speaks protocol version ${message.protocolVersion} and this receiver version ${protocolVersion}: bring the older of the two up to date`);
  }
  if (!message.journal.equals(journal)) {
    throw new PeerError('forbidden', `this certificate belongs to host ${host}, whose journal is ${journal.toString('hex')}, not ${message.journal.toString('hex')}: enrol this machine under a name of its own`);
  }
}

function refusalOf(error: unknown): PeerError {
  if (error instanceof PeerError) return error;
  if (error instanceof FormatError) return new PeerError('invalid', error.message, error);
  return new PeerError('unavailable', 'the receiver failed to serve this stream; try again', error);
}
