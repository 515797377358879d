/** What an engine that was stopped in good order left, while the volumes that it captured are taken up. */
import type { NameStream } from '../../../native/capture/names.js';
import type { CaptureStream } from '../../../native/capture/stream.js';
import type { VolumeId } from '../../../proto/change.js';
import type { CaptureIndex } from '../tree/capture-index.js';
import type { ApplierState } from './apply-records.js';
import type { FileSystemState } from './file-system.js';
import type { Suspended } from './suspension.js';
import type { VolumeState } from './volume-options.js';

export class Predecessor implements Disposable {
  readonly #suspended: Suspended;
  readonly #stream: CaptureStream;
  readonly #index: CaptureIndex;
  /** Name streams that are not taken yet, by device. */
  readonly #names: Map<number, NameStream>;
  /** Block devices that no volume has taken up yet. */
  readonly #untaken: Set<number>;
  /** File systems whose names were told of without a break. */
  readonly #devices = new Set<number>();

  /** `names` in the order of the file systems. */
  constructor(suspended: Suspended, { stream, names }: { readonly stream: CaptureStream; readonly names: readonly NameStream[] }, index: CaptureIndex) {
    this.#suspended = suspended;
    this.#stream = stream;
    this.#index = index;
    this.#untaken = new Set([...suspended.devices.values()].map(({ device }) => device));
    this.#names = new Map(suspended.fileSystems.map(({ device }, at) => [device, names[at]!]));
  }

  get applier(): ApplierState {
    return this.#suspended.applier;
  }

  takeFileSystem(device: number): { readonly names: NameStream; readonly state: FileSystemState } | undefined {
    const names = this.#names.get(device);
    const state = this.#suspended.fileSystems.find((each) => each.device === device);
    if (names === undefined || state === undefined) return undefined;
    this.#names.delete(device);
    this.#devices.add(device);
    return { names, state };
  }

  /** What was left of a volume; undefined when it has to be compared: it was not left, or something else has captured it since. */
  volume(id: VolumeId, device: number): VolumeState | undefined {
    const left = this.#suspended.volumes.get(id);
    if (left === undefined || left.device !== device || !this.#devices.has(device)) return undefined;
    return this.#index.volume(id)?.knownThroughNs === left.knownThroughNs ? left.state : undefined;
  }

  /** Whether a block device was captured without a break; it is taken up then. */
  takeDevice(id: VolumeId, device: number): boolean {
    const left = this.#suspended.devices.get(id);
    if (left === undefined || left.device !== device || this.#index.volume(id)?.knownThroughNs !== left.knownThroughNs) return false;
    this.#untaken.delete(device);
    return true;
  }

  /** What no volume took up is watched no longer. */
  [Symbol.dispose](): void {
    for (const [device, names] of this.#names) {
      names[Symbol.dispose]();
      this.#stream.unwatch(device);
    }
    this.#names.clear();
    for (const device of this.#untaken) this.#stream.unwatchBlocks(device);
  }
}
