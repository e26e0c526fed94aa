import { invariant } from '@superfluidity/core';
import type { CompiledQuery, Kysely, QueryExecutorProvider, QueryResult } from 'kysely';
import type { Database } from './database.ts';

/** What kysely's builders and `sql` texts have in common. */
interface Statement<R> {
  compile(db: QueryExecutorProvider): CompiledQuery<R>;
}

/** Stands for a value that each execution gives anew. */
class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A statement that is built and compiled when it is used for the first time, and then only gets other values: for what
 * somebody waits for, since kysely takes longer to build a statement than the database to execute it. `build` sees a
 * stand-in for each value, which it may hand to the builder and do nothing else with.
 */
export function prepared<V extends Readonly<Record<string, unknown>>, R>(
  build: (db: Kysely<Database>, values: V) => Statement<R>,
): (db: Kysely<Database>, values: V) => Promise<QueryResult<R>> {
  let compiled: CompiledQuery<R> | undefined;

  function compile(db: Kysely<Database>): CompiledQuery<R> {
    const named = new Set<string>();
    const standIns = new Proxy({} as V, {
      get(_target, name) {
        named.add(String(name));
        return new Parameter(String(name));
      },
    });
    const query = build(db, standIns).compile(db);
    for (const parameter of query.parameters) if (parameter instanceof Parameter) named.delete(parameter.name);
    invariant(named.size === 0, `${[...named].join(', ')} of a prepared statement became no parameter of it`);
    return query;
  }

  return (db, values) => {
    compiled ??= compile(db);
    const parameters = compiled.parameters.map((each) => (each instanceof Parameter ? values[each.name] : each));
    return db.executeQuery({ ...compiled, parameters });
  };
}
