/** The replica in a simulated world: a tree that outlives the process. */
import type { Sequence } from '../../proto/change.js';
import { noSequence } from '../../proto/change.js';
import type { Chance } from './chance.js';
import type { Oracle } from './oracle.js';
import type { ReplicaSlot } from './receiver-host.js';
import type { Scheduler } from './scheduler.js';

export interface ReplicaHostOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly oracle: Oracle;
  readonly fired: (fault: string) => void;
}

export class ReplicaHost implements ReplicaSlot {
  faults = { fails: 0, full: 0 };
  constructor(_options: ReplicaHostOptions) {}
  isDrained(_through: Sequence): boolean {
    return true;
  }
  verify(): void {}
  async start({ reader, applied }: Parameters<ReplicaSlot['start']>[0]): Promise<Awaited<ReturnType<ReplicaSlot['start']>>> {
    let through = noSequence;
    return {
      poke: () => {
        void reader.lastSequence().then((last) => {
          through = last;
          applied(last);
        });
      },
      through: () => through,
      stop: async () => undefined,
    };
  }
}
