import type { SimulatedSite } from '@superfluidity/driver-simulated';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { lifecycleHandlers } from './routes.ts';
import { native, type TestLifecycle } from './testing.ts';
import { crashCases, descriptor, done, inventory, survivesCrash, twoSites } from './testing/two-sites.ts';

let store: Store;
const never = new AbortController().signal;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());

let running: TestLifecycle | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(
  options: Omit<Parameters<typeof twoSites>[0], 'store'> = {},
  core: Record<string, unknown> = {},
): Promise<TestLifecycle> {
  running = await twoSites({ store, ...options }, core);
  return running;
}

describe('a service over two sites', () => {
  it('is planned without touching anything, and twice alike', async () => {
    const test = await start();
    const plan = await test.lifecycle.services.plan(descriptor);
    expect(plan.assignments.map(({ unit, site }) => [unit, site])).toEqual([
      ['ue/ue#0', 'edge'],
      ['firewall/firewall#0', 'edge'],
      ['video/video#0', 'core'],
    ]);
    expect(plan.chains).toEqual([{ chain: 'watch', latencyMs: 12, sites: ['edge', 'edge', 'core'], maxMs: 100 }]);
    expect((await test.lifecycle.services.plan(descriptor)).digest).toBe(plan.digest);
    expect(await inventory(test)).toEqual([]);
    expect((await test.lifecycle.lists.services({ limit: 10, sort: 'name' })).items).toEqual([]);
  });

  it('is deployed, moved make before break, and terminated without a trace', async () => {
    const test = await start();
    const { services } = test.lifecycle;
    expect(await done(test, services.deploy(descriptor))).toMatchObject({ state: 'COMPLETED' });
    const before = await services.show('stream');
    expect(before).toMatchObject({ state: 'INSTANTIATED', healthy: true, sites: ['core', 'edge'] });
    expect(before.chains).toMatchObject([{ name: 'watch', version: 1, latencyMs: 12 }]);
    expect(before.networks).toMatchObject([
      { name: 'users', prefix: '10.45.0.0/16', parts: [{ site: 'edge' }], ports: [{ unit: 'ue/ue' }] },
      { name: 'apps', parts: [{ site: 'edge' }, { site: 'core' }], mtu: 1_500 },
    ]);
    const { routers, segments, routes } = await services.overlay('stream');
    // From the firewall the chain leaves its site: by the router of the other, then to the port of the video server.
    const [router, end] = [
      routers.find(({ site }) => site === 'core')!.sid,
      segments.find(({ site }) => site === 'core')!.sid,
    ];
    expect(
      routes.filter(({ direction }) => direction === 'forward').map(({ site, via }) => [site, via.length]),
    ).toEqual([
      ['edge', 1],
      ['edge', 2],
    ]);
    expect(routes.flatMap(({ via }) => (via.length === 2 && via[0] === router ? [via[1]] : []))).toEqual([end]);

    const moved = await done(test, services.move('stream', 'video', 'edge'));
    expect(moved.state).toBe('COMPLETED');
    const order = moved.detail.steps.toSorted((a, b) => a.startedAt! - b.startedAt!).map((step) => step.verb);
    expect(order.indexOf('create-units')).toBeLessThan(order.indexOf('activate-chain'));
    expect(order.indexOf('settle-chain')).toBeLessThan(order.indexOf('remove-units'));
    const after = await services.show('stream');
    expect(after.units.map(({ path, site }) => [path, site])).toContainEqual(['video/video', 'edge']);
    expect(after.chains).toMatchObject([{ name: 'watch', version: 2, latencyMs: 0 }]);
    expect(await inventory(test)).not.toContain('core network apps');

    expect(await done(test, services.terminate('stream'))).toMatchObject({ state: 'COMPLETED' });
    expect(await inventory(test)).toEqual([]);
    expect((await test.lifecycle.lists.services({ limit: 10, sort: 'name' })).items).toEqual([]);
  });

  it('scales out and in within its bounds', async () => {
    const test = await start();
    const { services } = test.lifecycle;
    await done(test, services.deploy(descriptor));
    await done(test, services.scale('stream', 'video', 4));
    expect((await inventory(test)).filter((each) => each.includes('video'))).toHaveLength(4);
    await done(test, services.scale('stream', 'video', 1));
    expect((await inventory(test)).filter((each) => each.includes('video'))).toEqual(['core unit video/video#0']);
    await expect(services.scale('stream', 'video', 9)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-SCALE' });
    await expect(services.scale('stream', 'vidoe', 1)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-UNKNOWN' });
  });

  it('tells what its units use, all of them or those that are named', async () => {
    const test = await start();
    await done(test, test.lifecycle.services.deploy(descriptor));
    const { readUnitMetrics } = lifecycleHandlers(test.lifecycle);
    const read = async (unit?: string[], limit = 200) => {
      const asked = { params: { name: 'stream' }, query: { unit, limit } };
      return readUnitMetrics({ ...asked, principal: { name: 'test', role: 'reader' }, signal: never });
    };
    const all = await read();
    expect(all.map(({ path, site }) => [path, site])).toEqual([
      ['firewall/firewall', 'edge'],
      ['ue/ue', 'edge'],
      ['video/video', 'core'],
    ]);
    expect(all.every(({ cpuMs, memoryBytes, ports }) => cpuMs! >= 0 && memoryBytes! > 0 && ports.length > 0)).toBe(
      true,
    );
    expect((await read(['video', all[0]!.id])).map(({ path }) => path)).toEqual(['video/video', 'firewall/firewall']);
    expect(await read(undefined, 1)).toHaveLength(1);
    // The server looks by itself as well, and keeps what it saw.
    const { getUnitUsage, listPools } = lifecycleHandlers(test.lifecycle);
    const who = { principal: { name: 'test', role: 'reader' as const }, signal: never };
    for (let i = 0; i < 2; i += 1) await test.lifecycle.watcher.look();
    const asked = { params: { name: 'stream', unit: 'video' }, query: undefined, ...who };
    const { unit, readings } = await getUnitUsage(asked as never);
    expect(unit).toBe(all[2]!.id);
    expect(readings.map(({ cpuMs, rxBytes }) => cpuMs! >= 0 && rxBytes! >= 0)).toEqual([true, true]);
    const query = { sort: 'site', limit: 10, site: ['core'] } as never;
    const { items } = await listPools({ params: undefined, query, ...who } as never);
    for (const { site, past } of items) expect([site, past.at.length, past.hits.length]).toEqual(['core', 2, 2]);
    await expect(read(['vidoe'])).rejects.toMatchObject({ code: 'SF-SITE-UNIT-UNKNOWN' });
  });

  it('refuses a second operation, a second service of the name, and a prefix in use', async () => {
    const test = await start({}, { latency: { start: { kind: 'fixed', ms: 300 } } });
    const { services, operations } = test.lifecycle;
    const { operation } = await services.deploy(descriptor);
    await expect(services.terminate('stream')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-BUSY' });
    await expect(services.deploy(descriptor)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-NAME-TAKEN' });
    await expect(services.deploy(descriptor, 'other')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-PREFIX-IN-USE' });
    expect((await operations.settled(operation)).state).toBe('COMPLETED');
  });
});

describe('an operation that fails', () => {
  const failing = { failures: { units: [{ path: 'video/video', times: 1 }] } };

  it('rests in FAILED_TEMP with the cause, and a retry does the rest', async () => {
    const test = await start({ limits: { stepAttempts: 1 } }, failing);
    const { services, operations } = test.lifecycle;
    const failed = await done(test, services.deploy(descriptor));
    expect(failed.state).toBe('FAILED_TEMP');
    expect(failed.detail.error).toMatchObject({ data: { step: 'create:video/video#0' } });
    expect(failed.detail.steps.find((step) => step.id === 'create:video/video#0')).toMatchObject({ state: 'failed' });
    await operations.retry(failed.id);
    expect((await operations.settled(failed.id)).state).toBe('COMPLETED');
    expect((await services.show('stream')).healthy).toBe(true);
  });

  it('is rolled back to nothing', async () => {
    const test = await start({ limits: { stepAttempts: 1 } }, failing);
    const { services, operations } = test.lifecycle;
    const failed = await done(test, services.deploy(descriptor));
    await operations.rollback(failed.id);
    expect((await operations.settled(failed.id)).state).toBe('ROLLED_BACK');
    expect(await inventory(test)).toEqual([]);
    await expect(services.show('stream')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-UNKNOWN' });
  });

  it('can be called failed, and the service terminated after it', async () => {
    const test = await start({ limits: { stepAttempts: 1 } }, failing);
    const { services, operations } = test.lifecycle;
    const failed = await done(test, services.deploy(descriptor));
    await operations.fail(failed.id);
    await expect(operations.retry(failed.id)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-STATE' });
    expect(await done(test, services.terminate('stream'))).toMatchObject({ state: 'COMPLETED' });
    expect(await inventory(test)).toEqual([]);
  });

  it('is cancelled between two steps', async () => {
    const test = await start({}, { latency: { fabric: { kind: 'fixed', ms: 200 } } });
    const { services, operations } = test.lifecycle;
    const { operation } = await services.deploy(descriptor);
    await operations.cancel(operation, 'GRACEFUL');
    const ended = await operations.settled(operation);
    expect(ended).toMatchObject({ state: 'FAILED_TEMP', error: { code: 'SF-CORE-CANCELLED' } });
    await operations.rollback(operation);
    expect((await operations.settled(operation)).state).toBe('ROLLED_BACK');
    expect(await inventory(test)).toEqual([]);
  });
});

describe('a crash', () => {
  it.each(crashCases)(
    'at some points of a $what is survived: each thing is there once',
    async ({ what, expected, pointsMin }) => {
      // At all of them: crash.long.test.ts.
      for (const point of [1, Math.ceil(pointsMin / 2), pointsMin])
        expect(await survivesCrash(store, what, expected, point)).toBe(true);
    },
    60_000,
  );
});

describe('reconciliation', () => {
  it('heals a unit that died, without being asked', async () => {
    const test = await start({ background: true });
    const { services, sites } = test.lifecycle;
    await done(test, services.deploy(descriptor));
    const before = (await services.show('stream')).units.find((unit) => unit.path === 'video/video')!;
    ((await sites.driver('core')) as SimulatedSite).crashUnit(before.id);
    await expect
      .poll(async () => (await services.show('stream')).units.find((unit) => unit.path === 'video/video')?.id, {
        timeout: 5_000,
      })
      .not.toBe(before.id);
    await expect.poll(async () => (await services.show('stream')).healthy, { timeout: 5_000 }).toBe(true);
    const [heal] = (await test.lifecycle.lists.operations({ limit: 1, sort: '-startedAt' })).items;
    expect(heal).toMatchObject({ kind: 'HEAL', automatic: true, state: 'COMPLETED' });
  });

  it('learns the address of a unit that its site made anew, and balancers with it, also after a failure', async () => {
    const test = await start({ background: true, limits: { stepAttempts: 1 } });
    const { services, sites, operations } = test.lifecycle;
    const web = native(`
superfluidity: 1
service:
  name: shop
  version: '1'
  networks: [{ name: apps, prefix: 10.61.0.0/16 }]
  functions:
    - name: web
      environment: container
      image: 'host:'
      ports: [apps]
      scale: { initial: 2, min: 1, max: 4 }
      requirements: { cpu: 0.5, memoryMiB: 64, location: { sites: [core] } }
  balancers: [{ name: front, unit: web, address: 10.99.0.30, port: 80 }]
`);
    await done(test, services.deploy(web));
    const core = (await sites.driver('core')) as SimulatedSite;
    const [unit, other] = (await core.listUnits()).filter(({ service }) => service === 'shop');
    const set = vi.spyOn(core.fabric, 'ensureBalancer');
    set.mockRejectedValueOnce(new Error('not now'));
    const list = core.listUnits.bind(core);
    const moved = (address: string) => async () =>
      (await list()).map((one) =>
        one.id === unit!.id ? { ...one, ports: one.ports.map((port) => ({ ...port, address })) } : one,
      );
    vi.spyOn(core, 'listUnits').mockImplementation(moved('10.61.0.77'));
    const known = async () =>
      (await services.show('shop')).units.flatMap(({ ports }) => ports.map((one) => one.address));
    const before = other!.ports[0]!.address;
    await expect.poll(known, { timeout: 5_000 }).toEqual(expect.arrayContaining(['10.61.0.77', before]));
    const members = set.mock.calls.map(([{ members: all }]) => all.map(({ address }) => address).toSorted());
    expect(members.at(-1)).toEqual(['10.61.0.77', before].toSorted());
    expect(members.length).toBeGreaterThan(1);
    // While it has none, and while it is made, that is no news.
    vi.mocked(core.listUnits).mockImplementation(moved(''));
    await operations.settled((await services.scale('shop', 'web', 3)).operation);
    expect(set.mock.calls.at(-1)![0].members.map(({ address }) => address)).toContain('10.61.0.77');
    const { items } = await test.lifecycle.lists.operations({ limit: 10, sort: '-startedAt' });
    expect(items.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'SCALE COMPLETED',
      'HEAL COMPLETED',
      'HEAL ROLLED_BACK',
      'INSTANTIATE COMPLETED',
    ]);
    expect(test.events.filter(({ kind }) => kind === 'unit').map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/at core has 10\.61\.0\.77 now, and had 10\.61\./),
    );
  });
});
