/** The tables of the capture index, and their version. */
import type { Database } from '../../../native/host/database.js';
import { FormatError } from '../../../proto/errors.js';

export const indexVersion = 1;

const tables = `
  CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE volumes (
    volume INTEGER PRIMARY KEY,
    next_node INTEGER NOT NULL,
    next_gap INTEGER NOT NULL,
    baseline TEXT NOT NULL,
    known_through_ns TEXT,
    settled_ns TEXT,
    root_device TEXT
  );
  -- identity: the inode as the file system names it; signature: size and times when it was last captured whole.
  CREATE TABLE nodes (
    volume INTEGER NOT NULL, node INTEGER NOT NULL,
    kind TEXT NOT NULL, links INTEGER NOT NULL, size INTEGER NOT NULL,
    mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, modify_ns TEXT NOT NULL,
    identity TEXT, signature TEXT, verify_after_ms INTEGER NOT NULL,
    target BLOB, device TEXT, xattrs TEXT,
    PRIMARY KEY (volume, node)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX nodes_identity ON nodes (volume, identity) WHERE identity IS NOT NULL;
  CREATE TABLE links (
    volume INTEGER NOT NULL, parent INTEGER NOT NULL, name BLOB NOT NULL, node INTEGER NOT NULL,
    PRIMARY KEY (volume, parent, name)
  ) WITHOUT ROWID;
  CREATE INDEX links_node ON links (volume, node);
  CREATE TABLE hashes (
    volume INTEGER NOT NULL, node INTEGER NOT NULL, chunk INTEGER NOT NULL, digests BLOB NOT NULL,
    PRIMARY KEY (volume, node, chunk)
  ) WITHOUT ROWID;
  CREATE TABLE gaps (
    volume INTEGER NOT NULL, gap INTEGER NOT NULL, label TEXT NOT NULL, cause TEXT NOT NULL, since_ns TEXT NOT NULL,
    PRIMARY KEY (volume, gap)
  ) WITHOUT ROWID;
`;

/** Makes the tables in a new database; refuses one of another version. */
export function prepareSchema(database: Database, path: string): void {
  // FULL: a commit lets the spool forget changes, so it must not be undone by power loss.
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('cache_size = -16384');
  const version = database.pragma('user_version', { simple: true });
  if (version === indexVersion) return;
  if (version !== 0) throw new FormatError('open capture index', { path, version, expected: indexVersion });
  database.exec(`BEGIN; ${tables}; PRAGMA user_version = ${indexVersion}; COMMIT;`);
}
