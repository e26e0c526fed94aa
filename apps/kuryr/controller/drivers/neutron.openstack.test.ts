import { silentLogger, systemClock } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { KURYR } from '@superfluidity/fabric';
import {
  agents,
  type Cloud,
  networks,
  path,
  ports,
  routers,
  securityGroups,
  setNetworkQuotas,
  subnets,
  trunks,
} from '@superfluidity/openstack';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findLab } from '../../../../lab/openstack/testing.ts';
import { vsctl } from '../../testing/worker.ts';
import { NeutronNetworks } from './networks-neutron.ts';
import { NeutronPolicies } from './policy-neutron.ts';
import { annotatedSubnets, readSubnet, SUBNET_ANNOTATION } from './subnets.ts';
import type { PodSubnet, VifKind } from './types.ts';
import { neutronVif } from './vif-neutron.ts';
import { VifPools } from './vif-pools.ts';

/** Interfaces of pods, groups and networks in a real Neutron with a real agent: what Kubernetes has no part in. */

const lab = laboratory();
const never = new AbortController().signal;
const TAGS = ['superfluidity', 'superfluidity:kuryr=test'] as const;
const keep = { ...KURYR, minimum: 2, batch: 4, foresees: false };
const SMALL_MTU = 1_200;

describe.skipIf(lab === undefined)(
  'the drivers of Kuryr for Neutron (needs an OpenStack: OS_* variables or the laboratory)',
  () => {
    let own: OwnProject;
    let cloud: Cloud;
    let host: string;
    let subnet: PodSubnet;
    let group: string;
    let requests: string[] = [];
    const opened = new Set<VifPools>();

    const open = async (kind: Exclude<VifKind, 'linux'>, inUse: readonly PodInterface[] = []) => {
      const vifs = new VifPools({
        clock: systemClock,
        log: silentLogger,
        types: [neutronVif(kind, { cloud, clock: systemClock, log: silentLogger, tags: TAGS, bridge: 'br-int' })],
        kind,
        keep,
        updateMs: 20_000,
        verify: true,
        names: false,
        stopwatch: () => performance.now(),
      });
      opened.add(vifs);
      await vifs.recover(inUse.map((given) => ({ node: host, holder: 'uid', given })));
      return vifs;
    };
    const node = (name: string, address?: string): Node => ({
      metadata: { name },
      ...(address === undefined ? {} : { status: { addresses: [{ type: 'InternalIP', address }] } }),
    });
    const ask = (vifs: VifPools, on: Node, groups: readonly string[] = [group]) =>
      vifs.acquire(
        { node: on, project: own.id, subnet, groups, isDefault: true, holder: 'uid', owner: 'ns/pod' },
        AbortSignal.timeout(240_000),
      );
    const end = async (vifs: VifPools, given: readonly PodInterface[]) => {
      for (const one of given) vifs.release(one, 'uid');
      await vifs.settled();
      await vifs.releaseNetwork(subnet.networkId);
      await vifs.close();
      opened.delete(vifs);
    };
    const there = async () =>
      (await ports.list(cloud, { network_id: subnet.networkId }, never)).filter(({ name }) => name !== 'parent');
    /** A virtual machine as far as Neutron knows it. */
    const machine = async () => {
      const parent = await ports.create(
        cloud,
        { network_id: subnet.networkId, device_owner: 'compute:test', name: 'parent', security_groups: [group] },
        never,
      );
      return { parent, node: node('worker', parent.fixed_ips[0]!.ip_address) };
    };

    beforeAll(async () => {
      own = await ownProject(lab!, 'sf-kuryr-drivers', OPERATOR);
      cloud = labCloud(own.config, {
        onRequest: ({ service, method }) => void (service === 'network' && requests.push(method)),
      });
      host = (await agents.find(cloud, { agent_type: 'Open vSwitch agent' }, never))!.host;
      for (const { id, port_id } of await trunks.list(cloud, { project_id: own.id }, never)) {
        await ports.update(cloud, port_id, { 'binding:host_id': '' }, never);
        await trunks.delete(cloud, id, never);
      }
      for (const { id } of await ports.list(cloud, { project_id: own.id }, never)) await ports.delete(cloud, id, never);
      for (const { id } of await networks.list(cloud, { project_id: own.id }, never))
        await networks.delete(cloud, id, never);
      const { id } = await networks.create(cloud, { name: 'kuryr-drivers' }, never);
      const shape = { network_id: id, ip_version: 4, cidr: '10.74.0.0/24', enable_dhcp: false } as const;
      subnet = await readSubnet(cloud, (await subnets.create(cloud, shape, never)).id, never);
      group = (await securityGroups.create(cloud, { name: 'kuryr-drivers' }, never)).id;
    }, 600_000);

    afterAll(async () => {
      for (const vifs of opened) await vifs.close();
      for (const { id } of await ports.list(cloud, { network_id: subnet.networkId }, never))
        await ports.delete(cloud, id, never);
      await networks.delete(cloud, subnet.networkId, never);
      for (const { id } of await securityGroups.list(cloud, { project_id: own.id }, never))
        await securityGroups.delete(cloud, id, never).catch(() => {});
      await setNetworkQuotas(cloud, own.id, { port: -1 }, never);
      await cloud.close();
      await own.remove();
    }, 600_000);

    test('neutron-vif: bound to the host of the node; out of the pool it costs one look; found again after a restart', async () => {
      const vifs = await open('neutron-vif');
      requests = [];
      const first = await ask(vifs, node(host));
      expect(first).toMatchObject({
        active: false,
        mtu: subnet.mtu,
        plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: first.id },
      });
      await vifs.settled();
      expect(await there()).toHaveLength(1 + keep.batch);
      // Nor does what lies there cost more than its creation.
      expect(requests.filter((method) => method === 'PUT')).toEqual([]);
      requests = [];
      const second = await ask(vifs, node(host));
      expect(requests).toEqual(['GET']);
      expect(await ports.show(cloud, second.id, never)).toMatchObject({
        'binding:host_id': host,
        security_groups: [group],
        description: `${TAGS[1]} pool kuryr-neutron-vif`,
      });
      // As a daemon does it: until then it carries nothing.
      const vswitch = findLab({ services: ['ovs'], network: 'ovs' }).lab;
      if (vswitch !== undefined) {
        const device = `tst${second.id.slice(0, 11)}`;
        const ids = {
          'iface-id': second.id,
          'attached-mac': second.mac,
          'iface-status': 'active',
          'vm-uuid': second.id,
        };
        const words = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`);
        const set = ['--', 'set', 'Interface', device, 'type=internal', ...words];
        await vsctl(vswitch, 'add-port', 'br-int', device, ...set);
        try {
          await expect.poll(() => vifs.isActive(second, new Set([second.id]), never), { timeout: 120_000 }).toBe(true);
        } finally {
          await vsctl(vswitch, '--if-exists', 'del-port', device);
        }
      }
      await vifs.close();

      const next = await open('neutron-vif', [first, second]);
      expect(next.stats()[0]).toMatchObject({ ready: keep.batch - 1, inUse: 2 });
      await end(next, [first, second]);
      expect(await there()).toEqual([]);
    }, 600_000);

    test('another set of groups is applied at hand-out, and one that changes while the port is in use too', async () => {
      const vifs = await open('neutron-vif');
      const other = await securityGroups.create(cloud, { name: 'kuryr-other' }, never);
      const first = await ask(vifs, node(host));
      await vifs.settled();
      const second = await ask(vifs, node(host), [other.id]);
      expect((await ports.show(cloud, second.id, never)).security_groups).toEqual([other.id]);
      requests = [];
      expect(await vifs.regroup(second, [other.id], never)).toBe(false);
      expect(requests).toEqual([]);
      expect(await vifs.regroup(second, [group, other.id], never)).toBe(true);
      expect(new Set((await ports.show(cloud, second.id, never)).security_groups)).toEqual(new Set([group, other.id]));
      await end(vifs, [first, second]);
      await securityGroups.delete(cloud, other.id, never);
    }, 600_000);

    test('a quota that is used up is said in the words of Neutron, with the id of the request', async () => {
      const vifs = await open('neutron-vif');
      await setNetworkQuotas(cloud, own.id, { port: (await there()).length }, never);
      await expect(ask(vifs, node(host))).rejects.toMatchObject({
        code: 'SF-OPENSTACK-QUOTA',
        message: expect.stringMatching(/Quota exceeded.*\(req-/i),
      });
      await setNetworkQuotas(cloud, own.id, { port: -1 }, never);
      const got = await ask(vifs, node(host));
      await end(vifs, [got]);
    }, 600_000);

    test('nested-vlan: subports of the trunk of the machine that has the address of the node', async () => {
      const { parent, node: worker } = await machine();
      const trunk = await trunks.create(cloud, { port_id: parent.id, name: 'kuryr-drivers' }, never);
      await ports.update(cloud, parent.id, { 'binding:host_id': host }, never);
      const vifs = await open('nested-vlan');
      const given = await Promise.all([1, 2, 3].map(() => ask(vifs, worker)));
      const { sub_ports: subports } = await trunks.show(cloud, trunk.id, never);
      const ids = given.map(({ plugging }) => (plugging.kind === 'vlan' ? plugging.id : 0));
      expect(new Set(ids).size).toBe(3);
      for (const [at, { id, active }] of given.entries()) {
        expect(active).toBe(true);
        expect(subports).toContainEqual(expect.objectContaining({ port_id: id, segmentation_id: ids[at] }));
      }
      await vifs.close();
      const next = await open('nested-vlan', given);
      expect(next.inUse()).toEqual([['nested-vlan', 3]]);
      await expect(ask(next, node('stranger', '10.74.0.250'))).rejects.toMatchObject({ code: 'SF-KURYR-NODE' });
      await end(next, given);
      expect((await trunks.show(cloud, trunk.id, never)).sub_ports).toEqual([]);
      await ports.update(cloud, parent.id, { 'binding:host_id': '' }, never);
      await trunks.delete(cloud, trunk.id, never);
      await ports.delete(cloud, parent.id, never);
    }, 600_000);

    test('a machine whose port takes smaller packets than the network of pods has is refused by name', async () => {
      const { id } = await networks.create(cloud, { name: 'kuryr-small', mtu: SMALL_MTU }, never);
      const shape = { network_id: id, ip_version: 4, cidr: '10.76.0.0/24', enable_dhcp: false } as const;
      const small = await subnets.create(cloud, shape, never);
      const owner = { device_owner: 'compute:test', name: 'parent', security_groups: [group] };
      const parent = await ports.create(cloud, { network_id: id, ...owner }, never);
      const trunk = await trunks.create(cloud, { port_id: parent.id, name: 'kuryr-small' }, never);
      const worker = node('worker', parent.fixed_ips[0]!.ip_address);
      for (const kind of ['nested-vlan', 'nested-macvlan'] as const) {
        const vifs = await open(kind);
        await expect(ask(vifs, worker)).rejects.toMatchObject({
          code: 'SF-KURYR-NODE',
          message: expect.stringMatching(new RegExp(`${subnet.mtu} bytes.*${parent.id}.*${SMALL_MTU}`)),
        });
        await end(vifs, []);
      }
      expect(await there()).toEqual([]);

      // Whose namespace names the network of the machine, can be there.
      const named: Readonly<Record<string, string>> = { small: small.id, lost: crypto.randomUUID(), odd: '../x' };
      const driver = annotatedSubnets(
        cloud,
        systemClock,
        subnet.subnetId,
        (namespace) => (namespace in named ? { [SUBNET_ANNOTATION]: named[namespace]! } : {}),
        () => ['other', ...Object.keys(named)],
      );
      expect(await driver.networks!(never)).toEqual(new Set([subnet.networkId, id]));
      expect(await driver.of('other', worker, never)).toEqual(subnet);
      expect(await driver.of('small', worker, never)).toMatchObject({ networkId: id, mtu: SMALL_MTU });
      for (const namespace of ['lost', 'odd'])
        await expect(driver.of(namespace, worker, never)).rejects.toMatchObject({
          code: 'SF-KURYR-ANNOTATION',
          message: expect.stringContaining(`namespace ${namespace}`),
        });
      await trunks.delete(cloud, trunk.id, never);
      await ports.delete(cloud, parent.id, never);
      await networks.delete(cloud, id, never);
    }, 600_000);

    test('nested-macvlan: the port of the machine allows the pair of each pod, and of none that is gone', async () => {
      const { parent, node: worker } = await machine();
      const vifs = await open('nested-macvlan');
      const given = await Promise.all([1, 2, 3].map(() => ask(vifs, worker)));
      const allowed = async () => (await ports.show(cloud, parent.id, never)).allowed_address_pairs;
      for (const { mac, addresses } of given)
        expect(await allowed()).toContainEqual({ mac_address: mac, ip_address: addresses[0]!.split('/')[0] });
      await vifs.close();
      const next = await open('nested-macvlan', given);
      await end(next, given);
      expect(await allowed()).toEqual([]);
      await ports.delete(cloud, parent.id, never);
    }, 600_000);

    test('a policy is a group with its rules and no others; what is open in a direction has a group of its own', async () => {
      const policies = new NeutronPolicies({ cloud, tags: TAGS, cluster: 'test' });
      const wish = (rules: Parameters<NeutronPolicies['ensure']>[0]['rules'], named = '') =>
        policies.ensure({ namespace: 'ns', name: 'p', uid: 'uid-1', project: own.id, named, rules }, never);
      const web = { direction: 'ingress', protocol: 'TCP', portFirst: 80, portLast: 81, cidr: '10.74.0.7/32' } as const;
      const id = await wish([web, { direction: 'egress', cidr: '0.0.0.0/0' }]);
      const rulesOf = async (of: string) =>
        (await securityGroups.show(cloud, of, never)).security_group_rules.map((rule) =>
          [rule.direction, rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix]
            .map((one) => one ?? '')
            .join(' ')
            .trim(),
        );
      expect((await rulesOf(id)).toSorted()).toEqual(['egress', 'ingress tcp 80 81 10.74.0.7/32']);
      expect(await wish([web])).toBe(id);
      expect(await rulesOf(id)).toEqual(['ingress tcp 80 81 10.74.0.7/32']);
      requests = [];
      await wish([web]);
      expect(new Set(requests)).toEqual(new Set(['GET']));
      const ofName = await wish([{ ...web, portLast: 80 }], 'TCP/web/80');
      expect([await rulesOf(ofName), await rulesOf(id)]).toEqual([
        ['ingress tcp 80 80 10.74.0.7/32'],
        ['ingress tcp 80 81 10.74.0.7/32'],
      ]);
      expect(await wish([], 'TCP/web/80')).toBe(ofName);
      const made = new Map([
        ['', id],
        ['TCP/web/80', ofName],
      ]);
      expect(await policies.made('uid-1', never)).toEqual(made);
      expect(await policies.made('uid', never)).toEqual(new Map());
      expect(await rulesOf(ofName)).toEqual([]);
      await policies.remove(ofName, never);
      const opened = await policies.open(own.id, 'egress', never);
      expect(await rulesOf(opened)).toEqual(['egress']);
      expect(await policies.open(own.id, 'egress', never)).toBe(opened);
      await policies.remove(id, never);
      await policies.remove(opened, never);
    }, 600_000);

    test('a namespace has a network with a subnet out of the pool of subnets, connected to the router', async () => {
      const call = { service: 'network', signal: never } as const;
      const { subnetpool } = await cloud.json(
        {
          ...call,
          method: 'POST',
          path: '/v2.0/subnetpools',
          body: { subnetpool: { name: 'kuryr', prefixes: ['10.75.0.0/16'], default_prefixlen: 24 } },
          doing: 'create a pool of subnets',
        },
        z.object({ subnetpool: z.object({ id: z.string() }) }),
      );
      const router = await routers.create(cloud, { name: 'kuryr' }, never);
      const drivers = new NeutronNetworks({
        cloud,
        tags: TAGS,
        cluster: 'test',
        subnetPool: subnetpool.id,
        router: router.id,
      });
      const network = {
        metadata: { namespace: 'ns', name: 'ns', uid: 'uid-net' },
        spec: { namespace: 'ns', project: own.id },
      };
      const made = await drivers.ensure(network, [], never);
      expect(made).toMatchObject({ cidr: expect.stringMatching(/^10\.75\.\d+\.0\/24$/), routerId: router.id });
      expect(await drivers.ensure(network, [], never)).toEqual(made);
      await drivers.remove(network, never);
      await drivers.remove(network, never);
      expect(await networks.find(cloud, { name: 'kuryr.test.ns' }, never)).toBeUndefined();
      await routers.delete(cloud, router.id, never);
      await cloud.send({
        ...call,
        method: 'DELETE',
        path: path`/v2.0/subnetpools/${subnetpool.id}`,
        doing: 'clean up',
      });
    }, 600_000);
  },
);
