/**
 * Ships the journal to the receiver: connects, reconciles, sends frames in order within the window,
 * hears what became durable, and starts again after any break with what is not durable yet.
 */
import type { Logger } from 'pino';
import { noSequence, type Sequence, type TimeNs } from '../../proto/change.js';
import { DurabilityError, PeerError } from '../../proto/errors.js';
import { protocolVersion, type AgentMessage, type Hello, type ReceiverState, type VolumeReport, type Welcome } from '../../proto/wire/messages.js';
import type { Clock } from '../../native/host/clock.js';
import type { Random } from '../../native/host/random.js';
import { backoffMs, slowBackoffMs, stableMs } from './backoff.js';
import { failureOf, type ConnectionState, type Failure } from './failure.js';
import type { LinkSession, ReceiverLink } from './link.js';
import { SendWindow } from './send-window.js';

/** A frame as the journal hands it out. */
export interface ShippedFrame {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly bytes: Buffer;
}

/** What shipping needs of the journal. */
export interface ShippedJournal {
  readonly journal: Buffer;
  readonly position: {
    readonly heldFrom: Sequence;
    readonly capturedThrough: Sequence;
    readonly writtenThrough: Sequence;
    readonly capturedTimeNs: TimeNs;
    readonly oldestUndurableNs: TimeNs;
    readonly undurableBytes: number;
    readonly spoolBytes: number;
  };
  /** Decides from the welcome what to do; nothing is sent before. */
  reconcile(options: { readonly welcome: Welcome; readonly readFrames: (after: Sequence) => AsyncIterable<Buffer> }): Promise<{
    readonly verdict: 'follow' | 'resend' | 'fetch' | 'adopt' | 'adopt-fetch' | 'forked' | 'lost';
    readonly message: string;
    readonly after: Sequence;
  }>;
  /** Frames after `after`, then each new one, without end. */
  follow(after: Sequence, signal: AbortSignal): AsyncIterable<ShippedFrame>;
  noteDurable(through: Sequence): void;
  noteApplied(through: Sequence): void;
  /** Whether the receiver is reached and takes frames. */
  noteLink(up: boolean): void;
}

export interface ShipperOptions {
  readonly journal: ShippedJournal;
  readonly link: ReceiverLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  readonly agentVersion: string;
  readonly platform: string;
  /** The volumes as their engines see them now. */
  readonly volumeReports: () => readonly VolumeReport[];
  /** Told what the receiver said at each greeting, once this journal and the receiver's agree. */
  readonly onWelcome?: (welcome: Welcome) => void;
  /** Silence that ends a connection while acknowledgements are due. */
  readonly ackTimeoutMs?: number;
}

export interface ShipperCounters {
  /** Connections after the first. */
  readonly reconnects: number;
  readonly shippedFrames: number;
  readonly shippedBytes: number;
  /** Of those, shipped on an earlier connection already. */
  readonly resentFrames: number;
  readonly resentBytes: number;
}

export interface ShipperStatus {
  readonly state: ConnectionState;
  /** Why, in words; empty while connected. */
  readonly message: string;
  readonly sinceNs: TimeNs;
  /** What the receiver last said about itself on this connection. */
  readonly receiver: { readonly state: ReceiverState['state']; readonly message: string };
  readonly counters: ShipperCounters;
}

const receiverOk = { state: 'ok', message: '' } as const;
const reportIntervalMs = 1000;
const ackTimeoutMsDefault = 30_000;

