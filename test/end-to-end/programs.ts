/** Runs the two programs as a user would, as processes, for tests, demo and benchmarks; ends only what it started. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../../agent/control/client.js';
import type { AgentStatus } from '../../agent/control/protocol.js';

function packageRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) throw new Error('no package.json above this file');
  }
}

export const root = packageRoot();
export const agentMain = join(root, 'dist', 'agent', 'main.js');
export const receiverMain = join(root, 'dist', 'receiver', 'main.js');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(main: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed; its standard output. */
export async function succeed(main: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {}): Promise<string> {
  const { code, stdout, stderr } = await run(main, args, options);
  if (code !== 0) throw new Error(`${main.includes('receiver') ? 'afterimage-receiver' : 'afterimage-agent'} ${args.join(' ')} exited with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

/** A long-running program: started, awaited until ready, killed or stopped. */
export class Daemon implements AsyncDisposable {
  readonly #main: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #exit: Promise<number | null> | undefined;
  readonly #launcher: readonly string[];
  log = '';

  /** `launcher`: words before the program, as of setpriv(1); it must replace itself by the program. */
  constructor(main: string, args: readonly string[], launcher: readonly string[] = []) {
    this.#main = main;
    this.#args = args;
    this.#launcher = launcher;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the program is not running');
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it; resolves with the first match of `ready` in what it prints. */
  start(ready: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const [program, ...words] = [...this.#launcher, process.execPath, this.#main, ...this.#args];
    const child = spawn(program!, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let fresh = '';
    // A test that is ended from outside must not leave it running.
    const endToo = (): boolean => child.kill('SIGKILL');
    process.once('exit', endToo);
    this.#exit = new Promise((resolve) => child.on('close', (code) => {
      process.off('exit', endToo);
      resolve(code);
    }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready after ${timeoutMs} ms:\n${fresh}`)), timeoutMs);
      const heard = (text: string): void => {
        fresh = (fresh + text).slice(-65_536);
        this.log = (this.log + text).slice(-1_048_576);
        const match = ready.exec(fresh);
        if (match === null) return;
        clearTimeout(timer);
        resolve(match);
      };
      child.stdout!.setEncoding('utf8').on('data', heard);
      child.stderr!.setEncoding('utf8').on('data', heard);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`ended with ${code ?? signal} before it was ready:\n${fresh}`));
      });
    });
  }

  /** SIGKILL, as a crash. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exit;
  }

  /** SIGTERM and a clean end; its exit code. */
  async stop(timeoutMs = 30_000): Promise<number | null> {
    if (!this.running) return this.#child?.exitCode ?? null;
    this.#child?.kill('SIGTERM');
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), timeoutMs);
    try {
      return (await this.#exit) ?? null;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(5000);
  }
}

/** A receiver with its data directory, on a loopback port that stays the same over restarts. */
export class ReceiverProgram implements AsyncDisposable {
  readonly data: string;
  #daemon: Daemon | undefined;
  #port: number | undefined;

  private constructor(data: string) {
    this.data = data;
  }

  static async init(data: string): Promise<ReceiverProgram> {
    await succeed(receiverMain, ['init', '--data', data, '--name', '127.0.0.1', '--name', 'localhost']);
    return new ReceiverProgram(data);
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('the receiver was not started');
    return this.#daemon;
  }

  async start(...args: string[]): Promise<void> {
    const daemon = new Daemon(receiverMain, ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.#port ?? 0}`, ...args]);
    this.#daemon = daemon;
    const match = await daemon.start(/listening on 127\.0\.0\.1:(\d+)/);
    this.#port = Number(match[1]);
  }

  async token(host: string, ...args: string[]): Promise<string> {
    const answer = JSON.parse(await succeed(receiverMain, ['token', '--data', this.data, '--host', host, '--json', ...args])) as { token: string };
    return answer.token;
  }

  /** Runs a command on the data directory that must succeed. */
  command(...args: string[]): Promise<string> {
    return succeed(receiverMain, [args[0]!, '--data', this.data, ...args.slice(1)], { timeoutMs: 600_000 });
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.command(...args, '--json')) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.stop();
  }
}

/** An agent with its state directory, enrolled at a receiver. */
export class AgentProgram implements AsyncDisposable {
  readonly state: string;
  /** Words before the program when it is started. */
  launcher: readonly string[] = [];
  #daemon: Daemon | undefined;

  private constructor(state: string) {
    this.state = state;
  }

  /** `address`: where the agent reaches the receiver, when not directly. */
  static async enroll(state: string, receiver: ReceiverProgram, host: string, address = receiver.address): Promise<AgentProgram> {
    await succeed(agentMain, ['enroll', '--state', state, '--receiver', address, '--token', await receiver.token(host)]);
    return new AgentProgram(state);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('the agent was not started');
    return this.#daemon;
  }

  async start(...args: string[]): Promise<void> {
    const daemon = new Daemon(agentMain, ['run', '--state', this.state, '--keep-capturing', '0', ...args], this.launcher);
    this.#daemon = daemon;
    await daemon.start(/the agent is running/);
  }

  command(...args: string[]): Promise<string> {
    return succeed(agentMain, [args[0]!, '--state', this.state, ...args.slice(1)], { timeoutMs: 600_000 });
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(await this.command('status', '--json')) as AgentStatus;
  }

  /** Waits until `holds` is true of the status; asks the agent without a program, which would take the processor from it. */
  async until(what: string, holds: (status: AgentStatus) => boolean, timeoutMs = 120_000): Promise<AgentStatus> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const status = await ask(this.state, 'status', {});
      if (holds(status)) return status;
      if (performance.now() > end) throw new Error(`not ${what} after ${timeoutMs} ms: ${JSON.stringify(status, null, 2)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.stop();
  }
}
