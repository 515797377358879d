/** A directory for one test with a receiver and an agent in it; what tests compare, wait for, and clean up. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Test } from 'tap';
import { systemDirectories } from '../../native/index.js';
import { removeEntry } from '../../native/tree/remove-tree.js';
import { errorCode } from '../../proto/errors.js';
import { AgentProgram, ReceiverProgram } from './programs.js';
import { describeTree, differences, type TreeOptions } from './trees.js';

export interface VolumeRow {
  readonly host: string;
  readonly volume: number;
  readonly name: string;
  readonly path: string;
  readonly label: string;
  readonly phase: string;
  readonly retired: string;
  readonly applied: string;
  readonly replica: string;
  readonly replicaMessage: string;
}

export interface GapRow {
  readonly host: string;
  readonly volume: string;
  readonly label: string;
  readonly cause: string;
  readonly from: string;
  readonly to: string;
}

export interface PointRow {
  readonly host: string;
  readonly volume: string;
  readonly ranges: readonly { readonly from: string; readonly fromSequence: string; readonly to: string; readonly label: string; readonly settled: boolean; readonly phase: string; readonly cause: string }[];
  readonly marks: readonly { readonly name: string; readonly sequence: string; readonly time: string }[];
}

export const hostName = 'tested-host';

/** A directory under the system's one for temporary files; it goes with all that is in it. */
export class Workplace implements AsyncDisposable {
  readonly directory: string;
  #cleanups: (() => Promise<unknown>)[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(name: string): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), `afterimage-${name}-`)));
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  async makeDirectory(...parts: string[]): Promise<string> {
    const path = this.path(...parts);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** To be done before the directory goes; last in, first out. */
  onEnd(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup().catch(() => undefined);
    await removeWhole(this.directory);
  }
}

/** Removes a directory with paths of any length in it. */
export async function removeWhole(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    if (errorCode(error) !== 'ENAMETOOLONG') throw error;
    const parent = await systemDirectories.openRoot(dirname(directory));
    const name = Buffer.from(basename(directory));
    const stat = await parent.lookup(name);
    if (stat !== undefined) await removeEntry(parent, name, stat);
    await parent.close();
  }
}

/** A receiver that listens and an agent that runs, enrolled as `hostName`. */
export interface World extends AsyncDisposable {
  readonly work: Workplace;
  readonly receiver: ReceiverProgram;
  readonly agent: AgentProgram;
  /** The directory that tests protect. */
  readonly source: string;
}

export interface WorldOptions {
  readonly receiverData?: string;
  readonly agentState?: string;
  readonly agentArguments?: readonly string[];
}

/** The source directory is there and empty, and nothing is protected yet. Looks at whole volumes are frequent. */
export async function openWorld(name: string, options: WorldOptions = {}): Promise<World> {
  const work = await Workplace.make(name);
  try {
    const source = await work.makeDirectory('source');
    const receiver = await ReceiverProgram.init(options.receiverData ?? work.path('receiver'));
    work.onEnd(() => receiver[Symbol.asyncDispose]());
    await receiver.start();
    const agent = await AgentProgram.enroll(options.agentState ?? work.path('agent'), receiver, hostName);
    work.onEnd(() => agent[Symbol.asyncDispose]());
    await agent.start('--scan-interval', '5s', ...(options.agentArguments ?? []));
    return { work, source, receiver, agent, [Symbol.asyncDispose]: () => work[Symbol.asyncDispose]() };
  } catch (error) {
    await work[Symbol.asyncDispose]();
    throw error;
  }
}

/** Protects a directory, by the engine that is there everywhere unless told otherwise, and waits until its first copy is whole. */
export async function protect(agent: AgentProgram, path: string, name: string, ...args: string[]): Promise<void> {
  await agent.command('protect', path, '--name', name, ...(args.includes('--engine') ? [] : ['--engine', 'portable']), ...args);
  await agent.until(`past the baseline of ${name}`, ({ volumes }) => volumes.find((volume) => volume.name === name)?.phase === 'watching', 300_000);
}

/** Where the replica of a volume has its tree. */
export function replicaTree(receiver: ReceiverProgram, journal: string, volume: number): string {
  return join(receiver.data, 'replicas', journal, String(volume), 'tree');
}

/** The live volume of a name, and where its replica is. */
export async function liveVolume(receiver: ReceiverProgram, name: string): Promise<{ readonly row: VolumeRow; readonly replica: string }> {
  const volumes = await receiver.json<VolumeRow[]>('volumes', '--host', hostName, '--volume', name);
  const row = volumes.find((volume) => volume.retired === '');
  if (row === undefined) throw new Error(`no live volume ${name}: ${JSON.stringify(volumes)}`);
  const [host] = (await receiver.json<{ name: string; journal: string }[]>('hosts')).filter((each) => each.name === hostName);
  return { row, replica: replicaTree(receiver, host!.journal, row.volume) };
}

/** Restores a point into a fresh directory, which is returned. */
export async function restored({ work, receiver }: Pick<World, 'work' | 'receiver'>, volume: string, at = 'latest', ...args: string[]): Promise<string> {
  const target = join(work.directory, `restored-${restoredCount++}`);
  await receiver.command('restore', '--host', hostName, '--volume', volume, '--at', at, '--to', target, ...args);
  return target;
}
let restoredCount = 0;

export interface ConvergedOptions extends TreeOptions {
  readonly volume?: string;
}

/** Flushes, then holds source, replica and the restored latest point against each other. Nothing may write meanwhile. */
export async function assertConverged(t: Test, world: Pick<World, 'work' | 'receiver' | 'agent' | 'source'>, options: ConvergedOptions = {}): Promise<void> {
  const { receiver, agent, source } = world;
  const { volume = 'data', ...treeOptions } = options;
  await agent.command('flush');
  const expected = await describeTree(source, treeOptions);
  const { replica } = await liveVolume(receiver, volume);
  t.same(differences(expected, await describeTree(replica, treeOptions)), [], 'the replica equals the source');
  const target = await restored(world, volume);
  t.same(differences(expected, await describeTree(target, treeOptions)), [], 'the restored latest point equals the source');
  await removeWhole(target);
}

/** Bytes of all segments that the receiver holds. */
export async function segmentBytes(receiver: ReceiverProgram): Promise<number> {
  const journals = join(receiver.data, 'journals');
  const files = (await readdir(journals, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && entry.name.endsWith('.segment'));
  const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Waits until `holds`; what tests wait for always comes, so the limit only ends a test that failed. */
export async function eventually<T>(what: string, look: () => Promise<T> | T, holds: (value: T) => boolean = Boolean, timeoutMs = 120_000): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > endMs) throw new Error(`not ${what} after ${timeoutMs} ms: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Files that a directory holds, or none where there is no directory. */
export function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
