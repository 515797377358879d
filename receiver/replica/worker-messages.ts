/** What the replica's worker thread and the receiver's main thread tell each other. */
import type { Sequence, VolumeId } from '../../proto/change.js';
import type { ReplicaLimits } from './limits.js';
import type { JournalReplicaStatus } from './status.js';

/** What the worker is started with. */
export interface WorkerSetup {
  /** Holds one directory of segments for each journal; read only. */
  readonly journals: string;
  /** Holds one directory for each journal, with its replica. */
  readonly replicas: string;
  readonly limits: Partial<ReplicaLimits>;
}

export type ToWorker =
  /** Journals by lower-case hexadecimal, and up to where they are durable. Answered with `heard`. */
  | { readonly kind: 'durable'; readonly through: ReadonlyMap<string, Sequence> }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'rebuild'; readonly id: number; readonly journal: string; readonly volume: VolumeId }
  | { readonly kind: 'stop' };

export type LogLevel = 'info' | 'warn' | 'error';

export type Answer = { readonly statuses: readonly JournalReplicaStatus[] } | { readonly path: string };

export type FromWorker =
  | { readonly kind: 'heard' }
  | { readonly kind: 'applied'; readonly journal: string; readonly through: Sequence }
  /** Sent when a journal's standing changed, and now and then. */
  | { readonly kind: 'state'; readonly status: JournalReplicaStatus }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: Readonly<Record<string, unknown>>; readonly message: string };
