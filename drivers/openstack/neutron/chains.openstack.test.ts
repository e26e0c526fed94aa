import { execFileSync, spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import '@superfluidity/site';
import { renderChain } from '@superfluidity/fabric';
import {
  type Cloud,
  type Filters,
  flowClassifiers,
  networks,
  type Port,
  portChains,
  portPairGroups,
  portPairs,
  ports,
  subnets,
} from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labCloud, laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { NeutronChains } from './chains.ts';

const lab = laboratory();
const signal = AbortSignal.timeout(240_000);
const call = { key: 'chains', fence: 1, signal };
const names = ['user', 'fw', 'dpi', 'server', 'dpi2'] as const;
const functions = ['fw', 'dpi', 'dpi2'] as const;
type FunctionName = (typeof functions)[number];
type Name = (typeof names)[number];
const space = (name: Name) => `sf-sfc-${name}`;
const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe', encoding: 'utf8' });
const inside = (name: Name, ...args: readonly string[]) => ip('netns', 'exec', space(name), ...args);
const remove = (name: Name) => spawnSync('ip', ['netns', 'del', space(name)]);
const SERVICE = '10.99.77.1';

/**
 * Real packets: four ports of Neutron, bound to the laboratory's host, whose taps are moved into namespaces. The agent of
 * networking-sfc writes the flows; functions are routers that count what they forward.
 */
describe.skipIf(lab === undefined)('chains through networking-sfc (needs the OpenStack laboratory)', () => {
  let own: OwnProject;
  let cloud: Cloud;
  let network: string;
  let chains: NeutronChains;
  const at = {} as Record<Name, Port>;

  beforeAll(async () => {
    own = await ownProject(lab!, 'sf-sfc-test', OPERATOR);
    cloud = labCloud(own.config);
    chains = new NeutronChains(cloud, 'sfc-test', { active: async (id) => (await active(id)).id });
    await clean(own.id);
    network = (await networks.create(cloud, { name: 'sfc-test', port_security_enabled: false }, signal)).id;
    const subnet = {
      network_id: network,
      ip_version: 4,
      cidr: '10.77.9.0/24',
      gateway_ip: null,
      enable_dhcp: false,
    } as const;
    const { id: subnet_id } = await subnets.create(cloud, subnet, signal);
    for (const [index, name] of names.entries()) {
      at[name] = await ports.create(
        cloud,
        {
          name: `sfc-test-${name}`,
          network_id: network,
          device_id: `sfc-test-${name}`,
          device_owner: 'compute:test',
          'binding:host_id': process.env['LAB_HOST'] ?? hostname(),
          fixed_ips: [{ subnet_id, ip_address: `10.77.9.${index + 10}` }],
        },
        signal,
      );
    }
    for (const name of names) await plug(name, await active(at[name].id));
    inside('server', 'ip', 'addr', 'add', `${SERVICE}/32`, 'dev', 'lo');
    for (const name of ['user', ...functions] as const) {
      inside(name, 'ip', 'route', 'add', `${SERVICE}/32`, 'via', addressOf('server'));
    }
    for (const name of functions) {
      inside(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0');
      inside(name, 'sh', '-c', 'for f in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 > $f; done');
    }
  }, 240_000);

  afterAll(async () => {
    for (const name of names) remove(name);
    await chains.purge(signal);
    for (const name of names) await ports.delete(cloud, at[name].id, signal);
    await networks.delete(cloud, network, signal);
    await cloud.close();
    await own.remove();
  }, 120_000);

  test('steers both directions through the functions in order, and by another version after the change', async () => {
    await install(1, ['fw', 'dpi']);
    expect(await forwardedPerPing()).toEqual({ fw: [1, 1], dpi: [1, 1], dpi2: [0, 0] });
    await install(2, ['dpi']);
    expect(await forwardedPerPing()).toEqual({ fw: [0, 0], dpi: [1, 1], dpi2: [0, 0] });
    await chains.removePath('c1', 1, call);
    await chains.removePath('c1', 1, call);
    expect((await ours(portPairs)).map((pair) => pair.ingress)).toEqual([at.dpi.id]);
    await expect(chains.activatePath('c1', 1, call)).rejects.toMatchObject({ code: 'SF-SITE-NO-PATH' });
    expect(await forwardedPerPing()).toEqual({ fw: [0, 0], dpi: [1, 1], dpi2: [0, 0] });
    await install(3, ['dpi'], { dpi: ['dpi2'] });
    // The port is in the group that was there, and nothing else is made of it.
    expect((await ours(portPairGroups)).map(({ port_pairs }) => port_pairs.length)).toEqual([2]);
    await chains.removePath('c1', 2, call);
    const shares = await forwardedOf(64);
    expect(shares.fw).toBe(0);
    expect(shares.dpi + shares.dpi2).toBe(64);
    expect(Math.min(shares.dpi, shares.dpi2)).toBeGreaterThan(8);

    await install(4, ['dpi2']);
    await chains.removePath('c1', 3, call);
    expect((await ours(portPairs)).map((pair) => pair.ingress)).toEqual([at.dpi2.id]);
    expect(await forwardedPerPing()).toEqual({ fw: [0, 0], dpi: [0, 0], dpi2: [1, 1] });
    await chains.removePath('c1', 4, call);
    expect(await forwardedPerPing()).toEqual({ fw: [0, 0], dpi: [0, 0], dpi2: [0, 0] });
    const left = await Promise.all([ours(portChains), ours(portPairs), ours(portPairGroups), ours(flowClassifiers)]);
    expect(left.flat()).toEqual([]);
  }, 240_000);

  /** An admin sees the things of all projects. */
  async function ours<T extends { readonly name: string }>(kind: {
    readonly list: (cloud: Cloud, filters: Filters, signal: AbortSignal) => Promise<readonly T[]>;
  }): Promise<readonly T[]> {
    return (await kind.list(cloud, {}, signal)).filter(({ name }) => name.startsWith('sf/sfc-test/'));
  }

  async function install(
    version: number,
    through: readonly FunctionName[],
    others: Partial<Record<Name, readonly Name[]>> = {},
  ): Promise<void> {
    const hops = ['user', ...through, 'server'].map((name, index) => ({
      site: 'cloud',
      routerSid: 'fc00::1',
      others: (others[name as Name] ?? []).map((other) => at[other].id),
      port: {
        id: at[name as Name].id,
        name: 'eth0',
        network,
        host: 'h1',
        address: addressOf(name as Name),
        mac: at[name as Name].mac_address,
        sid: `fc00::1:${index + 1}`,
      },
    }));
    const chain = { address: SERVICE, protocol: 'any', ports: [] } as const;
    const [path] = renderChain({ chainId: 'c1', version, chain, hops });
    for (let times = 0; times < 2; times += 1) await chains.ensurePath(path!, call);
    for (let times = 0; times < 2; times += 1) await chains.activatePath('c1', version, call);
  }

  /** Requests and replies that each function forwards for a ping; waits until the agent has written what is wanted. */
  async function forwardedPerPing(): Promise<Record<FunctionName, readonly number[]>> {
    let seen = '';
    for (let same = 0; same < 3; ) {
      const before = eachFunction(counted);
      let answered = true;
      try {
        inside('user', 'ping', '-c', '1', '-W', '1', '-I', addressOf('user'), SERVICE);
      } catch {
        answered = false;
      }
      const after = eachFunction(counted);
      const now = JSON.stringify(
        eachFunction((name) => after[name].slice(0, 2).map((count, index) => count - before[name][index]!)),
      );
      same = answered && now === seen ? same + 1 : 0;
      seen = now;
      await pause();
    }
    return JSON.parse(seen) as Record<FunctionName, readonly number[]>;
  }

  /**
   * How many of so many flows each function forwards, once they all go through some. Of TCP, whose ports Open vSwitch looks at;
   * of UDP it takes the addresses alone.
   */
  async function forwardedOf(flows: number): Promise<Record<FunctionName, number>> {
    const program = `for (let i = 0; i < ${flows}; i += 1)
      require('net').connect({ host: '${SERVICE}', port: 9, localAddress: '${addressOf('user')}' }).on('error', () => {});`;
    for (;;) {
      const before = eachFunction((name) => counted(name)[2]!);
      inside('user', process.execPath, '-e', program);
      const after = eachFunction((name) => counted(name)[2]!);
      const now = eachFunction((name) => after[name] - before[name]);
      // While the agent rewrites its rules some go by address alone, or by one instance.
      if (now.dpi > 0 && now.dpi2 > 0 && now.dpi + now.dpi2 === flows) return now;
      await pause();
    }
  }

  async function pause(): Promise<void> {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }

  function eachFunction<T>(ask: (name: FunctionName) => T): Record<FunctionName, T> {
    return Object.fromEntries(functions.map((name) => [name, ask(name)])) as Record<FunctionName, T>;
  }

  /** Echo requests, replies and openings of connections that were forwarded: by counters in its packet filter. */
  function counted(name: FunctionName): readonly number[] {
    const listed = inside(name, 'nft', '-j', 'list', 'counters');
    const counters = (JSON.parse(listed) as { nftables: { counter?: { name: string; packets: number } }[] }).nftables;
    return ['request', 'reply', 'opening'].map(
      (what) => counters.find(({ counter }) => counter?.name === what)?.counter?.packets ?? Number.NaN,
    );
  }

  async function plug(name: Name, port: Port): Promise<void> {
    const tap = `tap${port.id.slice(0, 11)}`;
    ip('netns', 'add', space(name));
    ip('link', 'set', tap, 'netns', space(name));
    const commands: readonly (readonly string[])[] = [
      ['link', 'set', 'lo', 'up'],
      ['link', 'set', tap, 'address', port.mac_address, 'up'],
      ['addr', 'add', `${addressOf(name)}/24`, 'dev', tap],
    ];
    for (const command of commands) inside(name, 'ip', ...command);
    if (name === 'user' || name === 'server') return;
    const rules = ['request', 'reply', 'opening'].map((what) => `counter ${what} {}`).join('\n');
    const chain = `chain f { type filter hook forward priority 0;
      icmp type echo-request counter name request\n icmp type echo-reply counter name reply\n tcp flags & (syn | ack) == syn counter name opening\n }`;
    execFileSync('ip', ['netns', 'exec', space(name), 'nft', '-f', '-'], {
      input: `table ip t {\n${rules}\n${chain}\n}\n`,
    });
  }

  async function active(id: string): Promise<Port> {
    for (;;) {
      const port = await ports.show(cloud, id, signal);
      if (port.status === 'ACTIVE') return port;
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  function addressOf(name: Name): string {
    return `10.77.9.${names.indexOf(name) + 10}`;
  }

  /** What a run before this one left. */
  async function clean(project_id: string): Promise<void> {
    await chains.purge(signal);
    for (const name of names) remove(name);
    for (const { id } of await ports.list(cloud, { project_id }, signal)) await ports.delete(cloud, id, signal);
    for (const { id } of await networks.list(cloud, { project_id }, signal)) await networks.delete(cloud, id, signal);
  }
});
