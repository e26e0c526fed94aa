import { anything, orAnything } from '../../assemble/doubts.ts';
import { compare, constant, meta, read } from '../../ir/expression.ts';
import { etherTypes, field } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { PrefixEntries, Rule } from '../../ir/table.ts';
import type { PortId } from '../../network.ts';
import type { AppliedList, CiscoConfig, CiscoInterface } from '../../readers/cisco/config.ts';
import { interfaceKey } from '../../readers/cisco/names.ts';
import type { Fib } from '../../readers/fib/fib.ts';
import type { BoxModel } from '../box-model.ts';
import { framed, received, unframed } from '../frame.ts';
import { oneHopLess } from '../router.ts';
import { accessInstruction } from './access-table.ts';
import { configuredRoutes, type Route, tableRoutes, type Way } from './routes.ts';
import { isRouted, type Neighbour } from './segments.ts';

export interface CiscoBox {
  readonly config: CiscoConfig;
  /** Without it, routes are those of the configuration. */
  readonly fib?: Fib;
  readonly ownAddresses: readonly number[];
  /** Of an interface by its name. */
  readonly neighbours: (name: string) => readonly Neighbour[];
}

/**
 * A router with its configuration. Packets come in at `box:<interface>:in` and leave at `box:<interface>:out`, as on a Linux box;
 * what is for the router ends at `box:local`. Access lists, reverse path checks and what is not understood of an interface count
 * for the packets of that interface alone.
 */
export function ciscoModel(name: string, given: CiscoBox): BoxModel {
  const { config, fib } = given;
  const routes = fib === undefined ? configuredRoutes(config) : tableRoutes(fib);
  const byKey = new Map(config.interfaces.map((each) => [interfaceKey(each.name), each]));
  const box: Box = { name, given, byKey, routes, columns: columnsOf(routes) };
  const learns = fib === undefined && config.learns.length > 0;
  const learned = `routes that ${name} learns by ${config.learns.join(', ')}: there is no table of routes`;
  const look = doubted(name, lookup(box), [...config.doubts, ...(learns ? [learned] : [])]);
  const routine = `${name}/route`;
  const programs = new Map<PortId, Instruction>();
  for (const each of config.interfaces.filter(isRouted)) {
    programs.set(`${name}:${each.name}:in`, entrance(box, each, { op: 'call', routine }));
  }
  for (const exit of exitsOf(routes, byKey)) programs.set(`${name}:${exit}:out`, departure(box, exit));
  return {
    box: { name, kind: 'router', source: { file: config.file, line: 1 } },
    programs,
    routines: new Map([[routine, look], ...listRoutines(name, config)]),
    unknown: unknownOf(name, [
      ...config.doubts,
      ...(learns ? [learned] : []),
      ...config.interfaces.flatMap(({ doubts }) => doubts.map(({ what }) => what)),
      ...box.columns.ways.flatMap(({ way }) => (way.kind === 'unknown' ? [`${way.what} from ${name}`] : [])),
    ]),
  };
}

/** What packets depend on that get lost there. */
function unknownOf(name: string, [first, ...more]: readonly string[]): ReadonlyMap<string, string> {
  if (first === undefined) return new Map();
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  return new Map([[anything(name), `what ${name} does: ${first}${others}`]]);
}

const doubted = (name: string, program: Instruction, doubts: readonly string[]): Instruction =>
  orAnything(
    name,
    program,
    doubts.map((what): Instruction => ({ op: 'doubt', what })),
  );

interface Box {
  readonly name: string;
  readonly given: CiscoBox;
  readonly byKey: ReadonlyMap<string, CiscoInterface>;
  readonly routes: readonly Route[];
  readonly columns: Columns;
}

const ttl = field('IPv4.ttl');
const destination = read(field('IPv4.dst'));
const nextHop = (name: string) => meta('next hop', name);

