import { any } from '../../ir/expression.ts';
import { block, branch, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Match, Rule } from '../../ir/table.ts';
import { exactly, type Range, setOf } from '../../readers/netfilter/addresses.ts';
import type { FirewallGroup, FirewallRule, IpFamily, NeutronPort, Prefix } from '../../readers/neutron/deployment.ts';
import { confirm, track, untracked } from '../netfilter/conntrack.ts';
import { tableKey } from '../netfilter/keys.ts';
import { type Plan, prefixMatch, prefixRange } from './plan.ts';
import { isDhcp, isEstablished, trackingOf } from './security.ts';

export interface Firewall {
  /** For packets that leave the router by the port, into its network. */
  readonly ingress: Instruction;
  /** For packets that come to the router by the port, out of its network. */
  readonly egress: Instruction;
}

/**
 * The firewall group of a port of a router (FWaaS v2). Answers pass; then the first rule of the policy counts; what no rule
 * allows is dropped, everything where there is no policy.
 */
export function firewallOf(port: NeutronPort, plan: Plan, family: IpFamily, router: string): Firewall | undefined {
  const group = plan.deployment.firewallGroups.find(({ ports }) => ports.includes(port.id));
  if (group === undefined) return undefined;
  const side = (policy: string | undefined, direction: string): Instruction => {
    if (!group.up) return drop('the firewall group is down', group.source);
    return branch(isEstablished(router), nothing, rulesOf(policy, { group, plan, family, router, direction }));
  };
  return { ingress: side(group.ingress, 'ingress'), egress: side(group.egress, 'egress') };
}

/**
 * The firewall group of a port of a server, beside its security groups: `ingress` is towards the server. DHCP passes, as it
 * does with those.
 */
export function firewallOfServer(
  port: NeutronPort,
  direction: 'ingress' | 'egress',
  plan: Plan,
  family: IpFamily,
): Instruction {
  const name = `${plan.name(port.id)}/firewall`;
  const firewall = firewallOf(port, plan, family, name);
  if (firewall === undefined) return nothing;
  const tracking = trackingOf(name, family);
  const asked = block(untracked(tracking), track(tracking), firewall[direction], confirm(tracking));
  return branch(any(isDhcp(family, 'request'), isDhcp(family, 'answer')), nothing, asked);
}

interface Of {
  readonly group: FirewallGroup;
  readonly plan: Plan;
  readonly family: IpFamily;
  readonly router: string;
  readonly direction: string;
}

function rulesOf(policy: string | undefined, { group, plan, family, router, direction }: Of): Instruction {
  const { firewallPolicies, firewallRules } = plan.deployment;
  const ids = firewallPolicies.find(({ id }) => id === policy)?.rules ?? [];
  const keys = ['l4proto', `${family}.saddr`, `${family}.daddr`, 'sport', 'dport'] as const;
  const used = ids
    .flatMap((id) => firewallRules.find((rule) => rule.id === id) ?? [])
    .filter((rule) => rule.enabled && rule.family === family);
  const name = group.name === '' ? group.id : group.name;
  const table: Instruction = {
    op: 'table',
    table: {
      name: `${name} ${direction}`,
      keys: keys.map((key) => tableKey(key, family, router)),
      entries: { kind: 'rules', rules: used.flatMap((rule) => ruleOf(rule, plan)) },
      behaviours: [nothing, drop(`a rule of the firewall group ${name} denies it`)],
      miss: drop(`no rule of the firewall group ${name} allows it`, group.source),
    },
  };
  const listed = new Set(plan.deployment.firewallGroups.map(({ id }) => id));
  const doubts = used.flatMap(({ fromGroup, toGroup, source }) =>
    [fromGroup, toGroup]
      .filter((id) => id !== undefined && !listed.has(id))
      .map(
        (id): Instruction => ({
          op: 'doubt',
          what: `${source.file}:${source.line}: the firewall group ${id}, which is not listed`,
        }),
      ),
  );
  return block(...doubts, table);
}

/** An address that a rule names, or one of a port of the group that it names; nobody when the group has no such ports. */
function addressesOf(
  prefix: Prefix | undefined,
  id: string | undefined,
  family: IpFamily,
  { deployment }: Plan,
): Match | undefined | 'nobody' {
  if (id === undefined) return prefix === undefined ? undefined : prefixMatch(prefix);
  const members = deployment.firewallGroups.find((group) => group.id === id)?.ports ?? [];
  const ranges = deployment.ports
    .filter((port) => members.includes(port.id))
    .flatMap(({ addresses }) => addresses.filter((one) => one.family === family))
    .map(({ address }): Range => [address, address]);
  const all = [...ranges, ...(prefix === undefined ? [] : [prefixRange(prefix)])];
  return all.length === 0 ? 'nobody' : setOf(all);
}

function ruleOf(rule: FirewallRule, plan: Plan): readonly Rule[] {
  const { action, protocol, family, sourcePorts, destinationPorts, source } = rule;
  const from = addressesOf(rule.from, rule.fromGroup, family, plan);
  const to = addressesOf(rule.to, rule.toGroup, family, plan);
  if (from === 'nobody' || to === 'nobody') return [];
  const ports = (range: FirewallRule['sourcePorts']) =>
    range === undefined ? undefined : ({ kind: 'range', low: range[0], high: range[1] } as const);
  const match = [
    protocol === undefined ? undefined : exactly(BigInt(protocol)),
    from,
    to,
    ports(sourcePorts),
    ports(destinationPorts),
  ];
  return [{ match, behaviour: action === 'allow' ? 0 : 1, source }];
}
