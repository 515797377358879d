/** Files whose calls can be made to fail at a chosen place, and which remember what power loss would leave. */
import { systemFiles } from '../../../native/host/files.js';
import type { LogFile, LogFiles } from '../../../proto/journal/segment-log.js';

export type Deed = 'open' | 'create' | 'write' | 'truncate' | 'datasync' | 'remove' | 'syncDirectory';

/** One call before it is made; a returned error makes it fail, a write after `partBytes` of its bytes. */
export interface Call {
  readonly deed: Deed;
  readonly path: string;
  /** How many calls of that deed came before. */
  readonly index: number;
}
export type Fault = { readonly code: string; readonly partBytes?: number } | undefined;

export class FaultyFiles implements LogFiles {
  readonly calls = new Map<Deed, number>();
  /** Size of each file at its last datasync that returned. */
  readonly durableSizes = new Map<string, number>();
  /** Faults that fired. */
  fired = 0;
  /** Writes and syncs that are under way at this moment, and the most syncs there ever were at once. */
  syncsAtOnceMax = 0;
  #syncs = 0;
  readonly #plan: (call: Call) => Fault;
  /** Awaited within each datasync: keeps one under way for as long as a test needs. */
  duringSync: (() => Promise<void>) | undefined;

  constructor(plan: (call: Call) => Fault = () => undefined) {
    this.#plan = plan;
  }

  #fault(deed: Deed, path: string): Fault {
    const index = this.calls.get(deed) ?? 0;
    this.calls.set(deed, index + 1);
    const fault = this.#plan({ deed, path, index });
    if (fault !== undefined) this.fired += 1;
    return fault;
  }

  #check(deed: Deed, path: string): void {
    const fault = this.#fault(deed, path);
    if (fault !== undefined) throw failure(deed, fault);
  }

  async open(path: string, mode: 'read' | 'write'): Promise<LogFile> {
    this.#check('open', path);
    return this.#wrap(path, await systemFiles.open(path, mode));
  }
  async create(path: string): Promise<LogFile> {
    this.#check('create', path);
    return this.#wrap(path, await systemFiles.create(path));
  }
  async remove(path: string): Promise<void> {
    this.#check('remove', path);
    await systemFiles.remove(path);
  }
  async syncDirectory(path: string): Promise<void> {
    this.#check('syncDirectory', path);
    await systemFiles.syncDirectory(path);
  }
  list(path: string): Promise<readonly { readonly name: string }[]> {
    return systemFiles.list(path);
  }
  makeDirectory(path: string): Promise<void> {
    return systemFiles.makeDirectory(path);
  }

  #wrap(path: string, file: LogFile): LogFile {
    return {
      read: (target, position) => file.read(target, position),
      write: async (parts, position) => {
        const fault = this.#fault('write', path);
        if (fault === undefined) return file.write(parts, position);
        await file.write([Buffer.concat(parts).subarray(0, fault.partBytes ?? 0)], position);
        throw failure('write', fault);
      },
      truncate: async (sizeBytes) => {
        this.#check('truncate', path);
        await file.truncate(sizeBytes);
      },
      datasync: async () => {
        this.#syncs += 1;
        this.syncsAtOnceMax = Math.max(this.syncsAtOnceMax, this.#syncs);
        try {
          const sizeBytes = await file.sizeBytes();
          await this.duringSync?.();
          this.#check('datasync', path);
          this.durableSizes.set(path, sizeBytes);
        } finally {
          this.#syncs -= 1;
        }
      },
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
    };
  }
}

function failure(deed: Deed, { code }: { readonly code: string }): Error {
  return Object.assign(new Error(`${code}: planned for ${deed}`), { code });
}
