/** What the exact engine costs the applications, capture off and on in alternation; prints a table for the README. Needs root. */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { ask } from '../../agent/control/client.js';
import { openWorld } from '../end-to-end/world.js';
import { packageReason } from '../kernel/debian-package.js';
import { exactSkip } from '../kernel/exact-world.js';
import { markdown, median, type Row } from './measure.js';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '8' } } });
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const programs = '/usr/lib/postgresql/15/bin';
const execute = promisify(execFile);

const reason = (await exactSkip()) || (await packageReason(`${programs}/postgres`, 'postgresql-15'));
if (typeof reason === 'string') throw new Error(`cannot measure the exact engine here: ${reason}`);

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
const postgres = ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] as const;
async function asPostgres(program: string, ...words: string[]): Promise<string> {
  return (await execute('setpriv', [...postgres, `${programs}/${program}`, ...words], { cwd: '/', maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** Writes a file in pieces of 4 KiB for some seconds, and prints how many a second. */
const writer = `
import os, sys, time
path, seconds, every = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
data, fd, count, end = os.urandom(4096), os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 0, time.monotonic() + seconds
while time.monotonic() < end:
    for _ in range(64):
        os.pwrite(fd, data, (count % 16384) * 4096)
        count += 1
        if every and count % every == 0: os.fdatasync(fd)
print(count / seconds)
`;

await using world = await openWorld('exact-bench', { agentArguments: ['--log-level', 'error'] });
const { source, agent, work } = world;
await execute('chmod', ['a+rx', work.directory, source]);
const ids = await Promise.all(['-u', '-g'].map(async (which) => Number((await execute('id', [which, 'postgres'])).stdout)));
const sockets = work.path('sockets');
for (const path of [join(source, 'pg'), sockets]) {
  await mkdir(path);
  await chown(path, ids[0]!, ids[1]!);
}
const data = join(source, 'pg', 'data');
await asPostgres('initdb', '-D', data, '--auth=trust');
await new Promise<void>((resolve, reject) => {
  const words = ['-D', data, '-w', '-l', join(sockets, 'log'), '-o', `-k ${sockets} -c listen_addresses=''`, 'start'];
  spawn('setpriv', [...postgres, `${programs}/pg_ctl`, ...words], { stdio: 'ignore', cwd: '/' }).on('error', reject).on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl start ended with ${code}`))));
});
const rows: Row[] = [];
try {
  await asPostgres('pgbench', '-h', sockets, '-i', '-s', '10', '-q', 'postgres');
  const measures: Readonly<Record<string, () => Promise<number>>> = {
    'pgbench, 4 clients, transactions/s': async () => Number(/tps = ([\d.]+)/.exec(await asPostgres('pgbench', '-h', sockets, '-n', '-c', '4', '-j', '2', '-T', `${seconds}`, 'postgres'))![1]),
    '4 KiB writes, fdatasync every 8, writes/s': async () => Number((await execute('python3', ['-c', writer, join(source, 'synced'), `${seconds}`, '8'])).stdout),
    'page-cache 4 KiB writes at full speed, writes/s': async () => Number((await execute('python3', ['-c', writer, join(source, 'cached'), `${seconds}`, '0'])).stdout),
  };
  const found = new Map<string, { readonly off: number[]; readonly on: number[]; readonly lags: number[]; gaps: number }>(Object.keys(measures).map((what) => [what, { off: [], on: [], lags: [], gaps: 0 }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [what, measure] of Object.entries(measures)) found.get(what)!.off.push(await measure());
    await agent.command('protect', source, '--name', 'data', '--engine', 'exact');
    await agent.until('exact', ({ volumes }) => volumes[0]?.label === 'exact', 300_000);
    for (const [what, measure] of Object.entries(measures)) {
      const each = found.get(what)!;
      const before = (await agent.status()).volumes[0]!.gaps;
      let measuring = true;
      const watching = (async () => {
        while (measuring) {
          each.lags.push((await ask(agent.state, 'status', {})).journal.lagSeconds);
          await sleep(200);
        }
      })();
      each.on.push(await measure());
      measuring = false;
      await watching;
      await agent.command('flush');
      each.gaps += (await agent.status()).volumes[0]!.gaps - before;
      say(`${what}: ${each.off.at(-1)!.toFixed(0)} off, ${each.on.at(-1)!.toFixed(0)} on`);
    }
    await agent.command('unprotect', 'data');
  }
  for (const [what, { off, on, lags, gaps }] of found) {
    const ratio = median(on.map((value, round) => value / off[round]!));
    rows.push({ what, value: `${ratio.toFixed(2)} of without`, how: `medians of ${rounds} rounds in alternation: ${median(off).toFixed(0)} without, ${median(on).toFixed(0)} with capture; lag ${median(lags).toFixed(2)} s in the median; gaps: ${gaps}` });
  }
} finally {
  await asPostgres('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop');
}
process.stdout.write(`Measured with Node.js ${process.version} on ${process.platform} ${process.arch}, ${cpus().length} cores, agent and receiver on the same machine.\n\n${markdown(rows)}\n`);
