/** Takes what the kernel could not put into the stream, and has it read back. */
import { blockTree, DirtyCause } from '../../../native/capture/record.js';
import type { CaptureStream, LostRange } from '../../../native/capture/stream.js';
import { causeOf, isUnseen } from './apply-records.js';
import type { CapturedVolume } from './captured-volume.js';
import type { ExactDevice } from './exact-device.js';
import type { FileSystem } from './file-system.js';

/** A range of a file that is not known yet, which the stream may make known up to a position. */
export interface UnplacedLoss {
  readonly range: LostRange;
  readonly after: bigint;
}

export interface LossesOptions {
  readonly fileSystems: ReadonlyMap<number, FileSystem>;
  readonly devices: ReadonlyMap<number, ExactDevice>;
  readonly volumes: ReadonlyMap<unknown, CapturedVolume>;
}

export class Losses {
  readonly #options: LossesOptions;
  readonly unplaced: UnplacedLoss[] = [];
  /** Losses that the kernel had counted when it was last asked. */
  #lostRecords = 0n;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** Whether all that the kernel lost has been taken account of. */
  isComplete(stream: CaptureStream): boolean {
    return this.unplaced.length === 0 && stream.stats().lostRecords === this.#lostRecords;
  }

  /** `through`: how far the stream is applied. */
  async take(stream: CaptureStream, { through, wallOffsetNs }: { readonly through: bigint; readonly wallOffsetNs: bigint }): Promise<void> {
    const { volumes } = this.#options;
    this.#lostRecords = stream.stats().lostRecords;
    const { ranges, namesSinceNs, everythingSinceNs } = stream.takeLost();
    // A file may be unknown only because the stream still holds what made it.
    const after = stream.position();
    this.unplaced.push(...ranges.map((range) => ({ range, after })));
    for (const unplaced of this.unplaced.splice(0)) if (!(await this.#place(unplaced.range, wallOffsetNs)) && unplaced.after > through) this.unplaced.push(unplaced);
    const since = everythingSinceNs ?? namesSinceNs;
    if (since === undefined) return;
    for (const volume of volumes.values()) await volume.lostAll('the capture ring overflowed', since + wallOffsetNs);
  }

  /** False when nobody knows what it is of. */
  async #place({ ino, generation, tree, device, low, high, firstNs, causes }: LostRange, wallOffsetNs: bigint): Promise<boolean> {
    const { fileSystems, devices } = this.#options;
    const why = { cause: causeOf(causes), sinceNs: firstNs + wallOffsetNs };
    if (tree === blockTree) {
      await devices.get(device)?.dirty({ low, high }, why);
      return true;
    }
    const places = fileSystems.get(device)?.findAll({ ino, generation, tree }) ?? [];
    const isMapped = (causes & (1 << DirtyCause.sharedMapping)) !== 0;
    for (const { volume, node } of places) await volume.dirty(node, { low, high }, { ...why, mapped: isMapped, unseen: isUnseen(causes), isAhead: true });
    return places.length > 0;
  }
}
