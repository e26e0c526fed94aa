import { SuperfluidityError } from '@superfluidity/core';
import '../../errors.ts';

export function unusable(file: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-INPUT', { reason: `${file}:${line}: ${reason}`, data: { file, line } });
}

export function tooMuch(file: string, line: number, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-VERIFY-LIMIT', { reason: `${file}:${line}: ${reason}`, data: { file, line } });
}
