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
    const made = await driver.ensure(balancer(), signal);
    expect(made).toMatchObject({ address: '10.76.0.9' });
    const id = made.balancerId;
    const listeners = await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal);
    expect(listeners.map(({ name }) => name).toSorted()).toEqual(['TCP:80', 'TCP:81']);
    expect(await members(id, 'TCP:80')).toEqual(['10.76.0.5', '10.76.0.6']);

    changes = 0;
    expect(await driver.ensure(balancer(), signal)).toEqual(made);
    expect(changes).toBe(0);

    await driver.ensure(
      balancer({ ports: [{ name: 'http', protocol: 'TCP', port: 80, members: [member(6), member(7)] }] }),
      signal,
    );
    expect(await members(id, 'TCP:80')).toEqual(['10.76.0.6', '10.76.0.7']);
    expect(await balancerListeners.list(cloud, [], { loadbalancer_id: id }, signal)).toHaveLength(1);
    expect(await balancerPools.list(cloud, [], { loadbalancer_id: id }, signal)).toHaveLength(1);

    await removeLoadBalancer(cloud, id, signal);
    const again = await driver.ensure(balancer(), signal);
    expect(again.balancerId).not.toBe(id);
    await driver.remove(balancer(), signal);
    await driver.remove(balancer(), signal);
    expect(await loadBalancers.list(cloud, [], { project_id: own.id }, signal)).toEqual([]);
  }, 900_000);
});
