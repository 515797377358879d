/** MariaDB under load, with O_DIRECT and asynchronous I/O: restored at any instant it starts, recovers, and holds what was committed by then. */
import { spawn, type ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import t from 'tap';
import { packageReason } from './debian-package.js';
import { exactSkip, gapCauses, openExactWorld, restoredExactly } from './exact-world.js';

t.setTimeout(900_000);
const execute = promisify(execFile);
const clients = 4;
const seconds = 8;
const accounts = 5000;
/** AFTERIMAGE_INSTANTS=20 looks at more of them. */
const instants = Number(process.env['AFTERIMAGE_INSTANTS'] ?? 4);
const program = '/usr/sbin/mariadbd';
const skip = (await exactSkip('ext4')) || (packageReason(program, 'mariadb-server') ?? false);

/** A server of the test's own: its data, its socket, no network. */
class Server {
  readonly #directory: string;
  readonly socket: string;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(directory: string, socket: string) {
    this.#directory = directory;
    this.socket = socket;
  }

  async start(): Promise<void> {
    const words = ['--no-defaults', '--user=root', `--datadir=${this.#directory}`, `--socket=${this.socket}`, '--skip-networking', '--skip-name-resolve', '--innodb-flush-method=O_DIRECT', '--innodb-use-native-aio=ON', '--innodb-buffer-pool-size=32M', '--innodb-log-file-size=16M', '--innodb-flush-log-at-trx-commit=1', `--pid-file=${this.socket}.pid`];
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-20_000)));
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended:\n${this.#said}`);
      if (await this.query('select 1').then(() => true, () => false)) return;
      await sleep(100);
    }
  }

  async query(sql: string): Promise<string> {
    return (await execute('mariadb', ['--no-defaults', `--socket=${this.socket}`, '--user=root', '-N', '-B', '-e', sql, 'test'])).stdout.trim();
  }

  /** As when the power goes. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}

/** Transactions of one client, one after the other; resolves to when each had returned, in milliseconds since the epoch. */
async function transactions(socket: string, client: number, endMs: number): Promise<number[]> {
  const child = spawn('mariadb', ['--no-defaults', `--socket=${socket}`, '--user=root', '-N', '-B', '--unbuffered', 'test'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const returned: number[] = [];
  for (let n = 1; performance.now() < endMs; n += 1) {
    const [from, to] = [(n * 7919 + client) % accounts, (n * 104729 + client * 13) % accounts].sort((a, b) => a - b);
    child.stdin.write(`begin; update accounts set balance = balance - 1 where id = ${from}; update accounts set balance = balance + 1 where id = ${to}; insert into done values (${client}, ${n}, repeat('x', ${(n * 37) % 2000})); commit; select ${n};\n`);
    const line = await lines.next();
    if (line.value !== `${n}`) throw new Error(`client ${client}: ${String(line.value)} in place of ${n}`);
    returned.push(performance.timeOrigin + performance.now());
  }
  child.stdin.end();
  return returned;
}

t.test('every instant is one that a power cut could have left', { skip }, async (t) => {
  await using exact = await openExactWorld('ext4', { sizeBytes: 4 * 1024 ** 3, agentArguments: ['--ring-bytes', '256MiB'] });
  const { world, source } = exact;
  const { agent, work } = world;
  const directory = join(source, 'data');
  await mkdir(directory);
  await execute('mariadb-install-db', ['--no-defaults', '--user=root', `--datadir=${directory}`, '--auth-root-authentication-method=normal']);
  const server = new Server(directory, work.path('socket'));
  await server.start();
  let returned: number[][];
  try {
    await server.query(`create table done (client int, n int, note text, primary key (client, n)) engine=innodb; create table accounts (id int primary key, balance int not null) engine=innodb; insert into accounts select seq, 0 from seq_0_to_${accounts - 1}`);
    await agent.command('flush');
    const endMs = performance.now() + 1000 * seconds;
    returned = await Promise.all(Array.from({ length: clients }, (_, client) => transactions(server.socket, client, endMs)));
    await agent.command('flush');
  } finally {
    await server.kill();
  }
  const first = Math.max(...returned.map((each) => each[0]!));
  const last = Math.min(...returned.map((each) => each.at(-1)!));
  let looked = 0;
  for (let instant = 0; instant < instants; instant += 1) {
    const atMs = Math.floor(first + ((last - first) * (instant + 0.5)) / instants);
    const to = work.path(`restored-${instant}`);
    if (!(await restoredExactly(world, { volume: 'data', at: new Date(atMs).toISOString(), to }))) continue;
    looked += 1;
    const restored = new Server(join(to, 'data'), work.path(`socket-${instant}`));
    await restored.start();
    try {
      const rows = (await restored.query('select client, count(*), max(n) from done group by client')).split('\n').map((line) => line.split('\t').map(Number));
      for (const [client, times] of returned.entries()) {
        const committed = times.filter((time) => time < atMs).length;
        const [, count = 0, max = 0] = rows.find(([each]) => each === client) ?? [];
        // The one under way at that instant may be committed already.
        if (count !== max || count < committed || count > committed + 1) t.fail(`at ${new Date(atMs).toISOString()} client ${client} had ${committed} transactions returned, and ${count} rows up to ${max} are there`);
      }
      t.equal(await restored.query('select sum(balance) from accounts'), '0', `instant ${instant}: money is neither made nor lost`);
      t.match(await restored.query('check table done, accounts'), /done\tcheck\tstatus\tOK\s[^]*accounts\tcheck\tstatus\tOK/);
    } finally {
      await restored.kill();
    }
  }
  t.ok(looked > 0, `${looked} of ${instants} instants are exact`);
  t.comment(`${returned.reduce((sum, each) => sum + each.length, 0)} transactions; gaps: ${(await gapCauses(world)).join('; ') || 'none'}`);
});
