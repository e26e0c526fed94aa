import {
  createStack,
  deleteStack,
  findStack,
  getStack,
  listFlavors,
  listServers,
  listStackResources,
  type StackName,
} from '@superfluidity/openstack';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { lab, labSite, type LabSite, why } from './testing/lab-site.ts';
import { done, inventory } from './testing/two-sites.ts';

const PATIENCE_MS = 1_200_000;
const name = `theirs${process.pid}`;

/** As somebody writes it who knows nothing of us. */
const server = (of: string) => ({
  [`${of}_eth`]: {
    type: 'OS::Neutron::Port',
    properties: {
      network: { get_resource: 'net' },
      fixed_ips: [{ subnet: { get_resource: 'range' } }],
      tags: ['by-hand'],
    },
  },
  [of]: {
    type: 'OS::Nova::Server',
    properties: {
      name: { list_join: ['-', [{ get_param: 'OS::stack_name' }, of]] },
      image: { get_param: 'image' },
      flavor: { get_param: 'flavor' },
      networks: [{ port: { get_resource: `${of}_eth` } }],
      metadata: { team: 'shops' },
      // The laboratory has no API of CloudFormation, which the other formats lean on.
      user_data_format: 'RAW',
      user_data: { get_param: 'token' },
    },
  },
});
const template = (servers: Readonly<Record<string, object>>) => ({
  heat_template_version: '2016-10-14',
  description: 'A shop',
  parameters: {
    image: { type: 'string' },
    flavor: { type: 'string' },
    token: { type: 'string', hidden: true, default: 'nothing' },
  },
  resources: {
    net: { type: 'OS::Neutron::Net', properties: { name: `${name}-net` } },
    range: {
      type: 'OS::Neutron::Subnet',
      properties: { network: { get_resource: 'net' }, cidr: '10.83.7.0/24', ip_version: 4 },
    },
    word: { type: 'OS::Heat::RandomString', properties: { length: 8 } },
    ...servers,
  },
  outputs: { word: { value: { get_attr: ['word', 'value'] } } },
});

describe.skipIf(lab === undefined)(`a stack that somebody else made in the laboratory${why}`, () => {
  let store: Store;
  let site: LabSite;
  let made: StackName;
  const signal = AbortSignal.timeout(PATIENCE_MS * 2);
  const adoption = { site: 'cloud1', stack: name };
  const ids = async () =>
    Object.fromEntries(
      (await listStackResources(site.cloud, made, signal)).map((one) => [
        one.resource_name,
        one.physical_resource_id ?? undefined,
      ]),
    );
  const settled = async () => {
    for (;;) {
      const { stack_status: status } = await getStack(site.cloud, made, signal);
      if (!status.endsWith('_IN_PROGRESS')) return status;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };

  beforeAll(async () => {
    store = await openStore('pglite:memory');
    site = await labSite(`sf-adopt-${process.pid}`, { store }, {});
    const [flavor] = (await listFlavors(site.cloud, signal)).toSorted((a, b) => a.ram - b.ram);
    const source = {
      template: template({ ...server('web'), ...server('db') }),
      parameters: { image: 'lab-image', flavor: flavor!.name, token: 'sesame' },
      tags: ['by-hand'],
    };
    made = await createStack(site.cloud, name, source, signal);
    expect(await settled()).toBe('CREATE_COMPLETE');
  }, PATIENCE_MS);
  afterAll(async () => {
    const left = await findStack(site.cloud, name, signal);
    if (left !== undefined) {
      await deleteStack(site.cloud, made, signal);
      await settled();
    }
    await site.close();
    await store.close();
  }, PATIENCE_MS);

  it('is previewed, adopted in place, changed in place and terminated', { timeout: PATIENCE_MS }, async () => {
    const { adoptions, catalogue, services } = site.test.lifecycle;
    const found = await ids();
    const plan = await adoptions.plan(adoption);
    const previewed = plan.previews?.[0];
    expect(previewed?.refused).toBeUndefined();
    const changing = previewed?.changes.filter(({ change }) => change !== 'keep') ?? [];
    expect(changing.map(({ change, name: of }) => `${change} ${of}`).toSorted()).toEqual(
      ['db', 'db_eth', 'net', 'range', 'web', 'web_eth'].map((of) => `update ${of}`),
    );
    expect(plan.carried?.join('\n')).toMatch(/'word' .*is carried/);
    expect(await inventory(site.test)).toEqual([]);

    const adopted = await done(site.test, adoptions.adopt(adoption));
    expect([adopted.state, adopted.detail.error?.message]).toEqual(['COMPLETED', undefined]);
    expect(await ids()).toEqual(found);
    expect((await services.show(name)).units.map(({ path, state }) => [path, state])).toEqual([
      ['db/db', 'running'],
      ['web/web', 'running'],
    ]);
    expect(await inventory(site.test)).toEqual([
      `cloud1 network ${name}-net`,
      'cloud1 unit db/db#0',
      'cloud1 unit web/web#0',
    ]);
    const mine = (await listServers(site.cloud, {}, signal)).find(({ id }) => id === found['web']);
    expect(mine?.metadata).toMatchObject({ team: 'shops', 'superfluidity:path': 'web/web' });
    await expect(adoptions.plan(adoption)).rejects.toMatchObject({ code: 'SF-SITE-CONFLICT' });

    const { descriptorId } = await services.show(name);
    const before = JSON.parse((await catalogue.show(descriptorId)).source) as ReturnType<typeof template>;
    const next = { ...before, resources: { ...before.resources, ...server('cache') } };
    const files = [{ path: `${name}.yaml`, base64: Buffer.from(JSON.stringify(next, null, 2)).toString('base64') }];
    const descriptor = await catalogue.resolve({ files });
    const preview = (await services.planUpdate(name, descriptor)).previews?.[0];
    expect(preview?.refused).toBeUndefined();
    const told = preview?.changes.filter(({ change }) => change !== 'keep') ?? [];
    expect(told.map(({ change }) => change).filter((change) => change !== 'add')).toEqual([]);
    const updated = await done(site.test, services.update(name, descriptor, {}));
    expect([updated.state, updated.detail.error?.message]).toEqual(['COMPLETED', undefined]);
    expect(await ids()).toMatchObject(found);
    expect((await getStack(site.cloud, made, signal)).stack_status).toBe('UPDATE_COMPLETE');
    expect(await listServers(site.cloud, {}, signal)).toHaveLength(3);

    const ended = await done(site.test, services.terminate(name));
    expect([ended.state, ended.detail.error?.message]).toEqual(['COMPLETED', undefined]);
    expect(await findStack(site.cloud, name, signal)).toBeUndefined();
    expect(await listServers(site.cloud, {}, signal)).toEqual([]);
    expect(await inventory(site.test)).toEqual([]);
  });
});
