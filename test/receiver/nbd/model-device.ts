/** A device in memory with holes, as the tests know it to be; and a server on it. */
import type { Test } from 'tap';
import { systemClock, type Clock } from '../../../native/host/clock.js';
import type { ByteRange } from '../../../proto/change.js';
import type { AllocationPart, BlockPart, BlockSource, BlockTarget, Logger } from '../../../receiver/nbd/parts.js';
import { NbdServer, type NbdServerOptions } from '../../../receiver/nbd/server.js';
import type { Dice } from '../recovery/dice.js';

export type State = AllocationPart['state'];

export class ModelDevice implements BlockSource {
  readonly bytes: Buffer;
  /** Of each byte: 0 hole, 1 data, 2 zero. */
  readonly states: Uint8Array;
  /** Parts that were handed out. */
  parts = 0;
  /** Reads that were begun and neither ended nor given up. */
  reading = 0;
  /** Called before each part; may wait or throw. */
  beforePart: (offset: number) => Promise<void> | void = () => undefined;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.states = new Uint8Array(sizeBytes);
  }

  get sizeBytes(): number {
    return this.bytes.byteLength;
  }

  write(offset: number, data: Buffer): void {
    data.copy(this.bytes, offset);
    this.states.fill(1, offset, offset + data.byteLength);
  }

  clear({ offset, length }: ByteRange, state: 'zero' | 'hole'): void {
    this.bytes.fill(0, offset, offset + length);
    this.states.fill(state === 'zero' ? 2 : 0, offset, offset + length);
  }

  /** Random data, zeroes and holes, long and short. */
  scatter(dice: Dice, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const offset = dice.below(this.sizeBytes);
      const length = Math.min(this.sizeBytes - offset, 1 + dice.below(dice.pick([100, 5000, 200_000])));
      if (dice.chance(0.2)) this.clear({ offset, length }, dice.pick(['zero', 'hole']));
      else this.write(offset, Buffer.alloc(length, dice.bytes(Math.min(length, 997))));
    }
  }

  async *read(range: ByteRange, signal: AbortSignal): AsyncGenerator<BlockPart, void, undefined> {
    this.reading += 1;
    try {
      for (const { offset, length, state } of this.runs(range)) {
        await this.beforePart(offset);
        signal.throwIfAborted();
        this.parts += 1;
        yield { offset, length, content: state === 'data' ? this.bytes.subarray(offset, offset + length) : state };
      }
    } finally {
      this.reading -= 1;
    }
  }

  async *allocation(range: ByteRange, signal: AbortSignal): AsyncGenerator<AllocationPart, void, undefined> {
    for (const run of this.runs(range)) {
      signal.throwIfAborted();
      yield run;
    }
  }

  *runs({ offset, length }: ByteRange): Generator<AllocationPart, void, undefined> {
    const end = offset + length;
    for (let at = offset; at < end; ) {
      let to = at + 1;
      while (to < end && to - at < 300_000 && this.states[to] === this.states[at]) to += 1;
      yield { offset: at, length: to - at, state: (['hole', 'data', 'zero'] as const)[this.states[at] as 0 | 1 | 2] };
      at = to;
    }
  }
}

export interface Logged {
  readonly level: string;
  readonly context: object;
  readonly message: string;
}

export class MemoryLogger implements Logger {
  readonly lines: Logged[] = [];
  #note(level: string) {
    return (context: object, message: string): void => void this.lines.push({ level, context, message });
  }
  readonly debug = this.#note('debug');
  readonly info = this.#note('info');
  readonly warn = this.#note('warn');
  readonly error = this.#note('error');

  /** What was said that a person should see. */
  get complaints(): string[] {
    return this.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ message, context }) => `${message} ${String((context as { err?: unknown }).err ?? '')}`.trim());
  }
}

export interface Served {
  readonly server: NbdServer;
  readonly logger: MemoryLogger;
}

/** A server that ends with the test. */
export async function serve(t: Pick<Test, 'teardown'>, device: BlockSource, options: Partial<NbdServerOptions> & { readonly clock?: Clock; readonly target?: BlockTarget } = {}): Promise<Served> {
  const logger = new MemoryLogger();
  const { target, ...rest } = options;
  const server = await NbdServer.listen({ exported: { name: 'disk', description: 'a model', device, ...(target === undefined ? {} : { target }) }, listen: { host: '127.0.0.1', port: 0 }, clock: systemClock, logger, ...rest });
  t.teardown(() => server[Symbol.asyncDispose]());
  return { server, logger };
}

/** Resolves once `holds`; what is waited for always comes. */
export async function until(holds: () => boolean): Promise<void> {
  for (const endMs = performance.now() + 20_000; !holds(); ) {
    if (performance.now() > endMs) throw new Error(`waited in vain for ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
