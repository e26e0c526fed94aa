import type { Principal, Route } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';

export interface Attempt {
  /** Undefined: no token, or one that opens nothing. */
  readonly principal: Principal | undefined;
  readonly presentedToken: boolean;
  readonly doing: string;
}

/** Throws unless the caller has the role. An admin may do what a reader may. */
export function authorise({ principal, presentedToken, doing }: Attempt, role: Route['role']): void {
  if (role === 'anyone') return;
  if (principal === undefined) {
    const code = presentedToken ? 'SF-ACCESS-BAD-TOKEN' : 'SF-ACCESS-NO-TOKEN';
    throw new SuperfluidityError(code, { doing, reason: 'it takes a valid token' });
  }
  if (role === 'admin' && principal.role !== 'admin') {
    throw new SuperfluidityError('SF-ACCESS-FORBIDDEN', { doing, reason: `the token ${principal.name} may only read` });
  }
}
