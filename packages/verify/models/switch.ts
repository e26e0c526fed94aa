import { type Condition, constant, type Location, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction } from '../ir/instruction.ts';
import { ALL_VLANS, type MacTable, NO_VLAN } from '../readers/mac.ts';
import type { BoxModel } from './box-model.ts';
import { untaggedVlan } from './frame.ts';

const CPU = /^(?:cpu|self)$/i;

/**
 * A switch that has learned addresses (IEEE 802.1Q, 8.8). Frames come in at `box:in` and leave at `box:<port>`, tagged or
 * not as they came: a table of addresses does not say which ports take tags off. A frame without a tag may be of any VLAN.
 * What is for the switch ends at `box:cpu`. Frames for addresses that were not learned are flooded, and where to depends on
 * more than the table: nobody knows.
 */
export function switchModel(name: string, table: MacTable): BoxModel {
  const vlans = [...new Set(table.vlans)].filter((vlan) => vlan !== ALL_VLANS);
  const floods = `${name} floods`;
  const lookups = new Map(vlans.map((vlan) => [vlan, lookup(name, table, vlan, forward(`${floods}:vlan${vlan}`))]));
  const id = field('Vlan.id');
  const exists = (at: Location): Condition => ({ kind: 'exists', at });
  /** Once it is said of which VLAN a frame without a tag is, all switches know. */
  const anyVlan: Instruction = {
    op: 'choose',
    branches: [...lookups].map(([vlan, look]) => block(assign(untaggedVlan, constant(vlan, 12)), look)),
  };
  const inVlan = (of: Location): Instruction => ({
    op: 'table',
    table: {
      name: `${name} VLANs`,
      keys: [{ of: read(of), width: 12, absent: 'fail' }],
      entries: {
        kind: 'exact',
        values: Float64Array.from(lookups.keys()),
        behaviour: Uint32Array.from(lookups.keys(), (_, i) => i),
      },
      behaviours: [...lookups.values()],
      miss: forward(`${floods}:other`),
    },
  });
  const isOneLan = vlans.every((vlan) => vlan === NO_VLAN);
  const source = { file: table.file, line: 1 };
  const program: Instruction =
    vlans.length === 0
      ? drop('the switch knows no address')
      : isOneLan
        ? lookups.get(NO_VLAN)!
        : branch(exists(id), inVlan(id), branch(exists(untaggedVlan), inVlan(untaggedVlan), anyVlan), source);
  return {
    box: { name, kind: 'switch', source },
    programs: new Map([[`${name}:in`, program]]),
    unknown: new Map([[floods, `where ${name} floods frames for addresses that it has not learned`]]),
  };
}

/** The table of one VLAN; entries of all VLANs are in each. */
function lookup(name: string, table: MacTable, vlan: number, miss: Instruction): Instruction {
  const own = entriesOf(table, vlan);
  return {
    op: 'table',
    table: {
      name: `${name} VLAN ${vlan}`,
      keys: [{ of: read(field('Ether.dst')), width: 48, absent: 'fail' }],
      entries: {
        kind: 'exact',
        values: own.addresses,
        behaviour: own.port,
        lines: own.lines,
        file: table.file,
      },
      behaviours: table.ports.map((port) => forward(`${name}:${CPU.test(port) ? 'cpu' : port}`)),
      miss,
    },
  };
}

function entriesOf(table: MacTable, vlan: number): Pick<MacTable, 'addresses' | 'port' | 'lines'> {
  const isOwn = (each: number) => each === vlan || each === ALL_VLANS;
  if (table.vlans.every(isOwn)) return table;
  const mine = (_value: number, i: number) => isOwn(table.vlans[i]!);
  return { addresses: table.addresses.filter(mine), port: table.port.filter(mine), lines: table.lines.filter(mine) };
}
