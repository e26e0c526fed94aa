import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';
import { SharedSites } from './testing/shared-sites.ts';
import { done, inventory } from './testing/two-sites.ts';

const folder = fileURLToPath(new URL('../../examples/mixed', import.meta.url));
const text = readFileSync(`${folder}/service.yaml`, 'utf8');
const example = { ...native(text), baseFolder: folder };
const there = [
  'clouds network shared',
  'clouds unit machine/machine#0',
  'pods network shared',
  'pods unit inside/inside#0',
  'pods unit metal/metal#0',
];

let store: Store;
let shared: SharedSites;
let test: TestLifecycle;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, 60_000);
afterAll(() => store.close());

const cloud = { ...simulatedSite('clouds'), kind: 'openstack', tier: 'cloud' };
const pods = (of: object = { shares: 'clouds' }, name = 'pods') => ({
  ...simulatedSite(name, { ...of }),
  kind: 'kubernetes',
  tier: 'cluster',
});

beforeEach(async () => {
  shared = new SharedSites();
  test = await testLifecycle({ store, kinds: [shared.cloud, shared.cluster] });
  await test.lifecycle.sites.add(cloud);
});
afterEach(async () => {
  for (const site of test.lifecycle.sites.drivers().values()) await site.purge();
  await test.close();
});

