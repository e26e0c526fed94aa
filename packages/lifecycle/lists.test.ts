import {
  type CharacterisationReport,
  listShapes,
  type ListPage,
  type ListQuery,
  type ListShape,
  pageOf,
} from '@superfluidity/api';
import { systemClock } from '@superfluidity/core';
import { simulated } from '@superfluidity/driver-simulated';
import type { EventLog } from '@superfluidity/observe';
import { openStore, type Store } from '@superfluidity/store';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCharacterisations } from './characterisations.ts';
import { defaultLimits } from './limits.ts';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';

let store: Store;
let test: TestLifecycle;

const service = (name: string, units: number) =>
  native(`
superfluidity: 1
service:
  name: ${name}
  version: "1.${units}"
  networks:
    - {name: net, prefix: 10.${units}.0.0/24}
  functions:
${Array.from(
  { length: units },
  (_, i) => `
    - {name: f${i}, environment: container, image: "host:", command: [any], ports: [net], requirements: {cpu: 0.1, memoryMiB: 16}}`,
).join('')}
`);

beforeAll(async () => {
  store = await openStore('pglite:memory');
  test = await testLifecycle({ store, kinds: [simulated] });
  const { sites, services } = test.lifecycle;
  const storage = [
    { name: 'fast', kind: 'nvme', capacityMiB: 1_000, rack: 'r1' },
    { name: 'slow', kind: 'hdd', capacityMiB: 9_000, usedMiB: 8_000 },
  ];
  await sites.add(simulatedSite('edge', { hosts: { count: 2, hostsPerRack: 1 }, storage }));
  await sites.add(simulatedSite('core'));
  for (const [name, units] of [
    ['alpha', 3],
    ['beta', 1],
    ['gamma', 2],
  ] as const) {
    const { operation } = await services.deploy(service(name, units));
    await test.lifecycle.operations.settled(operation);
  }
});
afterAll(async () => {
  await test.close();
  await store.close();
});

/** What the database finds is what a list in memory gives, whatever is asked for. */
function sameAsInMemory<T, Q extends ListQuery>(
  list: (query: Q) => Promise<ListPage<T>>,
  shape: ListShape<T>,
  values: Readonly<Record<string, readonly string[]>>,
  texts: readonly string[],
) {
  const sorts = Object.keys(shape.sorts).flatMap((name) => [name, `-${name}`]);
  const filters = fc.record(
    Object.fromEntries(Object.entries(values).map(([name, all]) => [name, fc.subarray([...all], { minLength: 1 })])),
    { requiredKeys: [] },
  );
  return fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sorts),
      fc.integer({ min: 1, max: 3 }),
      fc.option(fc.constantFrom(...texts), { nil: undefined }),
      filters,
      async (sort, limit, search, filter) => {
        const all = (await list({ limit: 1_000, sort: sorts[0]! } as Q)).items;
        expect(all.length).toBeGreaterThan(1);
        const query = { ...filter, limit, sort, search };
        for (let after: string | undefined, more = true; more; ) {
          const [page, wanted] = [
            await list({ ...query, after } as unknown as Q),
            pageOf(all, { ...query, after }, shape),
          ];
          expect(page).toEqual(wanted);
          after = page.next;
          more = after !== undefined;
        }
      },
    ),
    { numRuns: 40 },
  );
}

const optionsOf = (opened: Store) => ({
  store: opened,
  clock: systemClock,
  events: { append: () => {} } as unknown as EventLog,
});

const yesNo = ['true', 'false'];

