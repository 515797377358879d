/** The agent's identity on disk: one file says who this host is, to which receiver, with which key. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { errorCode, FormatError, UsageError } from '../../proto/errors.js';
import { isIdentityName, renewalDue as certificateRenewalDue } from '../../proto/identity.js';
import { readWhole, replaceFile, type Files } from '../../native/host/files.js';
import { loadKey, removeOtherKeys, storeKey } from './keys.js';

export interface AgentIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** The pinned CA: the only one the receiver's certificate may come from. */
  readonly caPem: string;
  /** HOST:PORT as dialled at enrolment. */
  readonly receiver: string;
  readonly name: string;
  /** 16 bytes as 32 lower-case hexadecimal digits. */
  readonly journalId: string;
}

const fileSizeBytesMax = 256 * 1024;

export function identityDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'identity');
}

/** UsageError when this host was never enrolled; FormatError when the files are damaged. */
export async function loadIdentity(files: Files, stateDirectory: string): Promise<AgentIdentity> {
  const identity = await findIdentity(files, stateDirectory);
  if (identity !== undefined) return identity;
  throw new UsageError(`not enrolled: run afterimage-agent enroll --receiver HOST:PORT --token TOKEN (no identity in ${identityDirectory(stateDirectory)})`);
}

export async function findIdentity(files: Files, stateDirectory: string): Promise<AgentIdentity | undefined> {
  const directory = identityDirectory(stateDirectory);
  const path = join(directory, 'identity.json');
  let text: string;
  try {
    text = (await readWhole(files, path, fileSizeBytesMax)).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const stored = decode(text, path);
  const { key, ...rest } = stored;
  const keyPem = await loadKey(files, directory, key);
  if (!keyMatches(keyPem, rest.certificatePem)) throw new FormatError('read agent identity: the key is not that of the certificate; enrol this host again', { path });
  return { ...rest, keyPem };
}

/** Makes an identity the current one: after a crash either the former or the new one is there, whole. */
export async function storeIdentity(files: Files, stateDirectory: string, identity: AgentIdentity): Promise<void> {
  const directory = identityDirectory(stateDirectory);
  const { keyPem, ...rest } = identity;
  if (!keyMatches(keyPem, rest.certificatePem)) throw new FormatError('store agent identity: the key is not that of the certificate', { directory });
  await files.makeDirectory(directory);
  await files.syncDirectory(stateDirectory);
  const key = await storeKey(files, directory, keyPem);
  await replaceFile(files, join(directory, 'identity.json'), Buffer.from(`${JSON.stringify({ version: 1, ...rest, key }, null, 2)}\n`));
  await removeOtherKeys(files, directory, key);
}

/** True when less than a third of the certificate's validity is left: time to ask the receiver for another. */
export function renewalDue(identity: Pick<AgentIdentity, 'certificatePem'>, nowNs: bigint): boolean {
  return certificateRenewalDue(new X509Certificate(identity.certificatePem), nowNs);
}

type StoredIdentity = Omit<AgentIdentity, 'keyPem'> & { readonly key: string };

function decode(text: string, path: string): StoredIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError('read agent identity', { path, cause });
  }
  const { version, ...stored } = (value ?? {}) as Record<string, unknown>;
  if (version !== 1) throw new FormatError('read agent identity: unknown version', { path, version });
  const field = (name: keyof StoredIdentity): string => {
    const content = stored[name];
    if (typeof content !== 'string') throw new FormatError('read agent identity: a field is missing', { path, field: name });
    return content;
  };
  const identity = {
    certificatePem: field('certificatePem'), caPem: field('caPem'), receiver: field('receiver'), name: field('name'), journalId: field('journalId'), key: field('key'),
  };
  if (!isIdentityName(identity.name)) throw new FormatError('read agent identity: not a host name', { path, name: identity.name });
  if (!isJournalId(identity.journalId)) throw new FormatError('read agent identity: not a journal id', { path, journalId: identity.journalId });
  return identity;
}

export function isJournalId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

function keyMatches(keyPem: string, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}
