/** Ends a simulated replica at a chosen operation on its tree, as a kill or a power cut would, and opens it again. */
import { MemoryTree, type MemorySnapshot } from '../../../native/host/memory-directory.js';
import type { Random } from '../../../native/host/random.js';
import type { Sequence } from '../../../proto/change.js';
import type { JournalReplica } from '../../../receiver/replica/replica.js';
import type { JournalReplicaStatus } from '../../../receiver/replica/status.js';
import { MemoryDatabases, openReplica, turns } from './fixture.js';
import type { MemoryJournal } from './memory-journal.js';

export class CrashRig {
  readonly databases = new MemoryDatabases();
  readonly tree: MemoryTree;
  readonly journal: MemoryJournal;
  /** Operations that changed the tree, or tried to. */
  operations = 0;
  /** The operation that is not carried out, and after which none is. */
  crashAt = Infinity;
  /** With one, snapshots are kept that a power cut may go back to. */
  power: Random | undefined;
  #snapshots: MemorySnapshot[] = [];

  constructor(journal: MemoryJournal) {
    this.journal = journal;
    this.tree = new MemoryTree({ onOperation: (name) => this.#operation(name) });
  }

  get hasCrashed(): boolean {
    return this.operations >= this.crashAt;
  }

  open(durableThrough: Sequence): Promise<JournalReplica> {
    return openReplica({ reader: this.journal, directories: this.tree, databases: this.databases, durableThrough });
  }

  /** Applies until the crash comes or all is done. */
  async run(replica: JournalReplica, through: Sequence): Promise<void> {
    let isDone = false;
    const done = replica.applyThrough(through).then(() => (isDone = true));
    while (!isDone && !this.hasCrashed) {
      await turns(1);
      const waiting = replica.status().volumes.find(({ state }) => state === 'stalled');
      // Time does not pass here, so a wait would be for ever.
      if (waiting !== undefined && !this.hasCrashed) throw new Error(`the replica waits without a crash: ${waiting.reason}`);
    }
    if (this.hasCrashed) await turns(10);
    else await done;
  }

  /** What a new process finds: no open handles, nothing that was not committed. */
  crash(): void {
    this.databases.crash();
    const { power } = this;
    const kept = power === undefined || this.#snapshots.length === 0 ? this.tree.snapshot() : this.#snapshots[Math.floor(power.fraction() * this.#snapshots.length)]!;
    this.tree.restore(kept);
    this.#snapshots = [];
    this.crashAt = Infinity;
    this.operations = 0;
  }

  #operation(name: string): void {
    this.operations += 1;
    if (this.operations >= this.crashAt) throw new Error('the process is gone');
    if (this.power === undefined) return;
    if (name === 'syncTree') this.#snapshots = [];
    if (name === 'syncTree' || this.power.fraction() < 0.2) this.#snapshots.push(this.tree.snapshot());
  }
}

/** Waits until every volume has been brought in order. */
export async function brought(replica: JournalReplica): Promise<JournalReplicaStatus> {
  for (;;) {
    const status = replica.status();
    const waiting = status.volumes.find(({ state }) => state === 'stalled');
    if (waiting !== undefined) throw new Error(`the replica waits: ${waiting.reason}`);
    if (status.volumes.every(({ state }) => !['repairing', 'catching-up', 'rebuilding'].includes(state))) return status;
    await turns(1);
  }
}
