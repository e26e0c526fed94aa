import { openStore, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test as it } from 'vitest';
import { native, type TestLifecycle } from './testing.ts';
import { done, inventory, twoSites } from './testing/two-sites.ts';
import { foreignStacks, simulatedWithStacks, stacksThere } from './testing/with-stacks.ts';

const PATIENCE_MS = 120_000;
const found = (unit: string) => ({
  [`${unit}_port`]: { type: 'OS::Neutron::Port', properties: { network: { get_resource: 'net' } } },
  [unit]: {
    type: 'OS::Nova::Server',
    properties: {
      image: { get_param: 'image' },
      flavor: 'm1.tiny',
      networks: [{ port: { get_resource: `${unit}_port` } }],
      metadata: { team: 'shops' },
    },
  },
});
const template = {
  heat_template_version: '2018-08-31',
  parameters: { image: { type: 'string' }, token: { type: 'string', hidden: true } },
  resources: {
    net: { type: 'OS::Neutron::Net', properties: { name: 'apps' } },
    range: {
      type: 'OS::Neutron::Subnet',
      properties: { network: { get_resource: 'net' }, cidr: '10.9.0.0/24', ip_version: 4 },
    },
    disk: { type: 'OS::Cinder::Volume', properties: { size: 1 } },
    ...found('web'),
    ...found('db'),
  },
};
const stack = { id: 'aa-bb', name: 'shop', template, parameters: { image: 'busybox' }, files: {}, tags: ['theirs'] };
const adoption = { site: 'core', stack: 'shop' };

let store: Store;
let test: TestLifecycle;
beforeAll(async () => {
  store = await openStore('pglite:memory');
}, PATIENCE_MS);
beforeEach(async () => {
  foreignStacks.set('shop', stack);
  test = await twoSites({ store, kinds: [simulatedWithStacks] }, { stacks: true });
}, PATIENCE_MS);
afterEach(() => test.close());
afterAll(() => store.close());

const names = () =>
  stacksThere()[0]
    ?.units.map(({ server, isAdopted }) => [server, isAdopted])
    .toSorted();
const resourcesNow = () => Object.keys(stacksThere()[0]?.template['resources'] as object);

