import { SuperfluidityError } from '@superfluidity/core';
import type { Pod } from '@superfluidity/driver-kubernetes';
import { formatIpv4Prefix, type Ipv4, type Ipv4Prefix, parseIpv4, prefixHas } from '@superfluidity/model';
import { DIRECTIONS, type KuryrNetworkPolicy, type PolicyRule } from '../../api/network-policy.ts';
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
} from '../../kubernetes/objects.ts';
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

interface Container {
  readonly restartPolicy?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: Protocol;
  }[];
}

/** A name of a port, and what it means in some of the pods. */
type Named = Pick<NonNullable<KuryrNetworkPolicy['spec']['named']>[number], 'protocol' | 'port' | 'number'>;

const ALL: Ipv4Prefix = { base: 0, length: 0 };

/** Which directions a policy closes, but for what its rules let pass (NetworkPolicySpec, `policyTypes`). */
export function isolatedBy({ spec }: NetworkPolicy): readonly Direction[] {
  const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? (['Egress'] as const) : [])];
  return DIRECTIONS.filter((one) => types.includes(one === 'ingress' ? 'Ingress' : 'Egress'));
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

/** By which what a name means is known, also in the status of the resource. */
export const namedKey = ({ protocol, port, number }: Named): string => `${protocol}/${port}/${number}`;

/** What the names of ports that the policy lets in mean in one of its pods (NetworkPolicyPort, `port`: "named port on a pod"). */
export function namedIn(policy: NetworkPolicy, pod: Pod): readonly Named[] {
  if (!isolatedBy(policy).includes('ingress')) return [];
  const names = new Map(
    (policy.spec.ingress ?? []).flatMap(({ ports = [] }) =>
      ports.flatMap(({ protocol = 'TCP', port }) =>
        typeof port === 'string' ? [[`${protocol} ${port}`, { protocol, port }] as const] : [],
      ),
    ),
  );
  return [...names.values()].flatMap((name) => numbersIn(pod, name).map((number) => ({ ...name, number })));
}

/**
 * A NetworkPolicy with its selectors resolved to addresses, in as few rules as say the same. A name of a port is what it means where
 * the connection arrives: in a peer for what goes out, also in one of a block of addresses; in the pod itself for what comes in, so
 * that these rules are for some of the pods. Throws `SF-KURYR-POLICY`.
 */
export function resolvePolicy(policy: NetworkPolicy, view: PolicyView): KuryrNetworkPolicy['spec'] {
  const selected = view.pods.filter((pod) => selects(policy, pod));
  const isolates = isolatedBy(policy);
  const common = new Allowed();
  const named = new Map<string, { readonly named: Named; readonly pods: string[]; readonly allowed: Allowed }>();
  for (const pod of selected)
    for (const one of namedIn(policy, pod)) {
      const known = named.get(namedKey(one)) ?? { named: one, pods: [], allowed: new Allowed() };
      named.set(namedKey(one), known);
      known.pods.push(pod.metadata.name);
    }
  if (named.size > LIMITS.policyNames)
    throw refused(
      policy,
      `names of its ports mean ${named.size} numbers in its pods, of which ${LIMITS.policyNames} can be installed`,
    );
  const { ingress = [], egress = [] } = policy.spec;
  if (isolates.includes('ingress'))
    for (const { from, ports } of ingress) {
      const meant = [...named.values()].filter(({ named: { protocol, port } }) =>
        (ports ?? []).some((one) => one.port === port && (one.protocol ?? 'TCP') === protocol),
      );
      for (const { prefixes } of peersOf(policy, from, view, false)) {
        for (const span of spansOf(ports, () => [])) common.add('ingress', span, prefixes);
        for (const { named: one, allowed } of meant)
          allowed.add('ingress', { protocol: one.protocol, first: one.number, last: one.number }, prefixes);
      }
    }
  if (isolates.includes('egress'))
    for (const { to, ports } of egress) {
      const isNamed = (ports ?? []).some(({ port }) => typeof port === 'string');
      for (const { prefixes, pod } of peersOf(policy, to, view, isNamed))
        for (const span of spansOf(ports, (port) => (pod === undefined ? [] : numbersIn(pod, port))))
          common.add('egress', span, prefixes);
    }
  const rules = common.rules();
  const ofNames = [...named.values()].map(({ named: one, pods, allowed }) => ({
    ...one,
    pods: pods.toSorted(),
    rules: [...allowed.rules()],
  }));
  const count = ofNames.reduce((sum, one) => sum + one.rules.length, rules.length);
  if (count > LIMITS.policyRules)
    throw refused(policy, `it comes to ${count} rules, of which ${LIMITS.policyRules} can be installed`);
  return {
    isolates: [...isolates],
    rules: [...rules],
    pods: selected.map(({ metadata }) => metadata.name).toSorted(),
    ...(ofNames.length === 0
      ? {}
      : { named: ofNames.toSorted((one, other) => (namedKey(one) < namedKey(other) ? -1 : 1)) }),
  };
}

