import { compare, constant, fresh, meta, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, nothing, type Instruction } from '../../ir/instruction.ts';
import type { PortId } from '../../network.ts';
import type { BoxModel } from '../box-model.ts';
import { setVerdict, verdicts } from './actions.ts';
import { bridgeModels } from './bridges.ts';
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
import { checkIpsec, intoIpsec, outOfIpsec, withoutIpsec } from './ipsec.ts';
import { compileRoutes, policyKeys, type Routes } from './policies.ts';
import { soughtAddress } from './route-tables.ts';
import { dropMartians, linkLocalStays, oneHopLess } from './routing.ts';
import { tunnelRoutines } from './segments.ts';
import { outerSent, ownSegment, received, routed, type Side, Tunnels } from './tunnels.ts';
import { outOfVxlan, sentAgain } from './vxlan.ts';
import { leave, ofOneStation, takeFrame } from './wires.ts';

/**
 * A Linux box that routes, filters, and carries packets in tunnels. Packets come in at `box:eth0:in` and leave at `box:eth0:out`; what is for the box
 * itself ends at `box:local:out`, what its own programs send begins at `box:local:in`. Checksums are taken as right, and
 * fragments as put together again (nf_defrag), as they are wherever connections are tracked.
 */
export function netfilterModel(name: string, box: NetfilterBox): BoxModel {
  const interfaces = numberInterfaces(box.interfaces);
  const routines = new Map<string, Instruction>();
  const programs = new Map<PortId, Instruction>();
  const looksAt = new Set<string>(policyKeys(box.policies ?? []));
  const sides = {} as Record<IpFamily, Side>;
  for (const family of families) {
    const around: Surroundings = { family, box, interfaces, ipsets: box.ipsets ?? new Map() };
    const rules = compileRules(name, around);
    for (const [routine, instruction] of rules.routines) routines.set(routine, instruction);
    for (const key of rules.looksAt) looksAt.add(key);
    const routes = compileRoutes(name, around);
    for (const [routine, instruction] of routes.routines) routines.set(routine, instruction);
    sides[family] = { around, rules, routes };
  }
  const tunnels = new Tunnels(name, sides);
  for (const key of tunnels.looksAt) looksAt.add(key);
  for (const family of families) {
    const { around, rules, routes } = sides[family];
    routines.set(`${name}/route/${family}`, routes.lookup);
    routines.set(`${name}/go/${family}`, goOn(name, around, rules, routes, tunnels));
    routines.set(`${name}/receive/${family}`, receive(name, around, rules));
    routines.set(`${name}/send/${family}`, send(name, sides[family], tunnels));
    // Across a port, since a packet may go into one tunnel after the other.
    if (tunnels.any) programs.set(routed(name, family), { op: 'call', routine: `${name}/go/${family}` });
  }
  if (tunnels.any) {
    for (const [routine, instruction] of tunnelRoutines) routines.set(routine, instruction);
    programs.set(outerSent(name), depart(name, sides.ip6, tunnels));
    programs.set(ownSegment(name), tunnels.visitOwn);
    programs.set(
      received(name),
      byFamily((family) => ({ op: 'call', routine: `${name}/receive/${family}` })),
    );
    programs.set(
      sentAgain(name),
      block(
        assign(meta('iif', name), constant(NO_INTERFACE, 16)),
        byFamily((family) => ({ op: 'call', routine: `${name}/send/${family}` })),
      ),
    );
  }
  for (const each of interfaces.names) {
    const known = box.interfaces.find((one) => one.name === each);
    if (known?.master !== undefined) continue;
    programs.set(
      `${name}:${each}:in`,
      block(
        enter(name, interfaces.number(each), looksAt, each === 'lo'),
        withoutIpsec(name, box),
        takeFrame(name, box, known),
        byFamily((family) =>
          family === 'ip6' && box.withoutIp6?.includes(each) === true
            ? drop(`IPv6 is disabled on ${each}`)
            : { op: 'call', routine: `${name}/receive/${family}` },
        ),
      ),
    );
  }
  const begin = enter(name, NO_INTERFACE, looksAt, false);
  programs.set(
    `${name}:local:in`,
    block(
      begin,
      withoutIpsec(name, box),
      byFamily((family) => ({ op: 'call', routine: `${name}/send/${family}` })),
    ),
  );
  const bridges = bridgeModels(name, box);
  for (const [port, program] of bridges.programs) programs.set(port, program);
  for (const [routine, body] of bridges.routines ?? []) routines.set(routine, body);
  return {
    box: { name, kind: 'netfilter' },
    programs,
    routines,
    ...(bridges.unknown === undefined ? {} : { unknown: bridges.unknown }),
  };
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

const destinationOf = (family: IpFamily) => read(field(family === 'ip' ? 'IPv4.dst' : 'IPv6.dst'));

function receive(name: string, around: Surroundings, rules: Rules): Instruction {
  const { family } = around;
  const sought = soughtAddress(around, name);
  const martians = dropMartians(around, read(meta('loopback', name)), sought);
  const seek = assign(sought, destinationOf(family));
  /** IPv6 looks at addresses on entry (ip6_rcv_core), IPv4 when it looks for the route. */
  return block(
    family === 'ip6' ? block(seek, martians) : nothing,
    untracked(rules.tracking),
    rules.hook('prerouting'),
    seek,
    family === 'ip' ? martians : nothing,
    { op: 'call', routine: `${name}/route/${family}` },
    { op: 'call', routine: `${name}/go/${family}` },
  );
}

/** A packet that came in, or came out of a tunnel, and whose route is known. */
function goOn(name: string, around: Surroundings, rules: Rules, routes: Routes, tunnels: Tunnels): Instruction {
  const { family, box } = around;
  const isOn = typeof box.forwarding === 'object' ? box.forwarding[family] : box.forwarding;
  const through =
    isOn === false
      ? drop('forwarding is off')
      : block(
          ofOneStation(name, box),
          checkIpsec(name, around, 'fwd'),
          linkLocalStays(around),
          oneHopLess(around),
          rules.hook('forward'),
          rules.hook('postrouting'),
          intoIpsec(name, around, leave(name, around, routes.hops)),
        );
  const delivered = forward(`${name}:local:out`);
  const local = family === 'ip6' ? tunnels.own(delivered) : delivered;
  const inside = block(checkIpsec(name, around, 'in'), outOfVxlan(around, local, comeBy));
  const here = block(rules.hook('input'), outOfIpsec(name, around, inside, forward(received(name))));
  return branch(oifIs(name, THIS_HOST), here, tunnels.incoming(family, through));

  /** A frame out of a tunnel: its interface is another, its mark is still there. */
  function comeBy(device: NetfilterInterface): Instruction {
    return block(
      assign(meta('iif', name), constant(around.interfaces.number(device.name), 16)),
      takeFrame(name, box, device),
      forward(received(name)),
    );
  }
}

/** Packets of local programs: routed, sent through OUTPUT, and routed again, since rules may have changed where they go. */
function send(name: string, side: Side, tunnels: Tunnels): Instruction {
  const { around, rules } = side;
  const route = block(
    assign(soughtAddress(around, name), destinationOf(around.family)),
    { op: 'call', routine: `${name}/route/${around.family}` },
    hereByLoopback(name, around),
  );
  return block(untracked(rules.tracking), route, rules.hook('output'), route, depart(name, side, tunnels));
}

function depart(name: string, { around, rules, routes }: Side, tunnels: Tunnels): Instruction {
  return block(
    hereByLoopback(name, around),
    tunnels.outgoing(
      around.family,
      block(rules.hook('postrouting'), intoIpsec(name, around, leave(name, around, routes.hops))),
    ),
  );
}

const hereByLoopback = (name: string, { interfaces }: Surroundings): Instruction =>
  branch(oifIs(name, THIS_HOST), assign(meta('oif', name), constant(interfaces.number('lo'), 16)), nothing);
