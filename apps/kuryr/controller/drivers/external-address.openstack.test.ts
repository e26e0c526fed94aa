import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { type Cloud, floatingIps, networks, ports } from '@superfluidity/openstack';
import { labCloud, laboratory } from '@superfluidity/openstack/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PUBLIC } from '../../../../lab/openstack/public-network.ts';
import { publicNamespace } from '../../../../lab/openstack/services/routing.ts';
import { TestCloud } from '../../../../lab/openstack/testing-cloud.ts';
import { findLab } from '../../../../lab/openstack/testing.ts';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import { ask, TestServer } from '../../node/testing/programs.ts';
import { missingProvider, PROVIDER } from '../../testing/octavia-provider.ts';
import { OctaviaBalancer } from './balancer-octavia.ts';
import type { BalancerStatus } from './types.ts';

/**
 * Services of type LoadBalancer: floating IPs of a real Neutron, on load balancers of a real Octavia with this project's provider, and
 * packets that come from outside by a router.
 */

const { lab, reason } = findLab({ services: ['octavia', 'routing'], network: 'ovs' });
const absent = reason ?? (await missingProvider()) ?? missingForKernelTests(['ip', 'python3']);
const signal = AbortSignal.timeout(900_000);
/** An agent of a machine that others keep busy takes minutes for a router. */
const WAIT = { timeout: 300_000, interval: 500 } as const;

describe.skipIf(absent !== undefined)(titled('floating IPs of Services', absent), () => {
  let world: TestCloud;
  let cloud: Cloud;
  let driver: OctaviaBalancer;
  let outside: string;
  const servers: TestServer[] = [];
  const members: { readonly address: string; readonly port: number; readonly pod: string }[] = [];

  const balancer = (spec: Partial<KuryrLoadBalancer['spec']>, status?: BalancerStatus): KuryrLoadBalancer => ({
    metadata: { namespace: 'shop', name: 'web', uid: `${world.tag}-web` },
    spec: {
      address: '10.78.0.9',
      type: 'LoadBalancer',
      project: '',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, members }],
      ...spec,
    },
    ...(status === undefined ? {} : { status: { ...status, observed: '', members: members.length } }),
  });
  /** Which members answer who asks from outside. */
  const answers = async (address: string) => {
    const lines = await ask(publicNamespace(lab!), 'tcp', address, 80, { times: 12 });
    return [...new Set(lines.map((line) => line.split(' ')[0]!))].toSorted();
  };
  const all = () => floatingIps.list(cloud, { floating_network_id: outside }, signal);
  const byHand = async (more: object = {}) => {
    const made = await floatingIps.create(cloud, { floating_network_id: outside, ...more }, signal);
    world.later(() => floatingIps.delete(cloud, made.id, signal));
    return made;
  };

  beforeAll(async () => {
    world = await TestCloud.open(lab!);
    cloud = labCloud(laboratory()!);
    outside = (await networks.find(cloud, { name: PUBLIC.name }, signal))!.id;
    const gateway = { external_gateway_info: { network_id: outside } };
    const router = (await world.create('router', '/routers', gateway))['id']!;
    const network = (await world.create('network', '/networks', {}))['id']!;
    const shape = { network_id: network, ip_version: 4, cidr: '10.78.0.0/24', enable_dhcp: false };
    const subnet = (await world.create('subnet', '/subnets', shape))['id']!;
    await world.connect(router, subnet);
    for (const name of ['one', 'two']) {
      const end = await world.end(name, { network_id: network, port_security_enabled: false });
      servers.push(await TestServer.start(end.namespace, 'tcp', name, 8_080));
      members.push({ address: end.address, port: 8_080, pod: `shop/${name}` });
    }
    driver = new OctaviaBalancer({
      cloud,
      tags: ['superfluidity', `superfluidity:kuryr=${world.tag}`],
      serviceSubnet: subnet,
      podSubnet: subnet,
      externalNetwork: outside,
      provider: PROVIDER,
    });
    world.later(() => driver.remove(balancer({}), signal));
  }, 600_000);

  afterAll(async () => {
    for (const server of servers) await server.stop();
    await world?.close();
    await cloud?.close();
  }, 300_000);

  test('are made once, reached from outside, and go with the type of the Service', async () => {
    const before = (await all()).length;
    const made = await driver.ensure(balancer({}), signal);
    expect(made.external).toMatchObject({ address: expect.stringMatching(/^203\.0\.113\./), isOurs: true });
    await expect.poll(() => answers(made.external!.address).catch(String), WAIT).toEqual(['one', 'two']);
    // Also for a controller that does not know what was written.
    expect(await driver.ensure(balancer({}), signal)).toEqual(made);
    expect(await driver.ensure(balancer({}, made), signal)).toEqual(made);
    expect(await all()).toHaveLength(before + 1);

    const inside = await driver.ensure(balancer({ type: 'ClusterIP' }, made), signal);
    expect(inside.external).toBeUndefined();
    expect(inside.balancerId).toBe(made.balancerId);
    expect(await all()).toHaveLength(before);
  }, 900_000);

  test('of a user are taken where a Service asks for them, and remain when it goes', async () => {
    const theirs = await byHand();
    const first = await driver.ensure(balancer({}), signal);
    const asked = { externalAddress: theirs.floating_ip_address };
    const made = await driver.ensure(balancer(asked, first), signal);
    expect(made.external).toEqual({ id: theirs.id, address: theirs.floating_ip_address, isOurs: false });
    await expect.poll(() => answers(theirs.floating_ip_address).catch(String), WAIT).toEqual(['one', 'two']);
    expect((await all()).map(({ id }) => id)).not.toContain(first.external!.id);

    await driver.remove(balancer(asked, made), signal);
    expect(await floatingIps.show(cloud, theirs.id, signal)).toMatchObject({ port_id: null });
    await driver.remove(balancer(asked, made), signal);
  }, 900_000);

  test('that another port has are refused, and stay there', async () => {
    const end = (await ports.find(cloud, { device_id: `${world.tag}-one` }, signal))!;
    const theirs = await byHand({ port_id: end.id });
    await expect(
      driver.ensure(balancer({ externalAddress: theirs.floating_ip_address }), signal),
    ).rejects.toMatchObject({
      code: 'SF-KURYR-SERVICE',
      message: expect.stringContaining(`${theirs.floating_ip_address} belongs to port ${end.id}`),
    });
    expect(await floatingIps.show(cloud, theirs.id, signal)).toMatchObject({ port_id: end.id });
    await driver.remove(balancer({}), signal);
  }, 900_000);
});
