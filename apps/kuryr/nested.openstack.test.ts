import { setTimeout as pause } from 'node:timers/promises';
import { silentLogger, systemClock } from '@superfluidity/core';
import type { Node } from '@superfluidity/driver-kubernetes';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { KURYR } from '@superfluidity/fabric';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { trunks } from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingForGuests } from '../../lab/guest/guest.ts';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { httpGet, ping } from '../../lab/openstack/testing-cloud.ts';
import { nameOf, TestNode, uidOf } from './cni/testing/node.ts';
import { readSubnet } from './controller/drivers/subnets.ts';
import type { PodSubnet } from './controller/drivers/types.ts';
import { neutronVif } from './controller/drivers/vif-neutron.ts';
import { VIF_LABEL, VifPools } from './controller/drivers/vif-pools.ts';
import { Capture } from './testing/capture.ts';
import { OwnNetwork } from './testing/own-network.ts';
import { type GuestPod, Worker } from './testing/worker.ts';
import { DAEMON } from './testing/worker-root.ts';

/**
 * Pods in a virtual machine and pods on bare metal in one network of a real Neutron, beside the virtual machine itself: ports of pools,
 * plugged by the daemons of both nodes, wired by Neutron's agent in Open vSwitch. Only Kubernetes has no part in it: what the controller
 * would write, and the runtime would ask, is said by the test.
 */

const { lab, reason } = findLab({ services: ['ovs'], network: 'ovs' });
const absent = reason ?? missingForGuests() ?? missingForKernelTests(['ip', 'ping', 'cc', 'tcpdump', 'ldd']);
const never = new AbortController().signal;
const FIFO = '/run/ports';
const SIZE = 1_000;

