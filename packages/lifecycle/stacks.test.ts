import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, describe, expect, test as it } from 'vitest';
import { runWorkflow } from './run-workflow.ts';
import { native, type TestLifecycle } from './testing.ts';
import { descriptor, done, inventory, twoSites } from './testing/two-sites.ts';
import { cancelledRuns, simulatedWithStacks, stacksThere } from './testing/with-stacks.ts';

let store: Store;
let test: TestLifecycle | undefined;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());
afterEach(async () => {
  await test?.close();
  test = undefined;
});

const sites = () => twoSites({ store, kinds: [simulatedWithStacks] }, { stacks: true });

describe('a service of which one part is a stack', () => {
  it('has one step for it, changes it in place, and leaves nothing', async () => {
    test = await sites();
    const { services } = test.lifecycle;
    const plan = await services.plan(descriptor);
    expect(plan.steps.filter(({ site }) => site === 'core').map(({ id, verb }) => `${id} ${verb}`)).toEqual([
      'stack@core set-stack',
    ]);
    expect(plan.previews).toEqual([
      {
        site: 'core',
        step: 'stack@core',
        changes: [{ change: 'add', name: 'unit_video_video_0', type: 'OS::Nova::Server' }],
      },
    ]);
    const deployed = await done(test, services.deploy(descriptor));
    expect(deployed.state).toBe('COMPLETED');
    expect(deployed.detail.steps.find(({ id }) => id === 'stack@core')?.detail).toEqual([
      { at: 1, what: 'unit_video_video_0', state: 'CREATE_COMPLETE' },
    ]);
    expect(stacksThere().map(({ id }) => id)).toEqual(['stream@core']);
    expect((await services.show('stream')).units).toHaveLength(3);

    expect((await done(test, services.scale('stream', 'video', 3))).state).toBe('COMPLETED');
    expect(stacksThere()[0]?.units.map(({ server }) => server)).toEqual(
      [0, 1, 2].map((at) => `unit_video_video_${at}`),
    );
    const healed = await done(test, services.heal('stream', 'video'));
    expect(healed.detail.steps.map(({ verb }) => verb).filter((verb) => verb.endsWith('stack'))).toEqual([
      'set-stack',
      'set-stack',
    ]);
    expect(
      stacksThere()[0]
        ?.units.map(({ server }) => server)
        .toSorted(),
    ).toEqual([0, 1, 2].map((at) => `unit_video_video_${at}__2`));
    // What is at a site stays what it is there; what comes to another is what that prefers.
    expect((await done(test, services.move('stream', 'video', 'edge'))).state).toBe('COMPLETED');
    expect(stacksThere()).toEqual([]);
    expect((await done(test, services.move('stream', 'video', 'core'))).state).toBe('COMPLETED');
    expect(stacksThere()).toHaveLength(1);
    expect((await done(test, services.terminate('stream'))).state).toBe('COMPLETED');
    expect(stacksThere()).toEqual([]);
    expect(await inventory(test)).toEqual([]);
  });

  it('is made by calls where that is asked for, and refused where no site has stacks', async () => {
    test = await sites();
    const { services } = test.lifecycle;
    const { steps } = await services.plan(descriptor, 'stream', { via: 'direct' });
    expect(steps.some(({ verb }) => verb === 'set-stack')).toBe(false);
    const atEdge = native(`
superfluidity: 1
service:
  name: one
  version: '1'
  networks: [{ name: apps, prefix: 10.61.0.0/16 }]
  functions: [{ name: web, environment: container, image: 'host:', ports: [apps], requirements: { location: { sites: [edge] } } }]
`);
    await expect(services.deploy(atEdge, 'one', { via: 'heat' })).rejects.toMatchObject({ code: 'SF-SITE-NO-STACKS' });
  });

  it('is taken back and goes on as other services do', async () => {
    test = await sites();
    // A crash at every point that there is.
    for (let point = 1; point < 40; point += 1) {
      let left = point;
      await test.restart(() => (left -= 1) === 0);
      const { services, operations } = test.lifecycle;
      const { operation } = await services.deploy(descriptor);
      const crashed = await Promise.race([
        test.engine.crashed.then(() => true),
        operations.settled(operation).then(() => false),
      ]);
      await test.restart();
      expect((await test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
      expect(stacksThere()).toHaveLength(1);
      await done(test, test.lifecycle.services.terminate('stream'));
      expect(await inventory(test)).toEqual([]);
      expect(stacksThere()).toEqual([]);
      if (!crashed) {
        expect(point).toBeGreaterThan(5);
        return;
      }
    }
    expect.unreachable();
  });
});

describe('a workflow of a site', () => {
  const run = (name: string) =>
    runWorkflow(test!.lifecycle, { site: 'core', name, input: { to: 'you' }, timeoutMs: 60_000 });

  it('is an operation with what its tasks told and what came of it, which names no values of the input', async () => {
    test = await sites();
    const { state, detail } = await done(test, run('greets'));
    expect(state).toBe('COMPLETED');
    expect(detail.steps[0]).toMatchObject({
      verb: 'run-workflow',
      detail: [{ what: 'first', state: 'SUCCESS' }],
      result: { output: { given: { to: 'you' } }, tasks: { SUCCESS: 1 } },
    });
    expect(detail.params).toEqual({ site: 'core', workflow: 'greets', input: ['to'] });
    const failed = await done(test, run('fails'));
    expect(failed.state).toBe('FAILED_TEMP');
    expect(failed.detail.error?.message).toContain('first: no');
    await expect(run('fails')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-BUSY' });
  });

  it('is cancelled with its operation, and only then', async () => {
    test = await sites();
    const { operation } = await run('waits');
    await test.restart();
    expect(cancelledRuns).toEqual([]);
    await test.lifecycle.operations.cancel(operation, 'GRACEFUL');
    expect((await test.lifecycle.operations.settled(operation)).state).toBe('FAILED_TEMP');
    expect(cancelledRuns).toHaveLength(1);
  });
});
