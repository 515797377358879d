/** Keeps on record that some of a volume cannot be read: a gap that is open for as long as that is so. */
import type { VolumeId } from '../../../proto/change.js';
import type { OpenGap } from './capture-index.js';
import type { Reports } from './reports.js';
import type { VolumeParts } from './volume-parts.js';

const causePrefix = 'could not be read: ';
const pathsNamed = 5;

/** Whether a gap is this one; it is neither closed by a look nor a reason for one. */
export function isUnreadGap(gap: Pick<OpenGap, 'cause'>): boolean {
  return gap.cause.startsWith(causePrefix);
}

/**
 * A whole look ended, which met things that it could not read or not: opens the gap, renews it when other
 * things are concerned than before, or closes it. Restores and listings then name them.
 */
export async function noteUnread(parts: Pick<VolumeParts, 'index' | 'recorder'>, volume: VolumeId, found: { readonly unread: boolean; readonly reports: Reports; readonly sinceNs: bigint }): Promise<void> {
  const { index, recorder } = parts;
  const { unread, reports, sinceNs } = found;
  const paths = reports.unreadPaths();
  const others = paths.length - pathsNamed;
  const cause = `${causePrefix}${paths.slice(0, pathsNamed).join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  const open = index.openGaps(volume).filter(isUnreadGap);
  if (unread && open.some((gap) => gap.cause === cause)) return;
  for (const { gap, label, cause: before, sinceNs: since } of open) await recorder.control(volume, { kind: 'gap', edge: 'close', gap, label, cause: before, sinceNs: since });
  if (unread) await recorder.control(volume, { kind: 'gap', edge: 'open', gap: index.volume(volume)!.nextGap, label: 'converging', cause, sinceNs });
}
