/** The commands that talk to the running agent: protect, unprotect, mark, flush. */
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { formatJson } from '../../native/terminal/format.js';
import { newCommand, withExamples } from '../../native/terminal/program.js';
import { showProgress } from '../../native/terminal/progress.js';
import { ask } from '../control/client.js';
import type { VolumeStatus } from '../control/protocol.js';
import { configFor, withJson, withState, type StateOption } from './options.js';

const progressIntervalMs = 250;

interface JsonOption extends StateOption {
  readonly json?: boolean;
}

function print(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(`${json === true ? formatJson(value) : words}\n`);
}

export function protectCommand(): Command {
  const command = withState(withJson(newCommand('protect')))
    .description('protect a directory or a block device from now on: its content is copied once, then every change follows')
    .argument('<path>', 'directory, disk or partition to protect')
    .option('--name <volume>', 'name of the volume (default: the last part of the path)')
    .addOption(new Option('--engine <engine>', 'how to capture').choices(['auto', 'exact', 'portable']).default('auto'))
    .option('--exclude <glob...>', 'leave out what matches, relative to the directory; may be repeated', [])
    .option('--wait', 'stay until the first copy is made, and show its progress; the copy goes on if this is interrupted')
    .action(async (path: string, options: JsonOption & { name?: string; engine: 'auto' | 'exact' | 'portable'; exclude: string[]; wait?: boolean }) => {
      const { stateDirectory } = configFor(options);
      const request = { path: resolve(path), engine: options.engine, exclude: options.exclude, ...(options.name === undefined ? {} : { name: options.name }) };
      const answer = await ask(stateDirectory, 'protect', request);
      if (options.wait === true) await firstCopy(stateDirectory, answer.name, options.json === true);
      const further = options.wait === true ? 'its first copy is made' : 'watch it with "afterimage-agent status"';
      print(options.json, answer, `volume ${answer.name} is protected by the ${answer.engine} engine (${answer.reason}); ${further}`);
    });
  return withExamples(command, 'afterimage-agent protect /srv/data --wait', 'afterimage-agent protect /dev/disk/by-id/nvme-SERIAL-part1 --name system', 'afterimage-agent protect /home --name home --exclude "**/.cache/**" --exclude "**/*.tmp"');
}

/** Shows the progress of a volume's first copy until it is made. */
async function firstCopy(stateDirectory: string, name: string, quiet: boolean): Promise<void> {
  let last: VolumeStatus['progress'];
  const display = showProgress(`copy ${name}`, { quiet, monotonicMs: () => systemClock.monotonicMs() });
  try {
    for (;;) {
      const { volumes } = await ask(stateDirectory, 'status', {});
      const volume = volumes.find((known) => known.name === name);
      if (volume === undefined) throw new Error(`volume ${name} was unprotected before its first copy was made`);
      if (volume.phase === 'failed') throw new Error(`volume ${name} cannot be copied: ${volume.cause}`);
      if (volume.progress !== undefined) display.update((last = volume.progress));
      else if (volume.phase !== 'starting') {
        if (last !== undefined) display.update({ ...last, doneBytes: last.totalBytes, doneEntries: last.totalEntries });
        return;
      }
      await systemClock.sleep(progressIntervalMs);
    }
  } finally {
    display.end();
  }
}

export function unprotectCommand(): Command {
  const command = withState(withJson(newCommand('unprotect')))
    .description('end the protection of a volume; its history stays at the receiver')
    .argument('<name>', 'name of the volume')
    .action(async (name: string, options: JsonOption) => {
      const answer = await ask(configFor(options).stateDirectory, 'unprotect', { name });
      print(options.json, answer, `volume ${answer.name} is no longer protected; its points stay`);
    });
  return withExamples(command, 'afterimage-agent unprotect home');
}

export function markCommand(): Command {
  const command = withState(withJson(newCommand('mark')))
    .description('name this instant: returns once the named point is durable at the receiver')
    .argument('<name>', 'name of the point, as in --at mark:NAME')
    .action(async (name: string, options: JsonOption) => {
      const answer = await ask(configFor(options).stateDirectory, 'mark', { name });
      print(options.json, answer, `mark:${answer.name} is sequence ${answer.sequence} at ${answer.time}`);
    });
  return withExamples(command, 'afterimage-agent mark before-upgrade');
}

export function flushCommand(): Command {
  const command = withState(withJson(newCommand('flush')))
    .description('return once all that was written before is durable at the receiver and applied to its replica')
    .option('--durable-only', 'do not wait for the replica')
    .action(async (options: JsonOption & { durableOnly?: boolean }) => {
      const answer = await ask(configFor(options).stateDirectory, 'flush', { applied: options.durableOnly !== true });
      print(options.json, answer, `everything up to sequence ${answer.sequence} is durable${options.durableOnly === true ? '' : ' and applied'}`);
    });
  return withExamples(command, 'afterimage-agent flush');
}
