/** A file as a disk and the page cache before it have it: what is read, and what a power cut may leave. */
import type { Chance } from './chance.js';

/** The unit that a disk writes whole. */
export const sectorBytes = 512;

interface SectorVersion {
  readonly version: number;
  readonly bytes: Buffer;
}
interface SizeVersion {
  readonly version: number;
  readonly size: number;
}

/** A byte array that grows; what lies past `size` is zero. */
class Content {
  #bytes = Buffer.alloc(sectorBytes);
  size = 0;

  view(from: number, to: number): Buffer {
    this.reserve(to);
    return this.#bytes.subarray(from, to);
  }

  reserve(size: number): void {
    if (size <= this.#bytes.byteLength) return;
    const grown = Buffer.alloc(Math.max(size, 2 * this.#bytes.byteLength));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  clear(from: number): void {
    this.#bytes.fill(0, Math.min(from, this.#bytes.byteLength));
  }
}

export class SimInode {
  readonly #cache = new Content();
  readonly #durable = new Content();
  /** What each unsynced sector held at each write since: write-back may have happened after any of them. */
  readonly #dirty = new Map<number, SectorVersion[]>();
  #sizes: SizeVersion[] = [];
  /** Sectors that look clean, and that the disk never got: they can be read for as long as they stay cached. */
  readonly #lost = new Set<number>();
  #version = 0;

  get size(): number {
    return this.#cache.size;
  }

  /** Grows with every change; what `sync` makes durable is told by it. */
  get version(): number {
    return this.#version;
  }

  get isClean(): boolean {
    return this.#dirty.size === 0 && this.#sizes.length === 0;
  }

  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.byteLength, this.#cache.size - position));
    if (length > 0) target.set(this.#cache.view(position, position + length));
    return length;
  }

  /** All of it: as it is read, or as the least that a power cut now leaves. */
  bytes(view: 'cache' | 'durable'): Buffer {
    const content = view === 'cache' ? this.#cache : this.#durable;
    return content.view(0, content.size);
  }

  write(source: Uint8Array, position: number): void {
    if (source.byteLength === 0) return;
    this.#version += 1;
    const end = position + source.byteLength;
    this.#cache.reserve(end + sectorBytes);
    this.#cache.view(position, end).set(source);
    // Writing back what lies at the end makes the size known to the disk, also where an earlier try was lost.
    if (end > this.#cache.size || (this.#sizes.length === 0 && end > this.#durable.size)) this.#resize(Math.max(end, this.#cache.size));
    this.#touch(position, end);
  }

  truncate(size: number): void {
    this.#version += 1;
    const before = this.#cache.size;
    if (size < before) {
      this.#cache.clear(size);
      this.#touch(size, before);
    }
    if (size !== before) this.#resize(size);
  }

  /** Everything up to `version` is on the disk now. */
  sync(version: number): void {
    for (const [sector, versions] of this.#dirty) {
      const last = versions.findLast((known) => known.version <= version);
      if (last === undefined) continue;
      this.#keep(sector, last.bytes);
      const rest = versions.filter((known) => known.version > version);
      if (rest.length === 0) this.#dirty.delete(sector);
      else this.#dirty.set(sector, rest);
    }
    const size = this.#sizes.findLast((known) => known.version <= version);
    if (size !== undefined) this.#setDurableSize(size.size);
    this.#sizes = this.#sizes.filter((known) => known.version > version);
  }

  /** Write-back failed: some pages arrived, the others are called clean although the disk never got them. */
  loseUnsynced(chance: Chance): void {
    for (const sector of this.#dirty.keys()) this.#lost.add(sector);
    this.#settle(chance);
  }

  /** The page cache drops what looks clean: what was lost is now seen to be. */
  evict(): void {
    for (const sector of this.#lost) {
      const from = sector * sectorBytes;
      const to = Math.min(from + sectorBytes, this.#cache.size);
      if (to > from) this.#cache.view(from, to).set(this.#durable.view(from, to));
    }
    this.#lost.clear();
  }

  /** The machine lost power: each sector and the size are what they were at any moment since the last sync. */
  cutPower(chance: Chance): void {
    this.#settle(chance);
    this.#lost.clear();
    const { size } = this.#durable;
    this.#cache.clear(0);
    this.#cache.size = size;
    this.#cache.view(0, size).set(this.#durable.view(0, size));
  }

  #settle(chance: Chance): void {
    // Often nothing arrived, or all of it: a lottery by sector alone would hardly ever leave a whole frame.
    const share = chance.pick([0, 0.5, 0.9, 1]);
    for (const [sector, versions] of this.#dirty) {
      if (chance.fraction() >= share) continue;
      this.#keep(sector, (chance.oneIn(4) ? chance.pick(versions) : versions[versions.length - 1]!).bytes);
    }
    this.#dirty.clear();
    if (this.#sizes.length > 0 && chance.fraction() < share) this.#setDurableSize((chance.oneIn(4) ? chance.pick(this.#sizes) : this.#sizes[this.#sizes.length - 1]!).size);
    else this.#setDurableSize(this.#durable.size);
    this.#sizes = [];
    this.#version += 1;
  }

  #keep(sector: number, bytes: Buffer): void {
    const from = sector * sectorBytes;
    this.#durable.view(from, from + sectorBytes).set(bytes);
  }

  #setDurableSize(size: number): void {
    this.#durable.reserve(size);
    this.#durable.size = size;
    // What lies past the end is not part of the file, and reads as zeroes should the file grow.
    this.#durable.clear(size);
  }

  #resize(size: number): void {
    this.#cache.size = size;
    this.#sizes.push({ version: this.#version, size });
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / sectorBytes); sector * sectorBytes < to; sector += 1) {
      const at = sector * sectorBytes;
      this.#lost.delete(sector);
      const bytes = Buffer.from(this.#cache.view(at, at + sectorBytes));
      const versions = this.#dirty.get(sector);
      if (versions === undefined) this.#dirty.set(sector, [{ version: this.#version, bytes }]);
      else versions.push({ version: this.#version, bytes });
    }
  }
}