export class Shipper {
  readonly #options: ShipperOptions;
  #state: ConnectionState = 'stopped';
  #message = '';
  #sinceNs: TimeNs;
  #receiver: ShipperStatus['receiver'] = receiverOk;
  #welcome: Welcome | undefined;
  #sentThrough = noSequence;
  #connections = 0;
  #counters = { shippedFrames: 0, shippedBytes: 0, resentFrames: 0, resentBytes: 0 };

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#sinceNs = options.clock.wallNs();
  }

  get status(): ShipperStatus {
    return { state: this.#state, message: this.#message, sinceNs: this.#sinceNs, receiver: this.#receiver, counters: { reconnects: Math.max(0, this.#connections - 1), ...this.#counters } };
  }

  /** What the receiver said at the latest greeting. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Ships until the signal aborts. Rejects only when the journal is broken (DurabilityError). */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#options;
    let attempt = 0;
    this.#become('connecting', '');
    while (!signal.aborted) {
      const begunMs = clock.monotonicMs();
      const connections = this.#connections;
      const failure = await this.#converse(signal).catch((error: unknown) => {
        this.#become('stopped', (error as Error).message);
        throw error;
      });
      if (signal.aborted) break;
      if (this.#connections > connections && clock.monotonicMs() - begunMs >= stableMs) attempt = 0;
      const waitMs = failure.retry === 'soon' ? backoffMs(attempt, random.fraction()) : slowBackoffMs(random.fraction());
      attempt += 1;
      if (failure.state !== this.#state || failure.message !== this.#message) {
        const deed = failure.state === 'waiting' ? 'warn' : 'error';
        logger[deed]({ state: failure.state, retryMs: waitMs }, `not connected: ${failure.message}`);
      }
      this.#become(failure.state, failure.message);
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
    this.#become('stopped', '');
  }

  /** One connection from greeting to end; says how it ended. */
  async #converse(signal: AbortSignal): Promise<Failure> {
    const ended = new AbortController();
    const abort = (): void => ended.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    let session: LinkSession | undefined;
    const tasks: Promise<void>[] = [];
    try {
      session = await this.#options.link.connect(this.#hello(), ended.signal);
      const { welcome } = session;
      if (welcome.protocolVersion !== protocolVersion) {
        throw new PeerError('invalid', `the receiver speaks version ${welcome.protocolVersion} of the protocol, this agent version ${protocolVersion}: update the older one`);
      }
      this.#welcome = welcome;
      const stop = await this.#reconcile(session, ended.signal);
      if (stop !== undefined) return stop;
      this.#options.onWelcome?.(welcome);
      tasks.push(...this.#ship(session, ended.signal));
      // Whichever ends first, in whatever way, ends the conversation.
      await Promise.race(tasks);
      return failureOf(undefined);
    } catch (error) {
      if (error instanceof DurabilityError) throw error;
      return failureOf(error);
    } finally {
      signal.removeEventListener('abort', abort);
      ended.abort(new PeerError('unavailable', 'the connection ended'));
      this.#receiver = receiverOk;
      this.#options.journal.noteLink(false);
      if (session !== undefined) await this.#end(session);
      await Promise.allSettled(tasks);
    }
  }

  async #reconcile({ welcome }: LinkSession, signal: AbortSignal): Promise<Failure | undefined> {
    const { journal, link } = this.#options;
    const { verdict, message } = await journal.reconcile({ welcome, readFrames: (after) => link.readFrames(after, signal) });
    // Both are tried again at leisure, and without sending anything: a receiver whose data was restored may agree again.
    if (verdict === 'forked') return { state: 'forked', message, retry: 'slowly' };
    if (verdict === 'lost') return { state: 'lost-changes', message, retry: 'slowly' };
    return undefined;
  }

  async #end(session: LinkSession): Promise<void> {
    try {
      await session[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'the connection did not end in order');
    }
  }

  /** Everything that goes on over a connection at the same time. */
  #ship(session: LinkSession, signal: AbortSignal): Promise<void>[] {
    const { clock, journal, logger } = this.#options;
    const { durableThrough, windowBytes } = session.welcome;
    this.#connections += 1;
    this.#become('connected', '');
    logger.info({ durableThrough: String(durableThrough), windowBytes }, 'connected to the receiver');
    journal.noteLink(true);
    const window = new SendWindow({ windowBytes, after: durableThrough, nowMs: () => clock.monotonicMs() });
    const conversation: Conversation = { session, signal, window, heardMs: clock.monotonicMs(), sending: Promise.resolve() };
    return [this.#sendFrames(conversation), this.#hear(conversation), this.#sendReports(conversation), this.#watch(conversation)];
  }

  async #sendFrames(conversation: Conversation): Promise<void> {
    const { window, signal } = conversation;
    for await (const frame of this.#options.journal.follow(window.sentThrough, signal)) {
      const { lastSequence, bytes } = frame;
      await window.whenRoom(bytes.byteLength, signal);
      window.add(lastSequence, bytes.byteLength);
      this.#count(frame);
      await this.#send(conversation, { kind: 'frame', frame: bytes });
    }
  }

  #count({ lastSequence, bytes: { byteLength } }: ShippedFrame): void {
    this.#counters.shippedFrames += 1;
    this.#counters.shippedBytes += byteLength;
    if (lastSequence > this.#sentThrough) this.#sentThrough = lastSequence;
    else {
      this.#counters.resentFrames += 1;
      this.#counters.resentBytes += byteLength;
    }
  }

  async #sendReports(conversation: Conversation): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await this.#send(conversation, this.#report());
      await clock.sleep(reportIntervalMs, conversation.signal);
    }
  }

  /** Frames and reports share the stream: one message at a time, as the link asks. */
  #send(conversation: Conversation, message: AgentMessage): Promise<void> {
    const sent = conversation.sending.then(() => {
      conversation.signal.throwIfAborted();
      return conversation.session.send(message);
    });
    conversation.sending = sent.catch(() => undefined);
    return sent;
  }

  async #hear(conversation: Conversation): Promise<void> {
    const { clock, journal, logger } = this.#options;
    const { window } = conversation;
    for await (const message of conversation.session.messages()) {
      conversation.heardMs = clock.monotonicMs();
      switch (message.kind) {
        case 'durable':
          if (message.through > window.sentThrough) throw new PeerError('out-of-order', `the receiver acknowledged change ${message.through}, but was sent changes up to ${window.sentThrough} only`);
          journal.noteDurable(message.through);
          window.acknowledge(message.through);
          break;
        case 'applied':
          journal.noteApplied(message.through);
          break;
        case 'state': {
          const { state, message: words } = message;
          if (state !== this.#receiver.state) logger.info({ state }, `the receiver says: ${words === '' ? state : words}`);
          this.#receiver = { state, message: words };
          journal.noteLink(state === 'ok');
          break;
        }
        case 'refused':
          throw new PeerError(message.code, message.message);
        case 'welcome':
          throw new PeerError('invalid', 'the receiver greeted twice');
      }
    }
  }

  /** Ends a conversation in which nothing is heard although acknowledgements are due; a receiver that said it has no space may be silent. */
  async #watch(conversation: Conversation): Promise<void> {
    const { clock, ackTimeoutMs = ackTimeoutMsDefault } = this.#options;
    for (;;) {
      await clock.sleep(Math.min(1000, ackTimeoutMs), conversation.signal);
      const { window, heardMs } = conversation;
      const sinceMs = window.waitingSinceMs;
      if (sinceMs === undefined || this.#receiver.state !== 'ok') continue;
      if (clock.monotonicMs() - Math.max(sinceMs, heardMs) >= ackTimeoutMs) throw new PeerError('unavailable', `nothing was heard from the receiver for ${ackTimeoutMs} ms while acknowledgements were due`);
    }
  }

  #hello(): Hello {
    const { journal, agentVersion, platform } = this.#options;
    const { heldFrom, writtenThrough } = journal.position;
    return { kind: 'hello', protocolVersion, journal: journal.journal, agentVersion, platform, heldFrom, capturedThrough: writtenThrough };
  }

  #report(): AgentMessage {
    const { journal, clock, volumeReports } = this.#options;
    const { capturedThrough, capturedTimeNs, oldestUndurableNs, undurableBytes, spoolBytes } = journal.position;
    return { kind: 'report', capturedThrough, capturedTimeNs, oldestUndurableNs, undurableBytes, spoolBytes, sentNs: clock.wallNs(), volumes: volumeReports() };
  }

  #become(state: ConnectionState, message: string): void {
    if (state !== this.#state) this.#sinceNs = this.#options.clock.wallNs();
    this.#state = state;
    this.#message = message;
  }
}

interface Conversation {
  readonly session: LinkSession;
  readonly signal: AbortSignal;
  readonly window: SendWindow;
  heardMs: number;
  sending: Promise<void>;
}