describe('a site in the networks of another one', () => {
  it('is refused where that is not there, or of another kind, and keeps the other one from being removed', async () => {
    const { sites } = test.lifecycle;
    const refused = (reason: string) => ({
      code: 'SF-LIFECYCLE-SHARED-NETWORK',
      message: expect.stringContaining(reason),
      details: { hint: expect.stringContaining('clouds') },
    });
    await expect(sites.add(pods({ shares: 'mars' }))).rejects.toMatchObject(refused('mars, which is not there'));
    await sites.add(pods({}, 'other'));
    await expect(sites.add(pods({ shares: 'other' }))).rejects.toMatchObject(refused('of kind kubernetes and not'));
    await sites.add(pods());
    await expect(sites.remove('clouds')).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-IN-USE',
      message: expect.stringContaining('site pods is in its networks'),
    });
    await sites.remove('pods');
    await sites.remove('other');
    await sites.remove('clouds');
  });

  it('has units beside those of the other one, on one network that is made once and goes last', async () => {
    const { services, sites } = test.lifecycle;
    await sites.add(pods());
    const plan = await services.plan(example, 'mixed');
    expect(plan.assignments.map(({ unit, site, host }) => [unit, site, host])).toEqual([
      ['machine/machine#0', 'clouds', expect.any(String)],
      ['metal/metal#0', 'pods', 'h1'],
      ['inside/inside#0', 'pods', 'h2'],
    ]);
    const { detail, state } = await done(test, services.deploy(example, 'mixed'));
    expect(state).toBe('COMPLETED');
    expect(detail.steps.map(({ title }) => title)).toContain(
      'create network shared at pods (10.59.0.0/20), which is that of clouds',
    );
    expect(await inventory(test)).toEqual(there);
    expect([...shared.joined]).toEqual([['pods mixed.shared', shared.made.get('clouds mixed.shared')]]);
    const specs = await Promise.all([...sites.drivers().values()].map((site) => site.fabric.listNetworks()));
    expect(specs[0]).toEqual(specs[1]);

    const { networks } = await services.show('mixed');
    expect(networks![0]!.parts).toEqual(['clouds', 'pods'].map((site) => ({ site, prefix: '10.59.0.0/20' })));

    // Somebody else's network, and a purge that it would hold.
    await expect(sites.purge('clouds')).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-IN-USE',
      details: { hint: expect.stringContaining('site purge pods') },
    });
    await expect(sites.add(pods({}))).rejects.toMatchObject({ code: 'SF-LIFECYCLE-IN-USE' });

    const gone = await done(test, services.terminate('mixed'));
    expect(gone.state).toBe('COMPLETED');
    const step = (title: string) => gone.detail.steps.find((one) => one.title === title)!;
    expect(step('remove network shared at clouds').dependsOn).toContain(step('remove network shared at pods').id);
    expect(await inventory(test)).toEqual([]);
    expect([...shared.made, ...shared.joined]).toEqual([]);
  });

  it('joins a network of a cloud in which the service has no unit, and one that is made anew', async () => {
    const { services, sites } = test.lifecycle;
    await sites.add(pods());
    const [head, , metal, inside] = text.split(/^ {4}- name: (?=machine|metal|inside)/m);
    const alone = native(`${head}    - name: ${metal}    - name: ${inside}`);
    expect(await done(test, services.deploy(alone, 'mixed'))).toMatchObject({ state: 'COMPLETED' });
    expect(await inventory(test)).toEqual(there.filter((one) => !one.includes('machine')));
    const before = shared.joined.get('pods mixed.shared');
    expect(before).toBeDefined();
    const otherwise = native(text.replace('10.59.0.0/16', '10.58.0.0/16'));
    expect(await done(test, services.update('mixed', otherwise, {}))).toMatchObject({ state: 'COMPLETED' });
    expect(await inventory(test)).toEqual(there);
    expect(shared.joined.get('pods mixed.shared')).toEqual(shared.made.get('clouds mixed.shared'));
    expect(shared.joined.get('pods mixed.shared')).not.toEqual(before);
    await done(test, services.terminate('mixed'));
    expect(await inventory(test)).toEqual([]);
  });

  it('is in one of them at a time: others are refused by name, of the service and of other services', async () => {
    const { services, sites } = test.lifecycle;
    await sites.add(pods());
    const two = text
      .replace('  functions:', '    - {name: more, prefix: 10.58.0.0/16}\n  functions:')
      .replace(/(name: metal[\s\S]*?ports: )\[shared\]/, '$1[more]');
    await expect(services.plan(native(two), 'two')).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-SHARED-NETWORK',
      message: expect.stringContaining('would be in more of two, shared of two'),
    });
    await done(test, services.deploy(example, 'mixed'));
    const other = native(text.replace('10.59.0.0/16', '10.58.0.0/16'));
    await expect(services.plan(other, 'next')).rejects.toMatchObject({
      message: expect.stringContaining('would be in shared of next, shared of mixed'),
    });
    // Scaling, healing and the like are about the network that is there.
    const [inside] = (await services.show('mixed')).units.filter(({ path }) => path === 'inside/inside');
    expect(await done(test, services.healUnits('mixed', new Set([inside!.id]), false))).toMatchObject({
      state: 'COMPLETED',
    });
    await done(test, services.terminate('mixed'));
  });

  it('joins anew a network that somebody took away from the cloud', async () => {
    const { services, sites } = test.lifecycle;
    await sites.add(pods());
    await done(test, services.deploy(example, 'mixed'));
    const before = shared.joined.get('pods mixed.shared');
    // As an administrator of the cloud does it, whoever has ports there.
    shared.joined.clear();
    const call = { key: 'somebody', fence: shared.fence, signal: new AbortController().signal };
    const clouds = sites.drivers().get('clouds')!;
    const [lost] = (await services.show('mixed')).units.filter(({ site }) => site === 'clouds');
    await clouds.removeUnits([lost!.id], call);
    await clouds.fabric.removeNetwork('mixed.shared', call);
    expect(await done(test, services.heal('mixed'))).toMatchObject({ state: 'COMPLETED' });
    expect(await inventory(test)).toEqual(there);
    expect(shared.joined.get('pods mixed.shared')).toEqual(shared.made.get('clouds mixed.shared'));
    expect(shared.joined.get('pods mixed.shared')).not.toEqual(before);
    await done(test, services.terminate('mixed'));
  });

  it('is taken back whole when the cluster refuses, in the order in which one thing holds another', async () => {
    const { services, sites, operations } = test.lifecycle;
    await sites.add(pods());
    shared.before = (what) => {
      if (what === 'create shared at pods') throw new Error('the namespace is in another network');
    };
    const { id, state } = await done(test, services.deploy(example, 'mixed'));
    expect(state).toBe('FAILED_TEMP');
    await operations.rollback(id);
    expect((await operations.settled(id)).state).toBe('ROLLED_BACK');
    expect(await inventory(test)).toEqual([]);
    expect([...shared.made, ...shared.joined]).toEqual([]);
  });

  it('goes on after a crash at any point, with one network', { timeout: 120_000 }, async () => {
    await test.lifecycle.sites.add(pods());
    for (const what of ['deploy', 'terminate'] as const) {
      for (let point = 1, crashed = true; crashed; point += 1) {
        if (what === 'terminate') await done(test, test.lifecycle.services.deploy(example, 'mixed'));
        let left = point;
        await test.restart(() => {
          left -= 1;
          return left === 0;
        });
        const { services, operations } = test.lifecycle;
        const { operation } = await (what === 'deploy'
          ? services.deploy(example, 'mixed')
          : services.terminate('mixed'));
        crashed = await Promise.race([
          test.engine.crashed.then(() => true),
          operations.settled(operation).then(() => false),
        ]);
        await test.restart();
        expect((await test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
        if (what === 'deploy') {
          expect(await inventory(test)).toEqual(there);
          expect([...shared.joined.values()]).toEqual([...shared.made.values()]);
          await done(test, test.lifecycle.services.terminate('mixed'));
        }
        expect(await inventory(test)).toEqual([]);
        expect([...shared.made, ...shared.joined]).toEqual([]);
      }
    }
  });
});
