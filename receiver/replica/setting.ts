/** What the parts of one journal's replica share: where it lies, and what the machine gives it. */
import type { Logger } from 'pino';
import type { Sequence, VolumeId } from '../../proto/change.js';
import type { Clock } from '../../native/host/clock.js';
import type { DirectoryOpener } from '../../native/host/directory.js';
import type { ReplicaDatabases } from './databases.js';
import type { ReplicaLimits } from './limits.js';
import type { Registry } from './registry.js';

export type ReplicaLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface ReplicaSetting {
  readonly directories: DirectoryOpener;
  /** The directory that holds one directory for each volume; it exists. */
  readonly root: string;
  readonly databases: ReplicaDatabases;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Aborted when the replica is to end. */
  readonly signal: AbortSignal;
  readonly limits: ReplicaLimits;
  readonly asRoot: boolean;
  readonly logger: ReplicaLogger;
  readonly onApplied: (volume: VolumeId, through: Sequence) => void;
}
