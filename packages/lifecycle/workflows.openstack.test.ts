import { findStack, listExecutions, listServers } from '@superfluidity/openstack';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { runWorkflow } from './run-workflow.ts';
import { native } from './testing.ts';
import { lab, labSite, type LabSite, why } from './testing/lab-site.ts';
import { done } from './testing/two-sites.ts';

const name = `sf_wf_${process.pid}`;
/** A task that fails as long as its address does not answer, and one that takes its time. */
const definition = `version: '2.0'
${name}:
  input: [who, seconds: 0, url: null]
  output: { said: <% $.said %> }
  tasks:
    greet:
      action: std.echo output=<% 'hello ' + $.who %>
      publish: { said: <% task().result %> }
      on-success:
        - wait
        - ask: <% $.url != null %>
    wait:
      action: std.noop
      wait-before: <% int($.seconds) %>
    ask:
      action: std.http url=<% $.url %>
`;

describe.skipIf(lab === undefined)(`a workflow of Mistral${why}`, () => {
  let store: Store;
  let site: LabSite;
  const signal = AbortSignal.timeout(1_800_000);
  const run = (input: Record<string, unknown>) =>
    runWorkflow(site.test.lifecycle, { site: 'cloud1', definition, input, timeoutMs: 600_000 });

  beforeAll(async () => {
    store = await openStore('pglite:memory');
    site = await labSite(`sf-workflows-${process.pid}`, { store }, { deploy: 'mistral' });
  }, 120_000);
  afterAll(async () => {
    await site.close();
    await store.close();
  }, 600_000);

  it('is followed task by task, and its output and report are kept', { timeout: 300_000 }, async () => {
    const { state, detail } = await done(site.test, run({ who: 'world' }));
    expect([state, detail.error?.message]).toEqual(['COMPLETED', undefined]);
    expect(detail.steps[0]?.detail?.map((line) => `${line.what} ${line.state}`)).toEqual(
      expect.arrayContaining(['greet SUCCESS', 'wait SUCCESS']),
    );
    expect(detail.steps[0]?.result).toMatchObject({ output: { said: 'hello world' }, tasks: { SUCCESS: 2 } });
  });

  it('that fails says what its task said, and a retry runs that task again', { timeout: 300_000 }, async () => {
    const failed = await done(site.test, run({ who: 'nobody', url: 'http://127.0.0.1:1/' }));
    expect(failed.state).toBe('FAILED_TEMP');
    expect(failed.detail.error).toMatchObject({ code: 'SF-SITE-WORKFLOW-FAILED' });
    expect(failed.detail.error?.message).toMatch(/task ask: .*127\.0\.0\.1/s);
    const { operations } = site.test.lifecycle;
    await operations.retry(failed.id);
    expect((await operations.settled(failed.id)).state).toBe('FAILED_TEMP');
    const runs = (await listExecutions(site.cloud, { workflow_name: name }, signal)).filter(
      (one) => (one.input as { readonly who?: string }).who === 'nobody',
    );
    expect(runs).toHaveLength(1);
    await operations.fail(failed.id);
  });

  it('is cancelled with its operation', { timeout: 300_000 }, async () => {
    const { operation } = await run({ who: 'sleeper', seconds: 600 });
    const { operations } = site.test.lifecycle;
    await waitFor(async () => ((await operations.records.show(operation)).steps[0]?.detail?.length ?? 0) > 0);
    await operations.cancel(operation, 'GRACEFUL');
    expect((await operations.settled(operation)).state).toBe('FAILED_TEMP');
    const [last] = (await listExecutions(site.cloud, { workflow_name: name }, signal)).filter(
      (one) => (one.input as { readonly who?: string }).who === 'sleeper',
    );
    expect(last?.state).toBe('CANCELLED');
    await operations.fail(operation);
  });

  it('is followed on by the next server when one dies, and runs once', { timeout: 300_000 }, async () => {
    const { operation } = await run({ who: 'survivor', seconds: 5 });
    await waitFor(async () => {
      const { steps } = await site.test.lifecycle.operations.records.show(operation);
      return (steps[0]?.detail?.length ?? 0) > 0;
    });
    await site.test.restart();
    expect((await site.test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
    const runs = (await listExecutions(site.cloud, { workflow_name: name }, signal)).filter(
      (one) => (one.input as { readonly who?: string }).who === 'survivor',
    );
    expect(runs.map(({ state }) => state)).toEqual(['SUCCESS']);
  });

  it('that is wrong is refused with what Mistral says', { timeout: 300_000 }, async () => {
    const wrong = { site: 'cloud1', name, definition: `version: '2.0'\n${name}:\n  tasks: 7\n`, input: {} };
    const { state, detail } = await done(site.test, runWorkflow(site.test.lifecycle, { ...wrong, timeoutMs: 60_000 }));
    expect(state).toBe('FAILED_TEMP');
    expect(detail.error).toMatchObject({ code: 'SF-SITE-WORKFLOW-INVALID' });
    await site.test.lifecycle.operations.fail(detail.id);
  });

  it('asks Heat for stacks where the site says so, and keeps nothing of it', { timeout: 900_000 }, async () => {
    const service = `wf${process.pid}`;
    const one = native(`
superfluidity: 1
service:
  name: ${service}
  version: '1'
  networks: [{ name: apps, prefix: 10.68.0.0/16 }]
  functions:
    - { name: web, environment: vm, image: 'name:lab-image', ports: [apps], requirements: { cpu: 1, memoryMiB: 64 } }
`);
    const { services } = site.test.lifecycle;
    const deployed = await done(site.test, services.deploy(one));
    expect([deployed.state, deployed.detail.error?.message]).toEqual(['COMPLETED', undefined]);
    expect((await findStack(site.cloud, `${service}.cloud1`, signal))?.stack_status).toBe('CREATE_COMPLETE');
    expect(await listExecutions(site.cloud, { workflow_name: 'superfluidity_ask_heat' }, signal)).toEqual([]);
    expect((await done(site.test, services.terminate(service))).state).toBe('COMPLETED');
    const left = (await listServers(site.cloud, {}, signal)).filter((server) => server.name.startsWith(`${service}.`));
    expect(left).toEqual([]);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
