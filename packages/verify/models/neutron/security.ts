import { all, any, compare, constant, meta, negation, read, within, type Condition } from '../../ir/expression.ts';
import { field, protocols } from '../../ir/fields.ts';
import { block, branch, constrain, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Match, Rule } from '../../ir/table.ts';
import type { IpFamily, NeutronPort, SecurityGroup, SecurityRule } from '../../readers/neutron/deployment.ts';
import { exactly, type Range, setOf, union } from '../../readers/netfilter/addresses.ts';
import { ctState } from '../../readers/netfilter/ruleset.ts';
import { confirm, track, type Tracking, untracked } from '../netfilter/conntrack.ts';
import { type ModelKey, tableKey } from '../netfilter/keys.ts';
import { addressField, host, isFrame, type Plan, prefixMatch, prefixRange } from './plan.ts';

/** What the security groups of a port let through in one direction: connections that they allow, and their answers. */
export function security(
  port: NeutronPort,
  direction: SecurityRule['direction'],
  plan: Plan,
  family: IpFamily,
): Instruction {
  if (!port.portSecurity) return nothing;
  const tracking = trackingOf(plan.name(port.id), family);
  const groups = plan.deployment.securityGroups.filter(({ id }) => port.securityGroups.includes(id));
  const table = rulesOf(port, groups, direction, plan, family);
  const isStateful = groups.length === 0 || groups.some(({ stateful }) => stateful);
  const allowed = isStateful
    ? block(
        untracked(tracking),
        track(tracking),
        branch(isEstablished(tracking.name), nothing, table),
        confirm(tracking),
      )
    : table;
  if (direction === 'ingress') return branch(isDhcp(family, 'answer', port), nothing, allowed);
  const known = block(
    genuine(port, family),
    branch(isDhcp(family, 'answer'), drop('servers are no DHCP servers', port.source), nothing),
    branch(isDhcp(family, 'request'), nothing, allowed),
  );
  return family === 'ip' ? branch(isDiscover, nothing, known) : known;
}

export function trackingOf(name: string, family: IpFamily): Tracking {
  return {
    name,
    family,
    flows: 'first',
    translates: false,
    translations: { source: [], destination: [] },
    looksAt: new Set(['ct.state']),
  };
}

/** An answer, or what belongs to a connection that was let through. */
export function isEstablished(name: string): Condition {
  const states = [ctState.established, ctState.related].map((state): Range => [state, state]);
  return within(read(meta('ct.state', name)), states);
}

/**
 * Port security: packets have an address of the port, or one of its allowed pairs. Of IPv6 every port has the link-local
 * address that is made of its MAC address, too.
 */
export function genuine(port: NeutronPort, family: IpFamily): Instruction {
  const given = port.addresses.filter((one) => one.family === family).map(({ address }) => address);
  const own = [...given, ...(family === 'ip6' ? [linkLocal(port.mac)] : [])].map((address) => host(family, address));
  const pairs = [
    ...own.map((prefix) => ({ prefix, mac: port.mac })),
    ...port.allowed
      .filter(({ prefix }) => prefix.family === family)
      .map(({ prefix, mac = port.mac }) => ({ prefix, mac })),
  ];
  const source = read(addressField(family, 'src'));
  const byMac = Map.groupBy(pairs, ({ mac }) => mac);
  const ways = [...byMac].map(([mac, some]) => {
    const addresses = within(source, union(some.map(({ prefix }) => prefixRange(prefix))));
    const sameMac = compare(read(field('Ether.src')), '==', constant(mac, 48));
    return all(any(negation(isFrame), sameMac), addresses);
  });
  return constrain(any(...ways), 'port security: an address that is not of the port', port.source);
}

/** RFC 4291, appendix A: the modified EUI-64 of the MAC address behind fe80::/64. */
function linkLocal(mac: bigint): bigint {
  const [high, low] = [mac >> 24n, mac & 0xff_ffffn];
  return (0xfe80n << 112n) | ((high ^ 0x02_0000n) << 40n) | (0xfffen << 24n) | low;
}

