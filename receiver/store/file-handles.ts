/** Keeps a bounded number of files open for reading, so that reading a segment in pieces opens it once. */
import type { File, Files } from '../../native/host/files.js';

interface Handle {
  readonly file: Promise<File>;
  users: number;
  /** Out of the cache: closed when its last user is done. */
  retired: boolean;
}

export class FileHandles {
  readonly #files: Pick<Files, 'open'>;
  readonly #openMax: number;
  /** In order of use, the longest unused first. */
  readonly #handles = new Map<string, Handle>();

  constructor({ files, openMax = 64 }: { readonly files: Pick<Files, 'open'>; readonly openMax?: number }) {
    this.#files = files;
    this.#openMax = openMax;
  }

  /** Calls `use` with the file open for reading; it must not keep the file. */
  async with<T>(path: string, use: (file: File) => Promise<T>): Promise<T> {
    let handle = this.#handles.get(path);
    if (handle === undefined) {
      handle = { file: this.#files.open(path, 'read'), users: 0, retired: false };
    } else this.#handles.delete(path);
    this.#handles.set(path, handle);
    handle.users += 1;
    try {
      this.#evict();
      return await use(await handle.file);
    } catch (error) {
      // A file that could not be opened or read may be there, or be another one, next time.
      this.#retire(path, handle);
      throw error;
    } finally {
      handle.users -= 1;
      if (handle.retired && handle.users === 0) await close(handle);
    }
  }

  /** Forgets a file that is about to be removed or replaced. */
  async forget(path: string): Promise<void> {
    const handle = this.#handles.get(path);
    if (handle === undefined) return;
    this.#retire(path, handle);
    if (handle.users === 0) await close(handle);
  }

  async close(): Promise<void> {
    for (const path of [...this.#handles.keys()]) await this.forget(path);
  }

  #evict(): void {
    for (const [path, handle] of this.#handles) {
      if (this.#handles.size <= this.#openMax) return;
      if (handle.users > 0) continue;
      this.#retire(path, handle);
      void close(handle);
    }
  }

  #retire(path: string, handle: Handle): void {
    handle.retired = true;
    if (this.#handles.get(path) === handle) this.#handles.delete(path);
  }
}

/** Closing a file that was only read cannot lose anything, so a failure needs no handling. */
async function close(handle: Handle): Promise<void> {
  await handle.file.then((file) => file.close()).catch(() => undefined);
}
