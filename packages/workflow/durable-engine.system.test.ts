import { openStore, type Store } from '@superfluidity/store';
import { startTestServer, type TestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { describeEngine, type MakeEngine } from './conformance.ts';
import { dbosRuns, durableEngine } from './durable-engine.ts';

function onStore(
  open: () => Promise<{ readonly store: Store; readonly end: () => Promise<void> }>,
  keeper: 'tables' | 'dbos',
): MakeEngine {
  return async (definitions) => {
    const { store, end } = await open();
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
        await end();
      },
    };
  };
}

const reason = whyNoTestServer();

for (const keeper of ['tables', 'dbos'] as const) {
  describeEngine(
    `with runs in ${keeper}, on PGlite`,
    onStore(async () => ({ store: await openStore('pglite:memory'), end: async () => {} }), keeper),
  );
  describeEngine(
    `with runs in ${keeper}, on a PostgreSQL server${reason === undefined ? '' : ` (skipped: ${reason})`}`,
    onStore(async () => {
      const server: TestServer = await startTestServer();
      return { store: await openStore(await server.createDatabase()), end: () => server.stop() };
    }, keeper),
    { skip: reason !== undefined },
  );
}
