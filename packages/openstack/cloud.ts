import { type Clock, isSuperfluidityError, type Logger, SuperfluidityError, Turnstile } from '@superfluidity/core';
import { z } from 'zod';
import { type Repeated, repeat } from './attempts.ts';
import { type Call, isRepeatable, newRequestId, requestOf, urlOf } from './call.ts';
import { endpointOf, noService, type ServiceType } from './catalogue.ts';
import type { CloudConfig } from './credentials.ts';
import './errors.ts';
import { Connections, type HttpAnswer, type HttpRequest, type Method } from './exchange.ts';
import { LIMITS, type Limits } from './limits.ts';
import { quoted, refusal, requestId } from './refusal.ts';
import { type Session, Sessions } from './session.ts';

export { type Call, path, type Upload } from './call.ts';
export type { ServiceType } from './catalogue.ts';

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
  readonly limits?: Partial<Limits>;
}

/** One project of one cloud, in one region. Sessions, connections and limits are shared by all callers. */
export class Cloud {
  /** Without the credentials, so that whoever prints it prints no password. */
  readonly config: Omit<CloudConfig, 'credentials'>;
  readonly clock: Clock;
  readonly #log: Logger;
  readonly #limits: Limits;
  readonly #onRequest: CloudOptions['onRequest'];
  readonly #connections: Connections;
  readonly #sessions: Sessions;
  readonly #turnstiles = new Map<ServiceType, Turnstile>();
  readonly #closing = new AbortController();

  constructor({ config, clock, log, onRequest, limits }: CloudOptions) {
    const { credentials: _, ...place } = config;
    this.config = place;
    this.clock = clock;
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
    this.#onRequest = onRequest;
    this.#connections = new Connections(config, this.#limits);
    this.#sessions = new Sessions({
      config,
      clock,
      limits: this.#limits,
      send: (request, doing) => this.#login(request, doing),
    });
  }

  session(signal: AbortSignal = this.#closing.signal): Promise<Session> {
    return this.#sessions.get(signal);
  }

  /** Address of a service, or undefined when the catalogue has none for this region and interface. */
  async endpoint(service: ServiceType, signal: AbortSignal = this.#closing.signal): Promise<string | undefined> {
    return endpointOf(service, this.config, await this.session(signal));
  }

  /** The answer, checked against the schema. */
  async json<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.send(call);
    const parsed = schema.safeParse(jsonOf(answer));
    if (parsed.success) return parsed.data;
    const id = requestId(answer);
    throw new SuperfluidityError('SF-OPENSTACK-ANSWER', {
      doing: call.doing,
      reason: `${z.prettifyError(parsed.error)}${id === undefined ? '' : ` (${id})`}`,
      request: `${call.method} ${call.service} ${call.path}`,
      answer: quoted(answer),
      ...(id === undefined ? {} : { data: { status: answer.status, requestId: id } }),
    });
  }

  /** The answer as it is. Throws what is no success as a coded error, in the words of the service. */
  async send(call: Call): Promise<HttpAnswer> {
    const id = newRequestId();
    try {
      return await this.#sendAs(id, call);
    } catch (error) {
      throw call.signal.aborted ? givenUp(call, id, error) : error;
    }
  }

  async #sendAs(globalRequestId: string, call: Call): Promise<HttpAnswer> {
    const { service, method, doing, signal } = call;
    const session = await this.session(signal);
    const base = endpointOf(service, this.config, session);
    if (base === undefined) throw noService(service, doing, this.config, session);
    const what: Repeated = {
      service,
      method,
      doing,
      repeatable: isRepeatable(call),
      waitsWhileBusy: call.waitsWhileBusy ?? true,
      requestId: globalRequestId,
      signal,
    };
    // A place at the turnstile is held while a request is under way, not in the pauses between attempts.
    const answer = await repeat(what, this.#around, () =>
      this.#turnstile(service).pass(doing, signal, () => this.#withToken(call, base, globalRequestId)),
    );
    if ((answer.status >= 200 && answer.status < 300) || call.accepts?.includes(answer.status) === true) return answer;
    throw refusal({
      doing,
      request: `${method} ${urlOf(call, base)}`,
      answer,
      globalRequestId,
      mayBeDone: method !== 'GET' && method !== 'HEAD' && answer.status >= 500 && answer.status !== 503,
    });
  }

  /** Deletes: what is not there any more is done. Returns whether it was there. */
  async remove(call: Call): Promise<boolean> {
    try {
      await this.send(call);
      return true;
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new SuperfluidityError('SF-CORE-CANCELLED', { doing: 'call the cloud', reason: 'the client was closed' }),
    );
    await this.#connections.close();
  }

  get #around() {
    return { limits: this.#limits, clock: this.clock, log: this.#log };
  }

  #turnstile(service: ServiceType): Turnstile {
    let turnstile = this.#turnstiles.get(service);
    if (turnstile === undefined) {
      turnstile = new Turnstile(this.#limits.concurrency, this.#limits.queue);
      this.#turnstiles.set(service, turnstile);
    }
    return turnstile;
  }

  async #withToken(call: Call, base: string, id: string): Promise<HttpAnswer> {
    const session = await this.session(call.signal);
    const answer = await this.#send(call.service, requestOf(call, base, session.token, id), call.signal);
    if (answer.status !== 401) return answer;
    // It expired or was revoked, and nothing was done: once with another.
    this.#sessions.forget(session);
    const { token } = await this.session(call.signal);
    return this.#send(call.service, requestOf(call, base, token, id), call.signal);
  }

  /** For all callers at once, so that it ends with none of them. */
  #login(request: HttpRequest, doing: string): Promise<HttpAnswer> {
    const id = newRequestId();
    const signal = this.#closing.signal;
    const { method } = request;
    const what = { service: 'identity', method, doing, repeatable: true, waitsWhileBusy: false, requestId: id, signal };
    const named = { ...request, headers: { ...request.headers, 'x-openstack-request-id': id } };
    return repeat(what, this.#around, () => this.#send('login', named, signal));
  }

  async #send(service: ServiceType | 'login', request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const startedMs = this.clock.now();
    let status: number | undefined;
    try {
      const answer = await this.#connections.exchange(request, signal);
      status = answer.status;
      return answer;
    } finally {
      this.#onRequest?.({
        service,
        method: request.method,
        ...(status === undefined ? {} : { status }),
        tookMs: this.clock.now() - startedMs,
      });
    }
  }
}

/** `AbortSignal.timeout` and `abort()` tell nobody what it was that took too long, or was given up. */
function givenUp({ doing, method, service }: Call, globalRequestId: string, error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const mayBeDone = method !== 'GET' && method !== 'HEAD';
  const data = { globalRequestId, ...(mayBeDone ? { mayBeDone } : {}) };
  const isLate = error.name === 'TimeoutError';
  return new SuperfluidityError(isLate ? 'SF-CORE-TIMEOUT' : 'SF-CORE-CANCELLED', {
    doing,
    reason: isLate ? `${service} took too long (${globalRequestId})` : 'cancelled',
    data,
  });
}

function jsonOf(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}
