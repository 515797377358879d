/** Files as the records tell them: the oracle that is compared with the real ones. */
import { readdirSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordKind } from '../../native/capture/record.js';
import type { Lost } from '../../native/capture/stream.js';
import type { CaptureRecord, Volume } from './capture-harness.js';

const keepSize = 1;
const punchHole = 2;
const collapse = 8;
const zero = 16;
const insert = 32;

class ModelFile {
  #content = Buffer.alloc(0);
  #size = 0;
  /** What is to be taken from the real file, since its content was not captured. */
  readonly unseen: { readonly low: number; readonly high: number }[] = [];

  get content(): Buffer {
    return this.#content.subarray(0, this.#size);
  }

  resize(size: number): void {
    if (size > this.#content.length) {
      const larger = Buffer.alloc(Math.max(size, this.#content.length * 2));
      this.#content.copy(larger, 0, 0, this.#size);
      this.#content = larger;
    }
    if (size < this.#size) this.#content.fill(0, size, this.#size);
    this.#size = size;
  }

  write(offset: number, data: Buffer): void {
    if (offset + data.length > this.#size) this.resize(offset + data.length);
    data.copy(this.#content, offset);
  }

  allocate(mode: number, offset: number, length: number): void {
    const before = this.content;
    if (mode & collapse) {
      const kept = Buffer.concat([before.subarray(0, offset), before.subarray(offset + length)]);
      this.resize(0);
      this.write(0, kept);
    } else if (mode & insert) {
      const kept = Buffer.concat([before.subarray(0, offset), Buffer.alloc(length), before.subarray(offset)]);
      this.write(0, kept);
    } else {
      if (mode & (punchHole | zero)) this.#content.fill(0, Math.min(offset, this.#size), Math.min(offset + length, this.#size));
      if (!(mode & keepSize) && offset + length > this.#size) this.resize(offset + length);
    }
  }
}

export class Model {
  readonly files = new Map<bigint, ModelFile>();
  dirty = 0;

  apply(record: CaptureRecord): void {
    if (record.ino === 0n) return;
    if (record.kind === RecordKind.names && record.call === 11) this.files.set(record.ino, new ModelFile());
    if (record.kind === RecordKind.temporary) this.files.set(record.ino, new ModelFile());
    let file = this.files.get(record.ino);
    if (file === undefined) this.files.set(record.ino, (file = new ModelFile()));
    if (record.kind === RecordKind.write) file.write(record.offset, record.data);
    if (record.kind === RecordKind.truncate) file.resize(record.size);
    if (record.kind === RecordKind.allocate) file.allocate(Number(record.a), record.offset, record.length);
    if (record.kind === RecordKind.clone) {
      const source = this.files.get(record.a)!.content;
      const sourceOffset = Number(record.data.readBigUInt64LE(0));
      file.write(record.offset, Buffer.from(source.subarray(sourceOffset, sourceOffset + record.length)));
    }
    if (record.kind === RecordKind.dirty) {
      this.dirty++;
      file.unseen.push({ low: record.offset, high: record.length === 0 ? Infinity : record.offset + record.length });
    }
  }

  applyLost(lost: Lost): void {
    for (const { ino, low, high } of lost.ranges) this.files.get(ino)?.unseen.push({ low, high });
  }

  /** What differs from the real files of the volume, by path; what was not captured counts as equal. */
  differences(volume: Volume): string[] {
    const faults: string[] = [];
    const visit = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) visit(path);
        else if (entry.isFile()) this.#compare(path, faults);
      }
    };
    visit(volume.path);
    return faults;
  }

  #compare(path: string, faults: string[]): void {
    const file = this.files.get(lstatSync(path, { bigint: true }).ino);
    if (file === undefined) return;
    const real = readFileSync(path);
    for (const { low, high } of file.unseen) {
      if (high === Infinity) file.resize(real.length);
      if (low < real.length) file.write(low, Buffer.from(real.subarray(low, Math.min(high, real.length))));
    }
    if (file.content.equals(real)) return;
    let at = 0;
    while (at < real.length && at < file.content.length && real[at] === file.content[at]) at++;
    faults.push(`${path}: ${file.content.length} bytes for ${real.length}, the first difference is at ${at}`);
  }
}
