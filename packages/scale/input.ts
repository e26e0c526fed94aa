import { SuperfluidityError } from '@superfluidity/core';

/** What a caller gave cannot be used. */
export const scaleInput = (reason: string, doing = 'decide on replicas') =>
  new SuperfluidityError('SF-SCALE-INPUT', { doing, reason });
