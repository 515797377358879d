/** Revoked certificates in a file of their own, so that a rebuilt catalogue still refuses them. */
import { readWhole, replaceFile, type Files } from '../../native/host/files.js';
import { errorCode, FormatError } from '../../proto/errors.js';
import { isRole, type Role } from '../../proto/identity.js';
import type { Catalogue } from './catalogue.js';

export interface Revocation {
  readonly serial: string;
  readonly name: string;
  readonly role: Role;
  readonly revokedMs: number;
}

const fileSizeBytesMax = 16 * 1024 * 1024;

/** Revokes a certificate: refused from the next call on, also by a receiver that runs in another process. False when it was revoked before. */
export async function revoke({ files, directory, catalogue, revocation }: { readonly files: Files; readonly directory: string; readonly catalogue: Catalogue; readonly revocation: Revocation }): Promise<boolean> {
  const revoked = catalogue.access.revoke(revocation);
  // Another process may revoke at the same time: go on until the file holds all that the catalogue has.
  for (;;) {
    const known = new Map((await readRevocations(files, directory)).map((one) => [one.serial, one]));
    const missing = revokedIn(catalogue).filter(({ serial }) => !known.has(serial));
    if (missing.length === 0) return revoked;
    for (const one of missing) known.set(one.serial, one);
    await replaceFile(files, `${directory}/revocations.json`, Buffer.from(`${JSON.stringify([...known.values()], undefined, 1)}\n`));
  }
}

/** Throws FormatError when the file is there but cannot be read: going on would let revoked certificates in. */
export async function readRevocations(files: Files, directory: string): Promise<Revocation[]> {
  const path = `${directory}/revocations.json`;
  let text: string;
  try {
    text = (await readWhole(files, path, fileSizeBytesMax)).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every(isRevocation)) return value;
  } catch (cause) {
    throw new FormatError('read revocations', { path, cause });
  }
  throw new FormatError('read revocations', { path, fault: 'not a list of revocations' });
}

function revokedIn(catalogue: Catalogue): Revocation[] {
  return catalogue.access.identities().flatMap(({ serial, name, role, revokedMs }) => (revokedMs === undefined ? [] : [{ serial, name, role, revokedMs }]));
}

function isRevocation(value: unknown): value is Revocation {
  const { serial, name, role, revokedMs } = (value ?? {}) as Record<string, unknown>;
  return typeof serial === 'string' && typeof name === 'string' && typeof role === 'string' && isRole(role) && typeof revokedMs === 'number';
}
