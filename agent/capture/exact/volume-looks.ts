/** Looks at a volume exactly captured: at all of it for a first copy or after a loss, and at directories that moved under a look. */
import type { Directory, DirectoryOpener } from '../../../native/host/directory.js';
import { timesTellOfMappings } from '../../../native/capture/mounts.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { rootNode } from '../../../proto/change.js';
import { applySurvey } from '../tree/apply-survey.js';
import type { Excludes } from '../tree/excludes.js';
import { messageOf } from '../tree/read-failure.js';
import { Survey, type SurveyTask } from '../tree/survey.js';
import { type LookAccess, TreeLook } from '../tree/tree-look.js';
import type { VolumeParts } from '../tree/volume-parts.js';

/** What was protected is not at its path any more. */
export class RootMissingError extends Error {
  override readonly name = 'RootMissingError';
}

export interface VolumeLooksOptions {
  readonly parts: VolumeParts;
  readonly path: Buffer;
  readonly root: InodeKey;
  readonly directories: DirectoryOpener;
  readonly excludes: Excludes;
  /** A look at the whole begins; what it returns is run once the look has found everything. */
  onWhole(): () => void;
  /** A node was compared with its inode, of which `bytes` were read. */
  onCaptured(node: number, bytes: number): Promise<void>;
}

const sliceMs = 30;
const pendingMax = 1024;
const retryStepMs = 20;
const retryMaxMs = 1000;

export class VolumeLooks {
  readonly #options: VolumeLooksOptions;
  /** The look at the whole that is under way, and what is to be done at its end. */
  #whole: { readonly look: TreeLook; readonly end: () => void } | undefined;
  #isWholeWanted = false;
  /** How far the stream has to be applied before the whole is looked at: what was lost lies before that. */
  #wholeAfter = 0n;
  #retry: { readonly tasks: SurveyTask[]; readonly dueMs: number } | undefined;
  /** Looks in a row that found something moving. */
  #retries = 0;
  /** What waits for directories to be looked at again. */
  #afterRetry: (() => void)[] = [];

  constructor(options: VolumeLooksOptions) {
    this.#options = options;
  }

