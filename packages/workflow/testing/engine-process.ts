/**
 * A server in miniature, to be killed and frozen by tests: `node engine-process.ts <store URL> <executor id> <tables or dbos>`.
 * Commands come as lines of JSON on the standard input, news go as lines of JSON to the standard output.
 */
import { createInterface } from 'node:readline';
import { invariant, type Logger, systemClock } from '@superfluidity/core';
import { openStore } from '@superfluidity/store';
import { sql } from 'kysely';
import { dbosRuns, durableEngine } from '../durable-engine.ts';
import type { StepCall } from '../engine.ts';

const [url, executorId, keeper] = process.argv.slice(2);
invariant(
  url !== undefined && executorId !== undefined,
  'usage: engine-process.ts <store URL> <executor id> <tables or dbos>',
);

const tell = (news: object) => process.stdout.write(`${JSON.stringify(news)}\n`);
const warn = (fields: object, message: string) => tell({ warn: message, ...fields });
const log: Logger = { debug() {}, info: warn, warn, error: warn };

const store = await openStore(url, { log });
const engine = durableEngine(
  { store, executorId, applicationVersion: '1', leaseMs: 1_500, heartbeatMs: 300 },
  keeper === 'dbos' ? await dbosRuns(store, executorId, '1') : undefined,
);

/** A site that keeps the greatest fence it has seen for a key and refuses lower ones, and notes what it was asked. */
async function act(key: string, fence: number): Promise<void> {
  // In one statement: the note must not come later than the deed when this process is frozen in between.
  await sql`
    with accepted as (
      insert into fake_site (key, fence) values (${key}, ${fence})
      on conflict (key) do update set fence = excluded.fence where fake_site.fence <= excluded.fence returning 1)
    insert into fake_effect (key, fence, executor, accepted)
    select ${key}, ${fence}, ${executorId}, exists (select from accepted)
  `.execute(store.db);
}

engine.register({
  name: 'count',
  async run(context, input) {
    const { steps, stepMs } = input as { steps: number; stepMs: number };
    for (let n = 1; n <= steps; n += 1) {
      const work = async ({ key, fence, signal }: StepCall) => {
        tell({ begun: n, run: context.workflowId, fence });
        await act(key, fence);
        await systemClock.sleep(stepMs, signal);
        tell({ ended: n, run: context.workflowId });
        return n;
      };
      await context.step(`s${n}`, work, { retry: { attempts: 100, delayMs: 100, factor: 1 } });
    }
    return steps;
  },
});

await sql`create table if not exists fake_site (key text primary key, fence bigint not null)`.execute(store.db);
await sql`create table if not exists fake_effect (
  id bigint generated always as identity, key text, fence bigint, executor text, accepted boolean)`.execute(store.db);
await engine.launch();
tell({ ready: executorId });

for await (const line of createInterface({ input: process.stdin })) {
  const { start, input, effects } = JSON.parse(line) as { start?: string; input?: object; effects?: true };
  if (start !== undefined) {
    await engine.start('count', input as never, { id: start });
    void engine.result(start).then(({ status }) => tell({ finished: start, status }));
  }
  if (effects) {
    const { rows } = await sql`select key, fence, executor, accepted from fake_effect order by id`.execute(store.db);
    tell({ effects: rows });
  }
}
await engine.shutdown();
await store.close();
