import { openStore, type Store } from '@superfluidity/store';
import { startTestServer, type TestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { describeEngine, type MakeEngine } from './conformance.ts';
import { dbosEngine } from './dbos-engine.ts';

function onStore(open: () => Promise<{ readonly store: Store; readonly end: () => Promise<void> }>): MakeEngine {
  return async (definitions) => {
    const { store, end } = await open();
    const engine = dbosEngine({ store, executorId: 'srv-test', applicationVersion: 'test' });
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

describeEngine(
  'on DBOS and PGlite',
  onStore(async () => ({ store: await openStore('pglite:memory'), end: async () => {} })),
);

const reason = whyNoTestServer();
describeEngine(
  `on DBOS and a PostgreSQL server${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  onStore(async () => {
    const server: TestServer = await startTestServer();
    return { store: await openStore(await server.createDatabase()), end: () => server.stop() };
  }),
  { skip: reason !== undefined },
);
