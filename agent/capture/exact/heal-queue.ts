/** What has to be read back because the stream did not tell its bytes: one range a node, and directories. */
import type { Range } from './ranges.js';

/** Why a range has to be read back. */
export interface DirtyReason {
  readonly cause: string;
  readonly sinceNs: bigint;
  /** Stores through a mapping go on. */
  readonly mapped?: boolean;
  /** Something changes it that the stream does not tell of. */
  readonly unseen?: boolean;
  /** It was told of out of the stream's order, which may hold older changes still. */
  readonly isAhead?: boolean;
}

/** How long a range may go on changing without being told of. */
export interface Persistence {
  /** For as long as the file is mapped for writing. */
  readonly mapped: boolean;
  /** Monotonic milliseconds up to which it is read again; 0 for once. */
  readonly untilMs: number;
}

export const once: Persistence = { mapped: false, untilMs: 0 };

export interface HealItem extends Range, Persistence {
  readonly node: number;
}

interface Waiting extends Range, Persistence {
  readonly dueMs: number;
  /** The stream is to be applied up to here first: what it still holds is older than what is to be read. */
  readonly after: bigint;
}

/** What waits to be read back, for a later engine to go on with; times of this one mean nothing to that. */
export interface HealState {
  readonly nodes: ReadonlyMap<number, Range & Persistence & { readonly after: bigint }>;
  readonly directories: ReadonlyMap<number, { readonly names: Set<string> | undefined; readonly after: bigint }>;
  readonly unconfirmed: ReadonlyMap<number, { readonly item: HealItem; readonly through: bigint; readonly touched: boolean }>;
  readonly causes: ReadonlySet<string>;
}

/** More names than this in one directory: it is listed whole. */
const namesMax = 4096;

export class HealQueue {
  readonly #nodes = new Map<number, Waiting>();
  /** Directories to be listed whole, or names in them to be looked up. */
  readonly #directories = new Map<number, { names: Set<string> | undefined; after: bigint }>();
  /** What was read while the stream still held older changes of it: read again when those turn up. */
  readonly #unconfirmed = new Map<number, { readonly item: HealItem; readonly through: bigint; touched: boolean }>();
  /** Causes of the gaps that are open until all is read back. */
  readonly causes = new Set<string>();

