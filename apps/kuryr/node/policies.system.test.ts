import { addAddress, linkIndex, transact } from '@superfluidity/netlink';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nameOf, pings } from '../cni/testing/node.ts';
import type { KuryrNetworkPolicy } from '../api/network-policy.ts';
import { applyNft } from './nft.ts';
import { runOnNode } from './run.ts';
import { SOURCES } from './sources.ts';
import { removal } from './table.ts';
import { balancer, Fleet, policy, type TestPod } from './testing/fleet.ts';
import { ask, TestServer } from './testing/programs.ts';

const absent = missingForKernelTests(['ip', 'nft', 'ping', 'python3', 'cc']);

describe.skipIf(absent !== undefined)(titled('NetworkPolicies, carried out by the kernel of each node', absent), () => {
  let fleet: Fleet;
  let [server, beside, far]: TestPod[] = [];
  const servers: TestServer[] = [];
  const put = (...policies: readonly KuryrNetworkPolicy[]) => fleet.put([], policies);
  const reaches = async (from: TestPod, to: string, port = 8_080) => {
    const [answer] = await ask(from.netns, 'tcp', to, port);
    return !/Error|timed|timeout/.test(answer!);
  };
  const allow = (direction: 'ingress' | 'egress', cidr: string, port?: number, last = port) => ({
    direction,
    cidr,
    ...(port === undefined ? {} : { protocol: 'TCP' as const, portFirst: port, portLast: last! }),
  });

  beforeAll(async () => {
    fleet = await Fleet.open();
    server = await fleet.pod('server', 0, 21);
    beside = await fleet.pod('beside', 0, 22);
    far = await fleet.pod('far', 1, 23);
    for (const pod of [server, beside, far])
      for (const port of [8_080, 8_081]) servers.push(await TestServer.start(pod.netns, 'tcp', pod.name, port));
    await put();
  });
  afterAll(async () => {
    for (const one of servers) await one.stop();
    await fleet?.[Symbol.asyncDispose]();
  });
  beforeEach(() => fleet.remove('putPolicy', 'a', 'b'));

  test('what comes in: nothing by default, then what a rule says, of pods of the same bridge and of other nodes', async () => {
    expect([await reaches(beside!, server!.address), await reaches(far!, server!.address)]).toEqual([true, true]);
    await put(policy('a', ['server'], ['ingress']));
    expect([await reaches(beside!, server!.address), await reaches(far!, server!.address)]).toEqual([false, false]);
    expect(pings(beside!.netns, server!.address)).toBe(false);
    // It may still ask others, and they answer.
    expect([await reaches(server!, beside!.address), await reaches(server!, far!.address)]).toEqual([true, true]);
    await put(policy('a', ['server'], ['ingress'], [allow('ingress', `${far!.address}/32`, 8_080)]));
    expect([await reaches(beside!, server!.address), await reaches(far!, server!.address)]).toEqual([false, true]);
    expect(await reaches(far!, server!.address, 8_081)).toBe(false);
    await put(policy('a', ['server'], ['ingress'], [allow('ingress', '0.0.0.0/0')]));
    expect([await reaches(beside!, server!.address), pings(far!.netns, server!.address)]).toEqual([true, true]);
  });

  test('what goes out, and a reply to what came in', async () => {
    await put(policy('a', ['server'], ['egress'], [allow('egress', '10.90.1.0/24', 8_080, 8_081)]));
    expect([await reaches(server!, beside!.address), await reaches(server!, far!.address, 8_081)]).toEqual([
      false,
      true,
    ]);
    expect(await reaches(beside!, server!.address)).toBe(true);
  });

  test('a name of a port opens what it means in each pod, and nothing in pods without it', async () => {
    const named = (pods: readonly string[], number: number) => ({
      protocol: 'TCP' as const,
      port: 'web',
      number,
      pods: [...pods],
      rules: [allow('ingress', `${far!.address}/32`, number)],
    });
    const asked = async () =>
      await Promise.all(
        [server, beside].flatMap((pod) => [8_080, 8_081].map((port) => reaches(far!, pod!.address, port))),
      );
    await put(policy('a', ['server', 'beside'], ['ingress'], [], [named(['server'], 8_080), named(['beside'], 8_081)]));
    expect(await asked()).toEqual([true, false, false, true]);
    expect(await reaches(beside!, server!.address)).toBe(false);
    await put(policy('a', ['server', 'beside'], ['ingress'], [], [named(['server'], 8_080)]));
    expect(await asked()).toEqual([true, false, false, false]);
    await put(policy('a', ['server', 'beside'], ['ingress'], [], [named(['server', 'beside'], 8_080)]));
    expect(await asked()).toEqual([true, false, true, false]);
  });

  test('policies add up, and each direction is asked about', async () => {
    await put(
      policy('a', ['server'], ['ingress'], [allow('ingress', `${beside!.address}/32`)]),
      policy('b', ['server', 'beside'], ['ingress', 'egress'], [allow('ingress', `${far!.address}/32`)]),
    );
    // It may come in, but may not go out.
    expect(await reaches(beside!, server!.address)).toBe(false);
    expect(await reaches(far!, server!.address)).toBe(true);
    await put(policy('b', ['server'], ['ingress'], [allow('ingress', `${far!.address}/32`)]));
    expect(await reaches(beside!, server!.address)).toBe(true);
  });

  test('the node reaches its pods, and a pod itself by a Service, whatever a policy says', async () => {
    await put(policy('a', ['server'], ['ingress', 'egress']));
    expect(pings(fleet.nodes[0]!.name, server!.address)).toBe(true);
    expect((await ask(fleet.nodes[0]!.name, 'tcp', server!.address, 8_080))[0]).toMatch(/^server /);
    await fleet.put([balancer('own', '10.96.1.1', [server!]), balancer('other', '10.96.1.2', [beside!])]);
    expect(await reaches(server!, '10.96.1.1', 80)).toBe(true);
    expect(await reaches(server!, '10.96.1.2', 80)).toBe(false);
    // The members of a Service are judged, not its address; and they see who asks.
    await put(policy('a', ['server'], ['ingress'], [allow('ingress', `${beside!.address}/32`)]));
    expect(await reaches(beside!, '10.96.1.1', 80)).toBe(true);
    expect(await reaches(far!, '10.96.1.1', 80)).toBe(false);
  });

  test('a connection that has begun goes on when a policy comes; a new one does not begin', async () => {
    const { promise: begun, resolve: onFirst } = Promise.withResolvers<void>();
    const lasting = { times: 100, anew: false, pauseMs: 20, onFirst };
    const stream = ask(beside!.netns, 'tcp', server!.address, 8_080, lasting);
    await begun;
    await put(policy('a', ['server'], ['ingress']));
    expect(await reaches(beside!, server!.address)).toBe(false);
    expect(new Set(await stream)).toEqual(new Set([`server ${beside!.address}`]));
  });

  test('blocks of addresses but for some of them', async () => {
    // What the controller makes of 203.0.113.0/24 except 203.0.113.128/25.
    for (const address of ['203.0.113.5/24', '203.0.113.130/24'])
      transact(fleet.nodes[1]!.name, [addAddress(linkIndex(fleet.nodes[1]!.name, 'wire'), { address })]);
    await put(policy('a', ['server'], ['egress'], [allow('egress', '203.0.113.0/25')]));
    expect([pings(server!.netns, '203.0.113.5'), pings(server!.netns, '203.0.113.130')]).toEqual([true, false]);
  });

  test('a pod that policies close is closed when ADD is answered, though its node has yet to know them', async () => {
    const [node] = fleet.nodes;
    const netns = node!.sandbox();
    const eth0 = { addresses: ['10.90.0.31/24'], gateway: '10.90.0.1' };
    const port = node!.port('closed', { interfaces: { eth0 } });
    node!.daemon.ports.put({ ...port, status: { ...port.status!, isolated: ['ingress'] } });
    expect(await node!.call('ADD', 'closed', { netns })).toMatchObject({ code: 0 });
    const listening = await TestServer.start(netns, 'tcp', 'closed', 8_080);
    try {
      expect([await reaches(beside!, '10.90.0.31'), pings(far!.netns, '10.90.0.31')]).toEqual([false, false]);
      expect(pings(netns, beside!.address)).toBe(true);
      await put(policy('a', ['closed'], ['ingress'], [allow('ingress', `${beside!.address}/32`)]));
      expect([await reaches(beside!, '10.90.0.31'), pings(far!.netns, '10.90.0.31')]).toEqual([true, false]);
      // The policy goes before the controller has written that it closes nothing any more.
      await fleet.remove('putPolicy', 'a');
      expect(pings(far!.netns, '10.90.0.31')).toBe(true);
    } finally {
      await listening.stop();
      await node!.call('DEL', 'closed', { netns });
      node!.daemon.ports.remove('default', 'closed');
      await fleet.settled();
    }
  });

  test('nobody hears what a pod sends with the address of another, of IP, of ARP or of Ethernet', async () => {
    const [node] = fleet.nodes;
    const inPod = (pod: TestPod, ...argv: readonly [string, ...string[]]) => runOnNode(nameOf(pod.netns), argv);
    const own = async (pod: TestPod) =>
      (JSON.parse((await inPod(pod, 'ip', '-j', 'link', 'show', 'eth0')).stdout) as [{ address: string }])[0].address;
    const heard = async () => {
      const { stdout } = await inPod(server!, 'nft', 'list', 'counters', 'table', 'netdev', 'heard');
      return [...stdout.matchAll(/packets (\d+)/g)].map(([, packets]) => Number(packets) > 0);
    };
    const mac = await own(beside!);
    const third = await own(await fleet.pod('third', 0, 24));
    // All that comes in with the address of a pod that is on another node.
    const counted = [
      'add table netdev heard',
      ...['of_ip', 'of_arp', 'of_ethernet'].map((name) => `add counter netdev heard ${name}`),
      'add chain netdev heard in { type filter hook ingress device eth0 priority 0; }',
      `add rule netdev heard in ip saddr ${far!.address} counter name of_ip`,
      'add rule netdev heard in arp saddr ip 10.90.0.66 counter name of_arp',
      `add rule netdev heard in ether saddr ${third} counter name of_ethernet`,
    ];
    await applyNft(nameOf(server!.netns), counted.map((line) => `${line}\n`).join(''));
    const forge = async () => {
      await inPod(beside!, 'ip', 'neigh', 'replace', server!.address, 'lladdr', await own(server!), 'dev', 'eth0');
      await inPod(beside!, 'ping', '-c', '1', '-W', '1', '-I', far!.address, server!.address);
      // Of this one it has to ask who has the address, and says that it has another.
      await inPod(beside!, 'ip', 'neigh', 'flush', 'dev', 'eth0');
      await inPod(beside!, 'ip', 'neigh', 'del', server!.address, 'dev', 'eth0');
      await inPod(beside!, 'ping', '-c', '1', '-W', '1', '-I', '10.90.0.66', server!.address);
      await inPod(beside!, 'ip', 'link', 'set', 'eth0', 'address', third);
      await inPod(beside!, 'ping', '-c', '1', '-W', '1', server!.address);
      await inPod(beside!, 'ip', 'link', 'set', 'eth0', 'address', mac);
    };
    await inPod(beside!, 'ip', 'address', 'add', `${far!.address}/32`, 'dev', 'eth0');
    await inPod(beside!, 'ip', 'address', 'add', '10.90.0.66/32', 'dev', 'eth0');
    try {
      await forge();
      expect(await heard()).toEqual([false, false, false]);
      expect(pings(beside!.netns, server!.address)).toBe(true);
      // That it would have been heard.
      await applyNft(node!.name, removal(SOURCES));
      await forge();
      expect(await heard()).toEqual([true, true, true]);
    } finally {
      for (const address of [far!.address, '10.90.0.66'])
        await inPod(beside!, 'ip', 'address', 'del', `${address}/32`, 'dev', 'eth0');
      await applyNft(nameOf(server!.netns), 'delete table netdev heard\n');
    }
  });

  test('a peer more is an element more, the rules stay as they are, and a new daemon changes nothing', async () => {
    const list = async (...what: readonly string[]) =>
      (await runOnNode(fleet.nodes[0]!.name, ['nft', ...what, 'list', 'table', 'ip', 'superfluidity_policies'])).stdout;
    const peers = (count: number) =>
      Array.from({ length: count }, (_, i) => allow('ingress', `10.91.${i >> 7}.${(i & 127) * 2}/32`, 8_080));
    await put(policy('a', ['server'], ['ingress'], peers(3)));
    const before = await list('-a', '-t');
    await put(policy('a', ['server'], ['ingress'], peers(900)));
    expect(await list('-a', '-t')).toBe(before);
    expect(await list()).toContain('10.91.7.6');
    await put(policy('a', ['server'], ['ingress'], [...peers(2), allow('ingress', `${far!.address}/32`, 8_080)]));
    expect([await reaches(beside!, server!.address), await reaches(far!, server!.address)]).toEqual([false, true]);
    const last = await list();
    await fleet.nodes[0]!.stopDaemon();
    expect([await reaches(beside!, server!.address), await reaches(far!, server!.address)]).toEqual([false, true]);
    await fleet.startDaemon(0);
    const port = fleet.nodes[0]!.port('server', { interfaces: { eth0: { addresses: [`${server!.address}/24`] } } });
    fleet.nodes[0]!.daemon.ports.put(port);
    await put(policy('a', ['server'], ['ingress'], [...peers(2), allow('ingress', `${far!.address}/32`, 8_080)]));
    expect(await list()).toBe(last);
  });
});
