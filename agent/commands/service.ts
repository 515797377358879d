/** The commands that hand the agent to the system's service manager, and take it back. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { systemFiles } from '../../native/host/files.js';
import { newCommand, withExamples } from '../../native/terminal/program.js';
import { agentConfig } from '../config.js';
import { endKeptCapture } from '../exact-kernel.js';
import { loadIdentity } from '../identity/state.js';
import { servicePlan, type ServicePlan } from '../install/service.js';
import { withState, type StateOption } from './options.js';

const run = promisify(execFile);

interface InstallOptions extends StateOption {
  readonly spoolBytes?: string;
  readonly scanInterval?: string;
  readonly print?: boolean;
  readonly start: boolean;
}

export function installCommand(): Command {
  const command = withState(newCommand('install'))
    .description('keep the agent running: a systemd unit, a launchd property list or a Windows boot task')
    .option('--spool-bytes <size>', 'spool budget to run with')
    .option('--scan-interval <time>', 'time between looks at whole volumes')
    .option('--print', 'print the service file and the commands instead of installing')
    .option('--no-start', 'write the service file only')
    .action(async (options: InstallOptions) => {
      const config = agentConfig(options);
      const plan = planFor(options, resolve(config.stateDirectory));
      if (options.print === true) {
        process.stdout.write(`# ${plan.path}\n${plan.content}\n${plan.start.map((words) => `# ${words.join(' ')}`).join('\n')}\n`);
        return;
      }
      await loadIdentity(systemFiles, config.stateDirectory);
      await mkdir(dirname(plan.path), { recursive: true });
      await writeFile(plan.path, plan.content, { mode: 0o644 });
      process.stdout.write(`wrote ${plan.path}\n`);
      if (options.start) await runAll(plan.start);
      process.stdout.write(options.start ? 'the agent is installed and running\n' : `start it with: ${plan.start.map((words) => words.join(' ')).join(' && ')}\n`);
    });
  return withExamples(command, 'afterimage-agent install', 'afterimage-agent install --print', 'afterimage-agent install --spool-bytes 50GiB');
}

export function uninstallCommand(): Command {
  const command = withState(newCommand('uninstall'))
    .description('stop the agent and forget the service; state and history stay')
    .option('--unpin', 'also end the capture that goes on in the kernel for the next agent; by itself it ends after the time of "run --keep-capturing"')
    .option('--print', 'print what would be done')
    .action(async (options: StateOption & { print?: boolean; unpin?: boolean }) => {
      const stateDirectory = resolve(agentConfig(options).stateDirectory);
      const plan = planFor({ ...options, start: false }, stateDirectory);
      if (options.print === true) {
        process.stdout.write(`${plan.stop.map((words) => words.join(' ')).join('\n')}\nrm ${plan.path}\n`);
        return;
      }
      const failures = await Promise.resolve(runAll(plan.stop)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (options.unpin === true) await endKeptCapture(stateDirectory);
      await rm(plan.path, { force: true });
      process.stdout.write(`${failures === undefined ? 'the agent is stopped' : failures}; removed ${plan.path}\n`);
    });
  return withExamples(command, 'afterimage-agent uninstall', 'afterimage-agent uninstall --unpin');
}

function planFor(options: InstallOptions, stateDirectory: string): ServicePlan {
  const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'main.js');
  const runArguments = [...(options.spoolBytes === undefined ? [] : ['--spool-bytes', options.spoolBytes]), ...(options.scanInterval === undefined ? [] : ['--scan-interval', options.scanInterval])];
  return servicePlan({ node: process.execPath, main, stateDirectory, runArguments }, { platform: process.platform, isRoot: process.getuid?.() === 0, home: homedir() });
}

async function runAll(commands: readonly (readonly string[])[]): Promise<void> {
  for (const [program, ...rest] of commands) {
    try {
      await run(program!, rest);
    } catch (cause) {
      const why = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message;
      throw new Error(`${[program, ...rest].join(' ')} failed: ${why}; run it by hand, or run "afterimage-agent run" under a supervisor of yours`);
    }
  }
}
