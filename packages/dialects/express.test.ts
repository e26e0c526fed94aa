import { canonicalJson } from '@superfluidity/core';
import type { Block, Service } from '@superfluidity/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { express } from './express.ts';
import { services } from './testing/services.ts';

const unit = (name: string, more: Partial<Block> = {}): Block => ({
  kind: 'unit',
  name,
  ports: [{ name: 'eth0', network: 'lan', allow: [] }],
  children: [],
  links: [],
  requirements: { cpu: 1, accelerators: ['dpdk'] },
  execution: { environment: 'vm', image: 'guest:' },
  ...more,
});
const service: Service = {
  block: {
    kind: 'service',
    name: 'demo',
    ports: [],
    links: [],
    requirements: {},
    carried: { osm: { designer: 'ACME' }, tosca: { a: 1, b: 2 } },
    children: [
      {
        kind: 'function',
        name: 'fw',
        ports: [],
        links: [],
        requirements: { latencyMaxMs: 5 },
        children: [unit('a', { scale: { initial: 1, min: 1, max: 3 } }), unit('b', { children: [unit('inner')] })],
      },
    ],
  },
  version: '1.0',
  networks: [{ name: 'lan', prefix: '10.1.0.0/16', mtu: 1400 }],
  chains: [],
  balancers: [
    { name: 'web', unit: 'fw/a', address: '10.99.0.1', port: 80, targetPort: 8080, layer: 'tcp' },
    { name: 'dns', unit: 'fw/a', address: '10.99.0.2', port: 53, targetPort: 53, layer: 'tcp' },
  ],
};

test('what a dialect has no words for is taken out, and named with its place', () => {
  const { service: reduced, losses } = express(service, 'native', [
    'requirements.cpu',
    'service.balancers',
    'execution.*',
    'service.networks',
  ]);
  expect(losses.map(({ path, message }) => `${path}: ${message.replace('native cannot say: ', '')}`)).toEqual([
    'carried: what the service carries of osm (designer)',
    'carried: what the service carries of tosca (a, b)',
    "functions[0].requirements: requirements of function 'fw'",
    "functions[0].units[0].scale: scale of unit 'fw/a'",
    "functions[0].units[0].ports[0].allow: allow of port 'eth0' of unit 'fw/a'",
    "functions[0].units[0].requirements.accelerators: accelerators of unit 'fw/a'",
    "functions[0].units[1].ports[0].allow: allow of port 'eth0' of unit 'fw/b'",
    "functions[0].units[1].requirements.accelerators: accelerators of unit 'fw/b'",
    "functions[0].units[1].units[0]: unit 'inner' inside unit 'fw/b'",
    "networks[0].mtu: mtu of network 'lan'",
    "balancers[0].targetPort: targetPort of balancer 'web'",
  ]);
  expect(reduced.networks).toEqual([{ name: 'lan', prefix: '10.1.0.0/16' }]);
  expect(reduced.balancers.map(({ targetPort }) => targetPort)).toEqual([80, 53]);
  expect(reduced.block.children[0]!.children[1]!.children).toEqual([]);
  expect('carried' in reduced.block).toBe(false);
});

test('a dialect that can say everything loses nothing', () => {
  fc.assert(
    fc.property(services, (any) => {
      const { service: whole, losses } = express(any, 'native', ['*']);
      expect(losses).toEqual([]);
      expect(canonicalJson(whole)).toBe(canonicalJson(any));
    }),
    { numRuns: 30 },
  );
});

test('what is reduced once has nothing more to lose', () => {
  fc.assert(
    fc.property(
      services,
      fc.subarray(['execution.*', 'chain.*', 'service.chains', 'requirements.cpu', 'unit.scale']),
      (any, aspects) => {
        const once = express(any, 'native', aspects);
        const twice = express(once.service, 'native', aspects);
        expect(twice.losses).toEqual([]);
        expect(canonicalJson(twice.service)).toBe(canonicalJson(once.service));
      },
    ),
    { numRuns: 30 },
  );
});
