import { setTimeout as pause } from 'node:timers/promises';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../lab/command.ts';
import { ovsSocket } from '../../../lab/openstack/services/ovs.ts';
import { findLab } from '../../../lab/openstack/testing.ts';
import { TestCloud } from '../../../lab/openstack/testing-cloud.ts';
import type { KuryrPort } from '../api/port.ts';
import { pings, TestNode } from './testing/node.ts';

const { lab, reason } = findLab({ services: ['ovs'] });
const isOther = lab !== undefined && lab.options.network !== 'ovs' ? 'needs the network ovs' : undefined;
const absent = reason ?? isOther ?? missingForKernelTests(['ip', 'ping', 'cc']);
const MTU = 1_400;

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
    const { ports } = await node.startDaemon({ namespace: undefined, ovsdb });
    ports.setKnown(true);
  });
  afterAll(async () => {
    isWatched.abort();
    await Promise.all(watches);
    await node?.[Symbol.asyncDispose]();
    console.log(await cloud?.close());
  });

  /** A port that is bound and DOWN, as one from the controller, which tells when it is ACTIVE. */
  async function port(pod: string): Promise<KuryrPort> {
    const made = await cloud.create('port', '/ports', {
      network_id: network,
      port_security_enabled: false,
      'binding:host_id': lab!.options.host,
      // Ports of most other owners the laboratory plugs itself.
      device_owner: 'compute:kuryr',
      device_id: `${cloud.tag}-${pod}`,
    });
    const id: string = made['id']!;
    const address: string = made['fixed_ips']![0]!['ip_address']!;
    const eth0 = {
      id,
      mac: made['mac_address']! as string,
      addresses: [`${address}/24`],
      mtu: MTU,
      active: false,
      plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: id } as const,
    };
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
    const found = await run([
      'ovs-vsctl',
      `--db=${ovsSocket(lab!)}`,
      '--columns=name',
      'find',
      'Port',
      `external_ids:superfluidity-kuryr=${node.name}`,
    ]);
    expect(found.trim()).toBe('');
  });
});
