/** What an exactly captured volume works with, and what one leaves to the engine that goes on with it. */
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey } from '../../../native/capture/names.js';
import type { DirectoryOpener } from '../../../native/host/directory.js';
import type { Excludes } from '../tree/excludes.js';
import type { Logger } from '../tree/logger.js';
import type { Reports } from '../tree/reports.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import type { ComparisonTiming } from './comparison.js';
import type { HealState } from './heal-queue.js';
import type { MetadataState } from './volume-metadata.js';

export interface ExactVolumeOptions {
  readonly parts: Omit<VolumeParts, 'report' | 'clearReport' | 'onUnwatchable'>;
  readonly excludes: Excludes;
  /** Gives inodes with their generations. */
  readonly directories: DirectoryOpener;
  readonly handles: HandleAccess;
  readonly logger: Logger;
  readonly comparison: ComparisonTiming;
  /** Whether stores through a mapping may still come to an inode. */
  isMapped(inode: InodeKey): boolean;
  /** How far the stream has got in the kernel: what was done before the call lies before it. */
  position(): bigint;
  /** CLOCK_MONOTONIC, as the kernel stamps records. */
  monotonicNs(): bigint;
  /** Inodes came into the volume from outside: from now on their changes count. */
  onEntered(): void;
  /** Something became due. */
  wake(): void;
}

/** See ExactVolume.leave. */
export interface VolumeState {
  readonly heals: HealState;
  readonly metadata: MetadataState;
  readonly reports: Reports['state'];
  readonly lookedThrough: bigint;
  readonly applied: bigint;
  readonly lastScanNs: bigint | undefined;
}

/** What may be said once the stream has been applied that far. */
export interface Due {
  readonly through: bigint;
  /** Causes of gaps that it closes because all was read back. */
  readonly causes?: ReadonlySet<string>;
  run(): Promise<void>;
}
