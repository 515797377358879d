/** What the capture of one tree volume is made of, and what its parts share. */
import type { Clock } from '../../../native/host/clock.js';
import type { VolumeId } from '../../../proto/change.js';
import type { BlockHasher } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';
import type { Excludes } from './excludes.js';
import type { Recorder } from './recorder.js';

export interface VolumeParts {
  readonly volume: VolumeId;
  readonly index: CaptureIndex;
  readonly hasher: BlockHasher;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly excludes: Excludes;
  /** Notes what could not be captured, by path as a person may see it; `isLeftOut`: it is no part of the volume anyway. */
  report(path: string, problem: string, isLeftOut?: boolean): void;
  clearReport(path: string): void;
  /** A directory whose name no watcher can take: it has to be polled. */
  onUnwatchable(directory: number): void;
}
