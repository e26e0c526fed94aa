import { invariant } from '@superfluidity/core';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import { toStoreError } from './errors.ts';

/**
 * What kysely sees of the pool. It makes errors ours, and reads `bigint` as a number on every back end. The workflow
 * engine uses the pool itself: it retries by the driver's own error codes and parses `bigint` its own way.
 */
export function kyselyPool(pool: pg.Pool, mayConnect: () => void): PostgresPool {
  return {
    options: pool.options,
    end: async () => {},
    async connect() {
      mayConnect();
      const client = await pool.connect().catch((error: unknown) => {
        throw toStoreError(error, 'connect to the database');
      });
      return wrapClient(client);
    },
  };
}

const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();

function wrapClient(client: pg.PoolClient): PostgresPoolClient {
  const known = wrapped.get(client);
  if (known !== undefined) return known;
  // A connection that breaks while it is checked out emits an error, which would end the process if nobody listened.
  client.on('error', () => {});
  const wrapper = {
    async query(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<unknown>> {
      try {
        const result = await client.query({ text, values: values as unknown[], types: columnTypes });
        return result as unknown as PostgresQueryResult<unknown>;
      } catch (error) {
        throw toStoreError(error, 'run a database statement', text);
      }
    },
    release: (destroy?: boolean) => client.release(destroy),
  };
  wrapped.set(client, wrapper as unknown as PostgresPoolClient);
  return wrapper as unknown as PostgresPoolClient;
}

/** `int8`, the type of `bigint` columns and of counts. Our numbers are times and counters, all below 2^53. */
const INT8_OID = 20;

function parseInt8(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `the number ${text} from the database is not exact in JavaScript`);
  return value;
}

/** An empty array besides: `pg` and PGlite's shim also read `types` as the list of parameter types of the statement. */
const columnTypes: pg.CustomTypesConfig = Object.assign([], {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID && format !== 'binary'
      ? parseInt8
      : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
});
