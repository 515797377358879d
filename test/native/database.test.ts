/** Databases whose statements are prepared once and kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../native/host/database.js';

t.test('the same SQL gives the same statement, and each database its own', async (t) => {
  const [one, other] = [openDatabase(':memory:'), openDatabase(':memory:')];
  for (const database of [one, other]) database.exec('CREATE TABLE rows (value INTEGER)');
  const insert = 'INSERT INTO rows VALUES (?)';
  t.equal(one.prepare(insert), one.prepare(insert));
  t.not(one.prepare(insert), other.prepare(insert));
  one.prepare(insert).run(1);
  t.strictSame([one, other].map((database) => database.prepare('SELECT * FROM rows').all()), [[{ value: 1 }], []]);
  t.throws(() => one.prepare('SELECT value FROM nowhere'), /no such table/);
  one.close();
  t.throws(() => one.prepare(insert).run(2), /not open/);
  other.close();
});

t.test('a pragma set again takes effect again', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-database-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const database = openDatabase(join(directory, 'file.db'));
  for (const [name, number] of [['FULL', 2], ['NORMAL', 1], ['FULL', 2], ['NORMAL', 1]] as const) {
    database.pragma(`synchronous = ${name}`);
    t.equal(database.pragma('synchronous', { simple: true }), number, name);
  }
  database.pragma('journal_mode = WAL');
  t.strictSame(database.pragma('journal_mode'), [{ journal_mode: 'wal' }]);
  database.close();
});

t.test('a transaction that throws leaves nothing', async (t) => {
  const database = openDatabase(':memory:');
  database.exec('CREATE TABLE rows (value INTEGER)');
  t.throws(() => database.transaction(() => {
    database.prepare('INSERT INTO rows VALUES (1)').run();
    throw new Error('stop');
  }).immediate(), /stop/);
  t.strictSame(database.prepare('SELECT count(*) AS rows FROM rows').get(), { rows: 0 });
  database.close();
});
