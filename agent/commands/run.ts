/** The commands that make and run an agent: enroll, run, doctor. */
import type { Command } from 'commander';
import { destination, pino } from 'pino';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { systemRandom } from '../../native/host/random.js';
import { version } from '../../native/package/version.js';
import { formatJson, formatTable } from '../../native/terminal/format.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { UsageError } from '../../proto/errors.js';
import { identityOf } from '../../proto/identity.js';
import { X509Certificate } from 'node:crypto';
import { engineVerdicts, runAgent } from '../agent.js';
import { agentConfig } from '../config.js';
import { examine } from '../doctor.js';
import { enroll } from '../identity/enroll.js';
import { loadIdentity } from '../identity/state.js';
import { enrol } from '../transport/grpc-link.js';
import { configFor, withJson, withState, type StateOption } from './options.js';

export function enrollCommand(): Command {
  const command = withState(newCommand('enroll'))
    .description('give this host an identity at a receiver, with a one-time token')
    .requiredOption('--receiver <host:port>', 'where the receiver listens')
    .requiredOption('--token <token>', 'what "afterimage-receiver token" printed; - reads it from standard input')
    .action(async (options: StateOption & { receiver: string; token: string }) => {
      const { stateDirectory } = configFor(options);
      const token = options.token === '-' ? await readInput() : options.token;
      const identity = await enroll({
        files: systemFiles,
        clock: systemClock,
        stateDirectory,
        receiver: options.receiver,
        token,
        send: (caPem, request) => enrol(options.receiver, caPem, { token: request.token, certificateRequestDer: Buffer.from(request.csrDer), platform: process.platform, agentVersion: version }),
      });
      process.stdout.write(`enrolled as ${identity.name} at ${identity.receiver}; go on with "afterimage-agent install" or "afterimage-agent run", then "afterimage-agent protect PATH"\n`);
    });
  return withExamples(command, 'afterimage-agent enroll --receiver backup.example.com:7433 --token ai1.…', 'afterimage-agent enroll --receiver [2001:db8::7]:7433 --token - < token.txt');
}

async function readInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk as string;
  return text;
}

export function runCommand(): Command {
  const command = withState(newCommand('run'))
    .description('run the agent in the foreground until interrupted')
    .option('--spool-bytes <size>', 'what the spool may hold while the receiver is away; then only dirty ranges are remembered (default: 10GiB)')
    .option('--scan-interval <time>', 'time between looks at whole volumes (default: 60s)')
    .option('--ring-bytes <size>', 'memory between the kernel and the exact engine; what does not fit is read back (default: 64MiB)')
    .option('--keep-capturing <time>', 'how long the exact engine goes on in the kernel after a stop, so that the next start misses nothing; 0: not at all (default: 5m)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default: info)')
    .action(async (options: StateOption & { spoolBytes?: string; scanInterval?: string; ringBytes?: string; keepCapturing?: string; logLevel?: string }) => {
      const config = agentConfig(options);
      const identity = await loadIdentity(systemFiles, config.stateDirectory);
      const { role } = identityOf(new X509Certificate(identity.certificatePem));
      if (role !== 'host') throw new UsageError(`this identity is of role ${role}, which protects nothing; enrol with a token of role host`);
      const logger = pino({ level: config.logLevel }, destination({ dest: 2, sync: true }));
      const signal = shutdownSignal();
      await runAgent({ config, identity, files: systemFiles, clock: systemClock, random: systemRandom, logger }, signal, () => {
        process.stdout.write(`the agent is running; host ${identity.name}, state in ${config.stateDirectory}\n`);
      });
    });
  return withExamples(command, 'afterimage-agent run', 'afterimage-agent run --spool-bytes 50GiB --scan-interval 5m');
}

export function doctorCommand(): Command {
  const command = withState(withJson(newCommand('doctor')))
    .description('look at what the agent needs here: engines, limits, enrolment, connection; exit 1 when something is missing')
    .argument('[path...]', 'say which engine these paths would get')
    .action(async (paths: string[], options: StateOption & { json?: boolean }) => {
      const { stateDirectory } = configFor(options);
      const findings = await examine({ files: systemFiles, clock: systemClock, stateDirectory, verdicts: engineVerdicts, paths });
      if (options.json === true) process.stdout.write(`${formatJson(findings)}\n`);
      else process.stdout.write(`${formatTable(['', 'check', 'found', 'what to do'], findings.map(({ verdict, check, detail, remedy }) => [verdict, check, detail, remedy]))}\n`);
      if (findings.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
    });
  return withExamples(command, 'afterimage-agent doctor', 'afterimage-agent doctor /srv/data');
}