describe('lists that the database gives', () => {
  it('of services', () =>
    sameAsInMemory(
      (query: Parameters<typeof test.lifecycle.lists.services>[0]) => test.lifecycle.lists.services(query),
      listShapes.services,
      { state: ['INSTANTIATED', 'NOT_INSTANTIATED'], healthy: yesNo, busy: yesNo, site: ['edge', 'core', 'moon'] },
      ['a', 'ET', 'gamma', '%', '_', "'"],
    ));

  it('of units', () =>
    sameAsInMemory(
      (query: Parameters<typeof test.lifecycle.lists.units>[0]) => test.lifecycle.lists.units(query),
      listShapes.units,
      {
        service: ['alpha', 'beta', 'none'],
        site: ['edge', 'core'],
        state: ['running', 'failed'],
        environment: ['container', 'vm'],
      },
      ['f0', 'alpha', 'F1/F1#0', 'h1'],
    ));

  it('of operations', () =>
    sameAsInMemory(
      (query: Parameters<typeof test.lifecycle.lists.operations>[0]) => test.lifecycle.lists.operations(query),
      listShapes.operations,
      {
        service: ['alpha', 'beta'],
        state: ['COMPLETED', 'PROCESSING'],
        kind: ['INSTANTIATE', 'MOVE'],
        automatic: yesNo,
      },
      ['alp', 'op-', 'zzz'],
    ));

  it('of characterisations, which are published, replaced, shown and deleted', async () => {
    const { characterisations, lists } = test.lifecycle;
    const report = (experiments: number): CharacterisationReport => ({
      service: `s${experiments % 2}.yaml`,
      experiments,
      samples: 7 - experiments,
      accuracy: 0.5 + experiments / 10,
      outliers: 0,
      useCase: 'http',
      parameters: ['cpu'],
      metrics: [],
      configurations: [],
      measured: 1,
      all: 2,
      classes: [{ name: 'A', samples: 1, keys: [] }],
      rules: [],
      warnings: [],
    });
    for (const [i, name] of ['one', 'two', 'three'].entries()) await characterisations.put(name, report(i));
    await sameAsInMemory(
      (query: Parameters<typeof lists.characterisations>[0]) => lists.characterisations(query),
      listShapes.characterisations,
      { service: ['s0.yaml', 's1.yaml', 's2.yaml'] },
      ['ONE', 'o', 's1', '%'],
    );
    expect(await characterisations.show('two')).toMatchObject({ ...report(1), name: 'two' });
    expect(await characterisations.put('two', report(5))).toMatchObject({ name: 'two', experiments: 5 });
    await characterisations.remove('two');
    const unknown = expect.objectContaining({ code: 'SF-LIFECYCLE-UNKNOWN' });
    await expect(characterisations.remove('two')).rejects.toEqual(unknown);
    await expect(characterisations.show('two')).rejects.toEqual(unknown);
    expect(test.events.filter(({ kind }) => kind === 'characterisation').map(({ subject }) => subject)).toEqual([
      'one',
      'two',
      'three',
      'two',
      'two',
    ]);
    const few = createCharacterisations({ ...optionsOf(store), limits: { ...defaultLimits, characterisations: 2 } });
    await expect(few.put('four', report(0))).rejects.toMatchObject({ code: 'SF-CORE-LIMIT' });
    expect((await few.put('one', report(3))).experiments).toBe(3);
  });

  it('of descriptors', () =>
    sameAsInMemory(
      (query: Parameters<typeof test.lifecycle.lists.descriptors>[0]) => test.lifecycle.lists.descriptors(query),
      listShapes.descriptors,
      { format: ['native', 'sol006'], operationalState: ['ENABLED', 'DISABLED'], usageState: ['IN_USE', 'NOT_IN_USE'] },
      ['BETA', 'desc-', 'x'],
    ));

  it('of sites and hosts, which are in memory, with the units that are on them', async () => {
    const { lists } = test.lifecycle;
    const hosts = await lists.hosts({ limit: 100, sort: '-unitCount' });
    expect(hosts.total).toBe(4);
    expect(hosts.items.reduce((sum, host) => sum + host.unitCount, 0)).toBe(6);
    expect((await lists.hosts({ limit: 9, sort: 'name', site: ['edge'] })).items.map(({ site }) => site)).toEqual([
      'edge',
      'edge',
    ]);
    expect((await lists.sites({ limit: 9, sort: 'name', tier: ['core'] })).items.map(({ name }) => name)).toEqual([
      'core',
    ]);
    const load = await lists.hostLoad();
    expect(load.map(({ site, hosts: its, cpu }) => [site, its.length, cpu.length])).toEqual([
      ['edge', 2, 2],
      ['core', 2, 2],
    ]);
  });
});

