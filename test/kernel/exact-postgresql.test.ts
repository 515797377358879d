/** PostgreSQL under load: restored at any instant it starts, recovers, and holds exactly what was committed by then. */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { packageReason } from './debian-package.js';
import { exactSkip, gapCauses, openExactWorld, restoredExactly } from './exact-world.js';

t.setTimeout(900_000);
const execute = promisify(execFile);
const programs = '/usr/lib/postgresql/15/bin';
const clients = 4;
const seconds = 8;
/** AFTERIMAGE_INSTANTS=20 looks at more of them. */
const instants = Number(process.env['AFTERIMAGE_INSTANTS'] ?? 4);

const skip = (await exactSkip('ext4')) || (packageReason(`${programs}/postgres`, 'postgresql-15') ?? false);

/** A server refuses to run as root. */
async function asPostgres(program: string, ...words: string[]): Promise<string> {
  const { stdout } = await execute('setpriv', ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', `${programs}/${program}`, ...words], { maxBuffer: 64 * 1024 * 1024, cwd: '/' });
  return stdout;
}

class Cluster {
  readonly directory: string;
  readonly sockets: string;

  constructor(directory: string, sockets: string) {
    this.directory = directory;
    this.sockets = sockets;
  }

  async start(): Promise<void> {
    // Not waited for by its pipes: the server inherits them.
    await new Promise<void>((resolve, reject) => {
      const words = ['-D', this.directory, '-w', '-t', '120', '-l', `${this.sockets}/log`, '-o', `-k ${this.sockets} -c listen_addresses=''`, 'start'];
      const child = spawn('setpriv', ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', `${programs}/pg_ctl`, ...words], { stdio: 'ignore', cwd: '/' });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl start ended with ${code}`))));
    });
  }

  stop(): Promise<string> {
    return asPostgres('pg_ctl', '-D', this.directory, '-m', 'immediate', '-w', 'stop');
  }

  query(sql: string): Promise<string> {
    return asPostgres('psql', '-h', this.sockets, '-d', 'postgres', '-v', 'ON_ERROR_STOP=1', '-qAtc', sql);
  }
}

/** When each client's transactions returned, in milliseconds since the epoch, from pgbench's logs. */
async function returnTimes(directory: string): Promise<number[][]> {
  const times: number[][] = Array.from({ length: clients }, () => []);
  for (const name of (await readdir(directory)).filter((each) => each.startsWith('transactions'))) {
    for (const line of (await readFile(join(directory, name), 'latin1')).split('\n')) {
      const fields = line.split(' ').map(Number);
      if (fields.length >= 6) times[fields[0]!]!.push(fields[4]! * 1000 + fields[5]! / 1000);
    }
  }
  for (const each of times) each.sort((a, b) => a - b);
  return times;
}

t.test('every instant is one that a power cut could have left', { skip }, async (t) => {
  await using exact = await openExactWorld('ext4', { sizeBytes: 4 * 1024 ** 3, agentArguments: ['--ring-bytes', '256MiB'] });
  const { world, source } = exact;
  const { agent, work } = world;
  // Directories for temporary files are their owner's alone.
  await execute('chmod', ['a+rx', work.directory, join(source, '..'), join(source, '..', '..'), source]);
  const ids = await Promise.all(['-u', '-g'].map(async (which) => Number((await execute('id', [which, 'postgres'])).stdout)));
  const owner = async (path: string): Promise<string> => {
    await mkdir(path, { recursive: true });
    await chown(path, ids[0]!, ids[1]!);
    return path;
  };
  const sockets = await owner(work.path('sockets'));
  const logs = await owner(work.path('logs'));
  const cluster = new Cluster(join(await owner(join(source, 'pg')), 'data'), sockets);
  await asPostgres('initdb', '-D', cluster.directory, '--auth=trust', '--no-instructions');
  await cluster.start();
  try {
    await cluster.query(`create table done (client int, n int, primary key (client, n)); create table accounts (id int primary key, balance int not null); insert into accounts select g, 0 from generate_series(1, 20000) g; ${Array.from({ length: clients }, (_, client) => `create sequence count_${client}`).join('; ')}`);
    const script = work.path('transaction.sql');
    await writeFile(script, `\\set from random(1, 20000)\n\\set to random(1, 20000)\nbegin;\nupdate accounts set balance = balance - 1 where id = least(:from, :to);\nupdate accounts set balance = balance + 1 where id = greatest(:from, :to);\ninsert into done select :client_id, coalesce(max(n), 0) + 1 from done where client = :client_id;\nend;\n`);
    await asPostgres('pgbench', '-h', sockets, '-n', '-c', `${clients}`, '-j', '2', '-T', `${seconds}`, '-f', script, '-l', `--log-prefix=${join(logs, 'transactions')}`, 'postgres');
    await agent.command('flush');
  } finally {
    await cluster.stop();
  }
  const returned = await returnTimes(logs);
  const total = returned.reduce((sum, each) => sum + each.length, 0);
  t.ok(total > clients, `${total} transactions`);
  const first = Math.min(...returned.map((each) => each[0]!));
  const last = Math.max(...returned.map((each) => each.at(-1)!));
  let looked = 0;
  for (let instant = 0; instant < instants; instant += 1) {
    const atMs = Math.floor(first + ((last - first) * (instant + 0.5)) / instants);
    const target = work.path(`restored-${instant}`);
    if (!(await restoredExactly(world, { volume: 'data', at: new Date(atMs).toISOString(), to: target }))) continue;
    looked += 1;
    const restored = new Cluster(join(target, 'pg', 'data'), await owner(work.path(`sockets-${instant}`)));
    await restored.start();
    try {
      const rows = (await restored.query('select client, count(*), max(n) from done group by client order by client')).trim().split('\n').map((line) => line.split('|').map(Number));
      for (const [client, times] of returned.entries()) {
        const committed = times.filter((time) => time < atMs).length;
        const [, count = 0, max = 0] = rows.find(([each]) => each === client) ?? [];
        // The one under way at that instant may be committed already.
        if (count !== max || count < committed || count > committed + 1) t.fail(`at ${new Date(atMs).toISOString()} client ${client} had ${committed} transactions returned, and ${count} rows up to ${max} are there`);
      }
      t.equal((await restored.query('select sum(balance) from accounts')).trim(), '0', `instant ${instant}: money is neither made nor lost`);
    } finally {
      await restored.stop();
    }
  }
  t.ok(looked > 0, `${looked} of ${instants} instants are exact`);
  t.comment(`${total} transactions; gaps: ${(await gapCauses(world)).join('; ') || 'none'}`);
});
