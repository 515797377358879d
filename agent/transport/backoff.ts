/** How long to wait before the receiver is tried again. */

export const backoffBaseMs = 100;
export const backoffCapMs = 30_000;
/** Refusals that trying again cannot cure are tried at leisure: somebody has to act first. */
export const slowRetryMs = { min: 30_000, max: 60_000 };
/** A connection that lasted this long starts the backoff anew. */
export const stableMs = 10_000;

/**
 * Full jitter: anything between nothing and the doubled bound, so that hosts which lost one receiver
 * together do not come back together. `attempt` counts failures in a row from 0; `fraction` is in [0, 1).
 */
export function backoffMs(attempt: number, fraction: number): number {
  return Math.floor(fraction * Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(attempt, 30)));
}

export function slowBackoffMs(fraction: number): number {
  return Math.floor(slowRetryMs.min + fraction * (slowRetryMs.max - slowRetryMs.min));
}
