import { openStore, type Store } from '@superfluidity/store';
import { startTestServer, type TestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { afterAll } from 'vitest';
import { describeEngine, type MakeEngine } from './conformance.ts';
import { dbosRuns, durableEngine } from './durable-engine.ts';

function onStore(open: () => Promise<Store>, keeper: 'tables' | 'dbos'): MakeEngine {
  return async (definitions) => {
    const store = await open();
    const engine = durableEngine(
      { store, executorId: 'srv-test', applicationVersion: 'test' },
      keeper === 'dbos' ? await dbosRuns(store, 'srv-test', 'test') : undefined,
    );
    for (const definition of definitions) engine.register(definition);
    await engine.launch();
    return {
      engine,
      clock: store.clock,
      wait: (promise) => promise,
      async end() {
        await engine.shutdown();
        await store.close();
      },
    };
  };
}

const reason = whyNoTestServer();
/** For both keepers, each with a database of its own. */
let server: TestServer | undefined;
afterAll(() => server?.stop());

for (const keeper of ['tables', 'dbos'] as const) {
  describeEngine(
    `with runs in ${keeper}, on PGlite`,
    onStore(() => openStore('pglite:memory'), keeper),
  );
  describeEngine(
    `with runs in ${keeper}, on a PostgreSQL server${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    onStore(async () => {
      server ??= await startTestServer();
      return openStore(await server.createDatabase());
    }, keeper),
    { skip: reason !== undefined },
  );
}
