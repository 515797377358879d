/** Every command, used wrongly: exit code 2, what was wrong and what to do on standard error, never a stack trace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { agentMain, ReceiverProgram, receiverMain, run, type Outcome } from './programs.js';
import { hostName, openWorld, Workplace } from './world.js';

const linesMain = fileURLToPath(new URL('usage-lines.js', import.meta.url));

const receiverCommands = ['init', 'serve', 'token', 'revoke', 'hosts', 'volumes', 'points', 'gaps', 'lag', 'ls', 'stat', 'cat', 'diff', 'restore', 'nbd', 'verify', 'rebuild-catalogue', 'rebuild-replica'];
const agentCommands = ['enroll', 'run', 'protect', 'unprotect', 'status', 'lag', 'mark', 'flush', 'restore', 'install', 'uninstall', 'doctor'];

const programs = { 'afterimage-receiver': receiverMain, 'afterimage-agent': agentMain } as const;
type Program = keyof typeof programs;

interface Case {
  readonly program: Program;
  readonly words: readonly string[];
  /** Of standard error. */
  readonly says: RegExp;
  readonly code?: number;
}

const stackTrace = /\n\s+at .*:\d+:\d+|node:internal/;

/** Two at once: more would only wait for each other. */
async function all<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all([1, 2].map(async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await each(item);
  }));
}

