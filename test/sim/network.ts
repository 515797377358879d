/** A simulated network between one agent and one receiver: slow, unreliable, and at times not there. */
import type { ReceiverLink, LinkSession } from '../../agent/transport/link.js';
import type { Sequence } from '../../proto/change.js';
import { FormatError, PeerError } from '../../proto/errors.js';
import { decodeHeader } from '../../proto/journal/frame.js';
import { frame as frameLayout } from '../../proto/journal/layout.js';
import {
  decodeAgentMessage, decodeFrameMessage, decodeReadFramesRequest, decodeReceiverMessage, encodeAgentMessage, encodeFrameMessage, encodeReadFramesRequest, encodeReceiverMessage,
  type AgentMessage, type Hello, type ReceiverMessage, type Welcome,
} from '../../proto/wire/messages.js';
import type { Chance } from './chance.js';
import { Pipe } from './pipe.js';
import type { CrashKind, SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** How often what goes wrong; all by message but `refuse`, which is by connection. */
export interface NetworkFaults {
  readonly break: number;
  readonly drop: number;
  readonly duplicate: number;
  readonly truncate: number;
  readonly flip: number;
  readonly halfOpen: number;
  readonly refuse: number;
}

export const noNetworkFaults: NetworkFaults = { break: 0, drop: 0, duplicate: 0, truncate: 0, flip: 0, halfOpen: 0, refuse: 0 };

/** What the receiver does with the connections that reach it. */
export interface Serving {
  stream(stream: ServedStream): void;
  readFrames(after: Sequence, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** A stream as the receiver has it. */
export interface ServedStream {
  readonly messages: AsyncIterable<AgentMessage>;
  send(message: ReceiverMessage): Promise<void>;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  end(): void;
}

/** How long a side believes in a dead connection: the keepalive of the real transport. */
const keepaliveUs = 8_000_000;
const connectTimeoutUs = 5_000_000;

const gone = (why: string): PeerError => new PeerError('unavailable', `${why} (simulated)`);

interface Connection {
  readonly up: Pipe;
  readonly down: Pipe;
  /** Both sides learn that it is gone: now for the one that is named, later for the other. */
  breakAt(side: 'both' | 'agent' | 'receiver', error: Error): void;
  sever(): void;
  readonly receiverSignal: AbortSignal;
  onAgentBreak(told: (error: Error) => void): void;
}

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  /** Told which fault fired. */
  readonly fired: (fault: string) => void;
}

export class SimNetwork {
  readonly #options: NetworkOptions;
  readonly #open = new Set<Connection>();
  #receiver: { readonly process: SimProcess; readonly serving: Serving } | undefined;
  faults: NetworkFaults = noNetworkFaults;
  /** Nothing gets through: connections hang, new ones fail. */
  isReachable = true;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** The receiver listens, until its process dies. */
  serve(process: SimProcess, serving: Serving): void {
    const receiver = { process, serving };
    this.#receiver = receiver;
    process.onDeath((kind) => {
      if (this.#receiver === receiver) this.#receiver = undefined;
      this.#die(kind, 'receiver');
    });
  }

  /** The agent's way to the receiver. */
  linkOf(agent: SimProcess): ReceiverLink {
    agent.onDeath((kind) => this.#die(kind, 'agent'));
    return {
      connect: (hello, signal) => this.#connect(agent, hello, signal),
      readFrames: (after, signal) => this.#readFrames(agent, after, signal),
    };
  }

  /** Cuts the path: what is open goes silent, and nobody is told before the keepalive notices. */
  cut(): void {
    this.isReachable = false;
    for (const connection of this.#open) connection.sever();
  }

  /** Breaks everything that is open, so that all begins anew. */
  breakAll(): void {
    for (const connection of [...this.#open]) connection.breakAt('both', gone('the connection was reset'));
  }

  async #connect(agent: SimProcess, hello: Hello, signal: AbortSignal): Promise<LinkSession> {
    const { receiver, connection } = await this.#reach(agent, signal, false);
    const served: ServedStream = {
      messages: decoded(connection.up, decodeAgentMessage, (error) => connection.breakAt('both', error)),
      send: (message) => connection.down.send(encodeReceiverMessage(message)),
      signal: connection.receiverSignal,
      end: () => {
        connection.down.finish();
        connection.up.breakSender(gone('the receiver ended the stream'));
      },
    };
    const messages = decoded(connection.down, decodeReceiverMessage, (error) => connection.breakAt('both', error));
    const broken = new Promise<never>((_, reject) => connection.onAgentBreak(reject));
    broken.catch(() => undefined);
    const aborted = (): void => connection.breakAt('both', signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      receiver.serving.stream(served);
      // Whoever gets no answer gives up some time.
      const cancel = agent.later(connectTimeoutUs, 'connect timeout', () => connection.breakAt('both', gone('no answer')));
      await connection.up.send(encodeAgentMessage(hello));
      const first = await Promise.race([messages.next(), broken]);
      cancel();
      if (first.done === true) throw gone('the stream ended before a welcome');
      if (first.value.kind === 'refused') throw new PeerError(first.value.code, first.value.message);
      if (first.value.kind !== 'welcome') throw new PeerError('invalid', `the receiver said ${first.value.kind} instead of welcome`);
      return this.#session(connection, first.value, messages, () => signal.removeEventListener('abort', aborted));
    } catch (error) {
      signal.removeEventListener('abort', aborted);
      connection.breakAt('both', gone('the agent gave up'));
      signal.throwIfAborted();
      throw error instanceof PeerError ? error : new PeerError('unavailable', (error as Error).message, error);
    }
  }

  #session(connection: Connection, welcome: Welcome, messages: AsyncGenerator<ReceiverMessage>, released: () => void): LinkSession {
    const window = new WindowCheck(welcome.windowBytes, (fault) => this.#options.scheduler.fail(fault));
    return {
      welcome,
      send: (message) => {
        if (message.kind === 'frame') window.sent(message.frame);
        return connection.up.send(encodeAgentMessage(message));
      },
      async *messages() {
        for await (const message of messages) {
          if (message.kind === 'refused') throw new PeerError(message.code, message.message);
          if (message.kind === 'durable') window.acknowledged(message.through);
          yield message;
        }
      },
      async [Symbol.asyncDispose]() {
        released();
        connection.breakAt('both', gone('the agent closed the stream'));
      },
    };
  }

  async *#readFrames(agent: SimProcess, after: Sequence, signal: AbortSignal): AsyncGenerator<Buffer> {
    // What is asked for comes whole and in order, or breaks off.
    const { receiver, connection } = await this.#reach(agent, signal, true);
    const request = encodeReadFramesRequest(after);
    const run = async (): Promise<void> => {
      try {
        for await (const frame of receiver.serving.readFrames(decodeReadFramesRequest(request), connection.receiverSignal)) await connection.down.send(encodeFrameMessage(frame));
        connection.down.finish();
      } catch (error) {
        connection.breakAt('both', error instanceof PeerError ? error : gone((error as Error).message));
      }
    };
    const aborted = (): void => connection.breakAt('both', signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      void run();
      for await (const bytes of connection.down.messages()) yield decodeFrameMessage(bytes);
    } finally {
      signal.removeEventListener('abort', aborted);
      connection.breakAt('both', gone('the agent stopped reading'));
    }
  }

  /** Sets up a connection, which takes a round trip, or fails, which takes as long as it takes. */
  async #reach(agent: SimProcess, signal: AbortSignal, ordered: boolean): Promise<{ readonly receiver: { readonly process: SimProcess; readonly serving: Serving }; readonly connection: Connection }> {
    const { chance } = this.#options;
    signal.throwIfAborted();
    const latencyUs = 50 + chance.fraction() ** 2 * 10_000;
    const isRefused = chance.fraction() < this.faults.refuse;
    if (isRefused) this.#options.fired('connection refused');
    await agent.clock.sleep((this.isReachable ? 2 * latencyUs : connectTimeoutUs) / 1000, signal);
    const receiver = this.#receiver;
    if (receiver === undefined || isRefused || !this.isReachable) throw gone('the receiver cannot be reached');
    return { receiver, connection: this.#establish(agent, receiver.process, latencyUs, ordered) };
  }

  #establish(agent: SimProcess, receiver: SimProcess, latencyUs: number, ordered: boolean): Connection {
    const { scheduler, chance } = this.#options;
    const receiverAbort = new AbortController();
    const agentTold: ((error: Error) => void)[] = [];
    let agentKnows = false;
    let receiverKnows = false;
    const tellAgent = (error: Error): void => {
      if (agentKnows || !agent.isAlive) return;
      agentKnows = true;
      up.breakSender(error);
      down.breakReader(error);
      for (const told of agentTold.splice(0)) told(error);
    };
    const tellReceiver = (error: Error): void => {
      if (receiverKnows || !receiver.isAlive) return;
      receiverKnows = true;
      down.breakSender(error);
      up.breakReader(error);
      receiverAbort.abort(error);
    };
    const breakAt = (side: 'both' | 'agent' | 'receiver', error: Error): void => {
      this.#open.delete(connection);
      const delayUs = latencyUs * (0.5 + chance.fraction());
      // Whose fault it is knows at once; news travels, unless the path is dead.
      const slowUs = up.isSevered ? keepaliveUs : delayUs;
      if (side !== 'receiver') agent.later(0, 'broken', () => tellAgent(error));
      if (side !== 'agent') receiver.later(side === 'both' ? slowUs : 0, 'broken', () => tellReceiver(gone('the connection broke')));
      if (side === 'receiver') agent.later(slowUs, 'broken', () => tellAgent(error));
      if (side === 'agent') receiver.later(slowUs, 'broken', () => tellReceiver(gone('the connection broke')));
    };
    const broken = (error: Error): void => breakAt('both', error);
    const bytesPerMs = chance.pick([200, 2_000, 100_000]);
    const up = new Pipe({ scheduler, chance, label: 'up', latencyUs, bytesPerMs, target: receiver, fate: (bytes) => this.#fate(connection, bytes, flipFrameOfAgent), broken });
    const down = new Pipe({ scheduler, chance, label: 'down', latencyUs, bytesPerMs, target: agent, fate: (bytes) => this.#fate(connection, bytes, undefined, ordered), broken });
    const connection: Connection = {
      up, down, breakAt,
      sever: () => {
        if (up.isSevered) return;
        up.isSevered = down.isSevered = true;
        // Each side finds out by itself, in its own time.
        agent.later(keepaliveUs * (0.2 + chance.fraction()), 'keepalive', () => tellAgent(gone('keepalive')));
        receiver.later(keepaliveUs * (0.2 + chance.fraction()), 'keepalive', () => tellReceiver(gone('keepalive')));
        this.#open.delete(connection);
      },
      receiverSignal: receiverAbort.signal,
      onAgentBreak: (told) => agentTold.push(told),
    };
    this.#open.add(connection);
    return connection;
  }

  #fate(connection: Connection, bytes: Buffer, flip: ((bytes: Buffer, chance: Chance) => Buffer | undefined) | undefined, ordered = false): readonly Buffer[] | 'break' {
    const { chance, fired } = this.#options;
    const { faults } = this;
    let at = chance.fraction();
    const happens = (probability: number): boolean => {
      at -= probability;
      return at < 0 && at >= -probability;
    };
    if (happens(faults.break)) {
      fired('connection breaks');
      return 'break';
    }
    if (happens(faults.drop) && !ordered) {
      fired('message dropped');
      return [];
    }
    if (happens(faults.duplicate) && !ordered) {
      fired('message duplicated');
      return [bytes, bytes];
    }
    if (happens(faults.truncate)) {
      fired('message truncated');
      return [bytes.subarray(0, chance.below(bytes.byteLength))];
    }
    if (happens(faults.flip)) {
      const flipped = flip?.(bytes, chance);
      // The transport's own checksums see to everything but frames, which must see to themselves.
      if (flipped === undefined) return 'break';
      fired('bit flipped');
      return [flipped];
    }
    if (happens(faults.halfOpen)) {
      fired('half-open connection');
      connection.sever();
    }
    return [bytes];
  }

  /** A killed process's connections are reset by its machine; one that lost power says nothing. */
  #die(kind: CrashKind, side: 'agent' | 'receiver'): void {
    for (const connection of [...this.#open]) {
      if (kind === 'kill') connection.breakAt(side, gone(`the ${side} died`));
      else connection.sever();
    }
  }
}

/** Holds a sender to its promise: no more frames under way than the window allows, or a single one. */
class WindowCheck {
  readonly #windowBytes: number;
  readonly #fail: (fault: string) => void;
  #underway: { readonly lastSequence: bigint; readonly bytes: number }[] = [];

  constructor(windowBytes: number, fail: (fault: string) => void) {
    this.#windowBytes = windowBytes;
    this.#fail = fail;
  }

  sent(frame: Buffer): void {
    const { lastSequence } = decodeHeader(frame.subarray(0, frameLayout.length));
    this.#underway.push({ lastSequence, bytes: frame.byteLength });
    const bytes = this.#underway.reduce((sum, sent) => sum + sent.bytes, 0);
    if (this.#underway.length > 1 && bytes > this.#windowBytes) this.#fail(`${bytes} bytes are under way, and the window is ${this.#windowBytes}`);
  }

  acknowledged(through: bigint): void {
    this.#underway = this.#underway.filter((sent) => sent.lastSequence > through);
  }
}

/** Messages as one side reads them; what cannot be decoded breaks the stream, as it does in the real transport. */
async function* decoded<Message>(pipe: Pipe, decode: (bytes: Buffer) => Message, broken: (error: Error) => void): AsyncGenerator<Message> {
  for await (const bytes of pipe.messages()) {
    let message: Message;
    try {
      message = decode(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const refusal = new PeerError('invalid', `a message could not be read: ${error.message}`, error);
      broken(refusal);
      throw refusal;
    }
    yield message;
  }
}

/** One bit of a frame inverted, in an otherwise good message. */
function flipFrameOfAgent(bytes: Buffer, chance: Chance): Buffer | undefined {
  const message = decodeAgentMessage(bytes);
  if (message.kind !== 'frame') return undefined;
  const frame = Buffer.from(message.frame);
  const at = chance.below(frame.byteLength);
  frame[at] = frame[at]! ^ (1 << chance.below(8));
  return encodeAgentMessage({ kind: 'frame', frame });
}
