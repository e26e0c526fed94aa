import { SuperfluidityError } from '@superfluidity/core';
import type { Node, Pod } from '@superfluidity/driver-kubernetes';
import '@superfluidity/openstack';
import { describe, expect, test } from 'vitest';
import { NETWORKS_ANNOTATION } from '../translate/attachments.ts';
import { annotatedAttachments, type AnnotatedAttachmentsOptions } from './attachments.ts';
import { LinuxPorts } from './linux-ports.ts';
import type { PodSubnet, VifKind } from './types.ts';

const never = new AbortController().signal;
const ours = (more: object) => JSON.stringify({ type: 'superfluidity-kuryr', ...more });
const configs: Readonly<Record<string, string>> = {
  'red/cloud': ours({ subnet: 'sub-1' }),
  'red/lost': ours({ subnet: 'sub-2' }),
  'red/prefix': ours({ cidr: '10.5.0.0/24' }),
  'red/pods': ours({ cidr: '10.244.0.0/15' }),
  'red/odd': ours({ cidr: '10.999.0.0/24' }),
  'shared/common': ours({ subnet: 'sub-1' }),
  'blue/theirs': ours({ subnet: 'sub-1' }),
};
const subnet: PodSubnet = { networkId: 'net-1', subnetId: 'sub-1', cidr: '10.7.0.0/24', mtu: 1_450, routes: [] };
const node: Node = { metadata: { name: 'n1' }, spec: { podCIDR: '10.245.1.0/24' } };
const pod = (networks?: string): Pod => ({
  metadata: {
    namespace: 'red',
    name: 'p',
    annotations: networks === undefined ? {} : { [NETWORKS_ANNOTATION]: networks },
  },
});

function asked(kind: VifKind, networks: string | undefined, cidr = 'node') {
  const world = {
    definitions: { get: (key: string) => (key in configs ? { spec: { config: configs[key] } } : undefined) },
    nodes: { all: () => [node] },
  } as unknown as AnnotatedAttachmentsOptions['world'];
  const driver = annotatedAttachments({
    world,
    shared: ['shared'],
    groups: ['group-1'],
    kindOf: () => kind,
    cloudSubnet: async (id) => {
      if (id === 'sub-1') return subnet;
      throw new SuperfluidityError('SF-OPENSTACK-NOT-FOUND', { reason: 'no subnet' });
    },
    linux: { cidr, mtu: 1_400 },
  });
  return driver.of(pod(networks), node, never);
}

describe('networks by NetworkAttachmentDefinitions', () => {
  test('are those that the pod names: subnets of a cloud, and prefixes of the built-in fabric', async () => {
    expect(await asked('neutron-vif', undefined)).toEqual([]);
    expect(await asked('nested-vlan', 'cloud, shared/common@data')).toEqual([
      { name: 'net1', network: 'red/cloud', subnet, groups: ['group-1'] },
      { name: 'data', network: 'shared/common', subnet, groups: ['group-1'] },
    ]);
    const [found] = await asked('linux', 'prefix');
    expect(found).toMatchObject({ name: 'net1', subnet: { cidr: '10.5.0.0/24', mtu: 1_400, routes: [] } });
    expect(found!.subnet).not.toHaveProperty('gateway');
  });

  test.each([
    ['neutron-vif', 'nowhere', /there is no NetworkAttachmentDefinition/],
    ['neutron-vif', 'blue/theirs', /their own namespace, and of shared/],
    ['neutron-vif', 'lost', /subnet sub-2, which is not there/],
    ['neutron-vif', 'prefix', /it is in the built-in fabric, and pods of node n1 are not/],
    ['linux', 'cloud', /it is in a cloud, and pods of node n1 are not/],
    ['linux', 'pods', /10\.244\.0\.0\/15 overlaps 10\.245\.1\.0\/24/],
    ['linux', 'odd', /10\.999\.0\.0\/24 is no prefix/],
    ['nested-macvlan', 'cloud', /in the network of its own port/],
  ] as const)('in %s, %s is refused by name', async (kind, networks, reason) => {
    await expect(asked(kind, networks)).rejects.toMatchObject({
      code: 'SF-KURYR-ATTACHMENT',
      message: expect.stringMatching(reason),
    });
  });

  test('one for all nodes may not be a part of what pods have in any case', async () => {
    await expect(asked('linux', 'pods', '10.245.7.0/24')).rejects.toMatchObject({
      message: expect.stringContaining('overlaps 10.245.7.0/24'),
    });
    expect(await asked('linux', 'prefix', '10.245.7.0/24')).toHaveLength(1);
  });
});

describe('prefixes of the built-in fabric', () => {
  const place = (network: string) => ({ project: '', at: 'n1', network });

  test('that overlap are not used at once: an address has one pod', async () => {
    const ports = new LinuxPorts('10.1.0.9');
    const [first] = await ports.createMany(place('10.1.0.0/24'), [], 1);
    // Others than that of the cluster have no gateway, and keep their first address free.
    const [other] = await ports.createMany(place('10.2.0.0/24'), [], 1);
    expect([first!.addresses, other!.addresses]).toEqual([['10.1.0.1'], ['10.2.0.2']]);
    await expect(ports.createMany(place('10.1.0.0/25'), [], 1)).rejects.toMatchObject({
      code: 'SF-KURYR-ADDRESSES',
      message: expect.stringContaining('overlaps 10.1.0.0/24, of which pods have 1'),
    });
    await ports.remove(first!);
    expect(await ports.createMany(place('10.1.0.0/25'), [], 1)).toHaveLength(1);
  });
});
