import type { AffinityRule, TrafficRule } from '@superfluidity/model';
import { shorten } from '../yaml-text.ts';
import { groupAt, listOf, textOf, type Group } from './groups.ts';
import type { Report } from './templates.ts';
import type { Policy, Topology } from './topology.ts';

/** Affinity (SOL001, clauses 6.10.11 and 6.10.12, of an NS 7.10.3) and security groups (clause 6.10.13). */
const affinityType = /^tosca\.policies\.nfv\.(?:Ns)?(Anti)?AffinityRule$/;
const scopes: Readonly<Record<string, AffinityRule['scope']>> = { nfvi_node: 'host', nfvi_pop: 'site' };
const SECURITY = 'tosca.policies.nfv.SecurityGroupRule';
const PORT_MAX = 65_535;
/** The model lists ports: a longer range is not written out. */
const RANGE_MAX = 64;

/** The rule is one of the first target, with the others: undefined where the model has no word for it. */
export function affinityOf(
  policy: Policy,
  topology: Topology,
  pathOf: (node: string) => string | undefined,
  report: Report,
): readonly { readonly node: string; readonly rule: AffinityRule & { with: string[] } }[] | undefined {
  const [whole, anti] = affinityType.exec(policy.type) ?? [];
  const scope = scopes[textOf(groupAt(policy.value, 'properties')['scope']) ?? ''];
  if (whole === undefined || scope === undefined) return undefined;
  const groups = groupAt(topology.value, 'groups');
  const targets = listOf(policy.value['targets']).map(String);
  const nodes = targets.flatMap((target) =>
    Object.hasOwn(groups, target) ? listOf(groupAt(groups, target)['members']).map(String) : [target],
  );
  const missing = nodes.find((node) => !topology.nodes.has(node));
  if (missing !== undefined) {
    const path = [...policy.path, 'targets'];
    report('SF-DESCRIPTOR-REFERENCE', topology.template, path, `there is no node '${shorten(missing)}'`);
    return [];
  }
  const paths = nodes.map(pathOf);
  if (paths.includes(undefined) || nodes.length > 256) return undefined;
  const known = paths as string[];
  // Together is the same for all of a group; apart is each from each.
  if (anti === undefined) {
    return nodes.length < 2 ? [] : [{ node: nodes[0]!, rule: { kind: 'together', scope, with: known.slice(1) } }];
  }
  return nodes.slice(0, -1).map((node, i) => ({ node, rule: { kind: 'apart', scope, with: known.slice(i + 1) } }));
}

export function affinityPolicies(
  rules: readonly AffinityRule[],
  node: string,
  ns: boolean,
  nodeOf: (path: string) => string,
): readonly Group[] {
  const of = (rule: AffinityRule, targets: readonly string[], n: string) => ({
    [`${node}_${rule.kind}_${n}`]: {
      type: `tosca.policies.nfv.${ns ? 'Ns' : ''}${rule.kind === 'apart' ? 'Anti' : ''}AffinityRule`,
      properties: { scope: rule.scope === 'host' ? 'nfvi_node' : 'nfvi_pop' },
      targets: [node, ...targets],
    },
  });
  return rules.flatMap((rule, i) => {
    const others = rule.with.map(nodeOf);
    return rule.kind === 'together'
      ? [of(rule, others, `${i}`)]
      : others.map((other, j) => of(rule, [other], `${i}_${j}`));
  });
}

/** What may come in by a rule, and to which nodes. Undefined where the model has no word for it. */
export function trafficOf(
  policy: Policy,
  topology: Topology,
  report: Report,
): { readonly nodes: readonly string[]; readonly rule: TrafficRule & { ports?: number[] } } | undefined {
  if (policy.type !== SECURITY) return undefined;
  const properties = groupAt(policy.value, 'properties');
  const {
    direction = 'ingress',
    ether_type: ether = 'ipv4',
    protocol = 'tcp',
    port_range_min: min = 0,
    port_range_max: max = PORT_MAX,
  } = properties;
  if (direction !== 'ingress' || ether !== 'ipv4') return undefined;
  const report_ = (message: string, code: 'VALUE' | 'UNSUPPORTED', severity: 'error' | 'warning') =>
    report(`SF-DESCRIPTOR-${code}`, topology.template, [...policy.path, 'properties'], message, severity);
  const isPort = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= PORT_MAX;
  if (!isPort(min) || !isPort(max) || min > max) {
    report_(`${String(min).slice(0, 20)} to ${String(max).slice(0, 20)} is no range of ports`, 'VALUE', 'error');
    return undefined;
  }
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') {
    report_(
      `rules for '${shorten(String(protocol))}' are not enforced: what may come in is tcp, udp or icmp`,
      'UNSUPPORTED',
      'warning',
    );
    return undefined;
  }
  const nodes = listOf(policy.value['targets']).map(String);
  const missing = nodes.find((node) => !topology.nodes.has(node));
  if (missing !== undefined) {
    report(
      'SF-DESCRIPTOR-REFERENCE',
      topology.template,
      [...policy.path, 'targets'],
      `there is no node '${shorten(missing)}'`,
    );
  }
  if (min <= 1 && max === PORT_MAX) return { nodes, rule: { protocol } };
  if (max - min >= RANGE_MAX) {
    report_(
      `${min} to ${max} are more than ${RANGE_MAX} ports: all ports of ${protocol} are let in`,
      'UNSUPPORTED',
      'warning',
    );
    return { nodes, rule: { protocol } };
  }
  const ports = Array.from({ length: max - min + 1 }, (_, i) => min + i).filter((port) => port > 0);
  return { nodes, rule: { protocol, ports } };
}

/** A rule for each protocol and range of ports: SOL001 has neither lists of them nor a word for any. */
export function securityPolicies(rules: readonly TrafficRule[], node: string): readonly Group[] {
  const single = rules.flatMap(({ protocol, ports = [] }) => {
    const protocols = protocol === undefined ? (['tcp', 'udp', 'icmp'] as const) : [protocol];
    return protocols.flatMap((one) => rangesOf(ports).map(([min, max]) => ({ protocol: one, min, max })));
  });
  return single.map(({ protocol, min, max }, i) => ({
    [`${node}_allow_${i}`]: {
      type: SECURITY,
      properties: { direction: 'ingress', ether_type: 'ipv4', protocol, port_range_min: min, port_range_max: max },
      targets: [node],
    },
  }));
}

/** `[[443, 444], [80, 80]]` of 443, 444, 80: in the order in which they are. */
function rangesOf(ports: readonly number[]): readonly [number, number][] {
  const ranges: [number, number][] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last !== undefined && port === last[1] + 1 && port - last[0] < RANGE_MAX) last[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.length === 0 ? [[0, PORT_MAX]] : ranges;
}
