/** What this machine's kernel gives to the exact engine. */
import { existsSync } from 'node:fs';
import { openHandleAccess } from '../native/capture/handles.js';
import { mountOf } from '../native/capture/mounts.js';
import { openNameStream } from '../native/capture/names.js';
import { openCaptureStream } from '../native/capture/stream.js';
import { handledDirectories } from '../native/index.js';
import type { ExactKernel } from './capture/exact-tree.js';

/** `ringBytes`: memory of the ring between the kernel and the agent; what does not fit is read back. */
export function exactKernel({ ringBytes }: { readonly ringBytes: number }): ExactKernel {
  return {
    openStream: () => openCaptureStream({ ringBytes }),
    openNames: openNameStream,
    openHandles: openHandleAccess,
    deviceOf: async (path) => (await mountOf(path)).device,
    directories: handledDirectories,
    isOwnThread: (tid) => existsSync(`/proc/self/task/${tid}`),
    monotonicNs: () => process.hrtime.bigint(),
  };
}
