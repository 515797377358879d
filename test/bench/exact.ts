/**
 * What the exact engine costs the applications, capture off and on in alternation, and how far it keeps up;
 * prints tables for the README. Needs root.
 */
import { spawn } from 'node:child_process';
import { chown, mkdir, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../end-to-end/programs.js';
import { openWorld, type World } from '../end-to-end/world.js';
import { packageReason } from '../kernel/debian-package.js';
import { exactSkip } from '../kernel/exact-world.js';
import { DurableSampler } from './durability-lag.js';
import { lsyncd } from './lsyncd.js';
import { markdown, median, percentile, residentBytes, type Row } from './measure.js';
import { execute, processorSeconds, writeFor } from './processes.js';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '8' }, only: { type: 'string', default: 'cost,lag,rate,peer' } } });
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const programs = '/usr/lib/postgresql/15/bin';

const reason = (await exactSkip()) || packageReason(`${programs}/postgres`, 'postgresql-15');
if (typeof reason === 'string') throw new Error(`cannot measure the exact engine here: ${reason}`);

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
const postgres = ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] as const;
async function asPostgres(program: string, ...words: string[]): Promise<string> {
  return (await execute('setpriv', [...postgres, `${programs}/${program}`, ...words], { cwd: '/', maxBuffer: 64 * 1024 * 1024 })).stdout;
}

async function protectExactly({ agent, source }: World): Promise<void> {
  await agent.command('protect', source, '--name', 'data', '--engine', 'exact');
  await agent.until('exact', ({ volumes }) => volumes[0]?.label === 'exact', 300_000);
}

async function gapsOf({ agent }: World): Promise<number> {
  return (await agent.status()).volumes[0]!.gaps;
}

