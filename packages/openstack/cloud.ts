import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import { Agent } from 'undici';
import { z } from 'zod';
import type { CloudConfig } from './credentials.ts';
import { exchange, type HttpAnswer, type HttpRequest, type Method } from './exchange.ts';
import { LIMITS } from './limits.ts';
import { refusal } from './refusal.ts';
import { type Session, Sessions } from './session.ts';
import { Turnstile } from './turnstile.ts';

/** Types of the catalogue (service-types authority), with the older names that clouds still list. */
const SERVICE_TYPES = {
  identity: ['identity'],
  compute: ['compute'],
  network: ['network'],
  image: ['image'],
  placement: ['placement'],
  orchestration: ['orchestration'],
  'load-balancer': ['load-balancer'],
  workflow: ['workflow', 'workflowv2'],
  baremetal: ['baremetal'],
  'block-storage': ['block-storage', 'volumev3'],
} as const;
export type ServiceType = keyof typeof SERVICE_TYPES;

/** One call of one service. */
export interface Call {
  readonly service: ServiceType;
  readonly method: Method;
  /** After the address of the service in the catalogue, with a leading slash; made by `path` from parts that were escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON, but for bytes and texts, which are sent as they are with `contentType`. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `compute 2.93`: sent as OpenStack-API-Version. */
  readonly microversion?: string;
  /** What is done, to what, for errors: `create port web-0`. */
  readonly doing: string;
  /** May be sent again when nobody knows whether it was done. GET, HEAD, PUT and DELETE are unless said otherwise. */
  readonly repeatable?: boolean;
  readonly signal: AbortSignal;
}

export interface CloudOptions {
  readonly config: CloudConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every request that was sent. */
  readonly onRequest?: (request: {
    readonly service: ServiceType | 'login';
    readonly method: Method;
    readonly status?: number;
    readonly tookMs: number;
  }) => void;
}

/** One project of one cloud, in one region. Sessions, connections and limits are shared by all callers. */
export class Cloud {
  readonly config: CloudConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onRequest: CloudOptions['onRequest'];
  readonly #dispatcher: Agent;
  readonly #sessions: Sessions;
  readonly #turnstiles = new Map<ServiceType, Turnstile>();

