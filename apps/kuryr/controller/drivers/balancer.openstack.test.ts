import {
  balancerListeners,
  balancerPools,
  balancerProviders,
  type Cloud,
  loadBalancers,
  networks,
  poolMembers,
  ports,
  removeLoadBalancer,
  settled,
  subnets,
} from '@superfluidity/openstack';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KuryrLoadBalancer } from '../../api/load-balancer.ts';
import { OctaviaBalancer } from './balancer-octavia.ts';

/** Services of Kubernetes as load balancers of a real Octavia. */

const lab = laboratory();
const signal = AbortSignal.timeout(900_000);
const PROVIDERS = ['superfluidity', 'amphora', 'octavia'];

describe.skipIf(lab === undefined)('balancers of Kuryr through Octavia (needs the OpenStack laboratory)', () => {
  let own: OwnProject;
  let cloud: Cloud;
  let driver: OctaviaBalancer;
  let network: string;
  let changes = 0;

  const balancer = (spec: Partial<KuryrLoadBalancer['spec']> = {}): KuryrLoadBalancer => ({
    metadata: { namespace: 'shop', name: 'web', uid: 'uid-web' },
    spec: {
      address: '10.76.0.9',
      type: 'ClusterIP',
      project: '',
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, members: [member(5), member(6)] },
        { name: 'admin', protocol: 'TCP', port: 81, members: [] },
      ],
      ...spec,
    },
  });
  const member = (last: number) => ({ address: `10.76.0.${last}`, port: 8_080, pod: `shop/web-${last}` });
  const members = async (id: string, name: string) => {
    const pool = (await balancerPools.list(cloud, [], { loadbalancer_id: id }, signal)).find(
      (one) => one.name === name,
    );
    return (await poolMembers.list(cloud, [pool!.id], {}, signal)).map(({ address }) => address).toSorted();
  };

  beforeAll(async () => {
    own = await ownProject(lab!, 'sf-kuryr-balancers', OPERATOR);
    cloud = labCloud(own.config, {
      onRequest: ({ method, service }) => {
        if (method !== 'GET' && service === 'load-balancer') changes += 1;
      },
    });
    for (const { id } of await loadBalancers.list(cloud, [], { project_id: own.id }, signal))
      await removeLoadBalancer(cloud, id, signal);
    for (const { id } of await ports.list(cloud, { project_id: own.id }, signal)) await ports.delete(cloud, id, signal);
    for (const { id } of await networks.list(cloud, { project_id: own.id }, signal))
      await networks.delete(cloud, id, signal);
    network = (await networks.create(cloud, { name: 'kuryr-balancers' }, signal)).id;
    const shape = { network_id: network, ip_version: 4, cidr: '10.76.0.0/24', enable_dhcp: false } as const;
    const serviceSubnet = (await subnets.create(cloud, shape, signal)).id;
    const enabled = (await balancerProviders(cloud, signal)).map(({ name }) => name);
    const provider = PROVIDERS.find((name) => enabled.includes(name));
    driver = new OctaviaBalancer({
      cloud,
      tags: ['superfluidity', 'superfluidity:kuryr=test'],
      serviceSubnet,
      ...(provider === undefined ? {} : { provider }),
    });
  }, 300_000);

  afterAll(async () => {
    await driver.remove(balancer(), signal);
    await networks.delete(cloud, network, signal);
    await cloud.close();
    await own.remove();
  }, 300_000);

  test('has a listener and a pool for each port, follows its members, and comes again when somebody deletes it', async () => {
    changes = 0;
    const made = await driver.ensure(balancer(), signal);
    if (made.provider === 'superfluidity') expect(changes).toBe(1);
    expect(made).toMatchObject({ address: '10.76.0.9' });
    const id = made.balancerId;
    const listeners = await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal);
    expect(listeners.map(({ name }) => name).toSorted()).toEqual(['TCP:80', 'TCP:81']);
    expect(await members(id, 'TCP:80')).toEqual(['10.76.0.5', '10.76.0.6']);

    changes = 0;
    expect(await driver.ensure(balancer(), signal)).toEqual(made);
    expect(changes).toBe(0);

    const ports: Partial<KuryrLoadBalancer['spec']> = {
      ports: [{ name: 'http', protocol: 'TCP', port: 80, members: [member(6), member(7)] }],
    };
    await driver.ensure(balancer(ports), signal);
    expect(await members(id, 'TCP:80')).toEqual(['10.76.0.6', '10.76.0.7']);
    expect(await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal)).toHaveLength(1);
    expect(await balancerPools.list(cloud, [], { loadbalancer_id: id }, signal)).toHaveLength(1);

    // A listener that somebody deletes comes again, with its pool.
    const [only] = await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal);
    await balancerListeners.delete(cloud, [], only!.id, signal);
    await settled(cloud, id, 'wait for a test', signal);
    expect(await driver.ensure(balancer(ports), signal)).toMatchObject({ balancerId: id });
    const [other] = await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal);
    expect(other!.id).not.toBe(only!.id);
    expect(other).toMatchObject({ protocol_port: 80, default_pool_id: only!.default_pool_id });

    await removeLoadBalancer(cloud, id, signal);
    const again = await driver.ensure(balancer(), signal);
    expect(again.balancerId).not.toBe(id);
    await driver.remove(balancer(), signal);
    await driver.remove(balancer(), signal);
    expect(await loadBalancers.list(cloud, [], { project_id: own.id }, signal)).toEqual([]);
  }, 900_000);

  test('timeouts reach the listener, change there, and are those of Octavia again when nobody asks for them', async () => {
    const timed = async (timeouts?: KuryrLoadBalancer['spec']['timeouts']) => {
      const { balancerId } = await driver.ensure(balancer(timeouts === undefined ? {} : { timeouts }), signal);
      const all = await balancerListeners.list(cloud, [], { loadbalancer_id: balancerId }, signal);
      expect(new Set(all.map((one) => one.timeout_client_data)).size).toBe(1);
      return [all[0]!.timeout_client_data, all[0]!.timeout_member_data];
    };
    const [client, server] = await timed();
    expect(await timed({ clientMs: 12_000 })).toEqual([12_000, server]);
    expect(await timed({ clientMs: 13_000, memberMs: 14_000 })).toEqual([13_000, 14_000]);
    changes = 0;
    expect(await timed({ clientMs: 13_000, memberMs: 14_000 })).toEqual([13_000, 14_000]);
    expect(changes).toBe(0);
    expect(await timed({ memberMs: 14_000 })).toEqual([client, 14_000]);
    expect(await timed()).toEqual([client, server]);
    await driver.remove(balancer(), signal);
  }, 900_000);
});
