/**
 * What an engine that is stopped in good order leaves to the next one, so that it goes on where this one stopped:
 * the kernel's programs and their ring stay, names wait in fanotify's queue, and this file says what was under way.
 *
 * One file, written when all up to a position of the stream is in the journal and the index is committed, and taken
 * away before anything else happens: an engine that does not end in good order leaves none. The bytes are those of
 * the structured clone algorithm (v8.serialize), in the layout that `version` names.
 */
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Kept } from '../../../native/capture/keeper.js';
import type { CaptureStream, StreamState } from '../../../native/capture/stream.js';
import { readWhole, replaceFile, systemFiles } from '../../../native/host/files.js';
import type { VolumeId } from '../../../proto/change.js';
import type { CaptureIndex } from '../tree/capture-index.js';
import type { Recorder } from '../tree/recorder.js';
import type { ApplierState } from './apply-records.js';
import type { CapturedVolume } from './captured-volume.js';
import type { ExactDevice } from './exact-device.js';
import type { FileSystem, FileSystemState } from './file-system.js';
import type { Keeping } from './kernel.js';
import type { UnplacedLoss } from './losses.js';
import type { VolumeState } from './volume-options.js';

/** Raised whenever the layout changes, which is that of the engine's own parts: their `state`. */
const version = 2;
const fileName = 'suspended';
const bytesMax = 2 ** 30;

export interface Suspended {
  readonly epoch: string;
  /** The stream is applied up to here. */
  readonly through: bigint;
  readonly stream: StreamState;
  /** Where the names' descriptors are, in the order of the file systems. */
  readonly kept: Kept;
  readonly fileSystems: readonly FileSystemState[];
  readonly applier: ApplierState;
  readonly unplaced: readonly UnplacedLoss[];
  readonly volumes: ReadonlyMap<VolumeId, { readonly state: VolumeState; readonly knownThroughNs: bigint; readonly device: number }>;
  /** Block devices, which leave nothing to be done. */
  readonly devices: ReadonlyMap<VolumeId, { readonly knownThroughNs: bigint; readonly device: number }>;
}

/** Takes it away; undefined when there is none, or none that this version can go on with in this epoch. */
export async function takeSuspended(stateDirectory: string, epoch: () => string): Promise<Suspended | undefined> {
  const path = join(stateDirectory, fileName);
  if (!(await systemFiles.exists(path))) return undefined;
  const bytes = await readWhole(systemFiles, path, bytesMax);
  await systemFiles.remove(path);
  await systemFiles.syncDirectory(stateDirectory);
  try {
    const read = deserialize(bytes) as { readonly version?: unknown; readonly suspended?: Suspended };
    return read.version === version && read.suspended?.epoch === epoch() ? read.suspended : undefined;
  } catch {
    return undefined;
  }
}

export interface LeavingParts {
  readonly index: CaptureIndex;
  readonly recorder: Recorder;
  readonly stateDirectory: string;
  readonly keeping: Keeping;
  /** Quiet, and applied up to `through`. */
  readonly stream: CaptureStream;
  readonly nowNs: bigint;
}

/**
 * Leaves everything to a next engine; false, and nothing done, while a volume has to be looked at as a whole, which
 * that would have to do again. Throws when the system does not keep it. The engine's turn must be the caller's.
 */
export async function leave(
  { index, recorder, stateDirectory, keeping, stream, nowNs }: LeavingParts,
  position: Pick<Suspended, 'through' | 'applier' | 'unplaced'>,
  { volumes, fileSystems, devices }: { readonly volumes: ReadonlyMap<VolumeId, CapturedVolume>; readonly fileSystems: readonly FileSystem[]; readonly devices: ReadonlyMap<number, ExactDevice> },
  signal: AbortSignal,
): Promise<boolean> {
  const left = new Map<VolumeId, { readonly state: VolumeState; readonly knownThroughNs: bigint; readonly device: number }>();
  for (const { device, volumes: here } of fileSystems) {
    for (const volume of here) {
      const state = volume.leave();
      if (state === undefined) return false;
      left.set(volume.definition.volume, { state, knownThroughNs: nowNs, device });
    }
  }
  const leftDevices = new Map<VolumeId, { readonly knownThroughNs: bigint; readonly device: number }>();
  for (const [device, captured] of devices) {
    if (!captured.canBeLeft) return false;
    leftDevices.set(captured.definition.volume, { knownThroughNs: nowNs, device });
  }
  for (const id of volumes.keys()) index.setKnownThrough(id, nowNs);
  recorder.touch();
  await recorder.commit(signal);
  const kept = await keeping.keep(fileSystems.map(({ names }) => names));
  try {
    const suspended: Suspended = { ...position, epoch: keeping.epoch(), kept, fileSystems: fileSystems.map(({ state }) => state), volumes: left, devices: leftDevices, stream: keeping.suspend(stream, kept) };
    await replaceFile(systemFiles, join(stateDirectory, fileName), serialize({ version, suspended }));
    return true;
  } catch (error) {
    keeping.discard(kept);
    throw error;
  }
}
