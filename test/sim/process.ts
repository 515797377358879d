/** A simulated process: while it lives its timers and operations complete; once dead, nothing of it ever does again. */
import type { Clock } from '../../native/host/clock.js';
import { Chance } from './chance.js';
import type { Scheduler } from './scheduler.js';

/** `kill`: the process ends, the machine goes on. `power`: the machine loses power, and what was not synced with it. */
export type CrashKind = 'kill' | 'power';

/** The wall clock of a machine: it outlives processes, and somebody may set it. */
export class WallClock {
  readonly #scheduler: Scheduler;
  #offsetNs = 1_750_000_000_000_000_000n;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  nowNs(): bigint {
    return this.#offsetNs + BigInt(this.#scheduler.nowUs) * 1000n;
  }

  step(byNs: bigint): void {
    this.#offsetNs += byNs;
  }
}

export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  /** For components that ask for randomness. */
  readonly random: Chance;
  readonly #scheduler: Scheduler;
  readonly #atDeath: ((kind: CrashKind) => void)[] = [];
  #isAlive = true;

  constructor(scheduler: Scheduler, name: string, wall: WallClock) {
    this.#scheduler = scheduler;
    this.name = name;
    this.random = scheduler.chance.fork();
    this.clock = this.#makeClock(wall);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Runs `run` after a delay unless the process is dead by then. */
  later(delayUs: number, label: string, run: () => void): () => void {
    return this.#scheduler.schedule(delayUs, `${this.name} ${label}`, () => {
      if (this.#isAlive) run();
    });
  }

  /** Told when the process dies, in order of registration: disks and networks let go of it then. */
  onDeath(told: (kind: CrashKind) => void): void {
    this.#atDeath.push(told);
  }

  crash(kind: CrashKind): void {
    if (!this.#isAlive) return;
    this.#scheduler.note(`${this.name}: ${kind}`);
    this.#isAlive = false;
    for (const told of this.#atDeath) told(kind);
  }

  #makeClock(wall: WallClock): Clock {
    const scheduler = this.#scheduler;
    // Node's timers take whole milliseconds, and at least one.
    const timerUs = (ms: number): number => Math.max(1, Math.ceil(ms)) * 1000;
    return {
      wallNs: () => wall.nowNs(),
      monotonicMs: () => scheduler.nowUs / 1000,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (!this.#isAlive) return;
          if (signal?.aborted === true) {
            reject(signal.reason as Error);
            return;
          }
          const cancel = this.later(timerUs(ms), 'sleep', () => {
            signal?.removeEventListener('abort', aborted);
            resolve();
          });
          const aborted = (): void => {
            cancel();
            reject(signal?.reason as Error);
          };
          signal?.addEventListener('abort', aborted, { once: true });
        }),
      every: (ms, run) => {
        let cancel: () => void;
        const again = (): void => {
          cancel = this.later(timerUs(ms), 'every', () => {
            again();
            run();
          });
        };
        again();
        return () => cancel();
      },
      after: (ms, run) => this.later(timerUs(ms), 'after', run),
    };
  }
}
