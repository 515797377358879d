/** One direction of a connection: messages arrive in order, late, and sometimes otherwise than they were sent. */
import { PeerError } from '../../proto/errors.js';
import type { Chance } from './chance.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** What a message suffers on its way: nothing, or one of these. */
export type MessageFate = 'pass' | 'drop' | 'duplicate' | 'truncate' | 'flip' | 'break';

export interface PipeOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly label: string;
  readonly latencyUs: number;
  readonly bytesPerMs: number;
  readonly target: SimProcess;
  /** Decides for each message; may give other bytes in its place. */
  readonly fate: (bytes: Buffer) => readonly Buffer[] | 'break';
  /** The connection is to break for both sides. */
  readonly broken: (error: Error) => void;
}

/** Bytes under way or unread after which a sender waits. */
const highWaterBytes = 64 * 1024;

interface Reader {
  readonly resolve: (result: IteratorResult<Buffer, undefined>) => void;
  readonly reject: (error: Error) => void;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #arrived: Buffer[] = [];
  readonly #drained: (() => void)[] = [];
  #heldBytes = 0;
  #lastArrivalUs = 0;
  #reader: Reader | undefined;
  /** Nothing leaves any more. */
  #sendError: Error | undefined;
  /** Nothing arrives any more: `undefined` while it does, `null` for an orderly end. */
  #end: Error | null | undefined;
  #rejectSenders: ((error: Error) => void)[] = [];
  /** The path is dead although nobody was told: what is sent goes nowhere. */
  isSevered = false;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /** Bytes that the target has not read. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  send(bytes: Buffer): Promise<void> {
    if (this.#sendError !== undefined) return Promise.reject(this.#sendError);
    this.#heldBytes += bytes.byteLength;
    const fate = this.#options.fate(bytes);
    if (fate === 'break') this.#options.broken(new PeerError('unavailable', 'the connection broke (simulated)'));
    else if (!this.isSevered) {
      this.#heldBytes -= bytes.byteLength;
      for (const message of fate) this.#depart(message);
    }
    if (this.#sendError !== undefined) return Promise.reject(this.#sendError);
    if (this.#heldBytes <= highWaterBytes) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const drained = (): void => {
        this.#rejectSenders = this.#rejectSenders.filter((known) => known !== reject);
        resolve();
      };
      this.#drained.push(drained);
      this.#rejectSenders.push(reject);
    });
  }

  /** The sender says no more; what is under way still arrives. */
  finish(): void {
    if (this.#sendError !== undefined) return;
    this.#sendError = new PeerError('unavailable', 'this side ended the stream');
    if (!this.isSevered) this.#arrive('end', () => this.#endWith(null));
  }

  /** The sender learns that the connection is gone. */
  breakSender(error: Error): void {
    this.#sendError ??= error;
    const waiting = this.#rejectSenders;
    this.#rejectSenders = [];
    this.#drained.length = 0;
    for (const reject of waiting) reject(error);
  }

  /** The reader learns that the connection is gone; what had arrived is lost with it. */
  breakReader(error: Error): void {
    this.#arrived.length = 0;
    this.#endWith(error);
  }

  async *messages(): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const next = await this.#next();
      if (next.done === true) return undefined;
      yield next.value;
    }
  }

  #next(): Promise<IteratorResult<Buffer, undefined>> {
    const bytes = this.#arrived.shift();
    if (bytes !== undefined) {
      this.#release(bytes.byteLength);
      return Promise.resolve({ done: false, value: bytes });
    }
    if (this.#end === null) return Promise.resolve({ done: true, value: undefined });
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  #depart(message: Buffer): void {
    this.#heldBytes += message.byteLength;
    this.#arrive(`${message.byteLength} bytes`, () => {
      if (this.#end !== undefined || this.isSevered) return;
      this.#arrived.push(message);
      const reader = this.#reader;
      this.#reader = undefined;
      if (reader !== undefined) {
        const bytes = this.#arrived.shift()!;
        this.#release(bytes.byteLength);
        reader.resolve({ done: false, value: bytes });
      }
    });
    this.#lastArrivalUs += message.byteLength / this.#options.bytesPerMs;
  }

  #arrive(what: string, run: () => void): void {
    const { scheduler, chance, label, latencyUs, target } = this.#options;
    const atUs = Math.max(this.#lastArrivalUs, scheduler.nowUs + latencyUs * (0.5 + chance.fraction())) + 1;
    this.#lastArrivalUs = atUs;
    scheduler.schedule(atUs - scheduler.nowUs, `${label} ${what}`, () => {
      if (target.isAlive) run();
    });
  }

  #release(bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#heldBytes > highWaterBytes) return;
    for (const drained of this.#drained.splice(0)) drained();
  }

  #endWith(end: Error | null): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    if (end === null) reader.resolve({ done: true, value: undefined });
    else reader.reject(end);
  }
}
