/**
 * The demonstration: a receiver and an agent on loopback, a database and a source tree under load, a
 * disaster, and the restore to the instant before it. Exits non-zero when any check fails.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip, createGzip } from 'node:zlib';
import { exactVerdict } from '../../agent/capture/exact-verdict.js';
import { openDatabase } from '../../native/host/database.js';
import { formatBytes, formatDuration } from '../../native/terminal/format.js';
import { AgentProgram, ReceiverProgram, receiverMain, root, run } from '../end-to-end/programs.js';
import { describeTree, differences } from '../end-to-end/trees.js';

const begunMs = performance.now();
let failures = 0;

function say(text: string): void {
  process.stdout.write(`${((performance.now() - begunMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
}

function check(what: string, holds: boolean, detail = ''): void {
  say(`${holds ? '✓' : '✗ FAILED:'} ${what}${detail === '' ? '' : ` (${detail})`}`);
  if (!holds) failures += 1;
}

async function sayLag(agent: AgentProgram): Promise<void> {
  const { journal, volumes } = await agent.status();
  const volume = volumes[0];
  say(`  lag ${formatDuration(journal.lagSeconds * 1000)}, ${formatBytes(journal.lagBytes)}; captured ${journal.captured}, durable ${journal.durable}, applied ${journal.applied}; shipped ${formatBytes(journal.shippedBytes)}; label ${volume?.label}${volume?.settled === true ? ' (settled)' : ''}`);
}

/** Packs the sources of a dependency with tar: a real tree to unpack under protection. */
async function sourceArchive(target: string): Promise<void> {
  const source = join(root, 'node_modules', 'protobufjs');
  await tool('tar', ['-C', dirname(source), '-cf', `${target}.raw`, 'protobufjs']);
  await pipeline(createReadStream(`${target}.raw`), createGzip(), createWriteStream(target));
  await rm(`${target}.raw`);
}