/** Interfaces by which routes lead out, as the configuration writes them. */
function exitsOf(routes: readonly Route[], byKey: Box['byKey']): ReadonlySet<string> {
  const ways = new Set(routes.map(({ way }) => way));
  return new Set(
    [...ways].flatMap((way) => (way.kind === 'out' ? way.exits.map((exit) => ownName(exit.name, byKey)) : [])),
  );
}

const ownName = (name: string, byKey: Box['byKey']): string => byKey.get(interfaceKey(name))?.name ?? name;

function entrance(box: Box, each: CiscoInterface, next: Instruction): Instruction {
  const { given, name } = box;
  const isIpv4 = compare(read(field('IPv4.version')), '==', constant(4, 4));
  const other: Instruction = block(
    { op: 'doubt', what: `what ${name} does with packets that are not IPv4` },
    drop('not an IPv4 packet'),
  );
  const frame =
    given.ownAddresses.length > 0
      ? received(given.ownAddresses)
      : unframed({ op: 'doubt', what: `whether a frame is for ${name}, whose MAC addresses are not known` });
  const routed = listed(box, each.in, block(reversePath(box, each), next));
  const inside = doubted(
    name,
    routed,
    each.doubts.map(({ what }) => `what ${what} does`),
  );
  return block(frame, branch(isIpv4, inside, other, each.source));
}

/** A list that nobody wrote permits everything. */
function listed({ name, given }: Box, applied: AppliedList | undefined, permitted: Instruction): Instruction {
  if (applied === undefined || !given.config.lists.has(applied.name)) return permitted;
  return block({ op: 'call', routine: listRoutine(name, applied.name), source: applied.source }, permitted);
}

const listRoutine = (box: string, list: string): string => `${box}/list/${list}`;

/** Each once, however often it is applied. */
function listRoutines(name: string, { interfaces, lists }: CiscoConfig): readonly (readonly [string, Instruction])[] {
  const applied = new Set(interfaces.flatMap((each) => [each.in?.name, each.out?.name]));
  return [...lists.values()]
    .filter((list) => applied.has(list.name))
    .map((list) => [listRoutine(name, list.name), accessInstruction(list)]);
}

const [PASS, STOP] = [0, 1];

/** RFC 3704: where would an answer go? */
function reversePath({ name, columns, byKey }: Box, each: CiscoInterface): Instruction {
  const { reversePath: check } = each;
  if (check === undefined) return nothing;
  const behaviours = columns.ways.map(({ way, isDefault }) =>
    way.kind === 'out' &&
    (!isDefault || check.allowDefault) &&
    (!check.strict || way.exits.some((exit) => ownName(exit.name, byKey) === each.name))
      ? PASS
      : STOP,
  );
  return {
    op: 'table',
    source: check.source,
    table: {
      name: `${name} reverse path of ${each.name}`,
      keys: [{ of: read(field('IPv4.src')), width: 32, absent: 'fail' }],
      // Without the lines of the routes: one that does nothing here still says where packets go.
      entries: {
        kind: 'prefixes',
        addresses: columns.entries.addresses,
        lengths: columns.entries.lengths,
        behaviour: columns.numbers.map((number) => behaviours[number]!),
      },
      behaviours: [nothing, drop(`no route leads back to the source by ${check.strict ? each.name : 'any interface'}`)],
      miss: drop('no route leads back to the source'),
    },
  };
}

interface Columns {
  readonly entries: Omit<PrefixEntries, 'behaviour'>;
  /** Ways that differ; default routes have one of their own, since reverse paths may leave it out. */
  readonly ways: readonly { readonly way: Way; readonly isDefault: boolean }[];
  /** Of each route, which way. */
  readonly numbers: Uint32Array;
}