/** DHCP passes whatever the rules say; only agents may answer. */
export function isDhcp(family: IpFamily, what: 'request' | 'answer', to?: NeutronPort): Condition {
  const [client, server] = family === 'ip' ? [68, 67] : [546, 547];
  const [from, port] = what === 'request' ? [client, server] : [server, client];
  const is = (name: string, value: number) => compare(read(field(name)), '==', constant(value, field(name).width));
  const mine = to?.addresses.filter((one) => one.family === family).map(({ address }): Range => [address, address]);
  const protocol = family === 'ip' ? 'IPv4.proto' : 'IPv6.nextHeader';
  return all(
    is(protocol, protocols.udp),
    is('UDP.sport', from),
    is('UDP.dport', port),
    ...(mine === undefined ? [] : [within(read(addressField(family, 'dst')), union(mine))]),
  );
}

/** Who has no address yet (RFC 2131, section 4.1). */
const isDiscover: Condition = all(
  isDhcp('ip', 'request'),
  compare(read(addressField('ip', 'src')), '==', constant(0n, 32)),
  compare(read(addressField('ip', 'dst')), '==', constant(0xffff_ffffn, 32)),
);

function rulesOf(
  port: NeutronPort,
  groups: readonly SecurityGroup[],
  direction: SecurityRule['direction'],
  plan: Plan,
  family: IpFamily,
): Instruction {
  const keys: readonly ModelKey[] = [
    'l4proto',
    direction === 'ingress' ? `${family}.saddr` : `${family}.daddr`,
    'dport',
    family === 'ip' ? 'icmp.type' : 'icmpv6.type',
    family === 'ip' ? 'icmp.code' : 'icmpv6.code',
  ];
  const asked = groups
    .flatMap((group) => group.rules)
    .filter((rule) => rule.direction === direction && rule.family === family);
  const unlisted = asked.filter((rule) => rule.remoteAddressGroup !== undefined && !addressGroupOf(rule, plan));
  const rules = asked.flatMap((rule): Rule[] => {
    const remote = remoteOf(rule, plan);
    if (remote === 'nobody') return [];
    const code = rule.icmp?.code;
    return [
      {
        match: [
          rule.protocol === undefined ? undefined : exactly(BigInt(rule.protocol)),
          remote,
          rule.ports === undefined ? undefined : { kind: 'range', low: rule.ports[0], high: rule.ports[1] },
          rule.icmp === undefined ? undefined : exactly(BigInt(rule.icmp.type)),
          code === undefined ? undefined : exactly(BigInt(code)),
        ],
        behaviour: 0,
        source: rule.source,
      },
    ];
  });
  const table: Instruction = {
    op: 'table',
    table: {
      name: `${plan.name(port.id)} ${direction}`,
      keys: keys.map((key) => tableKey(key, family, plan.name(port.id))),
      entries: { kind: 'rules', rules },
      behaviours: [nothing],
      miss: drop(`no security group allows it (${direction})`, port.source),
    },
  };
  const doubts = unlisted.map(
    ({ remoteAddressGroup: id, source }): Instruction => ({
      op: 'doubt',
      what: `${source.file}:${source.line}: the address group ${id}, which is not listed`,
    }),
  );
  return block(...doubts, table);
}

const addressGroupOf = ({ remoteAddressGroup }: SecurityRule, plan: Plan) =>
  plan.deployment.addressGroups.find(({ id }) => id === remoteAddressGroup);

function remoteOf(rule: SecurityRule, plan: Plan): Match | undefined | 'nobody' {
  const { remote, remoteGroup, remoteAddressGroup, family } = rule;
  if (remoteAddressGroup !== undefined) {
    const ranges = (addressGroupOf(rule, plan)?.addresses ?? [])
      .filter((prefix) => prefix.family === family)
      .map(prefixRange);
    return ranges.length === 0 ? 'nobody' : setOf(ranges);
  }
  if (remoteGroup === undefined) return remote === undefined ? undefined : prefixMatch(remote);
  const members = plan.deployment.ports.filter(({ securityGroups }) => securityGroups.includes(remoteGroup));
  const ranges = members.flatMap(({ addresses, allowed }) => [
    ...addresses.filter((one) => one.family === family).map(({ address }): Range => [address, address]),
    ...allowed.filter(({ prefix }) => prefix.family === family).map(({ prefix }) => prefixRange(prefix)),
  ]);
  return ranges.length === 0 ? 'nobody' : setOf(ranges);
}
