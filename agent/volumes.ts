/** The volumes that this host protects, as they are kept between runs. */
import { isAbsolute } from 'node:path';
import type { Engine, VolumeId, VolumeKind } from '../proto/change.js';
import { FormatError, UsageError, errorCode } from '../proto/errors.js';
import { readWhole, replaceFile, type Files } from '../native/host/files.js';

export interface VolumeRecord {
  readonly volume: VolumeId;
  readonly name: string;
  readonly kind: VolumeKind;
  /** Path bytes, one character each. */
  readonly path: string;
  readonly engine: Engine;
  /** The engine was not asked for by name: another may take its place. */
  readonly isAutomatic?: boolean;
  readonly exclude: readonly string[];
}

const nameMax = 64;

/** Throws UsageError unless `name` can name a volume: letters, digits, dots, dashes and underscores. */
export function checkVolumeName(name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) || name.length > nameMax) {
    throw new UsageError(`"${name}" cannot name a volume; use 1 to ${nameMax} letters, digits, dots, dashes and underscores, beginning with a letter or digit`);
  }
}

/** A volume name from the last part of a path, for when none was given. */
export function volumeNameFor(path: string, taken: ReadonlySet<string>): string {
  const last = path.split(/[/\\]/).filter((part) => part !== '').pop() ?? 'root';
  const base = last.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '').slice(0, nameMax - 4) || 'volume';
  if (!taken.has(base)) return base;
  for (let count = 2; ; count += 1) if (!taken.has(`${base}-${count}`)) return `${base}-${count}`;
}

/** The file that lists them; every change is written whole and durable before it counts. */
export class VolumeRegister {
  readonly #files: Files;
  readonly #path: string;
  #records: VolumeRecord[];
  #lastVolume: number;

  private constructor(files: Files, path: string, content: { records: VolumeRecord[]; lastVolume: number }) {
    this.#files = files;
    this.#path = path;
    this.#records = content.records;
    this.#lastVolume = content.lastVolume;
  }

  static async open(files: Files, path: string): Promise<VolumeRegister> {
    try {
      return new VolumeRegister(files, path, parse(path, await readWhole(files, path)));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return new VolumeRegister(files, path, { records: [], lastVolume: 0 });
      throw error;
    }
  }

  get records(): readonly VolumeRecord[] {
    return this.#records;
  }

  find(name: string): VolumeRecord | undefined {
    return this.#records.find((record) => record.name === name);
  }

  /** An id never used before, here or (by what it told) at the receiver. */
  nextVolume(lastAtReceiver: number): VolumeId {
    return (Math.max(this.#lastVolume, lastAtReceiver) + 1) as VolumeId;
  }

  async add(record: VolumeRecord): Promise<void> {
    await this.#save([...this.#records, record], Math.max(this.#lastVolume, record.volume));
  }

  /** Puts `record` in the place of the one with its name. */
  async replace(record: VolumeRecord): Promise<void> {
    await this.#save(
      this.#records.map((known) => (known.name === record.name ? record : known)),
      Math.max(this.#lastVolume, record.volume),
    );
  }

  async remove(name: string): Promise<void> {
    await this.#save(
      this.#records.filter((record) => record.name !== name),
      this.#lastVolume,
    );
  }

  async #save(records: VolumeRecord[], lastVolume: number): Promise<void> {
    await replaceFile(this.#files, this.#path, Buffer.from(JSON.stringify({ version: 1, lastVolume, volumes: records }, null, 2)));
    this.#records = records;
    this.#lastVolume = lastVolume;
  }
}

function parse(path: string, bytes: Buffer): { records: VolumeRecord[]; lastVolume: number } {
  try {
    const content = JSON.parse(bytes.toString('utf8')) as { version: number; lastVolume: number; volumes: VolumeRecord[] };
    if (content.version !== 1) throw new FormatError('read version', { version: content.version, fault: 'this program reads version 1' });
    for (const { volume, name, path: where, engine, kind, exclude } of content.volumes) {
      checkVolumeName(name);
      const fits = Number.isSafeInteger(volume) && volume > 0 && typeof where === 'string' && (engine === 'exact' || engine === 'portable') && (kind === 'tree' || kind === 'device') && Array.isArray(exclude);
      if (!fits) throw new FormatError('read volume', { name });
    }
    return { records: content.volumes, lastVolume: content.lastVolume };
  } catch (cause) {
    throw new FormatError('read the list of volumes', { path, cause });
  }
}

/** The path of a volume as the system takes it. Throws UsageError unless it is absolute. */
export function volumePath(path: string): Buffer {
  const bytes = Buffer.from(path, 'latin1');
  if (!isAbsolute(bytes.toString('utf8'))) throw new UsageError(`${bytes.toString('utf8')} is no absolute path`);
  return bytes;
}
