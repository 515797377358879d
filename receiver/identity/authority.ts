/** The receiver's private certificate authority: makes and keeps the CA and server keys, signs identities. */
import { createHash, createPrivateKey, X509Certificate, type webcrypto as crypto } from 'node:crypto';
import { dirname, join } from 'node:path';
import { FormatError, UsageError } from '../../proto/errors.js';
import {
  checkIdentityName, encodeIdentityUri, fingerprintOf, millisecondsOf, publicKeyFingerprintOf, renewalDue, serialOf,
  serverAuthUsage, validityOf, type Identity, type Role,
} from '../../proto/identity.js';
import type { Clock } from '../../native/host/clock.js';
import { replaceFile, type Files } from '../../native/host/files.js';
import { importKey, keyOf, readNames, readText, writeNames, type Key } from './authority-files.js';
import { issueCertificate } from './certificate.js';
import { serverNames } from './server-names.js';
import { checkSigningRequest } from './signing-request.js';

const dayMs = 24 * 60 * 60 * 1000;
const yearMs = 365.25 * dayMs;
const caValidityMs = 20 * yearMs;
const leafValidityMs = 2 * yearMs;

export interface AuthorityPlace {
  readonly files: Files;
  /** Holds keys: created with mode 0700, files in it with 0600. */
  readonly directory: string;
  readonly clock: Clock;
  /** This machine's name, for tests; the system's otherwise. */
  readonly hostname?: string;
}

export interface ServerCredentials {
  readonly caPem: string;
  /** Server certificate, then the CA's: a client at first contact has only the CA's key fingerprint, and finds the CA here. */
  readonly certificateChainPem: string;
  readonly keyPem: string;
}

export interface SignedIdentity {
  readonly identity: Identity;
  readonly certificatePem: string;
}

export class CertificateAuthority {
  readonly certificate: X509Certificate;
  readonly caPem: string;
  /** What `--name` gave, without this machine's own names. */
  readonly names: readonly string[];
  readonly #key: crypto.CryptoKey;
  readonly #clock: Clock;
  #server: ServerCredentials | undefined;

  private constructor(place: AuthorityPlace, caPem: string, key: crypto.CryptoKey, names: readonly string[]) {
    this.certificate = new X509Certificate(caPem);
    this.caPem = caPem;
    this.names = names;
    this.#key = key;
    this.#clock = place.clock;
  }

  static exists(place: Pick<AuthorityPlace, 'files' | 'directory'>): Promise<boolean> {
    return place.files.exists(join(place.directory, 'ca.pem'));
  }

  /** Makes the CA and the server certificate; UsageError when there is a CA already or a name is none. */
  static async create(place: AuthorityPlace & { readonly names: readonly string[] }): Promise<CertificateAuthority> {
    const { files, directory, clock, names } = place;
    serverNames(names); // refuse bad names before anything is written
    if (await CertificateAuthority.exists(place)) {
      throw new UsageError(`${directory} holds a certificate authority already; another one would lock out every enrolled host`);
    }
    await files.makeDirectory(directory);
    await files.syncDirectory(dirname(directory));
    const key = await keyOf(files, join(directory, 'ca-key.pem'));
    const nowMs = millisecondsOf(clock.wallNs());
    const caPem = await issueCertificate({
      // Part of the key's digest tells the authorities of two receivers apart in messages.
      subject: `CN=Afterimage CA ${createHash('sha256').update(key.publicKeyDer).digest('hex').slice(0, 8)}`,
      publicKey: key.publicKeyDer, issuer: undefined, signingKey: key.privateKey,
      notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + caValidityMs, usage: 'authority',
    });
    await writeNames(place, names);
    // Written last: its presence says that the authority is whole. An interrupted run left at most
    // the key, which the next one takes up.
    await replaceFile(files, join(directory, 'ca.pem'), Buffer.from(caPem));
    return CertificateAuthority.open(place);
  }

