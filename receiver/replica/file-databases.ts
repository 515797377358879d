/** The replica's SQLite files in one directory of the local disk. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../native/host/database.js';
import type { ReplicaDatabases } from './databases.js';

export class FileDatabases implements ReplicaDatabases {
  readonly #directory: string;

  /** Makes the directory when it is missing, with mode 0700. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  open(name: string): Database {
    return openDatabase(this.#path(name));
  }

  close(_name: string, database: Database): void {
    database.close();
  }

  remove(name: string): void {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(this.#path(name) + suffix, { force: true });
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.db`);
  }
}
