/** A journal in memory: numbers changes, keeps them, and can refuse, lose its tail, or stop being durable. */
import { asSequence, type CapturedChange, type Change, isControl, type Sequence } from '../../../proto/change.js';
import type { AppendResult, ChangeSink } from '../../../agent/capture/change-source.js';
import { systemClock } from '../../../native/host/clock.js';

export class RecordingSink implements ChangeSink {
  readonly changes: Change[] = [];
  /** While true, batches with content or names are refused. */
  full = false;
  /** While false, nothing becomes durable, so that an engine may not commit. */
  syncs = true;
  /** Waits for durability fail instead of lasting. */
  crashed = false;
  refusals = 0;
  durableThrough: Sequence = asSequence(0n);
  #waiting: (() => void)[] = [];

  async append(batch: readonly CapturedChange[]): Promise<AppendResult> {
    await Promise.resolve();
    if (this.full && !batch.every((change) => isControl(change.body))) {
      this.refusals += 1;
      return { taken: false };
    }
    const data = batch.reduce((sum, { body }) => sum + (body.kind === 'write' ? body.data.byteLength : 0), 0);
    if (batch.length === 0 || data > 1024 * 1024) throw new Error(`a batch of ${batch.length} changes and ${data} bytes`);
    const first = this.changes.length + 1;
    for (const change of batch) {
      const { body } = change;
      // The engine's memory is used again once this returns.
      const kept = body.kind === 'write' ? { ...body, data: Buffer.from(body.data) } : body;
      this.changes.push({ ...change, body: kept, sequence: asSequence(BigInt(this.changes.length + 1)), timeNs: systemClock.wallNs() });
    }
    return { taken: true, firstSequence: asSequence(BigInt(first)), lastSequence: asSequence(BigInt(this.changes.length)) };
  }

  async whenDurable(through: Sequence, signal?: AbortSignal): Promise<void> {
    while (!this.syncs) {
      if (this.crashed) throw new Error('the journal is gone');
      await this.#wait(signal);
    }
    if (through > this.changes.length) throw new Error(`${through} was never appended`);
    if (through > this.durableThrough) this.durableThrough = through;
  }

  async whenRoom(signal?: AbortSignal): Promise<void> {
    while (this.full) await this.#wait(signal);
  }

  /** Lets waits look again after `full` or `syncs` changed. */
  release(): void {
    for (const run of this.#waiting.splice(0)) run();
  }

  /** What a crash leaves: all that was durable, and part of what was not. */
  loseTail(keep: number): void {
    this.changes.length = Math.max(Number(this.durableThrough), Math.min(keep, this.changes.length));
  }

  async *after(sequence: Sequence): AsyncGenerator<Change[]> {
    for (let at = Number(sequence); at < this.changes.length; at += 100) yield this.changes.slice(at, at + 100);
  }

  bodies(kind: string): Change['body'][] {
    return this.changes.map((change) => change.body).filter((body) => body.kind === kind);
  }

  #wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      this.#waiting.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
}
