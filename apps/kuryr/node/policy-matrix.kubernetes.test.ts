import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { PolicyPeer, PolicyPort } from '../kubernetes/objects.ts';
import { verifyPolicies } from '../testing/verify-policies.ts';
import { applyNft, namesIn } from './nft.ts';
import { POLICIES } from './policies.ts';
import { runOnNode } from './run.ts';
import { PacketCluster, type PacketPod } from './testing/packet-cluster.ts';
import { Answerer, reached, type Target } from './testing/probes.ts';

/**
 * As the end-to-end tests of Kubernetes ask whether NetworkPolicies hold: three namespaces x, y and z with three pods a, b and c each, of
 * which everybody asks everybody at each port, by packets, after each policy. What is to be reached is written down by hand beside it, and
 * `verify policies` has to say of the same rules in the kernel that they are what the policies mean.
 */

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'nft', 'conntrack', 'python3', 'cc']);
const WAIT = { timeout: 40_000, interval: 200 } as const;
const PREFIXES = ['10.213.1.0/24', '10.213.2.0/24'] as const;
const PORTS = [80, 81, 82] as const;
/** By it a test finds its policies again. */
const RUN = 'superfluidity.test/policies-of';

interface Place {
  /** x, y or z. */
  readonly ns: string;
  /** a, b or c. */
  readonly pod: string;
}
/** Whether one may reach the other at a port of TCP; a pod reaches itself in any case. */
type Expected = (from: Place, to: Place, port: number) => boolean;

