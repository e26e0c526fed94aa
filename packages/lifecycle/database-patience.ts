import { type Clock, isSuperfluidityError } from '@superfluidity/core';
import type { Limits } from './limits.ts';

/** The database is away, or has no room: what was asked of it may work later, and nothing is wrong with the asking. */
export function isDatabaseAway(error: unknown): boolean {
  return isSuperfluidityError(error) && error.code.startsWith('SF-STORE-') && error.kind.transient === true;
}

/**
 * Tries work that may be repeated until the database answers, for as long as the limits say and the signal lets it. An
 * operation must not fail because the database was restarted under it: the sites are none the worse for that.
 */
export async function patiently<T>(
  { clock, limits }: { readonly clock: Clock; readonly limits: Limits },
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const deadlineMs = clock.now() + limits.databasePatienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error) || clock.now() >= deadlineMs) throw error;
      await clock.sleep(limits.databaseRetryMs, signal).catch(() => {
        throw error;
      });
    }
  }
}
