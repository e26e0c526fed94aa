import { silentLogger, systemClock } from '@superfluidity/core';
import type { BalancerSpec } from '@superfluidity/fabric';
import {
  balancerListeners,
  balancerPools,
  balancerProviders,
  type Cloud,
  createLoadBalancer,
  healthMonitors,
  l7Policies,
  loadBalancers,
  networks,
  poolMembers,
  ports,
  subnets,
} from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import '../errors.ts';
import { readConfig } from '../config.ts';
import { Marks } from '../marks.ts';
import type { World } from '../world.ts';
import { OctaviaBalancers } from './balancers.ts';

const lab = laboratory();
const signal = AbortSignal.timeout(900_000);

describe.skipIf(lab === undefined)('balancers through Octavia (needs the OpenStack laboratory)', () => {
  let own: OwnProject;
  let cloud: Cloud;
  let network: string;
  let subnetId: string;
  let balancers: OctaviaBalancers;
  let world: World;
  /** Requests that changed something. */
  let changes = 0;

  beforeAll(async () => {
    own = await ownProject(lab!, 'sf-octavia-driver', OPERATOR);
    cloud = labCloud(own.config, {
      onRequest: ({ method, service }) => {
        if (method !== 'GET' && service === 'load-balancer') changes += 1;
      },
    });
    world = {
      siteId: 'octavia-driver-test',
      name: 'trial',
      cloud,
      marks: new Marks('octavia-driver-test'),
      config: readConfig('trial', {}),
      clock: systemClock,
      log: silentLogger,
      ask: () => signal,
    };
    for (const { id } of await networks.list(cloud, { project_id: own.id }, signal))
      await networks.delete(cloud, id, signal).catch(() => {});
    network = (await networks.create(cloud, { name: 'octavia-driver' }, signal)).id;
    const shape = { network_id: network, ip_version: 4, cidr: '10.77.41.0/24', enable_dhcp: false } as const;
    subnetId = (await subnets.create(cloud, shape, signal)).id;
    const spec = { id: 'n', service: 's', name: 'n', prefix: '10.77.41.0/24', supernet: '10.77.0.0/16', mtu: 1400 };
    balancers = new OctaviaBalancers(world, { get: async () => ({ spec, networkId: network, subnetId }) });
    await balancers.purge(signal);
  }, 300_000);

  afterAll(async () => {
    if (cloud === undefined) return;
    await balancers.purge(signal);
    await networks.delete(cloud, network, signal);
    await cloud.close();
    await own.remove();
  }, 300_000);

  const spec: BalancerSpec = {
    id: 'svc.front',
    service: 'svc',
    name: 'front',
    network: 'n',
    address: '10.77.41.200',
    port: 80,
    layer: 'http',
    members: [
      { address: '10.77.41.11', port: 8080, draining: false, weight: 3 },
      { address: '10.77.41.12', port: 8080, draining: true },
    ],
    pools: [{ name: 'api', members: [{ address: '10.77.41.13', port: 8081, draining: false }] }],
    algorithm: 'least-connections',
    persistence: { kind: 'app-cookie', cookie: 'SESSION' },
    health: { kind: 'http', port: 8080, path: '/health', timeoutMs: 2_000, intervalMs: 4_000, rise: 2, fall: 3 },
    routes: [
      {
        name: 'api',
        rules: [{ kind: 'path', compare: 'starts', value: '/api' }],
        action: { kind: 'pool', pool: 'api' },
      },
    ],
    connectionLimit: 500,
    allow: ['10.77.0.0/16'],
    timeouts: { clientMs: 30_000 },
    forwarded: true,
  };

  test('makes the tree, changes what is otherwise, leaves alone what is not, and removes it whole', {
    timeout: 600_000,
  }, async () => {
    await balancers.ensure(spec, signal);
    const [made] = await loadBalancers.list(cloud, [], { tags: world.marks.siteTag }, signal);
    expect(made).toMatchObject({ name: 'svc.front', vip_address: spec.address, provisioning_status: 'ACTIVE' });
    // Of ours, all is in the request that makes the load balancer, and nothing is found otherwise afterwards.
    if (made!.provider === 'superfluidity') expect(changes).toBe(1);
    const below = { loadbalancer_id: made!.id };
    const [listener] = await balancerListeners.list(cloud, [], below, signal);
    expect(listener).toMatchObject({
      protocol: 'HTTP',
      protocol_port: 80,
      connection_limit: 500,
      timeout_client_data: 30_000,
      allowed_cidrs: ['10.77.0.0/16'],
    });
    const pools = await balancerPools.list(cloud, [], below, signal);
    const main = pools.find(({ name }) => name === 'members')!;
    expect(main).toMatchObject({
      lb_algorithm: 'LEAST_CONNECTIONS',
      session_persistence: { type: 'APP_COOKIE', cookie_name: 'SESSION' },
    });
    const weights = async () =>
      Object.fromEntries(
        (await poolMembers.list(cloud, [main.id], {}, signal)).map(({ address, weight }) => [address, weight]),
      );
    expect(await weights()).toEqual({ '10.77.41.11': 3, '10.77.41.12': 0 });
    expect(await healthMonitors.show(cloud, [], main.healthmonitor_id!, signal)).toMatchObject({
      type: 'HTTP',
      url_path: '/health',
      delay: 4,
      timeout: 2,
      max_retries: 2,
    });
    const [policy] = await l7Policies.list(cloud, [], { listener_id: listener!.id }, signal);
    expect(policy).toMatchObject({ action: 'REDIRECT_TO_POOL', position: 1 });

    changes = 0;
    await balancers.ensure(spec, signal);
    expect(changes).toBe(0);
    const members = [...spec.members, { address: '10.77.41.14', port: 8080, draining: false }];
    await balancers.ensure({ ...spec, members }, signal);
    expect(changes).toBe(1);
    expect(await weights()).toEqual({ '10.77.41.11': 3, '10.77.41.12': 0, '10.77.41.14': 1 });
    const { persistence: _, routes: _routes, pools: _pools, ...plain } = spec;
    await balancers.ensure(
      { ...plain, algorithm: 'round-robin', health: { kind: 'tcp', port: 8080, timeoutMs: 1_000 } },
      signal,
    );
    expect((await balancerPools.list(cloud, [], below, signal)).map(({ name }) => name)).toEqual(['members']);
    expect(await balancerPools.show(cloud, [], main.id, signal)).toMatchObject({ lb_algorithm: 'ROUND_ROBIN' });
    expect(await l7Policies.list(cloud, [], { listener_id: listener!.id }, signal)).toEqual([]);

    await balancers.remove(spec.id, signal);
    await balancers.remove(spec.id, signal);
    expect(await loadBalancers.list(cloud, [], { tags: world.marks.siteTag }, signal)).toEqual([]);
  });

  test('leaves no port of its address behind when Octavia refuses what is below it', async () => {
    const vip_address = '10.77.41.210';
    const listener = { name: 'virtual', protocol: 'HTTP', protocol_port: 80, default_pool: { name: 'absent' } };
    const fields = { name: 'refused', vip_subnet_id: subnetId, vip_address, listeners: [listener] };
    await expect(createLoadBalancer(cloud, fields, signal)).rejects.toThrow(/absent/);
    const at = { fixed_ips: [`subnet_id=${subnetId}`, `ip_address=${vip_address}`] };
    expect(await ports.list(cloud, at, signal)).toEqual([]);
  });

  test('refuses by name what no provider of the cloud has, and addresses that are not of the network', async () => {
    const enabled = (await balancerProviders(cloud, signal)).map(({ name }) => name);
    expect((await balancers.kinds(signal)).length).toBeGreaterThan(0);
    await expect(balancers.ensure({ ...spec, id: 'x', algorithm: 'uri' }, signal)).rejects.toMatchObject({
      code: 'SF-FABRIC-BALANCER',
      message: expect.stringMatching(/has no algorithm uri \(had by: linux, simulated\)/),
    });
    await expect(balancers.ensure({ ...spec, id: 'x', address: '10.99.0.1' }, signal)).rejects.toMatchObject({
      code: 'SF-CLOUD-BALANCER',
    });
    const tls = { certificates: ['-----BEGIN CERTIFICATE-----'] };
    await expect(balancers.ensure({ ...spec, id: 'x', tls }, signal)).rejects.toMatchObject({
      code: 'SF-CLOUD-BALANCER',
      message: expect.stringContaining('key manager'),
    });
    expect(enabled).not.toHaveLength(0);
  });
});
