/** The catalogue: what there is, in SQLite. All but hosts, identities, tokens and audit can be rebuilt from the segments. */
import { openDatabase, type Database } from '../../native/host/database.js';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { checkSchema, prepareSchema } from './catalogue-schema.js';
import { AccessTables } from './access-tables.js';
import { JournalTables } from './journal-tables.js';
import { StateTables } from './state-tables.js';

export interface CatalogueOptions {
  /** The database file; ':memory:' keeps nothing. */
  readonly path: string;
  readonly readOnly?: boolean;
}

const busyTimeoutMs = 5000;

export class Catalogue implements Disposable {
  readonly #database: Database;
  /** Hosts, identities, tokens, audit: their writes return once they survive power loss. */
  readonly access: AccessTables;
  /** Segments, volumes and control changes: a view of the journals. */
  readonly journals: JournalTables;
  /** What hosts and replicas reported last. */
  readonly state: StateTables;

  private constructor(database: Database) {
    this.#database = database;
    this.access = new AccessTables(database, (run) => this.#durably(run));
    this.journals = new JournalTables(database);
    this.state = new StateTables(database);
  }

  /** Opens or makes the catalogue. Throws UsageError when a newer program made it. */
  static open({ path, readOnly = false }: CatalogueOptions): Catalogue {
    if (!readOnly && path !== ':memory:') restrict(path);
    const database = openDatabase(path, { readonly: readOnly, fileMustExist: readOnly, timeout: busyTimeoutMs });
    try {
      // 64-bit values are exact as BigInt only.
      database.defaultSafeIntegers(true);
      if (readOnly) checkSchema(database, path);
      else {
        database.pragma('journal_mode = WAL');
        // Most of it can be rebuilt, so commits need no sync; those that cannot ask for one.
        database.pragma('synchronous = NORMAL');
        prepareSchema(database, path);
      }
      return new Catalogue(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Runs several writes as one. */
  together<T>(run: () => T): T {
    return this.#database.transaction(run).immediate();
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #durably<T>(run: () => T): T {
    this.#database.pragma('synchronous = FULL');
    try {
      return this.#database.transaction(run).immediate();
    } finally {
      this.#database.pragma('synchronous = NORMAL');
    }
  }
}

/** It holds token digests: for its owner only, whatever the umask. SQLite gives its side files the same mode. */
function restrict(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
