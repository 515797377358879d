/** Keeps the latest problems of a volume, bounded, and counts them all. */
import type { CaptureReport } from '../change-source.js';

const reportsMax = 100;

export class Reports {
  readonly #latest = new Map<string, { readonly problem: string; readonly isLeftOut: boolean }>();
  #count = 0;
  /** Grows with every try that found something that should be captured and could not be. */
  unread = 0;

  /** Notes a problem; the same one at the same path counts once while it is remembered. */
  add(path: string, problem: string, isLeftOut: boolean): boolean {
    if (!isLeftOut) this.unread += 1;
    if (this.#latest.get(path)?.problem === problem) return false;
    this.#latest.delete(path);
    this.#latest.set(path, { problem, isLeftOut });
    this.#count += 1;
    if (this.#latest.size > reportsMax) {
      for (const oldest of this.#latest.keys()) {
        this.#latest.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** The path is captured after all. */
  clear(path: string): void {
    this.#latest.delete(path);
  }

  /** What should be captured and could not be, as far as it is remembered, in order of path. */
  unreadPaths(): string[] {
    return [...this.#latest].filter(([, { isLeftOut }]) => !isLeftOut).map(([path]) => path).sort();
  }
  get count(): number {
    return this.#count;
  }
  /** All that is remembered, for a later engine to go on with. */
  get state(): ReadonlyMap<string, { readonly problem: string; readonly isLeftOut: boolean }> {
    return this.#latest;
  }
  restore(state: ReadonlyMap<string, { readonly problem: string; readonly isLeftOut: boolean }>): void {
    for (const [path, { problem, isLeftOut }] of state) this.add(path, problem, isLeftOut);
  }

  list(): CaptureReport[] {
    return [...this.#latest].map(([path, { problem }]) => ({ path, problem }));
  }
}
