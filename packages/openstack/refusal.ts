import { type ErrorCode, SuperfluidityError } from '@superfluidity/core';
import type { HttpAnswer } from './exchange.ts';
import { LIMITS } from './limits.ts';

/** Ids under which the services log a request; proxies add others. */
const REQUEST_ID_HEADERS = ['x-openstack-request-id', 'x-compute-request-id'] as const;

export interface Refused {
  readonly doing: string;
  /** Method and address. */
  readonly request: string;
  readonly answer: HttpAnswer;
  /** Under which it was sent. */
  readonly globalRequestId?: string;
  /** Whether nobody knows if it was done. */
  readonly mayBeDone?: boolean;
}

/** An answer that is no success, in the words of the service. */
export function refusal({ doing, request, answer, globalRequestId, mayBeDone }: Refused): SuperfluidityError {
  const { type, message } = saidBy(answer);
  const id = requestId(answer);
  return new SuperfluidityError(codeOf(answer.status, type, message), {
    doing,
    reason: id === undefined ? message : `${message} (${id})`,
    request,
    answer: quoted(answer),
    data: {
      status: answer.status,
      ...(type === undefined ? {} : { type }),
      ...(id === undefined ? {} : { requestId: id }),
      ...(globalRequestId === undefined ? {} : { globalRequestId }),
      ...(mayBeDone === true ? { mayBeDone } : {}),
    },
  });
}

export function requestId(answer: HttpAnswer): string | undefined {
  return REQUEST_ID_HEADERS.map((name) => answer.headers[name]).find((id) => id !== undefined && id !== '');
}

const SECRET = '(?:pass|secret|private_key|token|user_data)';
const SECRET_FIELD = new RegExp(`("[^"]{0,40}${SECRET}[^"]{0,40}"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*(?:"|$)`, 'gi');
/** Nova repeats what it does not like: `Invalid input for field/attribute user_data. Value: IyEvYmlu. 'IyEvYmlu' is ...`. */
const REPEATED_FIELD = new RegExp(`(field/attribute [^.]{0,40}${SECRET}[^.]{0,40}\\. Value: )[^]*`, 'gi');

/** Status and beginning of an answer, without what is secret in it. */
export function quoted({ status, text }: Pick<HttpAnswer, 'status' | 'text'>): string {
  return `${status} ${withoutSecrets(text.slice(0, 2 * LIMITS.quoteCharacters)).slice(0, LIMITS.quoteCharacters)}`;
}

function withoutSecrets(said: string): string {
  return said.replace(SECRET_FIELD, '$1"..."').replace(REPEATED_FIELD, '$1...');
}

/**
 * Other work is under way on the thing, and ends by itself: `immutable` of Octavia (of a whole load balancer `Invalid state`),
 * `ActionInProgress` of Heat, task states of Nova, generations of Placement.
 */
export function isBusy(answer: HttpAnswer): boolean {
  const { type = '', message } = saidBy(answer);
  return (
    /^(?:ActionInProgress|RetryRequest)$/.test(type) ||
    /is immutable and cannot be updated|Invalid state PENDING_(?:CREATE|UPDATE) of/.test(message) ||
    /while it is in (?:task_state (?!deleting)|vm_state building)/.test(message) ||
    answer.text.includes('"placement.concurrent_update"')
  );
}

function codeOf(status: number, type: string | undefined, message: string): ErrorCode {
  // Neutron says OverQuota with 409, Nova "Quota exceeded" with 403, Heat and Octavia with 403.
  if (type === 'OverQuota' || (/quota|maximum stacks per tenant/i.test(message) && [403, 409, 413].includes(status)))
    return 'SF-OPENSTACK-QUOTA';
  // Neutron: addresses with 409, networks and segments with 503.
  if (/^(?:IpAddressGenerationFailure|No\w+Available|\w+Exhausted)$/.test(type ?? '')) return 'SF-OPENSTACK-EXHAUSTED';
  if (status === 401) return 'SF-OPENSTACK-CREDENTIALS';
  if (status === 403) return 'SF-OPENSTACK-FORBIDDEN';
  if (status === 404) return 'SF-OPENSTACK-NOT-FOUND';
  if (status === 409 || status === 412) return 'SF-OPENSTACK-CONFLICT';
  if (status === 429 || status >= 500) return 'SF-OPENSTACK-UNAVAILABLE';
  return 'SF-OPENSTACK-REFUSED';
}

/**
 * The forms in which services put it: `{NeutronError: {type, message}}`, `{error: {message, type}}` of Keystone and Heat,
 * `{faultcode, faultstring}` of Octavia and Mistral, `{itemNotFound: {code, message}}` of Nova, `{errors: [{detail}]}` of
 * Placement, `{error_message: "{\"faultstring\": ...}"}` of Ironic, and pages of Glance and of proxies.
 */
function saidBy(answer: HttpAnswer): { readonly type?: string; readonly message: string } {
  const body = parsed(answer.text);
  const inner =
    fields(body?.['NeutronError']) ??
    fields(body?.['error']) ??
    fields(firstOf(body?.['errors'])) ??
    fields(body?.['error_message']) ??
    parsed(text(body?.['error_message']) ?? '') ??
    fields(onlyValue(body)) ??
    body;
  const message =
    text(inner?.['message']) ??
    text(inner?.['detail']) ??
    text(inner?.['faultstring']) ??
    text(body?.['NeutronError']) ??
    text(body?.['error']);
  const type = text(inner?.['type']) ?? text(inner?.['faultcode']);
  return {
    ...(type === undefined ? {} : { type }),
    message: withoutSecrets(message === undefined ? otherwise(answer) : plain(message)),
  };
}

function otherwise({ status, headers, text: said }: HttpAnswer): string {
  const location = headers['location'];
  if (status >= 300 && status < 400 && location !== undefined)
    return `it leads on to ${location}, which is not followed: correct the address of the service`;
  const page = plain(said).slice(0, LIMITS.pageCharacters);
  return page === '' ? `status ${status} without a word` : `status ${status}: ${page}`;
}

/** Some services put tags into JSON too. */
function plain(said: string): string {
  return said
    .slice(0, LIMITS.quoteCharacters)
    .replace(/<(script|style|title)\b[^]*?<\/\1>/gi, ' ')
    .replace(/<\/?[a-z][^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
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
