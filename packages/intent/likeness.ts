import {
  all,
  any,
  type Condition,
  type Difference,
  equivalence,
  type EquivalenceVerdict,
  negation,
  type Network,
  type Path,
  type PortId,
  read,
  type Start,
} from '@superfluidity/verify';
import { destination, destinationPort, isOneOf, isProtocol, portsAre } from './addresses.ts';
import { intentLimits } from './limits.ts';
import { answering, opening } from './packets.ts';
import type { Plane } from './plane.ts';
import type { Subject, UnitPlaces } from './subject.ts';

/** A packet that is treated otherwise than it was meant to be, with both ways that it takes. */
export interface Unlike extends Pick<Difference, 'kind' | 'because'> {
  readonly meant: readonly Path[];
  readonly there: readonly Path[];
}

export interface Likeness extends Pick<EquivalenceVerdict, 'answer' | 'because' | 'bound' | 'dependsOn'> {
  readonly differences: readonly Unlike[];
  /** Packets that were left out, and why. */
  readonly leftOut: readonly string[];
}

interface Pair {
  readonly meant: UnitPlaces;
  readonly there: UnitPlaces;
}

/** Hops are fewer or more than in the plan, which has no wires in it; checksums follow from the rest. */
const IGNORED = ['IPv4.ttl', 'IPv4.checksum', 'TCP.checksum', 'UDP.checksum', 'ICMP.checksum'];

/**
 * Does what is there do what was meant? Of each packet with which a unit may open a connection, from its own addresses to
 * anywhere: is it at the same units in both networks, and unchanged or changed in the same way, and is its answer? Units that
 * are not on both sides are left out, with the packets for them.
 */
export function compareWithMeant(
  plane: Plane,
  meant: Subject,
  there: Subject,
  milliseconds: number = intentLimits.likenessMs,
  clock: () => number = () => performance.now(),
): Likeness {
  const pairs = meant.units.flatMap((unit): readonly Pair[] => {
    const other = there.units.find(({ name }) => name === unit.name);
    return other === undefined || !isOnePlace(unit) || !isOnePlace(other) ? [] : [{ meant: unit, there: other }];
  });
  const { leftOut, assume } = leaveOut(plane, [...meant.units, ...there.units], pairs);
  if (pairs.length === 0) return { ...NOTHING_TO_COMPARE, leftOut };
  const ports = new Map(
    pairs.flatMap(({ meant: { starts, ends }, there: other }): readonly (readonly [PortId, PortId])[] => [
      [starts[0]!, other.starts[0]!],
      [ends[0]!, other.ends[0]!],
    ]),
  );
  const starts = pairs.flatMap(({ meant: { starts: places, addresses } }) =>
    addresses.map((from): Start => {
      const packets = opening(from);
      return { port: places[0]!, setup: packets.setup, assume: all(packets.assume, ...assume) };
    }),
  );
  const [a, b] = [
    withEnds(
      meant.network,
      'the plan',
      pairs.map((pair) => pair.meant),
    ),
    withEnds(
      there.network,
      'the sites',
      pairs.map((pair) => pair.there),
    ),
  ];
  const verdict = equivalence(a, b, starts, { ports, ignored: IGNORED, clock, limits: { milliseconds } });
  const { answer, bound, dependsOn } = verdict;
  return {
    answer,
    because: BECAUSE[answer],
    ...(bound === undefined ? {} : { bound }),
    dependsOn,
    differences: verdict.differences
      .toSorted((one, other) => hops(one) - hops(other))
      .map((each) => unlike(each, pairs)),
    leftOut,
  };
}

const BECAUSE = {
  holds: 'Every packet is where it was meant to be, as it was meant to be, and so is its answer.',
  violated: 'There are packets that are treated otherwise than they were meant to be.',
  unknown: 'Whether all packets are treated as they were meant to be is not known.',
} as const;

const NOTHING_TO_COMPARE = {
  answer: 'unknown',
  because: 'No unit is both in the plan and at the sites.',
  dependsOn: [],
  differences: [],
} as const;

const isOnePlace = ({ starts, ends }: UnitPlaces): boolean => starts.length === 1 && ends.length === 1;

/** Packets stay where units take them, and are answered there. */
function withEnds(network: Network, name: string, units: readonly UnitPlaces[]): Network {
  const edges = new Set(units.flatMap(({ ends }) => ends));
  return { ...answering(network, units, { kept: true }), name, edges };
}

/** Destinations of which the two sides cannot say the same. */
function leaveOut(
  { balancers }: Plane,
  units: readonly UnitPlaces[],
  pairs: readonly Pair[],
): { readonly leftOut: readonly string[]; readonly assume: readonly Condition[] } {
  const compared = new Set(pairs.map(({ meant }) => meant.name));
  const leftOut: string[] = [];
  const assume: Condition[] = [];
  const strangers = units.filter(({ name }) => !compared.has(name));
  const addresses = strangers.flatMap((unit) => unit.addresses);
  if (addresses.length > 0) {
    leftOut.push(`packets of and for ${[...new Set(strangers.map(({ name }) => name))].join(', ')}`);
    assume.push(negation(isOneOf(read(destination), addresses)));
  }
  for (const { name, address, port, isProxied } of balancers) {
    if (!isProxied && strangers.length === 0) continue;
    leftOut.push(`packets for the balancer ${name}`);
    assume.push(
      any(
        negation(isOneOf(read(destination), [address])),
        negation(isProtocol('tcp')),
        negation(portsAre(destinationPort, [port])),
      ),
    );
  }
  return { leftOut: [...new Set(leftOut)], assume };
}

/** What is seen soonest is shown first. */
const hops = ({ inA, inB }: Difference): number => [...inA, ...inB].reduce((sum, path) => sum + path.hops.length, 0);

function unlike({ kind, because, start, inA, inB }: Difference, pairs: readonly Pair[]): Unlike {
  const nameAt = (side: keyof Pair, ports: 'starts' | 'ends', port: PortId) =>
    pairs.find((pair) => pair[side][ports][0] === port)?.meant.name ?? port;
  const from = nameAt('meant', 'starts', start);
  const told = (side: keyof Pair, paths: readonly Path[]): string => {
    const at = paths.flatMap(({ outcome, port }) => (outcome === 'delivered' ? [nameAt(side, 'ends', port)] : []));
    const others = [...new Set(at.filter((name) => name !== from))];
    if (at.length === 0) return 'arrives nowhere';
    if (others.length === 0) return `arrives at ${from} itself`;
    const answered = at.includes(from) ? 'and its answer comes back' : 'and no answer comes back';
    return `arrives at ${others.join(', ')} ${answered}`;
  };
  const [meant, there] = [told('meant', inA), told('there', inB)];
  const [, where] = /with another value of (.*)\.$/.exec(because) ?? [];
  const how = where === undefined ? 'in another way' : `with another value of ${where}`;
  const than = meant === there ? `${how} than it was meant to` : `and was meant to be one that ${meant}`;
  return { kind, because: `A packet of ${from} ${there}, ${than}.`, meant: inA, there: inB };
}