  constructor({ config, clock, log, onRequest }: CloudOptions) {
    this.config = config;
    this.#clock = clock;
    this.#log = log;
    this.#onRequest = onRequest;
    this.#dispatcher = new Agent({
      connect: {
        timeout: LIMITS.connectMs,
        ...(config.caCert === undefined ? {} : { ca: config.caCert }),
        ...(config.verify === false ? { rejectUnauthorized: false } : {}),
      },
    });
    this.#sessions = new Sessions(config, clock, (request) =>
      this.#attempts('login', 'log in', true, never, () => this.#send('login', request, never)),
    );
  }

  session(): Promise<Session> {
    return this.#sessions.get();
  }

  /** Address of a service, or undefined when the catalogue has none for this region and interface. */
  async endpoint(service: ServiceType): Promise<string | undefined> {
    const replaced = this.config.endpoints?.[service];
    if (replaced !== undefined) return replaced.replace(/\/+$/, '');
    const { catalogue } = await this.session();
    const wanted = this.config.interface ?? 'public';
    const region = this.config.region;
    return catalogue
      .filter(({ type }) => (SERVICE_TYPES[service] as readonly string[]).includes(type))
      .flatMap(({ endpoints }) => endpoints)
      .find((one) => one.interface === wanted && (region === undefined || one.region === region))
      ?.url.replace(/\/+$/, '');
  }

  /** The answer, checked against the schema. */
  async json<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.send(call);
    const parsed = schema.safeParse(jsonOf(answer));
    if (parsed.success) return parsed.data;
    throw new SuperfluidityError('SF-OPENSTACK-ANSWER', {
      doing: call.doing,
      reason: z.prettifyError(parsed.error),
      request: `${call.method} ${call.path}`,
      answer: `${answer.status} ${answer.text.slice(0, LIMITS.quoteCharacters)}`,
    });
  }

  /** The answer as it is. Throws what is no success as a coded error, in the words of the service. */
  async send(call: Call): Promise<HttpAnswer> {
    const base = await this.endpoint(call.service);
    if (base === undefined) {
      const { region, interface: face = 'public' } = this.config;
      throw new SuperfluidityError('SF-OPENSTACK-NO-SERVICE', {
        doing: call.doing,
        reason: `no ${face} endpoint of ${call.service}${region === undefined ? '' : ` in region ${region}`}`,
      });
    }
    const url = `${base}${call.path}${queryOf(call.query)}`;
    const repeatable = call.repeatable ?? call.method !== 'POST';
    return this.#turnstile(call.service).pass(call.doing, call.signal, () =>
      this.#attempts(call.service, call.doing, repeatable, call.signal, async () => {
        const session = await this.session();
        const answer = await this.#send(call.service, requestOf(call, url, session), call.signal);
        if (answer.status !== 401) return answer;
        // It expired or was revoked: once with another.
        await this.#sessions.forget(session);
        return this.#send(call.service, requestOf(call, url, await this.session()), call.signal);
      }).then((answer) => {
        if (answer.status >= 200 && answer.status < 300) return answer;
        throw refusal(call.doing, `${call.method} ${url}`, answer);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  #turnstile(service: ServiceType): Turnstile {
    let turnstile = this.#turnstiles.get(service);
    if (turnstile === undefined)
      this.#turnstiles.set(service, (turnstile = new Turnstile(LIMITS.concurrency, LIMITS.queue)));
    return turnstile;
  }

  async #send(service: ServiceType | 'login', request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const startedMs = this.#clock.now();
    let status: number | undefined;
    try {
      const answer = await exchange(this.#dispatcher, request, signal);
      status = answer.status;
      return answer;
    } finally {
      this.#onRequest?.({
        service,
        method: request.method,
        ...(status === undefined ? {} : { status }),
        tookMs: this.#clock.now() - startedMs,
      });
    }
  }

  /**
   * Repeats with growing pauses what may be repeated: a service that is overloaded or away (429, 503) has done nothing;
   * after other failures nobody knows, so only what is repeatable goes again.
   */
  async #attempts(
    service: ServiceType | 'login',
    doing: string,
    repeatable: boolean,
    signal: AbortSignal,
    attempt: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    for (let count = 1; ; count += 1) {
      let wait: number | undefined;
      let failure: unknown;
      try {
        const answer = await attempt();
        const again = answer.status === 429 || answer.status === 503 || (repeatable && answer.status >= 500);
        if (!again || count >= LIMITS.attempts) return answer;
        wait = retryAfterMs(answer);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SuperfluidityError) throw error;
        failure = error;
        if (count >= LIMITS.attempts || !(repeatable || wasNotSent(error))) throw unavailable(service, doing, error);
      }
      const { delayMs, factor, delayMaxMs } = LIMITS.backOff;
      const pause = wait ?? Math.min(delayMaxMs, delayMs * factor ** (count - 1));
      this.#log.debug(
        { service, doing, count, pause, failure: String(failure ?? '') },
        'a call to the cloud is repeated',
      );
      await this.#clock.sleep(pause, signal);
    }
  }
}

const never = new AbortController().signal;

function requestOf(call: Call, url: string, { token }: Session): HttpRequest {
  const raw = typeof call.body === 'string' || call.body instanceof Uint8Array || isStream(call.body);
  return {
    method: call.method,
    url,
    headers: {
      accept: 'application/json',
      'x-auth-token': token,
      ...(call.body === undefined
        ? {}
        : { 'content-type': call.contentType ?? (raw ? 'text/plain' : 'application/json') }),
      ...(call.microversion === undefined ? {} : { 'openstack-api-version': call.microversion }),
      ...call.headers,
    },
    ...(call.body === undefined ? {} : { body: raw ? (call.body as string) : JSON.stringify(call.body) }),
  };
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** A part of a path, from anywhere: `path\`/v2.0/ports/${id}\``. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((made, part, at) => `${made}${encodeURIComponent(values[at - 1]!)}${part}`);
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

function jsonOf(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}

function retryAfterMs(answer: HttpAnswer): number | undefined {
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(LIMITS.retryAfterMaxMs, seconds * 1_000) : undefined;
}

/** No connection came about, so the service has not seen the request. */
function wasNotSent(error: unknown): boolean {
  const code = (error as { readonly code?: string } | undefined)?.code;
  return (
    code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
  );
}

function unavailable(service: string, doing: string, cause: unknown): SuperfluidityError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SuperfluidityError('SF-OPENSTACK-UNAVAILABLE', { doing, reason: `${service}: ${reason}`, cause });
}
