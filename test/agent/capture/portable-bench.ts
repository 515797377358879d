/** Sets up a portable engine on a temporary directory, with a journal in memory behind it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortableSource, type PortableOptions } from '../../../agent/capture/portable.js';
import type { ProtectedVolume } from '../../../agent/capture/change-source.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemRandom } from '../../../native/host/random.js';
import { systemDirectories } from '../../../native/index.js';
import { asVolumeId } from '../../../proto/change.js';
import { describeDirectory, ModelTree } from './model-tree.js';
import { RecordingSink } from './recording-sink.js';

export const volume = asVolumeId(1);
export const quietLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Cleanup {
  teardown(run: () => unknown): unknown;
}

export class PortableBench {
  readonly root: string;
  readonly state: string;
  readonly base: string;
  sink = new RecordingSink();
  source: PortableSource | undefined;
  readonly #options: Partial<PortableOptions>;
  readonly #definition: Partial<ProtectedVolume>;

  constructor(t: Cleanup, options: Partial<PortableOptions> = {}, definition: Partial<ProtectedVolume> = {}) {
    this.base = mkdtempSync(join(tmpdir(), 'afterimage-portable-'));
    this.root = join(this.base, 'tree');
    this.state = join(this.base, 'state');
    mkdirSync(this.root);
    this.#options = options;
    this.#definition = definition;
    t.teardown(async () => {
      await this.close();
      rmSync(this.base, { recursive: true, force: true });
    });
  }

  get definition(): ProtectedVolume {
    return { volume, name: 'tree', kind: 'tree', path: Buffer.from(this.root), exclude: [], excludedDirectories: [], ...this.#definition };
  }

  /** Opens an engine on what the last one left, replays, and captures the volume. */
  async open(): Promise<PortableSource> {
    const source = await PortableSource.open({
      clock: systemClock, random: systemRandom, directories: systemDirectories, stateDirectory: this.state, logger: quietLogger, ...this.#options,
    });
    this.source = source;
    await source.replay(this.sink.after(source.committedThrough));
    await source.start(this.sink);
    await source.add(this.definition);
    return source;
  }

  async close(): Promise<void> {
    const source = this.source;
    this.source = undefined;
    await source?.[Symbol.asyncDispose]();
  }

  /** Ends the engine as a crash would: what was not durable may be gone, and its index does not hold it. */
  async crash(keep: number): Promise<void> {
    this.sink.syncs = false;
    this.sink.crashed = true;
    this.sink.release();
    await this.close();
    this.sink.loseTail(keep);
    this.sink.crashed = false;
    this.sink.syncs = true;
  }

  model(): ModelTree {
    return ModelTree.from(this.sink.changes, volume);
  }

  /** Flushes, and returns what the journal says and what is there, to be compared. */
  async compare(isLeftOut?: (shown: string) => boolean): Promise<{ readonly journal: string[]; readonly tree: string[] }> {
    await this.source!.flush();
    return { journal: this.model().describe(), tree: await describeDirectory(systemDirectories, this.root, isLeftOut) };
  }
}

/** Waits for something that will come to pass; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(20);
}
