/** host.json beside a journal's segments: whose journal it is, so that the segments alone tell. */
import type { Files } from '../../native/host/files.js';
import { readWhole, replaceFile } from '../../native/host/files.js';
import { errorCode, FormatError } from '../../proto/errors.js';
import { isIdentityName, isRole, type Role } from '../../proto/identity.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { journalIdBytes } from '../../proto/journal/layout.js';

export interface HostRecord {
  readonly name: string;
  readonly role: Role;
  readonly journal: JournalId;
  readonly createdNs: bigint;
}

const fileSizeBytesMax = 64 * 1024;

export async function writeHostFile(files: Files, directory: string, host: HostRecord): Promise<void> {
  const content = { name: host.name, role: host.role, journal: host.journal.toString('hex'), createdNs: host.createdNs.toString() };
  await replaceFile(files, `${directory}/host.json`, Buffer.from(`${JSON.stringify(content)}\n`));
}

/** Undefined when there is none or it cannot be read as one. */
export async function readHostFile(files: Files, directory: string): Promise<HostRecord | undefined> {
  const path = `${directory}/host.json`;
  try {
    const value: unknown = JSON.parse((await readWhole(files, path, fileSizeBytesMax)).toString('utf8'));
    return hostFrom(value, path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof FormatError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function hostFrom(value: unknown, path: string): HostRecord {
  const { name, role, journal, createdNs } = (value ?? {}) as Record<string, unknown>;
  const whole = typeof name === 'string' && isIdentityName(name) && typeof role === 'string' && isRole(role) && typeof journal === 'string' && typeof createdNs === 'string' && /^\d{1,20}$/.test(createdNs);
  if (!whole || journal.length !== journalIdBytes * 2 || !/^[0-9a-f]+$/.test(journal)) throw new FormatError('read host file', { path });
  return { name, role: role as Role, journal: Buffer.from(journal, 'hex'), createdNs: BigInt(createdNs) };
}
