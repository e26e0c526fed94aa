import { type ErrorCode, SuperfluidityError } from '@superfluidity/core';
import type { HttpAnswer } from './exchange.ts';
import { LIMITS } from './limits.ts';

/** Ids under which the services log a request; proxies add others. */
const REQUEST_ID_HEADERS = ['x-openstack-request-id', 'x-compute-request-id'] as const;

/** An answer that is no success, in the words of the service. */
export function refusal(doing: string, request: string, answer: HttpAnswer): SuperfluidityError {
  const { type, message } = saidBy(answer);
  const id = requestId(answer);
  return new SuperfluidityError(codeOf(answer.status, type, message), {
    doing,
    reason: id === undefined ? message : `${message} (${id})`,
    request,
    answer: `${answer.status} ${answer.text.slice(0, LIMITS.quoteCharacters)}`,
    data: {
      status: answer.status,
      ...(type === undefined ? {} : { type }),
      ...(id === undefined ? {} : { requestId: id }),
    },
  });
}

export function requestId(answer: HttpAnswer): string | undefined {
  return REQUEST_ID_HEADERS.map((name) => answer.headers[name]).find((id) => id !== undefined && id !== '');
}

function codeOf(status: number, type: string | undefined, message: string): ErrorCode {
  // Neutron says OverQuota with 409, Nova "Quota exceeded" with 403, Heat and Octavia with 403.
  if (type === 'OverQuota' || (/quota/i.test(message) && [403, 409, 413].includes(status))) return 'SF-OPENSTACK-QUOTA';
  if (status === 401) return 'SF-OPENSTACK-CREDENTIALS';
  if (status === 403) return 'SF-OPENSTACK-FORBIDDEN';
  if (status === 404) return 'SF-OPENSTACK-NOT-FOUND';
  if (status === 409 || status === 412) return 'SF-OPENSTACK-CONFLICT';
  if (status === 429 || status >= 500) return 'SF-OPENSTACK-UNAVAILABLE';
  return 'SF-OPENSTACK-REFUSED';
}

/**
 * The forms in which services put it: `{NeutronError: {type, message}}`, `{error: {message, type}}` of Keystone and Heat,
 * `{faultcode, faultstring}` of Octavia and Mistral, `{itemNotFound: {code, message}}` of Nova, `{errors: [{detail}]}` of Placement.
 */
function saidBy(answer: HttpAnswer): { readonly type?: string; readonly message: string } {
  const body = parsed(answer.text);
  const inner =
    fields(body?.['NeutronError']) ??
    fields(body?.['error']) ??
    fields(firstOf(body?.['errors'])) ??
    fields(onlyValue(body)) ??
    body;
  const message =
    text(inner?.['message']) ?? text(inner?.['detail']) ?? text(inner?.['faultstring']) ?? text(body?.['NeutronError']);
  const type = text(inner?.['type']) ?? text(inner?.['faultcode']);
  return {
    ...(type === undefined ? {} : { type }),
    message: message ?? (answer.text.slice(0, LIMITS.quoteCharacters).trim() || `status ${answer.status}`),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(json: string): Fields | undefined {
  try {
    return fields(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function onlyValue(body: Fields | undefined): unknown {
  const values = Object.values(body ?? {});
  return values.length === 1 ? values[0] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
