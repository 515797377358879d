/** A real application to protect: commits numbered rows to a SQLite database in WAL mode until told to stop. */
import { openDatabase } from '../../native/host/database.js';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: sqlite-writer DATABASE');

const database = openDatabase(path);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('wal_autocheckpoint = 200');
database.exec('create table if not exists orders (id integer primary key, customer text not null, cents integer not null, note text not null)');
const insert = database.prepare('insert into orders (customer, cents, note) values (?, ?, ?)');
const update = database.prepare('update orders set cents = cents + 1 where id = ?');
const count = database.prepare('select count(*) as rows from orders');

let stopping = false;
process.on('SIGTERM', () => (stopping = true));

function step(): void {
  if (stopping) {
    const { rows } = count.get() as { rows: number };
    // The connection stays open, so that the write-ahead log stays too: restoring must cope with it.
    process.stdout.write(`${JSON.stringify({ rows })}\n`, () => process.kill(process.pid, 'SIGKILL'));
    return;
  }
  database.transaction(() => {
    const { lastInsertRowid } = insert.run(`customer ${Math.floor(Math.random() * 1000)}`, Math.floor(Math.random() * 100_000), 'x'.repeat(Math.floor(Math.random() * 400)));
    update.run(Math.max(1, Number(lastInsertRowid) - Math.floor(Math.random() * 500)));
  })();
  setTimeout(step, 2);
}
step();
