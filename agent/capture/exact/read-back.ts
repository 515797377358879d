/** Reads back what the stream did not tell the bytes of, a bounded piece at a time. */
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey } from '../../../native/capture/names.js';
import { captureContent } from '../tree/content.js';
import { isReadFailure, messageOf } from '../tree/read-failure.js';
import type { VolumeParts } from '../tree/volume-parts.js';
import type { HealQueue, Persistence } from './heal-queue.js';
import { inodeOf } from './volume-metadata.js';

export interface ReadBackOptions {
  readonly parts: VolumeParts;
  readonly heals: HealQueue;
  readonly handles: HandleAccess;
  /** Subvolume of the volume's inodes. */
  readonly tree: bigint;
  /** Whether stores through a mapping may still come to an inode. */
  isMapped(inode: InodeKey): boolean;
  position(): bigint;
  /** Content of a node was read: its metadata may be other than known. */
  onRead(node: number): Promise<void>;
  pathOf(node: number): string;
}

const sliceMs = 30;
/** Between reads of what is mapped for writing. */
export const mappedIntervalMs = 100;
/** Reading it takes a tenth of the time at most. */
const mappedRest = 9;

export class ReadBack {
  readonly #options: ReadBackOptions;

  constructor(options: ReadBackOptions) {
    this.#options = options;
  }

  /** Reads ranges whose time has come, for a slice of time. */
  async step(applied: bigint, signal: AbortSignal): Promise<void> {
    const { heals, parts, tree, isMapped, position } = this.#options;
    const { index, clock, recorder, volume } = parts;
    const untilMs = clock.monotonicMs() + sliceMs;
    for (let item = heals.take(clock.monotonicMs(), applied); item !== undefined; item = heals.take(clock.monotonicMs(), applied)) {
      signal.throwIfAborted();
      const { node, low, high } = item;
      const row = index.node(volume, node);
      const inode = row === undefined ? undefined : inodeOf(row.identity, tree);
      if (row !== undefined && inode !== undefined && row.kind === 'file') {
        // Asked before reading: a store after the answer was made through a mapping that was there.
        const beganMs = clock.monotonicMs();
        const persistence: Persistence = { mapped: item.mapped && isMapped(inode), untilMs: item.untilMs > beganMs ? item.untilMs : 0 };
        try {
          await this.#read(node, inode, { low, high });
        } catch (error) {
          heals.add(node, { low, high }, item, { dueMs: beganMs, after: 0n });
          throw error;
        }
        const endedMs = clock.monotonicMs();
        const again = persistence.mapped || persistence.untilMs > 0;
        if (again) heals.add(node, { low, high }, persistence, { dueMs: endedMs + Math.max(mappedIntervalMs, mappedRest * (endedMs - beganMs)), after: 0n });
        // Its order among what the stream tells is not known.
        if (item.mapped || item.untilMs > 0) heals.confirm(item, position());
      }
      if (clock.monotonicMs() >= untilMs) break;
    }
    await recorder.flush();
  }

  async #read(node: number, inode: InodeKey, { low, high }: { readonly low: number; readonly high: number }): Promise<void> {
    const { parts, handles, onRead, pathOf } = this.#options;
    const file = await handles.openFile(inode).catch((error: unknown) => {
      if (!isReadFailure(error)) throw error;
      parts.report(pathOf(node), `cannot be read: ${messageOf(error)}`);
      return undefined;
    });
    // Gone: what removed it is told of later.
    if (file === undefined) return;
    try {
      const stat = await file.stat();
      await captureContent(parts, { file, node, size: stat.size, sparse: stat.allocatedBytes < stat.size, from: low, to: high });
      await onRead(node);
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      parts.report(pathOf(node), `content cannot be read: ${messageOf(error)}`);
    } finally {
      await file.close();
    }
  }
}