function columnsOf(routes: readonly Route[]): Columns {
  const known = new Map<string, number>();
  const ways: Columns['ways'][number][] = [];
  const numbers = Uint32Array.from(routes, ({ way, length }) => {
    const key = `${length === 0} ${JSON.stringify(way)}`;
    const number = known.get(key) ?? ways.length;
    if (number === ways.length) {
      known.set(key, number);
      ways.push({ way, isDefault: length === 0 });
    }
    return number;
  });
  const file = routes[0]?.source.file;
  const entries = {
    kind: 'prefixes',
    addresses: Uint32Array.from(routes, ({ address }) => address),
    lengths: Uint8Array.from(routes, ({ length }) => length),
    lines: Uint32Array.from(routes, ({ source }) => source.line),
    ...(file === undefined ? {} : { file }),
  } as const;
  return { entries, ways, numbers };
}

function lookup(box: Box): Instruction {
  const { name, columns } = box;
  return {
    op: 'table',
    table: {
      name: `${name} routes`,
      keys: [{ of: destination, width: 32, absent: 'fail' }],
      entries: { ...columns.entries, behaviour: columns.numbers },
      behaviours: columns.ways.map(({ way }) => taken(box, way)),
      miss: drop('no route'),
    },
  };
}

function taken({ name, byKey }: Box, way: Way): Instruction {
  if (way.kind === 'receive') return forward(`${name}:local`);
  if (way.kind === 'drop') return drop(way.why);
  if (way.kind === 'unknown') return forward(`${anything(name)}:in`);
  const exits = way.exits.map(({ name: to, hop }) =>
    block(
      assign(nextHop(name), hop === undefined ? destination : constant(hop, 32)),
      forward(`${name}:${ownName(to, byKey)}:out`),
    ),
  );
  if (exits.length === 0) return drop('the route names no interface');
  return block(oneHopLess(ttl), exits.length === 1 ? exits[0]! : { op: 'choose', branches: exits });
}

/** Out by an interface, and to the neighbour that has the address of the next hop; to others, packets leave there. */
function departure(box: Box, exit: string): Instruction {
  const { name, given, byKey } = box;
  const each = byKey.get(interfaceKey(exit));
  if (each?.isUp === false) return drop(`${exit} is shut down`, each.source);
  const owners = new Map<number, PortId[]>();
  for (const { port, addresses } of given.neighbours(exit)) {
    for (const address of addresses) owners.set(address, [...(owners.get(address) ?? []), port]);
  }
  const ports = [...owners.values()];
  const forget: Instruction = { op: 'deallocate', at: nextHop(name), width: 32 };
  const ways = ports.map((all): Instruction => {
    const sent = all.map((port) => forward(port));
    return block(forget, sent.length === 1 ? sent[0]! : { op: 'choose', branches: sent });
  });
  const rules = [...owners.keys()].map(
    (address, behaviour): Rule => ({
      match: [{ kind: 'range', low: BigInt(address), high: BigInt(address) }],
      behaviour,
    }),
  );
  const frame =
    given.ownAddresses.length === 0 ? nothing : framed(given.ownAddresses, etherTypes.ipv4, tagOf(exit, each));
  const away = block(forget, frame);
  const sent: Instruction =
    rules.length === 0
      ? away
      : {
          op: 'table',
          table: {
            name: `${name} neighbours at ${exit}`,
            keys: [{ of: read(nextHop(name)), width: 32, absent: 'fail' }],
            entries: { kind: 'rules', rules },
            behaviours: ways,
            miss: away,
          },
        };
  const doubts = (each?.doubts ?? []).filter(({ isEntry }) => !isEntry);
  return doubted(
    name,
    listed(box, each?.out, sent),
    doubts.map(({ what }) => `what ${what} does`),
  );
}

/** Of a VLAN or a subinterface, whose frames have a tag on the wire to a switch. */
function tagOf(exit: string, each: CiscoInterface | undefined): number | undefined {
  if (typeof each?.encapsulation === 'number') return each.encapsulation;
  const vlan = /^vl(\d{1,4})$/.exec(interfaceKey(exit))?.[1];
  return vlan === undefined ? undefined : Number(vlan);
}
