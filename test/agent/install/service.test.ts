/** Each generated service file is read back by an independent parser of its format. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { servicePlan, type ServiceFacts } from '../../../agent/install/service.js';

const facts: ServiceFacts = {
  node: '/usr/bin/node',
  main: '/opt/after image/dist/agent/main.js',
  stateDirectory: '/var/lib/with "quotes", $dollar, 100% and & <angles>',
  runArguments: ['--spool-bytes', '50GiB'],
};
const words = [facts.node, facts.main, 'run', '--state', facts.stateDirectory, ...facts.runArguments];

t.test('the systemd unit is accepted by systemd and starts exactly the command', async (t) => {
  const plan = servicePlan({ ...facts, main: '/usr/bin/true' }, { platform: 'linux', isRoot: true, home: '/root' });
  t.equal(plan.path, '/etc/systemd/system/afterimage-agent.service');
  const directory = t.testdir({});
  const path = join(directory, 'afterimage-agent.service');
  writeFileSync(path, plan.content);
  const verify = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
  if (verify.error === undefined) t.equal(`${verify.stderr}${verify.status}`.replaceAll(/^.*(?!afterimage-agent)\.(service|target|socket|mount):.*\n/gm, ''), '0');
  const exec = /^ExecStart=(.*)$/m.exec(plan.content)![1]!;
  const parsed = [...exec.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word!.replaceAll(/\\(.)/g, '$1').replaceAll('%%', '%').replaceAll('$$', () => '$'));
  t.same(parsed, [facts.node, '/usr/bin/true', ...words.slice(2)]);
  t.match(plan.content, /^Restart=always$/m);
  t.same(plan.start[1], ['systemctl', 'enable', '--now', 'afterimage-agent.service']);
});

t.test('an ordinary user gets a user unit', async (t) => {
  const plan = servicePlan(facts, { platform: 'linux', isRoot: false, home: '/home/u' });
  t.equal(plan.path, '/home/u/.config/systemd/user/afterimage-agent.service');
  t.match(plan.content, /^WantedBy=default\.target$/m);
  t.same(plan.stop[0], ['systemctl', '--user', 'disable', '--now', 'afterimage-agent.service']);
});

t.test('the launchd property list reads back to the command', async (t) => {
  const plan = servicePlan(facts, { platform: 'darwin', isRoot: true, home: '/var/root' });
  const json = execFileSync('python3', ['-c', 'import plistlib,json,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))'], { input: plan.content, encoding: 'utf8' });
  const list = JSON.parse(json) as { ProgramArguments: string[]; KeepAlive: boolean; RunAtLoad: boolean; Umask: number; Label: string };
  t.same(list.ProgramArguments, words);
  t.equal(list.KeepAlive, true);
  t.equal(list.RunAtLoad, true);
  t.equal(list.Umask, 0o77);
  t.equal(plan.path, `/Library/LaunchDaemons/${list.Label}.plist`);
});

t.test('the Windows task reads back to the command, and runs at boot as the system', async (t) => {
  const onWindows = { ...facts, node: 'C:\\Program Files\\nodejs\\node.exe', stateDirectory: 'C:\\Program Data\\trailing\\' };
  const plan = servicePlan(onWindows, { platform: 'win32', isRoot: false, home: 'C:\\Users\\u' });
  const script = 'import xml.etree.ElementTree as e,json,sys; r=e.fromstring(sys.stdin.buffer.read()); print(json.dumps({x.tag.split("}")[1]: x.text for x in r.iter() if x.text and x.text.strip()}))';
  const fields = JSON.parse(execFileSync('python3', ['-c', script], { input: plan.content, encoding: 'utf8' })) as Record<string, string>;
  t.equal(fields['Command'], onWindows.node);
  t.equal(fields['Arguments'], '"/opt/after image/dist/agent/main.js" run --state "C:\\Program Data\\trailing\\\\" --spool-bytes 50GiB');
  t.equal(fields['UserId'], 'S-1-5-18');
  t.equal(fields['ExecutionTimeLimit'], 'PT0S');
  t.same(plan.start[0]!.slice(0, 2), ['schtasks', '/Create']);
});

t.test('install --print shows the file and changes nothing', async (t) => {
  const { agentMain, run } = await import('../../end-to-end/programs.js');
  const state = join(t.testdir({}), 'state');
  const outcome = await run(agentMain, ['install', '--print', '--state', state]);
  t.equal(outcome.code, 0);
  t.match(outcome.stdout, /ExecStart=/);
  t.match(outcome.stdout, state);
  mkdirSync(state);
});
