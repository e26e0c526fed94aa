import { SuperfluidityError } from '@superfluidity/core';
import type { cliErrors } from '../../errors.ts';
import '../../errors.ts';

export function packageProblem(
  code: Extract<keyof typeof cliErrors, `SF-PACKAGE-${string}`>,
  reason: string,
  cause?: unknown,
): SuperfluidityError {
  return new SuperfluidityError(code, { doing: 'use a package', reason, ...(cause === undefined ? {} : { cause }) });
}
