import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { formatIpv4 } from '@superfluidity/model';
import { type ClusterPod, type ClusterState, type PoliciesReport, provePolicies } from '@superfluidity/verify';
import { clusters, NODES } from '@superfluidity/verify/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planPolicies } from './policies.ts';
import { difference, EMPTY, type TableContent } from './table.ts';
import { KernelModel, type Packet } from './testing/kernel.ts';
import { listed } from './testing/listed.ts';
import { resolvedPolicies } from './testing/resolved.ts';

/** What the controller and the daemons make of the policies of a cluster, by node. */
function carriedOut(cluster: ClusterState): ReadonlyMap<string, TableContent> {
  const resolved = resolvedPolicies(cluster);
  return new Map(
    cluster.nodes.map(({ name: node }) => {
      const own = cluster.pods.filter((pod) => pod.node === node && !pod.hostNetwork && !pod.isOver);
      const ports = new Map(own.map((pod) => [`${pod.namespace}/${pod.name}`, portOf(pod)]));
      return [node, planPolicies(resolved, ports).content];
    }),
  );
}

const portOf = ({ namespace, name, addresses }: ClusterPod): KuryrPort => ({
  metadata: { namespace, name },
  spec: { podUid: name, node: 'n' },
  status: {
    interfaces: {
      eth0: {
        id: name,
        mac: '',
        addresses: [`${addresses[0]}/24`],
        routes: [],
        mtu: 1_500,
        active: true,
        isDefault: true,
        plugging: { kind: 'bridge', bridge: 'pods' },
      },
    },
  },
});

const prove = (
  cluster: ClusterState,
  tables: ReadonlyMap<string, TableContent>,
  milliseconds = 60_000,
): PoliciesReport =>
  provePolicies(
    cluster,
    [...tables].map(([node, content]) => ({ path: `${node}.nft`, text: listed(content) })),
    { milliseconds },
  );

const answers = ({ verdicts }: PoliciesReport) => verdicts.map(({ question, answer }) => `${question} ${answer}`);
const HOLDS = ['policies holds', 'policies/answers holds', 'policies/nodes holds'];

/** Whether the nodes of both ends let the first packet pass, by a model of the kernel that reads no text. */
function passes(cluster: ClusterState, tables: ReadonlyMap<string, TableContent>, sent: Packet): boolean {
  return [...tables].every(([node, content]) => {
    const isHere = (address: string) =>
      cluster.pods.some((pod) => pod.node === node && !pod.hostNetwork && !pod.isOver && pod.addresses[0] === address);
    if (!isHere(sent.source) && !isHere(sent.destination)) return true;
    const kernel = new KernelModel(['senders', 'receivers', 'themselves']);
    kernel.apply(difference({ family: 'ip', table: 't' }, EMPTY, content));
    if (kernel.sets.get('themselves')!.has(`${sent.source} . ${sent.destination}`)) return true;
    return [kernel.sets.get('senders')!.get(sent.source), kernel.sets.get('receivers')!.get(sent.destination)].every(
      (verdict) => verdict === undefined || kernel.verdict(verdict.split(' ')[1]!, sent) !== 'drop',
    );
  });
}

/** All tables with one rule or one element less. */
function faults(tables: ReadonlyMap<string, TableContent>): readonly ReadonlyMap<string, TableContent>[] {
  return [...tables].flatMap(([node, content]) => [
    ...[...content.chains].flatMap(([name, rules]) =>
      rules.map((_, at) => {
        const chains = new Map(content.chains).set(name, rules.toSpliced(at, 1));
        return new Map(tables).set(node, { ...content, chains });
      }),
    ),
    ...[...content.sets]
      .filter(([name]) => name !== 'themselves')
      .flatMap(([name, set]) =>
        [...set.elements.keys()].map((gone) => {
          const elements = new Map([...set.elements].filter(([key]) => key !== gone));
          return new Map(tables).set(node, { ...content, sets: new Map(content.sets).set(name, { ...set, elements }) });
        }),
      ),
  ]);
}

const PROTOCOLS = new Map([
  [6n, 'tcp'],
  [17n, 'udp'],
  [132n, 'sctp'],
]);

