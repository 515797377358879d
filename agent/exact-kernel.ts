/** What this machine's kernel gives to the exact engine. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DiskReader, diskPart, liesOn } from '../native/capture/disks.js';
import { openHandleAccess } from '../native/capture/handles.js';
import { keepDescriptors, letGo, takeBackDescriptors } from '../native/capture/keeper.js';
import { mountOf } from '../native/capture/mounts.js';
import { adoptNameStream, marksFileSystem, openNameStream } from '../native/capture/names.js';
import { captureProgramsHash, openCaptureStream, unpinCapture } from '../native/capture/stream.js';
import { handledDirectories } from '../native/index.js';
import type { ExactKernel, Keeping } from './capture/exact/kernel.js';
import { takeSuspended } from './capture/exact/suspension.js';

/** Where the exact engine keeps its state, below the agent's. */
export function exactStateDirectory(agentStateDirectory: string): string {
  return join(agentStateDirectory, 'capture-exact');
}

export interface ExactKernelOptions {
  /** Memory of the ring between the kernel and the agent; what does not fit is read back. */
  readonly ringBytes: number;
  readonly stateDirectory: string;
  /** How long capture goes on in the kernel after a stop in good order, waiting for the next agent; 0 for not at all. */
  readonly keepSeconds: number;
}

export function exactKernel({ ringBytes, stateDirectory, keepSeconds }: ExactKernelOptions): ExactKernel {
  return {
    openStream: () => openCaptureStream({ ringBytes }),
    openNames: openNameStream,
    openHandles: openHandleAccess,
    deviceOf: async (path) => (await mountOf(path)).device,
    diskPart,
    liesOn,
    openDisk: (path, bytesMax) => DiskReader.open(path, bytesMax),
    directories: handledDirectories,
    isOwnThread: (tid) => existsSync(`/proc/self/task/${tid}`),
    monotonicNs: () => process.hrtime.bigint(),
    keeping: process.platform === 'linux' ? keepingOf({ ringBytes, stateDirectory, keepSeconds }) : undefined,
  };
}

/** Ends capture that goes on in the kernel for a next agent, if any does. No agent may be running. */
export async function endKeptCapture(agentStateDirectory: string): Promise<void> {
  const stateDirectory = exactStateDirectory(agentStateDirectory);
  if (process.platform !== 'linux' || !existsSync(stateDirectory)) return;
  const keeping = keepingOf({ ringBytes: 0, stateDirectory, keepSeconds: 0 });
  keeping.discard((await takeSuspended(stateDirectory, () => keeping.epoch()))?.kept);
}

/** Where the programs of an agent are pinned: each state directory has a place of its own. */
export function pinDirectory(stateDirectory: string): string {
  let path = stateDirectory;
  try {
    path = realpathSync(stateDirectory);
  } catch {
    // One that does not exist has left nothing.
  }
  return `/sys/fs/bpf/afterimage-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
}

function keepingOf({ ringBytes, stateDirectory, keepSeconds }: ExactKernelOptions): Keeping {
  return {
    epoch: () => `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${captureProgramsHash() ?? ''}`,
    isWanted: keepSeconds > 0,
    keep: (names) => keepDescriptors(names.map(({ fd }) => fd), { seconds: keepSeconds, pins: pinDirectory(stateDirectory) }),
    suspend: (stream, { pins }) => stream.suspend(pins),
    takeOver: ({ stream: state, kept, devices }) => {
      const fds = takeBackDescriptors(kept, devices.length);
      const names = fds?.map(adoptNameStream);
      try {
        if (names === undefined) throw new Error('nobody kept the names that changed');
        const unmounted = devices.find((device, at) => !marksFileSystem(fds![at]!, device));
        if (unmounted !== undefined) throw new Error('a file system was unmounted meanwhile');
        return { stream: openCaptureStream({ ringBytes, takeOver: { pins: kept.pins, state } }), names };
      } catch (error) {
        for (const each of names ?? []) each[Symbol.dispose]();
        unpinCapture(kept.pins);
        throw error;
      }
    },
    discard: (kept) => {
      if (kept !== undefined) letGo(kept);
      const pins = kept?.pins ?? pinDirectory(stateDirectory);
      // Most have left nothing: the addon need not be loaded for that.
      if (existsSync(pins)) unpinCapture(pins);
    },
  };
}
