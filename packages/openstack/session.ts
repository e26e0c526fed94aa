import { type Clock, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { authRequest, type CloudConfig } from './credentials.ts';
import type { HttpAnswer, HttpRequest } from './exchange.ts';
import { LIMITS } from './limits.ts';
import { refusal } from './refusal.ts';

/** Token of a project, with the catalogue that came with it. */
export interface Session {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly projectId: string;
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
    expires_at: z.iso.datetime(),
    project: z.object({ id: z.string() }),
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

/** Keeps one session, which all callers share; one of them renews it. */
export class Sessions {
  readonly #config: CloudConfig;
  readonly #clock: Clock;
  readonly #send: (request: HttpRequest) => Promise<HttpAnswer>;
  #current: Promise<Session> | undefined;
  #expiresAtMs = Number.POSITIVE_INFINITY;

  constructor(config: CloudConfig, clock: Clock, send: (request: HttpRequest) => Promise<HttpAnswer>) {
    this.#config = config;
    this.#clock = clock;
    this.#send = send;
  }

  async get(): Promise<Session> {
    if (this.#current !== undefined && this.#expiresAtMs - this.#clock.now() < LIMITS.renewBeforeMs)
      this.#current = undefined;
    if (this.#current === undefined) {
      this.#expiresAtMs = Number.POSITIVE_INFINITY;
      const login = this.#login();
      this.#current = login;
      login.then(
        (session) => {
          if (this.#current === login) this.#expiresAtMs = session.expiresAtMs;
        },
        () => {
          if (this.#current === login) this.#current = undefined;
        },
      );
    }
    return this.#current;
  }

  /** A service did not take the token: the next call gets another, unless one was got meanwhile. */
  async forget(refused: Session): Promise<void> {
    const current = await this.#current?.catch(() => undefined);
    if (current === refused) this.#current = undefined;
  }

  async #login(): Promise<Session> {
    const url = `${this.#config.authUrl.replace(/\/+$/, '')}/auth/tokens`;
    const doing = `log in at ${url}`;
    const answer = await this.#send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(authRequest(this.#config.credentials)),
    });
    // The request is named without its body, which has the password in it.
    if (answer.status !== 201) throw refusal(doing, `POST ${url}`, answer);
    const token = answer.headers['x-subject-token'];
    const body = tokenAnswer.safeParse(JSON.parse(answer.text));
    if (!body.success || token === undefined) {
      throw new SuperfluidityError('SF-OPENSTACK-ANSWER', {
        doing,
        reason: body.success ? 'the answer has no token' : z.prettifyError(body.error),
        request: `POST ${url}`,
      });
    }
    const { project, user, roles, catalog, expires_at } = body.data.token;
    return {
      token,
      expiresAtMs: Date.parse(expires_at),
      projectId: project.id,
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
