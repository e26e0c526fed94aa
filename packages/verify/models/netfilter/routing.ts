import { compare, constant, meta, negation, read, within, type Expr, type Ranges } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, drop, nothing, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import { setOf, union, type Range, widthOf } from '../../readers/netfilter/addresses.ts';
import { broadcastRanges, localRanges, multicastRanges } from './addresses-of-box.ts';
import { type IpFamily, type NetfilterRoute, THIS_HOST } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { tableKey } from './keys.ts';
import { makesFrames, nextHop } from './neighbours.ts';

/** Writes the interface by which the packet leaves into `oif`, or `THIS_HOST`, or drops it. */
export function routeLookup(name: string, around: Surroundings): Instruction {
  const { family, box, interfaces } = around;
  const oif = meta('oif', name);
  const out = (number: bigint) => assign(oif, constant(number, 16));
  const behaviours: Instruction[] = [out(THIS_HOST), drop('unreachable: no route leads there')];
  const [HERE, NOWHERE] = [0, 1];
  const rules: Rule[] = [];
  const add = (ranges: readonly Range[], behaviour: number) => {
    if (ranges.length > 0) rules.push({ match: [setOf(ranges)], behaviour });
  };
  /** The table `local` is asked before all others; packets to broadcast addresses of this host stay here. */
  add(localRanges(box, family), HERE);
  add(broadcastRanges(box, family), HERE);
  add(multicastRanges(family), NOWHERE);
  const byInterfaces = new Map<string, number>();
  for (const route of box.routes.filter((one) => one.family === family).toSorted((a, b) => b.length - a.length)) {
    const known = route.interfaces.map((one) => interfaces.number(one)).filter((number) => number !== 0n);
    const hop = makesFrames(box) ? assign(nextHop(name), hopOf(route, family)) : nothing;
    const key = `${known.join(' ')} ${makesFrames(box) ? route.via : ''}`;
    const behaviour = route.interfaces.length === 0 ? NOWHERE : (byInterfaces.get(key) ?? behaviours.length);
    if (behaviour === behaviours.length) {
      byInterfaces.set(key, behaviour);
      if (known.length === 0) behaviours.push(drop('the route leads to an interface that is not here', route.source));
      else
        behaviours.push(block(hop, known.length === 1 ? out(known[0]!) : { op: 'choose', branches: known.map(out) }));
    }
    rules.push({
      match: [{ kind: 'prefix', value: route.address, length: route.length }],
      behaviour,
      ...(route.source === undefined ? {} : { source: route.source }),
    });
  }
  return {
    op: 'table',
    table: {
      name: `${name} routes`,
      keys: [tableKey(`${family}.daddr`, family, name)],
      entries: { kind: 'rules', rules },
      behaviours,
      miss: behaviours[NOWHERE]!,
    },
  };
}

function hopOf({ via }: NetfilterRoute, family: IpFamily): Expr {
  return via === undefined ? read(field(family === 'ip' ? 'IPv4.dst' : 'IPv6.dst')) : constant(via, widthOf(family));
}

/** Addresses that no packet from a wire may have (ip_route_input_slow, RFC 1812 5.3.7; RFC 4291 2.5). */
export function dropMartians({ family, box }: Surroundings, loopback: Expr): Instruction {
  const bad: { source: Ranges; destination: Ranges } =
    family === 'ip'
      ? {
          source: [
            [0n, 0x00ff_ffffn],
            [0x7f00_0000n, 0x7fff_ffffn],
            [0xe000_0000n, 0xefff_ffffn],
            [0xffff_ffffn, 0xffff_ffffn],
          ],
          destination: [
            [0n, 0x00ff_ffffn],
            [0x7f00_0000n, 0x7fff_ffffn],
          ],
        }
      : {
          source: [
            [1n, 1n],
            [0xffn << 120n, (1n << 128n) - 1n],
          ],
          destination: [[0n, 1n]],
        };
  const name = family === 'ip' ? 'IPv4' : 'IPv6';
  /** Nor does a packet come in with an address of this host (fib_validate_source; accept_local is off). */
  const source = family === 'ip' ? union([...bad.source, ...localRanges(box, 'ip')]) : bad.source;
  const good = block(
    constrain(
      negation(within(read(field(`${name}.src`)), source)),
      'a source address that no packet from a wire may have',
    ),
    constrain(
      negation(within(read(field(`${name}.dst`)), bad.destination)),
      'a destination that no packet from a wire may have',
    ),
  );
  return branch(compare(loopback, '==', constant(1n, 1)), nothing, good);
}

/** Link-local addresses are not forwarded (RFC 4291, section 2.5.6); those of IPv4 are, by Linux. */
export function linkLocalStays({ family }: Surroundings): Instruction {
  if (family === 'ip') return nothing;
  const linkLocal: Ranges = [[0xfe80n << 112n, (0xfec0n << 112n) - 1n]];
  const unspecified: Ranges = [[0n, 0n], ...linkLocal];
  return block(
    constrain(negation(within(read(field('IPv6.src')), unspecified)), 'link-local addresses are not forwarded'),
    constrain(negation(within(read(field('IPv6.dst')), linkLocal)), 'link-local addresses are not forwarded'),
  );
}

/** Before the hook FORWARD (ip_forward, ip6_forward). */
export function oneHopLess({ family }: Surroundings): Instruction {
  const at = field(family === 'ip' ? 'IPv4.ttl' : 'IPv6.hopLimit');
  return block(
    constrain(compare(read(at), '>', constant(1n, 8)), 'time to live exceeded'),
    assign(at, { kind: 'binary', op: 'sub', left: read(at), right: constant(1n, 8) }),
  );
}