  get size(): number {
    return this.#nodes.size + this.#directories.size + this.#unconfirmed.size;
  }
  get isEmpty(): boolean {
    return this.size === 0;
  }
  /** Whether nothing is left but what is read again and again. */
  get isIdle(): boolean {
    if (this.#directories.size > 0 || this.#unconfirmed.size > 0) return false;
    for (const { mapped, untilMs, dueMs } of this.#nodes.values()) if ((!mapped && untilMs === 0) || dueMs === 0) return false;
    return true;
  }
  get hasDirectories(): boolean {
    return this.#directories.size > 0;
  }
  /** Whether something waits for the stream to be applied. */
  isWaiting(applied: bigint): boolean {
    if (this.#unconfirmed.size > 0) return true;
    for (const { after } of this.#nodes.values()) if (after > applied) return true;
    for (const { after } of this.#directories.values()) if (after > applied) return true;
    return false;
  }
  has(node: number): boolean {
    return this.#nodes.has(node) || this.#unconfirmed.has(node);
  }

  /** Monotonic milliseconds from which on there is something to take. */
  dueMs(applied: bigint): number {
    let due = Infinity;
    for (const { after } of this.#directories.values()) if (after <= applied) return 0;
    for (const waiting of this.#nodes.values()) if (waiting.after <= applied) due = Math.min(due, waiting.dueMs);
    return due;
  }

  add(node: number, range: Range, persistence: Persistence, { dueMs, after }: { readonly dueMs: number; readonly after: bigint }): void {
    const known = this.#nodes.get(node);
    this.#nodes.set(node, {
      low: Math.min(known?.low ?? Infinity, range.low),
      high: Math.max(known?.high ?? 0, range.high),
      mapped: persistence.mapped || (known?.mapped ?? false),
      untilMs: Math.max(persistence.untilMs, known?.untilMs ?? 0),
      dueMs: Math.min(dueMs, known?.dueMs ?? Infinity),
      after: known !== undefined && known.after > after ? known.after : after,
    });
  }

  /** A directory to be looked at with all below it, or only some of its names. */
  addDirectory(directory: number, { names, after }: { readonly names?: readonly string[]; readonly after: bigint }): void {
    const known = this.#directories.get(directory);
    if (known === undefined) {
      this.#directories.set(directory, { names: names === undefined ? undefined : new Set(names), after });
      return;
    }
    if (after > known.after) known.after = after;
    if (names === undefined) known.names = undefined;
    for (const name of names ?? []) known.names?.add(name);
    if (known.names !== undefined && known.names.size > namesMax) known.names = undefined;
  }

  /** Takes out something whose time has come. */
  take(nowMs: number, applied: bigint): HealItem | undefined {
    for (const [node, { low, high, mapped, untilMs, dueMs, after }] of this.#nodes) {
      if (dueMs > nowMs || after > applied) continue;
      this.#nodes.delete(node);
      return { node, low, high, mapped, untilMs };
    }
    return undefined;
  }

  takeDirectories(applied: bigint): Map<number, Set<string> | undefined> {
    const taken = new Map<number, Set<string> | undefined>();
    for (const [directory, { names, after }] of this.#directories) {
      if (after > applied) continue;
      this.#directories.delete(directory);
      taken.set(directory, names);
    }
    return taken;
  }

  takeCauses(): Set<string> {
    const causes = new Set(this.causes);
    this.causes.clear();
    return causes;
  }

  /** It was read when the stream had got to `through`, which is not applied yet. */
  confirm(item: HealItem, through: bigint): void {
    const known = this.#unconfirmed.get(item.node);
    const all = known === undefined ? item : { ...item, low: Math.min(item.low, known.item.low), high: Math.max(item.high, known.item.high), mapped: item.mapped || known.item.mapped, untilMs: Math.max(item.untilMs, known.item.untilMs) };
    this.#unconfirmed.set(item.node, { item: all, through, touched: known?.touched ?? false });
  }

  /** The stream told a change of the node's content. */
  touched(node: number): void {
    const unconfirmed = this.#unconfirmed.get(node);
    if (unconfirmed !== undefined) unconfirmed.touched = true;
  }

  /** The stream is applied: what older changes were applied over is read once more. */
  applied(through: bigint): void {
    for (const [node, unconfirmed] of this.#unconfirmed) {
      if (unconfirmed.through > through) continue;
      this.#unconfirmed.delete(node);
      if (unconfirmed.touched) this.add(node, unconfirmed.item, unconfirmed.item, { dueMs: 0, after: through });
    }
  }

  get state(): HealState {
    return { nodes: this.#nodes, directories: this.#directories, unconfirmed: this.#unconfirmed, causes: this.causes };
  }

  /** Goes on with another's; what was to be read for some time longer is read up to `untilMs`. */
  restore({ nodes, directories, unconfirmed, causes }: HealState, untilMs: number): void {
    const again = <Item extends Persistence>(item: Item): Item => ({ ...item, untilMs: item.untilMs === 0 ? 0 : untilMs });
    for (const [node, waiting] of nodes) this.#nodes.set(node, { ...again(waiting), dueMs: 0 });
    for (const [directory, waiting] of directories) this.#directories.set(directory, { ...waiting });
    for (const [node, { item, ...rest }] of unconfirmed) this.#unconfirmed.set(node, { ...rest, item: again(item) });
    for (const cause of causes) this.causes.add(cause);
  }

  /** Everything is due now. */
  hasten(): void {
    for (const [node, waiting] of this.#nodes) this.#nodes.set(node, { ...waiting, dueMs: 0 });
  }
}
