/** Runs a simulated world: one event at a time, in virtual time, in an order that the seed decides. */
import { Chance } from './chance.js';

/** What went wrong in a simulation, with what it takes to see it again. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

interface Event {
  readonly atUs: number;
  /** Orders events of the same instant. */
  readonly tie: number;
  readonly label: string;
  readonly run: () => void;
  cancelled: boolean;
}

const traceLinesMax = 400;

export class Scheduler {
  readonly seed: number;
  readonly chance: Chance;
  readonly #heap: Event[] = [];
  readonly #order: Chance;
  readonly #trace: string[] = [];
  #nowUs = 0;
  #events = 0;
  #hash = 0x811c9dc5;
  #failure: SimulationFailure | undefined;

  constructor(seed: number) {
    this.seed = seed;
    this.chance = new Chance(seed);
    this.#order = this.chance.fork();
  }

  /** Microseconds since the world began. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get eventCount(): number {
    return this.#events;
  }

  /** A digest of all that happened: two runs of one seed must have the same. */
  get traceHash(): number {
    return this.#hash >>> 0;
  }

  /** Runs `run` after a delay. Returns what cancels it. */
  schedule(delayUs: number, label: string, run: () => void): () => void {
    const event: Event = { atUs: this.#nowUs + Math.max(0, Math.round(delayUs)), tie: this.#order.fraction(), label, run, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Notes what happened, for the hash and for the tail that a failure shows. */
  note(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193);
    this.#trace.push(`${(this.#nowUs / 1000).toFixed(3)} ms  ${text}`);
    if (this.#trace.length > 2 * traceLinesMax) this.#trace.splice(0, traceLinesMax);
  }

  /** Ends the run with a failure. The first one counts: what follows is often only its consequence. */
  fail(fault: string, cause?: unknown): SimulationFailure {
    this.#failure ??= new SimulationFailure(fault, { cause });
    return this.#failure;
  }

  get failure(): SimulationFailure | undefined {
    return this.#failure;
  }

  traceTail(lines = 60): string {
    return this.#trace.slice(-lines).join('\n');
  }

  /**
   * Runs events until `goal` holds between two of them. Fails when nothing is left to run, when
   * virtual time passes `untilUs`, or after too many events; throws what `fail` was given.
   */
  async runUntil(goal: () => boolean, { untilUs, eventsMax }: { readonly untilUs: number; readonly eventsMax: number }): Promise<void> {
    const rejected = (error: unknown): void => void this.fail(`nobody handled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, error);
    process.on('unhandledRejection', rejected);
    try {
      await drainMicrotasks();
      while (this.#failure === undefined && !goal()) {
        const event = this.#pop();
        if (event === undefined) throw this.fail('deadlock: nothing is left to happen, and the goal is not reached');
        if (event.atUs > untilUs) throw this.fail(`no progress: the goal is not reached by ${untilUs / 1e6} s`);
        if (this.#events >= eventsMax) throw this.fail(`runaway: the goal is not reached after ${eventsMax} events`);
        this.#events += 1;
        this.#nowUs = event.atUs;
        this.#mix(event);
        event.run();
        await drainMicrotasks();
      }
    } finally {
      process.off('unhandledRejection', rejected);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #mix(event: Event): void {
    this.#hash = Math.imul(this.#hash ^ event.atUs, 0x01000193);
    for (let at = 0; at < event.label.length; at += 1) this.#hash = Math.imul(this.#hash ^ event.label.charCodeAt(at), 0x01000193);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    for (let event = this.#popAny(); event !== undefined; event = this.#popAny()) if (!event.cancelled) return event;
    return undefined;
  }

  #popAny(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atUs !== b.atUs ? a.atUs < b.atUs : a.tie < b.tie;
}

/** All promises that can settle now have settled, and their continuations have run, once the next turn of the loop begins. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