/** Applications with capture off and on, in alternation. */
async function cost(): Promise<Row[]> {
  await using world = await openWorld('exact-bench', { agentArguments: ['--log-level', 'error'] });
  const { source, agent, receiver, work } = world;
  await execute('chmod', ['a+rx', work.directory, source]);
  const ids = await Promise.all(['-u', '-g'].map(async (which) => Number((await execute('id', [which, 'postgres'])).stdout)));
  const sockets = work.path('sockets');
  for (const path of [join(source, 'pg'), sockets]) {
    await mkdir(path);
    await chown(path, ids[0]!, ids[1]!);
  }
  const data = join(source, 'pg', 'data');
  const archive = work.path('sources.tar');
  await execute('tar', ['-C', join(root, 'node_modules'), '-cf', archive, 'typescript', 'protobufjs', 'pino', 'tap']);
  await asPostgres('initdb', '-D', data, '--auth=trust');
  await new Promise<void>((resolve, reject) => {
    const words = ['-D', data, '-w', '-l', join(sockets, 'log'), '-o', `-k ${sockets} -c listen_addresses=''`, 'start'];
    spawn('setpriv', [...postgres, `${programs}/pg_ctl`, ...words], { stdio: 'ignore', cwd: '/' }).on('error', reject).on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl start ended with ${code}`))));
  });
  try {
    await asPostgres('pgbench', '-h', sockets, '-i', '-s', '10', '-q', 'postgres');
    const measures: Readonly<Record<string, () => Promise<number>>> = {
      'pgbench, 4 clients, transactions/s': async () => Number(/tps = ([\d.]+)/.exec(await asPostgres('pgbench', '-h', sockets, '-n', '-c', '4', '-j', '2', '-T', `${seconds}`, 'postgres'))![1]),
      '4 KiB writes, fdatasync every 8, writes/s': () => writeFor({ path: join(source, 'synced'), seconds, syncEvery: 8 }),
      'page-cache 4 KiB writes at full speed, writes/s': () => writeFor({ path: join(source, 'cached'), seconds }),
      'untar of a source tree, trees/s': async () => {
        const beganMs = performance.now();
        await execute('tar', ['-C', source, '-xf', archive]);
        const tookMs = performance.now() - beganMs;
        await rm(join(source, 'typescript'), { recursive: true });
        return 1000 / tookMs;
      },
    };
    const found = new Map(Object.keys(measures).map((what) => [what, { off: [] as number[], on: [] as number[], cpu: [] as number[], gaps: 0 }]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [what, measure] of Object.entries(measures)) found.get(what)!.off.push(await measure());
      await protectExactly(world);
      for (const [what, measure] of Object.entries(measures)) {
        const each = found.get(what)!;
        const before = await gapsOf(world);
        const [beganMs, beganCpu] = [performance.now(), processorSeconds(agent.daemon.pid)];
        each.on.push(await measure());
        each.cpu.push(((processorSeconds(agent.daemon.pid) - beganCpu) * 1000) / (performance.now() - beganMs));
        await agent.command('flush');
        each.gaps += (await gapsOf(world)) - before;
        say(`${what}: ${each.off.at(-1)!.toFixed(1)} off, ${each.on.at(-1)!.toFixed(1)} on`);
      }
      if (round < rounds - 1) await agent.command('unprotect', 'data');
    }
    const rows = [...found].map(([what, { off, on, cpu, gaps }]): Row => {
      const ratio = median(on.map((value, round) => value / off[round]!));
      return { what, value: `${ratio.toFixed(2)} of without`, how: `medians of ${rounds} rounds in alternation: ${median(off).toFixed(1)} without, ${median(on).toFixed(1)} with capture; the agent took ${median(cpu).toFixed(2)} of a core; gaps: ${gaps}` };
    });
    const mebibytes = async (pid: number): Promise<string> => `${((await residentBytes(pid)) / 1024 ** 2).toFixed(0)} MiB`;
    return [...rows, { what: 'memory after that', value: `agent ${await mebibytes(agent.daemon.pid)}, receiver ${await mebibytes(receiver.daemon.pid)}`, how: 'resident, the ring of 64 MiB included' }];
  } finally {
    await asPostgres('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop');
  }
}

/** Lag of each write at fixed rates. */
async function lag(rate: number): Promise<Row> {
  await using world = await openWorld('exact-lag', { agentArguments: ['--log-level', 'error'] });
  await protectExactly(world);
  const sampler = new DurableSampler(world.agent.state);
  sampler.start();
  const reached = await writeFor({ path: join(world.source, 'file'), seconds, rate });
  await world.agent.command('flush');
  await sampler.stop();
  const gaps = await gapsOf(world);
  await world.agent.daemon.stop();
  await world.receiver.daemon.stop();
  const lags = await sampler.lagsMs(world.receiver.data);
  say(`lag at ${rate}/s: p50 ${percentile(lags, 0.5).toFixed(0)} ms, p99 ${percentile(lags, 0.99).toFixed(0)} ms`);
  return { what: `lag, write returned to durable, ${rate.toLocaleString('en')} writes/s`, value: `p50 ${percentile(lags, 0.5).toFixed(0)} ms, p99 ${percentile(lags, 0.99).toFixed(0)} ms`, how: `each of ${lags.length} writes of 4 KiB, ${reached.toFixed(0)}/s reached; gaps: ${gaps}` };
}

/** Raises the rate until there is a gap, or until the writer is not faster. */
async function sustained(bytes: number, firstRate: number): Promise<Row> {
  let [best, reachedBest] = [0, 0];
  for (let rate = firstRate; ; rate = Math.round(rate * 1.25)) {
    await using world = await openWorld('exact-rate', { agentArguments: ['--log-level', 'error'] });
    await protectExactly(world);
    const beganMs = performance.now();
    const reached = await writeFor({ path: join(world.source, 'file'), seconds, rate, bytes });
    const wroteMs = performance.now() - beganMs;
    await world.agent.command('flush');
    const caughtUp = wroteMs / (performance.now() - beganMs);
    const gaps = await gapsOf(world);
    say(`${bytes} bytes at ${rate}/s: ${reached.toFixed(0)}/s, ${(reached * caughtUp).toFixed(0)}/s until all was durable, gaps ${gaps}`);
    if (gaps > 0) break;
    if (reached * caughtUp > best) [best, reachedBest] = [reached * caughtUp, reached];
    if (reached < rate * 0.9) break;
  }
  const words = bytes === 4096 ? `${best.toFixed(0)} writes/s` : `${((best * bytes) / 1e6).toFixed(0)} MB/s`;
  return { what: bytes === 4096 ? 'sustained without a gap, scattered 4 KiB writes' : 'sustained without a gap, one after the other', value: words, how: `written at ${reachedBest.toFixed(0)}/s for ${seconds} s with a ring of 64 MiB, counted until all was durable and applied` };
}

const wanted = options.only.split(',');
const rows: Row[] = [];
if (wanted.includes('cost')) rows.push(...(await cost()));
if (wanted.includes('lag')) for (const rate of [2000, 10_000]) rows.push(await lag(rate));
if (wanted.includes('rate')) rows.push(await sustained(4096, 12_000), await sustained(1024 * 1024, 40));
if (wanted.includes('peer')) rows.push(...(await lsyncd({ seconds, say, protectExactly })));
process.stdout.write(`Measured with Node.js ${process.version} on ${process.platform} ${process.arch}, ${cpus().length} cores, agent and receiver on the same machine.\n\n${markdown(rows)}\n`);
