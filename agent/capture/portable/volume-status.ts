/** Puts together what a volume's state means to a person: label, cause and phase. Pure. */
import type { SourceStatus, VolumeLabel } from '../change-source.js';
import type { OpenGap, VolumeRow } from '../tree/capture-index.js';

export interface VolumeState {
  readonly baseline: VolumeRow['baseline'] | undefined;
  readonly gaps: readonly OpenGap[];
  readonly failed: string | undefined;
  readonly missing: string | undefined;
  readonly trouble: string | undefined;
  readonly waitingForRoom: boolean;
  readonly rescanning: boolean;
  /** A look at the whole volume found nothing, and no hint came since. */
  readonly quiet: boolean;
}

export function describeState(state: VolumeState): Pick<SourceStatus, 'label' | 'cause' | 'settled' | 'phase'> {
  const isUnknown = state.gaps.some((gap) => gap.label === 'unknown');
  const label: VolumeLabel = state.baseline !== 'done' ? 'baseline' : isUnknown || state.failed !== undefined ? 'unknown' : 'converging';
  const causes = [state.failed, state.missing, ...state.gaps.map((gap) => gap.cause)];
  if (label === 'baseline') causes.push('the initial copy is not complete');
  causes.push(state.trouble);
  if (label === 'converging') causes.push('changes are found by watching and scanning, not as they happen');
  return {
    label,
    cause: [...new Set(causes.filter((cause) => cause !== undefined))].join('; '),
    settled: label === 'converging' && state.gaps.length === 0 && state.quiet,
    phase: phaseOf(state),
  };
}

function phaseOf(state: VolumeState): SourceStatus['phase'] {
  if (state.failed !== undefined) return 'failed';
  if (state.waitingForRoom) return 'waiting-for-room';
  if (state.missing !== undefined) return 'starting';
  if (state.baseline !== 'done') return 'baseline';
  return state.rescanning ? 'rescan' : 'watching';
}
