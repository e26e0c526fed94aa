import { type ErrorCode, errorCatalogue, type Json, SuperfluidityError } from '@superfluidity/core';

/**
 * An error as plain JSON. A step that failed rejects with the error made from its record in the first run already, so
 * that workflow code sees the same thing then and in every replay.
 */
export type RecordedError = {
  readonly code?: string;
  readonly message: string;
  readonly details?: { readonly [key: string]: Json };
  readonly cause?: RecordedError;
};

const CAUSE_DEPTH_MAX = 8;

export function recordError(error: unknown, depth = 0): RecordedError {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause =
    error.cause === undefined || depth >= CAUSE_DEPTH_MAX ? {} : { cause: recordError(error.cause, depth + 1) };
  if (!(error instanceof SuperfluidityError)) return { ...code, message: error.message, ...cause };
  const { cause: _cause, ...details } = error.details;
  return { ...code, message: error.message, details: plain(details), ...cause };
}

export function reviveError(record: RecordedError): Error {
  const cause = record.cause === undefined ? undefined : reviveError(record.cause);
  if (record.details !== undefined && errorCatalogue().has(record.code as ErrorCode)) {
    const { reason, ...details } = record.details;
    return new SuperfluidityError(record.code as ErrorCode, { ...details, reason: String(reason), cause });
  }
  const error = new Error(record.message, cause === undefined ? undefined : { cause });
  return record.code === undefined ? error : Object.assign(error, { code: record.code });
}

/** Details may hold anything that their author found useful; what JSON cannot say is left out. */
function plain(details: object): { readonly [key: string]: Json } {
  try {
    return JSON.parse(JSON.stringify(details)) as { readonly [key: string]: Json };
  } catch {
    return { reason: 'reason' in details ? String(details.reason) : 'unknown' };
  }
}
