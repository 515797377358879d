/** What has to be read back because the stream did not tell its bytes: one range a node, and directories. */

interface Range {
  readonly low: number;
  readonly high: number;
}

export interface HealItem extends Range {
  readonly node: number;
  /** Stores through a mapping may go on: it is read again for as long as there is one. */
  readonly mapped: boolean;
}

interface Waiting extends Range {
  readonly mapped: boolean;
  readonly dueMs: number;
}

export class HealQueue {
  readonly #nodes = new Map<number, Waiting>();
  readonly #directories = new Set<number>();
  /** Causes of the gaps that are open until all is read back. */
  readonly causes = new Set<string>();

  get size(): number {
    return this.#nodes.size + this.#directories.size;
  }
  get isEmpty(): boolean {
    return this.size === 0;
  }
  /** Whether nothing is left but what is read again and again. */
  get isIdle(): boolean {
    if (this.#directories.size > 0) return false;
    for (const { mapped, dueMs } of this.#nodes.values()) if (!mapped || dueMs === 0) return false;
    return true;
  }
  get hasDirectories(): boolean {
    return this.#directories.size > 0;
  }
  /** Monotonic milliseconds. */
  get dueMs(): number {
    if (this.#directories.size > 0) return 0;
    let due = Infinity;
    for (const waiting of this.#nodes.values()) due = Math.min(due, waiting.dueMs);
    return due;
  }

  has(node: number): boolean {
    return this.#nodes.has(node);
  }

  add(node: number, range: Range, { mapped, dueMs }: { readonly mapped: boolean; readonly dueMs: number }): void {
    const known = this.#nodes.get(node);
    if (known === undefined) this.#nodes.set(node, { ...range, mapped, dueMs });
    else this.#nodes.set(node, { low: Math.min(known.low, range.low), high: Math.max(known.high, range.high), mapped: known.mapped || mapped, dueMs: Math.min(known.dueMs, dueMs) });
  }

  addDirectory(directory: number): void {
    this.#directories.add(directory);
  }

  /** Takes out something whose time has come. */
  take(nowMs: number): HealItem | undefined {
    for (const [node, { low, high, mapped, dueMs }] of this.#nodes) {
      if (dueMs > nowMs) continue;
      this.#nodes.delete(node);
      return { node, low, high, mapped };
    }
    return undefined;
  }

  takeDirectories(): number[] {
    const directories = [...this.#directories];
    this.#directories.clear();
    return directories;
  }

  takeCauses(): Set<string> {
    const causes = new Set(this.causes);
    this.causes.clear();
    return causes;
  }

  /** Everything is due now. */
  hasten(): void {
    for (const [node, waiting] of this.#nodes) this.#nodes.set(node, { ...waiting, dueMs: 0 });
  }
}