function tool(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} exited with ${code}`))));
  });
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Ransomware's work: content replaced in place, names changed, some files gone. */
async function disaster(directory: string): Promise<{ encrypted: number; deleted: number }> {
  let encrypted = 0;
  let deleted = 0;
  for (const [place, path] of (await filesBelow(directory)).entries()) {
    if (place % 5 === 4) {
      await rm(path);
      deleted += 1;
      continue;
    }
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(randomBytes(Math.min(Math.max(size, 16), 1024 * 1024)), 0, undefined, 0);
    await file.close();
    await rename(path, `${path}.locked`);
    encrypted += 1;
  }
  return { encrypted, deleted };
}

async function writerRows(writer: ChildProcess): Promise<number> {
  let said = '';
  writer.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<void>((resolve) => writer.on('close', () => resolve()));
  writer.kill('SIGTERM');
  await ended;
  return (JSON.parse(said) as { rows: number }).rows;
}

async function main(work: string, started: ChildProcess[]): Promise<void> {
  const data = join(work, 'protected');
  await mkdir(join(data, 'database'), { recursive: true });

  say('a receiver with its own certificate authority starts on loopback');
  await using receiver = await ReceiverProgram.init(join(work, 'receiver'));
  await receiver.start();
  say(`it listens on ${receiver.address}; an agent enrols with a one-time token and starts`);
  await using agent = await AgentProgram.enroll(join(work, 'agent'), receiver, 'demo-host');
  await agent.start('--scan-interval', '5s');
  await agent.command('protect', data, '--name', 'data');
  const status = await agent.until('past its baseline', ({ volumes }) => volumes[0]?.phase === 'watching');
  const engine = status.volumes[0]!.engine;
  const verdict = await exactVerdict(data);
  check(`the directory is protected by the ${engine} engine`, engine === (verdict.available ? 'exact' : 'portable'), verdict.available ? '' : `not by the exact one: ${verdict.reason}`);

  say('a SQLite database in WAL mode takes transactions, and a source tree is unpacked');
  const writer = spawn(process.execPath, [fileURLToPath(new URL('sqlite-writer.js', import.meta.url)), join(data, 'database', 'orders.db')], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(writer);
  const archive = join(work, 'sources.tar.gz');
  await sourceArchive(archive);
  await pipeline(createReadStream(archive), createGunzip(), createWriteStream(join(work, 'sources.tar')));
  await tool('tar', ['-C', data, '-xf', join(work, 'sources.tar')]);
  await sayLag(agent);

  say('the tree is edited, renamed and partly deleted');
  const sources = join(data, 'protobufjs');
  const files = (await filesBelow(sources)).filter((path) => path.endsWith('.js') || path.endsWith('.ts'));
  for (const path of files.slice(0, 40)) await appendFile(path, '\n// edited\n');
  for (const path of files.slice(40, 60)) await rename(path, `${path}.renamed`);
  for (const path of files.slice(60, 80)) await rm(path);
  await rename(join(sources, 'src'), join(sources, 'source'));
  await writeFile(join(sources, 'Grüße und "Zitate".txt'), 'names are bytes\n');
  await symlink('source', join(sources, 'src'));
  await mkdir(join(sources, 'empty directory'));
  await sleep(1500);
  await sayLag(agent);

  say('the application pauses for a moment: this is the instant to come back to');
  const rows = await writerRows(writer);
  await agent.command('flush');
  const instant = new Date().toISOString();
  await sayLag(agent);
  const before = await describeTree(data);
  const kept = join(work, 'what-it-was');
  await cp(data, kept, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const bytes = (await Promise.all((await filesBelow(data)).map(async (path) => (await stat(path)).size))).reduce((sum, size) => sum + size, 0);
  say(`${before.length} entries, ${formatBytes(bytes)}, ${rows} committed rows at ${instant}`);
  await sleep(50);

  const damage = await disaster(data);
  say(`disaster: ${damage.encrypted} files encrypted in place and renamed, ${damage.deleted} deleted`);
  await agent.command('flush');
  await sayLag(agent);
  check('the damage is real', differences(before, await describeTree(data)).length > 0);

  const target = join(work, 'restored');
  const restoreMs = performance.now();
  const outcome = await run(receiverMain, ['restore', '--data', receiver.data, '--host', 'demo-host', '--volume', 'data', '--at', instant, '--to', target, ...(engine === 'exact' ? ['--exact-only'] : [])]);
  process.stdout.write(outcome.stderr.replaceAll(/^/gm, '          ').trimEnd() + '\n');
  const tookMs = performance.now() - restoreMs;
  check('the restore to the instant before the disaster succeeded', outcome.code === 0, `${formatBytes(bytes)} in ${formatDuration(tookMs)}, ${formatBytes(Math.round((bytes / tookMs) * 1000))}/s`);

  const difference = differences(before, await describeTree(target, {}));
  check('the restored tree is identical: names, content, links, modes, owners, times', difference.length === 0, difference.length === 0 ? `${before.length} entries` : difference.join('\n'));
  const database = openDatabase(join(target, 'database', 'orders.db'));
  const integrity = database.pragma('integrity_check', { simple: true });
  const found = (database.prepare('select count(*) as rows from orders').get() as { rows: number }).rows;
  database.close();
  check('the restored database passes PRAGMA integrity_check', integrity === 'ok', String(integrity));
  check('it holds exactly the rows committed by then', found === rows, `${found} of ${rows}`);

  const inPlaceMs = performance.now();
  const inPlace = await run(receiverMain, ['restore', '--data', receiver.data, '--host', 'demo-host', '--volume', 'data', '--at', instant, '--to', data, '--in-place']);
  check('the damaged directory itself is restored in place', inPlace.code === 0, inPlace.code === 0 ? formatDuration(performance.now() - inPlaceMs) : inPlace.stderr);
  const left = differences(before, await describeTree(data));
  check('and is what it was', left.length === 0, left.join('\n'));
  check('its files are byte for byte those kept aside', await sameFiles(kept, data));

  await agent.command('flush');
  await sayLag(agent);
  const verified = await run(receiverMain, ['verify', '--data', receiver.data]);
  check('the receiver verifies its whole store', verified.code === 0, verified.code === 0 ? '' : verified.stderr);
  check('the agent stops cleanly', (await agent.daemon.stop()) === 0);
  check('the receiver stops cleanly', (await receiver.daemon.stop()) === 0);
}

async function sameFiles(expected: string, found: string): Promise<boolean> {
  for (const path of await filesBelow(expected)) {
    const other = join(found, path.slice(expected.length));
    if (!(await readFile(path)).equals(await readFile(other))) return false;
  }
  return true;
}

const work = await mkdtemp(join(tmpdir(), 'afterimage-demo-'));
const started: ChildProcess[] = [];
try {
  await main(work, started);
} catch (error) {
  check('the demonstration ran to its end', false, (error as Error).stack);
} finally {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await rm(work, { recursive: true, force: true, maxRetries: 5 });
}
say(failures === 0 ? 'all checks passed; nothing was left running or lying about' : `${failures} checks failed`);
process.exitCode = failures === 0 ? 0 : 1;
