/** The SQLite files that a journal's replica keeps its own state in: the seam that simulation replaces. */
import type { Database } from '../../native/host/database.js';

export interface ReplicaDatabases {
  /** Opens a database by a plain name, creating it when it is missing. */
  open(name: string): Database;
  close(name: string, database: Database): void;
  /** Removes a database that is not open; no error when there is none. */
  remove(name: string): void;
}

export const registryName = 'replica';

export const volumeDatabaseName = (volume: number, generation: number): string => `volume-${volume}-${generation}`;

/** What makes a commit survive power loss, and a long transaction stay within bounded memory. */
export function prepareDatabase(database: Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('temp_store = FILE');
  database.pragma('cache_size = -16384');
  database.defaultSafeIntegers(true);
}

/** An unsigned 64-bit value as SQLite stores integers: the same 64 bits, read as signed. */
export const toStored = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Back from `toStored`. */
export const fromStored = (value: bigint): bigint => BigInt.asUintN(64, value);

/** SQLite says that the file is not what it wrote: nothing in it can be used. */
export function isDamagedDatabase(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB' || (typeof code === 'string' && code.startsWith('SQLITE_CORRUPT_'));
}
