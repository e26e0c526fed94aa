import { SuperfluidityError } from '@superfluidity/core';
import { METRICS_UNITS_MAX } from './driver.ts';

/** Refuses a question about too many units at once. */
export function checkMetricsCall(site: string, ids: readonly string[]): void {
  if (ids.length <= METRICS_UNITS_MAX) return;
  throw new SuperfluidityError('SF-CORE-LIMIT', {
    doing: `read metrics of ${ids.length} units of ${site}`,
    reason: `a call takes ${METRICS_UNITS_MAX} units at most`,
  });
}