/** What may pass, gathered by direction and ports. */
class Allowed {
  readonly #found = new Map<
    string,
    { readonly direction: Direction; readonly span: Span; readonly prefixes: Ipv4Prefix[] }
  >();

  add(direction: Direction, span: Span, prefixes: readonly Ipv4Prefix[]): void {
    const key = `${direction} ${span.protocol ?? ''} ${span.first ?? ''}-${span.last ?? ''}`;
    const known = this.#found.get(key) ?? { direction, span, prefixes: [] };
    for (const prefix of prefixes) known.prefixes.push(prefix);
    this.#found.set(key, known);
  }

  /** The fewest that say the same. */
  rules(): readonly PolicyRule[] {
    return [...this.#found.values()].flatMap(({ direction, span: { protocol, first, last }, prefixes }) =>
      aggregate(prefixes).map(
        (prefix): PolicyRule => ({
          direction,
          ...(protocol === undefined ? {} : { protocol }),
          ...(first === undefined ? {} : { portFirst: first, portLast: last! }),
          cidr: formatIpv4Prefix(prefix),
        }),
      ),
    );
  }
}

/** With `isNamed`, pods with an address of a block are peers of their own: names of ports are looked up in them. */
function peersOf(
  policy: NetworkPolicy,
  peers: readonly PolicyPeer[] | undefined,
  view: PolicyView,
  isNamed: boolean,
): readonly Peer[] {
  const inside = (isMeant: (address: Ipv4) => boolean) =>
    isNamed ? podPeers(view, (_pod, address) => isMeant(address)) : [];
  if (peers === undefined || peers.length === 0) return [{ prefixes: [ALL] }, ...inside(() => true)];
  return peers.flatMap(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined) {
      const whole = loosePrefix(ipBlock.cidr);
      // Of IPv6, which pods do not have.
      if (whole === undefined) return [];
      const except = (ipBlock.except ?? []).flatMap((one) => loosePrefix(one) ?? []);
      const prefixes = without(whole, except);
      return [{ prefixes }, ...inside((address) => prefixes.some((prefix) => prefixHas(prefix, address)))];
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

function podPeers(view: PolicyView, isMeant: (pod: Pod, address: Ipv4) => boolean): readonly Peer[] {
  return view.pods.flatMap((pod) => {
    if (isOver(pod) || pod.spec?.hostNetwork === true) return [];
    const address = parseIpv4(view.addressOf(pod) ?? '');
    if (address === undefined || !isMeant(pod, address)) return [];
    return [{ prefixes: [{ base: address, length: 32 }], pod }];
  });
}

function spansOf(
  ports: readonly PolicyPort[] | undefined,
  numbersOf: (port: Pick<Named, 'protocol' | 'port'>) => readonly number[],
): readonly Span[] {
  if (ports === undefined || ports.length === 0) return [{}];
  return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
    if (port === undefined) return [{ protocol }];
    if (typeof port === 'number') return [{ protocol, first: port, last: endPort ?? port }];
    return numbersOf({ protocol, port }).map((number) => ({ protocol, first: number, last: number }));
  });
}

/** Of containers, and of init containers that go on beside them. */
function numbersIn({ spec }: Pod, wanted: Pick<Named, 'protocol' | 'port'>): readonly number[] {
  const { containers = [], initContainers = [] } = (spec ?? {}) as {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  const all = [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
  const numbers = all
    .flatMap(({ ports = [] }) => ports)
    .filter(({ name, protocol = 'TCP' }) => name === wanted.port && protocol === wanted.protocol)
    .map(({ containerPort }) => containerPort);
  return [...new Set(numbers)];
}

function refused(policy: NetworkPolicy, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-KURYR-POLICY', { doing: `carry out network policy ${keyOf(policy)}`, reason });
}
