import type { NetworkSpec, SitePath } from '@superfluidity/fabric';
import type { Router } from '@superfluidity/openstack';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { openstackDriver } from '../index.ts';
import { changedRoutes, endsOf, openersOf, outsideOf, routesFor } from './routes.ts';

const spec = (service: string, name: string, prefix: string, supernet: string): NetworkSpec => ({
  id: `${service}.${name}`,
  service,
  name,
  prefix,
  supernet,
  mtu: 1_400,
});
const store = spec('mobile', 'store', '10.55.16.0/20', '10.55.0.0/16');
const GATEWAY = '203.0.113.9';

/** The cloud's part of a chain from an edge, as `renderChain` makes it. */
const path: SitePath = {
  chainId: 'mobile.archive',
  version: 1,
  site: 'core',
  classifiers: [],
  steers: [
    {
      id: 'mobile.archive/1/reverse/1',
      match: {
        fromPort: 'index.data',
        destination: '10.54.0.2/32',
        protocol: 'tcp',
        ports: [9200],
        direction: 'reverse',
        source: '10.99.0.13/32',
      },
      segments: ['fd00:1::1', 'fd00:1::8000:1'],
    },
  ],
  endpoints: [{ portId: 'index.data', sid: 'fd00:2:0:1::1', address: '10.55.16.7', network: store.id }],
};

describe('the routes of a router of Neutron', () => {
  test('lead to other sites by the gateway, and to what ends a chain', () => {
    const far = [
      spec('mobile', 'store', '10.55.0.0/20', '10.55.0.0/16'),
      spec('mobile', 'apps', '10.54.0.0/20', '10.54.0.0/16'),
      spec('other', 'apps', '10.70.0.0/20', '10.70.0.0/16'),
    ];
    expect(routesFor(store, GATEWAY, far, [path])).toEqual([
      { destination: '10.55.0.0/16', nexthop: GATEWAY },
      // The user of the chain is in it: it needs no route of its own.
      { destination: '10.54.0.0/20', nexthop: GATEWAY },
      { destination: '10.99.0.13/32', nexthop: '10.55.16.7' },
    ]);
    expect(routesFor(store, GATEWAY, [], [path])).toContainEqual({ destination: '10.54.0.2/32', nexthop: GATEWAY });
    expect(routesFor({ ...store, id: 'mobile.users' }, GATEWAY, [], [path])).toEqual([
      { destination: '10.55.0.0/16', nexthop: GATEWAY },
    ]);
  });

  test('of others stay, ours that are not wanted any more go, and what is there is not asked for', () => {
    const [a, b, theirs] = ['10.1.0.0/16', '10.2.0.0/16', '192.0.2.0/24'].map((destination) => ({
      destination,
      nexthop: GATEWAY,
    }));
    expect(changedRoutes([theirs!, a!], [a!], [b!])).toEqual([theirs, b]);
    expect(changedRoutes([b!, theirs!], [b!], [b!])).toBeUndefined();
    expect(changedRoutes([theirs!], [b!], [b!])).toEqual([theirs, b]);
    expect(changedRoutes([b!], [b!], [])).toEqual([]);
  });
});

test('a router is reached where it is in the subnet of the gateway', () => {
  const router = (...addresses: readonly string[]) =>
    ({
      external_gateway_info: {
        network_id: 'net',
        external_fixed_ips: addresses.map((ip_address) => ({ subnet_id: 's', ip_address })),
      },
    }) as unknown as Router;
  expect(outsideOf(router('2001:db8::9', '198.51.100.1', '203.0.113.77'), `${GATEWAY}/24`)).toBe('203.0.113.77');
  expect(outsideOf(router('198.51.100.1'), `${GATEWAY}/24`)).toBeUndefined();
  expect(outsideOf({} as Router, `${GATEWAY}/24`)).toBeUndefined();
});

test('ends of chains are behind the router of their network, and who begins one in the cloud is the only one who may', () => {
  const routers = new Map([[store.id, '203.0.113.77']]);
  expect(endsOf([path, { ...path, version: 2 }], routers)).toEqual([{ sid: 'fd00:2:0:1::1', router: '203.0.113.77' }]);
  expect(endsOf([path], new Map())).toEqual([]);
  expect(openersOf([path])).toEqual([]);
  const { match, segments } = path.steers[0]!;
  const forward = { ...match, direction: 'forward', destination: '10.99.0.14/32' } as const;
  const begins = { ...path, classifiers: [{ id: 'c', match: forward, segments }], steers: [] };
  expect(openersOf([begins])).toEqual([{ source: '10.55.16.7', destination: '10.99.0.14' }]);
});

test('a gateway is an address of a host on a device, where there is an external network', () => {
  const gateway = { device: 'br-ex', address: '203.0.113.9/24' };
  const read = (one: unknown, more: object = { externalNetwork: 'public' }) =>
    readConfig('core', { cloud: 'north', ...more, gateway: one }).gateway;
  expect(read(gateway)).toEqual({ ...gateway, sourceNat: false });
  const wrong = [
    { ...gateway, address: '203.0.113.9' },
    { ...gateway, address: '203.0.113.0/24' },
    { ...gateway, address: '203.0.113.9/33' },
    { ...gateway, device: '../x' },
    { device: 'br-ex' },
  ];
  for (const one of wrong) expect(() => read(one)).toThrow(expect.objectContaining({ code: 'SF-SITE-CONFIG' }));
  expect(() => read(gateway, {})).toThrow(expect.objectContaining({ code: 'SF-SITE-CONFIG' }));
  expect(openstackDriver.joins({})).toMatchObject({ kinds: [], hint: expect.stringContaining('gateway') });
  expect(openstackDriver.joins({ gateway }).kinds).toContain('linux');
});
