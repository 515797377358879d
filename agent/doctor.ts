/** Looks at what the agent needs on this machine, and says of each thing whether it is there and what to do. */
import { access, constants, readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../native/host/clock.js';
import type { Files } from '../native/host/files.js';
import { loadNative, nativeUnavailableReason } from '../native/index.js';
import { formatBytes } from '../native/terminal/format.js';
import { ask, AgentNotRunning } from './control/client.js';
import { parseReceiverAddress } from './identity/first-contact.js';
import { loadIdentity, renewalDue, type AgentIdentity } from './identity/state.js';
import type { EngineVerdict } from './capture/change-source.js';

export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do; empty when there is nothing to do. */
  readonly remedy: string;
}

export interface DoctorOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly stateDirectory: string;
  /** Engine verdicts for the paths asked about and the volumes that the running agent protects. */
  readonly verdicts: (path: string) => Promise<readonly EngineVerdict[]>;
  readonly paths: readonly string[];
}

const connectTimeoutMs = 5000;
const watchesComfortable = 65_536;
const freeBytesComfortable = 1024 ** 3;

/** All findings, in the order in which a person would fix them. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { files, clock, stateDirectory } = options;
  const findings: Finding[] = [checkNode(), checkAddon(), await checkStateDirectory(files, stateDirectory), await checkWatches()];
  const identity = await loadIdentity(files, stateDirectory).catch((error: Error) => error);
  findings.push(checkIdentity(identity, clock));
  if (!(identity instanceof Error)) findings.push(await checkReceiver(identity));
  const running = await ask(stateDirectory, 'status', {}, { timeoutMs: connectTimeoutMs }).catch((error: Error) => error);
  if (running instanceof Error) {
    const isAbsent = running instanceof AgentNotRunning;
    findings.push({ check: 'agent', verdict: 'warning', detail: isAbsent ? 'not running' : running.message, remedy: isAbsent ? 'start it with "afterimage-agent run" or "afterimage-agent install"' : '' });
  } else findings.push({ check: 'agent', verdict: 'ok', detail: `running, pid ${running.agent.pid}, connection ${running.connection.state}`, remedy: '' });
  const protectedPaths = running instanceof Error ? [] : running.volumes.map((volume) => volume.path);
  for (const path of new Set([...options.paths, ...protectedPaths])) {
    for (const { engine, available, reason } of await options.verdicts(path)) {
      findings.push({ check: `engine ${engine} for ${path}`, verdict: available ? 'ok' : engine === 'portable' ? 'failed' : 'warning', detail: reason, remedy: '' });
    }
  }
  return findings;
}

function checkNode(): Finding {
  return { check: 'Node.js', verdict: 'ok', detail: `${process.version} on ${process.platform} ${process.arch}`, remedy: '' };
}

function checkAddon(): Finding {
  if (loadNative() !== undefined) return { check: 'native addon', verdict: 'ok', detail: 'loaded', remedy: '' };
  const detail = `not loaded: ${nativeUnavailableReason()}; extended attributes, holes and special files are not carried without it`;
  return { check: 'native addon', verdict: 'warning', detail, remedy: 'install a C++ compiler, make and python3, then "npm run build:native"' };
}

async function checkStateDirectory(files: Files, stateDirectory: string): Promise<Finding> {
  const check = `state directory ${stateDirectory}`;
  try {
    const existing = (await files.exists(stateDirectory)) ? stateDirectory : await nearestExisting(files, stateDirectory);
    await access(existing, constants.W_OK);
    const { freeBytes } = await files.space(existing);
    if (freeBytes < freeBytesComfortable) return { check, verdict: 'warning', detail: `${formatBytes(freeBytes)} free`, remedy: 'free some space, or give the agent another --state directory: the spool needs room while the receiver is away' };
    return { check, verdict: 'ok', detail: `writable, ${formatBytes(freeBytes)} free`, remedy: '' };
  } catch (error) {
    return { check, verdict: 'failed', detail: (error as Error).message, remedy: 'run as a user who may write there, or give another --state directory' };
  }
}

async function nearestExisting(files: Files, path: string): Promise<string> {
  let at = path;
  while (!(await files.exists(at)) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** inotify(7): a directory costs one watch, and what is not watched is only seen by looking again. */
async function checkWatches(): Promise<Finding> {
  const check = 'change notification';
  if (process.platform !== 'linux') return { check, verdict: 'ok', detail: 'by the operating system', remedy: '' };
  const watches = Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => '0'));
  if (watches >= watchesComfortable) return { check, verdict: 'ok', detail: `up to ${watches} directories`, remedy: '' };
  return { check, verdict: 'warning', detail: `up to ${watches} directories can be watched; others are looked at in intervals`, remedy: 'sysctl fs.inotify.max_user_watches=1048576' };
}

function checkIdentity(identity: AgentIdentity | Error, clock: Clock): Finding {
  if (identity instanceof Error) return { check: 'enrolment', verdict: 'failed', detail: identity.message, remedy: 'afterimage-agent enroll --receiver HOST:PORT --token TOKEN' };
  const { validTo } = new X509Certificate(identity.certificatePem);
  const detail = `host ${identity.name} at ${identity.receiver}, certificate until ${validTo}`;
  if (renewalDue(identity, clock.wallNs())) return { check: 'enrolment', verdict: 'warning', detail, remedy: 'the running agent renews it by itself; if this stays, enrol again' };
  return { check: 'enrolment', verdict: 'ok', detail, remedy: '' };
}

async function checkReceiver(identity: AgentIdentity): Promise<Finding> {
  const check = `receiver ${identity.receiver}`;
  const { host, port } = parseReceiverAddress(identity.receiver);
  const failure = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.on('connect', () => end(undefined));
    socket.on('timeout', () => end(`no answer within ${connectTimeoutMs} ms`));
    socket.on('error', (error) => end(error.message));
  });
  if (failure === undefined) return { check, verdict: 'ok', detail: 'reachable', remedy: '' };
  return { check, verdict: 'warning', detail: failure, remedy: 'check that "afterimage-receiver serve" runs there and that no firewall is between; changes are spooled meanwhile' };
}
