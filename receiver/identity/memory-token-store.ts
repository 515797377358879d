/** Keeps tokens in memory: for tests and simulation, where a receiver's life ends with the process. */
import type { TokenRecord, TokenStore, TokenUse } from './tokens.js';

export class MemoryTokenStore implements TokenStore {
  readonly #records = new Map<string, TokenRecord>();
  readonly uses: TokenUse[] = [];

  insert(record: TokenRecord): void {
    if (this.#records.has(record.id)) throw new Error(`token ${record.id} exists already`);
    this.#records.set(record.id, record);
  }

  find(id: string): TokenRecord | undefined {
    return this.#records.get(id);
  }

  markUsed(use: TokenUse): boolean {
    const record = this.#records.get(use.id);
    if (record === undefined || record.usedAtMs !== undefined) return false;
    this.#records.set(use.id, { ...record, usedAtMs: use.usedAtMs });
    this.uses.push(use);
    return true;
  }

  records(): TokenRecord[] {
    return [...this.#records.values()];
  }
}
