/** The service files that keep an agent running: one text for each service manager, from the same facts. */
import { join } from 'node:path';

export interface ServiceFacts {
  /** Absolute path of the Node.js binary. */
  readonly node: string;
  /** Absolute path of the agent's main file. */
  readonly main: string;
  readonly stateDirectory: string;
  /** Further arguments of `run`, each one word. */
  readonly runArguments: readonly string[];
}

export type ServiceManager = 'systemd' | 'launchd' | 'windows';

export interface ServicePlan {
  readonly manager: ServiceManager;
  readonly path: string;
  readonly content: string;
  /** Commands that start the service, in order; each an argument list. */
  readonly start: readonly (readonly string[])[];
  /** Commands that stop and forget it, in order. */
  readonly stop: readonly (readonly string[])[];
}

export const serviceName = 'afterimage-agent';
const launchdLabel = 'io.afterimage.agent';

export interface ServicePlace {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  readonly home: string;
}

/** The plan for this platform. */
export function servicePlan(facts: ServiceFacts, place: ServicePlace): ServicePlan {
  if (place.platform === 'win32') return windowsPlan(facts);
  if (place.platform === 'darwin') return launchdPlan(facts, place);
  return systemdPlan(facts, place);
}

function commandLine(facts: ServiceFacts): string[] {
  return [facts.node, facts.main, 'run', '--state', facts.stateDirectory, ...facts.runArguments];
}

/**
 * A systemd unit (systemd.unit(5), systemd.service(5)). Root gets a system unit, others a user unit.
 * KillMode leaves the process alone that keeps what the next agent takes over; it ends by itself within minutes.
 */
function systemdPlan(facts: ServiceFacts, place: ServicePlace): ServicePlan {
  const scope = place.isRoot ? [] : ['--user'];
  const path = place.isRoot ? `/etc/systemd/system/${serviceName}.service` : join(place.home, '.config', 'systemd', 'user', `${serviceName}.service`);
  const content = `[Unit]
Description=Afterimage agent: continuous data protection of this host
Wants=network-online.target
After=network-online.target local-fs.target

[Service]
Type=exec
ExecStart=${commandLine(facts).map(systemdQuote).join(' ')}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=60
NoNewPrivileges=${place.isRoot ? 'no' : 'yes'}
Nice=5
IOSchedulingClass=best-effort
IOSchedulingPriority=6
LimitNOFILE=65536
UMask=0077

[Install]
WantedBy=${place.isRoot ? 'multi-user.target' : 'default.target'}
`;
  return {
    manager: 'systemd',
    path,
    content,
    start: [
      ['systemctl', ...scope, 'daemon-reload'],
      ['systemctl', ...scope, 'enable', '--now', `${serviceName}.service`],
    ],
    stop: [
      ['systemctl', ...scope, 'disable', '--now', `${serviceName}.service`],
      ['systemctl', ...scope, 'daemon-reload'],
    ],
  };
}

/** One word of an Exec line: quoted, with specifiers and variables taken literally. */
function systemdQuote(word: string): string {
  const literal = word.replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${literal}"`;
}

/** A launchd property list (launchd.plist(5)): a daemon for root, an agent for others. */
function launchdPlan(facts: ServiceFacts, place: ServicePlace): ServicePlan {
  const folder = place.isRoot ? '/Library/LaunchDaemons' : join(place.home, 'Library', 'LaunchAgents');
  const path = `${folder}/${launchdLabel}.plist`;
  const words = commandLine(facts)
    .map((word) => `    <string>${xmlEscape(word)}</string>`)
    .join('\n');
  const log = xmlEscape(join(facts.stateDirectory, 'agent.log'));
  const content = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${launchdLabel}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ProcessType</key>
  <string>Background</string>
  <key>LowPriorityIO</key>
  <true/>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>${log}</string>
  <key>StandardErrorPath</key>
  <string>${log}</string>
</dict>
</plist>
`;
  return { manager: 'launchd', path, content, start: [['launchctl', 'load', '-w', path]], stop: [['launchctl', 'unload', '-w', path]] };
}

/**
 * A scheduled-task definition (Task Scheduler schema 1.2) that runs at boot as SYSTEM and restarts on
 * failure: Windows' own way to keep a console program running as a service without a wrapper binary.
 */
function windowsPlan(facts: ServiceFacts): ServicePlan {
  const [command, ...rest] = commandLine(facts);
  const path = `${facts.stateDirectory}\\${serviceName}.xml`;
  const content = `<?xml version="1.0" encoding="UTF-8"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Afterimage agent: continuous data protection of this host</Description>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xmlEscape(command!)}</Command>
      <Arguments>${xmlEscape(rest.map(windowsQuote).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
  return {
    manager: 'windows',
    path,
    content,
    start: [
      ['schtasks', '/Create', '/TN', 'Afterimage Agent', '/XML', path, '/F'],
      ['schtasks', '/Run', '/TN', 'Afterimage Agent'],
    ],
    stop: [
      ['schtasks', '/End', '/TN', 'Afterimage Agent'],
      ['schtasks', '/Delete', '/TN', 'Afterimage Agent', '/F'],
    ],
  };
}

function xmlEscape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** One argument as CommandLineToArgvW reads it back. */
function windowsQuote(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  return `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}
