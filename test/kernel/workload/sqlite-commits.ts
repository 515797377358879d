/** Commits numbered rows to a SQLite database for some seconds, and writes to a log beside when each commit had returned. */
import { openSync, writeSync } from 'node:fs';
import { openDatabase } from '../../../native/host/database.js';

const [path, mode, log, seconds] = process.argv.slice(2);
if (path === undefined || mode === undefined || log === undefined || seconds === undefined) throw new Error('usage: sqlite-commits DATABASE wal|delete LOG SECONDS');

const database = openDatabase(path);
database.pragma(`journal_mode = ${mode}`);
database.pragma('synchronous = FULL');
database.pragma('wal_autocheckpoint = 100');
database.exec('create table if not exists done (n integer primary key, note text not null); create table if not exists accounts (id integer primary key, balance integer not null)');
const insert = database.prepare('insert into done (n, note) values (?, ?)');
const move = database.prepare('update accounts set balance = balance + ? where id = ?');
const account = database.prepare('insert or ignore into accounts values (?, 0)');
const accounts = 500;
database.transaction(() => {
  for (let id = 0; id < accounts; id += 1) account.run(id);
})();

const file = openSync(log, 'w');
const endMs = performance.now() + 1000 * Number(seconds);
for (let n = 1; performance.now() < endMs; n += 1) {
  database.transaction(() => {
    insert.run(n, 'x'.repeat(n % 900));
    move.run(-1, (n * 7) % accounts);
    move.run(1, (n * 13) % accounts);
  })();
  writeSync(file, `${performance.timeOrigin + performance.now()}\n`);
}
database.close();
