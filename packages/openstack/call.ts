import { invariant } from '@superfluidity/core';
import type { ServiceType } from './catalogue.ts';
import type { HttpRequest, Method } from './exchange.ts';

/** One call of one service. */
export interface Call {
  readonly service: ServiceType;
  readonly method: Method;
  /** After the address of the service in the catalogue, with a leading slash; made by `path` from parts that were escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON, but for bytes and texts, which are sent as they are with `contentType`. */
  readonly body?: unknown;
  /** Sent instead of a body, piece by piece. */
  readonly upload?: Upload;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `compute 2.87`, as `microversion` agrees on it. */
  readonly microversion?: string;
  /** What is done, to what, for errors: `create port web-0`. */
  readonly doing: string;
  /** May be sent again when nobody knows whether it was done. GET, HEAD, PUT and DELETE are unless said otherwise. */
  readonly repeatable?: boolean;
  /** Statuses beside 2xx that are no refusal. */
  readonly accepts?: readonly number[];
  /** False: a thing that other work is under way on is a refusal, and not waited for. */
  readonly waitsWhileBusy?: boolean;
  /** Of one attempt, where the bound for all calls does not fit. */
  readonly requestMs?: number;
  readonly signal: AbortSignal;
}

/** Bytes that can be read again from their beginning, since the call may have to be repeated. */
export interface Upload {
  readonly bytes?: number;
  open(): AsyncIterable<Uint8Array>;
}

/** Part of a path, from anywhere: `path\`/v2.0/ports/${id}\``. Nothing leads out of where it is put. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((made, part, at) => {
    const value = values[at - 1]!;
    invariant(!/^\.{0,2}$/.test(value), `${JSON.stringify(value)} as part of a path of the cloud`);
    return `${made}${encodeURIComponent(value.toWellFormed())}${part}`;
  });
}

/** Ids by which a request is found in the logs of all services that it leads to. */
export const newRequestId = (): string => `req-${crypto.randomUUID()}`;

export function isRepeatable({ method, repeatable }: Call): boolean {
  return repeatable ?? (method !== 'POST' && method !== 'PATCH');
}

export function requestOf(call: Call, base: string, token: string, requestId: string): HttpRequest {
  const raw = typeof call.body === 'string' || call.body instanceof Uint8Array;
  const type = call.contentType ?? (call.upload ? 'application/octet-stream' : raw ? 'text/plain' : 'application/json');
  return {
    method: call.method,
    url: urlOf(call, base),
    headers: {
      accept: 'application/json',
      'user-agent': 'superfluidity',
      'x-auth-token': token,
      'x-openstack-request-id': requestId,
      ...(call.body === undefined && call.upload === undefined ? {} : { 'content-type': type }),
      ...versionHeaders(call.microversion),
      ...call.headers,
    },
    ...(call.upload === undefined ? {} : { upload: call.upload }),
    ...(call.body === undefined ? {} : { body: raw ? (call.body as string) : JSON.stringify(call.body) }),
    fresh: !isRepeatable(call),
    ...(call.requestMs === undefined ? {} : { requestMs: call.requestMs }),
  };
}

/** Ironic knows a header of its own alone, and answers in its oldest version to who sends the one of the others. */
function versionHeaders(microversion: string | undefined): Readonly<Record<string, string>> {
  if (microversion === undefined) return {};
  const [service, version = ''] = microversion.split(' ');
  return service === 'baremetal'
    ? { 'x-openstack-ironic-api-version': version }
    : { 'openstack-api-version': microversion };
}

export function urlOf({ path: after, query }: Call, base: string): string {
  return `${base}${after}${queryOf(query)}`;
}

function queryOf(query: Call['query']): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