describe.skipIf(absent !== undefined)(titled('pods in a virtual machine', absent), () => {
  let network: OwnNetwork;
  let subnet: PodSubnet;
  let worker: Worker;
  let metal: TestNode;
  let vifs: VifPools;
  const given: PodInterface[] = [];
  const nested: Record<string, { readonly pod: GuestPod; readonly address: string; readonly vlan: number }> = {};
  let bare: { readonly netns: string; readonly name: string; readonly address: string };
  const isWatched = new AbortController();

  const ask = async (node: Node) => {
    const wish = { node, project: network.project.id, subnet, groups: [network.group], isDefault: true };
    const got = await vifs.acquire({ ...wish, holder: 'test', owner: 'a pod' }, AbortSignal.timeout(240_000));
    given.push(got);
    return got;
  };
  const plain = ({ addresses }: PodInterface) => addresses[0]!.split('/')[0]!;
  const nodeOf = (): Node => ({
    metadata: { name: 'worker', labels: { [VIF_LABEL]: 'nested-vlan' } },
    status: { addresses: [{ type: 'InternalIP', address: worker.address }] },
  });
  /** The first packets may come before the agent has written its flows. */
  const eventually = (work: () => Promise<unknown>) => expect.poll(work, { timeout: 60_000, interval: 500 });

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-nested', '10.86.0.0/24');
    subnet = await readSubnet(network.cloud, network.subnet, never);
    const parts = { cloud: network.cloud, clock: systemClock, log: silentLogger, bridge: 'br-int' };
    const tags = ['superfluidity', 'superfluidity:kuryr=nested'];
    vifs = new VifPools({
      clock: systemClock,
      log: silentLogger,
      types: [neutronVif('neutron-vif', { ...parts, tags }), neutronVif('nested-vlan', { ...parts, tags })],
      kind: 'neutron-vif',
      keep: { ...KURYR, minimum: 1, batch: 2, foresees: false },
      updateMs: 20_000,
      verify: true,
      names: false,
      stopwatch: () => performance.now(),
    });
    await vifs.recover([]);
    worker = await Worker.start({ lab: lab!, network, mtu: subnet.mtu });
    metal = await TestNode.open();
    // The network of this machine, where the laboratory's Open vSwitch is.
    const ovsdb = ovsSocket(lab!).slice('unix:'.length);
    const { ports, spares } = await metal.startDaemon({ namespace: undefined, ovsdb });
    // No pool has its ports plugged ahead there.
    spares.setKnown();
    ports.setKnown(true);
  }, 600_000);

  afterAll(async () => {
    isWatched.abort();
    await metal?.[Symbol.asyncDispose]();
    for (const one of given) vifs.release(one, 'test');
    await vifs?.settled();
    if (subnet !== undefined) await vifs.releaseNetwork(subnet.networkId);
    await vifs?.close();
    await worker?.stop();
    await network?.close();
  }, 600_000);

  test('the daemon of a node that is a virtual machine has VLANs of its kernel', async () => {
    const options = {
      node: 'worker',
      folder: '/run/superfluidity/kuryr',
      socket: '/run/superfluidity/kuryr-cni.sock',
      ovsdb: '/run/none',
      trunk: { device: 'eth0' },
      makesBridges: false,
      healthPort: 9_655,
    };
    await worker.guest.run(`mkfifo ${FIFO}; mkdir -p /run/superfluidity`);
    // Opened for both, the pipe has an end that stays. Compiling pays for nothing that an interpreted processor does once.
    await worker.guest.run(
      `node --no-opt --no-maglev --no-sparkplug ${DAEMON} '${JSON.stringify(options)}' <>${FIFO} >/run/daemon.log 2>&1 &`,
    );
    const log = () => worker.guest.run('cat /run/daemon.log');
    await expect.poll(log, { timeout: 400_000, interval: 2_000 }).toContain('listening');
  }, 420_000);

  test('gives each pod a VLAN of the trunk, and a pod on bare metal a port, all of one network', async () => {
    for (const name of ['one', 'two']) {
      const eth0 = await ask(nodeOf());
      if (eth0.plugging.kind !== 'vlan') throw new Error(eth0.plugging.kind);
      const pod = { namespace: 'default', name, uid: uidOf(name) };
      nested[name] = { pod, address: plain(eth0), vlan: eth0.plugging.id };
      const port = {
        metadata: { namespace: 'default', name },
        spec: { podUid: pod.uid, node: 'worker' },
        status: { interfaces: { eth0 } },
      };
      await worker.guest.run(`echo '${JSON.stringify(port)}' >${FIFO}`);
      expect(await worker.cni('ADD', pod)).toMatchObject({ ips: [{ address: eth0.addresses[0] }] });
    }
    expect(nested['one']!.vlan).not.toBe(nested['two']!.vlan);
    const { vlan } = nested['one']!;
    expect(await worker.inside(nested['one']!.pod, 'cat /proc/net/vlan/config')).toMatch(
      new RegExp(`^eth0\\s+\\| ${vlan}\\s`, 'm'),
    );

    const eth0 = await ask({ metadata: { name: network.host } });
    const netns = metal.sandbox();
    const told = metal.port('metal', { interfaces: { eth0 } });
    metal.daemon.ports.put(told);
    const watch = async () => {
      while (!isWatched.signal.aborted && !(await vifs.isActive(eth0, new Set([eth0.id]), never))) await pause(100);
      metal.daemon.ports.put(metal.port('metal', { interfaces: { eth0: { ...eth0, active: true } } }));
    };
    const watching = watch();
    expect(await metal.call('ADD', 'metal', { netns })).toMatchObject({ code: 0 });
    await watching;
    bare = { netns, name: nameOf(netns), address: plain(eth0) };
  }, 600_000);

  test('pod, pod on bare metal and virtual machine reach each other, with packets as large as the network has', async () => {
    const { one, two } = nested as Required<typeof nested>;
    const echo = (address: string) => `ping -c 1 -W 2 ${address}`;
    const works = expect.stringContaining('1 packets received');
    await eventually(() => worker.inside(one!.pod, echo(two!.address))).toEqual(works);
    await eventually(() => worker.inside(one!.pod, echo(bare.address))).toEqual(works);
    await eventually(() => worker.inside(one!.pod, echo(worker.address))).toEqual(works);
    await eventually(() => worker.guest.run(echo(one!.address))).toEqual(works);
    await eventually(() => worker.guest.run(echo(bare.address))).toEqual(works);
    for (const address of [one!.address, two!.address, worker.address])
      await eventually(() => ping(bare.name, address, 1)).toContain(' 0% packet loss');
    // Both the kernel of the guest and Open vSwitch add the tag to a packet that fills the MTU.
    const full = subnet.mtu - 28;
    await eventually(() => worker.inside(one!.pod, `ping -c 1 -W 2 -s ${full} ${bare.address}`)).toEqual(works);
    await worker.inside(two!.pod, 'sh -c "echo nested >/tmp/index.html; httpd -p 80 -h /tmp"');
    await eventually(() => httpGet(bare.name, two!.address)).toContain('nested');
  }, 300_000);

  test('a packet has one tag on the device of the virtual machine and none elsewhere: nothing is encapsulated twice', async () => {
    const { one, two } = nested as Required<typeof nested>;
    await using onTap = await Capture.start(worker.tap);
    await using atPod = await Capture.start('eth0', bare.netns);
    const ask = (from: GuestPod, to: string) => worker.inside(from, `ping -c 3 -s ${SIZE} -W 5 ${to}`);
    await ask(one!.pod, bare.address);
    await ask(one!.pod, two!.address);
    await worker.guest.run(`ping -c 3 -s ${SIZE} -W 5 ${bare.address}`);
    const shapes = (capture: Capture, from: string, to: string) => {
      const between = capture.frames().filter((frame) => frame.from === from && frame.to === to);
      return [...new Set(between.map(({ headers }) => headers.join(' / ')))].toSorted();
    };
    const shows = (capture: Capture, from: string, to: string, ...headers: readonly string[]) =>
      expect.poll(() => shapes(capture, from, to), { timeout: 30_000 }).toEqual(headers);
    const tagged = (vlan: number) => `vlan ${vlan} / ipv4 / icmp`;
    const plainly = 'ipv4 / icmp';
    await shows(onTap, one!.address, bare.address, tagged(one!.vlan));
    await shows(onTap, bare.address, one!.address, tagged(one!.vlan));
    // Between two pods of one machine it leaves with the tag of one, and comes back with that of the other.
    const both = [tagged(one!.vlan), tagged(two!.vlan)].toSorted();
    await shows(onTap, one!.address, two!.address, ...both);
    await shows(onTap, worker.address, bare.address, plainly);
    await shows(atPod, one!.address, bare.address, plainly);
    await shows(atPod, bare.address, one!.address, plainly);
    for (const { headers } of [...onTap.frames(), ...atPod.frames()]) {
      expect(headers.filter((header) => header.startsWith('vlan')).length).toBeLessThanOrEqual(1);
      expect(headers.join(' ')).not.toContain('vxlan');
    }
  }, 180_000);

  test('what goes is given back: no VLAN in the machine, no subport of the trunk', async () => {
    for (const { pod } of Object.values(nested)) {
      await worker.cni('DEL', pod);
      expect(await worker.inside(pod, 'ip -o link')).not.toContain('eth0');
    }
    expect(await worker.guest.run('cat /proc/net/vlan/config')).not.toContain('eth0');
    expect(await metal.call('DEL', 'metal')).toMatchObject({ code: 0 });
    for (const one of given.splice(0)) expect(vifs.release(one, 'test')).toBe(true);
    await vifs.settled();
    await vifs.releaseNetwork(subnet.networkId);
    expect((await trunks.show(network.cloud, worker.trunk, never)).sub_ports).toEqual([]);
    expect((await network.all()).map(({ id }) => id)).toEqual([worker.port.id]);
  }, 400_000);
});
