/** How a replica stands, as shown to people and other programs. */
import type { Sequence, VolumeId, VolumeKind } from '../../proto/change.js';
import type { DeviationList } from './divergence.js';

/**
 * `filling`: the first copy is not whole yet; `live`: applied as changes come; `catching-up`: behind
 * after a start or a pause; `repairing`: bringing in order what an earlier process left; `rebuilding`:
 * made anew from the journal; `stalled`: waiting, see the reason, and going on by itself; `failed`:
 * needs a rebuild by hand; `retired`: the volume is no longer protected, its tree stays.
 */
export type VolumeReplicaState = 'filling' | 'live' | 'catching-up' | 'repairing' | 'rebuilding' | 'stalled' | 'failed' | 'retired';

export interface VolumeReplicaStatus {
  readonly volume: VolumeId;
  readonly name: string;
  readonly kind: VolumeKind;
  readonly state: VolumeReplicaState;
  /** Why the state is not `live`; empty when there is nothing to say. */
  readonly reason: string;
  /** Visible in the replica. */
  readonly appliedThrough: Sequence;
  /** Survives power loss without being applied again. */
  readonly checkpointedThrough: Sequence;
  /** The first copy is whole: the tree is one that can be used. */
  readonly isUsable: boolean;
  readonly rebuilds: number;
  readonly rebuildCause: string;
  /** Changes that did not fit the namespace they met. */
  readonly anomalies: DeviationList;
  /** What this machine could not hold as the source has it. */
  readonly notRepresented: DeviationList;
}

export interface JournalReplicaStatus {
  /** Lower-case hexadecimal. */
  readonly journal: string;
  /** The least that is visible over all volumes that are applied to. */
  readonly appliedThrough: Sequence;
  readonly targetThrough: Sequence;
  /** Why nothing is applied at all; empty when it is. */
  readonly reason: string;
  readonly volumes: readonly VolumeReplicaStatus[];
}
