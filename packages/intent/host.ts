import type { Match, SitePath } from '@superfluidity/fabric';
import type { TrafficRule } from '@superfluidity/model';
import {
  all,
  always,
  any,
  assign,
  block,
  branch,
  compare,
  type Condition,
  constant,
  constrain,
  drop,
  field,
  fieldIs,
  forward,
  type Instruction,
  meta,
  nothing,
  read,
  type Rule,
  type SourceRef,
} from '@superfluidity/verify';
import {
  addressConstant,
  destination,
  destinationPort,
  inPrefix,
  isOneOf,
  isProtocol,
  numberOf,
  portsAre,
  rangeOf,
  source,
  sourcePort,
} from './addresses.ts';
import type { At, Plane, PlanePort, PlaneUnit } from './plane.ts';
import { decapsulate, encapsulate, isEncapsulated, outerDestination } from './srv6.ts';
import { balance, unbalance } from './balancing.ts';

/** A port of a unit with everything that its host knows of it. */
export interface HostPort {
  readonly unit: PlaneUnit;
  readonly port: PlanePort;
  readonly sid: bigint;
}

export interface HostContext {
  /** Name of the box: `edge/h1`. */
  readonly name: string;
  readonly site: string;
  readonly plane: Plane;
  readonly ports: readonly HostPort[];
  /** The paths of the site, with the lines of their chains. */
  readonly paths: readonly (SitePath & { readonly at?: At })[];
  readonly sidOf: (text: string) => bigint;
  readonly address: bigint;
}

export const portName = ({ unit, port }: Pick<HostPort, 'unit' | 'port'>): string => `${unit.name}.${port.name}`;

/**
 * What a host does between the ports of its units and the rest of its site: it tells chains from other traffic, carries them
 * in SRv6, routes by address, and lets through what lies in one network, belongs to a chain, is let in by the rules of a
 * port, or answers something that was let through (see the packet filter of drivers/linux). Units see IPv4 alone.
 */
export function hostPrograms(host: HostContext): {
  readonly programs: ReadonlyMap<string, Instruction>;
  readonly routines: ReadonlyMap<string, Instruction>;
} {
  const { name, ports } = host;
  const programs = new Map<string, Instruction>();
  const routines = new Map<string, Instruction>();
  routines.set(`${name}/answers`, answersTo(host));
  for (const each of ports) {
    const { unit, port } = each;
    programs.set(
      `${name}:${portName(each)}:in`,
      block(
        constrain(fieldIs('IPv4.version', 4), 'units speak IPv4 alone'),
        oneHopLess,
        ...host.plane.balancers.filter(({ site }) => site === host.site).map((one) => balance(host, one)),
        steer(host, each),
      ),
    );
    routines.set(
      `${name}/to/${portName(each)}`,
      block(
        passing(host, each, `to ${portName(each)}`),
        ...host.plane.balancers.filter(({ site }) => site === host.site).map((one) => unbalance(host, one)),
        forward(`${unit.name}:${port.interface}:in`),
      ),
    );
  }
  programs.set(`${name}:tunnel`, tunnel(host));
  programs.set(
    `${name}:up:in`,
    branch(
      isEncapsulated,
      forward(`${name}:tunnel`),
      block(oneHopLess, toLocal(host, drop('no unit here has that address'))),
    ),
  );
  return { programs, routines };
}

/** RFC 1812, section 5.3.1. */
const ttl = field('IPv4.ttl');
const oneHopLess: Instruction = block(
  constrain(compare(read(ttl), '>', constant(1, 8)), 'time to live exceeded'),
  assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
);

