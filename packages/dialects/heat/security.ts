import { parseIpv4, parseIpv4Prefix, type TrafficRule } from '@superfluidity/model';
import { dialectLimits } from '../errors.ts';
import { listOf, textOf, type Group } from '../groups.ts';
import type { Resources } from './resources.ts';
import type { Resource } from './stack.ts';
import { isPlainGroup } from './values.ts';

type Unsaid = (resource: Resource, what: string) => void;

/** What a security group lets in, by its own rules and by those that are resources. */
export function rulesOf(group: Resource, all: Resources, unsaid: Unsaid): readonly TrafficRule[] {
  const apart = all.of('OS::Neutron::SecurityGroupRule', ['security_group'], group);
  const own = listOf(group.properties()['rules']).filter(isPlainGroup);
  const rules = [
    ...own.flatMap((rule) => ruleOf(rule, (what) => unsaid(group, what))),
    ...apart.flatMap((rule) => ruleOf(rule.properties(), (what) => unsaid(rule, what))),
  ];
  // Each port with the group gets them.
  group.stack.step(rules.reduce((sum, { ports = [] }) => sum + 1 + ports.length, 0));
  return rules;
}

const NUMBERS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp', any: '', '': '' };

function ruleOf(rule: Group, unsaid: (what: string) => void): readonly TrafficRule[] {
  if ((rule['direction'] ?? 'ingress') !== 'ingress') {
    unsaid('what goes out');
    return [];
  }
  if ((rule['ethertype'] ?? 'IPv4') !== 'IPv4') return [];
  const written = String(textOf(rule['protocol']) ?? '').toLowerCase();
  const protocol = NUMBERS[written] ?? written;
  if (protocol !== '' && protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') {
    unsaid(`protocol ${written.slice(0, 20)}`);
    return [];
  }
  if (
    rule['remote_group'] !== undefined ||
    rule['remote_group_id'] !== undefined ||
    rule['remote_mode'] === 'remote_group_id'
  ) {
    unsaid('what members of a group send');
    return [];
  }
  const remote = textOf(rule['remote_ip_prefix']);
  if (remote !== undefined && (parseIpv4Prefix(remote) ?? parseIpv4(remote)) === undefined) {
    unsaid(`what comes from ${remote.slice(0, 60)}`);
    return [];
  }
  const from = remote === undefined || remote === '0.0.0.0/0' ? {} : { from: remote.replace(/\/32$/, '') };
  const numbers = protocol === 'icmp' ? undefined : portsOf(rule, unsaid);
  if (numbers === null) return [];
  return [
    {
      ...(protocol === '' ? {} : { protocol }),
      ...from,
      ...(numbers === undefined ? {} : { ports: numbers }),
    } as TrafficRule,
  ];
}

/** Undefined: all of them. Null: more than can be listed. */
function portsOf(rule: Group, unsaid: (what: string) => void): number[] | null | undefined {
  const [first, last] = [rule['port_range_min'], rule['port_range_max']].map((port) =>
    port === undefined ? undefined : Number(port),
  );
  if (first === undefined && last === undefined) return undefined;
  const [low, high] = [first ?? last!, last ?? first!];
  if (low <= 1 && high >= 65_535) return undefined;
  if (
    !Number.isInteger(low) ||
    !Number.isInteger(high) ||
    low < 1 ||
    high < low ||
    high - low >= dialectLimits.portRange
  ) {
    unsaid(`ports ${low} to ${high}`);
    return null;
  }
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/** A rule for each range of ports; of no protocol but with ports, for TCP and UDP. */
export function securityRules(allow: readonly TrafficRule[]): readonly Group[] {
  return allow.flatMap(({ protocol, from, ports = [] }) => {
    const remote = from === undefined ? {} : { remote_ip_prefix: from.includes('/') ? from : `${from}/32` };
    const protocols = protocol === undefined && ports.length > 0 ? (['tcp', 'udp'] as const) : [protocol];
    return protocols.flatMap((one) => {
      const head = {
        direction: 'ingress',
        ethertype: 'IPv4',
        ...(one === undefined ? {} : { protocol: one }),
        ...remote,
      };
      if (ports.length === 0 || one === 'icmp') return [head];
      return ports.map((port) => ({ ...head, port_range_min: port, port_range_max: port }));
    });
  });
}
