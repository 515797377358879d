/**
 * The catalogue's tables, by version.
 *
 * Unsigned 64-bit values (sequences, and times, which a host may claim as it likes) are INTEGER up to
 * 2^63 - 1 and 8-byte big-endian BLOBs above. SQLite sorts every BLOB after every INTEGER and BLOBs
 * bytewise, so such a column sorts and compares as unsigned, exactly, and stays readable in practice.
 * Tables are STRICT; the type ANY stands for "unsigned 64-bit".
 */
import type { Database } from '../../native/host/database.js';
import { UsageError } from '../../proto/errors.js';

export const schemaVersion = 1;

/** Entry `n` takes a catalogue from version n to n + 1. */
const steps: readonly string[] = [
  `
  CREATE TABLE hosts (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    journal BLOB NOT NULL UNIQUE,
    created_ns ANY NOT NULL,
    platform TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    last_seen_ns ANY,
    connected INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE identities (
    serial TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    fingerprint TEXT,
    issued_ms INTEGER,
    not_after_ms INTEGER,
    revoked_ms INTEGER
  ) STRICT;
  CREATE INDEX identities_by_name ON identities (name, role);
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    secret_digest BLOB NOT NULL,
    host TEXT NOT NULL,
    role TEXT NOT NULL,
    issued_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER,
    used_serial TEXT
  ) STRICT;
  CREATE TABLE audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ns ANY NOT NULL,
    identity TEXT NOT NULL,
    act TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;

  CREATE TABLE journals (
    journal BLOB PRIMARY KEY,
    catalogued_through ANY NOT NULL,
    catalogued_ns ANY NOT NULL
  ) STRICT;
  CREATE TABLE segments (
    journal BLOB NOT NULL,
    first_sequence ANY NOT NULL,
    last_sequence ANY NOT NULL,
    first_ns ANY NOT NULL,
    last_ns ANY NOT NULL,
    frames_bytes INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    PRIMARY KEY (journal, first_sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE volumes (
    journal BLOB NOT NULL,
    volume INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    path BLOB NOT NULL,
    engine TEXT NOT NULL,
    platform TEXT NOT NULL,
    defined_sequence ANY NOT NULL,
    defined_ns ANY NOT NULL,
    retired_sequence ANY,
    retired_ns ANY,
    PRIMARY KEY (journal, volume)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE control_changes (
    journal BLOB NOT NULL,
    sequence ANY NOT NULL,
    time_ns ANY NOT NULL,
    volume INTEGER NOT NULL,
    kind TEXT NOT NULL,
    change BLOB NOT NULL,
    PRIMARY KEY (journal, sequence)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE ingest_state (
    journal BLOB PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'ok',
    message TEXT NOT NULL DEFAULT '',
    durable_through ANY NOT NULL DEFAULT 0,
    durable_ns ANY NOT NULL DEFAULT 0,
    captured_through ANY NOT NULL DEFAULT 0,
    captured_ns ANY NOT NULL DEFAULT 0,
    oldest_undurable_ns ANY NOT NULL DEFAULT 0,
    undurable_bytes INTEGER NOT NULL DEFAULT 0,
    spool_bytes INTEGER NOT NULL DEFAULT 0,
    reported_ns ANY NOT NULL DEFAULT 0,
    updated_ns ANY NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE volume_reports (
    journal BLOB NOT NULL,
    volume INTEGER NOT NULL,
    label TEXT NOT NULL,
    cause TEXT NOT NULL,
    phase TEXT NOT NULL,
    settled INTEGER NOT NULL,
    gaps INTEGER NOT NULL,
    report_count INTEGER NOT NULL,
    updated_ns ANY NOT NULL,
    PRIMARY KEY (journal, volume)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE replica_state (
    journal BLOB NOT NULL,
    volume INTEGER NOT NULL,
    applied_through ANY NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    updated_ns ANY NOT NULL,
    PRIMARY KEY (journal, volume)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Brings a database to this program's schema. Throws UsageError when a newer program made it. */
export function prepareSchema(database: Database, path: string): void {
  database.transaction(() => {
    const version = Number(database.pragma('user_version', { simple: true }));
    checkVersion(version, path);
    for (const step of steps.slice(version)) database.exec(step);
    if (version < schemaVersion) database.pragma(`user_version = ${schemaVersion}`);
  }).immediate();
}

/** For a database that is opened for reading only. */
export function checkSchema(database: Database, path: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  checkVersion(version, path);
  if (version < schemaVersion) throw new UsageError(`${path} has schema version ${version}, this program needs ${schemaVersion}: run afterimage-receiver serve once, which brings it up to date`);
}

function checkVersion(version: number, path: string): void {
  if (version > schemaVersion) throw new UsageError(`${path} has schema version ${version}; this program knows ${schemaVersion} at most: use the newer program that made it`);
}

/** An unsigned 64-bit value as a column holds it. */
export function toColumn(value: bigint): bigint | Buffer {
  if (value < 0n || value >= 2n ** 64n) throw new RangeError(`${value} is no unsigned 64-bit value`);
  if (value < 2n ** 63n) return value;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function fromColumn(value: bigint | Buffer): bigint {
  return typeof value === 'bigint' ? value : value.readBigUInt64BE(0);
}
