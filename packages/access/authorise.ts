import type { Principal, Route } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';

export interface Attempt {
  /** Undefined: no token, or one that opens nothing. */
  readonly principal: Principal | undefined;
  readonly presentedToken: boolean;
  /** The cookie of a session, which opens nothing any more. */
  readonly presentedSession?: boolean;
  readonly doing: string;
}

/** Throws unless the caller has the role. An admin may do what a reader may. */
export function authorise({ principal, presentedToken, presentedSession, doing }: Attempt, role: Route['role']): void {
  if (role === 'anyone') return;
  if (principal === undefined) {
    if (presentedSession === true && !presentedToken)
      throw new SuperfluidityError('SF-ACCESS-SESSION', { doing, reason: 'the session is over' });
    const code = presentedToken ? 'SF-ACCESS-BAD-TOKEN' : 'SF-ACCESS-NO-TOKEN';
    throw new SuperfluidityError(code, { doing, reason: 'it takes a valid token' });
  }
  if (role === 'admin' && principal.role !== 'admin') {
    const who = principal.token === undefined ? principal.name : `${principal.name} with the token ${principal.token}`;
    throw new SuperfluidityError('SF-ACCESS-FORBIDDEN', { doing, reason: `${who} may only read` });
  }
}
