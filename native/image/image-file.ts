/** An image in a file: written under another name until it is complete, or brought to the point in place. */
import { basename, dirname, resolve } from 'node:path';
import type { ByteSpan, Directory, DirectoryOpener, TreeFile } from '../host/directory.js';
import { systemFiles } from '../host/files.js';
import { TreeRestoreError } from '../tree/items.js';
import { draftBase } from '../tree/prepare.js';
import type { ImageTarget } from './image-target.js';

export interface ImageFileOptions {
  readonly directories: DirectoryOpener;
  readonly target: string;
  readonly mode: 'fresh' | 'in-place';
  readonly dryRun: boolean;
}

/** Throws TreeRestoreError where the target is not as it must be. Nothing is written yet. */
export async function openImageFile({ directories, target, mode, dryRun }: ImageFileOptions): Promise<ImageTarget> {
  const path = resolve(target);
  let container: Directory;
  try {
    container = await directories.openRoot(dirname(path));
  } catch (cause) {
    throw new TreeRestoreError('target', `${dirname(path)}, where ${basename(path)} is to be restored, cannot be opened: ${(cause as Error).message}`, cause);
  }
  try {
    const name = Buffer.from(basename(path) === '' ? 'image' : basename(path));
    const existing = await container.lookup(name);
    if (existing === undefined) return new ImageFile({ path, container, name, file: undefined, sizeBytes: 0, dryRun });
    if (existing.kind !== 'file') throw new TreeRestoreError('target', `${path} is a ${existing.kind}, and what is restored is an image: a file`);
    if (mode === 'fresh') throw new TreeRestoreError('target', `${path} exists; restore to another place, or use --in-place to bring what is there to the point`);
    const file = await container.openFile(name, dryRun ? 'read' : 'write');
    return new ImageFile({ path, container, name, file, sizeBytes: existing.size, dryRun });
  } catch (error) {
    await container.close();
    throw error;
  }
}

interface ImageFileParts {
  readonly path: string;
  readonly container: Directory;
  readonly name: Buffer;
  /** The existing file; undefined where a new one is to be made. */
  readonly file: TreeFile | undefined;
  readonly sizeBytes: number;
  readonly dryRun: boolean;
}

class ImageFile implements ImageTarget {
  readonly kind = 'file';
  readonly place: string;
  readonly isBlank: boolean;
  readonly sizeBytes: number;
  readonly #parts: ImageFileParts;
  readonly #draft: Buffer;
  #file: TreeFile | undefined;

  constructor(parts: ImageFileParts) {
    this.place = parts.path;
    this.isBlank = parts.file === undefined;
    this.sizeBytes = parts.sizeBytes;
    this.#parts = parts;
    this.#file = parts.file;
    this.#draft = Buffer.from(draftBase(parts.name), 'latin1');
  }

  async begin(sizeBytes: number): Promise<void> {
    const { container, dryRun } = this.#parts;
    if (dryRun) return;
    if (this.isBlank) {
      // What a restore that was killed has left there.
      if ((await container.lookup(this.#draft)) !== undefined) await container.unlink(this.#draft);
      this.#file = await container.createFile(this.#draft);
    }
    if (this.sizeBytes !== sizeBytes) await this.#open().truncate(sizeBytes);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#open().read(target, position);
  }

  write(source: Uint8Array, position: number): Promise<void> {
    return this.#open().write(source, position);
  }

  zero(span: ByteSpan): Promise<void> {
    return this.#open().punch(span);
  }

  nextData(offset: number): Promise<ByteSpan | undefined> {
    return this.#open().nextData(offset);
  }

  async finish({ sync }: { readonly sync: boolean }): Promise<readonly string[]> {
    const { container, name, path, dryRun } = this.#parts;
    if (sync && !dryRun) await this.#open().datasync();
    if (this.isBlank && !dryRun) {
      await container.rename(this.#draft, container, name);
      // The directory too: otherwise the rename may not survive power loss.
      if (sync) await systemFiles.syncDirectory(dirname(path));
    }
    await this.#file?.close();
    await container.close();
    return [];
  }

  async abandon(): Promise<void> {
    const { container, dryRun } = this.#parts;
    const made = this.isBlank && !dryRun && this.#file !== undefined;
    await this.#file?.close();
    this.#file = undefined;
    // It may be the very disk that fails; the next restore to this place clears it away too.
    if (made) await container.unlink(this.#draft).catch(() => undefined);
    await container.close();
  }

  #open(): TreeFile {
    if (this.#file === undefined) throw new Error(`${this.place} is not open`);
    return this.#file;
  }
}