  get #nowMs(): number {
    return this.#options.parts.clock.monotonicMs();
  }

  get isWhole(): boolean {
    return this.#whole !== undefined || this.#isWholeWanted;
  }
  get isIdle(): boolean {
    return !this.isWhole && this.#retry === undefined && this.#afterRetry.length === 0;
  }
  /** Entries that the look under way has listed. */
  get entries(): number {
    return this.#whole?.look.entries ?? 0;
  }
  isWaiting(applied: bigint): boolean {
    return this.#isWholeWanted && applied < this.#wholeAfter;
  }

  /** Monotonic milliseconds from which on `step` has something to do. */
  dueMs(applied: bigint): number {
    if (this.isWaiting(applied)) return Infinity;
    return this.isWhole ? 0 : (this.#retry?.dueMs ?? Infinity);
  }

  /** Everything is to be looked at, from the start, once the stream is applied up to `after`. */
  wantWhole(after: bigint): void {
    // What a look under way has passed already may be among what was lost.
    this.#whole = undefined;
    this.#isWholeWanted = true;
    this.#wholeAfter = after;
    this.#afterRetry = [];
  }

  /** Directories with all below them, or names in them. */
  add(directories: ReadonlyMap<number, Set<string> | undefined>): void {
    const tasks = [...directories].map(([directory, names]): SurveyTask => (names === undefined ? { directory, deep: true } : { directory, names, deep: true }));
    this.#retry = { tasks: [...(this.#retry?.tasks ?? []), ...tasks], dueMs: this.#retry?.dueMs ?? 0 };
  }

  /** Directories that are to be looked at again; undefined while a look at the whole is wanted or something waits for one. */
  get left(): ReadonlyMap<number, Set<string> | undefined> | undefined {
    if (this.isWhole || this.#afterRetry.length > 0) return undefined;
    return new Map((this.#retry?.tasks ?? []).map((task) => [task.directory, task.names === undefined ? undefined : new Set(task.names)]));
  }

  /** A bounded piece of the look that is due; nothing when none is. Throws RootMissingError. */
  async step(signal: AbortSignal): Promise<void> {
    if (this.isWhole) await this.#advanceWhole(signal);
    else if (this.#retry !== undefined && this.#retry.dueMs <= this.#nowMs) await this.#followRetry(signal);
  }

  async #advanceWhole(signal: AbortSignal): Promise<void> {
    const { excludes, directories, parts } = this.#options;
    const access = this.#access(signal);
    let looked: TreeLook | undefined;
    await this.#survey({ deferVanished: true }, async (survey) => {
      if (this.#whole === undefined) {
        await excludes.refresh(directories, survey.rootStat);
        this.#isWholeWanted = false;
        this.#retries = 0;
        this.#retry = undefined;
        this.#whole = { look: new TreeLook(parts, [{ directory: Number(rootNode), deep: true }], { root: true }), end: this.#options.onWhole() };
      }
      const { look } = this.#whole;
      if (await look.step(survey, access, this.#nowMs + sliceMs)) looked = look;
    });
    const whole = this.#whole;
    if (looked === undefined || whole?.look !== looked) return;
    await whole.look.judgeVanished(access, async () => {
      this.#whole = undefined;
      this.#afterRetries(whole.end);
    });
  }

  /** What a look found moving is looked at again before what the look was for is over. */
  #afterRetries(run: () => void): void {
    if (this.#retry === undefined) run();
    else this.#afterRetry.push(run);
  }

  async #followRetry(signal: AbortSignal): Promise<void> {
    const { index, volume } = this.#options.parts;
    const access = this.#access(signal);
    const tasks = this.#retry!.tasks.filter(({ directory }) => index.node(volume, directory)?.kind === 'directory');
    this.#retry = undefined;
    const look = new TreeLook(this.#options.parts, tasks, { root: false });
    for (let done = tasks.length === 0; !done; ) {
      await this.#survey({ deferVanished: true }, async (survey) => {
        done = await look.step(survey, access, Infinity);
      });
    }
    await look.judgeVanished(access, async () => undefined);
    if (this.#retry !== undefined) return;
    this.#retries = 0;
    for (const run of this.#afterRetry.splice(0)) run();
  }

  async #survey(options: { readonly deferVanished: boolean }, run: (survey: Survey) => Promise<void>): Promise<void> {
    const { directories, path, root, parts } = this.#options;
    let directory: Directory;
    try {
      directory = await directories.openRoot(path);
    } catch (error) {
      throw new RootMissingError(`the protected directory is missing (${messageOf(error)})`, { cause: error });
    }
    const stat = await directory.stat();
    await using survey = new Survey(parts, { directory, stat }, options);
    survey.readsAgain = (await timesTellOfMappings(path)) ? 'mapped' : 'all';
    if (stat.ino !== root.ino || stat.inode?.generation !== root.generation) throw new RootMissingError('the protected directory was replaced by another; unprotect and protect it again to capture that one');
    await run(survey);
  }

  #access(signal: AbortSignal): LookAccess {
    return {
      survey: (options, run) => this.#survey(options, run),
      runTasks: async (survey, untilMs) => {
        for (let task = survey.tasks.pop(); task !== undefined; task = survey.tasks.pop()) {
          signal.throwIfAborted();
          await survey.run(task, signal);
          if (survey.pending >= pendingMax) await this.#apply(survey, signal);
          if (this.#nowMs >= untilMs) return;
        }
      },
      apply: (survey) => this.#apply(survey, signal),
    };
  }

  async #apply(survey: Survey, signal: AbortSignal): Promise<boolean> {
    const { parts, onCaptured } = this.#options;
    const captured: number[] = [];
    await applySurvey(parts, survey, {
      signal,
      isCooling: () => false,
      onCaptured: (node, { bytesRead }) => void captured.push(node, bytesRead),
    });
    for (let at = 0; at < captured.length; at += 2) await onCaptured(captured[at]!, captured[at + 1]!);
    const tasks = [...survey.retry].filter((directory) => directory > 0).map((directory): SurveyTask => ({ directory, deep: true }));
    const moved = survey.retry.size > 0;
    survey.retry.clear();
    if (tasks.length > 0) {
      this.#retries += 1;
      this.#retry = { tasks: [...(this.#retry?.tasks ?? []), ...tasks], dueMs: this.#nowMs + Math.min(retryMaxMs, retryStepMs * this.#retries) };
    }
    if (parts.recorder.commitDue) await parts.recorder.commit(signal);
    return moved;
  }
}
