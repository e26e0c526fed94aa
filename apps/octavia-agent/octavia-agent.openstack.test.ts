import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import {
  balancerListeners,
  balancerPools,
  balancerProviders,
  balancerStatistics,
  balancerStatus,
  type Cloud,
  healthMonitors,
  isNotFound,
  l7Policies,
  l7Rules,
  loadBalancers,
  networks,
  poolMembers,
  type Port,
  ports,
  removeLoadBalancer,
  replaceMembers,
  settled,
  subnets,
} from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';

const lab = laboratory();
const run = promisify(execFile);
const names = ['user', 'one', 'two'] as const;
type Name = (typeof names)[number];
const space = (name: Name) => `sf-oct-${name}`;
const signal = AbortSignal.timeout(900_000);

const provided = async (): Promise<boolean> => {
  if (lab === undefined) return false;
  const cloud = labCloud(lab);
  try {
    return (await balancerProviders(cloud, AbortSignal.timeout(5_000))).some(({ name }) => name === 'superfluidity');
  } catch {
    return false;
  } finally {
    await cloud.close();
  }
};
const isThere = await provided();

/** Real packets: the VIP and two members are ports of Neutron; the agent of the laboratory runs HAProxy behind the VIP. */
describe.skipIf(!isThere)('an Octavia balancer of our own (needs the laboratory with provider superfluidity)', () => {
  let own: OwnProject;
  let cloud: Cloud;
  let network: string;
  let subnet: string;
  const at = {} as Record<Name, Port>;
  const servers = new Map<Name, ChildProcess>();
  const inside = async (name: Name, ...args: readonly string[]) =>
    (await run('ip', ['netns', 'exec', space(name), ...args], { timeout: 20_000 })).stdout;

  beforeAll(async () => {
    own = await ownProject(lab!, 'sf-octavia-test', OPERATOR);
    cloud = labCloud(own.config);
    await clean(own.id);
    network = (await networks.create(cloud, { name: 'octavia-test', port_security_enabled: false }, signal)).id;
    const shape = { network_id: network, ip_version: 4, cidr: '10.77.31.0/24', gateway_ip: null, enable_dhcp: false };
    subnet = (await subnets.create(cloud, shape as Parameters<typeof subnets.create>[1], signal)).id;
    for (const [i, name] of names.entries()) {
      const fields = {
        name: `octavia-test-${name}`,
        network_id: network,
        device_id: `octavia-test-${name}`,
        device_owner: 'compute:test',
        'binding:host_id': process.env['LAB_HOST'] ?? hostname(),
        fixed_ips: [{ subnet_id: subnet, ip_address: `10.77.31.${i + 10}` }],
      };
      at[name] = await ports.create(cloud, fields, signal);
    }
    for (const name of names) await plug(name);
    for (const name of ['one', 'two'] as const) serve(name);
  }, 300_000);

  afterAll(async () => {
    if (cloud === undefined) return;
    await clean(own.id);
    await cloud.close();
    await own.remove();
  }, 300_000);

  test('carries traffic, notices what happens to members, counts, and leaves nothing', {
    timeout: 400_000,
  }, async () => {
    const made = await loadBalancers.create(
      cloud,
      [],
      { name: 'octavia-test', provider: 'superfluidity', vip_subnet_id: subnet, tags: ['octavia-test'] },
      signal,
    );
    const ready = () => settled(cloud, made.id, 'wait', signal);
    const { vip_address: vip, vip_port_id: vipPort } = await ready();
    const listener = await balancerListeners.create(
      cloud,
      [],
      { name: 'web', loadbalancer_id: made.id, protocol: 'HTTP', protocol_port: 80 },
      signal,
    );
    await ready();
    const pool = await balancerPools.create(
      cloud,
      [],
      { name: 'web', listener_id: listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
      signal,
    );
    await ready();
    const monitor = { type: 'HTTP', url_path: '/', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 };
    await healthMonitors.create(cloud, [], { pool_id: pool.id, ...monitor }, signal);
    await ready();
    const member = (name: Name, weight = 1) => ({ name, address: addressOf(name), protocol_port: 8080, weight });
    await replaceMembers(cloud, pool.id, [member('one'), member('two')], signal);
    await ready();
    await until(async () => (await balancerStatus(cloud, made.id, signal)).operating_status === 'ONLINE');

    const asked = async (times: number, path = '/') => {
      const text = await inside('user', 'curl', '-sS', '--max-time', '5', `http://${vip}${path}?[1-${times}]`);
      return Object.fromEntries(
        ['one', 'two'].map((name) => [name, text.split('\n').filter((line) => line === name).length]),
      );
    };
    await until(async () => (await asked(4))['one'] === 2);
    expect(await asked(10)).toEqual({ one: 5, two: 5 });
    const stateOf = async (name: Name) =>
      (await poolMembers.list(cloud, [pool.id], {}, signal)).find((one) => one.name === name)!.operating_status;
    expect([await stateOf('one'), await stateOf('two')]).toEqual(['ONLINE', 'ONLINE']);

    // One is killed: it is seen, and traffic goes on.
    servers.get('two')!.kill('SIGKILL');
    await until(async () => (await stateOf('two')) === 'ERROR');
    expect(await asked(6)).toEqual({ one: 6, two: 0 });
    expect((await loadBalancers.show(cloud, [], made.id, signal)).operating_status).toBe('DEGRADED');
    serve('two');
    await until(async () => (await stateOf('two')) === 'ONLINE');

    // Drained: no new ones; and by a weight.
    await replaceMembers(cloud, pool.id, [member('one', 0), member('two')], signal);
    await ready();
    expect(await asked(6)).toEqual({ one: 0, two: 6 });
    await until(async () => (await stateOf('one')) === 'DRAINING');
    await replaceMembers(cloud, pool.id, [member('one', 3), member('two')], signal);
    await ready();
    expect(await asked(16)).toEqual({ one: 12, two: 4 });

    const rule = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/closed' };
    const policy = await l7Policies.create(cloud, [], { listener_id: listener.id, action: 'REJECT' }, signal);
    await ready();
    await l7Rules.create(cloud, [policy.id], rule, signal);
    await ready();
    const code = await inside('user', 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `http://${vip}/closed`);
    expect(code).toBe('403');

    const counted = await until(
      () => balancerStatistics(cloud, 'loadbalancers', made.id, signal),
      (stats) => stats.total_connections > 0 && stats.bytes_out > 0,
    );
    expect(counted.bytes_in).toBeGreaterThan(0);

    // What it does not do is refused while somebody listens, and nothing is left of it.
    const udp = { loadbalancer_id: made.id, protocol: 'UDP', protocol_port: 53 };
    await expect(balancerListeners.create(cloud, [], udp, signal)).rejects.toMatchObject({
      message: expect.stringContaining('it has no listeners of protocol UDP'),
    });
    await ready();

    expect(await removeLoadBalancer(cloud, made.id, signal)).toBe(true);
    await expect(balancerListeners.show(cloud, [], listener.id, signal)).rejects.toSatisfy(isNotFound);
    await expect(ports.show(cloud, vipPort!, signal)).rejects.toSatisfy(isNotFound);
    const left = (await run('ip', ['netns', 'list'])).stdout;
    expect(left).not.toContain(`sf-lb-${made.id.slice(0, 13)}`);
    await expect(asked(1)).rejects.toThrow();
  });

  test('comes up whole from one request', { timeout: 300_000 }, async () => {
    const members = (['one', 'two'] as const).map((name) => ({ address: addressOf(name), protocol_port: 8080 }));
    const tree = {
      name: 'octavia-test-whole',
      provider: 'superfluidity',
      vip_subnet_id: subnet,
      listeners: [
        {
          name: 'l',
          protocol: 'TCP',
          protocol_port: 81,
          default_pool: { name: 'p', protocol: 'TCP', lb_algorithm: 'SOURCE_IP', members },
        },
      ],
    };
    const { id } = await loadBalancers.create(cloud, [], tree, signal);
    const { vip_address: vip } = await settled(cloud, id, 'wait', signal);
    const ask = () => inside('user', 'curl', '-sS', '--max-time', '2', `http://${vip}:81/`).catch(() => '');
    const first = await until(ask, (text) => text !== '');
    for (let i = 0; i < 5; i += 1) expect(await ask()).toBe(first);
    expect((await balancerStatus(cloud, id, signal)).listeners[0]!.pools[0]!.members).toMatchObject([
      { provisioning_status: 'ACTIVE', operating_status: 'NO_MONITOR' },
      { provisioning_status: 'ACTIVE', operating_status: 'NO_MONITOR' },
    ]);
    expect(await removeLoadBalancer(cloud, id, signal)).toBe(true);
  });

  function addressOf(name: Name): string {
    return `10.77.31.${names.indexOf(name) + 10}`;
  }

  function serve(name: Name): void {
    const program = `require('node:http').createServer((q, r) => r.end('${name}\\n')).listen(8080, '0.0.0.0')`;
    const args = ['netns', 'exec', space(name), process.execPath, '-e', program];
    servers.set(name, spawn('ip', args, { stdio: 'ignore' }));
  }

  async function plug(name: Name): Promise<void> {
    const tap = `tap${at[name].id.slice(0, 11)}`;
    await until(async () => (await ports.show(cloud, at[name].id, signal)).status === 'ACTIVE');
    await run('ip', ['netns', 'add', space(name)]);
    await run('ip', ['link', 'set', tap, 'netns', space(name)]);
    await inside(name, 'ip', 'link', 'set', tap, 'address', at[name].mac_address, 'mtu', '1400', 'up');
    await inside(name, 'ip', 'addr', 'add', `${addressOf(name)}/24`, 'dev', tap);
  }

  /** Also what a run before this one left. */
  async function clean(project_id: string): Promise<void> {
    for (const server of servers.values()) server.kill('SIGKILL');
    for (const name of names) spawnSync('ip', ['netns', 'del', space(name)]);
    for (const one of await loadBalancers.list(cloud, [], { project_id }, signal))
      await removeLoadBalancer(cloud, one.id, signal).catch(() => {});
    for (const { id } of await ports.list(cloud, { project_id }, signal)) await ports.delete(cloud, id, signal);
    for (const { id } of await networks.list(cloud, { project_id }, signal)) await networks.delete(cloud, id, signal);
  }
});

async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean = Boolean): Promise<T> {
  let seen = await look();
  for (let tries = 0; tries < 400 && !holds(seen); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    seen = await look();
  }
  expect(seen).toSatisfy(holds);
  return seen;
}