it('a service whose units are counted is the same service', async () => {
  const { services, lists } = test.lifecycle;
  const { units, ...whole } = await services.show('alpha');
  const { units: told, groups = [], ...counted } = await services.show('alpha', 2);
  expect(counted).toEqual(whole);
  expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  expect(groups.every(({ count, byState }) => byState.running === count)).toBe(true);
  for (const unit of told) expect(units).toContainEqual(unit);
  expect((await services.show('alpha', 3)).groups).toBeUndefined();
  const listed = (await lists.services({ limit: 10, sort: 'name' })).items.find(({ name }) => name === 'alpha')!;
  const { unitCount, runningCount, sites, healthy } = whole;
  expect(listed).toMatchObject({ unitCount, runningCount, sites, healthy });
});

describe('networks', () => {
  it('are those of services, with the ports that are there, and those of sites', async () => {
    const { lists } = test.lifecycle;
    const { items, total } = await lists.networks({ limit: 10, sort: '-portCount' });
    expect(total).toBe(5);
    const ofServices = items.filter(({ of }) => of === 'service');
    expect(ofServices.map(({ id, prefix, portCount }) => `${id} ${prefix} ${portCount}`)).toEqual([
      'alpha.net 10.3.0.0/24 3',
      'gamma.net 10.2.0.0/24 2',
      'beta.net 10.1.0.0/24 1',
    ]);
    const { units } = test.lifecycle.lists;
    const at = new Set((await units({ limit: 9, sort: 'name', service: ['alpha'] })).items.map(({ site }) => site));
    expect(ofServices[0]!.sites).toEqual([...at].sort());
    const own = await lists.networks({ limit: 10, sort: 'name', of: ['site'], site: ['edge'] });
    expect(own.items).toMatchObject([{ owner: 'edge', portCount: 2 }]);
    expect((await lists.networks({ limit: 1, sort: 'owner', search: '10.2.' })).items[0]!.owner).toBe('gamma');
  });
});

describe('racks and storage of sites', () => {
  it('are told where a site tells them, and found by the server', async () => {
    const { lists, sites } = test.lifecycle;
    const base = { limit: 10, sort: '-fill' } as const;
    const all = await lists.storage(base);
    expect(all.items.map(({ site, name, usedMiB }) => [site, name, usedMiB])).toEqual([
      ['edge', 'slow', 8_000],
      ['edge', 'fast', 0],
    ]);
    expect((await lists.storage({ ...base, kind: ['nvme'], sort: 'kind' })).items.map(({ name }) => name)).toEqual([
      'fast',
    ]);
    const racks = new Map((await lists.hostLoad()).map(({ site, racks, rackUnits }) => [site, { racks, rackUnits }]));
    expect(racks.get('edge')).toEqual({ racks: ['r1', 'r2'], rackUnits: [1, 1] });
    expect(racks.get('core')).toEqual({});
    const listed = await lists.racks({ limit: 1, sort: 'name', site: ['edge'] });
    expect(listed).toMatchObject({ total: 2, items: [{ site: 'edge', name: 'r1', servers: [{ unit: 1 }] }] });
    const more = await lists.racks({ limit: 9, sort: 'name', site: ['edge'], after: listed.next });
    expect(more.items.map(({ name }) => name)).toEqual(['r2']);
    const inRack = await lists.hosts({ limit: 10, sort: 'name', rack: ['r1'] });
    expect(inRack.items.map(({ name }) => name)).toEqual(['h1']);
    expect((await sites.show('edge')).storage).toHaveLength(2);
  });
});
