/** The agent's private key: made here, kept here (mode 0600), never sent; only requests signed with it leave. */
import 'reflect-metadata';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { createPrivateKey, createPublicKey, createHash, KeyObject, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { FormatError } from '../../proto/errors.js';
import { readWhole, replaceFile, type Files } from '../../native/host/files.js';

export interface GeneratedKey {
  /** PKCS#8. */
  readonly keyPem: string;
  /** PKCS#10, signed with the key; its subject is empty, for the token says who this is. */
  readonly csrDer: Uint8Array;
}

const fileSizeBytesMax = 64 * 1024;

/** Makes an ECDSA P-256 key and a certificate request for it. */
export async function generateKey(): Promise<GeneratedKey> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } }, webcrypto);
  return {
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
    csrDer: new Uint8Array(request.rawData),
  };
}

/**
 * Stores a key under a name of its own and returns that name. A new key thus never overwrites the
 * one in use, and which key counts is decided by the one file that names it (state.ts).
 */
export async function storeKey(files: Files, directory: string, keyPem: string): Promise<string> {
  const publicKey = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  const name = `key-${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}.pem`;
  await replaceFile(files, join(directory, name), Buffer.from(keyPem));
  return name;
}

export async function loadKey(files: Files, directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  if (!isKeyFile(name)) throw new FormatError('read agent key: not the name of a key file', { path });
  const keyPem = (await readWhole(files, path, fileSizeBytesMax)).toString('utf8');
  try {
    createPrivateKey(keyPem);
  } catch (cause) {
    throw new FormatError('read agent key', { path, cause });
  }
  return keyPem;
}

/** Removes keys that an earlier enrolment, or one that was cut short, left behind. */
export async function removeOtherKeys(files: Files, directory: string, current: string): Promise<void> {
  for (const { name } of await files.list(directory)) {
    if (isKeyFile(name) && name !== current) await files.remove(join(directory, name));
  }
}

function isKeyFile(name: string): boolean {
  return /^key-[0-9a-f]{16}\.pem$/.test(name);
}
