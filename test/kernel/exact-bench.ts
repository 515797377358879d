/** Sets up the exact engine on a directory, with a journal in memory behind it, and compares what it says with what is there. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ComparisonTiming } from '../../agent/capture/exact/comparison.js';
import type { ExactKernel } from '../../agent/capture/exact/kernel.js';
import { ExactSource } from '../../agent/capture/exact.js';
import { exactKernel } from '../../agent/exact-kernel.js';
import { systemClock } from '../../native/host/clock.js';
import { systemDirectories } from '../../native/index.js';
import { asVolumeId, type VolumeId } from '../../proto/change.js';
import { describeDirectory, ModelTree } from '../agent/capture/model-tree.js';
import { RecordingSink } from '../agent/capture/recording-sink.js';

export const volume = asVolumeId(1);
const run = promisify(execFile);

interface Cleanup {
  teardown(run: () => unknown): unknown;
  comment(...parts: unknown[]): void;
}

export class ExactBench {
  readonly base: string;
  readonly root: string;
  readonly outside: string;
  readonly sink = new RecordingSink();
  /** What the engine complained of. */
  readonly warnings: string[] = [];
  source: ExactSource | undefined;
  readonly #ringBytes: number;
  readonly #kernel: Partial<ExactKernel>;
  readonly #comparison: Partial<ComparisonTiming>;

  /** `place`: a directory on the file system to capture; the system's own for temporary files when absent. */
  constructor(t: Cleanup, options: { readonly place?: string; readonly ringBytes?: number; readonly kernel?: Partial<ExactKernel>; readonly comparison?: Partial<ComparisonTiming> } = {}) {
    this.base = mkdtempSync(join(options.place ?? tmpdir(), 'afterimage-exact-'));
    this.root = join(this.base, 'tree');
    this.outside = join(this.base, 'outside');
    mkdirSync(this.root);
    mkdirSync(this.outside);
    this.#ringBytes = options.ringBytes ?? 64 * 1024 * 1024;
    this.#kernel = options.kernel ?? {};
    this.#comparison = options.comparison ?? {};
    t.teardown(async () => {
      await this.close();
      rmSync(this.base, { recursive: true, force: true });
    });
  }

  async open(): Promise<ExactSource> {
    const warn = (fields: object, message: string): void => void this.warnings.push(`${message} ${JSON.stringify(fields)}`);
    const source = await ExactSource.open({
      clock: systemClock,
      kernel: { ...exactKernel({ ringBytes: this.#ringBytes, stateDirectory: join(this.base, 'state'), keepSeconds: 0 }), ...this.#kernel },
      stateDirectory: join(this.base, 'state'),
      comparison: this.#comparison,
      logger: { debug: () => undefined, info: () => undefined, warn, error: warn },
    });
    this.source = source;
    await source.replay(this.sink.after(source.committedThrough));
    await source.start(this.sink);
    await source.add({ volume, name: 'tree', kind: 'tree', path: Buffer.from(this.root), exclude: [], excludedDirectories: [] });
    return source;
  }

  async close(): Promise<void> {
    const source = this.source;
    this.source = undefined;
    await source?.[Symbol.asyncDispose]();
  }

  /** Waits for the first copy or a comparison to be over. */
  async untilExact(): Promise<void> {
    while (this.source!.status(volume)?.label !== 'exact') await systemClock.sleep(10);
  }

  /** Runs a shell script in the volume, as another process than the one that captures. */
  async shell(script: string): Promise<string> {
    const { stdout } = await run('bash', ['-euc', script], { cwd: this.root, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  async python(script: string, ...words: string[]): Promise<string> {
    const { stdout } = await run('python3', ['-c', script, ...words], { cwd: this.root, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  model(id: VolumeId = volume): ModelTree {
    return ModelTree.from(this.sink.changes, id);
  }

  /** Flushes, and returns the lines in which the journal and the directory differ. */
  async differences(): Promise<string[]> {
    await this.source!.flush();
    const journal = this.model().describe();
    const tree = await describeDirectory(systemDirectories, this.root);
    const [inJournal, inTree] = [new Set(journal), new Set(tree)];
    return [...journal.filter((line) => !inTree.has(line)).map((line) => `journal: ${line}`), ...tree.filter((line) => !inJournal.has(line)).map((line) => `tree:    ${line}`)].sort((a, b) => (a.slice(9) < b.slice(9) ? -1 : 1));
  }
}
