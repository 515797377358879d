/** Forgets all that the capture index holds of a volume. */
import { setImmediate } from 'node:timers/promises';
import type { VolumeId } from '../../../proto/change.js';
import type { CaptureIndex } from './capture-index.js';
import type { Recorder } from './recorder.js';

const nodesAtOnce = 1000;

/** Piece by piece: a million rows at once would hold up everything else. */
export async function forgetVolume({ index, recorder }: { readonly index: CaptureIndex; readonly recorder: Recorder }, volume: VolumeId, signal: AbortSignal): Promise<void> {
  const nodes = index.volume(volume)?.nextNode ?? 0;
  for (let node = 0; node < nodes; node += nodesAtOnce) {
    index.removeNodes(volume, node, node + nodesAtOnce);
    await setImmediate();
  }
  index.removeVolume(volume);
  recorder.touch();
  await recorder.commit(signal);
}
