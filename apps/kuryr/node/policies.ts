import { sha256 } from '@superfluidity/core';
import { KURYR_POLICIES_TABLE, type KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { parseIpv4, parseIpv4Prefix } from '@superfluidity/model';
import { DIRECTIONS, type KuryrNetworkPolicy, type PolicyRule } from '../api/network-policy.ts';
import type { Trouble } from './services.ts';
import type { SetContent, Skeleton, TableContent } from './table.ts';

/**
 * Policies as a table of the node, for nft(8): what passes the node to or from its pods. Two chains, of which both have to let a packet
 * pass: that of whoever sends it, and that of whoever gets it. Each is one look-up of the pod; pods that no policy isolates are in none.
 * What pods and their node say to each other (probes of the kubelet) is not forwarded and so not asked about, as Kubernetes wants it;
 * nor are flows that have begun, nor what a pod says to itself by way of a Service.
 */
export const POLICIES: Skeleton = {
  family: 'ip',
  table: KURYR_POLICIES_TABLE,
  text: `table ip ${KURYR_POLICIES_TABLE} {
  map senders { type ipv4_addr : verdict; }
  map receivers { type ipv4_addr : verdict; }
  set themselves { type ipv4_addr . ipv4_addr; }
  chain egress {
    type filter hook forward priority -5; policy accept;
    ct state established,related accept
    ip saddr . ip daddr @themselves accept
    ip saddr vmap @senders
  }
  chain ingress {
    type filter hook forward priority -4; policy accept;
    ct state established,related accept
    ip saddr . ip daddr @themselves accept
    ip daddr vmap @receivers
  }
}
`,
};

type Direction = PolicyRule['direction'];

export interface PoliciesPlan {
  readonly content: TableContent;
  readonly troubles: readonly Trouble[];
  /** Those that are about pods of this node. */
  readonly policies: number;
  readonly met: Met;
}

/** By uid of the pod and direction: policies that close it were known once, and so it is a matter of theirs alone from then on. */
export type Met = ReadonlySet<string>;

interface PolicyChain {
  readonly name: string;
  readonly rules: readonly string[];
  readonly sets: ReadonlyMap<string, SetContent>;
}

/**
 * Of policies that nodes carry out, and the ports of the pods of this node. Both by namespace and name. A new pod is closed by its port
 * alone (`isolated`) until the policies that close it are known here: the two are told in any order. `met` is that of the plan before.
 */
export function planPolicies(
  policies: ReadonlyMap<string, KuryrNetworkPolicy>,
  ports: ReadonlyMap<string, KuryrPort>,
  met: Met = new Set(),
): PoliciesPlan {
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, SetContent>();
  const troubles: Trouble[] = [];
  /** Chains of policies, by direction and address of the pod. */
  const isolated = { ingress: new Map<string, string[]>(), egress: new Map<string, string[]>() };
  let count = 0;
  for (const [key, policy] of [...policies].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const { namespace } = policy.metadata;
    const here = (pods: readonly string[]) => pods.flatMap((name) => addressesOf(ports.get(`${namespace}/${name}`)));
    const addresses = here(policy.spec.pods);
    if (addresses.length === 0) continue;
    count += 1;
    const { rules, named = [] } = policy.spec;
    const wrong = [rules, ...named.map((one) => one.rules)]
      .flat()
      .filter(({ cidr }) => parseIpv4Prefix(cidr) === undefined);
    if (wrong.length > 0)
      troubles.push({ key, reason: `${wrong[0]!.cidr} is no prefix of IPv4: nothing passes by it` });
    const add = (chain: PolicyChain, direction: Direction, of: readonly string[]) => {
      chains.set(chain.name, chain.rules);
      for (const [name, set] of chain.sets) sets.set(name, set);
      for (const address of of) {
        const found = isolated[direction].get(address) ?? [];
        found.push(chain.name);
        isolated[direction].set(address, found);
      }
    };
    for (const direction of policy.spec.isolates) add(chainOf(key, policy, direction), direction, addresses);
    if (!policy.spec.isolates.includes('ingress')) continue;
    // What names of ports mean is for the pods in which they mean that.
    const selected = new Set(policy.spec.pods);
    for (const one of named) {
      const its = here(one.pods.filter((pod) => selected.has(pod)));
      if (its.length > 0) add(chainOf(key, policy, 'ingress', one), 'ingress', its);
    }
  }
  const metNow = new Set<string>();
  for (const port of ports.values())
    for (const direction of DIRECTIONS) {
      const id = `${port.spec.podUid} ${direction}`;
      const addresses = addressesOf(port);
      if (met.has(id) || addresses.some((address) => isolated[direction].has(address))) metNow.add(id);
      else if (port.status?.isolated?.includes(direction) === true)
        for (const address of addresses) isolated[direction].set(address, []);
    }
  const themselves = new Map<string, string>();
  for (const [direction, map] of [
    ['egress', 'senders'],
    ['ingress', 'receivers'],
  ] as const) {
    const elements = new Map<string, string>();
    for (const [address, names] of isolated[direction]) {
      const own = `${direction}_${address.replaceAll('.', '_')}`;
      chains.set(own, [...names.map((name) => `jump ${name}`), 'drop']);
      elements.set(address, `goto ${own}`);
      themselves.set(`${address} . ${address}`, '');
    }
    sets.set(map, { elements });
  }
  sets.set('themselves', { elements: themselves });
  return { content: { chains, sets }, troubles, policies: count, met: metNow };
}

/** Of IPv4, and in the network of the cluster: policies are about no others. */
function addressesOf(port: KuryrPort | undefined): readonly string[] {
  return Object.values(port?.status?.interfaces ?? {}).flatMap(({ addresses, isDefault }) =>
    isDefault ? addresses.map((one) => one.split('/')[0]!).filter((one) => parseIpv4(one) !== undefined) : [],
  );
}

type Named = NonNullable<KuryrNetworkPolicy['spec']['named']>[number];

const known = new WeakMap<KuryrNetworkPolicy, Map<Direction | Named, PolicyChain>>();

/** Once for each version of a policy. */
function chainOf(key: string, policy: KuryrNetworkPolicy, direction: Direction, named?: Named): PolicyChain {
  const before = known.get(policy) ?? new Map<Direction | Named, PolicyChain>();
  known.set(policy, before);
  const made = before.get(named ?? direction) ?? madeChain(key, named ?? policy.spec, direction, named);
  before.set(named ?? direction, made);
  return made;
}

function madeChain(
  key: string,
  { rules: allowed }: { readonly rules: readonly PolicyRule[] },
  direction: Direction,
  named: Named | undefined,
): PolicyChain {
  const id = sha256(key).slice(0, 16);
  const part = named === undefined ? '' : `_${sha256(`${named.protocol} ${named.port} ${named.number}`).slice(0, 8)}`;
  const name = `${direction === 'ingress' ? 'to' : 'from'}_${id}${part}`;
  const other = direction === 'ingress' ? 'saddr' : 'daddr';
  const spans = new Map<string, Set<string>>();
  for (const rule of allowed) {
    if (rule.direction !== direction || parseIpv4Prefix(rule.cidr) === undefined) continue;
    const match = matchOf(rule);
    const cidrs = spans.get(match) ?? new Set<string>();
    spans.set(match, cidrs.add(rule.cidr));
  }
  const rules: string[] = [];
  const sets = new Map<string, SetContent>();
  for (const [match, cidrs] of [...spans].toSorted(([one], [two]) => (one < two ? -1 : 1))) {
    if (cidrs.has('0.0.0.0/0')) {
      rules.push(`${match}accept`.trim());
      continue;
    }
    // Named for what it is about, so that a peer more or less is an element more or less.
    const set = `${name}_${sha256(match).slice(0, 8)}`;
    const elements = new Map([...cidrs].map((cidr) => [cidr.replace(/\/32$/, ''), '']));
    sets.set(set, { declaration: 'type ipv4_addr; flags interval;', elements });
    rules.push(`${match}ip ${other} @${set} accept`);
  }
  return { name, rules, sets };
}

function matchOf({ protocol, portFirst, portLast }: PolicyRule): string {
  if (protocol === undefined && portFirst === undefined) return '';
  const kind = protocol === undefined ? 'meta l4proto { tcp, udp, sctp }' : `meta l4proto ${protocol.toLowerCase()}`;
  if (portFirst === undefined) return `${kind} `;
  const span = portLast === undefined || portLast === portFirst ? `${portFirst}` : `${portFirst}-${portLast}`;
  return `${kind} th dport ${span} `;
}
