/** What a replica's bookkeeping asks of a volume's content: implemented for trees and for device images. */
import type { ChangeBody, Sequence } from '../../proto/change.js';
import type { Change } from '../../proto/change.js';
import type { NamespaceEffect } from '../../proto/tree/namespace.js';

/** What was applied, and perhaps only partly, when an earlier process ended: read as often as asked for. */
export interface RedoRange {
  readonly after: Sequence;
  readonly through: Sequence;
  /** The volume's changes of the range in order. */
  read(): AsyncIterable<readonly Change[]>;
  /** Told of each change that does not fit. */
  readonly onAnomaly: (change: Change, anomaly: string) => void;
}

export interface VolumeBody {
  /** Applies one change; the disk shows it at the latest after `settle`. */
  apply(body: ChangeBody): Promise<NamespaceEffect>;
  /** Whether a change would take away what a name leads to. */
  displaces(body: ChangeBody): boolean;
  /** Makes everything applied visible, metadata included. */
  settle(): Promise<void>;
  /** Makes everything settled survive power loss. A rejection means that nothing since the last time can be counted on. */
  sync(): Promise<void>;
  /** Brings the disk from wherever in the range it is to the range's end, or to an earlier change that it returns. */
  redo(range: RedoRange): Promise<Sequence>;
  /** Closes what is kept open for speed. */
  rest(): Promise<void>;
  /** Closes everything; what was not settled is lost. */
  close(): Promise<void>;
}
