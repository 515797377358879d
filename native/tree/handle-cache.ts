/** Open handles by number, at most so many: the one unused for longest is closed first, none while in use. */

interface Handle {
  close(): Promise<void>;
}

interface Slot<H> {
  readonly opened: Promise<H>;
  uses: number;
}

export class HandleCache<H extends Handle> {
  readonly #slots = new Map<number, Slot<H>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(key: number): boolean {
    return this.#slots.has(key);
  }

  /** Runs `use` with the handle of `key`, which `open` opens when it is not there. It stays open meanwhile. */
  async use<Result>(key: number, open: () => Promise<H>, use: (handle: H) => Promise<Result>): Promise<Result> {
    let slot = this.#slots.get(key);
    if (slot === undefined) slot = { opened: open(), uses: 0 };
    else this.#slots.delete(key);
    // Put in last again: the first of the map is the one unused for longest.
    this.#slots.set(key, slot);
    slot.uses += 1;
    try {
      const handle = await slot.opened;
      await this.#evict();
      return await use(handle);
    } catch (error) {
      // A handle that could not be opened must not be offered again.
      if (slot.uses === 1 && this.#slots.get(key) === slot && (await slot.opened.then(() => false, () => true))) this.#slots.delete(key);
      throw error;
    } finally {
      slot.uses -= 1;
    }
  }

  /** Closes one handle, when it is there and not in use. */
  async close(key: number): Promise<void> {
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.uses > 0) return;
    this.#slots.delete(key);
    await closed(slot);
  }

  async closeAll(): Promise<void> {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    await Promise.all(slots.map(closed));
  }

  async #evict(): Promise<void> {
    if (this.#slots.size <= this.#limit) return;
    for (const [key, slot] of this.#slots) {
      if (slot.uses > 0) continue;
      this.#slots.delete(key);
      await closed(slot);
      if (this.#slots.size <= this.#limit) return;
    }
  }
}

async function closed<H extends Handle>(slot: Slot<H>): Promise<void> {
  const handle = await slot.opened.catch(() => undefined);
  await handle?.close();
}
