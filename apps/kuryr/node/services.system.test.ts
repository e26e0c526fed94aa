import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOnNode } from './run.ts';
import { removeTables } from './tables.ts';
import { balancer, Fleet, type TestPod } from './testing/fleet.ts';
import { ask, sendSctp, TestServer } from './testing/programs.ts';

const absent = missingForKernelTests(['ip', 'nft', 'conntrack', 'python3', 'cc']);

describe.skipIf(absent !== undefined)(titled('Services, carried out by the kernel of each node', absent), () => {
  let fleet: Fleet;
  let [one, two, far, client]: TestPod[] = [];
  const servers: TestServer[] = [];
  const namesOf = (lines: readonly string[]) => new Set(lines.map((line) => line.split(' ')[0]));

  beforeAll(async () => {
    fleet = await Fleet.open();
    one = await fleet.pod('one', 0, 11);
    two = await fleet.pod('two', 0, 12);
    far = await fleet.pod('far', 1, 13);
    client = await fleet.pod('client', 0, 14);
    for (const { netns, name } of [one, two, far])
      for (const protocol of ['tcp', 'udp'] as const)
        servers.push(await TestServer.start(netns, protocol, name, 8_080));
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await fleet?.[Symbol.asyncDispose]();
  });

  test('all members answer, of the same bridge and of another node, and see who asked', async () => {
    await fleet.put([balancer('web', '10.96.0.1', [one!, two!, far!])]);
    const answers = await ask(client!.netns, 'tcp', '10.96.0.1', 80, { times: 60 });
    expect(namesOf(answers)).toEqual(new Set(['one', 'two', 'far']));
    expect(new Set(answers.map((line) => line.split(' ')[1]))).toEqual(new Set([client!.address]));
    // The other way over the wire, and from the node itself.
    const back = await ask(far!.netns, 'tcp', '10.96.0.1', 80, { times: 40 });
    expect(namesOf(back)).toEqual(new Set(['one', 'two', 'far']));
    const own = await ask(fleet.nodes[0]!.name, 'tcp', '10.96.0.1', 80, { times: 40 });
    expect(namesOf(own)).toEqual(new Set(['one', 'two', 'far']));
  });

  test('a pod reaches itself by its Service', async () => {
    await fleet.put([
      balancer('self', '10.96.0.2', [one!]),
      balancer('self-udp', '10.96.0.3', [far!], { protocol: 'UDP' }),
    ]);
    expect(namesOf(await ask(one!.netns, 'tcp', '10.96.0.2', 80, { times: 3 }))).toEqual(new Set(['one']));
    expect(namesOf(await ask(far!.netns, 'udp', '10.96.0.3', 80, { times: 3 }))).toEqual(new Set(['far']));
  });

  test('a client that is remembered keeps its member, also over a change and a new daemon', async () => {
    const address = '10.96.0.4';
    const with_ = (...members: TestPod[]) => balancer('sticky', address, members, { affinitySeconds: 3 });
    await fleet.put([with_(one!, two!, far!)]);
    const first = namesOf(await ask(client!.netns, 'tcp', address, 80, { times: 20 }));
    expect(first.size).toBe(1);
    const [kept] = [one!, two!, far!].filter(({ name }) => first.has(name));
    const others = [one!, two!, far!].filter((pod) => pod !== kept);
    await fleet.put([with_(others[0]!, kept!)]);
    expect(namesOf(await ask(client!.netns, 'tcp', address, 80, { times: 10 }))).toEqual(first);
    await fleet.nodes[0]!.stopDaemon();
    await fleet.startDaemon(0);
    await fleet.put([with_(others[1]!, kept!, others[0]!)]);
    expect(namesOf(await ask(client!.netns, 'tcp', address, 80, { times: 10 }))).toEqual(first);
    // Gone: another one, which is kept in turn.
    await fleet.put([with_(...others)]);
    const second = namesOf(await ask(client!.netns, 'tcp', address, 80, { times: 20 }));
    expect([second.size, [...second][0] === kept!.name]).toEqual([1, false]);
    // Forgotten after its time: in so many turns somebody else is met.
    const met = new Set<string | undefined>();
    await fleet.put([with_(one!, two!, far!)]);
    for (let turn = 0; turn < 8 && met.size < 2; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 3_300));
      for (const name of namesOf(await ask(client!.netns, 'tcp', address, 80))) met.add(name);
    }
    expect(met.size).toBeGreaterThan(1);
  }, 60_000);

  test('without members, and at ports that it does not have, it refuses instead of letting wait', async () => {
    await fleet.put([balancer('none', '10.96.0.5', []), balancer('none-udp', '10.96.0.6', [], { protocol: 'UDP' })]);
    // The kernel tells a process of its own at once that it may not send a datagram.
    for (const [from, refusal] of [
      [client!.netns, 'ConnectionRefusedError'],
      [fleet.nodes[0]!.name, 'PermissionError'],
    ] as const) {
      expect(await ask(from, 'tcp', '10.96.0.5', 80)).toEqual(['ConnectionRefusedError']);
      expect(await ask(from, 'udp', '10.96.0.6', 80)).toEqual([refusal]);
      expect(await ask(from, 'tcp', '10.96.0.1', 81)).toEqual(['ConnectionRefusedError']);
    }
    await fleet.put([balancer('none', '10.96.0.5', [two!])]);
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.5', 80))).toEqual(new Set(['two']));
  });

  test('flows of UDP go elsewhere when their member goes, and TCP that goes on goes on', async () => {
    const at = (...members: TestPod[]) => [
      balancer('dns', '10.96.0.7', members, { protocol: 'UDP', port: 53 }),
      balancer('long', '10.96.0.8', members),
    ];
    await fleet.put(at(one!));
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const lasting = (which: 0 | 1) => ({ times: 100, anew: false, pauseMs: 20, onFirst: begun[which].resolve });
    const datagrams = ask(client!.netns, 'udp', '10.96.0.7', 53, lasting(0));
    const stream = ask(client!.netns, 'tcp', '10.96.0.8', 80, lasting(1));
    await Promise.all(begun.map(({ promise }) => promise));
    await fleet.put(at(far!));
    const names = (await datagrams).map((line) => line.split(' ')[0]);
    expect(names[0]).toBe('one');
    expect(names.at(-1)).toBe('far');
    expect(names.filter((name) => name !== 'one' && name !== 'far').length).toBeLessThanOrEqual(1);
    expect(namesOf(await stream)).toEqual(new Set(['one']));
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.8', 80, { times: 5 }))).toEqual(new Set(['far']));
  });

  test('an external address is served by each node', async () => {
    await fleet.put([balancer('out', '10.96.0.9', [one!, far!], { external: '198.51.100.9' })]);
    expect(namesOf(await ask(client!.netns, 'tcp', '198.51.100.9', 80, { times: 30 }))).toEqual(
      new Set(['one', 'far']),
    );
    await fleet.put([balancer('out', '10.96.0.9', [], { external: '198.51.100.9' })]);
    expect(await ask(client!.netns, 'tcp', '198.51.100.9', 80)).toEqual(['ConnectionRefusedError']);
  });

  test('SCTP reaches a member, whole', async () => {
    await fleet.put([balancer('sctp', '10.96.0.15', [far!], { protocol: 'SCTP', port: 7_000 })]);
    expect(await sendSctp(client!.netns, far!.netns, '10.96.0.15', 7_000)).toBe(`${client!.address} 8080 True`);
  });

  test('ports and protocols change in place', async () => {
    await fleet.put([balancer('moved', '10.96.0.10', [one!], { port: 80 })]);
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.10', 80))).toEqual(new Set(['one']));
    await fleet.put([balancer('moved', '10.96.0.10', [one!], { port: 90, protocol: 'UDP' })]);
    expect(namesOf(await ask(client!.netns, 'udp', '10.96.0.10', 90))).toEqual(new Set(['one']));
    expect(await ask(client!.netns, 'tcp', '10.96.0.10', 80)).toEqual(['ConnectionRefusedError']);
  });

  test('no request is lost while the daemon is away and another takes over, which removes what is no more', async () => {
    await fleet.put([balancer('steady', '10.96.0.11', [one!, two!, far!]), balancer('gone', '10.96.0.12', [one!])]);
    const asking = ask(client!.netns, 'tcp', '10.96.0.11', 80, { times: 300, pauseMs: 5 });
    await fleet.nodes[0]!.stopDaemon();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await fleet.startDaemon(0);
    await fleet.put([balancer('steady', '10.96.0.11', [one!, two!, far!])]);
    const answers = await asking;
    expect(answers).toHaveLength(300);
    expect(namesOf(answers)).toEqual(new Set(['one', 'two', 'far']));
    const { stdout } = await runOnNode(fleet.nodes[0]!.name, ['nft', 'list', 'table', 'ip', 'superfluidity_services']);
    expect(stdout).not.toContain('10.96.0.12');
    expect(stdout.match(/chain port_/g)).toHaveLength(1);
  });

  test('somebody who removes the table finds it again at the next change', async () => {
    await removeTables(fleet.nodes[0]!.name);
    await fleet.put([balancer('again', '10.96.0.13', [two!])]);
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.13', 80))).toEqual(new Set(['two']));
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.11', 80, { times: 20 })).size).toBe(3);
  });

  test('a thousand Services, and one with a thousand endpoints', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      balancer(`many-${i}`, `10.97.${i >> 8}.${i & 255}`, [one!, two!]),
    );
    let startMs = performance.now();
    await fleet.put(many);
    const manyMs = performance.now() - startMs;
    const members = Array.from({ length: 999 }, (_, i) => ({ address: `10.98.${i >> 8}.${i & 255}` }));
    startMs = performance.now();
    await fleet.put([balancer('wide', '10.96.0.14', [...members, one!])]);
    const wideMs = performance.now() - startMs;
    startMs = performance.now();
    await fleet.put([balancer('wide', '10.96.0.14', [one!])]);
    const changeMs = performance.now() - startMs;
    expect(namesOf(await ask(client!.netns, 'tcp', '10.97.3.231', 80, { times: 20 }))).toEqual(new Set(['one', 'two']));
    expect(namesOf(await ask(client!.netns, 'tcp', '10.96.0.14', 80))).toEqual(new Set(['one']));
    const told = [manyMs, wideMs, changeMs].map((ms) => `${Math.round(ms)} ms`);
    console.log(`on two nodes: 1,000 Services ${told[0]}, 1,000 endpoints ${told[1]}, a change ${told[2]}`);
    expect(changeMs).toBeLessThan(2_000);
  }, 60_000);
});
