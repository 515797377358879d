/** The same load beside lsyncd with rsync: how soon a marker arrives, how many bytes travel, how much processor time it takes. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { liveVolume, openWorld, type World } from '../end-to-end/world.js';
import { packageReason } from '../kernel/debian-package.js';
import { median, percentile, type Row } from './measure.js';
import { processorSeconds, writeFor } from './processes.js';

export interface PeerOptions {
  readonly seconds: number;
  say(text: string): void;
  protectExactly(world: World): Promise<void>;
}

interface Outcome {
  readonly lagsMs: number[];
  readonly processorSeconds: number;
  readonly bytes: number;
}

const rate = 500;
const files = 8;

/** Some files are written at a fixed rate, and a marker every half a second, which is looked for in the copy. */
async function load(source: string, copy: string, seconds: number): Promise<number[]> {
  const lags: number[] = [];
  const writing = Promise.all(Array.from({ length: files }, (_, file) => writeFor({ path: join(source, `file ${file}`), seconds, rate: rate / files })));
  for (let marker = 0; marker < seconds * 2; marker += 1) {
    await writeFile(join(source, `marker ${marker}`), 'x');
    const writtenMs = performance.now();
    while (!existsSync(join(copy, `marker ${marker}`)) && performance.now() - writtenMs < 60_000) await sleep(5);
    lags.push(performance.now() - writtenMs);
    await sleep(500);
  }
  await writing;
  return lags;
}

export async function lsyncd({ seconds, say, protectExactly }: PeerOptions): Promise<Row[]> {
  for (const [program, name] of [['/usr/bin/lsyncd', 'lsyncd'], ['/usr/bin/rsync', 'rsync']] as const) {
    const reason = packageReason(program, name);
    if (reason !== undefined) throw new Error(reason);
  }
  const outcomes: Record<string, Outcome> = {};
  {
    await using world = await openWorld('peer', { agentArguments: ['--log-level', 'error'] });
    const { source, agent, receiver } = world;
    await protectExactly(world);
    const { replica } = await liveVolume(receiver, 'data');
    const before = processorSeconds(agent.daemon.pid) + processorSeconds(receiver.daemon.pid);
    const shipped = (await agent.status()).journal.shippedBytes;
    const lagsMs = await load(source, replica, seconds);
    await agent.command('flush');
    outcomes['afterimage'] = { lagsMs, processorSeconds: processorSeconds(agent.daemon.pid) + processorSeconds(receiver.daemon.pid) - before, bytes: (await agent.status()).journal.shippedBytes - shipped };
  }
  {
    await using world = await openWorld('peer-lsyncd', { agentArguments: ['--log-level', 'error'] });
    const { source, work } = world;
    const copy = work.path('copy');
    await mkdir(copy);
    const [configuration, log] = [work.path('lsyncd.lua'), work.path('rsync.log')];
    await writeFile(configuration, `settings { nodaemon = true, inotifyMode = "CloseWrite or Modify" }\nsync { default.rsync, source = "${source}", target = "${copy}", delay = 1, rsync = { archive = true, _extra = { "--no-whole-file", "--inplace", "--log-file=${log}", "--log-file-format=sent %b" } } }\n`);
    const child = spawn('lsyncd', [configuration], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await sleep(2000);
    const before = processorSeconds(child.pid!);
    const lagsMs = await load(source, copy, seconds);
    await sleep(3000);
    const took = processorSeconds(child.pid!) - before;
    child.kill('SIGTERM');
    await ended;
    const bytes = [...(await readFile(log, 'latin1')).matchAll(/sent (\d+)/g)].reduce((sum, [, each]) => sum + Number(each), 0);
    outcomes['lsyncd'] = { lagsMs, processorSeconds: took, bytes };
  }
  return Object.entries(outcomes).map(([what, { lagsMs, processorSeconds: took, bytes }]) => {
    say(`${what}: ${median(lagsMs).toFixed(0)} ms, ${took.toFixed(1)} s, ${(bytes / 1e6).toFixed(0)} MB`);
    return { what: what === 'lsyncd' ? 'lsyncd with rsync, the same load' : `beside lsyncd: ${rate} writes of 4 KiB a second into ${files} files`, value: `a new file is in the copy after ${median(lagsMs).toFixed(0)} ms (p90 ${percentile(lagsMs, 0.9).toFixed(0)} ms)`, how: `${(bytes / 1e6).toFixed(0)} MB sent, ${took.toFixed(1)} s of processor time in ${seconds} s, both sides` };
  });
}
