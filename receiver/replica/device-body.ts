/** A device volume's replica on disk: one sparse image file. */
import { asSequence, rootNode, type ChangeBody, type Sequence } from '../../proto/change.js';
import type { NamespaceEffect } from '../../proto/tree/namespace.js';
import type { Directory, TreeFile } from '../../native/host/directory.js';
import { CloneGuard, overwritesItself } from './clone-guard.js';
import { DivergenceError, type Deviations } from './divergence.js';
import { sameMark, type DiskMark } from './node-row.js';
import { OpenFiles } from './open-files.js';
import type { Patience } from './patience.js';
import { Touched } from './touched.js';
import type { RedoRange, VolumeBody } from './volume-body.js';

export const imageName = Buffer.from('image');

export interface DeviceBodyOptions {
  /** Holds the image. */
  readonly directory: Directory;
  readonly mark: DiskMark;
  readonly patience: Patience;
  readonly deviations: Deviations;
}

const none: NamespaceEffect = { ended: [] };

export class DeviceBody implements VolumeBody {
  readonly #options: DeviceBodyOptions;
  readonly #files: OpenFiles;

  /** `directory` stays the caller's to close. */
  static async open(options: DeviceBodyOptions): Promise<DeviceBody> {
    const found = await options.directory.lookup(imageName);
    if (found === undefined || !sameMark(found, options.mark)) throw new DivergenceError('the image is missing or another file than the replica made');
    return new DeviceBody(options);
  }

  private constructor(options: DeviceBodyOptions) {
    const { patience, deviations } = options;
    this.#options = options;
    this.#files = new OpenFiles({ open: () => this.#openImage(), label: () => 'image', patience, touched: new Touched(), deviations, filesMax: 2 });
  }

  async apply(body: ChangeBody): Promise<NamespaceEffect> {
    if (body.kind === 'discard') await this.#files.punch(rootNode, body);
    else if (!isContent(body)) return none;
    else if (body.node !== rootNode || (body.kind === 'clone' && body.sourceNode !== rootNode)) return { ended: [], anomaly: `content of node ${body.node} of a device` };
    else await this.#files.apply(body);
    return none;
  }

  displaces(): boolean {
    return false;
  }

  async settle(): Promise<void> {
    await this.#files.flush();
  }

  sync(): Promise<void> {
    return this.#options.directory.syncTree();
  }

  /** The same changes in the same order give the same image, however many of them it holds already. */
  async redo(range: RedoRange): Promise<Sequence> {
    const guard = new CloneGuard();
    for await (const changes of range.read()) {
      for (const change of changes) {
        const { sequence, body } = change;
        if (guard.blocks(body, () => false)) return asSequence(sequence - 1n);
        if (overwritesItself(body)) throw new DivergenceError(`sequence ${sequence} copies a range onto itself and cannot be done twice`);
        guard.note(body);
        const { anomaly } = await this.apply(body);
        if (anomaly !== undefined) range.onAnomaly(change, anomaly);
      }
    }
    return range.through;
  }

  async rest(): Promise<void> {
    await this.#files.flush();
    await this.#files.close();
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  async #openImage(): Promise<TreeFile> {
    const { directory, mark } = this.#options;
    const file = await directory.openFile(imageName, 'write');
    if (sameMark(mark, await file.stat())) return file;
    await file.close();
    throw new DivergenceError('the image is another file than the replica made');
  }
}

function isContent(body: ChangeBody): body is Extract<ChangeBody, { kind: 'write' | 'truncate' | 'punch' | 'zero' | 'clone' }> {
  return body.kind === 'write' || body.kind === 'truncate' || body.kind === 'punch' || body.kind === 'zero' || body.kind === 'clone';
}
