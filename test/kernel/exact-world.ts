/** The real programs with the exact engine on a file system made for one test. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { captureUnavailableReason } from '../../native/capture/stream.js';
import { liveVolume, openWorld, type GapRow, type World } from '../end-to-end/world.js';
import { fileSystemReason, kernelTestReason, makeFileSystem, type FileSystem, type FileSystemKind } from './file-systems.js';
import { compareTrees } from './tree-compare.js';
import type { TreeOptions } from '../end-to-end/trees.js';

/** Why tests of the exact engine must be skipped here, for tap's `skip`. */
export async function exactSkip(kind?: FileSystemKind): Promise<string | false> {
  return kernelTestReason() ?? captureUnavailableReason() ?? (kind === undefined ? undefined : await fileSystemReason(kind)) ?? false;
}

export interface ExactWorld extends AsyncDisposable {
  readonly world: World;
  /** The protected directory; volume `data`. */
  readonly source: string;
  /** A directory beside it, on the same file system. */
  readonly outside: string;
}

/** Protects an empty directory on a fresh file system, and waits until its first copy is over. */
export async function openExactWorld(kind: FileSystemKind, options: { readonly sizeBytes?: number; readonly agentArguments?: readonly string[] } = {}): Promise<ExactWorld> {
  const { sizeBytes = 2 * 1024 ** 3, agentArguments = [] } = options;
  const fileSystem: FileSystem = await makeFileSystem(kind, { sizeBytes });
  try {
    // The receiver writes to the same file system, beside the volume: its replica can hold what the source holds.
    const world = await openWorld(`exact-${kind}`, { agentArguments, receiverData: join(fileSystem.path, 'receiver') });
    const [source, outside] = [join(fileSystem.path, 'source'), join(fileSystem.path, 'outside')];
    await mkdir(source);
    await mkdir(outside);
    await world.agent.command('protect', source, '--name', 'data', '--engine', 'exact');
    await untilExact(world);
    return {
      world,
      source,
      outside,
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        await fileSystem[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await fileSystem[Symbol.asyncDispose]();
    throw error;
  }
}

export async function untilExact({ agent }: Pick<World, 'agent'>, name = 'data'): Promise<void> {
  await agent.until(`exact: ${name}`, ({ volumes }) => volumes.find((volume) => volume.name === name)?.label === 'exact', 300_000);
}

const shownMax = 600;
const shortened = (line: string): string => (line.length > shownMax ? `${line.slice(0, shownMax)}…` : line);

/** Flushes, and holds the replica against the source. Nothing may write meanwhile. */
export async function assertSame(t: Test, { world, source }: ExactWorld, label: string, options: TreeOptions = {}): Promise<void> {
  await world.agent.command('flush');
  const { replica } = await liveVolume(world.receiver, 'data');
  t.same((await compareTrees({ source, copy: replica }, options)).map(shortened), [], label);
}

/** Restores what there is now, and holds it against the source: inode flags too, which a replica does not have. */
export async function assertRestoredSame(t: Test, { world, source, outside }: ExactWorld, label: string): Promise<void> {
  const copy = join(outside, '..', 'restored');
  await world.receiver.command('restore', '--host', 'tested-host', '--volume', 'data', '--at', 'latest', '--to', copy);
  t.same((await compareTrees({ source, copy }, { flags: true })).map(shortened), [], label);
}

/** Restores an instant if it is labelled exact; false when it is not, as where the machine was too busy for it. */
export async function restoredExactly({ receiver }: Pick<World, 'receiver'>, options: { readonly volume: string; readonly at: string; readonly to: string }): Promise<boolean> {
  const { volume, at, to } = options;
  try {
    await receiver.command('restore', '--host', 'tested-host', '--volume', volume, '--at', at, '--to', to, '--exact-only');
    return true;
  } catch (error) {
    if (/exact/.test((error as Error).message)) return false;
    throw error;
  }
}

/** The causes of the gaps on record, each once. */
export async function gapCauses({ receiver }: Pick<World, 'receiver'>): Promise<string[]> {
  return [...new Set((await receiver.json<GapRow[]>('gaps', '--volume', 'data')).map(({ cause }) => cause))].sort();
}
