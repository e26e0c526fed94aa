import { describe, expect, test } from 'vitest';
import { readStack, withoutResources } from './adopt.ts';

const resources = {
  net: { type: 'OS::Neutron::Net', properties: { name: 'apps' } },
  range: {
    type: 'OS::Neutron::Subnet',
    properties: { network: { get_resource: 'net' }, cidr: { get_param: 'cidr' }, ip_version: 4 },
  },
  eth: { type: 'OS::Neutron::Port', properties: { network: { get_resource: 'net' } } },
  web: {
    type: 'OS::Nova::Server',
    depends_on: ['db'],
    properties: { image: 'busybox', flavor: 'm1.tiny', networks: [{ port: { get_resource: 'eth' } }] },
  },
  eth_db: { type: 'OS::Neutron::Port', properties: { network: { get_resource: 'net' } } },
  db: {
    type: 'OS::Nova::Server',
    properties: { image: 'busybox', flavor: 'm1.tiny', networks: [{ port: { get_resource: 'eth_db' } }] },
  },
  address: {
    type: 'OS::Neutron::FloatingIP',
    properties: { floating_network: 'public', port_id: { get_resource: 'eth' } },
  },
  disk: { type: 'OS::Cinder::Volume', properties: { size: 1 } },
};
const template = (more: Record<string, unknown> = {}, without: readonly string[] = []) => ({
  heat_template_version: '2018-08-31',
  parameters: { cidr: { type: 'string', default: '10.9.0.0/24' } },
  resources: Object.fromEntries(Object.entries({ ...resources, ...more }).filter(([name]) => !without.includes(name))),
  outputs: { where: { value: { get_attr: ['address', 'floating_ip_address'] } }, size: { value: 1 } },
});
const read = (value: object) =>
  readStack({ path: 'shop.yaml', bytes: new TextEncoder().encode(JSON.stringify(value, null, 2)) });
const refusals = (value: object) =>
  read(value)
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ message }) => message);

describe('a stack that somebody else made', () => {
  test('is a service whose units and networks are its resources, and the rest is carried by name', () => {
    const adopted = read(template());
    expect(adopted.service?.block.name).toBe('shop');
    expect(adopted.service?.networks).toMatchObject([{ name: 'apps', prefix: '10.9.0.0/24' }]);
    expect(adopted).toMatchObject({
      parts: {
        networks: { apps: { network: 'net', subnet: 'range' } },
        units: { 'web/web': { server: 'web', ports: ['eth'] }, 'db/db': { server: 'db', ports: ['eth_db'] } },
      },
    });
    expect(adopted.problems.map(({ message }) => message).join('\n')).toMatch(/'address' .*is carried/);
  });

  test.each([
    [
      'a port without a resource',
      { eth: undefined, web: serverIn([{ network: { get_resource: 'net' } }]) },
      /port 0 of 'web'/,
    ],
    ['a network of others', { eth: portIn('office') }, /network 'office' is none of the resources/],
    ['a network of two subnets', { second: { ...resources.range } }, /network 'net' has 2 subnets/],
    [
      'marks given by a function',
      { web: { ...resources.web, properties: { ...resources.web.properties, metadata: { get_param: 'cidr' } } } },
      /metadata of 'web' is a function/,
    ],
    [
      'servers of a group',
      { many: { type: 'OS::Heat::ResourceGroup', properties: { count: 2, resource_def: { ...resources.db } } } },
      /in a stack inside of the stack/,
    ],
    [
      'a balancer',
      { front: { type: 'OS::Octavia::LoadBalancer', properties: { vip_subnet: { get_resource: 'range' } } } },
      /'front' is a balancer/,
    ],
  ])('is refused by name with %s', (_, more, message) => {
    const gone = Object.entries(more).flatMap(([name, value]) => (value === undefined ? [name] : []));
    expect(refusals(template(more, gone)).join('\n')).toMatch(message);
  });

  test('loses a server with what is there for it alone, and not what others stand on', () => {
    const less = withoutResources(template(), new Set(['web', 'eth']), new Set(['db', 'eth_db', 'net', 'range']));
    expect(less).toEqual({
      template: {
        ...template({}, ['web', 'eth', 'address']),
        outputs: { size: { value: 1 } },
      },
    });
    const rest = withoutResources(template(), new Set(['db', 'eth_db']), new Set(['web', 'eth']));
    expect(rest).toMatchObject({ template: { resources: { web: { type: 'OS::Nova::Server' } } } });
    expect(JSON.stringify(rest)).not.toContain('depends_on');
    const held = withoutResources(template(), new Set(['net', 'range']), new Set(['web', 'eth']));
    expect(held).toEqual({ holder: 'eth', held: 'net' });
  });
});

function serverIn(networks: readonly object[]) {
  return { type: 'OS::Nova::Server', properties: { image: 'busybox', flavor: 'm1.tiny', networks } };
}

function portIn(network: string) {
  return { type: 'OS::Neutron::Port', properties: { network } };
}