describe('a stack that somebody else made', { timeout: PATIENCE_MS }, () => {
  it('is planned, adopted, shown, changed beside what was found, healed as it was, and terminated', async () => {
    const { adoptions, services, catalogue } = test.lifecycle;
    const plan = await adoptions.plan(adoption);
    expect(plan.steps.map(({ verb }) => verb)).toEqual(['adopt-stack']);
    expect(plan.assignments.map(({ unit, site }) => `${unit} ${site}`)).toEqual(['web/web#0 core', 'db/db#0 core']);
    expect(plan.carried?.join('\n')).toMatch(/flavor 'm1.tiny'.*carried/);
    expect(stacksThere()).toEqual([]);

    expect((await done(test, adoptions.adopt(adoption))).state).toBe('COMPLETED');
    expect(stacksThere()[0]?.template).toEqual(template);
    expect(names()).toEqual([
      ['db', true],
      ['web', true],
    ]);
    const shown = await services.show('shop');
    expect(shown.units.map(({ path, state, site }) => [path, state, site])).toEqual([
      ['db/db', 'running', 'core'],
      ['web/web', 'running', 'core'],
    ]);
    expect(await inventory(test)).toEqual(['core network apps', 'core unit db/db#0', 'core unit web/web#0']);

    // The descriptor is the template, with what its parameters were: another server in it is another unit.
    const { source } = await catalogue.show(shown.descriptorId);
    const text = JSON.parse(source) as typeof template;
    const more = { ...text, resources: { ...text.resources, ...found('cache') } };
    const files = [{ path: 'shop.yaml', base64: Buffer.from(JSON.stringify(more, null, 2)).toString('base64') }];
    const next = await catalogue.resolve({ files });
    expect((await done(test, services.update('shop', next, {}))).state).toBe('COMPLETED');
    expect(names()).toEqual([
      ['db', true],
      ['superfluidity_unit_cache_cache_0', undefined],
      ['web', true],
    ]);
    expect(stacksThere()[0]?.networks).toMatchObject([{ network: 'net', subnet: 'range', isAdopted: true }]);
    expect(resourcesNow()).toEqual(expect.arrayContaining(Object.keys(template.resources)));

    const before = stacksThere()[0]!.units.find(({ server }) => server === 'db')!.spec.id;
    expect((await done(test, services.heal('shop', 'db'))).state).toBe('COMPLETED');
    const after = stacksThere()[0]!.units.find(({ server }) => server === 'db');
    expect(after).toMatchObject({ isAdopted: true, ports: ['db_port'] });
    expect(after?.spec.id).not.toBe(before);

    const less = await catalogue.resolve({ files: [{ path: 'shop.yaml', base64: without('web', text) }] });
    expect((await done(test, services.update('shop', less, {}))).state).toBe('COMPLETED');
    expect(resourcesNow().toSorted()).toEqual(['db', 'db_port', 'disk', 'net', 'range']);

    expect((await done(test, services.terminate('shop'))).state).toBe('COMPLETED');
    expect(stacksThere()).toEqual([]);
    expect(await inventory(test)).toEqual([]);
  });

  it('is given back when its adoption fails, and adopted once when the server dies in its middle', async () => {
    for (let point = 1; point < 20; point += 1) {
      let left = point;
      await test.restart(() => (left -= 1) === 0);
      const { operation } = await test.lifecycle.adoptions.adopt(adoption);
      const crashed = await Promise.race([
        test.engine.crashed.then(() => true),
        test.lifecycle.operations.settled(operation).then(() => false),
      ]);
      await test.restart();
      expect((await test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
      expect(names()).toHaveLength(2);
      expect((await done(test, test.lifecycle.services.terminate('shop'))).state).toBe('COMPLETED');
      if (!crashed) break;
    }
    // Of two units the second cannot be: what the first step did is taken back.
    const broken = { ...template, resources: { ...template.resources, ...found('web') } };
    foreignStacks.set('shop', { ...stack, template: broken, id: 'fails' });
    const failed = await done(test, test.lifecycle.adoptions.adopt(adoption));
    expect(failed.state).toBe('FAILED_TEMP');
    await test.lifecycle.operations.rollback(failed.id);
    expect((await test.lifecycle.operations.settled(failed.id)).state).toBe('ROLLED_BACK');
    await expect(test.lifecycle.services.show('shop')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-UNKNOWN' });
    expect(await inventory(test)).toEqual([]);
    expect(stacksThere()).toEqual([]);
  });

  it('is refused by what it has, before anything is touched', async () => {
    const { adoptions, services } = test.lifecycle;
    const other = { ...template.resources, web_port: { type: 'OS::Neutron::Port', properties: { network: 'office' } } };
    foreignStacks.set('shop', { ...stack, template: { ...template, resources: other } });
    const refused = { code: 'SF-LIFECYCLE-ADOPTION', message: expect.stringContaining("network 'office'") };
    await expect(adoptions.plan(adoption)).rejects.toMatchObject(refused);
    await expect(adoptions.adopt(adoption)).rejects.toMatchObject(refused);
    await expect(adoptions.plan({ ...adoption, site: 'edge' })).rejects.toMatchObject({ code: 'SF-SITE-NO-STACKS' });
    await expect(adoptions.plan({ ...adoption, stack: 'no' })).rejects.toMatchObject({ code: 'SF-SITE-NO-STACK' });
    foreignStacks.set('shop', stack);
    const clash = native(`
superfluidity: 1
service:
  name: near
  version: '1'
  networks: [{ name: apps, prefix: 10.9.0.0/16 }]
  functions: [{ name: web, environment: container, image: 'host:', ports: [apps] }]
`);
    expect((await done(test, services.deploy(clash))).state).toBe('COMPLETED');
    await expect(adoptions.adopt(adoption)).rejects.toMatchObject({ code: 'SF-LIFECYCLE-PREFIX-IN-USE' });
    expect((await done(test, services.terminate('near'))).state).toBe('COMPLETED');
    expect(stacksThere()).toEqual([]);
  });
});

function without(unit: string, { resources, ...rest }: typeof template): string {
  const left = Object.entries(resources).filter(([name]) => name !== unit && name !== `${unit}_port`);
  return Buffer.from(JSON.stringify({ ...rest, resources: Object.fromEntries(left) }, null, 2)).toString('base64');
}
