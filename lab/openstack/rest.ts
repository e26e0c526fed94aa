import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';

const TIMEOUT_MS = 60_000;
const ANSWER_CHARACTERS_MAX = 600;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** What a service of the laboratory answers. Who reads it knows the API, and a test fails where it does not. */
export type Json = { readonly [key: string]: Json } & readonly Json[] & string & number & boolean;

/** One session with the APIs: a token, and requests that must succeed. */
export class Session {
  readonly #token: string;
  readonly catalogue: ReadonlyMap<string, string>;
  readonly projectId: string;
  readonly userId: string;

  private constructor(token: string, body: Json) {
    this.#token = token;
    this.projectId = body['token']!['project']!['id']!;
    this.userId = body['token']!['user']!['id']!;
    const services = (body['token']!['catalog'] ?? []) as unknown as readonly Json[];
    this.catalogue = new Map(
      services.flatMap((service) => {
        const endpoints = service['endpoints'] as unknown as readonly Json[];
        const url = endpoints.find((one) => one['interface'] === 'public')?.['url'];
        return url === undefined ? [] : [[service['type'] as string, url as string] as const];
      }),
    );
  }

  static async open(
    authUrl: string,
    credentials: { readonly user: string; readonly password: string; readonly project: string },
  ): Promise<Session> {
    const domain = { id: 'default' };
    const { user, password, project } = credentials;
    const answer = await send('POST', `${authUrl}/auth/tokens`, {
      body: {
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
          scope: { project: { name: project, domain } },
        },
      },
    });
    return new Session(answer.headers.get('x-subject-token') ?? '', answer.body);
  }

  request(method: string, url: string, options: RequestOptions = {}): Promise<Answer> {
    return send(method, url, { ...options, headers: { 'x-auth-token': this.#token, ...options.headers } });
  }

  async get(url: string): Promise<Json> {
    return (await this.request('GET', url)).body;
  }

  async post(url: string, body: unknown): Promise<Json> {
    return (await this.request('POST', url, { body })).body;
  }
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is, in place of JSON. */
  readonly content?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Beside 2xx. */
  readonly accept?: readonly number[];
}

async function send(method: string, url: string, options: RequestOptions): Promise<Answer> {
  const { body, content, headers = {}, accept = [] } = options;
  const request = `${method} ${url}`;
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(content !== undefined ? { body: content } : body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new SuperfluidityError('SF-LAB-REQUEST', { reason: describe(error), request, cause: error });
  });
  const text = await response.text();
  if (!response.ok && !accept.includes(response.status)) {
    throw new SuperfluidityError('SF-LAB-REQUEST', {
      reason: `status ${response.status}`,
      request,
      answer: text.slice(0, ANSWER_CHARACTERS_MAX),
    });
  }
  const json = response.headers.get('content-type')?.includes('json') === true && text !== '';
  return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : {}) as Json };
}

function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error);
}
