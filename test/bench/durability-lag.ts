/** From when a write returned to when the receiver had it durable, for each change of a journal. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../agent/control/client.js';
import { systemFiles } from '../../native/host/files.js';
import { asSequence } from '../../proto/change.js';
import { frameChanges } from '../../proto/journal/frame.js';
import { SegmentLog } from '../../proto/journal/segment-log.js';

/** Notes every few milliseconds how far the journal is durable. */
export class DurableSampler {
  readonly #stateDirectory: string;
  readonly samples: { readonly timeNs: bigint; readonly durable: bigint }[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(stateDirectory: string) {
    this.#stateDirectory = stateDirectory;
  }

  start(): void {
    this.#running = (async () => {
      while (!this.#isStopped) {
        const { journal } = await ask(this.#stateDirectory, 'status', {});
        this.samples.push({ timeNs: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)), durable: BigInt(journal.durable) });
        await sleep(5);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Milliseconds of each write that the journals below `data` hold of the time sampled. The receiver must have stopped. */
  async lagsMs(data: string): Promise<number[]> {
    const lags: number[] = [];
    const first = this.samples[0]!.durable;
    for (const name of await readdir(join(data, 'journals'))) {
      const log = await SegmentLog.open({ files: systemFiles, directory: join(data, 'journals', name), journal: Buffer.from(name, 'hex') });
      let at = 0;
      for await (const { frame } of log.frames(asSequence(first))) {
        for (const { sequence, timeNs, body } of frameChanges(frame).changes) {
          if (body.kind !== 'write') continue;
          while (at < this.samples.length && this.samples[at]!.durable < sequence) at += 1;
          const sample = this.samples[at];
          if (sample !== undefined) lags.push(Number(sample.timeNs - timeNs) / 1e6);
        }
      }
      await log.close();
    }
    return lags;
  }
}
