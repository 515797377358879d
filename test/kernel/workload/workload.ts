/** Compiles and runs the workload: random changes to a tree from one seed, records in an order that can be told, or overload. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../golden/files.js';
import { chance } from '../../proto/seeded.js';
import { packageReason } from '../debian-package.js';

const run = promisify(execFile);
const sourceDirectory = join(packageRoot, 'test', 'kernel', 'workload');
/** Given to what should stop by itself before it is killed. */
const stopMs = 20_000;

export interface OperationCounts {
  readonly done: number;
  readonly failed: number;
  /** How often it failed, by the name of the error. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface WorkloadReport {
  readonly seed: number;
  /** Failures that are none of the ordinary ones. */
  readonly unexpected: number;
  /** Files removed to keep the tree small. */
  readonly trimmed: number;
  readonly operations: Readonly<Record<string, OperationCounts>>;
}

export interface WorkloadOptions {
  /** Of its own for each run; `workloadSeed` prints one and takes it from AFTERIMAGE_SEED. */
  readonly seed: number;
  /** Of all processes and threads together. */
  readonly operations: number;
  readonly processes?: number;
  readonly threads?: number;
  /** A directory on the same file system to move entries to and from. Without it there are no such operations. */
  readonly outside?: string;
  /** Names, or first words of several (`uring`), or `=rename` for exactly one. */
  readonly only?: readonly string[];
  readonly without?: readonly string[];
  /** What the tree may hold before files are removed from it. */
  readonly bytesMax?: number;
  /** Lets direct writes meet others in one file, where the page cache may stop telling what is on disk. */
  readonly collide?: boolean;
  /** Unmaps, closes and syncs at the end, rather than leave that to the end of the processes. */
  readonly settle?: boolean;
  readonly signal?: AbortSignal;
}

export interface CausalOptions {
  /** Gets each record first. */
  readonly first: string;
  /** Gets it once the append to `first` has returned. */
  readonly second: string;
  readonly count: number;
  /** The second append is by another process, which is told through a pipe. */
  readonly pipe?: boolean;
  readonly signal?: AbortSignal;
}

export interface OverloadOptions {
  readonly seconds: number;
  readonly processes?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** A run that has begun. */
export interface Running<Report> {
  readonly pid: number;
  /** Rejects when it fails; a run that was stopped reports what it did until then. */
  readonly report: Promise<Report>;
  /** Ends it after the operation at hand. */
  stop(): void;
}

/** The seed in AFTERIMAGE_SEED, or a fresh one; printed. */
export function workloadSeed(t: { comment(...parts: unknown[]): void }): number {
  return chance(t).seed;
}

export class Workload {
  readonly program: string;

  constructor(program: string) {
    this.program = program;
  }

  start(directory: string, options: WorkloadOptions): Running<WorkloadReport> {
    const { seed, operations, processes = 1, threads = 1, outside, only, without, bytesMax, collide, settle, signal } = options;
    const words = [directory, '--seed', `${seed}`, '--operations', `${operations}`, '--processes', `${processes}`, '--threads', `${threads}`];
    if (outside !== undefined) words.push('--outside', outside);
    if (only !== undefined) words.push('--only', only.join(','));
    if (without !== undefined) words.push('--without', without.join(','));
    if (bytesMax !== undefined) words.push('--bytes-max', `${bytesMax}`);
    if (collide === true) words.push('--collide');
    if (settle === true) words.push('--settle');
    return start(this.program, words, signal);
  }

  /** Rejects after a failure that is none of the ordinary ones. */
  run(directory: string, options: WorkloadOptions): Promise<WorkloadReport> {
    return this.start(directory, options).report;
  }

  causal({ first, second, count, pipe, signal }: CausalOptions): Promise<{ readonly records: number }> {
    return start<{ records: number }>(this.program, ['--causal', first, second, '--count', `${count}`, ...(pipe === true ? ['--pipe'] : [])], signal).report;
  }

  overload(directory: string, { seconds, processes = 2, seed = 1, signal }: OverloadOptions): Promise<{ readonly bytesWritten: number; readonly writes: number }> {
    return start<{ bytesWritten: number; writes: number }>(this.program, [directory, '--overload', '--seconds', `${seconds}`, '--processes', `${processes}`, '--seed', `${seed}`], signal).report;
  }
}

function start<Report>(program: string, words: readonly string[], signal: AbortSignal | undefined): Running<Report> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaints] = ['', ''];
  let deadline: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { if (complaints.length < 65_536) complaints += text; });
  const stop = (): void => {
    child.kill('SIGTERM');
    deadline ??= setTimeout(() => child.kill('SIGKILL'), stopMs);
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const report = new Promise<Report>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', stop);
      if (code === 0) resolve(JSON.parse(output) as Report);
      else reject(new Error(`${[program, ...words].join(' ')} ended with ${killedBy ?? code}:\n${complaints}${output}`));
    });
  });
  return { pid: child.pid ?? -1, report, stop };
}

/** Whole records in what a causal run appended to; throws when one is missing, doubled or out of order. */
export function recordsIn(content: Buffer): number {
  const lines = content.toString('latin1').split('\n').slice(0, -1);
  for (const [place, line] of lines.entries()) if (line !== `${place}`.padStart(12, '0')) throw new Error(`record ${place} is ${JSON.stringify(line)}`);
  return lines.length;
}

export type Compiled = { readonly workload: Workload; readonly reason?: undefined } | { readonly workload?: undefined; readonly reason: string };

const compiled = new Map<number, Promise<Compiled>>();

/** The compiled workload, or why it cannot be had: no compiler, or none for programs of 32 bits. Compiled once in a process. */
export function compileWorkload({ bits = 64 }: { readonly bits?: 32 | 64 } = {}): Promise<Compiled> {
  const already = compiled.get(bits);
  if (already !== undefined) return already;
  const fresh = compile(bits);
  compiled.set(bits, fresh);
  return fresh;
}

async function compile(bits: 32 | 64): Promise<Compiled> {
  if (process.platform !== 'linux') return { reason: 'the workload is for Linux' };
  // What refuses to be installed shows when it is compiled.
  if (bits === 32) packageReason('/usr/lib32/crt1.o', 'gcc-multilib');
  const sources = readdirSync(sourceDirectory).filter((name) => name.endsWith('.c')).map((name) => join(sourceDirectory, name));
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-workload-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, `workload-${bits}`);
  const flags = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-pthread', ...(bits === 32 ? ['-m32', '-D_FILE_OFFSET_BITS=64'] : [])];
  let failure = '';
  for (const compiler of ['gcc', 'cc']) {
    try {
      await run(compiler, [...flags, ...sources, '-o', program]);
      // A kernel need not run what a compiler makes: without the calls of 32 bits it does not.
      await run(program, [directory, '--operations', '0', '--seed', '1']);
      return { workload: new Workload(program) };
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
  }
  const hint = bits === 32 ? 'a compiler for programs of 32 bits (on Debian and Ubuntu: gcc-multilib) and a kernel that runs them' : 'gcc or cc, and the headers of the kernel';
  return { reason: `the workload needs ${hint}: ${failure.slice(0, 2000)}` };
}
