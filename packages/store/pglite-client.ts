import type { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';

/** Statements that are kept prepared. Texts made on the fly, for lists of any length say, must not pile up. */
const PREPARED_MAX = 400;

/** Frontend messages at which the server is expected to answer (PostgreSQL manual, 54.7): Sync, Query, Flush. */
const ANSWERED = new Set(['S', 'Q', 'H'].map((type) => type.charCodeAt(0)));

/**
 * The client of `pg` on a PGlite instance, with a connection of its own each time: the pool throws a client away whose
 * statement failed, and would get the same, ended connection again. Two things make statements half as expensive:
 * messages go to the database when it is to answer and not one by one, and statements with parameters are prepared once.
 */
export function pgliteClient(pglite: PGlite): typeof pg.Client {
  const names = new Map<string, string>();

  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= PREPARED_MAX) return known;
    const name = `s${names.size}`;
    names.set(text, name);
    return name;
  };

  class PGliteClient extends pg.Client {
    constructor(config: pg.ClientConfig) {
      super({ ...config, ...createPgConfig(gathering(pglite)) } as unknown as pg.ClientConfig);
    }

    /** The session is that of the client before: what this one may have left open or prepared there is not this one's. */
    override connect(callback?: unknown): never {
      const connect = super.connect.bind(this) as unknown as (done: (error?: Error) => void) => never;
      const done = callback as (error?: Error) => void;
      return connect((error) => {
        if (error instanceof Error) return done(error);
        super.query('rollback').then(() => super.query('deallocate all').then(() => done(), done), done);
      });
    }

    // Whatever the overloads of `pg`, what it reads is text, values and a name.
    override query(config: unknown, ...rest: unknown[]): never {
      const query = super.query.bind(this) as unknown as (...args: unknown[]) => never;
      if (typeof config === 'string') {
        const [values, ...others] = rest;
        if (!Array.isArray(values)) return query(config, ...rest);
        const name = nameOf(config);
        return name === undefined
          ? query(config, ...rest)
          : query({ name, text: config, values }, undefined, ...others);
      }
      const { name, text, values } = config as {
        readonly name?: string;
        readonly text?: string;
        readonly values?: unknown;
      };
      if (typeof text !== 'string' || name !== undefined || !Array.isArray(values)) return query(config, ...rest);
      const prepared = nameOf(text);
      return prepared === undefined
        ? query(config, ...rest)
        : query({ ...(config as object), name: prepared }, ...rest);
    }
  }
  return PGliteClient;
}

/** What the connection of PGlite for `pg` uses of an instance. Each call of it crosses into WebAssembly and back. */
function gathering(pglite: PGlite): PGlite {
  let waiting: Uint8Array[] = [];
  const facade: Pick<PGlite, 'waitReady' | 'execProtocolStream'> = {
    waitReady: pglite.waitReady,
    async execProtocolStream(message, options) {
      waiting.push(message);
      if (!ANSWERED.has(message[0]!)) return [];
      const all = waiting.length === 1 ? message : Buffer.concat(waiting);
      waiting = [];
      return pglite.execProtocolStream(all, options);
    },
  };
  return facade as PGlite;
}