describe('what is installed on nodes', () => {
  test('is proven to be what policies mean, whatever the cluster', () => {
    const seen = { chains: 0, ofNames: 0 };
    fc.assert(
      fc.property(clusters, (cluster) => {
        const tables = carriedOut(cluster);
        for (const { chains } of tables.values()) {
          seen.chains += chains.size;
          seen.ofNames += [...chains.keys()].filter((name) => /^to_\w{16}_\w{8}$/.test(name)).length;
        }
        const report = prove(cluster, tables);
        if (String(answers(report)) !== String(HOLDS))
          throw new Error(
            JSON.stringify(
              report.verdicts.flatMap(({ differences }) => differences),
              text,
            ),
          );
      }),
      { numRuns: 80 },
    );
    expect([seen.chains > 50, seen.ofNames > 0]).toEqual([true, true]);
  });

  test('is found to be something else when a rule or an element is gone, with a packet that shows it', () => {
    const seen = { found: 0, harmless: 0 };
    fc.assert(
      fc.property(clusters, fc.nat(), (cluster, chosen) => {
        const tables = carriedOut(cluster);
        const all = faults(tables);
        if (all.length === 0) return;
        const broken = all[chosen % all.length]!;
        const [verdict] = prove(cluster, broken).verdicts;
        const isOther = (sent: Packet) => passes(cluster, broken, sent) !== passes(cluster, tables, sent);
        if (verdict!.answer === 'violated') {
          seen.found += 1;
          for (const { connection, installed, meant } of verdict!.differences) {
            const sent = {
              source: formatIpv4(Number(connection.source)),
              destination: formatIpv4(Number(connection.destination)),
              protocol: PROTOCOLS.get(connection.protocol)!,
              port: Number(connection.port),
            };
            expect([isOther(sent), passes(cluster, broken, sent)]).toEqual([true, installed === 'passes']);
            expect(meant.length).toBeGreaterThan(0);
          }
          return;
        }
        expect(verdict!.answer).toBe('holds');
        seen.harmless += 1;
        const ends = [...cluster.pods.flatMap(({ addresses }) => addresses), '203.0.113.5', '203.0.113.200'];
        for (const source of ends)
          for (const destination of ends)
            for (const port of [1, 80, 85, 91])
              if (isOther({ source, destination, protocol: 'tcp', port }))
                throw new Error(`${source} ${destination} ${port}`);
      }),
      { numRuns: 60 },
    );
    expect(seen.found).toBeGreaterThan(5);
    expect(seen.harmless).toBeGreaterThan(0);
  });

  test('is proven for a thousand pods of twenty kinds on ten nodes', () => {
    const pods = Array.from(
      { length: 1_000 },
      (_, at): ClusterPod => ({
        namespace: `team-${at % 5}`,
        name: `pod-${at}`,
        labels: { app: `app-${at % 20}` },
        node: `n${at % 10}`,
        addresses: [`10.${at % 10}.${at >> 7}.${(at % 128) + 2}`],
        hostNetwork: false,
        isOver: false,
        ports: [],
      }),
    );
    const named = (at: number) => ({ matchLabels: { app: `app-${at % 20}` } });
    const cluster: ClusterState = {
      pods,
      namespaces: new Map(Array.from({ length: 5 }, (_, at) => [`team-${at}`, { team: `${at}` }])),
      policies: Array.from({ length: 20 }, (_, at) => ({
        namespace: `team-${at % 5}`,
        name: `policy-${at}`,
        podSelector: named(at),
        ingress: [
          { peers: [{ podSelector: named(at + 5) }, { namespaceSelector: { matchLabels: { team: `${at % 3}` } } }] },
          { peers: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.3.0.0/16'] } }], ports: [{ port: 80 + at }] },
        ],
        egress: [
          {
            peers: [{ namespaceSelector: { matchLabels: { team: `${at % 4}` } } }],
            ports: [{ port: 1_000, endPort: 2_000 + at }],
          },
        ],
      })),
      nodes: Array.from({ length: 10 }, (_, at) => ({ name: `n${at}`, addresses: [`192.0.2.${at + 1}`] })),
    };
    const report = prove(cluster, carriedOut(cluster), 110_000);
    expect([answers(report), report.pods, report.classes]).toEqual([HOLDS, 1_000, 20]);
  }, 120_000);

  test('is unknown where a node was not read', () => {
    const pod = (name: string, node: string, last: number): ClusterPod => ({
      namespace: 'red',
      name,
      labels: {},
      node,
      addresses: [`10.0.0.${last}`],
      hostNetwork: false,
      isOver: false,
      ports: [],
    });
    const cluster: ClusterState = {
      pods: [pod('a', 'n1', 1), pod('b', 'n2', 2)],
      namespaces: new Map([['red', {}]]),
      policies: [{ namespace: 'red', name: 'p', podSelector: {} }],
      nodes: NODES.map((name, at) => ({ name, addresses: [`192.0.2.${at + 1}`] })),
    };
    const tables = carriedOut(cluster);
    const report = prove(cluster, new Map([['n1', tables.get('n1')!]]));
    expect([answers(report)[0], report.notCompared[0]]).toEqual([
      'policies unknown',
      'red/b: nothing is known of node n2, nor of a port in a cloud',
    ]);
    const without = provePolicies(
      cluster,
      NODES.map((node) => ({ path: `${node}.nft`, text: '' })),
    );
    expect(answers(without)).toEqual(['policies violated', 'policies/answers holds', 'policies/nodes holds']);
    expect(answers(prove(cluster, tables))).toEqual(HOLDS);
    expect(provePolicies(cluster, [], { milliseconds: 0 }).verdicts).toMatchObject([
      { answer: 'unknown', bound: 'milliseconds' },
    ]);
  });
});

const text = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