/** Runs command lines that do no more than refuse, all in one process each program: starting one takes longer than what it does. */
async function runTogether(lines: readonly { readonly program: Program; readonly words: readonly string[] }[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await all(Object.keys(programs) as Program[], async (program) => {
    const mine = [...lines.entries()].filter(([, line]) => line.program === program);
    const { code, stdout, stderr } = await run(linesMain, [programs[program], JSON.stringify(mine.map(([, { words }]) => words))]);
    if (code !== 0) throw new Error(stderr);
    for (const [at, outcome] of (JSON.parse(stdout) as Outcome[]).entries()) outcomes[mine[at]![0]] = outcome;
  });
  return outcomes;
}

async function checkTogether(t: Test, cases: readonly Case[]): Promise<void> {
  for (const [place, outcome] of (await runTogether(cases)).entries()) checkOutcome(t, cases[place]!, outcome);
}

function checkOutcome(t: Test, { program, words, says, code = 2 }: Case, outcome: Outcome): void {
  const line = `${program} ${words.join(' ')}`;
  t.equal(outcome.code, code, `${line} exits with ${code}; it said: ${outcome.stderr}${outcome.stdout}`);
  t.match(outcome.stderr, says, `${line} says what is wrong`);
  t.notMatch(outcome.stderr, stackTrace, `${line} shows no stack trace`);
  t.equal(outcome.stdout, '', `${line} leaves standard output alone`);
}

/** Each in a process of its own, as a user runs them. */
async function checkCases(t: Test, cases: readonly Case[]): Promise<void> {
  await all(cases, async (one) => checkOutcome(t, one, await run(programs[one.program], one.words)));
}

t.test('every command explains itself with examples', async (t) => {
  const lines: { program: Program; words: string[] }[] = [
    { program: 'afterimage-receiver', words: ['--help'] },
    { program: 'afterimage-agent', words: ['--help'] },
    ...receiverCommands.map((command) => ({ program: 'afterimage-receiver' as const, words: [command, '--help'] })),
    ...agentCommands.map((command) => ({ program: 'afterimage-agent' as const, words: [command, '--help'] })),
  ];
  for (const [place, { code, stdout, stderr }] of (await runTogether(lines)).entries()) {
    const { program, words } = lines[place]!;
    const line = `${program} ${words.join(' ')}`;
    t.equal(code, 0, `${line} exits with 0`);
    t.match(stdout, new RegExp(`Examples:\\n  ${program} `), `${line} has examples`);
    t.equal(stderr, '', `${line} has no complaint`);
  }
  await checkCases(t, [
    { program: 'afterimage-receiver', words: ['restroe'], says: /unknown command 'restroe'[^]*restore[^]*--help/ },
    { program: 'afterimage-agent', words: ['stauts'], says: /unknown command 'stauts'[^]*status[^]*--help/ },
  ]);
});

t.test('unknown commands and options, and missing ones, are named', async (t) => {
  const noData = ['init', 'serve', 'token', 'revoke', 'hosts', 'volumes', 'points', 'gaps', 'lag', 'ls', 'stat', 'diff', 'restore', 'nbd', 'verify', 'rebuild-catalogue', 'rebuild-replica'];
  await checkTogether(t, [
    { program: 'afterimage-receiver', words: [], says: /Usage: afterimage-receiver/ },
    { program: 'afterimage-agent', words: [], says: /Usage: afterimage-agent/ },
    ...noData.map((command): Case => ({ program: 'afterimage-receiver', words: [command], says: /required option '--data <dir>' not specified[^]*--help/ })),
    { program: 'afterimage-receiver', words: ['cat'], says: /(required option '--data <dir>'|missing required argument 'path')[^]*--help/ },
    ...['hosts', 'verify', 'init'].map((command): Case => ({ program: 'afterimage-receiver', words: [command, '--data', '/nowhere', '--frobnicate'], says: /unknown option '--frobnicate'[^]*--help/ })),
    ...['run', 'status', 'flush', 'install', 'uninstall', 'doctor'].map((command): Case => ({ program: 'afterimage-agent', words: [command, '--frobnicate'], says: /unknown option '--frobnicate'[^]*--help/ })),
    { program: 'afterimage-agent', words: ['enroll'], says: /required option '--receiver <host:port>' not specified[^]*--help/ },
    { program: 'afterimage-agent', words: ['enroll', '--receiver', 'localhost:1'], says: /required option '--token <token>' not specified[^]*--help/ },
    { program: 'afterimage-agent', words: ['protect'], says: /missing required argument 'path'[^]*--help/ },
    { program: 'afterimage-agent', words: ['unprotect'], says: /missing required argument 'name'[^]*--help/ },
    { program: 'afterimage-agent', words: ['mark'], says: /missing required argument 'name'[^]*--help/ },
    { program: 'afterimage-agent', words: ['restore'], says: /required option '--volume <name>' not specified[^]*--help/ },
    { program: 'afterimage-agent', words: ['flush', 'surplus'], says: /too many arguments[^]*--help/ },
    { program: 'afterimage-agent', words: ['protect', '/tmp', '--engine', 'steam'], says: /steam[^]*auto, exact, portable[^]*--help/ },
  ]);
});

t.test('a receiver command on what is no data directory says how to make one', async (t) => {
  await using work = await Workplace.make('usage');
  const empty = await work.makeDirectory('empty');
  const absent = work.path('absent');
  const at = ['--host', 'web-1', '--volume', 'data', '--at', 'latest'];
  const cases: readonly (readonly string[])[] = [
    ['serve'], ['token', '--host', 'web-1'], ['revoke', '--host', 'web-1'], ['hosts'], ['volumes'], ['points'], ['gaps'], ['lag'], ['verify'],
    ['ls', ...at], ['stat', ...at], ['cat', ...at, 'x'], ['diff', '--host', 'web-1', '--volume', 'data', '--from', '-1h', '--to', 'latest'],
    ['restore', ...at, '--to', work.path('target')], ['nbd', ...at], ['rebuild-catalogue'], ['rebuild-replica', '--host', 'web-1', '--volume', 'data'],
  ];
  await checkTogether(t, cases.map(([command, ...rest], place) => ({
    program: 'afterimage-receiver',
    words: [command!, '--data', place % 2 === 0 ? empty : absent, ...rest],
    says: /is no receiver's data directory[^]*afterimage-receiver init/,
  })));
});

t.test('a receiver command that asks for what is not there says what is', async (t) => {
  await using world = await openWorld('usage');
  const { work, source, receiver, agent } = world;
  await writeFile(`${source}/file`, 'content');
  t.match(await agent.command('protect', source, '--name', 'data', '--engine', 'portable', '--wait'), /volume data is protected [^]*; its first copy is made/);
  t.equal((await agent.status()).volumes[0]?.progress, undefined, 'and it is');
  await agent.command('flush');
  const data = ['--data', receiver.data];
  const volume = [...data, '--host', hostName, '--volume', 'data'];
  const target = ['--to', work.path('target')];
  const full = await work.makeDirectory('full');
  await writeFile(`${full}/file`, 'mine');
  const receiverCase = (says: RegExp, ...words: string[]): Case => ({ program: 'afterimage-receiver', words, says });
  await checkCases(t, [
    receiverCase(/another receiver uses .*stop it first/, 'serve', ...data, '--listen', '127.0.0.1:0'),
    receiverCase(/another receiver uses .*stop it first/, 'rebuild-catalogue', ...data),
    receiverCase(/another receiver uses .*stop it first/, 'rebuild-replica', ...volume),
    receiverCase(/--listen nonsense is no address; write it as/, 'serve', ...data, '--listen', 'nonsense'),
    receiverCase(/--log-level loud is not one of/, 'serve', ...data, '--log-level', 'loud'),
    receiverCase(/--ttl never is no time[^]*15m/, 'token', ...data, '--host', 'x', '--ttl', 'never'),
    receiverCase(/role[^]*host, operator, auditor/, 'token', ...data, '--host', 'x', '--role', 'king'),
    receiverCase(/name/, 'token', ...data, '--host', '../x'),
    receiverCase(/no certificate of stranger/, 'revoke', ...data, '--host', 'stranger'),
    ...['volumes', 'points', 'gaps', 'lag', 'verify'].map((command) => receiverCase(new RegExp(`no host named stranger is enrolled; known: ${hostName}`), command, ...data, '--host', 'stranger')),
    receiverCase(/no volume named nothing/, 'volumes', ...data, '--volume', 'nothing'),
    receiverCase(/no volume named nothing/, 'points', ...data, '--volume', 'nothing'),
    receiverCase(/no volume named nothing/, 'verify', ...data, '--host', hostName, '--volume', 'nothing'),
    receiverCase(/--at needs --host and --volume/, 'verify', ...data, '--at', 'latest'),
    receiverCase(/yesterdayish[^]*seq:1234/, 'ls', ...volume, '--at', 'yesterdayish'),
    receiverCase(/seq/, 'ls', ...volume, '--at', 'seq:99999999'),
    receiverCase(/mark[^]*never-made/, 'ls', ...volume, '--at', 'mark:never-made'),
    receiverCase(/before|first/, 'ls', ...volume, '--at', '2001-01-01T00:00:00Z'),
    receiverCase(/no-such-file did not exist then/, 'ls', ...volume, '--at', 'latest', 'no-such-file'),
    receiverCase(/no-such-file did not exist then/, 'stat', ...volume, '--at', 'latest', 'no-such-file'),
    receiverCase(/no-such-file/, 'cat', ...volume, '--at', 'latest', 'no-such-file'),
    receiverCase(/no-such-file/, 'restore', ...volume, '--at', 'latest', ...target, '--path', 'no-such-file'),
    receiverCase(/exact/, 'restore', ...volume, '--at', 'latest', ...target, '--exact-only'),
    receiverCase(/is not empty; restore to another place, or use --in-place/, 'restore', ...volume, '--at', 'latest', '--to', full),
    receiverCase(/sequence 99999999 is not in the journal, which ends at seq:/, 'diff', ...volume, '--from', 'seq:99999999', '--to', 'latest'),
  ]);
  const state = ['--state', agent.state];
  const agentCase = (says: RegExp, ...words: string[]): Case => ({ program: 'afterimage-agent', words, says });
  await mkdir(`${source}/below`);
  await checkCases(t, [
    agentCase(/already runs/, 'run', ...state),
    agentCase(/does not exist/, 'protect', ...state, work.path('absent')),
    agentCase(/is no directory; protect the directory/, 'protect', ...state, `${source}/file`),
    agentCase(/overlaps volume data/, 'protect', ...state, `${source}/below`),
    agentCase(/a volume named data is protected already[^]*unprotect data/, 'protect', ...state, full, '--name', 'data'),
    agentCase(/cannot name a volume; use/, 'protect', ...state, full, '--name', '../x'),
    agentCase(/cannot be protected[^]*exact/, 'protect', ...state, '/proc', '--engine', 'exact', '--name', 'full'),
    agentCase(/no volume named nothing is protected; protected are: data/, 'unprotect', ...state, 'nothing'),
    agentCase(/a mark needs a name/, 'mark', ...state, ''),
  ]);
  const remote = (says: RegExp, ...words: string[]): Case => agentCase(says, 'restore', ...state, ...target, ...words);
  await checkCases(t, [
    remote(/no volume is called "nothing"; known: data/, '--volume', 'nothing', '--at', 'latest'),
    remote(/mark[^]*never-made/, '--volume', 'data', '--at', 'mark:never-made'),
    remote(/only an exact one was asked for/, '--volume', 'data', '--at', 'latest', '--exact-only'),
    remote(/no-such-file does not exist/, '--volume', 'data', '--at', 'latest', '--path', 'no-such-file'),
    remote(/"\.\." is not a file name/, '--volume', 'data', '--at', 'latest', '--path', '../x'),
  ]);
});

t.test('commands for a running agent say how to start one', async (t) => {
  await using work = await Workplace.make('usage');
  const state = ['--state', await work.makeDirectory('state')];
  const talking: readonly (readonly string[])[] = [['protect', '/tmp'], ['unprotect', 'x'], ['status'], ['lag'], ['mark', 'x'], ['flush']];
  await checkCases(t, [
    ...talking.map(([command, ...rest]): Case => ({ program: 'afterimage-agent', words: [command!, ...state, ...rest], says: /no agent runs on .*start it with "afterimage-agent run"/, code: 1 })),
    ...[['run'], ['install'], ['restore', '--volume', 'data', '--at', 'latest', '--to', work.path('target')]].map(([command, ...rest]): Case => ({ program: 'afterimage-agent', words: [command!, ...state, ...rest], says: /not enrolled: run afterimage-agent enroll --receiver/ })),
    { program: 'afterimage-agent', words: ['run', ...state, '--spool-bytes', 'lots'], says: /--spool-bytes lots is no size[^]*512MiB/ },
    { program: 'afterimage-agent', words: ['run', ...state, '--scan-interval', '1'], says: /--scan-interval 1 is no time[^]*30s/ },
    { program: 'afterimage-agent', words: ['run', ...state, '--log-level', 'loud'], says: /--log-level loud is not one of/ },
    { program: 'afterimage-agent', words: ['enroll', ...state, '--receiver', 'nowhere', '--token', 'x'], says: /is no receiver address: write HOST:PORT|not a whole enrolment token/ },
    { program: 'afterimage-agent', words: ['enroll', ...state, '--receiver', '127.0.0.1:1', '--token', 'x'], says: /not a whole enrolment token[^]*copy it again/ },
  ]);
});

t.test('a token for a receiver that is not there says so', async (t) => {
  await using work = await Workplace.make('usage');
  await using receiver = await ReceiverProgram.init(work.path('receiver'));
  const token = await receiver.token('web-1');
  await checkCases(t, [{ program: 'afterimage-agent', words: ['enroll', '--state', work.path('state'), '--receiver', '127.0.0.1:1', '--token', token], says: /cannot reach a receiver at 127\.0\.0\.1:1/, code: 1 }]);
});
