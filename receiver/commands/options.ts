/** Options that several commands share. */
import type { Command } from 'commander';
import { destination, pino, type Logger } from 'pino';
import { UsageError } from '../../proto/errors.js';

export interface DataOption {
  readonly data: string;
}
export interface JsonOption {
  readonly json?: boolean;
}
export interface HostVolumeOption extends DataOption, JsonOption {
  readonly host?: string;
  readonly volume?: string;
}
export interface PointOption extends DataOption, JsonOption {
  readonly host: string;
  readonly volume: string;
  readonly at: string;
}
export interface LogLevelOption {
  readonly logLevel: string;
}

export const atWords = 'ISO 8601 time, -90s, -2h, seq:N, mark:NAME or latest';

export function withData(command: Command): Command {
  return command.requiredOption('--data <dir>', "the receiver's data directory");
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

/** Filters of the listing commands. */
export function withFilters(command: Command): Command {
  return withJson(withData(command)).option('--host <name>', 'this host only').option('--volume <name>', 'this volume only');
}

/** What names one point. */
export function withPoint(command: Command): Command {
  return withData(command).requiredOption('--host <name>', 'whose journal').requiredOption('--volume <name>', 'which volume').requiredOption('--at <at>', atWords);
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'];

export function withLogLevel(command: Command, level: string): Command {
  return command.option('--log-level <level>', 'debug, info, warn, error or silent', level);
}

/** Logs on standard error, so that it never mixes with results. Throws UsageError for a level that there is not. */
export function openLogger(level: string): Logger {
  if (!logLevels.includes(level)) throw new UsageError(`--log-level ${level} is not one of ${logLevels.join(', ')}`);
  return pino({ level }, destination({ dest: 2, sync: true }));
}
