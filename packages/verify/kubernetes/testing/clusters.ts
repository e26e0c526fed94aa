import fc from 'fast-check';
import type {
  ClusterPod,
  ClusterState,
  LabelSelector,
  NetworkPolicy,
  PolicyPeer,
  PolicyPort,
  Protocol,
} from '../objects.ts';

/** Random clusters, small enough for all that matters of their connections to be tried one by one. */

const NAMESPACES = ['red', 'blue'] as const;
export const NODES = ['n1', 'n2'] as const;
export const nodeAddress = (node: string): string => `192.0.2.${node.slice(1)}`;
export const podAddress = (at: number): string => `10.0.0.${at + 2}`;
const PODS_MAX = 6;

/** Of pods, of one that is not there, of both nodes, and of others. */
export const ADDRESSES: readonly string[] = [
  ...Array.from({ length: PODS_MAX }, (_, at) => podAddress(at)),
  '10.0.0.200',
  ...NODES.map(nodeAddress),
  '203.0.113.5',
  '203.0.113.130',
];
const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
/** Those with which something begins or ends. */
export const PORTS: readonly (readonly [Protocol, number])[] = [
  ...[1, 79, 80, 81, 90, 91, 8_080, 8_081].map((port) => ['TCP', port] as const),
  ['UDP', 80],
  ['UDP', 8_080],
  ['SCTP', 81],
];

const label = fc.constantFrom('a', 'b', 'c');
const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  label.map((app) => ({ matchLabels: { app } })),
  fc.record({
    matchExpressions: fc.array(
      fc.record({
        key: fc.constantFrom('app', 'tier'),
        operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
        values: fc.array(label, { minLength: 1, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const teams: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...NAMESPACES).map((team) => ({ matchLabels: { team } })),
);
const peer: fc.Arbitrary<PolicyPeer> = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: teams }),
  fc.record({ podSelector: selector, namespaceSelector: teams }),
  fc.constantFrom<PolicyPeer>(
    { ipBlock: { cidr: '10.0.0.0/29' } },
    { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.4/30', '203.0.113.128/25'] } },
    { ipBlock: { cidr: '203.0.113.77/24', except: ['203.0.113.128/25'] } },
    { ipBlock: { cidr: 'fd00::/8' } },
  ),
);
const number: fc.Arbitrary<PolicyPort> = fc.oneof(
  fc.record({ port: fc.constantFrom(80, 81), protocol: fc.constantFrom(undefined, ...PROTOCOLS) }).map(clean),
  fc.constantFrom(...PROTOCOLS).map((protocol) => ({ protocol })),
  fc.constant({ port: 80, endPort: 90 }),
);
const some = <T>(one: fc.Arbitrary<T>) => fc.option(fc.array(one, { maxLength: 2 }), { nil: undefined });

const named = fc.constantFrom<PolicyPort>(
  { port: 'web' },
  { port: 'web' },
  { port: 'web', protocol: 'UDP' },
  { port: 'dns', protocol: 'UDP' },
);
const port = fc.oneof({ weight: 2, arbitrary: number }, { weight: 3, arbitrary: named });

const policy = (at: number): fc.Arbitrary<NetworkPolicy> => {
  const rules = some(fc.record({ peers: some(peer), ports: some(port) }).map(clean));
  return fc
    .record({
      namespace: fc.constantFrom(...NAMESPACES),
      name: fc.constant(`p${at}`),
      podSelector: selector,
      policyTypes: fc.constantFrom(
        undefined,
        ['Ingress' as const],
        ['Egress' as const],
        ['Ingress' as const, 'Egress' as const],
      ),
      ingress: rules,
      egress: rules,
    })
    .map(clean);
};

const pods: fc.Arbitrary<readonly ClusterPod[]> = fc
  .array(
    fc.record({
      namespace: fc.constantFrom(...NAMESPACES),
      app: fc.option(label, { nil: undefined }),
      node: fc.constantFrom(...NODES),
      kind: fc.constantFrom('usual', 'usual', 'usual', 'over', 'of the node'),
      // None, others than those of other pods, and (which nothing forbids across containers) several.
      web: fc.constantFrom<readonly number[]>([], [], [8_080], [8_081], [90, 8_080]),
      dns: fc.constantFrom<readonly number[]>([], [80], [8_080]),
    }),
    { maxLength: PODS_MAX },
  )
  .map((all) =>
    all.map(({ namespace, app, node, kind, web, dns }, at): ClusterPod => {
      const isOfNode = kind === 'of the node';
      return {
        namespace,
        name: `pod-${at}`,
        labels: app === undefined ? {} : { app },
        node,
        addresses: [isOfNode ? nodeAddress(node) : podAddress(at)],
        hostNetwork: isOfNode,
        isOver: kind === 'over',
        ports: [
          ...web.map((one) => ({ name: 'web', protocol: 'TCP' as const, number: one })),
          ...dns.map((one) => ({ name: 'dns', protocol: 'UDP' as const, number: one })),
        ],
      };
    }),
  );

export const clusters: fc.Arbitrary<ClusterState> = fc
  .tuple(pods, fc.option(policy(0)), fc.option(policy(1)), fc.option(policy(2)))
  .map(([all, ...policies]) => ({
    pods: all,
    namespaces: new Map(NAMESPACES.map((name) => [name, { team: name }])),
    policies: policies.filter((one) => one !== null),
    nodes: NODES.map((name) => ({ name, addresses: [nodeAddress(name)] })),
  }));

function clean<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return JSON.parse(JSON.stringify(object)) as { [K in keyof T]: Exclude<T[K], undefined> };
}
