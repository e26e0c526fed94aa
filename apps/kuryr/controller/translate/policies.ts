import { SuperfluidityError } from '@superfluidity/core';
import type { Pod } from '@superfluidity/driver-kubernetes';
import { formatIpv4Prefix, type Ipv4Prefix, parseIpv4 } from '@superfluidity/model';
import type { KuryrNetworkPolicy, PolicyRule } from '../../api/network-policy.ts';
import '../errors.ts';
import { LIMITS } from '../limits.ts';
import {
  isOver,
  keyOf,
  matches,
  type Namespace,
  type NetworkPolicy,
  type PolicyPeer,
  type PolicyPort,
} from '../objects.ts';
import { aggregate, loosePrefix, without } from './prefixes.ts';

/** What policies are resolved against. */
export interface PolicyView {
  readonly pods: readonly Pod[];
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** Undefined: it has none yet. */
  addressOf(pod: Pod): string | undefined;
}

type Direction = PolicyRule['direction'];
type Protocol = NonNullable<PolicyRule['protocol']>;

interface Span {
  readonly protocol?: Protocol;
  readonly first?: number;
  readonly last?: number;
}

interface Peer {
  readonly prefixes: readonly Ipv4Prefix[];
  /** Where it is a pod: names of ports are looked up in it. */
  readonly pod?: Pod;
}

interface PodPorts {
  readonly containers?: readonly {
    readonly ports?: readonly {
      readonly name?: string;
      readonly containerPort: number;
      readonly protocol?: Protocol;
    }[];
  }[];
}

const ALL: Ipv4Prefix = { base: 0, length: 0 };

/** Which directions a policy closes, but for what its rules let pass (NetworkPolicySpec, `policyTypes`). */
export function isolatedBy({ spec }: NetworkPolicy): readonly Direction[] {
  const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? (['Egress'] as const) : [])];
  return (['ingress', 'egress'] as const).filter((one) => types.includes(one === 'ingress' ? 'Ingress' : 'Egress'));
}

/** Whether the policy is about the pod. Pods of the node's own network are not subject to policies. */
export function selects(policy: NetworkPolicy, pod: Pod): boolean {
  return (
    pod.metadata.namespace === policy.metadata.namespace &&
    pod.spec?.hostNetwork !== true &&
    !isOver(pod) &&
    matches(policy.spec.podSelector, pod)
  );
}

/** A NetworkPolicy with its selectors resolved to addresses, in as few rules as say the same. Throws `SF-KURYR-POLICY`. */
export function resolvePolicy(policy: NetworkPolicy, view: PolicyView): KuryrNetworkPolicy['spec'] {
  const selected = view.pods.filter((pod) => selects(policy, pod));
  const isolates = isolatedBy(policy);
  const found = new Map<
    string,
    { readonly direction: Direction; readonly span: Span; readonly prefixes: Ipv4Prefix[] }
  >();
  const allow = (direction: Direction, span: Span, prefixes: readonly Ipv4Prefix[]) => {
    const key = `${direction} ${span.protocol ?? ''} ${span.first ?? ''}-${span.last ?? ''}`;
    const known = found.get(key) ?? { direction, span, prefixes: [] };
    for (const prefix of prefixes) known.prefixes.push(prefix);
    found.set(key, known);
  };
  const { ingress = [], egress = [] } = policy.spec;
  if (isolates.includes('ingress'))
    for (const { from, ports } of ingress)
      for (const { prefixes } of peersOf(policy, from, view))
        for (const span of spansOf(ports, (port) => numberIn(policy, selected, port))) allow('ingress', span, prefixes);
  if (isolates.includes('egress'))
    for (const { to, ports } of egress)
      for (const { prefixes, pod } of peersOf(policy, to, view))
        for (const span of spansOf(ports, (port) => (pod === undefined ? undefined : portIn(pod, port))))
          allow('egress', span, prefixes);
  const rules = [...found.values()].flatMap(({ direction, span: { protocol, first, last }, prefixes }) =>
    aggregate(prefixes).map(
      (prefix): PolicyRule => ({
        direction,
        ...(protocol === undefined ? {} : { protocol }),
        ...(first === undefined ? {} : { portFirst: first, portLast: last! }),
        cidr: formatIpv4Prefix(prefix),
      }),
    ),
  );
  if (rules.length > LIMITS.policyRules)
    throw refused(policy, `it comes to ${rules.length} rules, of which ${LIMITS.policyRules} can be installed`);
  return { isolates: [...isolates], rules, pods: selected.map(({ metadata }) => metadata.name).toSorted() };
}

function peersOf(policy: NetworkPolicy, peers: readonly PolicyPeer[] | undefined, view: PolicyView): readonly Peer[] {
  if (peers === undefined || peers.length === 0) return [{ prefixes: [ALL] }, ...podPeers(view, () => true)];
  return peers.flatMap(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined) {
      const whole = loosePrefix(ipBlock.cidr);
      // Of IPv6, which pods do not have.
      if (whole === undefined) return [];
      const except = (ipBlock.except ?? []).flatMap((one) => loosePrefix(one) ?? []);
      return [{ prefixes: without(whole, except) }];
    }
    return podPeers(view, (pod) => {
      const own = pod.metadata.namespace ?? '';
      const namespace = view.namespaces.get(own);
      const isThere =
        namespaceSelector === undefined
          ? own === policy.metadata.namespace
          : namespace !== undefined && matches(namespaceSelector, namespace);
      return isThere && (podSelector === undefined || matches(podSelector, pod));
    });
  });
}

function podPeers(view: PolicyView, isMeant: (pod: Pod) => boolean): readonly Peer[] {
  return view.pods.flatMap((pod) => {
    if (isOver(pod) || pod.spec?.hostNetwork === true || !isMeant(pod)) return [];
    const address = parseIpv4(view.addressOf(pod) ?? '');
    return address === undefined ? [] : [{ prefixes: [{ base: address, length: 32 }], pod }];
  });
}

function spansOf(
  ports: readonly PolicyPort[] | undefined,
  numberOf: (port: { readonly name: string; readonly protocol: Protocol }) => number | undefined,
): readonly Span[] {
  if (ports === undefined || ports.length === 0) return [{}];
  return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
    if (port === undefined) return [{ protocol }];
    if (typeof port === 'number') return [{ protocol, first: port, last: endPort ?? port }];
    const number = numberOf({ name: port, protocol });
    return number === undefined ? [] : [{ protocol, first: number, last: number }];
  });
}

function portIn(pod: Pod, port: { readonly name: string; readonly protocol: Protocol }): number | undefined {
  const { containers = [] } = (pod.spec ?? {}) as PodPorts;
  return containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name, protocol = 'TCP' }) => name === port.name && protocol === port.protocol)?.containerPort;
}

/** One group has one number for a name: pods that mean different ones cannot share it. */
function numberIn(
  policy: NetworkPolicy,
  pods: readonly Pod[],
  port: { readonly name: string; readonly protocol: Protocol },
): number | undefined {
  let known: { readonly number: number; readonly pod: Pod } | undefined;
  for (const pod of pods) {
    const number = portIn(pod, port);
    if (number === undefined) continue;
    if (known !== undefined && known.number !== number)
      throw refused(
        policy,
        `port ${port.name} is ${known.number} in pod ${known.pod.metadata.name} and ${number} in ${pod.metadata.name}`,
      );
    known = { number, pod };
  }
  return known?.number;
}

function refused(policy: NetworkPolicy, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-KURYR-POLICY', { doing: `carry out network policy ${keyOf(policy)}`, reason });
}
