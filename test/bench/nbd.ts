/**
 * How fast a device as it was can be read over NBD, against nbdkit's file plugin on the restored image, in
 * alternation; prints tables for the README. `--rounds N`, `--megabytes N` of content.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ChangeBody } from '../../proto/change.js';
import { Daemon, receiverMain } from '../end-to-end/programs.js';
import { Workplace } from '../end-to-end/world.js';
import { packageReason } from '../kernel/debian-package.js';
import { NbdClient } from '../receiver/nbd/client.js';
import { begun, deviceHost, deviceVolume, storeDevice, written } from '../receiver/nbd/device-directory.js';
import { Dice } from '../receiver/recovery/dice.js';
import { markdown, median, megabytesPerSecond, residentBytes, timed, type Row } from './measure.js';
import { execute, processorSeconds } from './processes.js';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, megabytes: { type: 'string', default: '256' }, seed: { type: 'string', default: '1' } } });
const rounds = Number(options.rounds);
const contentBytes = Number(options.megabytes) * 1024 * 1024;
const sizeBytes = contentBytes * 2;
const randomReads = 4000;
const block = 4096;

for (const [program, name] of [['nbdcopy', 'libnbd-bin'], ['nbdkit', 'nbdkit']] as const) {
  const reason = packageReason(program, name);
  if (reason !== undefined) throw new Error(reason);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

/** Content of which about half can be compressed, one after the other with holes as long as it, and then a tenth of it again in random 4 KiB. */
function* history(dice: Dice): Generator<ChangeBody> {
  const piece = 64 * 1024;
  const pool = Buffer.alloc(4 * 1024 * 1024);
  for (let at = 0; at < pool.byteLength; at += 8) pool.writeDoubleLE(dice.fraction(), at);
  const cut = (length: number): Buffer => {
    const at = dice.below(pool.byteLength - length);
    return pool.subarray(at, at + length);
  };
  yield* begun(sizeBytes);
  for (let done = 0; done < contentBytes; done += piece) {
    const data = Buffer.alloc(piece, 'text that is there again and again. ');
    cut(piece / 2).copy(data);
    yield written(done * 2, data);
  }
  for (let count = 0; count < contentBytes / 10 / block; count += 1) yield written(dice.below(contentBytes / piece) * piece * 2 + dice.below(piece / block) * block, cut(block));
}

/** Reads of 4 KiB at random places with content, one after the other; how many a second. */
async function randomRate(path: string, name: string): Promise<number> {
  await using client = await NbdClient.ready({ path }, { name });
  const dice = new Dice(7);
  const elapsedMs = await timed(async () => {
    for (let count = 0; count < randomReads; count += 1) {
      const { error } = await client.readStructured(dice.below(contentBytes / 65_536) * 131_072 + dice.below(16) * block, block);
      if (error !== 0) throw new Error(`error ${error}`);
    }
  });
  return randomReads / (elapsedMs / 1000);
}

await using work = await Workplace.make('nbd-bench');
say('storing a device');
await storeDevice(work.path('receiver'), history(new Dice(Number(options.seed))));
const [ours, theirs, image] = [work.path('ours.sock'), work.path('theirs.sock'), work.path('restored.img')];
const opened: number[] = [];
const daemon = new Daemon(receiverMain, ['nbd', '--data', work.path('receiver'), '--host', deviceHost, '--volume', deviceVolume, '--at', 'latest', '--listen', ours]);
opened.push(await timed(() => daemon.start(/serving/)));
work.onEnd(() => daemon[Symbol.asyncDispose]());
writeFileSync(image, '');
const uris = { afterimage: `nbd+unix:///${deviceVolume}?socket=${ours}`, nbdkit: `nbd+unix:///?socket=${theirs}` };
await execute('nbdcopy', [uris.afterimage, image]);
const nbdkit = spawn('nbdkit', ['-f', '-r', '-U', theirs, 'file', image], { stdio: 'ignore' });
const ended = new Promise((resolve) => nbdkit.once('close', resolve));
work.onEnd(async () => {
  nbdkit.kill('SIGTERM');
  await ended;
});
while (!existsSync(theirs)) await sleep(20);

const found = { afterimage: { whole: [] as number[], random: [] as number[] }, nbdkit: { whole: [] as number[], random: [] as number[] } };
const processorBefore = processorSeconds(daemon.pid);
for (let round = 0; round < rounds; round += 1) {
  for (const [who, path, name] of [['afterimage', ours, deviceVolume], ['nbdkit', theirs, '']] as const) {
    found[who].whole.push(megabytesPerSecond(contentBytes, await timed(() => execute('nbdcopy', [uris[who], 'null:']))));
    found[who].random.push(await randomRate(path, name));
    say(`round ${round + 1}, ${who}: ${found[who].whole.at(-1)!.toFixed(0)} MB/s, ${found[who].random.at(-1)!.toFixed(0)} random reads/s`);
  }
}
const resident = await residentBytes(daemon.pid);
const how = `${rounds} rounds in alternation, medians; ${options.megabytes} MiB of content in a device of twice that, all cached by the system`;
const compared = (what: string, unit: string, each: (one: typeof found.nbdkit) => readonly number[]): Row => {
  const [mine, peer] = [median(each(found.afterimage)), median(each(found.nbdkit))];
  return { what, value: `${mine.toFixed(0)} ${unit}, ${(mine / peer).toFixed(2)} of nbdkit's ${peer.toFixed(0)}`, how };
};
process.stdout.write(`${markdown([
  compared('read a whole device over NBD (nbdcopy)', 'MB/s', ({ whole }) => whole),
  compared('read 4 KiB at random over NBD, one after the other', 'reads/s', ({ random }) => random),
  { what: 'open the point and listen', value: `${(opened[0]! / 1000).toFixed(1)} s`, how: 'the program started anew' },
  { what: 'memory of the server', value: `${(resident / 2 ** 20).toFixed(0)} MiB`, how: `after all rounds; ${(processorSeconds(daemon.pid) - processorBefore).toFixed(1)} s of processor time in them` },
])}\n`);
