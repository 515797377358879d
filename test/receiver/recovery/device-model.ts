/** A block device as it should be, and random changes of it. */
import { rootNode, type ChangeBody } from '../../../proto/change.js';
import type { Dice } from './dice.js';

const sectorBytes = 512;
const sameSize = ['write', 'write', 'write', 'write', 'rewrite', 'blank', 'discard', 'zero', 'flush'] as const;
type Kind = (typeof sameSize)[number] | 'size';

export class DeviceModel {
  bytes: Buffer;
  readonly #kinds: readonly Kind[];

  /** `resizes`: its size changes, too, as that of a volume manager's volumes does. */
  constructor(sizeBytes: number, { resizes }: { readonly resizes: boolean }) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.#kinds = resizes ? [...sameSize, 'size'] : sameSize;
  }

  /** The changes that a device of this size begins with: all of it is a hole. */
  begin(): ChangeBody {
    return { kind: 'truncate', node: rootNode, size: this.bytes.byteLength };
  }

  copy(): Buffer {
    return Buffer.from(this.bytes);
  }

  /** A random change, applied to the model already. */
  change(dice: Dice): ChangeBody {
    const kind = dice.pick(this.#kinds);
    const offset = this.#sector(dice);
    const length = Math.min((1 + dice.below(dice.chance(0.2) ? 400 : 24)) * sectorBytes, this.bytes.byteLength - offset);
    switch (kind) {
      case 'write':
        return this.#write(offset, dice.bytes(length));
      case 'rewrite':
        return this.#write(offset, Buffer.from(this.bytes.subarray(offset, offset + length)));
      case 'blank':
        return this.#write(offset, Buffer.alloc(length));
      case 'discard':
      case 'zero':
        this.bytes.fill(0, offset, offset + length);
        return kind === 'discard' ? { kind, offset, length } : { kind, node: rootNode, offset, length };
      case 'flush':
        return { kind };
      case 'size':
        return this.#resize(dice);
    }
  }

  #resize(dice: Dice): ChangeBody {
    const size = Math.max(64 * sectorBytes, this.bytes.byteLength + (dice.below(129) - 64) * sectorBytes);
    const resized = Buffer.alloc(size);
    this.bytes.copy(resized);
    this.bytes = resized;
    return { kind: 'truncate', node: rootNode, size };
  }

  #sector(dice: Dice): number {
    return dice.below(Math.floor(this.bytes.byteLength / sectorBytes)) * sectorBytes;
  }

  #write(offset: number, data: Buffer): ChangeBody {
    data.copy(this.bytes, offset);
    return { kind: 'write', node: rootNode, offset, data };
  }
}
