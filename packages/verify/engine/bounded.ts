import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { boundOf } from './budget.ts';

/** For questions whose answer has no room for `unknown`: a bound that is hit is an error with a code. */
export function bounded<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const bound = boundOf(cause);
    if (bound === undefined) throw cause;
    throw new SuperfluidityError('SF-VERIFY-BOUND', { doing, reason: `bound hit: ${bound}`, cause });
  }
}
