import { z } from 'zod';
import * as s from './schemas.ts';

/**
 * A route of the API, as data: the server attaches handlers, OpenAPI, the typed client and the tests derive from it.
 * `body` and `reply` are JSON unless `stream` says that the answer is a stream of server-sent events of `reply`.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly reply: z.ZodType;
  readonly status: 200 | 201 | 202 | 204;
  readonly stream?: boolean;
  /** Who may call it. Every route needs a token but those that say `anyone`. */
  readonly role: 'anyone' | 'reader' | 'admin';
  /** Whether it is written down who asked for it: what an admin changes is anyhow. */
  readonly audited?: boolean;
}

export const byName = z.object({ name: s.name });
export const byId = z.object({ id: z.string().max(64) });
export const nothing = z.null();
export const accepted = z.object({ operation: z.string(), service: z.string() }).meta({ id: 'Accepted' });
