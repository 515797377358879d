/** The measurements of the portable path, end to end with both programs; prints a table for the README. */
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ask } from '../../agent/control/client.js';
import { formatBytes } from '../../native/terminal/format.js';
import { AgentProgram, ReceiverProgram } from '../end-to-end/programs.js';
import { markdown, median, megabytesPerSecond, percentile, residentBytes, timed, type Row } from './measure.js';

const { values: options } = parseArgs({
  options: {
    /** Minutes of load for the memory measurement. */
    minutes: { type: 'string', default: '10' },
    /** Bytes of the tree for baseline and restore, in MiB. */
    mebibytes: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    /** Which measurements, separated by commas. */
    only: { type: 'string', default: 'baseline,wire,lag,memory' },
  },
});
const rounds = Number(options.rounds);
const treeMebibytes = Number(options.mebibytes);
const rows: Row[] = [];

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function report(row: Row): void {
  rows.push(row);
  say(`${row.what}: ${row.value}`);
}

interface Bench extends AsyncDisposable {
  readonly receiver: ReceiverProgram;
  readonly agent: AgentProgram;
  readonly data: string;
}

/** A receiver and an agent with nothing protected yet. */
async function begin(work: string, name: string): Promise<Bench> {
  const receiver = await ReceiverProgram.init(join(work, name, 'receiver'));
  await receiver.start('--log-level', 'error');
  const agent = await AgentProgram.enroll(join(work, name, 'agent'), receiver, 'bench');
  await agent.start('--log-level', 'error', '--scan-interval', '60s');
  const data = join(work, name, 'data');
  await mkdir(data, { recursive: true });
  const end = async (): Promise<void> => {
    await agent.daemon.stop();
    await receiver.daemon.stop();
  };
  return { receiver, agent, data, [Symbol.asyncDispose]: end };
}

async function protect(bench: Bench): Promise<void> {
  await bench.agent.command('protect', bench.data, '--name', 'data', '--engine', 'portable');
  await bench.agent.until('past its baseline', ({ volumes }) => volumes[0]?.phase === 'watching', 1_800_000);
  await bench.agent.command('flush');
}

/** Incompressible files of 64 KiB to 16 MiB, as much as asked. */
async function makeTree(directory: string, bytes: number): Promise<void> {
  let left = bytes;
  for (let place = 0; left > 0; place += 1) {
    const size = Math.min(left, 2 ** randomInt(16, 24));
    const folder = join(directory, `folder-${place % 16}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `file-${place}`), randomBytes(size));
    left -= size;
  }
}

function copyTree(source: string, target: string): Promise<number> {
  return timed(
    () =>
      new Promise<void>((resolve, reject) => {
        const child = spawn('cp', ['-a', source, target], { stdio: 'inherit' });
        child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`cp exited with ${code}`))));
      }),
  );
}

async function baselineAndRestore(work: string): Promise<void> {
  await using bench = await begin(work, 'baseline');
  const bytes = treeMebibytes * 1024 * 1024;
  say(`making a tree of ${formatBytes(bytes)}`);
  await makeTree(bench.data, bytes);
  const baselineMs = await timed(() => protect(bench));
  report({ what: 'baseline', value: `${megabytesPerSecond(bytes, baselineMs).toFixed(0)} MB/s`, how: `${formatBytes(bytes)} of incompressible files, from \`protect\` to durable and applied` });
  const restoreMs: number[] = [];
  const copyMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const copied = join(work, 'copied');
    const restored = join(work, 'restored');
    copyMs.push(await copyTree(bench.data, copied));
    await rm(copied, { recursive: true });
    restoreMs.push(await timed(() => bench.receiver.command('restore', '--host', 'bench', '--volume', 'data', '--at', 'latest', '--to', restored, '--no-sync')));
    await rm(restored, { recursive: true });
  }
  const restore = megabytesPerSecond(bytes, median(restoreMs));
  const copy = megabytesPerSecond(bytes, median(copyMs));
  report({ what: 'restore', value: `${restore.toFixed(0)} MB/s, ${(restore / copy).toFixed(2)} of \`cp -a\``, how: `same tree, ${rounds} rounds in alternation, medians, neither waits for the disk; \`cp -a\` ${copy.toFixed(0)} MB/s` });
}

async function shipped(bench: Bench): Promise<number> {
  await bench.agent.command('flush');
  return (await bench.agent.status()).journal.shippedBytes;
}

