import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addRouterInterface,
  agents,
  type Cloud,
  extensions,
  floatingIps,
  networkQuotas,
  networks,
  ports,
  removeRouterInterface,
  routers,
  securityGroupRules,
  securityGroups,
  setNetworkQuotas,
  subnets,
} from '../index.ts';
import { labCloud, laboratory } from '../testing/lab.ts';
import { OPERATOR, type OwnProject, ownProject } from '../testing/own-project.ts';

const lab = laboratory();
const never = new AbortController().signal;
const code = (expected: string) => expect.objectContaining({ code: expected });

describe.skipIf(lab === undefined)('Neutron (needs an OpenStack: OS_* variables or the laboratory)', () => {
  let own: OwnProject;
  let cloud: Cloud;
  let networkId: string;
  const doomed: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    own = await ownProject(lab!, 'sf-network-test', OPERATOR);
    cloud = labCloud(own.config);
    // What an earlier run left.
    for (const one of await ports.list(cloud, { project_id: own.id, device_owner: '' }, never))
      await ports.delete(cloud, one.id, never);
    for (const one of await networks.list(cloud, { project_id: own.id }, never))
      await networks.delete(cloud, one.id, never).catch(() => {});
    const network = await networks.create(cloud, { name: 'net', description: 'of the test' }, never);
    networkId = network.id;
    expect(network).toMatchObject({ name: 'net', description: 'of the test', project_id: own.id, subnets: [] });
  });

  afterAll(async () => {
    for (const undo of doomed.reverse()) await undo();
    for (const one of await ports.list(cloud, { network_id: networkId }, never))
      await ports.delete(cloud, one.id, never);
    await networks.delete(cloud, networkId, never);
    await setNetworkQuotas(own.admin, own.id, { port: -1 }, never);
    await cloud.close();
    await own.remove();
  });

  test('subnets, ports alone and in bulk, tags, filters, revisions', async () => {
    const subnet = await subnets.create(
      cloud,
      {
        network_id: networkId,
        ip_version: 4,
        cidr: '10.71.0.0/24',
        // Neutron gives out any address of the pool, in no order: the one that is asked for below is not in it.
        allocation_pools: [{ start: '10.71.0.100', end: '10.71.0.199' }],
        gateway_ip: null,
        enable_dhcp: false,
        name: 'sub',
      },
      never,
    );
    expect(subnet).toMatchObject({ cidr: '10.71.0.0/24', enable_dhcp: false, gateway_ip: null });

    const made = await ports.createMany(
      cloud,
      Array.from({ length: 5 }, (_, at) => ({ network_id: networkId, name: `many-${at}` })),
      never,
    );
    expect(made.map(({ name }) => name)).toEqual(['many-0', 'many-1', 'many-2', 'many-3', 'many-4']);
    const one = await ports.create(
      cloud,
      { network_id: networkId, name: 'one', fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.71.0.77' }] },
      never,
    );
    expect(one).toMatchObject({ status: 'DOWN', device_id: '', fixed_ips: [{ ip_address: '10.71.0.77' }] });

    await ports.setTags(cloud, one.id, ['superfluidity', 'odd: tag & more'], never);
    await ports.addTag(cloud, made[0]!.id, 'superfluidity', never);
    const tagged = await ports.list(cloud, { network_id: networkId, tags: 'superfluidity' }, never);
    expect(tagged.map(({ id }) => id).toSorted()).toEqual([one.id, made[0]!.id].toSorted());
    await ports.removeTag(cloud, one.id, 'odd: tag & more', never);
    await ports.removeTag(cloud, one.id, 'never there', never);
    expect((await ports.show(cloud, one.id, never)).tags).toEqual(['superfluidity']);
    const named = await ports.list(cloud, { network_id: networkId, name: ['many-1', 'many-2'] }, never);
    expect(named).toHaveLength(2);

    const { revision_number: revision } = await ports.show(cloud, one.id, never);
    const renamed = await ports.update(cloud, one.id, { name: 'uno' }, never, { ifRevision: revision! });
    expect(renamed.name).toBe('uno');
    await expect(ports.update(cloud, one.id, { name: 'due' }, never, { ifRevision: revision! })).rejects.toThrow(
      code('SF-OPENSTACK-CONFLICT'),
    );

    expect(await ports.delete(cloud, one.id, never)).toBe(true);
    expect(await ports.delete(cloud, one.id, never)).toBe(false);
    await expect(ports.show(cloud, one.id, never)).rejects.toThrow(code('SF-OPENSTACK-NOT-FOUND'));
    await expect(ports.create(cloud, { network_id: 'nothing' }, never)).rejects.toThrow(/nothing/);
  });

  test('a list is read page after page, whatever is deleted meanwhile', async () => {
    const before = await ports.list(cloud, { network_id: networkId }, never);
    const paged = await ports.list(cloud, { network_id: networkId, limit: 2 }, never);
    expect(paged.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(paged.length).toBeGreaterThan(3);
  });

  test('a bulk request over quota makes nothing, and says so', async () => {
    const { port } = await networkQuotas(cloud, never);
    await setNetworkQuotas(own.admin, own.id, { port: port!.used + 2 }, never);
    expect((await networkQuotas(cloud, never))['port']).toMatchObject({ limit: port!.used + 2, used: port!.used });
    const three = Array.from({ length: 3 }, () => ({ network_id: networkId, name: 'too-many' }));
    await expect(ports.createMany(cloud, three, never)).rejects.toThrow(code('SF-OPENSTACK-QUOTA'));
    expect(await ports.list(cloud, { network_id: networkId, name: 'too-many' }, never)).toEqual([]);
    await setNetworkQuotas(own.admin, own.id, { port: -1 }, never);
    expect((await networkQuotas(cloud, never))['port']!.limit).toBe(Number.POSITIVE_INFINITY);
  });

  test('security groups and their rules', async () => {
    const group = await securityGroups.create(cloud, { name: 'web' }, never);
    doomed.push(() => securityGroups.delete(cloud, group.id, never));
    const rule = await securityGroupRules.create(
      cloud,
      { security_group_id: group.id, direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 80 },
      never,
    );
    expect(rule).toMatchObject({ protocol: 'tcp', port_range_min: 80, ethertype: 'IPv4' });
    const same = { security_group_id: group.id, direction: 'ingress', protocol: 'tcp' } as const;
    await expect(
      securityGroupRules.create(cloud, { ...same, port_range_min: 80, port_range_max: 80 }, never),
    ).rejects.toThrow(code('SF-OPENSTACK-CONFLICT'));
    const shown = await securityGroups.show(cloud, group.id, never);
    expect(shown.security_group_rules.map(({ id }) => id)).toContain(rule.id);
    const port = await ports.create(cloud, { network_id: networkId, security_groups: [group.id] }, never);
    expect(port.security_groups).toEqual([group.id]);
    await expect(securityGroups.delete(cloud, group.id, never)).rejects.toThrow(code('SF-OPENSTACK-CONFLICT'));
    await ports.delete(cloud, port.id, never);
  });

  test('a router with an interface, an external network and a floating IP', async () => {
    const external = await networks.create(cloud, { name: 'outside', 'router:external': true }, never);
    const outside = await subnets.create(
      cloud,
      { network_id: external.id, ip_version: 4, cidr: '192.0.2.0/24', enable_dhcp: false },
      never,
    );
    const inside = await subnets.create(cloud, { network_id: networkId, ip_version: 4, cidr: '10.72.0.0/24' }, never);
    const router = await routers.create(
      cloud,
      { name: 'edge', external_gateway_info: { network_id: external.id } },
      never,
    );
    doomed.push(async () => {
      await routers.delete(cloud, router.id, never);
      await networks.delete(cloud, external.id, never);
    });
    expect(router.external_gateway_info?.external_fixed_ips[0]?.subnet_id).toBe(outside.id);
    const { port_id } = await addRouterInterface(cloud, router.id, { subnet_id: inside.id }, never);
    doomed.push(() => removeRouterInterface(cloud, router.id, { subnet_id: inside.id }, never));
    expect((await ports.show(cloud, port_id, never)).device_owner).toContain('network:');
    const port = await ports.create(cloud, { network_id: networkId, fixed_ips: [{ subnet_id: inside.id }] }, never);
    const address = await floatingIps.create(
      cloud,
      { floating_network_id: external.id, port_id: port.id, description: 'of the test' },
      never,
    );
    doomed.push(() => floatingIps.delete(cloud, address.id, never));
    expect(address).toMatchObject({ port_id: port.id, fixed_ip_address: port.fixed_ips[0]!.ip_address });
    expect(await floatingIps.find(cloud, { port_id: port.id }, never)).toMatchObject({ id: address.id });
  });

  test('what it can do, and who does it', async () => {
    const aliases = await extensions(cloud, never);
    for (const alias of ['security-group', 'binding', 'standard-attr-tag', 'revision-if-match', 'quota_details'])
      expect(aliases, alias).toContain(alias);
    expect(await agents.list(own.admin, {}, never)).toContainEqual(expect.objectContaining({ alive: true }));
  });
});
