/** Content of the replica's files: keeps those being written open, and joins writes that follow each other. */
import type { ByteRange, ChangeBody, NodeId } from '../../proto/change.js';
import type { TreeFile } from '../../native/host/directory.js';
import { errorCode } from '../../proto/errors.js';
import { DivergenceError, type Deviations } from './divergence.js';
import type { Patience } from './patience.js';
import type { Touched } from './touched.js';

export interface OpenFilesOptions {
  /** Opens the file of a node for reading and writing. */
  readonly open: (node: NodeId) => Promise<TreeFile>;
  /** How a person knows the node. */
  readonly label: (node: NodeId) => string;
  readonly patience: Patience;
  readonly touched: Touched;
  readonly deviations: Deviations;
  readonly filesMax: number;
}

/** Bytes of joined writes at most, and of one step of copying. */
const runBytesMax = 1024 * 1024;

/** Writes to one file, each beginning where the one before ended, not yet handed to the file. */
interface Run {
  readonly node: NodeId;
  readonly start: number;
  end: number;
  readonly parts: Buffer[];
}

export interface CloneRange extends ByteRange {
  readonly sourceOffset: number;
}

export class OpenFiles {
  readonly #options: OpenFilesOptions;
  readonly #open = new Map<NodeId, TreeFile>();
  #run: Run | undefined;

  constructor(options: OpenFilesOptions) {
    this.#options = options;
  }

  /** Takes over the handle of a file that was just created. */
  async adopt(node: NodeId, file: TreeFile): Promise<void> {
    this.#open.set(node, file);
    await this.#evict();
  }

  /** Carries out a change of content of a known file; other changes do nothing here. */
  async apply(body: ChangeBody): Promise<void> {
    if (body.kind === 'write') await this.write(body.node, body.offset, body.data);
    else if (body.kind === 'truncate') await this.truncate(body.node, body.size);
    else if (body.kind === 'punch') await this.punch(body.node, body);
    else if (body.kind === 'zero') await this.zero(body.node, body);
    else if (body.kind === 'clone') await this.clone(body.node, body.sourceNode, body);
  }

  async write(node: NodeId, offset: number, data: Buffer): Promise<void> {
    if (data.byteLength === 0) return;
    const run = this.#run;
    if (run?.node === node && run.end === offset && run.end - run.start + data.byteLength <= runBytesMax) {
      run.parts.push(data);
      run.end += data.byteLength;
      return;
    }
    await this.flush();
    this.#run = { node, start: offset, end: offset + data.byteLength, parts: [data] };
  }

  /** Hands joined writes to their file. */
  async flush(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const [first] = run.parts;
    const bytes = run.parts.length === 1 ? first! : Buffer.concat(run.parts);
    await this.#on(run.node, (file) => file.write(bytes, run.start));
  }

  async truncate(node: NodeId, size: number): Promise<void> {
    await this.flush();
    await this.#on(node, (file) => file.truncate(size));
  }

  async punch(node: NodeId, range: ByteRange): Promise<void> {
    if (range.length === 0) return;
    await this.flush();
    await this.#on(node, (file) => file.punch(range));
  }

  /** Zeroes as a hole: it reads the same and cannot fill the disk. Grows the file to the range's end. */
  async zero(node: NodeId, range: ByteRange): Promise<void> {
    const end = range.offset + range.length;
    await this.flush();
    await this.#on(node, async (file) => {
      const { size } = await file.stat();
      const inside = Math.min(end, size) - range.offset;
      if (inside > 0) await file.punch({ offset: range.offset, length: inside });
      if (end > size) await file.truncate(end);
    });
  }

  /** Copies a range from what the source holds now; past its end there are zeroes. */
  async clone(node: NodeId, source: NodeId, range: CloneRange): Promise<void> {
    await this.flush();
    const from = await this.file(source);
    const { size } = await from.stat();
    const covered = Math.max(0, Math.min(range.length, size - range.sourceOffset));
    if (node === source) await this.#copyWithin(node, { ...range, length: covered });
    else await this.#copyData(node, source, { ...range, length: covered });
    if (covered < range.length) await this.zero(node, { offset: range.offset + covered, length: range.length - covered });
  }

  /** The open file of a node; stays open at least until the next call. */
  async file(node: NodeId): Promise<TreeFile> {
    const known = this.#open.get(node);
    if (known !== undefined) {
      this.#open.delete(node);
      this.#open.set(node, known);
      return known;
    }
    const file = await this.#options.open(node);
    await this.adopt(node, file);
    return file;
  }

  /** Forgets a file that is gone, and what was still to be written to it. */
  async forget(node: NodeId): Promise<void> {
    if (this.#run?.node === node) this.#run = undefined;
    const file = this.#open.get(node);
    if (file === undefined) return;
    this.#open.delete(node);
    await file.close();
  }

  /** Closes all files; what was not flushed is dropped. */
  async close(): Promise<void> {
    this.#run = undefined;
    const files = [...this.#open.values()];
    this.#open.clear();
    for (const file of files) await file.close();
  }

  async #on(node: NodeId, operation: (file: TreeFile) => Promise<void>): Promise<void> {
    const { label, patience, touched, deviations } = this.#options;
    touched.add(node);
    const file = await this.file(node);
    try {
      await patience.run(() => operation(file));
    } catch (error) {
      if (errorCode(error) !== 'EFBIG') throw error;
      deviations.note(label(node), 'content past the largest file that this file system can hold');
    }
  }

  /** Copies between two files, holes as holes. */
  async #copyData(node: NodeId, source: NodeId, { offset, length, sourceOffset }: CloneRange): Promise<void> {
    const end = sourceOffset + length;
    let at = sourceOffset;
    while (at < end) {
      const span = await (await this.file(source)).nextData(at);
      const dataStart = Math.min(span?.offset ?? end, end);
      if (dataStart > at) await this.zero(node, { offset: offset + at - sourceOffset, length: dataStart - at });
      const dataEnd = span === undefined ? end : Math.min(span.offset + span.length, end);
      for (at = dataStart; at < dataEnd; ) at += await this.#copyStep(node, source, { from: at, to: offset + at - sourceOffset, length: Math.min(runBytesMax, dataEnd - at) });
    }
  }

  /** Copies within one file as memmove does: an overlapping range is read before it is overwritten. */
  async #copyWithin(node: NodeId, { offset, length, sourceOffset }: CloneRange): Promise<void> {
    if (offset === sourceOffset) return;
    const backwards = offset > sourceOffset;
    for (let done = 0; done < length; ) {
      const step = Math.min(runBytesMax, length - done);
      const at = backwards ? length - done - step : done;
      await this.#copyStep(node, node, { from: sourceOffset + at, to: offset + at, length: step });
      done += step;
    }
  }

  async #copyStep(node: NodeId, source: NodeId, { from, to, length }: { from: number; to: number; length: number }): Promise<number> {
    const bytes = Buffer.allocUnsafeSlow(length);
    const got = await (await this.file(source)).read(bytes, from);
    if (got === 0) throw new DivergenceError(`node ${source} is shorter than it was`);
    await this.#on(node, (file) => file.write(bytes.subarray(0, got), to));
    return got;
  }

  async #evict(): Promise<void> {
    while (this.#open.size > Math.max(2, this.#options.filesMax)) {
      const [oldest] = this.#open;
      this.#open.delete(oldest![0]);
      await oldest![1].close();
    }
  }
}
