/** Who speaks: roles, names, how a certificate says both, and the text of an enrolment token. */
import { createHash, type X509Certificate } from 'node:crypto';
import { FormatError, UsageError } from './errors.js';

/** `host`: its own journal only; `operator`: all points and restores; `auditor`: reads state, changes nothing. */
export type Role = 'host' | 'operator' | 'auditor';

export const roles: readonly Role[] = ['host', 'operator', 'auditor'];

export interface Identity {
  readonly name: string;
  readonly role: Role;
  /** Serial number of the certificate: 32 lower-case hexadecimal digits. */
  readonly serial: string;
  /** SHA-256 of the certificate's DER, in lower-case hexadecimal. */
  readonly fingerprint: string;
}

export const serverAuthUsage = '1.3.6.1.5.5.7.3.1';
export const clientAuthUsage = '1.3.6.1.5.5.7.3.2';

const nameLengthMax = 253;
const nameShape = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** True for 1 to 253 of `A-Z a-z 0-9 . _ -`, the first neither a dot nor a dash. */
export function isIdentityName(name: string): boolean {
  return name.length <= nameLengthMax && nameShape.test(name);
}

/** Returns the name when it may name a host or a person; throws a UsageError that says what is wrong otherwise. */
export function checkIdentityName(name: string): string {
  if (isIdentityName(name)) return name;
  throw new UsageError(`${JSON.stringify(name.slice(0, 80))} cannot be a name: ${nameFault(name)}. Use 1 to ${nameLengthMax} of A-Z a-z 0-9 . _ - that do not begin with a dot or a dash`);
}

function nameFault(name: string): string {
  if (name === '') return 'it is empty';
  if (name.length > nameLengthMax) return `it has ${name.length} characters`;
  if (name.startsWith('.') || name.startsWith('-')) return `it begins with ${JSON.stringify(name[0])}`;
  const stranger = /[^A-Za-z0-9._-]/u.exec(name)?.[0] ?? '';
  return `it contains ${JSON.stringify(stranger)}`;
}

export function isRole(role: string): role is Role {
  return (roles as readonly string[]).includes(role);
}

/** The URI under which a certificate's alternative names carry an identity: `urn:afterimage:ROLE:NAME`. */
export function encodeIdentityUri({ role, name }: { readonly role: Role; readonly name: string }): string {
  return `urn:afterimage:${role}:${encodeURIComponent(name)}`;
}

/** Reads what encodeIdentityUri wrote; any other spelling, also of the same identity, is a FormatError. */
export function decodeIdentityUri(uri: string): { readonly role: Role; readonly name: string } {
  const [, role = '', encoded = ''] = /^urn:afterimage:([a-z]+):([A-Za-z0-9._%-]+)$/.exec(uri) ?? [];
  let name = '';
  try {
    name = decodeURIComponent(encoded);
  } catch (cause) {
    throw new FormatError('decode identity', { uri, cause });
  }
  // One identity has one spelling: two that compare as different text must never mean the same host.
  if (!isRole(role) || !isIdentityName(name) || encodeIdentityUri({ role, name }) !== uri) {
    throw new FormatError('decode identity: not of the form urn:afterimage:ROLE:NAME', { uri });
  }
  return { role, name };
}

/** The identity a certificate carries as its one alternative name. Proves nothing about who issued it. */
export function identityOf(certificate: X509Certificate): Identity {
  const names = certificate.subjectAltName ?? '';
  if (!names.startsWith('URI:')) throw new FormatError('decode identity: the alternative name is not an afterimage URI', { names });
  // More than one name arrives here joined by ", " and fails the strict parser.
  return { ...decodeIdentityUri(names.slice('URI:'.length)), serial: serialOf(certificate), fingerprint: fingerprintOf(certificate) };
}

export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toLowerCase();
}

