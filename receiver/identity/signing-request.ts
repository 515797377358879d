/** Checks a PKCS#10 request: well formed, key of an accepted kind, and proof that the asker holds the key. */
import 'reflect-metadata';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { createPublicKey, webcrypto, type KeyObject } from 'node:crypto';
import { PeerError } from '../../proto/errors.js';

const requestSizeBytesMax = 16 * 1024;
const rsaBitsMin = 2048;
// Above this a single verification costs the receiver milliseconds, which an attacker could ask for at will.
const rsaBitsMax = 8192;

/** Returns the requested public key (SubjectPublicKeyInfo, DER); everything else in the request is ignored. */
export async function checkSigningRequest(request: Uint8Array | string): Promise<Uint8Array> {
  if (request.length === 0) throw new PeerError('invalid', 'the certificate request is empty');
  if (request.length > requestSizeBytesMax) throw new PeerError('invalid', `the certificate request has ${request.length} bytes, more than the ${requestSizeBytesMax} allowed`);
  let parsed: Pkcs10CertificateRequest;
  let key: KeyObject;
  try {
    parsed = new Pkcs10CertificateRequest(request instanceof Uint8Array ? Uint8Array.from(request) : request);
    key = createPublicKey({ key: Buffer.from(parsed.publicKey.rawData), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new PeerError('invalid', `the certificate request cannot be read: ${(cause as Error).message}`, cause);
  }
  const fault = keyFault(key);
  if (fault !== undefined) throw new PeerError('invalid', `the certificate request has ${fault}; accepted are ECDSA P-256, Ed25519, and RSA of ${rsaBitsMin} to ${rsaBitsMax} bits`);
  await checkPossession(parsed);
  return key.export({ type: 'spki', format: 'der' });
}

function keyFault(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return details.namedCurve === 'prime256v1' ? undefined : `an EC key on the curve ${details.namedCurve ?? 'given by explicit parameters'}`;
    case 'ed25519':
      return undefined;
    case 'rsa': {
      const bits = details.modulusLength ?? 0;
      if (bits < rsaBitsMin || bits > rsaBitsMax) return `an RSA key of ${bits} bits`;
      const exponent = details.publicExponent ?? 0n;
      return exponent >= 65537n && exponent % 2n === 1n ? undefined : `an RSA key with the exponent ${exponent}`;
    }
    default:
      return `a key of type ${key.asymmetricKeyType ?? 'unknown'}`;
  }
}

async function checkPossession(request: Pkcs10CertificateRequest): Promise<void> {
  let proven = false;
  let cause: unknown;
  try {
    const hash: unknown = (request.signatureAlgorithm as { hash?: { name?: string } }).hash?.name;
    // SHA-1 is forgeable, and a forged request would bind a key that its owner never offered.
    proven = hash !== 'SHA-1' && (await request.verify(webcrypto));
  } catch (error) {
    cause = error;
  }
  if (!proven) throw new PeerError('invalid', 'the certificate request is not signed with the private key of the public key in it', cause);
}
