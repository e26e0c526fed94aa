import { compare, constant, meta, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../ir/instruction.ts';
import type { PortId } from '../network.ts';
import { unusable } from '../read/lines.ts';
import { interfaceKey } from '../readers/cisco/names.ts';
import { ALL_VLANS, type MacTable, NO_VLAN } from '../readers/mac.ts';
import { isMember, type VlanPort } from '../readers/vlans/port.ts';
import type { BoxModel } from './box-model.ts';
import { untaggedVlan } from './frame.ts';
import { framed, tagFrom, untagInto } from './openflow/frame.ts';
import { bits } from './openflow/places.ts';

const CPU = /^(?:cpu|self)$/i;
const PORT_BITS = 16;

/**
 * A switch of which it is known in which VLANs its ports are, with tags or without. Frames come in at `box:<port>:in` and leave at
 * `box:<port>:out`; what is for the switch ends at `box:cpu`. Frames for addresses that it has not learned leave by all other
 * ports of their VLAN. Without a table of addresses, nobody knows what it has learned.
 */
export function vlanSwitchModel(name: string, ports: readonly VlanPort[], table: MacTable | undefined): BoxModel {
  const box: Box = { name, ports, numbers: new Map(ports.map((port, i) => [interfaceKey(port.name), i])) };
  const learned = table === undefined ? new Map<number, readonly Learned[]>() : byVlan(box, table);
  const every = learned.get(ALL_VLANS) ?? [];
  const groups = groupsOf(box, learned);
  const programs = new Map<PortId, Instruction>();
  const routines = new Map<string, Instruction>();
  for (const group of groups) {
    const entries = [...(learned.get(group.vlans[0]!) ?? []), ...every];
    routines.set(group.routine, lookup(box, group, entries, table));
  }
  for (const [number, port] of ports.entries()) {
    programs.set(`${name}:${port.name}:in`, entrance(box, port, number, groups));
  }
  const [first] = ports;
  return {
    box: { name, kind: 'switch', ...(first === undefined ? {} : { source: first.source }) },
    programs,
    routines,
  };
}

interface Box {
  readonly name: string;
  readonly ports: readonly VlanPort[];
  readonly numbers: ReadonlyMap<string, number>;
}

/** VLANs that are treated alike: in the same ports, with a tag in all of them, and nothing learned; or one alone. */
interface Group {
  readonly routine: string;
  readonly vlans: readonly number[];
  /** Numbers of ports. */
  readonly members: readonly number[];
}

/** A trunk may allow four thousand VLANs, of which few are told apart. */
function groupsOf({ name, ports }: Box, learned: ReadonlyMap<number, unknown>): readonly Group[] {
  const groups = new Map<string, { routine: string; vlans: number[]; members: readonly number[] }>();
  for (const vlan of new Set(ports.flatMap(({ untagged, tagged }) => [...untagged, ...tagged]))) {
    const members = ports.flatMap((port, number) => (isMember(port, vlan) ? [number] : []));
    const isAlone = learned.has(vlan) || ports.some(({ untagged }) => untagged.has(vlan));
    const key = isAlone ? `vlan ${vlan}` : members.join(' ');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { routine: `${name}/vlan${vlan}`, vlans: [vlan], members });
    else known.vlans.push(vlan);
  }
  return [...groups.values()];
}

/** An address of one VLAN: the number of a port, or undefined for the switch itself. */
interface Learned {
  readonly address: number;
  readonly port: number | undefined;
  readonly line: number;
}

const tci = (name: string) => meta('vlan tag', name);
const entry = (name: string) => meta('came by', name);

/** An address that was learned where its VLAN is not: one of the files is wrong, or older than the other. */
function byVlan(box: Box, table: MacTable): ReadonlyMap<number, readonly Learned[]> {
  const found = new Map<number, Learned[]>();
  const numbers = table.ports.map((port) => (CPU.test(port) ? undefined : box.numbers.get(interfaceKey(port))));
  for (let i = 0; i < table.addresses.length; i += 1) {
    const [vlan, line, name] = [table.vlans[i]!, table.lines[i]!, table.ports[table.port[i]!]!];
    const number = numbers[table.port[i]!];
    if (!CPU.test(name)) {
      const port = number === undefined ? undefined : box.ports[number];
      const where = vlan === NO_VLAN || vlan === ALL_VLANS ? port?.pvid : vlan;
      if (port === undefined || where === undefined || !isMember(port, where)) {
        const why =
          port === undefined
            ? 'there is no such port'
            : `the port is not in it (${port.source.file}:${port.source.line})`;
        throw unusable(table.file, line, `an address of VLAN ${vlan} is learned at ${name}, and ${why}`);
      }
    }
    const key = vlan === NO_VLAN ? (number === undefined ? ALL_VLANS : box.ports[number]!.pvid!) : vlan;
    const list = found.get(key);
    const learned = { address: table.addresses[i]!, port: number, line };
    if (list === undefined) found.set(key, [learned]);
    else list.push(learned);
  }
  return found;
}

