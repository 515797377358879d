/** Brings the capture index up to the journal's end with changes that were journalled but not committed to it. */
import type { Change } from '../../../proto/change.js';
import { FormatError } from '../../../proto/errors.js';
import { applyChange } from './apply-change.js';
import type { BlockHasher } from './block-hash.js';
import type { CaptureIndex } from './capture-index.js';

/** Throws FormatError when the changes do not follow what the index has; nothing of them is kept then. */
export async function replayInto(index: CaptureIndex, hasher: BlockHasher, changes: AsyncIterable<readonly Change[]>): Promise<void> {
  let through = index.committedThrough();
  const volumes = new Set(index.volumes());
  index.begin();
  try {
    for await (const batch of changes) {
      for (const change of batch) {
        // A hole would leave the index behind the journal without a trace.
        if (volumes.size > 0 && change.sequence !== through + 1n) throw new FormatError('replay journal into capture index', { expected: through + 1n, found: change.sequence });
        if (volumes.has(change.volume)) applyChange(index, hasher, change.volume, change.body, change.timeNs);
        through = change.sequence;
      }
    }
    index.setCommittedThrough(through);
    index.commit();
  } catch (error) {
    index.abandon();
    throw error;
  }
}