/** To the segments of the first rule that fits what comes from the port; else by address. */
function steer(host: HostContext, from: HostPort): Instruction {
  const out = `from ${portName(from)}`;
  const rules = host.paths.flatMap(({ classifiers, steers, at }) =>
    [...classifiers, ...steers]
      .filter(({ match }) => match.fromPort === portName(from))
      .map((rule) => ({ ...rule, at })),
  );
  const byAddress = toLocal(host, block(passing(host, undefined, out), forward(`${host.site}/router:in`)));
  return rules.reduceRight<Instruction>((otherwise, { match, segments, id, at }) => {
    const why = sourceOf(at, `chain ${id}: ${match.direction} to ${match.destination}`);
    const go = block(
      passing(host, undefined, out),
      encapsulate(host.address, segments.map(host.sidOf)),
      forward(`${host.name}:tunnel`),
    );
    return branch(matches(match), go, otherwise, why);
  }, byAddress);
}

export function sourceOf(at: At | undefined, text: string): SourceRef | undefined {
  return at === undefined ? undefined : { ...at, text };
}

function matches({ destination: to, source: from, protocol, ports, direction }: Match): Condition {
  const conditions = [inPrefix(read(destination), to)];
  if (from !== undefined) conditions.push(inPrefix(read(source), from));
  if (protocol !== 'any') conditions.push(isProtocol(protocol));
  if (ports.length > 0) conditions.push(portsAre(direction === 'forward' ? destinationPort : sourcePort, ports));
  return all(...conditions);
}