interface Rule {
  readonly ports?: readonly PolicyPort[];
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
}
interface PolicySpec {
  readonly podSelector: object;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

const is = (place: Place, name: string) => name === `${place.ns}/${place.pod}`;
const podIs = (pod: string) => ({ podSelector: { matchLabels: { pod } } });
const nsIs = (ns: string) => ({ namespaceSelector: { matchLabels: { ns } } });
const tcp = (port: number | string, endPort?: number): PolicyPort => ({
  protocol: 'TCP',
  port,
  ...(endPort === undefined ? {} : { endPort }),
});
const A = { matchLabels: { pod: 'a' } };

describe.skipIf(absent !== undefined)(titled('NetworkPolicies, everybody asking everybody', absent), () => {
  let packets: PacketCluster;
  const namespaces: Record<string, string> = {};
  let folder: string;
  const pods = new Map<string, { readonly place: Place; readonly pod: PacketPod }>();
  const answerers: Answerer[] = [];

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-matrix', PREFIXES);
    const { cluster } = packets;
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-matrix-'));
    await cluster.tellConfig();
    await cluster.start({ drivers: { vif: 'linux', groups: 'policy', balancer: 'linux' } });
    namespaces['x'] = cluster.namespace;
    for (const ns of ['y', 'z']) namespaces[ns] = await cluster.addNamespace(`-${ns}`);
    for (const [ns, name] of Object.entries(namespaces)) await cluster.kubectl('label', 'namespace', name, `ns=${ns}`);
    const containers = [
      {
        name: 'c',
        image: 'superfluidity.test/none:1',
        ports: [
          { name: 'web', containerPort: 80 },
          { name: 'admin', containerPort: 81 },
        ],
      },
    ];
    const wanted = ['x', 'y', 'z'].flatMap((ns) => ['a', 'b', 'c'].map((pod) => ({ ns, pod })));
    await Promise.all(
      wanted.map(async ({ ns, pod }, at) => {
        const wish = { namespace: namespaces[ns]!, labels: { pod }, spec: { containers } };
        const made = await packets.start(pod, at % 2, wish);
        pods.set(`${ns}/${pod}`, { place: { ns, pod }, pod: made });
        answerers.push(await Answerer.start(made.netns, [...PORTS.map((port) => `tcp/${port}`), 'udp/80']));
      }),
    );
  }, 120_000);
  afterAll(async () => {
    for (const one of answerers) await one.stop();
    await packets?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  /** Of the rules that both kernels have now, and the objects that the API server has. */
  const proven = async () => {
    for (const { name, node } of packets.nodes) {
      const isThere = (await namesIn(node.name, POLICIES)) !== undefined;
      const listed = isThere ? (await runOnNode(node.name, ['nft', 'list', 'table', 'ip', POLICIES.table])).stdout : '';
      writeFileSync(join(folder, `${name}.nft`), listed);
    }
    const { run } = packets.cluster;
    return verifyPolicies(folder, '--kubeconfig', lab!.paths.adminConfig, '--namespace', run);
  };
  const addressOf = (name: string) => pods.get(name)!.pod.address;
  const policy = (ns: string, name: string, spec: PolicySpec) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: namespaces[ns], labels: { [RUN]: packets.cluster.run } },
    spec,
  });
  /** Those that are otherwise than expected, in words. */
  const wrong = async (expected: Expected): Promise<readonly string[]> => {
    const all = [...pods.values()];
    const asked = await Promise.all(
      all.map(async ({ place: from, pod }) => {
        const pairs = all.flatMap(({ place: to, pod: other }) => PORTS.map((port) => ({ to, port, other })));
        const targets = pairs.map(({ port, other }): Target => ['tcp', other.address, port]);
        const answers = await reached(pod.netns, targets);
        return pairs.flatMap(({ to, port }, at) => {
          const isSelf = from.ns === to.ns && from.pod === to.pod;
          const wanted = isSelf || expected(from, to, port);
          const words = `${from.ns}/${from.pod} ${answers[at] ? 'reaches' : 'misses'} ${to.ns}/${to.pod}:${port}`;
          return answers[at] === wanted ? [] : [words];
        });
      }),
    );
    return asked.flat();
  };
  const holds = async (expected: Expected) => {
    await expect.poll(() => wrong(expected), WAIT).toEqual([]);
    // Nor was it so for a moment only, on its way to something else.
    expect(await wrong(expected)).toEqual([]);
    const answers = { policies: 'holds', 'policies/answers': 'holds', 'policies/nodes': 'holds' };
    expect(await proven()).toMatchObject({ code: 0, answers, nodes: 2, differences: [] });
  };
  const clear = async () => {
    await packets.cluster.kubectl(
      'delete',
      'networkpolicy',
      '--all-namespaces',
      '--selector',
      `${RUN}=${packets.cluster.run}`,
    );
  };

  /** Into x/a, from whom a rule names. */
  const into = (...from: readonly PolicyPeer[]): PolicySpec => ({ podSelector: A, ingress: [{ from }] });
  const cases: readonly (readonly [
    title: string,
    specs: () => readonly (readonly [ns: string, spec: PolicySpec])[],
    expected: Expected,
  ])[] = [
    ['without a policy everybody reaches everybody', () => [], () => true],
    [
      'one without rules closes all pods of its namespace, and no other',
      () => [['x', { podSelector: {}, policyTypes: ['Ingress'] }]],
      (_, to) => to.ns !== 'x',
    ],
    [
      'pods by their label, of the namespace of the policy alone',
      () => [['x', into(podIs('b'))]],
      (from, to) => !is(to, 'x/a') || is(from, 'x/b'),
    ],
    [
      'a namespace by its label, with all its pods',
      () => [['x', into(nsIs('y'))]],
      (from, to) => !is(to, 'x/a') || from.ns === 'y',
    ],
    [
      'namespace and pod in one peer are both asked for; two peers are either',
      () => [['x', into({ ...nsIs('y'), ...podIs('b') }, podIs('c'))]],
      (from, to) => !is(to, 'x/a') || is(from, 'y/b') || is(from, 'x/c'),
    ],
    [
      'expressions: in, not in, and there or not',
      () => [
        [
          'x',
          into({
            namespaceSelector: { matchExpressions: [{ key: 'ns', operator: 'In', values: ['y', 'z'] }] },
            podSelector: {
              matchExpressions: [
                { key: 'pod', operator: 'NotIn', values: ['a', 'b'] },
                { key: 'nowhere', operator: 'DoesNotExist' },
              ],
            },
          }),
        ],
      ],
      (from, to) => !is(to, 'x/a') || (from.ns !== 'x' && from.pod === 'c'),
    ],
    [
      'one port; a name; a range; and policies add up',
      () => [
        ['x', { podSelector: A, ingress: [{ from: [nsIs('y')], ports: [tcp(81)] }] }],
        ['x', { podSelector: { matchLabels: { pod: 'b' } }, ingress: [{ ports: [tcp('web')] }] }],
        ['y', { podSelector: A, ingress: [{ ports: [tcp(81, 82)] }] }],
        ['x', { podSelector: A, ingress: [{ from: [podIs('c')], ports: [tcp('web')] }] }],
      ],
      (from, to, port) => {
        if (is(to, 'x/a')) return (from.ns === 'y' && port === 81) || (is(from, 'x/c') && port === 80);
        if (is(to, 'x/b')) return port === 80;
        return !is(to, 'y/a') || port > 80;
      },
    ],
    [
      'what goes out: nothing, or to one namespace at one port',
      () => [
        ['x', { podSelector: A, policyTypes: ['Egress'] }],
        [
          'y',
          {
            podSelector: { matchLabels: { pod: 'b' } },
            policyTypes: ['Egress'],
            egress: [{ to: [nsIs('z')], ports: [tcp(80)] }],
          },
        ],
      ],
      (from, to, port) => !is(from, 'x/a') && (!is(from, 'y/b') || (to.ns === 'z' && port === 80)),
    ],
    [
      'both directions have to be open',
      () => [
        ['x', { podSelector: A, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{ to: [nsIs('y')] }] }],
        ['y', into(podIs('b'))],
      ],
      (from, to) => {
        const goesOut = !is(from, 'x/a') || to.ns === 'y';
        return goesOut && (!is(to, 'y/a') || is(from, 'y/b'));
      },
    ],
    [
      'blocks of addresses, but for some of them',
      () => [
        ['x', into({ ipBlock: { cidr: '10.213.0.0/16', except: [`${addressOf('y/b')}/32`] } })],
        [
          'z',
          {
            podSelector: A,
            policyTypes: ['Egress'],
            egress: [{ to: [{ ipBlock: { cidr: `${addressOf('x/b')}/32` } }] }],
          },
        ],
      ],
      (from, to) => (!is(to, 'x/a') || !is(from, 'y/b')) && (!is(from, 'z/a') || is(to, 'x/b')),
    ],
    [
      'one that lets everybody in is more than one that lets in nobody',
      () => [
        ['x', { podSelector: {}, policyTypes: ['Ingress'] }],
        ['x', { podSelector: A, ingress: [{}] }],
      ],
      (_, to) => to.ns !== 'x' || is(to, 'x/a'),
    ],
  ];

  test.each(cases)(
    '%s',
    async (_, specs, expected) => {
      const made = specs().map(([ns, spec], at) => policy(ns, `p${at}`, spec));
      if (made.length > 0) await packets.cluster.apply(...made);
      await holds(expected);
      await clear();
    },
    60_000,
  );

  test('a rule that somebody adds lets a packet through, which the proof names; the next daemon takes it away', async () => {
    await packets.cluster.apply(policy('x', 'closed', into(podIs('b'))));
    await holds((from, to) => !is(to, 'x/a') || is(from, 'x/b'));
    const { name, node } = packets.nodes[pods.get('x/a')!.pod.at]!;
    await applyNft(
      node.name,
      `insert rule ip ${POLICIES.table} ingress ip saddr ${addressOf('z/b')} tcp dport 81 accept\n`,
    );
    await expect
      .poll(() => wrong((from, to) => !is(to, 'x/a') || is(from, 'x/b')), WAIT)
      .toEqual(['z/b reaches x/a:81']);
    const found = await proven();
    expect(found).toMatchObject({ code: 1, answers: { policies: 'violated', 'policies/answers': 'holds' } });
    expect(found.differences).toMatchObject([
      {
        from: { pod: `${namespaces['z']}/b` },
        to: { pod: `${namespaces['x']}/a` },
        protocol: 'TCP',
        port: 81,
        installed: 'passes',
        rules: expect.arrayContaining([expect.stringMatching(`^${name}\\.nft:\\d+$`)]),
      },
    ]);
    await packets.stopDaemon(pods.get('x/a')!.pod.at);
    await packets.startDaemon(pods.get('x/a')!.pod.at);
    await holds((from, to) => !is(to, 'x/a') || is(from, 'x/b'));
    await clear();
  }, 200_000);

  test('UDP is asked about apart from TCP', async () => {
    const ports: readonly PolicyPort[] = [{ protocol: 'UDP', port: 80 }];
    await packets.cluster.apply(policy('x', 'udp', { podSelector: A, ingress: [{ ports }] }));
    const at = addressOf('x/a');
    const asked = () =>
      reached(pods.get('y/b')!.pod.netns, [
        ['udp', at, 80],
        ['tcp', at, 80],
      ]);
    await expect.poll(asked, WAIT).toEqual([true, false]);
    await clear();
  });

  test('it is updated, labels of pods and namespaces change, and pods come and go', async () => {
    const { cluster } = packets;
    await cluster.apply(policy('x', 'moving', into(podIs('b'))));
    await holds((from, to) => !is(to, 'x/a') || is(from, 'x/b'));
    await cluster.apply(policy('x', 'moving', into({ namespaceSelector: { matchLabels: { team: 'blue' } } })));
    await holds((_, to) => !is(to, 'x/a'));
    await cluster.kubectl('label', 'namespace', namespaces['z']!, 'team=blue');
    await holds((from, to) => !is(to, 'x/a') || from.ns === 'z');
    await cluster.kubectl('label', 'namespace', namespaces['z']!, 'team-');
    await cluster.apply(policy('x', 'moving', into(podIs('guest'))));
    await cluster.inside('label', 'pod', 'c', 'pod=guest', '--overwrite');
    await holds((from, to) => !is(to, 'x/a') || is(from, 'x/c'));
    await cluster.inside('label', 'pod', 'c', 'pod=c', '--overwrite');
    const guest = await packets.start('guest', 1, { labels: { pod: 'guest' } });
    const asked = () => reached(guest.netns, [['tcp', addressOf('x/a'), 80]]);
    await expect.poll(asked, WAIT).toEqual([true]);
    await packets.remove(guest);
    // Its address is somebody else's by now, who may not.
    const next = await packets.start('next', 1, { labels: { pod: 'next' } });
    await expect.poll(() => reached(next.netns, [['tcp', addressOf('x/a'), 80]]), WAIT).toEqual([false]);
    await packets.remove(next);
    await clear();
  }, 200_000);

  test('out to a Service without a selector: its members are judged, and a pod reaches itself by its own', async () => {
    const { cluster } = packets;
    const namespace = cluster.namespace;
    const slice = (name: string, address: string) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: 80, protocol: 'TCP' }],
      endpoints: [{ addresses: [address] }],
    });
    const service = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ port: 8_000, targetPort: 80 }] },
    });
    const all = ['x/a', 'y/a', 'z/a'];
    const named = (name: string) => `to-${name.replace('/', '-')}`;
    await cluster.apply(...all.flatMap((one) => [service(named(one)), slice(named(one), addressOf(one))]));
    const addresses = await Promise.all(all.map((one) => packets.clusterIp(named(one))));
    const asked = () =>
      reached(
        pods.get('x/a')!.pod.netns,
        addresses.map((address): Target => ['tcp', address, 8_000]),
      );
    await expect.poll(asked, WAIT).toEqual([true, true, true]);
    const egress = [{ to: [nsIs('y')], ports: [tcp(80)] }];
    await cluster.apply(policy('x', 'out', { podSelector: A, policyTypes: ['Ingress', 'Egress'], egress }));
    await expect.poll(asked, WAIT).toEqual([true, true, false]);
    await clear();
    await expect.poll(asked, WAIT).toEqual([true, true, true]);
  });

  test('a namespace with a policy goes, and nothing of it is left in the kernel', async () => {
    const { cluster } = packets;
    const ns = await cluster.addNamespace('-gone');
    namespaces['gone'] = ns;
    const lone = await packets.start('lone', 0, { namespace: ns, labels: { pod: 'lone' } });
    answerers.push(await Answerer.start(lone.netns, ['tcp/80']));
    const asked = () => reached(pods.get('y/b')!.pod.netns, [['tcp', lone.address, 80]]);
    await expect.poll(asked, WAIT).toEqual([true]);
    await cluster.apply(policy('gone', 'closed', { podSelector: {}, policyTypes: ['Ingress'] }));
    await expect.poll(asked, WAIT).toEqual([false]);
    await packets.remove(lone);
    await cluster.kubectl('delete', 'namespace', ns, '--wait=true', '--timeout=60s');
    delete namespaces['gone'];
    // Who has its address now is open.
    const next = await packets.start('heir', 0, { labels: { pod: 'heir' } });
    answerers.push(await Answerer.start(next.netns, ['tcp/80']));
    await expect.poll(() => reached(pods.get('y/b')!.pod.netns, [['tcp', next.address, 80]]), WAIT).toEqual([true]);
    await packets.remove(next);
    await holds(() => true);
  });
});
