import { constant, fresh, meta, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, forward, type Instruction } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import type { LinuxBridge } from '../../readers/linux-bridges.ts';
import type { IpSet, Ruleset } from '../../readers/netfilter/ruleset.ts';
import type { BoxModel } from '../box-model.ts';
import { setVerdict, verdicts } from '../netfilter/actions.ts';
import { families, type NetfilterBox, numberInterfaces } from '../netfilter/box.ts';
import { untracked } from '../netfilter/conntrack.ts';
import { compileRules } from '../netfilter/hooks.ts';
import { byFamily } from './plan.ts';

/**
 * The bridges of a compute node whose packets go through iptables (bridge-nf-call-iptables): of two ports, between a server
 * and the virtual switch, as the hybrid firewall driver makes them. Packets of a server come in at `compute1:tap:in` and leave
 * at `compute1:qvb:out`; those for it, the other way round. Nothing is routed. Bridges of one port pass nothing on; of more,
 * which way a frame goes is not modelled: their ports are not there.
 */
export function bridgeFirewall(
  name: string,
  bridges: readonly LinuxBridge[],
  rulesets: readonly Ruleset[],
  ipsets: ReadonlyMap<string, IpSet> = new Map(),
): BoxModel {
  const interfaces = bridges.flatMap(({ name: bridge, ports }) =>
    [bridge, ...ports].map((each) => ({ name: each, addresses: [] })),
  );
  const box: NetfilterBox = { rulesets, interfaces, routes: [], flows: 'first' };
  const numbers = numberInterfaces(interfaces);
  const routines = new Map<string, Instruction>();
  const programs = new Map<PortId, Instruction>();
  for (const family of families) {
    const rules = compileRules(name, { family, box, interfaces: numbers, ipsets });
    for (const [routine, body] of rules.routines) routines.set(routine, body);
    const { tracking } = rules;
    const hooks = [rules.hook('prerouting'), rules.hook('forward'), rules.hook('postrouting')];
    routines.set(`${name}/bridge/${family}`, block(untracked(tracking), ...hooks));
  }
  const put = (key: string, interfaceName: string) =>
    assign(meta(key, name), constant(numbers.number(interfaceName), 16));
  for (const { name: bridge, ports } of bridges) {
    const [one, other] = ports;
    if (one === undefined || other === undefined || ports.length > 2) continue;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      programs.set(
        `${name}:${from}:in`,
        block(
          put('iif', bridge),
          put('oif', bridge),
          put('physin', from),
          put('physout', to),
          setVerdict(name, verdicts.none),
          assign(meta('mark', name), constant(0n, 32)),
          frameAddress('ether.saddr', 'Ether.src', name),
          frameAddress('ether.daddr', 'Ether.dst', name),
          byFamily((family) => ({ op: 'call', routine: `${name}/bridge/${family}` })),
          forward(`${name}:${to}:out`),
        ),
      );
    }
  }
  return { box: { name, kind: 'netfilter' }, programs, routines };
}

function frameAddress(key: string, from: string, name: string): Instruction {
  const at = meta(key, name);
  const frame = field(from);
  return branch({ kind: 'exists', at: frame }, assign(at, read(frame)), assign(at, fresh(from, 48)));
}
