/** What may have changed and was not looked at yet: bounded, and the whole volume when it grows past that. */
import type { CaptureIndex } from '../tree/capture-index.js';
import type { SurveyTask } from '../tree/survey.js';

const entriesMax = 100_000;
/** Followed at a time: in the order they came, so that both names of a rename go together. */
const takeMax = 2000;

export class DirtySet {
  readonly #entries = new Set<string>();
  readonly #lists = new Set<string>();
  readonly #directories = new Map<number, 'list' | 'deep'>();
  /** Nodes to look at again, with the time from which on. */
  readonly #nodes = new Map<number, number>();
  #whole = false;
  #since: { readonly ms: number; readonly ns: bigint } | undefined;

  /** Whether everything has to be looked at. */
  get whole(): boolean {
    return this.#whole;
  }
  get size(): number {
    return this.#entries.size + this.#lists.size + this.#directories.size + this.#nodes.size;
  }
  /** When the oldest hint came that was not looked at. */
  get since(): { readonly ms: number; readonly ns: bigint } | undefined {
    return this.#since;
  }

  addPath(path: string, kind: 'entry' | 'list', now: { readonly ms: number; readonly ns: bigint }): void {
    this.#since ??= now;
    (kind === 'list' ? this.#lists : this.#entries).add(path);
    this.#bound();
  }

  addDirectory(directory: number, depth: 'list' | 'deep', now: { readonly ms: number; readonly ns: bigint }): void {
    this.#since ??= now;
    if (this.#directories.get(directory) !== 'deep') this.#directories.set(directory, depth);
    this.#bound();
  }

  addNode(node: number, dueMs: number): void {
    this.#nodes.set(node, dueMs);
    this.#bound();
  }

  markWhole(): void {
    this.#whole = true;
    this.#clear();
  }

  /** A look at everything begins. */
  takeWhole(): void {
    this.#whole = false;
  }

  /** When there is something to look at: hints as old as `settleMs`, or a node whose time has come. */
  dueMs(settleMs: number): number {
    let due = this.#since === undefined ? Infinity : this.#since.ms + settleMs;
    for (const at of this.#nodes.values()) if (at < due) due = at;
    return due;
  }

  /** Takes out the oldest of what there is as tasks for a survey; the root itself is named by `root`. */
  take(index: CaptureIndex, volume: number, nowMs: number): { readonly tasks: SurveyTask[]; readonly root: boolean } {
    const names = new Map<number, Set<string>>();
    const lists = new Map<number, boolean>();
    let root = false;
    const addName = (directory: number, name: string): void => {
      const known = names.get(directory);
      if (known === undefined) names.set(directory, new Set([name]));
      else known.add(name);
    };
    let budget = takeMax;
    for (const path of this.#entries) {
      if (budget <= 0) break;
      budget -= 1;
      this.#entries.delete(path);
      const place = resolvePath(index, volume, path);
      if (place.name === undefined) root = true;
      else addName(place.directory, place.name);
    }
    for (const path of this.#lists) {
      if (budget <= 0) break;
      budget -= 1;
      this.#lists.delete(path);
      const place = resolvePath(index, volume, path);
      const node = place.name === undefined ? 1 : index.childNode(volume, place.directory, place.name);
      if (node !== 0 && index.node(volume, node)?.kind === 'directory') lists.set(node, lists.get(node) ?? false);
      else if (place.name !== undefined) addName(place.directory, place.name);
    }
    for (const [directory, depth] of this.#directories) {
      if (budget <= 0) break;
      budget -= 1;
      this.#directories.delete(directory);
      if (index.node(volume, directory)?.kind === 'directory') lists.set(directory, depth === 'deep' || (lists.get(directory) ?? false));
    }
    for (const [node, dueMs] of this.#nodes) {
      if (dueMs > nowMs) continue;
      if (budget <= 0) break;
      budget -= 1;
      this.#nodes.delete(node);
      const link = index.linksOf(volume, node)[0];
      if (node === 1) root = true;
      else if (link !== undefined) addName(link.parent, link.name);
    }
    if (this.#entries.size + this.#lists.size + this.#directories.size === 0) this.#since = undefined;
    const tasks: SurveyTask[] = [...lists].map(([directory, deep]) => ({ directory, deep }));
    for (const [directory, wanted] of names) if (!lists.has(directory)) tasks.push({ directory, names: wanted, deep: false });
    return { tasks, root };
  }

  #bound(): void {
    if (this.size > entriesMax) this.markWhole();
  }

  #clear(): void {
    this.#entries.clear();
    this.#lists.clear();
    this.#directories.clear();
    this.#nodes.clear();
    this.#since = undefined;
  }
}

/** The deepest directory of a path that is known, and the name in it to look at; no name for the root itself. */
function resolvePath(index: CaptureIndex, volume: number, path: string): { readonly directory: number; readonly name: string | undefined } {
  let directory = 1;
  const parts = path.split('/').filter((part) => part !== '');
  for (const [at, part] of parts.entries()) {
    const name = Buffer.from(part, 'utf8').toString('latin1');
    if (at === parts.length - 1) return { directory, name };
    const node = index.childNode(volume, directory, name);
    if (node === 0 || index.node(volume, node)?.kind !== 'directory') return { directory, name };
    directory = node;
  }
  return { directory, name: undefined };
}
