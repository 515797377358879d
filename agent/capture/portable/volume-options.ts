/** What the portable capture of one volume needs, and its rhythm. */
import type { DirectoryOpener } from '../../../native/host/directory.js';
import type { Random } from '../../../native/host/random.js';
import type { Excludes } from '../tree/excludes.js';
import type { Logger } from '../tree/logger.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import type { HintFactory } from './hints.js';

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
