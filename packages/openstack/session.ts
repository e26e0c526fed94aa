import { type Clock, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { authRequest, type CloudConfig, type Credentials } from './credentials.ts';
import type { HttpAnswer, HttpRequest } from './exchange.ts';
import type { Limits } from './limits.ts';
import { refusal } from './refusal.ts';

/** Token of a project, with the catalogue that came with it. */
export interface Session {
  readonly token: string;
  /** By our clock. */
  readonly expiresAtMs: number;
  /** From then on it is not used for what begins. */
  readonly renewAtMs: number;
  readonly projectId: string;
  readonly projectName: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly catalogue: readonly CatalogueEntry[];
}

export interface CatalogueEntry {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly region: string; readonly url: string }[];
}

const tokenAnswer = z.object({
  token: z.object({
    issued_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    project: z.object({ id: z.string(), name: z.string() }).optional(),
    user: z.object({ id: z.string() }),
    roles: z.array(z.object({ name: z.string() })).default([]),
    catalog: z
      .array(
        z.object({
          type: z.string(),
          endpoints: z.array(
            z.object({
              interface: z.string(),
              region_id: z.string().nullish(),
              region: z.string().nullish(),
              url: z.string(),
            }),
          ),
        }),
      )
      .default([]),
  }),
});

export interface SessionsOptions {
  readonly config: CloudConfig;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly send: (request: HttpRequest, doing: string) => Promise<HttpAnswer>;
}

/** Keeps one session, which all callers share; one of them renews it. */
export class Sessions {
  readonly #url: string;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #send: SessionsOptions['send'];
  #current: Session | undefined;
  #coming: Promise<Session> | undefined;
  #refused: { readonly error: SuperfluidityError; readonly atMs: number } | undefined;

  constructor({ config, clock, limits, send }: SessionsOptions) {
    this.#url = `${config.authUrl.replace(/\/+$/, '')}/auth/tokens`;
    this.#credentials = config.credentials;
    this.#clock = clock;
    this.#limits = limits;
    this.#send = send;
  }

  /** A caller that gives up does not end the login that others wait for. */
  async get(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    if (this.#current !== undefined && this.#clock.now() < this.#current.renewAtMs) return this.#current;
    const refused = this.#refused;
    if (refused !== undefined && this.#clock.now() - refused.atMs < this.#limits.refusedLoginMs) throw refused.error;
    this.#coming ??= this.#renew().finally(() => (this.#coming = undefined));
    return orAborted(this.#coming, signal);
  }

  /** A service did not take the token: the next call gets another, unless one was got meanwhile. */
  forget(refused: Session): void {
    if (this.#current === refused) this.#current = undefined;
  }

  async #renew(): Promise<Session> {
    try {
      this.#current = await this.#login();
      this.#refused = undefined;
      return this.#current;
    } catch (error) {
      if (error instanceof SuperfluidityError && error.kind.transient !== true)
        this.#refused = { error, atMs: this.#clock.now() };
      throw error;
    }
  }

  async #login(): Promise<Session> {
    const doing = `log in at ${this.#url}`;
    // Errors name the request without its body, which has the password in it.
    const request = `POST ${this.#url}`;
    const answer = await this.#send(
      {
        method: 'POST',
        url: this.#url,
        headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'superfluidity' },
        body: JSON.stringify(authRequest(this.#credentials)),
        fresh: true,
      },
      doing,
    );
    if (answer.status !== 201) throw refusal({ doing, request, answer });
    const token = answer.headers['x-subject-token'];
    const parsed = tokenAnswer.safeParse(jsonOf(answer.text));
    if (!parsed.success || token === undefined) {
      throw new SuperfluidityError('SF-OPENSTACK-ANSWER', {
        doing,
        reason: parsed.success ? 'the answer has no token' : z.prettifyError(parsed.error),
        request,
      });
    }
    const { project, user, roles, catalog, issued_at, expires_at } = parsed.data.token;
    if (project === undefined) {
      throw new SuperfluidityError('SF-OPENSTACK-CREDENTIALS', {
        doing,
        reason: 'the token is not of a project',
        hint: 'Name the project of the user.',
        request,
      });
    }
    // Clocks differ: how long it lives is what counts.
    const livesMs = Date.parse(expires_at) - Date.parse(issued_at);
    const nowMs = this.#clock.now();
    return {
      token,
      expiresAtMs: nowMs + livesMs,
      renewAtMs: nowMs + livesMs - Math.min(this.#limits.renewBeforeMs, livesMs / 10),
      projectId: project.id,
      projectName: project.name,
      userId: user.id,
      roles: roles.map(({ name }) => name),
      catalogue: catalog.map(({ type, endpoints }) => ({
        type,
        endpoints: endpoints.map((one) => ({
          interface: one.interface,
          region: one.region_id ?? one.region ?? '',
          url: one.url,
        })),
      })),
    };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function orAborted<T>(coming: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([coming, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
