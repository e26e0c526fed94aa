import { parseIpv4, parseIpv4Prefix, type TrafficRule } from '@superfluidity/model';
import { dialectLimits } from '../errors.ts';
import { groupAt, same, textOf, type Group } from '../groups.ts';
import { selects, type Found } from './objects.ts';
import type { Policy } from './shape.ts';
import { notes } from './words.ts';

/** Which pods, on which network, and the numbers of their ports that have names. */
export interface Guarded {
  readonly namespace: string | undefined;
  readonly labels: Group;
  /** Absent: the network of the cluster. */
  readonly network?: { readonly name: string; readonly namespace?: string };
  readonly portNumbers: ReadonlyMap<string, number>;
}

/**
 * What may come in at a port by the policies that select its pod: NetworkPolicy on the network of all pods, MultiNetworkPolicy
 * on others. Undefined where none does: everything. `unsaid` hears of rules that have no words in the model: they let nothing in.
 */
export function allowedAt(
  port: Guarded,
  policies: readonly Found[],
  unsaid: (policy: Found, what: string) => void,
): readonly TrafficRule[] | undefined {
  const own = policies.filter((policy) => concerns(policy, port));
  if (own.length === 0) return undefined;
  return own.flatMap((policy) =>
    ((policy.value as unknown as Policy).spec.ingress ?? []).flatMap((rule) =>
      rulesOf(rule, port, (what) => unsaid(policy, what)),
    ),
  );
}

function concerns({ kind, namespace, value }: Found, port: Guarded): boolean {
  const { spec } = value as unknown as Policy;
  if (namespace !== port.namespace || spec.policyTypes?.includes('Ingress') === false) return false;
  const { podSelector = {} } = spec;
  const everything = podSelector['matchExpressions'] === undefined && podSelector.matchLabels === undefined;
  if (!everything && !selects(podSelector.matchLabels, port.labels)) return false;
  if (kind === 'NetworkPolicy') return port.network === undefined;
  const named = (textOf(groupAt(value, 'metadata', 'annotations')[notes.policyFor]) ?? '')
    .split(',')
    .map((one) => one.trim());
  const { network } = port;
  if (network === undefined) return false;
  return (
    named.includes(network.name) || named.includes(`${network.namespace ?? namespace ?? 'default'}/${network.name}`)
  );
}

type Rule = NonNullable<Policy['spec']['ingress']>[number];

function rulesOf(rule: Rule, port: Guarded, unsaid: (what: string) => void): readonly TrafficRule[] {
  const wanted = portsOf(rule.ports ?? [], port, unsaid);
  const { from: peers = [] } = rule;
  if (peers.length === 0) return wanted;
  return peers.flatMap(({ ipBlock }) => {
    const cidr = ipBlock?.cidr ?? '';
    if ((parseIpv4Prefix(cidr) ?? parseIpv4(cidr)) === undefined || (ipBlock?.except ?? []).length > 0) {
      unsaid(
        ipBlock === undefined
          ? 'from pods or namespaces that it selects'
          : `from ${cidr.slice(0, 60)}, in part or of IPv6`,
      );
      return [];
    }
    const from = cidr.replace(/\/32$/, '');
    return wanted.map((one) => ({ ...one, from }));
  });
}

/** The ports of each protocol together; of TCP and UDP alike, without a protocol. */
function portsOf(
  ports: NonNullable<Rule['ports']>,
  { portNumbers }: Guarded,
  unsaid: (what: string) => void,
): readonly TrafficRule[] {
  if (ports.length === 0) return [{}];
  const numbers: Record<'tcp' | 'udp', number[]> = { tcp: [], udp: [] };
  const whole = new Set<'tcp' | 'udp'>();
  for (const { protocol: written = 'TCP', port, endPort } of ports) {
    const protocol = written === 'TCP' ? 'tcp' : written === 'UDP' ? 'udp' : undefined;
    const first = typeof port === 'string' ? portNumbers.get(port) : port;
    const last = endPort ?? first ?? 0;
    if (protocol === undefined) unsaid(`protocol ${written.slice(0, 20)}`);
    else if (port === undefined) whole.add(protocol);
    else if (first === undefined || first < 1) unsaid(`port '${String(port)}', which no container has`);
    else if (last - first >= dialectLimits.portRange) unsaid(`${last - first + 1} ports`);
    else for (let number = first; number <= last; number += 1) numbers[protocol].push(number);
  }
  const both = numbers.tcp.length > 0 && same(numbers.tcp, numbers.udp) && whole.size === 0;
  if (both) return [{ ports: numbers.tcp }];
  return (['tcp', 'udp'] as const).flatMap((protocol) => {
    if (whole.has(protocol)) return [{ protocol }];
    return numbers[protocol].length === 0 ? [] : [{ protocol, ports: numbers[protocol] }];
  });
}

/** The rule as Kubernetes has it. What has no words there is undefined: ICMP. */
export function ingressOf({ protocol, from, ports }: TrafficRule): Group | undefined {
  if (protocol === 'icmp') return undefined;
  const some = ports !== undefined && ports.length > 0;
  const protocols = protocol === undefined ? (some ? ['TCP', 'UDP'] : []) : [protocol.toUpperCase()];
  const entries = protocols.flatMap((one) =>
    some ? ports.map((port) => ({ protocol: one, port })) : [{ protocol: one }],
  );
  const cidr = from === undefined || from.includes('/') ? from : `${from}/32`;
  return {
    ...(cidr === undefined ? {} : { from: [{ ipBlock: { cidr } }] }),
    ...(entries.length === 0 ? {} : { ports: entries }),
  };
}
