import type { TrafficRule } from '@superfluidity/model';
import type { PlannedUnit } from './plan.ts';

/** What nft(8) loads in the namespace of a unit: its program, and a guard for what its ports let in. */
export function rulesOf({ unit, ports }: PlannedUnit): string {
  const program = unit.execution!.program ?? '';
  const guarded = ports.filter(({ port }) => port.allow !== undefined);
  // What passes through a function is judged where it ends.
  const guard = guarded.flatMap(({ port: { name, internalIf = name, allow } }) => [
    ...allow!.map((rule) => `    iifname "${internalIf}" ${matchOf(rule)}accept`),
    `    iifname "${internalIf}" drop`,
  ]);
  if (guard.length === 0) return `flush ruleset\n${program}${program.endsWith('\n') || program === '' ? '' : '\n'}`;
  const chain = [
    'table ip superfluidity_guard {',
    '  chain input {',
    '    type filter hook input priority -10; policy accept;',
    '    ct state established,related accept',
    ...guard,
    '  }',
    '}',
  ];
  return `flush ruleset\n${program}\n${chain.join('\n')}\n`;
}

function matchOf({ protocol, from, ports = [] }: TrafficRule): string {
  const source = from === undefined ? '' : `ip saddr ${from} `;
  const list = `{ ${ports.join(', ')} }`;
  if (protocol === undefined) {
    return `${source}${ports.length === 0 ? '' : `meta l4proto { tcp, udp } th dport ${list} `}`;
  }
  if (ports.length === 0 || protocol === 'icmp') return `${source}meta l4proto ${protocol} `;
  return `${source}${protocol} dport ${list} `;
}
