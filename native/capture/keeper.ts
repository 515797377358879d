/**
 * Keeps descriptors open while no agent runs (Linux): a small process that does nothing but hold them, for a bounded
 * time. Not the service manager's descriptor store, which holds on for ever: what watches names queues without a bound.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadNative } from '../index.js';

/** The process that keeps descriptors: its number, and when it was started in ticks since boot; and what it removes at its end. */
export interface Kept {
  readonly pid: number;
  readonly startTicks: string;
  readonly pins: string;
}

/** Where a child finds the first of the descriptors that it was given beyond the standard ones. */
const firstKept = 3;

export interface KeepOptions {
  readonly seconds: number;
  /** Pinned programs, removed when the time is over. */
  readonly pins: string;
}

/** Has them kept, in their order. Throws when no process can be started. */
export async function keepDescriptors(fds: readonly number[], { seconds, pins }: KeepOptions): Promise<Kept> {
  const script = 'sleep "$0"; rm -f "$1"/*; rmdir "$1"';
  const child = spawn('/bin/sh', ['-c', script, String(Math.ceil(seconds)), pins], { detached: true, stdio: ['ignore', 'ignore', 'ignore', ...fds], cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  child.unref();
  const pid = child.pid!;
  const startTicks = startOf(pid);
  if (startTicks === undefined) throw new Error('keep descriptors: the process that was to hold them has ended');
  return { pid, startTicks, pins };
}

/** Takes back `count` descriptors, in their order; undefined when they are not all there any more. They are kept no longer. */
export function takeBackDescriptors(kept: Kept, count: number): number[] | undefined {
  const addon = loadNative();
  if (addon === undefined) return undefined;
  const taken: number[] = [];
  try {
    if (isThere(kept)) for (let at = 0; at < count; at += 1) taken.push(addon.takeDescriptor(kept.pid, firstKept + at));
  } catch {
    // The process ended just now.
  }
  letGo(kept);
  if (taken.length === count) return taken;
  for (const fd of taken) addon.closeNow(fd);
  return undefined;
}

/** They need not be kept any longer. */
export function letGo(kept: Kept): void {
  if (!isThere(kept)) return;
  try {
    // It leads a group of its own.
    process.kill(-kept.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Process numbers are used again; with the start they name one process. */
function isThere({ pid, startTicks }: Kept): boolean {
  return startOf(pid) === startTicks;
}

/** Field 22 of proc_pid_stat(5). */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
