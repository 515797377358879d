/** What a stream still has to tell its agent: of each kind only the latest, so that a slow link holds no more than that. */
import type { ReceiverMessage } from '../../proto/wire/messages.js';

type Told = Exclude<ReceiverMessage['kind'], 'welcome' | 'refused'>;

export class Outbox {
  readonly #send: (message: ReceiverMessage) => Promise<void>;
  readonly #waiting = new Map<Told, ReceiverMessage>();
  #sending: Promise<void> | undefined;
  #failure: unknown;
  #open = false;
  readonly #failed: (error: unknown) => void;

  /** `failed` is called once, when sending fails: the stream is dead then. */
  constructor(options: { readonly send: (message: ReceiverMessage) => Promise<void>; readonly failed: (error: unknown) => void }) {
    this.#send = options.send;
    this.#failed = options.failed;
  }

  /** From now on what is put is sent; the welcome goes first. */
  async begin(welcome: ReceiverMessage): Promise<void> {
    await this.#send(welcome);
    this.#open = true;
    this.#start();
  }

  put(message: ReceiverMessage & { readonly kind: Told }): void {
    // Sent in the order in which kinds began to wait: a full disk is told after what became durable before it.
    this.#waiting.set(message.kind, message);
    this.#start();
  }

  /** Sends the last message, after what is on its way. */
  async end(message: ReceiverMessage): Promise<void> {
    this.#open = false;
    await this.#sending;
    if (this.#failure === undefined) await this.#send(message);
  }

  #start(): void {
    if (!this.#open || this.#sending !== undefined || this.#failure !== undefined) return;
    this.#sending = this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    // Whatever happens within the same turn of the loop is told once.
    await undefined;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#send(next);
    } catch (error) {
      this.#failure = error;
      this.#waiting.clear();
    }
    this.#sending = undefined;
    if (this.#failure !== undefined) this.#failed(this.#failure);
  }

  #take(): ReceiverMessage | undefined {
    if (!this.#open) return undefined;
    for (const [kind, message] of this.#waiting) {
      this.#waiting.delete(kind);
      return message;
    }
    return undefined;
  }
}
