/** Rows of a table kept in memory and written back late; knows what a batch that is dropped has to undo. */

export interface RowCacheOptions<Row> {
  readonly read: (volume: number, node: number, part: number) => Row | undefined;
  readonly write: (volume: number, node: number, part: number, row: Row) => void;
  /** What keeps a row as it is now; rows that are replaced and never altered in place need no copy. */
  readonly copy: (row: Row) => Row;
  /** A copy is not needed any more. */
  readonly discard?: (copy: Row) => void;
  /** Rows kept past their batch. */
  readonly rowsMax: number;
}

interface Entry<Row> {
  readonly volume: number;
  readonly node: number;
  readonly part: number;
  row: Row;
  /** Not in the table as it is here. */
  dirty: boolean;
  /** Altered, written or forgotten since the batch began. */
  isInBatch: boolean;
  /** The row when the batch began, where the table did not hold that. */
  before: Row | undefined;
}

/**
 * Named by volume, node and part. The table's own transaction has a savepoint for each batch: `drop` goes
 * with rolling back to it, `keep` with releasing it. What a batch alters may stay here unwritten past its end.
 */
export class RowCache<Row> {
  readonly #options: RowCacheOptions<Row>;
  readonly #volumes = new Map<number, Map<number, Map<number, Entry<Row>>>>();
  #count = 0;
  readonly #dirty = new Set<Entry<Row>>();
  #batch: Entry<Row>[] = [];

  constructor(options: RowCacheOptions<Row>) {
    this.#options = options;
  }

  /** The row; not to be altered in place. */
  get(volume: number, node: number, part = 0): Row | undefined {
    return this.#entry(volume, node, part)?.row;
  }

  /** The row, to be altered in place at once; undefined when there is none. */
  alter(volume: number, node: number, part = 0): Row | undefined {
    const entry = this.#entry(volume, node, part);
    if (entry !== undefined) this.#touch(entry);
    return entry?.row;
  }

  /** Puts a row in the place of what was there, or where nothing was. */
  set(volume: number, node: number, part: number, row: Row): void {
    const entry = this.#entry(volume, node, part);
    if (entry === undefined) {
      const made = this.#put({ volume, node, part, row, dirty: false, isInBatch: false, before: undefined });
      this.#touch(made);
      return;
    }
    this.#touch(entry);
    entry.row = row;
  }

  /** The table is about to be changed or asked about in another way. */
  writeBack(): void {
    for (const entry of this.#dirty) this.#write(entry);
    this.#dirty.clear();
  }

  /** Writes one row, and forgets it: the table is about to change it. */
  release(volume: number, node: number, part = 0): void {
    const entry = this.#volumes.get(volume)?.get(node)?.get(part);
    if (entry === undefined) return;
    if (entry.dirty) this.#write(entry);
    this.#dirty.delete(entry);
    this.#remove(entry);
  }

  /** Forgets the parts of a node from one on, without writing them: the table is about to lose them. */
  forgetParts(volume: number, node: number, from = 0): void {
    const parts = this.#volumes.get(volume)?.get(node);
    if (parts === undefined) return;
    for (const entry of parts.values()) {
      if (entry.part < from) continue;
      if (entry.dirty) this.#note(entry);
      entry.dirty = false;
      this.#dirty.delete(entry);
      this.#remove(entry);
    }
  }

  /** Writes everything back and forgets it. */
  forget(): void {
    this.writeBack();
    this.#clear();
  }

  /** The batch is kept. */
  keep(): void {
    if (this.#count > this.#options.rowsMax) this.writeBack();
    for (const entry of this.#batch) {
      entry.isInBatch = false;
      if (entry.before !== undefined) this.#options.discard?.(entry.before);
      entry.before = undefined;
    }
    this.#batch = [];
    if (this.#count > this.#options.rowsMax) this.#clear();
  }

  /** The batch is undone, in the table too. */
  drop(): void {
    const unwritten = new Set<Entry<Row>>();
    for (const entry of this.#batch) {
      entry.isInBatch = false;
      this.#dirty.delete(entry);
      if (entry.before === undefined) continue;
      entry.row = entry.before;
      entry.before = undefined;
      entry.dirty = true;
      unwritten.add(entry);
    }
    this.#batch = [];
    // What was only read may be of the batch as well.
    for (const entry of this.#dirty) unwritten.add(entry);
    this.#clear();
    for (const entry of unwritten) {
      this.#put(entry);
      this.#dirty.add(entry);
    }
  }

  /** All that was not committed is undone. */
  abandon(): void {
    this.#dirty.clear();
    this.#batch = [];
    this.#clear();
  }

  #entry(volume: number, node: number, part: number): Entry<Row> | undefined {
    const known = this.#volumes.get(volume)?.get(node)?.get(part);
    if (known !== undefined) return known;
    const row = this.#options.read(volume, node, part);
    return row === undefined ? undefined : this.#put({ volume, node, part, row, dirty: false, isInBatch: false, before: undefined });
  }

  #put(entry: Entry<Row>): Entry<Row> {
    let nodes = this.#volumes.get(entry.volume);
    if (nodes === undefined) this.#volumes.set(entry.volume, (nodes = new Map()));
    let parts = nodes.get(entry.node);
    if (parts === undefined) nodes.set(entry.node, (parts = new Map()));
    parts.set(entry.part, entry);
    this.#count += 1;
    return entry;
  }

  #remove({ volume, node, part }: Entry<Row>): void {
    const nodes = this.#volumes.get(volume);
    const parts = nodes?.get(node);
    if (parts?.delete(part) !== true) return;
    this.#count -= 1;
    if (parts.size === 0) nodes!.delete(node);
  }

  #clear(): void {
    this.#volumes.clear();
    this.#count = 0;
  }

  #touch(entry: Entry<Row>): void {
    this.#note(entry);
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.add(entry);
  }

  /** Takes down what the entry was when the batch began. */
  #note(entry: Entry<Row>): void {
    if (entry.isInBatch) return;
    entry.isInBatch = true;
    this.#batch.push(entry);
    if (entry.dirty) entry.before = this.#options.copy(entry.row);
  }

  #write(entry: Entry<Row>): void {
    this.#note(entry);
    this.#options.write(entry.volume, entry.node, entry.part, entry.row);
    entry.dirty = false;
  }
}
