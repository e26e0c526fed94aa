import { setTimeout as pause } from 'node:timers/promises';
import type { KuryrPort, PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../lab/command.ts';
import { ovsSocket } from '../../../lab/openstack/services/ovs.ts';
import { findLab } from '../../../lab/openstack/testing.ts';
import { TestCloud } from '../../../lab/openstack/testing-cloud.ts';
import { pings, TestNode } from './testing/node.ts';

const { lab, reason } = findLab({ services: ['ovs'] });
const isOther = lab !== undefined && lab.options.network !== 'ovs' ? 'needs the network ovs' : undefined;
const absent = reason ?? isOther ?? missingForKernelTests(['ip', 'ping', 'cc']);
const MTU = 1_400;
const GRACE_MS = 1_000;

describe.skipIf(absent !== undefined)(titled('ports of a real Neutron', absent), () => {
  let cloud: TestCloud;
  let node: TestNode;
  let network: string;
  const isWatched = new AbortController();
  const watches: Promise<void>[] = [];

  beforeAll(async () => {
    cloud = await TestCloud.open(lab!);
    network = (await cloud.create('network', '/networks', {}))['id']!;
    await cloud.create('subnet', '/subnets', {
      network_id: network,
      ip_version: 4,
      cidr: '10.82.77.0/24',
      enable_dhcp: false,
    });
    node = await TestNode.open();
    // The network of this machine, where the laboratory's Open vSwitch is.
    const ovsdb = ovsSocket(lab!).slice('unix:'.length);
    const { ports, spares } = await node.startDaemon({ namespace: undefined, ovsdb, graceMs: GRACE_MS });
    ports.setKnown(true);
    spares.setKnown();
  });
  afterAll(async () => {
    isWatched.abort();
    await Promise.all(watches);
    await node?.[Symbol.asyncDispose]();
    console.log(await cloud?.close());
  });

  /** A port that is bound and DOWN. */
  async function bound(name: string): Promise<PodInterface> {
    const made = await cloud.create('port', '/ports', {
      network_id: network,
      port_security_enabled: false,
      'binding:host_id': lab!.options.host,
      // Ports of most other owners the laboratory plugs itself.
      device_owner: 'compute:kuryr',
      device_id: `${cloud.tag}-${name}`,
    });
    const id: string = made['id']!;
    const address: string = made['fixed_ips']![0]!['ip_address']!;
    return {
      id,
      mac: made['mac_address']! as string,
      addresses: [`${address}/24`],
      routes: [],
      mtu: MTU,
      active: false,
      isDefault: true,
      plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: id },
    };
  }

  /** As one from the controller, which tells when it is ACTIVE. */
  async function port(pod: string): Promise<KuryrPort> {
    const eth0 = await bound(pod);
    const { id } = eth0;
    const told = node.port(pod, { interfaces: { eth0 } });
    node.daemon.ports.put(told);
    const watch = async () => {
      while (!isWatched.signal.aborted && (await cloud.portStatus(id)) !== 'ACTIVE') await pause(50);
      node.daemon.ports.put(node.port(pod, { interfaces: { eth0: { ...eth0, active: true } } }));
    };
    watches.push(watch());
    return told;
  }

  test('are wired by its agent for pods that the daemon plugs, most of it before they are asked for', async () => {
    const pods = await Promise.all(
      ['one', 'two'].map(async (pod) => ({ pod, netns: node.sandbox(), port: await port(pod) })),
    );
    const added = await Promise.all(
      pods.map(({ pod, netns }) => cloud.timed(`ADD of ${pod}, at once`, () => node.call('ADD', pod, { netns }))),
    );
    expect(added.map(({ code, output }) => ({ code, output: code === 0 ? undefined : output }))).toEqual([
      { code: 0 },
      { code: 0 },
    ]);
    const [one, two] = pods.map(({ port: told }) => told.status!.interfaces['eth0']!);
    const address = two!.addresses[0]!.split('/')[0]!;
    await cloud.eventually(async () => {
      if (!pings(pods[0]!.netns, address)) throw new Error('no answer');
    });
    expect(pings(pods[0]!.netns, address, MTU - 28)).toBe(true);

    // The runtime makes a sandbox meanwhile.
    const late = { pod: 'late', netns: node.sandbox(), port: await port('late') };
    const id = late.port.status!.interfaces['eth0']!.id;
    await cloud.until('the port', 'ACTIVE', () => cloud.portStatus(id));
    await pause(200);
    const { code } = await cloud.timed('ADD of a pod that was plugged ahead', () => node.call('ADD', 'late', late));
    expect(code).toBe(0);

    for (const { pod } of [...pods, late]) expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
    await cloud.until('the port', 'DOWN', () => cloud.portStatus(one!.id));
    expect(await plugged()).toBe('');
  });

  test('are ACTIVE before a pod has them where a pool tells of them, and stay so from one pod to the next', async () => {
    const [spare, other] = [await bound('spare'), await bound('other')];
    const told = [spare, other].map(({ id, mac, mtu }) => {
      const plugging = { kind: 'ovs', bridge: 'br-int', interfaceId: id } as const;
      return { id, mac, mtu, plugging };
    });
    const toldMs = performance.now();
    node.daemon.spares.tell('pool', told);
    for (const { id } of told) await cloud.until('the spare', 'ACTIVE', () => cloud.portStatus(id));
    console.log(`two spares were ACTIVE after ${Math.round(performance.now() - toldMs)} ms`);
    const give = async (pod: string, wish: PodInterface) => {
      node.daemon.ports.put(node.port(pod, { interfaces: { eth0: { ...wish, active: true } } }));
      const netns = node.sandbox();
      const { code } = await cloud.timed(`ADD of ${pod}, with a spare`, () => node.call('ADD', pod, { netns }));
      expect(code).toBe(0);
      return netns;
    };
    const address = (wish: PodInterface) => wish.addresses[0]!.split('/')[0]!;
    const [first, second] = [await give('first', spare), await give('second', other)];
    // At once: there is nothing to wait for.
    expect(pings(first, address(other), MTU - 28)).toBe(true);
    expect(await node.call('DEL', 'first')).toMatchObject({ code: 0 });
    node.daemon.ports.remove('default', 'first');
    await pause(2_000);
    expect(await cloud.portStatus(spare.id)).toBe('ACTIVE');
    const third = await give('third', spare);
    expect(pings(second, address(spare))).toBe(true);
    expect(pings(third, address(other))).toBe(true);
    for (const pod of ['second', 'third']) {
      expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
      node.daemon.ports.remove('default', pod);
    }
    node.daemon.spares.tell('pool', undefined);
    for (const { id } of told) await cloud.until('the spare', 'DOWN', () => cloud.portStatus(id));
    expect(await plugged()).toBe('');
  });

  async function plugged(): Promise<string> {
    const find = ['--columns=name', 'find', 'Port', `external_ids:superfluidity-kuryr=${node.name}`] as const;
    return (await run(['ovs-vsctl', `--db=${ovsSocket(lab!)}`, ...find])).trim();
  }
});