export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** SHA-256 of a certificate's public key (SubjectPublicKeyInfo, DER): what tokens pin. */
export function publicKeyFingerprintOf(certificate: X509Certificate): Buffer {
  return createHash('sha256').update(certificate.publicKey.export({ type: 'spki', format: 'der' })).digest();
}

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** First and last instant of a certificate, in milliseconds since the epoch; FormatError when unreadable. */
export function validityOf(certificate: X509Certificate): Validity {
  const notBeforeMs = Date.parse(certificate.validFrom);
  const notAfterMs = Date.parse(certificate.validTo);
  if (!Number.isFinite(notBeforeMs) || !Number.isFinite(notAfterMs)) {
    throw new FormatError('read validity', { from: certificate.validFrom, to: certificate.validTo });
  }
  return { notBeforeMs, notAfterMs };
}

/** True when less than a third of the validity is left, or the certificate does not hold at `nowNs`. */
export function renewalDue(certificate: X509Certificate, nowNs: bigint): boolean {
  const { notBeforeMs, notAfterMs } = validityOf(certificate);
  const nowMs = millisecondsOf(nowNs);
  return nowMs < notBeforeMs || (notAfterMs - nowMs) * 3 < notAfterMs - notBeforeMs;
}

export function millisecondsOf(ns: bigint): number {
  return Number(ns / 1_000_000n);
}

/** What an enrolment token says: which token, the proof of holding it, and whose receiver made it. */
export interface Token {
  /** 8 bytes. */
  readonly id: Uint8Array;
  /** 16 bytes. */
  readonly secret: Uint8Array;
  /** 32 bytes: publicKeyFingerprintOf the receiver's CA. */
  readonly caFingerprint: Uint8Array;
}

export const tokenIdSizeBytes = 8;
export const tokenSecretSizeBytes = 16;
const fingerprintSizeBytes = 32;
const tokenCheckSizeBytes = 4;
const tokenPrefix = 'ai1.';
const tokenShape = /^ai1\.[A-Za-z0-9_-]{80}$/;

/** `ai1.` and base64url of id | secret | CA fingerprint | checksum: 84 characters. */
export function encodeToken(token: Token): string {
  const { id, secret, caFingerprint } = token;
  if (id.length !== tokenIdSizeBytes || secret.length !== tokenSecretSizeBytes || caFingerprint.length !== fingerprintSizeBytes) {
    throw new RangeError(`a token has ${tokenIdSizeBytes}, ${tokenSecretSizeBytes} and ${fingerprintSizeBytes} bytes, not ${id.length}, ${secret.length} and ${caFingerprint.length}`);
  }
  const body = Buffer.concat([id, secret, caFingerprint]);
  return tokenPrefix + Buffer.concat([body, tokenCheck(body)]).toString('base64url');
}

/**
 * Reads a token as a person pasted it (white space around it is forgiven). A FormatError means
 * mistyped or cut off, told apart by the checksum from a whole token that a receiver does not know.
 * The text is a secret, so no error repeats it.
 */
export function decodeToken(text: string): Token {
  const trimmed = text.trim();
  if (!trimmed.startsWith(tokenPrefix)) throw new FormatError(`decode token: it does not begin with "${tokenPrefix}"`);
  if (!tokenShape.test(trimmed)) {
    throw new FormatError(`decode token: ${trimmed.length === 84 ? 'it contains characters no token has' : `it has ${trimmed.length} characters instead of 84`}`);
  }
  const bytes = Buffer.from(trimmed.slice(tokenPrefix.length), 'base64url');
  const body = bytes.subarray(0, bytes.length - tokenCheckSizeBytes);
  if (!tokenCheck(body).equals(bytes.subarray(body.length))) throw new FormatError('decode token: its checksum does not match, so a character is wrong');
  const secretEnd = tokenIdSizeBytes + tokenSecretSizeBytes;
  return { id: body.subarray(0, tokenIdSizeBytes), secret: body.subarray(tokenIdSizeBytes, secretEnd), caFingerprint: body.subarray(secretEnd) };
}

function tokenCheck(body: Uint8Array): Buffer {
  return createHash('sha256').update('afterimage token 1\n').update(body).digest().subarray(0, tokenCheckSizeBytes);
}
