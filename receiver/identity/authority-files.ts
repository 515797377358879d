/** The files of the certificate authority: private keys (PKCS#8), certificates (PEM) and the server's names. */
import { createPrivateKey, createPublicKey, KeyObject, webcrypto, type webcrypto as crypto } from 'node:crypto';
import { join } from 'node:path';
import { errorCode, FormatError } from '../../proto/errors.js';
import { readWhole, replaceFile, type Files } from '../../native/host/files.js';

const fileSizeBytesMax = 64 * 1024;

export interface Key {
  readonly pem: string;
  readonly privateKey: crypto.CryptoKey;
  readonly publicKeyDer: Uint8Array;
}

/** The key in a file, made and stored first when there is none. */
export async function keyOf(files: Files, path: string): Promise<Key> {
  const stored = await readText(files, path);
  if (stored !== undefined) return importKey(stored, path);
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const pem = KeyObject.from(pair.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string;
  await replaceFile(files, path, Buffer.from(pem));
  return importKey(pem, path);
}

export async function importKey(pem: string, path: string): Promise<Key> {
  try {
    const key = createPrivateKey(pem);
    const der = key.export({ type: 'pkcs8', format: 'der' });
    const privateKey = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    return { pem, privateKey, publicKeyDer: createPublicKey(key).export({ type: 'spki', format: 'der' }) };
  } catch (cause) {
    throw new FormatError('read private key', { path, cause });
  }
}

interface NamesPlace {
  readonly files: Files;
  readonly directory: string;
}

export async function readNames({ files, directory }: NamesPlace): Promise<string[]> {
  const path = join(directory, 'server-names.json');
  const text = await readText(files, path);
  if (text === undefined) return [];
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  } catch (cause) {
    throw new FormatError('read server names', { path, cause });
  }
  throw new FormatError('read server names: not a list of names', { path });
}

export async function writeNames({ files, directory }: NamesPlace, names: readonly string[]): Promise<void> {
  await replaceFile(files, join(directory, 'server-names.json'), Buffer.from(`${JSON.stringify(names)}\n`));
}

export async function readText(files: Files, path: string): Promise<string | undefined> {
  try {
    return (await readWhole(files, path, fileSizeBytesMax)).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
