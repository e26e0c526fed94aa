import { existsSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { append, type Clock, isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { type KubernetesConfig, LIMITS } from './config.ts';
import { MANAGER } from './marks.ts';
import './errors.ts';
import type { KubeList, KubeObject } from './objects.ts';

export interface Ask {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly type?: string;
  readonly signal: AbortSignal;
  /** There is another way where it is forbidden: that is said at once, also by a server that has just started. */
  readonly isOptional?: boolean;
}

/**
 * The API server. Credentials, proxies and certificates are those of the kubeconfig, read by the client of Kubernetes; requests
 * are sent here, so that each has a bound, can be given up, and says in its error what was asked and what was answered.
 */
export class Cluster {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly server: string;
  readonly #requestMs: number;
  readonly #clock: Clock;
  /** When it was last without an answer. */
  #troubleMs = Number.NEGATIVE_INFINITY;

  static open(site: string, config: KubernetesConfig, clock: Clock): Cluster {
    const kubeConfig = new KubeConfig();
    const doing = `open site ${site}`;
    const refuse = (reason: string, cause?: unknown): never => {
      throw new SuperfluidityError('SF-KUBE-CONFIG', { doing, reason, cause });
    };
    try {
      if (config.content !== undefined) kubeConfig.loadFromString(config.content);
      else if (config.kubeconfig !== undefined) {
        if (!existsSync(config.kubeconfig)) refuse(`there is no file ${config.kubeconfig} on the server`);
        kubeConfig.loadFromFile(config.kubeconfig);
      } else kubeConfig.loadFromDefault();
    } catch (error) {
      if (isSuperfluidityError(error)) throw error;
      refuse(error instanceof Error ? error.message : String(error), error);
    }
    const known = kubeConfig.getContexts().map(({ name }) => name);
    if (config.context !== undefined) {
      if (!known.includes(config.context)) refuse(`it has no context ${config.context}, but ${known.join(', ')}`);
      kubeConfig.setCurrentContext(config.context);
    }
    const server = kubeConfig.getCurrentCluster()?.server;
    if (server === undefined) refuse('it has no current context: give `context`');
    return new Cluster(kubeConfig, config, server!, clock);
  }

  constructor(kubeConfig: KubeConfig, config: KubernetesConfig, server: string, clock: Clock) {
    const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
    this.kubeConfig = kubeConfig;
    this.namespace = config.namespace ?? context?.namespace ?? 'default';
    this.server = server;
    this.#requestMs = config.requestMs;
    this.#clock = clock;
  }

  /** Path of a resource in the namespace of the site: `pods`, `networkpolicies` of group `networking.k8s.io/v1`. */
  path(resource: string, name?: string, group?: string): string {
    const root = group === undefined ? '/api/v1' : `/apis/${group}`;
    return `${root}/namespaces/${this.namespace}/${resource}${name === undefined ? '' : `/${name}`}`;
  }

  /** Undefined when it is not there. */
  async get<T>(path: string, signal: AbortSignal): Promise<T | undefined> {
    return this.#json<T>('GET', path, { signal });
  }

  /** All of them, page by page, with the version of the first page, from which a watch goes on. */
  async list<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    { isOptional = false }: Pick<Ask, 'isOptional'> = {},
  ): Promise<{ readonly items: readonly T[]; readonly version: string }> {
    const items: T[] = [];
    let next: string | undefined;
    let version = '';
    do {
      const page = await this.#json<KubeList<T>>('GET', path, {
        query: { ...query, limit: LIMITS.page, continue: next },
        signal,
        isOptional,
      });
      if (page === undefined) break;
      append(items, page.items);
      version = page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    return { items, version };
  }

  /** Server-side apply: makes it, or makes of what is there what is wanted of it, and leaves fields of others alone. */
  async apply<T extends KubeObject>(path: string, object: KubeObject, signal: AbortSignal): Promise<T> {
    const answer = await this.#json<T>('PATCH', path, {
      query: { fieldManager: MANAGER, force: true },
      body: object,
      type: 'application/apply-patch+yaml',
      signal,
    });
    if (answer !== undefined) return answer;
    throw new SuperfluidityError('SF-KUBE-REFUSED', {
      doing: `apply ${object.kind} ${object.metadata.name}`,
      reason: `there is no namespace ${this.namespace}, or no such kind of object`,
      request: `PATCH ${path}`,
      answer: '404',
      hint: `Make it with \`kubectl create namespace ${this.namespace}\`, or configure another.`,
    });
  }

  /** Undefined when it is not there. */
  async merge<T>(path: string, patch: unknown, signal: AbortSignal): Promise<T | undefined> {
    const type = 'application/merge-patch+json';
    return this.#json<T>('PATCH', path, { query: { fieldManager: MANAGER }, body: patch, type, signal });
  }

  /**
   * Made by nobody before. What is there already is refused (409), also when it was made by this very request, whose answer was
   * lost. Undefined where there is no such namespace.
   */
  async create<T extends KubeObject>(path: string, object: unknown, signal: AbortSignal): Promise<T | undefined> {
    return this.#json<T>('POST', path, {
      query: { fieldManager: MANAGER },
      body: object,
      type: 'application/json',
      signal,
    });
  }

  /** A question that is sent as an object, such as a review of rights: nothing is made. */
  async ask<T>(path: string, question: unknown, signal: AbortSignal): Promise<T | undefined> {
    return this.#json<T>('POST', path, { body: question, type: 'application/json', signal });
  }

  /** What is left of it, which may end later; undefined when it is gone or never was. With `uid`, refused (409) when it is another. */
  async delete<T>(
    path: string,
    graceSeconds: number | undefined,
    signal: AbortSignal,
    uid?: string,
  ): Promise<T | undefined> {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    return this.#json<T>('DELETE', path, { body, type: 'application/json', signal });
  }

  /** Undefined when it is not there. */
  async text(path: string, ask: Ask): Promise<string | undefined> {
    return this.#retried('GET', path, ask, async (response) => (await readAll(response)).toString('utf8'));
  }

  /** Lines as they come; what the reader does not take, the server keeps. Ends when the server ends it. */
  async lines(path: string, ask: Ask & { readonly silenceMs: number }): Promise<AsyncIterable<string>> {
    const response = await this.#send('GET', path, ask, ask.silenceMs);
    if (response.statusCode !== 200) throw await failure('GET', path, response);
    return linesOf(response);
  }

  async #json<T>(method: string, path: string, ask: Ask): Promise<T | undefined> {
    return this.#retried(method, path, ask, async (response) => {
      const text = (await readAll(response)).toString('utf8');
      return JSON.parse(text) as T;
    });
  }

  /** Every request may be sent twice: what it asks for is a state, not a change. */
  async #retried<T>(
    method: string,
    path: string,
    ask: Ask,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T | undefined> {
    const until = this.#clock.now() + LIMITS.retryMs;
    for (let pauseMs: number = LIMITS.pauseMs; ; pauseMs = Math.min(pauseMs * 2, LIMITS.pauseMaxMs)) {
      try {
        const response = await this.#send(method, path, ask);
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) return await read(response);
        if (status === 404) {
          await readAll(response);
          return undefined;
        }
        throw await failure(method, path, response);
      } catch (error) {
        const now = this.#clock.now();
        const isTrouble = isSuperfluidityError(error, 'SF-SITE-UNAVAILABLE');
        if (isTrouble) this.#troubleMs = now;
        // A server that has just started allows nothing until it has read who may do what.
        const isForbidden = isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN') && ask.isOptional !== true;
        const isEarly = isForbidden && now - this.#troubleMs < LIMITS.earlyMs;
        const isOver = ask.signal.aborted || now + pauseMs > until;
        if (isOver && isEarly) throw new SuperfluidityError('SF-SITE-UNAVAILABLE', { ...error.details, cause: error });
        if (isOver || !(isTrouble || isEarly)) throw error;
        await this.#clock.sleep(pauseMs, ask.signal);
      }
    }
  }

  async #send(method: string, path: string, ask: Ask, silenceMs = this.#requestMs): Promise<IncomingMessage> {
    const { body, type, signal, query } = ask;
    const url = new URL(this.server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) url.searchParams.append(name, String(value));
    const options: RequestOptions = { method, headers: { accept: 'application/json' }, signal };
    // Tokens expire, and programs that give new ones are run by this.
    await this.kubeConfig.applyToHTTPSOptions(options as never).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-KUBE-CONFIG', { doing: `log in at ${this.server}`, reason, cause });
    });
    // One agent for all calls, whose connections are worth keeping: each costs a handshake.
    if (typeof options.agent === 'object') Object.assign(options.agent, { keepAlive: true });
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    options.headers = {
      ...options.headers,
      ...(payload === undefined ? {} : { 'content-type': type, 'content-length': payload.length }),
    } as Record<string, string>;
    return new Promise((resolve, reject) => {
      const outgoing = (url.protocol === 'http:' ? requestPlain : requestTls)(url, options, resolve);
      outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`no answer for ${silenceMs / 1_000} s`)));
      outgoing.on('error', (cause) =>
        reject(signal.aborted ? givenUp(signal, method, path) : unavailable(method, path, cause)),
      );
      outgoing.end(payload);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > LIMITS.answerBytes) {
      response.destroy();
      throw new SuperfluidityError('SF-CORE-LIMIT', { reason: `an answer has more than ${LIMITS.answerBytes} bytes` });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > LIMITS.lineBytes)
      throw new SuperfluidityError('SF-CORE-LIMIT', { reason: `a line has more than ${LIMITS.lineBytes} characters` });
    yield* lines;
  }
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
}