async function wireBytes(work: string): Promise<void> {
  await using bench = await begin(work, 'wire');
  const path = join(bench.data, 'large');
  const sizeBytes = 1024 ** 3;
  const file = await open(path, 'w+');
  for (let at = 0; at < sizeBytes; at += 8 * 1024 * 1024) await file.write(randomBytes(8 * 1024 * 1024), 0, undefined, at);
  await protect(bench);
  const measure = async (what: string, changed: number, how: string, deed: () => Promise<unknown>): Promise<void> => {
    const before = await shipped(bench);
    await deed();
    const bytes = (await shipped(bench)) - before;
    report({ what, value: `${(bytes / changed).toFixed(changed < 100 ? 0 : 2)} bytes a byte changed`, how: `${how}: ${formatBytes(changed)} changed, ${formatBytes(bytes)} sent` });
  };
  await measure('wire, 1-byte edit', 1, 'in a file of 1 GiB', () => file.write(Buffer.from([0x41]), 0, 1, randomInt(sizeBytes)));
  const writes = 500;
  await measure('wire, random 4 KiB writes', writes * 4096, `${writes} block-aligned incompressible writes in a file of 1 GiB`, async () => {
    for (let count = 0; count < writes; count += 1) await file.write(randomBytes(4096), 0, 4096, randomInt(sizeBytes / 4096) * 4096);
  });
  await measure('wire, appends', 64 * 1024 * 1024, '64 MiB incompressible, appended in pieces of 64 KiB', async () => {
    const log = join(bench.data, 'log');
    for (let count = 0; count < 1024; count += 1) await appendFile(log, randomBytes(64 * 1024));
  });
  await file.close();
}

async function lag(work: string): Promise<void> {
  await using bench = await begin(work, 'lag');
  await makeTree(bench.data, 16 * 1024 * 1024);
  await protect(bench);
  const path = join(bench.data, 'probe');
  await writeFile(path, '');
  await bench.agent.command('flush');
  const probes = 50;
  const lagsMs: number[] = [];
  const status = () => ask(bench.agent.state, 'status', {});
  for (let probe = 0; probe < probes; probe += 1) {
    for (let now = await status(); !now.volumes[0]!.settled || now.journal.captured !== now.journal.durable; now = await status()) await sleep(20);
    const before = BigInt((await status()).journal.captured);
    await appendFile(path, randomBytes(4096));
    const returnedMs = performance.now();
    while (BigInt((await status()).journal.durable) <= before) await sleep(1);
    lagsMs.push(performance.now() - returnedMs);
    await sleep(randomInt(50));
  }
  report({ what: 'lag, write returned to durable', value: `p50 ${percentile(lagsMs, 0.5).toFixed(0)} ms, p99 ${percentile(lagsMs, 0.99).toFixed(0)} ms`, how: `portable engine, ${probes} appends of 4 KiB on a quiet volume` });
}

async function memory(work: string): Promise<void> {
  await using bench = await begin(work, 'memory');
  const { agent, receiver, data } = bench;
  const resident = async (): Promise<[number, number]> => [await residentBytes(agent.daemon.pid), await residentBytes(receiver.daemon.pid)];
  const start = await resident();
  await makeTree(data, 64 * 1024 * 1024);
  await protect(bench);
  const minutes = Number(options.minutes);
  say(`load for ${minutes} minutes`);
  const endMs = performance.now() + minutes * 60_000;
  const peak: [number, number] = [0, 0];
  let written = 0;
  for (let place = 0; performance.now() < endMs; place += 1) {
    const path = join(data, `folder-${place % 16}`, `load-${place % 2000}`);
    const bytes = randomBytes(randomInt(1024, 256 * 1024));
    await writeFile(path, bytes);
    written += bytes.length;
    if (place % 50 === 0) await rm(join(data, `folder-${(place + 7) % 16}`, `load-${(place + 7) % 2000}`), { force: true });
    await sleep(10);
    if (place % 100 !== 0) continue;
    const now = await resident();
    for (const which of [0, 1] as const) peak[which] = Math.max(peak[which], now[which]);
  }
  await agent.command('flush');
  const end = await resident();
  const words = (which: 0 | 1): string => `${formatBytes(start[which])} at start, ${formatBytes(end[which])} after load, peak ${formatBytes(peak[which])}`;
  const how = `resident; ${minutes} minutes of file writes, ${formatBytes(written)} in all`;
  report({ what: 'memory, agent', value: words(0), how });
  report({ what: 'memory, receiver', value: words(1), how });
}

const work = await mkdtemp(join(process.env['AFTERIMAGE_BENCH_DIRECTORY'] ?? tmpdir(), 'afterimage-bench-'));
try {
  const wanted = options.only.split(',');
  for (const [name, measure] of Object.entries({ baseline: baselineAndRestore, wire: wireBytes, lag, memory })) if (wanted.includes(name)) await measure(work);
  process.stdout.write(`Measured with Node.js ${process.version} on ${process.platform} ${process.arch}, ${cpus().length} cores, agent and receiver on the same machine.\n\n${markdown(rows)}\n`);
} finally {
  await rm(work, { recursive: true, force: true, maxRetries: 5 });
}
