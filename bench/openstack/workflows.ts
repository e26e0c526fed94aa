import { randomUUID } from 'node:crypto';
import { silentLogger, systemClock } from '@superfluidity/core';
import {
  Cloud,
  createWorkflows,
  deleteExecution,
  deleteWorkflow,
  getExecution,
  startExecution,
} from '@superfluidity/openstack';
import { openStore } from '@superfluidity/store';
import { startTestServer, whyNoTestServer } from '@superfluidity/store/testing';
import { durableEngine, runSaga, type SagaStep } from '@superfluidity/workflow';
import { timing } from '../statistics.ts';
import type { Case } from './case.ts';
import { ratioOf } from './report.ts';

const signal = new AbortController().signal;
const MANY = 1_000;
const FEW = 10;
/** A thousand tasks take Mistral a minute and more. */
const MANY_ROUNDS_MAX = 3;
const LOOK_MS = 20;

const chained = Array.from({ length: FEW }, (_, at) => `t${at}`);
const definition = `version: '2.0'

sf_bench_few:
  tasks:
${chained.map((name, at) => `    ${name}: { action: std.noop${at + 1 < FEW ? `, on-success: [${chained[at + 1]!}]` : ''} }`).join('\n')}

sf_bench_many:
  input: [items]
  tasks:
    all:
      with-items: i in <% $.items %>
      action: std.noop
`;

const noop = (id: string, dependsOn: readonly string[]): SagaStep => ({ id, dependsOn, do: async () => null });
const sagas: Readonly<Record<'few' | 'many', readonly SagaStep[]>> = {
  few: chained.map((id, at) => noop(id, at === 0 ? [] : [chained[at - 1]!])),
  many: Array.from({ length: MANY }, (_, at) => noop(`t${at}`, [])),
};

/** The same workflows of tasks that do nothing, by our engine on PostgreSQL and by the laboratory's Mistral on MariaDB. */
export const workflows: Case = async ({ project, rounds }, found) => {
  const reason = whyNoTestServer();
  const server = reason === undefined ? await startTestServer() : undefined;
  const store = await openStore(server === undefined ? 'pglite:memory' : await server.createDatabase());
  found.note(`our engine keeps its records in ${server === undefined ? `PGlite, since ${reason}` : 'PostgreSQL'}`);
  const engine = durableEngine({ store, executorId: 'bench', applicationVersion: 'bench' });
  engine.register({
    name: 'noops',
    async run(context, input: { readonly saga: 'few' | 'many' }) {
      await runSaga(context, sagas[input.saga], { onFailure: 'stop' });
      return null;
    },
  });
  await engine.launch();
  const cloud = new Cloud({ config: project.config, clock: systemClock, log: silentLogger });
  try {
    await createWorkflows(cloud, definition, signal);
    const ours = async (saga: 'few' | 'many') => {
      const startedMs = performance.now();
      const id = randomUUID();
      await engine.start('noops', { saga }, { id });
      await engine.result(id);
      return performance.now() - startedMs;
    };
    const mistral = async (saga: 'few' | 'many') => {
      const input = saga === 'few' ? {} : { items: Array.from({ length: MANY }, (_, at) => at) };
      const startedMs = performance.now();
      const { id } = await startExecution(cloud, { workflow: `sf_bench_${saga}`, input, id: randomUUID() }, signal);
      for (;;) {
        const { state } = await getExecution(cloud, id, signal);
        if (state === 'SUCCESS') break;
        if (state === 'ERROR') throw new Error('a workflow of the laboratory failed');
        await systemClock.sleep(LOOK_MS);
      }
      const tookMs = performance.now() - startedMs;
      await deleteExecution(cloud, id, signal);
      return tookMs;
    };
    for (const [saga, what, count] of [
      ['few', `${FEW} tasks, one after the other`, rounds],
      ['many', `${MANY} tasks, with-items`, Math.min(rounds, MANY_ROUNDS_MAX)],
    ] as const) {
      const times: { ours: number[]; mistral: number[] } = { ours: [], mistral: [] };
      await ours(saga);
      for (let round = 0; round < count; round += 1) {
        times.ours.push(await ours(saga));
        times.mistral.push(await mistral(saga));
      }
      const [us, them] = [timing(`${what}, our engine`, times.ours), timing(`${what}, Mistral`, times.mistral)];
      found.row(us);
      found.row({ ...them, peer: true });
      found.ratio(ratioOf(`${what}: our engine to Mistral`, us, them, 1 / 20));
    }
  } finally {
    await deleteWorkflow(cloud, 'sf_bench_few', signal).catch(() => {});
    await deleteWorkflow(cloud, 'sf_bench_many', signal).catch(() => {});
    await cloud.close();
    await engine.shutdown();
    await store.close();
    await server?.stop();
  }
};