  /** Opens what create made. `names` replaces those given earlier; the server certificate is reissued when they changed or it nears its end. */
  static async open(place: AuthorityPlace & { readonly names?: readonly string[] }): Promise<CertificateAuthority> {
    const { files, directory } = place;
    const caPem = await readText(files, join(directory, 'ca.pem'));
    if (caPem === undefined) throw new UsageError(`there is no certificate authority in ${directory}: run afterimage-receiver init`);
    const keyPem = await readText(files, join(directory, 'ca-key.pem'));
    if (keyPem === undefined) throw new UsageError(`${join(directory, 'ca-key.pem')} is missing: put it back from a backup; without it no host can be enrolled`);
    const key = await importKey(keyPem, join(directory, 'ca-key.pem'));
    const names = place.names ?? (await readNames(place));
    serverNames(names);
    const authority = new CertificateAuthority(place, caPem, key.privateKey, names);
    if (!authority.certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new FormatError('open certificate authority: ca.pem and ca-key.pem do not belong together', { directory });
    if (place.names !== undefined) await writeNames(place, names);
    await authority.#prepareServer(place);
    return authority;
  }

  /** SHA-256 of the CA's public key, as tokens pin it. */
  get fingerprint(): Buffer {
    return publicKeyFingerprintOf(this.certificate);
  }

  serverCredentials(): ServerCredentials {
    if (this.#server === undefined) throw new Error('the server certificate is not prepared');
    return this.#server;
  }

  /** Signs a client certificate, valid two years, for the identity and for the key of the request. Nothing else is taken from the request. */
  async sign(request: Uint8Array | string, { name, role }: { readonly name: string; readonly role: Role }): Promise<SignedIdentity> {
    checkIdentityName(name);
    const publicKey = await checkSigningRequest(request);
    const nowMs = millisecondsOf(this.#clock.wallNs());
    const certificatePem = await issueCertificate({
      subject: `CN=afterimage ${role}`, publicKey, issuer: this.certificate, signingKey: this.#key,
      notBeforeMs: nowMs - dayMs, notAfterMs: Math.min(nowMs + leafValidityMs, validityOf(this.certificate).notAfterMs),
      usage: 'client', alternativeNames: [{ type: 'url', value: encodeIdentityUri({ role, name }) }],
    });
    const certificate = new X509Certificate(certificatePem);
    return { certificatePem, identity: { name, role, serial: serialOf(certificate), fingerprint: fingerprintOf(certificate) } };
  }

  async #prepareServer(place: AuthorityPlace): Promise<void> {
    const { files, directory, clock } = place;
    const path = join(directory, 'server.pem');
    const keyPath = join(directory, 'server-key.pem');
    const names = serverNames(this.names, place.hostname);
    const key = await keyOf(files, keyPath);
    let pem = await readText(files, path);
    if (pem === undefined || !this.#serverHolds(pem, key, names, clock.wallNs())) {
      const nowMs = millisecondsOf(clock.wallNs());
      pem = await issueCertificate({
        subject: 'CN=Afterimage receiver', publicKey: key.publicKeyDer, issuer: this.certificate, signingKey: this.#key,
        notBeforeMs: nowMs - dayMs, notAfterMs: Math.min(nowMs + leafValidityMs, validityOf(this.certificate).notAfterMs),
        usage: 'server', alternativeNames: names,
      });
      await replaceFile(files, path, Buffer.from(pem));
    }
    this.#server = { caPem: this.caPem, certificateChainPem: `${pem.trimEnd()}\n${this.caPem}`, keyPem: key.pem };
  }

  #serverHolds(pem: string, key: Key, names: ReturnType<typeof serverNames>, nowNs: bigint): boolean {
    try {
      const server = new X509Certificate(pem);
      const wanted = new Set(names.map(({ type, value }) => `${type}:${value}`));
      const held = (server.subjectAltName ?? '').split(', ').map(heldName);
      return server.checkPrivateKey(createPrivateKey(key.pem)) && server.checkIssued(this.certificate) && server.verify(this.certificate.publicKey)
        && server.keyUsage?.includes(serverAuthUsage) === true && !renewalDue(server, nowNs)
        && held.length === wanted.size && held.every((name) => wanted.has(name));
    } catch {
      return false; // an unreadable certificate is replaced like an expired one: the CA can always make another
    }
  }
}

function heldName(text: string): string {
  if (text.startsWith('DNS:')) return `dns:${text.slice(4)}`;
  const address = text.replace(/^IP Address:/, '');
  return `ip:${address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address}`;
}
