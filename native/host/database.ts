/**
 * Opens SQLite databases, and keeps them and their statements from the garbage collector.
 *
 * From Node.js 24.19 on `node::ObjectWrap`, which better-sqlite3 is built on, asks its destructor for the
 * environment of the current context (node_object_wrap.h, api/hooks.cc). A collection that starts outside
 * any context has none, and aborts the process. What is never collected is never destroyed there: what
 * was opened and prepared lives as long as the process, and each statement is prepared once.
 */
import Sqlite, { type Database, type Options, type Statement } from 'better-sqlite3';

export type { Database, Statement };

const kept: object[] = [];

/**
 * A database as better-sqlite3 opens it, with three differences: the same SQL gives the same statement,
 * so modes of a statement must not be changed nor rows iterated; `pragma` returns nothing when it sets
 * a value; a closed database keeps some hundred bytes.
 */
export function openDatabase(path: string, options: Options = {}): Database {
  const database = new Sqlite(path, options);
  const prepare = database.prepare.bind(database) as (sql: string) => Statement;
  const statements = new Map<string, Statement>();
  const keep = (statement: Statement): Statement => {
    kept.push(statement);
    return statement;
  };
  const prepareOnce = (sql: string): Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = keep(prepare(sql))));
    return statement;
  };
  const pragma = (source: string, { simple = false }: { readonly simple?: boolean } = {}): unknown => {
    // Many pragmas take effect when they are compiled: setting one again needs compiling it again.
    if (source.includes('=')) return void database.exec(`PRAGMA ${source}`);
    const rows = keep(prepare(`PRAGMA ${source}`)).all() as Record<string, unknown>[];
    return simple ? Object.values(rows[0] ?? {})[0] : rows;
  };
  Object.assign(database, { prepare: prepareOnce, pragma });
  // The database object itself, and the statements that its transactions prepare, hang on this one.
  kept.push(database);
  return database;
}