async function failure(method: string, path: string, response: IncomingMessage): Promise<SuperfluidityError> {
  const status = response.statusCode ?? 0;
  const answer = (await readAll(response).catch(() => Buffer.alloc(0))).toString('utf8').slice(0, LIMITS.tail);
  let said: Status = {};
  try {
    said = JSON.parse(answer) as Status;
  } catch {
    // Not from the API server: what stands between.
  }
  const details = {
    doing: `${method} ${path}`,
    reason: said.message ?? `status ${status}`,
    request: `${method} ${path}`,
    answer: `${status} ${answer}`,
    data: { status, ...(said.reason === undefined ? {} : { reason: said.reason }) },
  };
  if (status === 403 && /exceeded quota/.test(details.reason)) {
    const hint = 'Remove something, or ask for a larger quota of the namespace.';
    return new SuperfluidityError('SF-SITE-NO-CAPACITY', { ...details, hint });
  }
  // Admission says it when a pod is made.
  if (status === 403 && /RuntimeClass .* not found/.test(details.reason))
    return new SuperfluidityError('SF-KUBE-RUNTIME', details);
  if (status === 401 || status === 403) return new SuperfluidityError('SF-KUBE-FORBIDDEN', details);
  if (status === 429 || status >= 500) return new SuperfluidityError('SF-SITE-UNAVAILABLE', details);
  return new SuperfluidityError('SF-KUBE-REFUSED', details);
}

/** Somebody else was faster: the object changed since it was read, or there is one of the name already. */
export const isConflict = (error: unknown): boolean => statusIn(error) === 409;

/** The status with which the API server answered, if it did. */
export function statusIn(error: unknown): number | undefined {
  const status = isSuperfluidityError(error) ? error.details.data?.['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

function unavailable(method: string, path: string, cause: Error): SuperfluidityError {
  return new SuperfluidityError('SF-SITE-UNAVAILABLE', {
    doing: `${method} ${path}`,
    reason: cause.message,
    request: `${method} ${path}`,
    answer: cause.message,
    cause,
  });
}

function givenUp(signal: AbortSignal, method: string, path: string): unknown {
  if (isSuperfluidityError(signal.reason)) return signal.reason;
  const isLate = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
  const code = isLate ? 'SF-CORE-TIMEOUT' : 'SF-CORE-CANCELLED';
  const reason = isLate ? 'it was not done in the time that there was' : 'cancelled';
  return new SuperfluidityError(code, { doing: `${method} ${path}`, reason });
}
