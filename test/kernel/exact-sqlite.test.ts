/** SQLite under load: restored at any instant it is whole, and holds exactly what was committed by then. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { openDatabase } from '../../native/host/database.js';
import { hostName, type World } from '../end-to-end/world.js';
import { assertSame, exactSkip, gapCauses, openExactWorld, restoredExactly } from './exact-world.js';

t.setTimeout(600_000);
const execute = promisify(execFile);
const skip = await exactSkip('ext4');
/** AFTERIMAGE_INSTANTS=20 looks at more of them. */
const instants = Number(process.env['AFTERIMAGE_INSTANTS'] ?? 4);
const writer = fileURLToPath(new URL('workload/sqlite-commits.js', import.meta.url));

/**
 * In WAL mode readers and writers share an index of the log through a memory mapping, which is never
 * exact to the instant; it is made anew from the log by whoever opens the database first. So there the
 * volume is labelled as converging for as long as the database is open, and its files are exact all the same.
 */
async function restored(world: World, mode: string, options: { readonly volume: string; readonly at: string; readonly to: string }): Promise<boolean> {
  if (mode !== 'wal') return restoredExactly(world, options);
  await world.receiver.command('restore', '--host', hostName, '--volume', options.volume, '--at', options.at, '--to', options.to);
  return true;
}

for (const mode of ['wal', 'delete', 'truncate', 'persist']) {
  t.test(`journal mode ${mode}`, { skip }, async (t) => {
    await using exact = await openExactWorld('ext4', { agentArguments: ['--ring-bytes', '256MiB'] });
    const { world, source } = exact;
    const log = world.work.path('commits');
    await execute(process.execPath, [writer, join(source, 'db'), mode, log, '4']);
    await assertSame(t, exact, 'the same at the end');
    const returnedMs = (await readFile(log, 'latin1')).trim().split('\n').map(Number);
    t.ok(returnedMs.length > 10, `${returnedMs.length} commits`);
    const [first, last] = [returnedMs[0]!, returnedMs.at(-1)!];
    let looked = 0;
    for (let instant = 0; instant < instants; instant += 1) {
      const atMs = Math.floor(first + ((last - first) * (instant + 0.5)) / instants);
      const to = world.work.path(`restored-${instant}`);
      if (!(await restored(world, mode, { volume: 'data', at: new Date(atMs).toISOString(), to }))) continue;
      looked += 1;
      const database = openDatabase(join(to, 'db'));
      const integrity = database.pragma('integrity_check', { simple: true });
      const { count, max } = database.prepare('select count(*) as count, max(n) as max from done').get() as { count: number; max: number };
      const { sum } = database.prepare('select sum(balance) as sum from accounts').get() as { sum: number };
      database.close();
      const committed = returnedMs.filter((time) => time < atMs).length;
      t.equal(integrity, 'ok');
      t.equal(sum, 0, 'transactions are whole');
      // The one under way at that instant may be committed already.
      t.ok(count === max && count >= committed && count <= committed + 1, `at ${new Date(atMs).toISOString()} ${committed} commits had returned, and ${count} rows up to ${max} are there`);
    }
    t.ok(looked > 0, `${looked} of ${instants} instants`);
    t.comment((await gapCauses(world)).join('\n') || 'no gaps');
  });
}
