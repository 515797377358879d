/** What a journal's replica knows of its volumes, durable at once: generations, and how far each may have been touched. */
import type { Database } from '../../native/host/database.js';
import type { Sequence, VolumeId, VolumeKind } from '../../proto/change.js';
import { fromStored, prepareDatabase, toStored } from './databases.js';

/** A volume as the registry has it. */
export interface VolumeRecord {
  readonly volume: VolumeId;
  readonly kind: VolumeKind;
  readonly name: string;
  /** The sequence of its definition: a rebuild begins there. */
  readonly definedAt: Sequence;
  /** Which of its generations is the one to be seen; 0 while there is none. */
  readonly generation: number;
  /** The generation that is being built to take its place. */
  readonly rebuilding: number | undefined;
  /** The rebuilt generation is whole and was, or is about to be, put in place. */
  readonly swapping: boolean;
  readonly rebuilds: number;
  /** Why the last rebuild was begun. */
  readonly rebuildCause: string;
  /** Why it is no longer applied to; undefined while it is. */
  readonly failure: string | undefined;
}

interface VolumeRow {
  readonly volume: bigint;
  readonly kind: VolumeKind;
  readonly name: string;
  readonly defined_at: bigint;
  readonly generation: bigint;
  readonly rebuilding: bigint | null;
  readonly swapping: bigint;
  readonly rebuilds: bigint;
  readonly rebuild_cause: string;
  readonly failure: string | null;
}

/** How far a generation may have been touched, and up to where there was nothing more for it. */
export interface Reach {
  /** Nothing past this was ever applied. */
  readonly intendedThrough: Sequence;
  /** The volume has no changes between its last checkpoint and this. */
  readonly quietThrough: Sequence;
}

const schema = `
  CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY CHECK (id = 1), read_through INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS volumes (
    volume INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, defined_at INTEGER NOT NULL, generation INTEGER NOT NULL,
    rebuilding INTEGER, swapping INTEGER NOT NULL, rebuilds INTEGER NOT NULL, rebuild_cause TEXT NOT NULL, failure TEXT
  );
  CREATE TABLE IF NOT EXISTS reaches (
    volume INTEGER NOT NULL, generation INTEGER NOT NULL, intended_through INTEGER NOT NULL, quiet_through INTEGER NOT NULL,
    PRIMARY KEY (volume, generation)
  ) WITHOUT ROWID;
`;

/** Every change is a transaction of its own, synced before it returns. */
export class Registry {
  readonly database: Database;

  constructor(database: Database) {
    this.database = database;
    prepareDatabase(database);
    database.exec(schema);
  }

  /** Definitions of volumes were looked for up to here. */
  get readThrough(): Sequence {
    const row = this.database.prepare<[], { read_through: bigint }>('SELECT read_through FROM journal').get();
    return fromStored(row?.read_through ?? 0n) as Sequence;
  }

  volumes(): VolumeRecord[] {
    return this.database.prepare<[], VolumeRow>('SELECT * FROM volumes ORDER BY volume').all().map(recordOf);
  }

  volume(volume: VolumeId): VolumeRecord | undefined {
    const row = this.database.prepare<[number], VolumeRow>('SELECT * FROM volumes WHERE volume = ?').get(volume);
    return row === undefined ? undefined : recordOf(row);
  }

  put(record: VolumeRecord): void {
    const { volume, kind, name, definedAt, generation, rebuilding, swapping, rebuilds, rebuildCause, failure } = record;
    this.database
      .prepare('INSERT OR REPLACE INTO volumes (volume, kind, name, defined_at, generation, rebuilding, swapping, rebuilds, rebuild_cause, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(volume, kind, name, toStored(definedAt), generation, rebuilding ?? null, swapping ? 1 : 0, rebuilds, rebuildCause, failure ?? null);
  }

  reach(volume: VolumeId, generation: number): Reach {
    const row = this.database
      .prepare<[number, number], { intended_through: bigint; quiet_through: bigint }>('SELECT intended_through, quiet_through FROM reaches WHERE volume = ? AND generation = ?')
      .get(volume, generation);
    return { intendedThrough: fromStored(row?.intended_through ?? 0n) as Sequence, quietThrough: fromStored(row?.quiet_through ?? 0n) as Sequence };
  }

  /** Says, before anything is touched, how far it may go. */
  setIntent(volume: VolumeId, generation: number, intendedThrough: Sequence): void {
    this.database
      .prepare('INSERT INTO reaches VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET intended_through = excluded.intended_through')
      .run(volume, generation, toStored(intendedThrough));
  }

  /** Saves reading again, after a restart, what holds nothing for these volumes. */
  setQuiet(readThrough: Sequence, quiet: readonly { readonly volume: VolumeId; readonly generation: number; readonly through: Sequence }[]): void {
    this.database.transaction(() => {
      this.database.prepare('INSERT OR REPLACE INTO journal (id, read_through) VALUES (1, ?)').run(toStored(readThrough));
      const set = this.database.prepare('INSERT INTO reaches VALUES (?, ?, 0, ?) ON CONFLICT DO UPDATE SET quiet_through = excluded.quiet_through');
      for (const { volume, generation, through } of quiet) set.run(volume, generation, toStored(through));
    })();
  }

  forgetGeneration(volume: VolumeId, generation: number): void {
    this.database.prepare('DELETE FROM reaches WHERE volume = ? AND generation = ?').run(volume, generation);
  }
}

function recordOf(row: VolumeRow): VolumeRecord {
  return {
    volume: Number(row.volume) as VolumeId,
    kind: row.kind,
    name: row.name,
    definedAt: fromStored(row.defined_at) as Sequence,
    generation: Number(row.generation),
    rebuilding: row.rebuilding === null ? undefined : Number(row.rebuilding),
    swapping: row.swapping !== 0n,
    rebuilds: Number(row.rebuilds),
    rebuildCause: row.rebuild_cause,
    failure: row.failure ?? undefined,
  };
}
