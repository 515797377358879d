/** The commands that show the running agent's state: status and lag. */
import type { Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { formatBytes, formatDuration, formatJson, formatTable } from '../../native/terminal/format.js';
import { describeProgress } from '../../native/terminal/progress.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { ask } from '../control/client.js';
import type { AgentStatus, VolumeStatus } from '../control/protocol.js';
import { configFor, withJson, withState, type StateOption } from './options.js';

export function statusCommand(): Command {
  const command = withState(withJson(newCommand('status')))
    .description('show volumes, journal and connection')
    .action(async (options: StateOption & { json?: boolean }) => {
      const status = await ask(configFor(options).stateDirectory, 'status', {});
      process.stdout.write(`${options.json === true ? formatJson(status) : describeStatus(status)}\n`);
    });
  return withExamples(command, 'afterimage-agent status', 'afterimage-agent status --json');
}

export function lagCommand(): Command {
  const command = withState(withJson(newCommand('lag')))
    .description('show how far the receiver is behind this host')
    .option('--watch', 'print a line every second until interrupted')
    .action(async (options: StateOption & { json?: boolean; watch?: boolean }) => {
      const { stateDirectory } = configFor(options);
      const signal = shutdownSignal();
      for (;;) {
        const { journal, connection, receiver } = await ask(stateDirectory, 'status', {});
        const lag = { lagSeconds: journal.lagSeconds, lagBytes: journal.lagBytes, captured: journal.captured, durable: journal.durable, applied: journal.applied, spoolBytes: journal.spoolBytes, connection: connection.state, receiver: receiver.state };
        const words = `lag ${formatDuration(journal.lagSeconds * 1000)}, ${formatBytes(journal.lagBytes)}; captured ${journal.captured}, durable ${journal.durable}, applied ${journal.applied}; ${connection.state}${receiver.state === 'ok' ? '' : `; receiver: ${receiver.message}`}`;
        process.stdout.write(`${options.json === true ? (options.watch === true ? JSON.stringify(lag) : formatJson(lag)) : words}\n`);
        if (options.watch !== true || signal.aborted) return;
        await systemClock.sleep(1000, signal).catch(() => undefined);
        if (signal.aborted) return;
      }
    });
  return withExamples(command, 'afterimage-agent lag', 'afterimage-agent lag --watch');
}

function describeStatus(status: AgentStatus): string {
  const { agent, connection, journal, receiver } = status;
  const lines = [
    `host ${agent.host}, agent ${agent.version} (pid ${agent.pid}), state in ${agent.stateDirectory}`,
    `receiver ${agent.receiver}: ${connection.state}${connection.message === '' ? '' : ` (${connection.message})`} since ${connection.since}`,
    ...(receiver.state === 'ok' ? [] : [`receiver says: ${receiver.message}`]),
    `journal: captured ${journal.captured}, durable ${journal.durable}, applied ${journal.applied}${journal.state === 'ok' ? '' : `; ${journal.state}: ${journal.message}`}`,
    `lag: ${formatDuration(journal.lagSeconds * 1000)}, ${formatBytes(journal.lagBytes)}; spool ${formatBytes(journal.spoolBytes)} of ${formatBytes(journal.spoolBytesMax)}; gaps ${journal.gaps}`,
    '',
  ];
  if (status.volumes.length === 0) return [...lines, 'no volume is protected; "afterimage-agent protect PATH" protects one'].join('\n');
  lines.push(formatTable(['volume', 'path', 'engine', 'label', 'phase', 'gaps', 'problems'], status.volumes.map((volume) => [volume.name, volume.path, volume.engine, labelWords(volume), phaseWords(volume), volume.gaps, volume.reportCount])));
  for (const volume of status.volumes) {
    if (volume.cause !== '') lines.push('', `${volume.name}: ${volume.cause}`);
    for (const { path, problem } of volume.reports.slice(0, 10)) lines.push(`  ${path}: ${problem}`);
    if (volume.reportCount > 10) lines.push(`  … and ${volume.reportCount - 10} more`);
  }
  return lines.join('\n');
}

function labelWords(volume: VolumeStatus): string {
  return volume.settled ? `${volume.label} (settled)` : volume.label;
}

function phaseWords(volume: VolumeStatus): string {
  if (volume.progress === undefined || volume.progress.totalBytes === 0) return volume.phase;
  return `${volume.phase} ${describeProgress(volume.progress, 0).split(', ').slice(0, 2).join(', ')}`;
}