/** To a port of this host by the destination, or otherwise. */
function toLocal({ name, ports }: HostContext, otherwise: Instruction): Instruction {
  const own = ports.filter(({ port }) => port.address !== '');
  if (own.length === 0) return otherwise;
  return {
    op: 'table',
    table: {
      name: `${name} routes`,
      keys: [{ of: read(destination), width: 32, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: own.map(
          ({ port }, behaviour): Rule => ({
            match: [{ kind: 'prefix', value: numberOf(port.address), length: 32 }],
            behaviour,
          }),
        ),
      },
      behaviours: own.map((each) => ({ op: 'call', routine: `${name}/to/${portName(each)}` })),
      miss: otherwise,
    },
  };
}

/** Packets in SRv6, from here or from elsewhere: out of the tunnel at the segment of a port, or on to the router. */
function tunnel({ name, site, ports }: HostContext): Instruction {
  const here = ports.map(
    (each): Instruction => block(decapsulate, oneHopLess, { op: 'call', routine: `${name}/to/${portName(each)}` }),
  );
  return {
    op: 'table',
    table: {
      name: `${name} segments`,
      keys: [{ of: outerDestination, width: 128, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: ports.map(
          ({ sid }, behaviour): Rule => ({ match: [{ kind: 'prefix', value: sid, length: 128 }], behaviour }),
        ),
      },
      behaviours: here,
      miss: forward(`${site}/router:in`),
    },
  };
}

/** The packet filter of the host, for packets that go to the port, or away from the host. */
function passing(host: HostContext, to: HostPort | undefined, slot: string): Instruction {
  const fresh = block(judged(host, to), remember(host, slot));
  return block(
    { op: 'call', routine: `${host.name}/answers` },
    branch(compare(read(isAnswer(host)), '==', constant(1, 1)), nothing, fresh),
  );
}

function judged(host: HostContext, to: HostPort | undefined): Instruction {
  const nets = [...new Set(host.plane.networks.map(({ prefix }) => prefix))];
  const together = any(...nets.map((net) => all(inPrefix(read(source), net), inPrefix(read(destination), net))));
  const chained = chainedAddresses(host);
  const isChained = chained.length === 0 ? undefined : isOneOf(read(destination), chained);
  const open = isChained === undefined ? together : any(isChained, together);
  const closed = drop('no network has both ends, and no chain leads there');
  const byPlace = branch(open, nothing, closed);
  if (to?.port.allow === undefined) return byPlace;
  // What passes through a function is judged where it ends; what is for the function itself is judged here.
  const why = sourceOf(to.port.at, `allow of ${portName(to)}`);
  const refused = drop(`the port ${portName(to)} does not let it in`, why);
  const otherwise = to.unit.forwards
    ? branch(compare(read(destination), '==', addressConstant(to.port.address)), refused, byPlace)
    : refused;
  if (to.port.allow.length === 0) return otherwise;
  return branch(any(...to.port.allow.map(lets)), nothing, otherwise, why);
}

function lets({ protocol, from, ports }: TrafficRule): Condition {
  const conditions: Condition[] = [];
  if (from !== undefined) conditions.push(compareSource(from));
  const numbers = ports ?? [];
  if (numbers.length > 0 && protocol !== 'icmp') {
    conditions.push(protocol === undefined ? any(isProtocol('tcp'), isProtocol('udp')) : isProtocol(protocol));
    conditions.push(portsAre(destinationPort, numbers));
  } else if (protocol !== undefined) conditions.push(isProtocol(protocol));
  return conditions.length === 0 ? always : all(...conditions);
}

function compareSource(from: string): Condition {
  const [low, high] = rangeOf(from);
  return { kind: 'within', of: read(source), ranges: [[low, high]] };
}

/** Service addresses that chains lead to from here, and those that are answered for here. */
function chainedAddresses({ paths, ports }: HostContext): readonly string[] {
  const mine = new Set(ports.map(portName));
  const rules = paths.flatMap(({ classifiers, steers }) => [...classifiers, ...steers]);
  const found = rules
    .filter(({ match }) => mine.has(match.fromPort))
    .map(({ match }) => (match.direction === 'forward' ? match.destination : match.source))
    .flatMap((prefix) => (prefix === undefined ? [] : [prefix.replace(/\/32$/, '')]));
  return [...new Set(found)];
}

/**
 * Connections that the host let through: who it was, for each way into the host, since one that is translated comes by
 * again as another.
 */
const places = {
  src: { at: source, width: 32 },
  dst: { at: destination, width: 32 },
  proto: { at: field('IPv4.proto'), width: 8 },
  sport: { at: sourcePort, width: 16 },
  dport: { at: destinationPort, width: 16 },
} as const;
const entry = (host: HostContext, slot: string, part: keyof typeof places) => meta(`flow ${slot} ${part}`, host.name);

function remember(host: HostContext, slot: string): Instruction {
  const put = (part: keyof typeof places) => assign(entry(host, slot, part), read(places[part].at));
  const bare = (part: keyof typeof places) => ({ op: 'deallocate', at: entry(host, slot, part) }) as const;
  const withoutPorts = branch(
    { kind: 'exists', at: entry(host, slot, 'sport') },
    block(bare('sport'), bare('dport')),
    nothing,
  );
  return block(put('src'), put('dst'), put('proto'), branch(hasPorts, block(put('sport'), put('dport')), withoutPorts));
}

const hasPorts = all({ kind: 'exists', at: sourcePort }, any(isProtocol('tcp'), isProtocol('udp')));

/**
 * Notes whether it goes back where one of those came from. One test after the other: together they would be a condition on
 * combinations of symbols, of which each test alone decides most.
 */
function answersTo(host: HostContext): Instruction {
  const yes = assign(isAnswer(host), constant(1, 1));
  const slots = host.ports.flatMap((each) => [`to ${portName(each)}`, `from ${portName(each)}`]);
  const asked = slots.map((slot) => {
    const equal = (part: keyof typeof places, to: keyof typeof places, then: Instruction): Instruction =>
      branch(compare(read(places[part].at), '==', read(entry(host, slot, to))), then, nothing);
    const ports = branch(
      { kind: 'exists', at: entry(host, slot, 'sport') },
      branch({ kind: 'exists', at: sourcePort }, equal('sport', 'dport', equal('dport', 'sport', yes)), nothing),
      yes,
    );
    const addresses = equal('src', 'dst', equal('dst', 'src', equal('proto', 'proto', ports)));
    return branch({ kind: 'exists', at: entry(host, slot, 'src') }, addresses, nothing);
  });
  return block(assign(isAnswer(host), constant(0, 1)), ...asked);
}

const isAnswer = (host: HostContext) => meta('answers', host.name);
