/** Makes the entry of a new node; where this machine refuses its kind, an empty file stands in for it. */
import { errorCode } from '../../proto/errors.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import type { Directory, EntryName, TreeFile } from '../../native/host/directory.js';
import { DivergenceError } from './divergence.js';
import type { DiskMark } from './node-row.js';

export interface MadeEntry {
  readonly mark: DiskMark;
  /** The open file, for a regular file. */
  readonly file?: TreeFile;
  /** What could not be made, when a placeholder stands in. */
  readonly refusal?: string;
}

const refusals: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENAMETOOLONG', 'ENOENT', 'ENODEV']);

export async function makeEntry(directory: Directory, name: EntryName, state: NodeState): Promise<MadeEntry> {
  switch (state.nodeKind) {
    case 'file':
      return makeFile(directory, name);
    case 'directory':
      await directory.makeDirectory(name);
      return { mark: await markOf(directory, name) };
    case 'symlink':
      return orPlaceholder(directory, name, 'symbolic link', () => directory.makeSymlink(name, state.target ?? Buffer.alloc(0)));
    default: {
      const { nodeKind: kind, device } = state;
      // The mode comes with the rest of the metadata.
      return orPlaceholder(directory, name, kind, () => directory.makeSpecial(name, { kind, mode: 0o600, deviceMajor: device?.major ?? 0, deviceMinor: device?.minor ?? 0 }));
    }
  }
}

async function makeFile(directory: Directory, name: EntryName): Promise<MadeEntry> {
  const file = await directory.createFile(name);
  try {
    const { ino, birthNs } = await file.stat();
    return { mark: { ino, birthNs }, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function orPlaceholder(directory: Directory, name: EntryName, what: string, make: () => Promise<void>): Promise<MadeEntry> {
  try {
    await make();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || !refusals.has(code)) throw error;
    // A name too long, or a directory that is closed to us, fails here again, and is the caller's to judge.
    const placeholder = await makeFile(directory, name);
    await placeholder.file!.close();
    return { mark: placeholder.mark, refusal: `${what}: an empty file stands in for it (${code})` };
  }
  return { mark: await markOf(directory, name) };
}

async function markOf(directory: Directory, name: EntryName): Promise<DiskMark> {
  const stat = await directory.lookup(name);
  if (stat === undefined) throw new DivergenceError(`an entry that was just made is gone: ${name.toString('latin1')}`);
  return { ino: stat.ino, birthNs: stat.birthNs };
}
