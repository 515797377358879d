/** A receiver in memory behind a link that fails as it is told to. */
import type { LinkSession, ReceiverLink } from '../../../agent/transport/link.js';
import { PeerError } from '../../../proto/errors.js';
import { chainFault, readFrame } from '../../../proto/journal/frame.js';
import type { AgentMessage, Hello, ReceiverMessage, Report, Welcome } from '../../../proto/wire/messages.js';
import type { ManualClock } from '../../sim/clock.js';
import { Copy } from '../journal/fixture.js';

export interface Behaviour {
  /** Refuses or fails a connection attempt. */
  connect?: () => PeerError | undefined;
  /** Breaks the link when this frame arrives: before the receiver has it, or after it kept it without saying so. */
  frame?: (index: number) => 'break-before' | 'break-after' | undefined;
  /** Time until a frame is durable; undefined never. */
  durableMs?: () => number | undefined;
  /** Acknowledgements are said this many times. */
  repeats?: () => number;
  /** Time until the link takes the next message. */
  sendMs?: () => number;
  welcome?: Partial<Welcome>;
}

export class FakeReceiver implements ReceiverLink {
  readonly copy = new Copy();
  readonly reports: Report[] = [];
  readonly hellos: Hello[] = [];
  behaviour: Behaviour = {};
  /** The most bytes that were under way at once. */
  windowBytesMost = 0;
  connections = 0;
  framesSeen = 0;
  readonly #clock: ManualClock;
  #current: FakeSession | undefined;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  async connect(hello: Hello, signal: AbortSignal): Promise<LinkSession> {
    await Promise.resolve();
    signal.throwIfAborted();
    this.hellos.push(hello);
    const refusal = this.behaviour.connect?.();
    if (refusal !== undefined) throw refusal;
    this.connections += 1;
    this.#current = new FakeSession(this, this.#clock, this.copy.welcome({ ...this.behaviour.welcome }));
    return this.#current;
  }

  readFrames = this.copy.readFrames;

  /** Says something on the open stream. */
  say(message: ReceiverMessage): void {
    this.#current?.say(message);
  }

  breakNow(error: Error = new PeerError('unavailable', 'the cable was pulled')): void {
    this.#current?.down(error);
  }
}

class FakeSession implements LinkSession {
  readonly welcome: Welcome;
  readonly #receiver: FakeReceiver;
  readonly #clock: ManualClock;
  readonly #inbox: ReceiverMessage[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;
  #underWay: { readonly lastSequence: bigint; readonly bytes: number }[] = [];
  #isSending = false;

  constructor(receiver: FakeReceiver, clock: ManualClock, welcome: Welcome) {
    this.#receiver = receiver;
    this.#clock = clock;
    this.welcome = welcome;
  }

  async send(message: AgentMessage): Promise<void> {
    if (this.#isSending) throw new Error('two sends at once');
    this.#checkUp();
    this.#isSending = true;
    try {
      const waitMs = this.#receiver.behaviour.sendMs?.() ?? 0;
      if (waitMs > 0) await this.#clock.sleep(waitMs);
      this.#checkUp();
      if (message.kind === 'report') this.#receiver.reports.push(message);
      else if (message.kind === 'frame') this.#take(message.frame);
    } finally {
      this.#isSending = false;
    }
  }

  #checkUp(): void {
    if (this.#end !== undefined) throw this.#end.error ?? new PeerError('unavailable', 'ended');
  }

  #take(bytes: Buffer): void {
    const receiver = this.#receiver;
    const { behaviour, copy } = receiver;
    const fate = behaviour.frame?.((receiver.framesSeen += 1) - 1);
    if (fate === 'break-before') return this.down(new PeerError('unavailable', 'broke before the frame'));
    const frame = readFrame(Buffer.from(bytes));
    const { lastSequence } = frame.header;
    this.#underWay.push({ lastSequence, bytes: bytes.byteLength });
    receiver.windowBytesMost = Math.max(receiver.windowBytesMost, this.#underWay.reduce((sum, each) => sum + each.bytes, 0));
    const fault = chainFault(copy.end, frame.header);
    if (fault !== undefined) return this.down(new PeerError('out-of-order', fault));
    copy.frames.push(frame);
    if (fate === 'break-after') return this.down(new PeerError('unavailable', 'broke after the frame'));
    const waitMs = behaviour.durableMs === undefined ? 5 : behaviour.durableMs();
    if (waitMs === undefined) return;
    this.#clock.after(waitMs, () => {
      this.#underWay = this.#underWay.filter((each) => each.lastSequence > lastSequence);
      for (let times = behaviour.repeats?.() ?? 1; times > 0; times -= 1) this.say({ kind: 'durable', through: lastSequence });
    });
  }

  async *messages(): AsyncGenerator<ReceiverMessage> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message !== undefined) yield message;
      else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  say(message: ReceiverMessage): void {
    this.#inbox.push(message);
    this.#wake?.();
  }

  down(error: Error | undefined): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down(undefined);
  }
}
