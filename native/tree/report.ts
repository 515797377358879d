/** What a restore did, would do, or could not do. */
import { Notes, PathList, type Note } from './notes.js';

export interface TreeRestoreReport {
  readonly dryRun: boolean;
  readonly entries: number;
  readonly created: { readonly count: number; readonly first: readonly string[] };
  /** Existing entries of which content, metadata or kind was not as it should be. */
  readonly changed: { readonly count: number; readonly first: readonly string[] };
  /** Extras; a directory counts once, with what it held. */
  readonly deleted: { readonly count: number; readonly first: readonly string[] };
  readonly unchanged: number;
  readonly bytesWritten: number;
  /** Bytes that were found on disk as they should be. */
  readonly bytesEqual: number;
  /** Restored, but not in every respect: an attribute refused, an owner that only root may set. */
  readonly skipped: readonly Note[];
  /** Not restored at all: a name or kind that this place cannot hold. */
  readonly notRepresented: readonly Note[];
}

export interface TreeRestoreProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneEntries: number;
  readonly totalEntries: number;
}

export class Report {
  readonly created = new PathList();
  readonly changed = new PathList();
  readonly deleted = new PathList();
  readonly skipped = new Notes();
  readonly notRepresented = new Notes();
  unchanged = 0;
  bytesWritten = 0;
  bytesEqual = 0;
  doneEntries = 0;
  readonly #total: { readonly entries: number; readonly bytes: number };
  readonly #onProgress: ((progress: TreeRestoreProgress) => void) | undefined;

  constructor(total: { readonly entries: number; readonly bytes: number }, onProgress: ((progress: TreeRestoreProgress) => void) | undefined) {
    this.#total = total;
    this.#onProgress = onProgress;
  }

  /** An entry is as it should be (or never can be). */
  entryDone(): void {
    this.doneEntries += 1;
    this.progress();
  }

  progress(): void {
    this.#onProgress?.({ doneBytes: this.bytesWritten + this.bytesEqual, totalBytes: this.#total.bytes, doneEntries: this.doneEntries, totalEntries: this.#total.entries });
  }

  finish(dryRun: boolean): TreeRestoreReport {
    const list = (paths: PathList): { count: number; first: readonly string[] } => ({ count: paths.count, first: paths.first });
    return {
      dryRun,
      entries: this.#total.entries,
      created: list(this.created),
      changed: list(this.changed),
      deleted: list(this.deleted),
      unchanged: this.unchanged,
      bytesWritten: this.bytesWritten,
      bytesEqual: this.bytesEqual,
      skipped: this.skipped.list(),
      notRepresented: this.notRepresented.list(),
    };
  }
}

/** Whether an error says that a name, kind or size cannot exist at this place; and how to put it. */
export function cannotExist(code: string | undefined): string | undefined {
  switch (code) {
    case 'EEXIST':
      return 'its name collides with another one here (upper and lower case are the same, or one form of Unicode)';
    case 'ENAMETOOLONG':
      return 'its name is too long here';
    case 'EINVAL':
    case 'EILSEQ':
      return 'its name cannot exist here';
    case 'EFBIG':
      return 'it is larger than any file can be here';
    default:
      return undefined;
  }
}
