import { FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import { ipv4 } from '../readers/netfilter/addresses.ts';
import { type Connection, type Connections, NUMBERS } from './connections.ts';
import {
  type ClusterPod,
  type ClusterState,
  type Direction,
  isSubject,
  type NetworkPolicy,
  podName,
  type PolicyPeer,
  type PolicyPort,
  type PolicyRule,
  selects,
  subjectsOf,
} from './objects.ts';

/** What the policies of a cluster mean. Sets are of connections that begin. */
export interface Meaning {
  /** May begin, as far as policies say. */
  readonly allowed: Node;
  /** Between a node and its own pods: policies do not say anything about them. */
  readonly ofNodes: Node;
  /** From a pod to itself, which no policy can forbid. */
  readonly themselves: Node;
  /** With a pod at one end or at both. */
  readonly ofPods: Node;
  /** Sets of pods that the same policies select in both directions. */
  readonly classes: number;
  /** Pods by address, in numbers. */
  readonly pods: ReadonlyMap<bigint, readonly ClusterPod[]>;
  /** Which policies decide about it, and how. */
  because(one: Connection): readonly string[];
}

interface MeantRule {
  readonly text: string;
  readonly allows: Node;
}

interface MeantPolicy {
  readonly name: string;
  readonly policy: NetworkPolicy;
  readonly rules: Readonly<Record<Direction, readonly MeantRule[]>>;
}

interface Class {
  readonly policies: readonly MeantPolicy[];
  readonly addresses: bigint[];
}

const DIRECTIONS = ['egress', 'ingress'] as const;
/** The end of a connection that a direction is about, and the other one. */
const ENDS = {
  ingress: { own: 'destination', other: 'source' },
  egress: { own: 'source', other: 'destination' },
} as const;

/**
 * By the definition of NetworkPolicy (networking.k8s.io/v1) alone, whoever carries it out: a pod is isolated in a direction when
 * a policy of its namespace that is about that direction selects it; then what rules of such policies allow may begin, all of
 * them together. A connection may begin when both of its ends allow it. Of IPv4, and of TCP, UDP and SCTP: of what other protocols
 * policies mean, the definition leaves open.
 */
export function meaningOf(cluster: ClusterState, space: Connections): Meaning {
  const { diagrams } = space;
  const subjects = subjectsOf(cluster);
  const peers = cluster.pods.filter(isSubject);
  const pods = new Map<bigint, ClusterPod[]>();
  for (const pod of subjects)
    for (const address of addressesOf(pod)) pods.set(address, [...(pods.get(address) ?? []), pod]);
  const policies = cluster.policies.map((policy) => policyMeaning(policy, cluster, peers, space));
  const classes = { ingress: new Map<string, Class>(), egress: new Map<string, Class>() };
  const together = new Set<string>();
  for (const pod of subjects) {
    const keys = DIRECTIONS.map((direction) => {
      const selecting = policies.filter(({ policy }) => isolates(policy, direction) && isAbout(policy, pod));
      const key = selecting.map(({ name }) => name).join(' ');
      const known = classes[direction].get(key) ?? { policies: selecting, addresses: [] };
      classes[direction].set(key, known);
      for (const address of addressesOf(pod)) known.addresses.push(address);
      return key;
    });
    together.add(keys.join(' | '));
  }
  const allowedBy = (direction: Direction) =>
    space.all(
      [...classes[direction].values()]
        .filter((one) => one.policies.length > 0)
        .map((one) =>
          space.where(
            space.oneOf(ENDS[direction].own, one.addresses),
            space.any(one.policies.flatMap(({ rules }) => rules[direction].map(({ allows }) => allows))),
          ),
        ),
    );
  const all = [...pods.keys()];
  const themselves = space.any(
    all.map((address) => diagrams.and(space.equals('source', address), space.equals('destination', address))),
  );
  return {
    allowed: diagrams.or(themselves, diagrams.and(allowedBy('egress'), allowedBy('ingress'))),
    themselves,
    ofNodes: betweenNodesAndPods(cluster, subjects, space),
    ofPods: diagrams.or(space.oneOf('source', all), space.oneOf('destination', all)),
    classes: together.size,
    pods,
    because: (one) =>
      DIRECTIONS.flatMap((direction) =>
        (pods.get(one[ENDS[direction].own]) ?? []).map((pod) => {
          const selecting = policies.filter(({ policy }) => isolates(policy, direction) && isAbout(policy, pod));
          const rule = selecting
            .flatMap(({ rules }) => rules[direction])
            .find(({ allows }) => space.has(allows, one))?.text;
          const towards = `${direction} of ${podName(pod)}`;
          if (selecting.length === 0) return `${towards}: no policy isolates it`;
          if (rule !== undefined) return `${towards}: allowed by ${rule}`;
          return `${towards}: no rule of ${selecting.map(({ name }) => name).join(', ')} allows it`;
        }),
      ),
  };
}

/** Absent or empty, they follow from what the policy has (NetworkPolicySpec, `policyTypes`). */
function isolates({ policyTypes = [], egress = [] }: NetworkPolicy, direction: Direction): boolean {
  if (policyTypes.length > 0) return policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
  return direction === 'ingress' || egress.length > 0;
}

function isAbout({ namespace, podSelector }: NetworkPolicy, pod: ClusterPod): boolean {
  return pod.namespace === namespace && selects(podSelector, pod.labels);
}

function policyMeaning(
  policy: NetworkPolicy,
  cluster: ClusterState,
  subjects: readonly ClusterPod[],
  space: Connections,
): MeantPolicy {
  const name = `${policy.namespace}/${policy.name}`;
  const rulesOf = (direction: Direction) =>
    (policy[direction] ?? []).map((rule, at): MeantRule => {
      const { other } = ENDS[direction];
      const { peers = [], ports = [] } = rule satisfies PolicyRule;
      const peer =
        peers.length === 0
          ? TRUE
          : space.any(peers.map((one) => peerMeaning(one, policy, other, cluster, subjects, space)));
      const port = ports.length === 0 ? TRUE : space.any(ports.map((one) => portMeaning(one, subjects, space)));
      return { text: `policy ${name}, ${direction} rule ${at + 1}`, allows: space.diagrams.and(peer, port) };
    });
  return { name, policy, rules: { ingress: rulesOf('ingress'), egress: rulesOf('egress') } };
}

function peerMeaning(
  { ipBlock, podSelector, namespaceSelector }: PolicyPeer,
  policy: NetworkPolicy,
  end: 'source' | 'destination',
  cluster: ClusterState,
  subjects: readonly ClusterPod[],
  space: Connections,
): Node {
  if (ipBlock !== undefined) {
    const except = (ipBlock.except ?? []).map((cidr) => space.within(end, cidr));
    return space.diagrams.minus(space.within(end, ipBlock.cidr), space.any(except));
  }
  if (podSelector === undefined && namespaceSelector === undefined) return FALSE;
  const meant = subjects.filter((pod) => {
    const labels = cluster.namespaces.get(pod.namespace);
    const isThere =
      namespaceSelector === undefined
        ? pod.namespace === policy.namespace
        : labels !== undefined && selects(namespaceSelector, labels);
    return isThere && (podSelector === undefined || selects(podSelector, pod.labels));
  });
  return space.oneOf(end, meant.flatMap(addressesOf));
}

/** A name is looked up in the pod at which the connection arrives, in both directions. */
function portMeaning(
  { protocol = 'TCP', port, endPort }: PolicyPort,
  subjects: readonly ClusterPod[],
  space: Connections,
): Node {
  const { diagrams } = space;
  const ofProtocol = space.equals('protocol', NUMBERS[protocol]);
  if (port === undefined) return ofProtocol;
  if (typeof port === 'number')
    return diagrams.and(ofProtocol, space.between('port', BigInt(port), BigInt(endPort ?? port)));
  const addresses = new Map<number, bigint[]>();
  for (const pod of subjects)
    for (const { name, number, protocol: its } of pod.ports)
      if (name === port && its === protocol)
        addresses.set(number, [...(addresses.get(number) ?? []), ...addressesOf(pod)]);
  const named = [...addresses].map(([number, of]) =>
    diagrams.and(space.oneOf('destination', of), space.equals('port', BigInt(number))),
  );
  return diagrams.and(ofProtocol, space.any(named));
}

function betweenNodesAndPods(cluster: ClusterState, subjects: readonly ClusterPod[], space: Connections): Node {
  const { diagrams } = space;
  return space.any(
    cluster.nodes.map((node) => {
      const own = node.addresses.flatMap((one) => ipv4(one) ?? []);
      const its = subjects.filter((pod) => pod.node === node.name).flatMap(addressesOf);
      const ways = (
        [
          ['source', 'destination'],
          ['destination', 'source'],
        ] as const
      ).map(([one, other]) => diagrams.and(space.oneOf(one, own), space.oneOf(other, its)));
      return space.any(ways);
    }),
  );
}

/** Of IPv4, in numbers. */
export function addressesOf({ addresses }: ClusterPod): readonly bigint[] {
  return addresses.flatMap((one) => ipv4(one) ?? []);
}
