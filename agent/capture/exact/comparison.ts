/**
 * Compares a volume with the model of it, all the time and slowly: should there be a way of changing
 * something that capture overlooks, this finds it.
 *
 * Nothing is held still for it. A few nodes are looked at; once the stream is applied up to where it had
 * got to when the look ended, the model must show what was seen, but for what the stream told of
 * meanwhile. What differs is looked at once more after a while before it is believed: a write past the
 * page cache, for one, is told of before it is there.
 */
import type { InodeKey } from '../../../native/capture/names.js';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import type { Clock } from '../../../native/host/clock.js';
import { asNodeId, type VolumeId } from '../../../proto/change.js';
import type { SourceStatus } from '../change-source.js';
import type { NodeRow } from '../tree/capture-index.js';
import { isReadFailure } from '../tree/read-failure.js';
import type { Recorder } from '../tree/recorder.js';
import { identityOf } from '../tree/seen.js';
import { MovedError, TreeAccess } from '../tree/tree-access.js';
import { compareContent, type ComparedVolume, compareMetadata, compareNames, type Difference, Findings } from './differences.js';
import { TouchedNodes } from './touched-nodes.js';
import { inodeOf } from './volume-metadata.js';

export interface ComparisonTiming {
  /** From the start of one pass over the volume to that of the next, at least. */
  readonly intervalMs: number;
  /** After each step it rests for so many times as long as that took. */
  readonly rest: number;
  /** Before a difference is looked at again. */
  readonly confirmMs: number;
}

export const defaultComparison: ComparisonTiming = { intervalMs: 3_600_000, rest: 49, confirmMs: 5000 };

export interface ComparisonOptions {
  readonly volume: ComparedVolume & { readonly volume: VolumeId };
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly directories: DirectoryOpener;
  readonly path: Buffer;
  readonly root: InodeKey;
  readonly timing: ComparisonTiming;
  /** How far the stream has got in the kernel. */
  position(): bigint;
  /** Whether the model's content of a node is known to be behind. */
  isHealing(node: number): boolean;
  onDifference(difference: Difference, sinceNs: bigint): Promise<void>;
}

/** A look under way, or one that waits for the stream. */
interface Window {
  readonly found: Findings;
  readonly touched: TouchedNodes;
  /** What was found before, when it is looked at again. */
  readonly suspects: readonly Difference[] | undefined;
  readonly after: bigint;
}

const sliceMs = 20;
const windowBytesMax = 4 * 1024 * 1024;
const pageRows = 256;
const suspectsMax = 256;
const missingRestMs = 10_000;

