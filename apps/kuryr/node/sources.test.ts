import type { KuryrPort, PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { expect, test } from 'vitest';
import { planSources, SOURCES } from './sources.ts';
import { difference, EMPTY } from './table.ts';

const port = (name: string, wish: Partial<PodInterface>): readonly [string, KuryrPort] => [
  `default/${name}`,
  {
    metadata: { namespace: 'default', name },
    spec: { podUid: name, node: 'n' },
    status: {
      interfaces: {
        eth0: {
          id: '0a1b2c3d-0000-4000-8000-000000000000',
          mac: 'FA:16:3E:00:00:01',
          addresses: ['10.0.0.1/24'],
          routes: [],
          mtu: 1_500,
          active: true,
          isDefault: true,
          plugging: { kind: 'bridge', bridge: 'pods' },
          ...wish,
        },
      },
    },
  },
];
const added = (...ports: readonly (readonly [string, KuryrPort])[]) => difference(SOURCES, EMPTY, planSources(ports));

test('a pod on a bridge may send as itself', () => {
  expect(added(port('a', {}))).toBe(
    [
      'add element bridge superfluidity_sources pods { "tap0a1b2c3d-00" }',
      'add element bridge superfluidity_sources taken { fa:16:3e:00:00:01 }',
      'add element bridge superfluidity_sources cards { "tap0a1b2c3d-00" . fa:16:3e:00:00:01 }',
      'add element bridge superfluidity_sources own { "tap0a1b2c3d-00" . 10.0.0.1 }',
      '',
    ].join('\n'),
  );
});

test('one with an address of IPv6 may speak it', () => {
  expect(added(port('a', { addresses: ['10.0.0.1/24', 'fd00::1/64'] }))).toContain('own6 { "tap0a1b2c3d-00" }');
});

test('ports of Open vSwitch are filtered there', () => {
  expect(added(port('a', { plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: 'a' } }))).toBe('');
});

test('what is no address says nothing to the kernel, and its pod may send nothing', () => {
  const text = added(port('a', { mac: '02:00:00:00:00:01 }; flush ruleset; {' }));
  expect(text).toBe('add element bridge superfluidity_sources pods { "tap0a1b2c3d-00" }\n');
  expect(added(port('a', { id: '"; flush ruleset', addresses: ['10.0.0.1; flush ruleset'] }))).not.toContain('flush');
});
