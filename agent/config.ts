/** What an agent is told from outside: where its state lies, and its limits. Read once, then plain values. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../proto/errors.js';
import { parseBytes, parseDuration } from '../native/terminal/format.js';

export interface AgentConfig {
  readonly stateDirectory: string;
  /** Bytes that the spool may hold before capture degrades to dirty ranges. */
  readonly spoolBytesMax: number;
  /** Time between looks at whole volumes, for the portable engine. */
  readonly scanIntervalMs: number;
  /** Memory of the ring between the kernel and the exact engine. */
  readonly ringBytes: number;
  /** How long the exact engine goes on in the kernel after the agent was stopped. */
  readonly keepCapturingMs: number;
  readonly logLevel: string;
}

export const defaultSpoolBytes = '10GiB';
export const defaultScanInterval = '60s';
export const defaultRingBytes = '64MiB';
export const defaultKeepCapturing = '5m';

/** Where the agent keeps its state unless told otherwise: the system's place for root, the user's for others. */
export function defaultStateDirectory(platform: NodeJS.Platform = process.platform, env: NodeJS.ProcessEnv = process.env): string {
  const told = env['AFTERIMAGE_STATE'];
  if (told !== undefined && told !== '') return told;
  if (platform === 'win32') return join(env['ProgramData'] ?? 'C:\\ProgramData', 'Afterimage', 'agent');
  const isRoot = process.getuid?.() === 0;
  if (platform === 'darwin') return isRoot ? '/Library/Application Support/Afterimage/agent' : join(homedir(), 'Library', 'Application Support', 'Afterimage', 'agent');
  return isRoot ? '/var/lib/afterimage-agent' : join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'afterimage-agent');
}

/** Checks options as typed. Throws UsageError that names the option. */
export function agentConfig(options: { readonly state?: string; readonly spoolBytes?: string; readonly scanInterval?: string; readonly ringBytes?: string; readonly keepCapturing?: string; readonly logLevel?: string }): AgentConfig {
  const spoolBytesMax = parseBytes(options.spoolBytes ?? defaultSpoolBytes);
  if (spoolBytesMax === undefined || spoolBytesMax < 1024 * 1024) throw new UsageError(`--spool-bytes ${options.spoolBytes} is no size of at least 1MiB; write it as 512MiB or 10GiB`);
  const scanIntervalMs = parseDuration(options.scanInterval ?? defaultScanInterval);
  if (scanIntervalMs === undefined || scanIntervalMs < 100) throw new UsageError(`--scan-interval ${options.scanInterval} is no time of at least 100ms; write it as 30s or 10m`);
  const ringBytes = parseBytes(options.ringBytes ?? defaultRingBytes);
  if (ringBytes === undefined || ringBytes < 64 * 1024 || ringBytes > 1024 ** 3) throw new UsageError(`--ring-bytes ${options.ringBytes} is no size from 64KiB to 1GiB; write it as 64MiB`);
  const keepCapturingMs = options.keepCapturing === '0' ? 0 : parseDuration(options.keepCapturing ?? defaultKeepCapturing);
  if (keepCapturingMs === undefined || keepCapturingMs > 7 * 86_400_000) throw new UsageError(`--keep-capturing ${options.keepCapturing} is no time of at most 7d; write it as 10m or 1h, or 0`);
  const logLevel = options.logLevel ?? 'info';
  if (!['debug', 'info', 'warn', 'error', 'silent'].includes(logLevel)) throw new UsageError(`--log-level ${logLevel} is not one of debug, info, warn, error, silent`);
  return { stateDirectory: options.state ?? defaultStateDirectory(), spoolBytesMax, scanIntervalMs, ringBytes, keepCapturingMs, logLevel };
}
