/** One-time, expiring enrolment tokens: issued to an operator, redeemed once by the host they are for. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { PeerError, UsageError } from '../../proto/errors.js';
import {
  checkIdentityName, decodeToken, encodeToken, millisecondsOf, tokenIdSizeBytes, tokenSecretSizeBytes, type Identity, type Role, type Token,
} from '../../proto/identity.js';
import type { Clock } from '../../native/host/clock.js';
import type { Random } from '../../native/host/random.js';

export interface TokenRecord {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** SHA-256 of the secret: whoever reads the store learns no token. */
  readonly secretDigest: Uint8Array;
  readonly host: string;
  readonly role: Role;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | undefined;
}

export interface TokenUse {
  readonly id: string;
  readonly usedAtMs: number;
  /** Who the token became; to be recorded in the same transaction. */
  readonly identity: Identity;
}

type Eventually<T> = T | Promise<T>;

/** Where tokens are kept. Every method returns once its effect survives power loss. */
export interface TokenStore {
  /** Stores a new record; rejects when the id is taken. */
  insert(record: TokenRecord): Eventually<void>;
  find(id: string): Eventually<TokenRecord | undefined>;
  /** Marks an unused token used, in one atomic step; false when there is none or it was used already. */
  markUsed(use: TokenUse): Eventually<boolean>;
}

/** What a valid token entitles to. */
export interface TokenGrant {
  readonly id: string;
  readonly host: string;
  readonly role: Role;
}

export interface TokenBookOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly random: Random;
  /** CertificateAuthority.fingerprint: goes into each token, so that a host can tell this receiver from another. */
  readonly caFingerprint: Uint8Array;
}

const ttlMsMax = 366 * 24 * 60 * 60 * 1000;

export class TokenBook {
  readonly #store: TokenStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #caFingerprint: Uint8Array;

  constructor({ store, clock, random, caFingerprint }: TokenBookOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#caFingerprint = caFingerprint;
  }

  /** Returns the token's text, which is kept nowhere. UsageError for a name or a lifetime that cannot be. */
  async issue({ host, role, ttlMs }: { readonly host: string; readonly role: Role; readonly ttlMs: number }): Promise<string> {
    checkIdentityName(host);
    if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0 || ttlMs > ttlMsMax) throw new UsageError(`a token cannot live ${ttlMs} ms: give more than 0 and at most 366 days`);
    const id = this.#random.bytes(tokenIdSizeBytes);
    const secret = this.#random.bytes(tokenSecretSizeBytes);
    const issuedAtMs = this.#nowMs();
    await this.#store.insert({
      id: Buffer.from(id).toString('hex'), secretDigest: digestOf(secret), host, role, issuedAtMs, expiresAtMs: issuedAtMs + ttlMs, usedAtMs: undefined,
    });
    return encodeToken({ id, secret, caFingerprint: this.#caFingerprint });
  }

  /** What the token entitles to now, without using it up; PeerError when it is malformed, unknown, used or expired. */
  async check(text: string): Promise<TokenGrant> {
    const token = decode(text);
    if (!timingSafeEqual(token.caFingerprint, this.#caFingerprint)) {
      throw refusal('this token was made by another receiver: dial that one, or ask for a token from this one');
    }
    const record = await this.#store.find(Buffer.from(token.id).toString('hex'));
    // A wrong secret and an unknown id read alike: the answer must not say which ids exist.
    if (record === undefined || !timingSafeEqual(digestOf(token.secret), record.secretDigest)) {
      throw refusal(`this receiver knows no such token: ask for a new one (${makeAnother})`);
    }
    if (record.usedAtMs !== undefined) throw usedAlready(record);
    const nowMs = this.#nowMs();
    if (!(nowMs < record.expiresAtMs)) {
      throw refusal(`this token for ${record.host} expired at ${iso(record.expiresAtMs)} (the receiver's clock says ${iso(nowMs)}): ask for a new one (${makeAnother})`);
    }
    return { id: record.id, host: record.host, role: record.role };
  }

  /** Uses the token up for an identity. Of any number of concurrent calls one returns; the others throw PeerError. */
  async redeem(text: string, identity: Identity): Promise<TokenGrant> {
    const grant = await this.check(text);
    if (identity.name !== grant.host || identity.role !== grant.role) {
      throw new PeerError('forbidden', `this token is for ${grant.role} ${grant.host}, not for ${identity.role} ${identity.name}`);
    }
    if (!(await this.#store.markUsed({ id: grant.id, usedAtMs: this.#nowMs(), identity }))) {
      throw usedAlready(await this.#store.find(grant.id));
    }
    return grant;
  }

  #nowMs(): number {
    return millisecondsOf(this.#clock.wallNs());
  }
}

const makeAnother = 'afterimage-receiver token --host NAME';

function decode(text: string): Token {
  try {
    return decodeToken(text);
  } catch (cause) {
    throw new PeerError('invalid', `this is not a whole enrolment token: ${(cause as Error).message}; copy it again`, cause);
  }
}

function usedAlready(record: TokenRecord | undefined): PeerError {
  const when = record?.usedAtMs === undefined ? 'already' : `at ${iso(record.usedAtMs)}`;
  return refusal(`this token was used ${when} and works only once: ask for a new one (${makeAnother}); if it was not you who used it, revoke the identity it gave`);
}

function refusal(message: string): PeerError {
  return new PeerError('unauthenticated', message);
}

function digestOf(secret: Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest();
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
