/** The errors that callers tell apart. Each names the deed that failed and the place. */

export type ErrorPlace = Readonly<Record<string, unknown>> & { readonly cause?: unknown };

/** Bytes that are not what the format says: corrupt, hostile, or of a version not known here. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly place: ErrorPlace;

  constructor(deed: string, place: ErrorPlace = {}) {
    super(describe(deed, place), { cause: place.cause });
    this.place = place;
  }
}

/** A write or a sync failed: what was written since the last sync can no longer be counted on. */
export class DurabilityError extends Error {
  override readonly name = 'DurabilityError';
  readonly place: ErrorPlace;

  constructor(deed: string, place: ErrorPlace = {}) {
    super(describe(deed, place), { cause: place.cause });
    this.place = place;
  }
}

/** The other side broke the protocol, refused, or is not who it should be. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly code: PeerErrorCode;

  constructor(code: PeerErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * `unauthenticated`: no identity, or one that this receiver did not issue; `forbidden`: a known
 * identity that may not do this; `invalid`: a malformed message; `out-of-order`: a sequence or
 * digest that does not follow; `unavailable`: try again later; `not-found`: no such thing.
 */
export type PeerErrorCode = 'unauthenticated' | 'forbidden' | 'invalid' | 'out-of-order' | 'unavailable' | 'not-found';

/** The user asked for something that cannot be: the message says what was wrong and what to do. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The system error code (ENOSPC, EIO, …) of an error or of what caused it. */
export function errorCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

function describe(deed: string, place: ErrorPlace): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(place)) if (key !== 'cause' && value !== undefined) parts.push(`${key} ${String(value)}`);
  const where = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  const why = place.cause instanceof Error ? `: ${place.cause.message}` : '';
  return `${deed}${where}${why}`;
}