function entrance({ name }: Box, port: VlanPort, number: number, groups: readonly Group[]): Instruction {
  const mine = groups.filter(({ members }) => members.includes(number));
  const native = mine.find(({ vlans }) => vlans[0] === port.pvid);
  const untagged: Instruction =
    native === undefined
      ? drop(`${port.name} takes no frames without a tag`, port.source)
      : { op: 'call', routine: native.routine };
  const own = tci(name);
  const isTagged = compare(bits(read(own), 12, 12), '==', constant(1, 1));
  const id = bits(read(own), 11, 0);
  return block(
    framed,
    branch({ kind: 'exists', at: untaggedVlan }, { op: 'deallocate', at: untaggedVlan }, nothing),
    assign(entry(name), constant(number, PORT_BITS)),
    untagInto(own),
    branch(
      isTagged,
      {
        op: 'table',
        table: {
          name: `${name} VLANs of ${port.name}`,
          keys: [{ of: id, width: 12, absent: 'fail' }],
          entries: {
            kind: 'rules',
            rules: [
              // A tag without a VLAN is a priority.
              { match: [{ kind: 'range', low: 0n, high: 0n }], behaviour: 0 },
              ...mine.map(({ vlans }, i) => ({
                match: [{ kind: 'set', ranges: rangesOf(vlans) }] as const,
                behaviour: i + 1,
              })),
            ],
          },
          behaviours: [untagged, ...mine.map(({ routine }): Instruction => ({ op: 'call', routine }))],
          miss: drop(`${port.name} is not in the VLAN of the frame`, port.source),
        },
      },
      untagged,
      port.source,
    ),
  );
}

function rangesOf(vlans: readonly number[]): readonly (readonly [bigint, bigint])[] {
  const ranges: [bigint, bigint][] = [];
  for (const vlan of vlans.toSorted((a, b) => a - b).map(BigInt)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1n === vlan) last[1] = vlan;
    else ranges.push([vlan, vlan]);
  }
  return ranges;
}

function lookup(box: Box, group: Group, learned: readonly Learned[], table: MacTable | undefined): Instruction {
  const { members } = group;
  const places = new Map(members.map((number, i) => [number, i]));
  const cpu = members.length;
  const entries = learned.filter(({ port }) => port === undefined || places.has(port));
  const source = table === undefined ? {} : { file: table.file };
  return {
    op: 'table',
    table: {
      name: `${box.name} VLAN ${group.vlans[0]}`,
      keys: [{ of: read(field('Ether.dst')), width: 48, absent: 'fail' }],
      entries: {
        kind: 'exact',
        values: Float64Array.from(entries, ({ address }) => address),
        behaviour: Uint32Array.from(entries, ({ port }) => (port === undefined ? cpu : places.get(port)!)),
        lines: Uint32Array.from(entries, ({ line }) => line),
        ...source,
      },
      behaviours: [...members.map((number) => sent(box, group, number)), forward(`${box.name}:cpu`)],
      miss:
        table === undefined
          ? block(
              { op: 'doubt', what: `what ${box.name} has learned: there is no table of MAC addresses` },
              flood(box, group),
            )
          : flood(box, group),
    },
  };
}

const cameBy = (name: string, number: number) => compare(read(entry(name)), '==', constant(number, PORT_BITS));

function sent(box: Box, group: Group, number: number): Instruction {
  const back = drop('the address is where the frame came from');
  return branch(cameBy(box.name, number), back, out(box, group, number));
}

/** With a tag, or without; the priority stays. */
function out({ name, ports }: Box, { vlans }: Group, number: number): Instruction {
  const port = ports[number]!;
  const own = tci(name);
  const forget: Instruction = block(
    { op: 'deallocate', at: own, width: 16 },
    { op: 'deallocate', at: entry(name), width: PORT_BITS },
  );
  const gone = forward(`${name}:${port.name}:out`);
  const [vlan] = vlans as readonly [number, ...number[]];
  if (port.untagged.has(vlan)) return block(forget, gone);
  // Of several, the frame came with the tag of one.
  if (vlans.length > 1) return block(tagFrom(own), forget, gone);
  const tag = { kind: 'concat', parts: [bits(read(own), 15, 13), constant(1, 1), constant(vlan, 12)] } as const;
  return block(assign(own, tag), tagFrom(own), forget, gone);
}

/** By all ports of the VLAN but the one by which it came. */
function flood(box: Box, group: Group): Instruction {
  const { members } = group;
  const copies = (from: number): Instruction => {
    const others = members.filter((number) => number !== from).map((number) => out(box, group, number));
    if (others.length === 0) return drop(`nobody else is in VLAN ${group.vlans[0]}`);
    return others.length === 1 ? others[0]! : { op: 'fork', branches: others };
  };
  return {
    op: 'table',
    table: {
      name: `${box.name} flood of VLAN ${group.vlans[0]}`,
      keys: [{ of: read(entry(box.name)), width: PORT_BITS, absent: 'fail' }],
      entries: {
        kind: 'exact',
        values: Float64Array.from(members),
        behaviour: Uint32Array.from(members, (_, i) => i),
      },
      behaviours: members.map(copies),
      miss: drop('the frame came by no port of its VLAN'),
    },
  };
}
