import type { ProblemDetails } from '@superfluidity/api';
import { InvariantError, isSuperfluidityError, reportError, SuperfluidityError } from '@superfluidity/core';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import './errors.ts';
import { limits } from './limits.ts';

/** Problem details (RFC 9457): `type` is the stable code as a URN, `error` the whole report with its cause chain. */
export function problemOf(thrown: unknown): ProblemDetails {
  const error = codedError(thrown);
  return {
    type: `urn:superfluidity:error:${error.code}`,
    title: error.kind.title,
    status: error.kind.status,
    detail: error.message,
    error: reportError(error),
  };
}

/** Framework errors are translated; what nobody foresaw keeps its cause for the log and shows no internals. */
function codedError(thrown: unknown): SuperfluidityError {
  if (isSuperfluidityError(thrown)) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const problems = thrown.validation.map((issue) => ({
      path: `${thrown.validationContext ?? 'request'}${issue.instancePath.replaceAll('/', '.')}`,
      message: issue.message ?? issue.keyword,
    }));
    const reason = problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    return new SuperfluidityError('SF-SERVER-REQUEST', { doing: 'read the request', reason, data: { problems } });
  }
  if (isResponseSerializationError(thrown)) {
    const reason = `${thrown.method} ${thrown.url}: ${thrown.cause.message}`;
    return new SuperfluidityError('SF-SERVER-REPLY', { doing: 'write the answer', reason });
  }
  const { code, statusCode, message } = thrown as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const reason = `the body has more than ${limits.bodyBytes / 1e6} MB`;
    return new SuperfluidityError('SF-SERVER-TOO-LARGE', { doing: 'read the request', reason });
  }
  const refused = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (refused && !(thrown instanceof InvariantError)) {
    return new SuperfluidityError('SF-SERVER-REQUEST', { doing: 'read the request', reason: message });
  }
  return new SuperfluidityError('SF-CORE-UNEXPECTED', { reason: 'see the log of the server' });
}

/** Whether the log should carry it with its stack: nobody foresaw it, or it is a defect of ours. */
export function isDefect(thrown: unknown): boolean {
  return ['SF-CORE-UNEXPECTED', 'SF-SERVER-REPLY'].includes(codedError(thrown).code);
}
