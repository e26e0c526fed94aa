import { branch, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import { exactly } from '../../readers/netfilter/addresses.ts';
import type { FirewallGroup, FirewallRule, IpFamily, NeutronPort } from '../../readers/neutron/deployment.ts';
import { tableKey } from '../netfilter/keys.ts';
import { type Plan, prefixMatch } from './plan.ts';
import { isEstablished } from './security.ts';

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
  return {
    op: 'table',
    table: {
      name: `${name} ${direction}`,
      keys: keys.map((key) => tableKey(key, family, router)),
      entries: { kind: 'rules', rules: used.map(ruleOf) },
      behaviours: [nothing, drop(`a rule of the firewall group ${name} denies it`)],
      miss: drop(`no rule of the firewall group ${name} allows it`, group.source),
    },
  };
}

function ruleOf({ action, protocol, from, to, sourcePorts, destinationPorts, source }: FirewallRule): Rule {
  const ports = (range: FirewallRule['sourcePorts']) =>
    range === undefined ? undefined : ({ kind: 'range', low: range[0], high: range[1] } as const);
  return {
    match: [
      protocol === undefined ? undefined : exactly(BigInt(protocol)),
      from === undefined ? undefined : prefixMatch(from),
      to === undefined ? undefined : prefixMatch(to),
      ports(sourcePorts),
      ports(destinationPorts),
    ],
    behaviour: action === 'allow' ? 0 : 1,
    source,
  };
}
