/** What the capture of one volume is made of, and what its parts share. */
import type { Clock } from '../../../native/host/clock.js';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import type { Random } from '../../../native/host/random.js';
import type { VolumeId } from '../../../proto/change.js';
import type { BlockHasher } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';
import type { Excludes } from './excludes.js';
import type { HintFactory } from './hints.js';
import type { Logger } from './logger.js';
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

export interface VolumeTiming {
  /** Between looks at a whole volume that has been quiet. */
  readonly scanIntervalMs: number;
  /** The same where hints cannot be relied on. */
  readonly pollIntervalMs: number;
  /** Between looks at directories that cannot be watched, and at whether the root is still there. */
  readonly tickMs: number;
  /** Hints are gathered for so long before they are followed. */
  readonly settleMs: number;
  /** After the last activity, before a whole look that may find the volume settled. */
  readonly quietMs: number;
}

export interface VolumeCaptureOptions {
  readonly parts: Omit<VolumeParts, 'report' | 'clearReport' | 'onUnwatchable'>;
  readonly excludes: Excludes;
  readonly directories: DirectoryOpener;
  readonly random: Random;
  readonly hints: HintFactory;
  readonly timing: VolumeTiming;
  readonly logger: Logger;
  /** Something became due. */
  wake(): void;
}
