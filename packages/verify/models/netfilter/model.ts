import { compare, constant, fresh, meta, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import type { BoxModel } from '../box-model.ts';
import { setVerdict, verdicts } from './actions.ts';
import {
  families,
  NO_INTERFACE,
  numberInterfaces,
  THIS_HOST,
  type IpFamily,
  type NetfilterBox,
  type NetfilterInterface,
} from './box.ts';
import { untracked } from './conntrack.ts';
import type { Surroundings } from './cubes.ts';
import { compileRules, type Rules } from './hooks.ts';
import { makeFrame, makesFrames, onlyForOne, takeFrame } from './neighbours.ts';
import { dropMartians, linkLocalStays, oneHopLess, routeLookup } from './routing.ts';

/**
 * A Linux box that routes and filters. Packets come in at `box:eth0:in` and leave at `box:eth0:out`; what is for the box
 * itself ends at `box:local:out`, what its own programs send begins at `box:local:in`. Checksums are taken as right, and
 * fragments as put together again (nf_defrag), as they are wherever connections are tracked.
 */
export function netfilterModel(name: string, box: NetfilterBox): BoxModel {
  const interfaces = numberInterfaces(box.interfaces);
  const routines = new Map<string, Instruction>();
  const programs = new Map<PortId, Instruction>();
  const looksAt = new Set<string>();
  for (const family of families) {
    const around: Surroundings = { family, box, interfaces, ipsets: box.ipsets ?? new Map() };
    const rules = compileRules(name, around);
    for (const [routine, instruction] of rules.routines) routines.set(routine, instruction);
    for (const key of rules.looksAt) looksAt.add(key);
    routines.set(`${name}/receive/${family}`, receive(name, around, rules));
    routines.set(`${name}/send/${family}`, send(name, around, rules));
  }
  for (const each of interfaces.names) {
    const begin = enter(name, interfaces.number(each), looksAt, each === 'lo');
    programs.set(
      `${name}:${each}:in`,
      block(
        makesFrames(box) ? takeFrame(interfaceOf(box, each)) : nothing,
        begin,
        byFamily((family) => ({ op: 'call', routine: `${name}/receive/${family}` })),
      ),
    );
  }
  const begin = enter(name, NO_INTERFACE, looksAt, false);
  programs.set(
    `${name}:local:in`,
    block(
      begin,
      byFamily((family) => ({ op: 'call', routine: `${name}/send/${family}` })),
    ),
  );
  return { box: { name, kind: 'netfilter' }, programs, routines };
}

function byFamily(of: (family: IpFamily) => Instruction): Instruction {
  const version = field('IPv4.version');
  const is = (number: bigint) => compare(read(version), '==', constant(number, 4));
  const other = drop('not an IP packet: netfilter of layer 3 does not see it');
  return branch({ kind: 'exists', at: version }, branch(is(4n), of('ip'), branch(is(6n), of('ip6'), other)), other);
}

/** Metadata of the kernel for a packet that has just come; nothing of it crosses a wire. */
function enter(name: string, iif: bigint, looksAt: ReadonlySet<string>, loopback: boolean): Instruction {
  const put = (key: string, value: bigint, width: number) => assign(meta(key, name), constant(value, width));
  const steps = [
    put('iif', iif, 16),
    put('oif', NO_INTERFACE, 16),
    put('loopback', loopback ? 1n : 0n, 1),
    setVerdict(name, verdicts.none),
  ];
  for (const key of ['physin', 'physout']) if (looksAt.has(key)) steps.push(put(key, NO_INTERFACE, 16));
  if (looksAt.has('mark')) steps.push(put('mark', 0n, 32));
  for (const [key, from] of [
    ['ether.saddr', 'Ether.src'],
    ['ether.daddr', 'Ether.dst'],
  ] as const) {
    if (!looksAt.has(key) || iif === NO_INTERFACE) continue;
    const at = meta(key, name);
    const frame = field(from);
    steps.push(branch({ kind: 'exists', at: frame }, assign(at, read(frame)), assign(at, fresh(from, 48))));
  }
  return block(...steps);
}

const oifIs = (name: string, number: bigint) => compare(read(meta('oif', name)), '==', constant(number, 16));

function receive(name: string, around: Surroundings, rules: Rules): Instruction {
  const here = block(rules.hook('input'), forward(`${name}:local:out`));
  const through =
    around.box.forwarding === false
      ? drop('forwarding is off')
      : block(
          makesFrames(around.box) ? onlyForOne : nothing,
          linkLocalStays(around),
          oneHopLess(around),
          rules.hook('forward'),
          rules.hook('postrouting'),
          leave(name, around),
        );
  const martians = dropMartians(around, read(meta('loopback', name)));
  /** IPv6 looks at addresses on entry (ip6_rcv_core), IPv4 when it looks for the route. */
  return block(
    around.family === 'ip6' ? martians : nothing,
    untracked(rules.tracking),
    rules.hook('prerouting'),
    around.family === 'ip' ? martians : nothing,
    routeLookup(name, around),
    branch(oifIs(name, THIS_HOST), here, through),
  );
}

/** Packets of local programs: routed, sent through OUTPUT, and routed again, since rules may have changed where they go. */
function send(name: string, around: Surroundings, rules: Rules): Instruction {
  const lo = assign(meta('oif', name), constant(around.interfaces.number('lo'), 16));
  const route = block(routeLookup(name, around), branch(oifIs(name, THIS_HOST), lo, nothing));
  return block(
    untracked(rules.tracking),
    route,
    rules.hook('output'),
    route,
    rules.hook('postrouting'),
    leave(name, around),
  );
}

const interfaceOf = ({ interfaces }: NetfilterBox, name: string): NetfilterInterface =>
  interfaces.find((each) => each.name === name) ?? { name, addresses: [] };

function leave(name: string, { interfaces, box, family }: Surroundings): Instruction {
  const out = (each: string) =>
    makesFrames(box)
      ? block(makeFrame(name, box, family, interfaceOf(box, each)), forward(`${name}:${each}:out`))
      : forward(`${name}:${each}:out`);
  return interfaces.names.reduceRight(
    (otherwise: Instruction, each) =>
      branch(oifIs(name, interfaces.number(each)), each === 'lo' ? forward(`${name}:lo:in`) : out(each), otherwise),
    drop('no interface leads there'),
  );
}