export class Comparison {
  readonly #options: ComparisonOptions;
  #window: Window | undefined;
  /** The last node compared in this pass, and where in its content to go on. */
  #node = 0;
  #offset: number | undefined;
  #passStartedNs = 0n;
  #nextPassMs: number;
  #restUntilMs = 0;
  #suspects: Difference[] = [];
  #confirmAtMs = Infinity;
  #endedNs: bigint | undefined;
  #differences = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#nextPassMs = options.clock.monotonicMs() + options.timing.intervalMs;
  }

  get status(): NonNullable<SourceStatus['comparison']> {
    return { differences: this.#differences, ...(this.#endedNs === undefined ? {} : { endedNs: this.#endedNs }) };
  }

  // What the stream tells meanwhile.

  /** Takes down what concerns what was looked at and waits to be judged; undefined when nothing does. */
  get touched(): TouchedNodes | undefined {
    return this.#window?.touched;
  }

  /** The model is not what it should be: what was seen says nothing. */
  disturb(): void {
    this.#window = undefined;
    this.#suspects = [];
    this.#confirmAtMs = Infinity;
  }

  isWaiting(applied: bigint): boolean {
    return this.#window !== undefined && applied < this.#window.after;
  }

  /** Monotonic milliseconds from which on `step` has something to do. */
  dueMs(applied: bigint): number {
    if (this.#window !== undefined) return this.isWaiting(applied) ? Infinity : 0;
    const isFull = this.#suspects.length >= suspectsMax;
    const nextMs = isFull ? Infinity : this.#node === 0 ? this.#nextPassMs : 0;
    return Math.max(this.#restUntilMs, Math.min(nextMs, this.#suspects.length === 0 ? Infinity : this.#confirmAtMs));
  }

  /** Looks at a few nodes, or judges what was seen. The stream is not applied while this runs. */
  async step(): Promise<void> {
    const { clock, timing, position } = this.#options;
    const window = this.#window;
    if (window !== undefined) {
      this.#window = undefined;
      return this.#judge(window);
    }
    const beganMs = clock.monotonicMs();
    const found = new Findings();
    const isConfirming = this.#suspects.length > 0 && this.#confirmAtMs <= beganMs;
    const suspects = isConfirming ? this.#suspects.splice(0) : undefined;
    const isThere = await this.#withRoot((root) => (suspects === undefined ? this.#walk(root, found, beganMs + sliceMs) : this.#lookAgain(suspects, root, found)));
    this.#window = { found, suspects, touched: new TouchedNodes(), after: position() };
    const nowMs = clock.monotonicMs();
    this.#restUntilMs = nowMs + (isThere ? timing.rest * (nowMs - beganMs) : missingRestMs);
  }

  async #walk(root: OpenRoot, found: Findings, untilMs: number): Promise<void> {
    const { clock, volume: { index, volume } } = this.#options;
    if (this.#node === 0 && this.#offset === undefined) {
      this.#passStartedNs = clock.wallNs();
      this.#nextPassMs = clock.monotonicMs() + this.#options.timing.intervalMs;
    }
    for (;;) {
      const rows = index.nodesAfter(volume, this.#offset === undefined ? this.#node : this.#node - 1, pageRows);
      if (rows.length === 0) return this.#endPass();
      for (const row of rows) {
        // The node whose content was to be gone on with may be gone.
        const from = row.node === this.#node ? this.#offset : undefined;
        this.#node = row.node;
        this.#offset = await this.#lookAt(row, root, found, from);
        if (this.#offset !== undefined || clock.monotonicMs() >= untilMs || found.bytesRead >= windowBytesMax) return;
      }
    }
  }

  #endPass(): void {
    const { clock, recorder, volume: { index, volume } } = this.#options;
    this.#node = 0;
    this.#offset = undefined;
    this.#endedNs = clock.wallNs();
    // What is still suspected may be older than this pass.
    if (this.#suspects.length > 0) return;
    recorder.touch();
    index.setCompared(volume, this.#passStartedNs);
  }

  /** Compares a node; its content from an offset on. Resolves to where its content goes on. */
  async #lookAt(row: NodeRow, root: OpenRoot, found: Findings, from: number | undefined): Promise<number | undefined> {
    const { volume, isHealing } = this.#options;
    const inode = inodeOf(row.identity, this.#options.root.tree);
    if (inode === undefined || row.links === 0 || isHealing(row.node)) return undefined;
    if (from === undefined && compareMetadata(volume, row, inode, found) === undefined) return undefined;
    if (row.kind === 'directory') await this.#lookAtNames(row.node, root, found);
    return row.kind === 'file' ? this.#lookAtContent(row.node, inode, { from: from ?? 0, to: Infinity }, found) : undefined;
  }

  async #lookAtContent(node: number, inode: InodeKey, { from, to }: { readonly from: number; readonly to: number }, found: Findings): Promise<number | undefined> {
    const { volume } = this.#options;
    const file = await ignoringFailure(volume.handles.openFile(inode));
    if (file === undefined) return undefined;
    try {
      return await ignoringFailure(compareContent(volume, node, file, { from, to, bytesMax: windowBytesMax }, found));
    } finally {
      await file.close();
    }
  }

  async #lookAtNames(directory: number, { access, device }: OpenRoot, found: Findings): Promise<void> {
    const { volume } = this.#options;
    try {
      await compareNames(volume, directory, await access.open(directory), device, found);
    } catch (error) {
      // One that is not where the model has it shows in the names of the directory above.
      if (!(error instanceof MovedError) && !isReadFailure(error)) throw error;
    }
    await access.trim();
  }

  async #lookAgain(suspects: readonly Difference[], root: OpenRoot, found: Findings): Promise<void> {
    const { volume, isHealing } = this.#options;
    const done = new Set<string>();
    for (const suspect of suspects) {
      const row = volume.index.node(volume.volume, suspect.node);
      const inode = row === undefined ? undefined : inodeOf(row.identity, this.#options.root.tree);
      if (row === undefined || inode === undefined || isHealing(row.node)) continue;
      if (suspect.what === 'content') await this.#lookAtContent(row.node, inode, { from: suspect.low, to: Math.min(suspect.high, Number.MAX_SAFE_INTEGER - 4096) }, found);
      const key = `${suspect.what === 'names' ? 'names' : 'metadata'} ${row.node}`;
      if (done.has(key)) continue;
      done.add(key);
      if (suspect.what === 'names') await this.#lookAtNames(row.node, root, found);
      else compareMetadata(volume, row, inode, found);
    }
  }

  async #judge({ found, touched, suspects }: Window): Promise<void> {
    const { volume: { index, volume }, recorder, clock, timing, isHealing, onDifference } = this.#options;
    const sinceNs = index.comparedNs(volume) ?? 0n;
    // Filtered first: telling of one difference of a node has the node read back.
    const differences = found.differences.filter((difference) => {
      const { what, node } = difference;
      if (isHealing(node) || index.node(volume, node) === undefined) return false;
      return !(what === 'content' ? touched.hasContent(node, difference.low, difference.high) : touched.has(node));
    });
    for (const difference of differences) {
      if (suspects?.some((suspect) => isSame(suspect, difference)) === true) {
        this.#differences += 1;
        await onDifference(difference, sinceNs);
      } else if (this.#suspects.length < suspectsMax) {
        this.#suspects.push(difference);
        this.#confirmAtMs = clock.monotonicMs() + timing.confirmMs;
      }
    }
    for (const { node, offset, data, hashes } of found.unhashed) {
      // Whether the journal has just this cannot be told: it is sent once more.
      if (isHealing(node) || index.node(volume, node) === undefined || touched.hasContent(node, offset, offset + data.byteLength)) continue;
      await recorder.add(volume, { kind: 'write', node: asNodeId(BigInt(node)), offset, data }, { hashes });
      // The write above makes the time unknown, though nothing changed it.
      await this.#keepTime(node);
    }
    await recorder.flush();
  }

  async #keepTime(node: number): Promise<void> {
    const { volume: { index, volume, handles }, recorder } = this.#options;
    const row = index.node(volume, node);
    const inode = row === undefined ? undefined : inodeOf(row.identity, this.#options.root.tree);
    const stat = inode === undefined ? undefined : handles.stat(inode);
    if (stat !== undefined) await recorder.add(volume, { kind: 'attributes', node: asNodeId(BigInt(node)), modifyNs: stat.modifyNs });
  }

  /** Opens the root for as long as a look takes; false when it is missing, which others tell of. */
  async #withRoot(run: (root: OpenRoot) => Promise<void>): Promise<boolean> {
    const { directories, path, root, volume: { index, volume } } = this.#options;
    const directory = await ignoringFailure(directories.openRoot(path));
    if (directory === undefined) return false;
    try {
      const stat = await directory.stat();
      if (stat.ino !== root.ino || stat.inode?.generation !== root.generation) return false;
      const place = (node: number) => {
        const link = index.linksOf(volume, node)[0];
        return link === undefined ? undefined : { ...link, identity: index.node(volume, node)?.identity ?? null };
      };
      await using access = new TreeAccess(directory, 1, place, (each) => identityOf(each, stat.dev));
      await run({ access, device: stat.dev });
      return true;
    } finally {
      await directory.close();
    }
  }
}

interface OpenRoot {
  readonly access: TreeAccess;
  readonly device: bigint;
}

function isSame(suspect: Difference, difference: Difference): boolean {
  if (suspect.node !== difference.node || suspect.what !== difference.what) return false;
  if (suspect.what === 'content' && difference.what === 'content') return suspect.low < difference.high && difference.low < suspect.high;
  if (suspect.what === 'names' && difference.what === 'names') return difference.names.some((name) => suspect.names.includes(name));
  return true;
}

async function ignoringFailure<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!isReadFailure(error)) throw error;
    return undefined;
  }
}
