/** Begins to capture a block device: finds where it lies, has it watched, and opens it for reading beside whoever uses it. */
import type { CaptureStream } from '../../../native/capture/stream.js';
import { UsageError } from '../../../proto/errors.js';
import type { ProtectedVolume } from '../change-source.js';
import { ExactDevice, type ExactDeviceOptions, windowBytes } from './exact-device.js';
import type { ExactKernel } from './kernel.js';
import type { Predecessor } from './predecessor.js';

export interface OpenDeviceOptions extends Pick<ExactDeviceOptions, 'parts' | 'logger' | 'comparison' | 'wake'> {
  readonly kernel: Pick<ExactKernel, 'diskPart' | 'openDisk' | 'liesOn'>;
  readonly stream: CaptureStream;
  readonly predecessor: Predecessor | undefined;
  /** Where the agent writes what it captures: that must not be captured in turn. */
  readonly stateDirectory: string;
  isCaptured(device: number): boolean;
}

/** Throws UsageError for what cannot be captured. `number`: what its records carry. */
export async function openDevice(definition: ProtectedVolume, options: OpenDeviceOptions): Promise<{ readonly number: number; readonly device: ExactDevice }> {
  const { kernel, stream, parts, logger, comparison, predecessor, stateDirectory, isCaptured, wake } = options;
  const shown = definition.path.toString();
  if (!stream.stats().pageCache) throw new UsageError(`${shown} cannot be captured exactly: what is written cannot be read in this kernel's memory`);
  const part = await kernel.diskPart(definition.path);
  const { device: number, disk, offsetBytes, sizeBytes } = part;
  if (await kernel.liesOn(stateDirectory, part)) throw new UsageError(`${shown} holds the agent's own state (${stateDirectory}): each captured change would make another one; give the agent a --state directory on another disk`);
  if (isCaptured(number)) throw new UsageError(`${shown} is captured already`);
  const reader = await kernel.openDisk(definition.path, windowBytes);
  try {
    const wasCaptured = predecessor?.takeDevice(definition.volume, number) ?? false;
    // Before anything is read: what is queued from now on is told.
    stream.watchBlocks({ disk, device: number, offset: offsetBytes, length: sizeBytes });
    const device = await ExactDevice.begin(definition, { parts, sizeBytes, reader, logger, comparison, whenDone: (signal) => stream.whenBlocksDone(signal), position: () => stream.position(), wake }, wasCaptured);
    return { number, device };
  } catch (error) {
    stream.unwatchBlocks(number);
    await reader[Symbol.asyncDispose]();
    throw error;
  }
}
