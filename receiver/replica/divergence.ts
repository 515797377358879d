/** Tells apart why an operation on the replica's tree failed: another hand in it, a full disk, or anything else. */
import { displayPath, type Name } from '../../proto/name.js';
import { errorCode } from '../../proto/errors.js';

/** The tree is not what the replica made it: only a rebuild gives the truth again. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
}

/** What only another hand in the tree can cause, given that the namespace said the operation fits. */
const foreignCodes: ReadonlySet<string> = new Set(['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'ELOOP', 'EINVAL', 'EXDEV', 'EACCES', 'EPERM', 'EMLINK', 'ENAMETOOLONG']);

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** A name that this file system cannot hold. */
const unrepresentableNameCodes: ReadonlySet<string> = new Set(['ENAMETOOLONG', 'EILSEQ', 'EINVAL']);

export const isDiskFull = (error: unknown): boolean => fullCodes.has(errorCode(error) ?? '');

export const isUnrepresentableName = (error: unknown): boolean => unrepresentableNameCodes.has(errorCode(error) ?? '');

/** The error as a divergence where that is what it shows; otherwise the error itself. */
export function asDivergence(error: unknown): unknown {
  if (error instanceof DivergenceError || !foreignCodes.has(errorCode(error) ?? '')) return error;
  return new DivergenceError(`the tree is not as the replica left it: ${(error as Error).message}`, { cause: error });
}

/** What could not be carried into the tree as it is on the source; bounded, the first ones are kept. */
export interface Deviation {
  readonly where: string;
  readonly what: string;
}

export interface DeviationList {
  readonly count: number;
  readonly first: readonly Deviation[];
}

const kept = 100;

/** Counts deviations and keeps the first. The same one twice counts once among those kept. */
export class Deviations {
  #count: number;
  readonly #first: Deviation[];

  constructor(from: DeviationList = { count: 0, first: [] }) {
    this.#count = from.count;
    this.#first = [...from.first];
  }

  note(where: string, what: string): void {
    if (this.#first.some((known) => known.where === where && known.what === what)) return;
    this.#count += 1;
    if (this.#first.length < kept) this.#first.push({ where, what });
  }

  list(): DeviationList {
    return { count: this.#count, first: [...this.#first] };
  }
}

export const shownPath = (path: readonly Name[] | undefined): string => (path === undefined ? '(without a name)' : displayPath(path));
