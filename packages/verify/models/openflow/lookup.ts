import { fresh, meta, read } from '../../ir/expression.ts';
import { assign, block, type Instruction } from '../../ir/instruction.ts';
import { etherTypes } from '../../ir/fields.ts';
import type { Match, Rule, TableKey } from '../../ir/table.ts';
import type { Action, FieldName, Flow } from '../../readers/openflow/flow.ts';
import { setOf } from '../../readers/netfilter/addresses.ts';
import { groupAddresses, stationAddresses } from '../group-addresses.ts';
import { actionKey } from './action-set.ts';
import type { Ports } from './bridge.ts';
import { ARP_SHAPE, ARP_SHAPE_BITS, PIECE, PIECE_BITS, type Places } from './places.ts';
import { lookedUpPort, unsure } from './run.ts';

/** Rules that the clauses of conjunctions may become; beyond, whether they match is in doubt. */
const PRODUCTS_MAX = 20_000;

/** Bits that a rule asks for, by field. */
type Asked = ReadonlyMap<FieldName, { readonly value: bigint; readonly mask: bigint }>;

/** One way to meet a flow, or all clauses of a conjunction. */
interface Candidate {
  readonly priority: number;
  readonly asked: Asked;
  readonly flow: Flow;
  /** After which the table is looked up again, as in OVS. */
  readonly conjunction?: number;
}

/** Flows that `learn()` may have added to a table since it was listed. */
export interface Learned {
  readonly priority: number;
  readonly what: string;
}

interface Surroundings {
  readonly places: Places;
  readonly ports: Ports;
  /** The port that is looked up may be another than the packet came in by. */
  readonly otherPort: boolean;
  readonly learned: readonly Learned[];
}

/** A table of a bridge, ready to be made for every place that it is called from. */
export class Lookup {
  readonly #name: string;
  readonly #places: Places;
  readonly #box: string;
  readonly #hard: readonly Candidate[];
  readonly #soft: readonly Candidate[];
  readonly #doubts: readonly string[];
  readonly #otherPort: boolean;
  readonly #learned: readonly Learned[];

  constructor(box: string, table: number, flows: readonly Flow[], { places, ports, otherPort, learned }: Surroundings) {
    this.#otherPort = otherPort;
    this.#learned = learned;
    this.#name = `${box} table ${table}`;
    this.#box = box;
    this.#places = places;
    const sorted = flows.toSorted((a, b) => b.priority - a.priority);
    const plain = sorted.filter((flow) => clausesOf(flow).length === 0);
    this.#hard = plain.flatMap((flow) => candidatesOf(flow, ports));
    const doubts = plain.filter(({ doubts: some }) => some.length > 0).map(doubtOf);
    this.#soft = conjunctions(
      sorted.filter((flow) => clausesOf(flow).length > 0),
      ports,
      (what) => doubts.push(`${this.#name}: ${what}`),
    );
    this.#doubts = doubts;
  }

  instruction(run: (actions: readonly Action[]) => Instruction, miss: Instruction): Instruction {
    const behaviours: Instruction[] = [];
    const known = new Map<string, number>();
    const doing = ({ flow, priority }: Candidate): number => {
      const may = this.#mayBeLearned(priority);
      const key = may.join() + actionKey(flow.actions);
      let index = known.get(key);
      if (index === undefined) {
        index = behaviours.push(this.#unless(may, run(flow.actions))) - 1;
        known.set(key, index);
      }
      return index;
    };
    return block(
      ...this.#doubts.map((what) => unsure(this.#box, what)),
      this.#table(this.#hard, this.#soft, doing, behaviours, this.#unless(this.#mayBeLearned(-1), miss)),
    );
  }

  /** Flows of `learn()` that a packet may meet instead of one with this priority. Until then it goes by what is listed. */
  #mayBeLearned(priority: number): readonly string[] {
    return this.#learned.filter((each) => each.priority >= priority).map(({ what }) => what);
  }

  #unless(learned: readonly string[], then: Instruction): Instruction {
    return learned.length === 0 ? then : block(...learned.map((what): Instruction => ({ op: 'doubt', what })), then);
  }

  /**
   * ovs-ofctl(8), conjunctive matches: flows with `conjunction` never match by themselves. When all clauses of one are met
   * and no other flow of that priority or above is, the table is looked up again with `conj_id`; that finds what it finds.
   */
  #table(
    hard: readonly Candidate[],
    soft: readonly Candidate[],
    doing: (candidate: Candidate) => number,
    known: readonly Instruction[],
    miss: Instruction,
  ): Instruction {
    const candidates = [...hard, ...soft].toSorted(
      (a, b) => b.priority - a.priority || Number(a.conjunction !== undefined) - Number(b.conjunction !== undefined),
    );
    const again = new Map<number, number>();
    const more: Instruction[] = [];
    const conjunctionIds = [...new Set(soft.map(({ conjunction }) => conjunction!))];
    const picked: { readonly candidate: Candidate; readonly behaviour: number }[] = [];
    for (const candidate of candidates) {
      if (candidate.conjunction === undefined) {
        picked.push({ candidate, behaviour: doing(candidate) });
        continue;
      }
      let index = again.get(candidate.conjunction);
      if (index === undefined) {
        index = -1 - again.size;
        again.set(candidate.conjunction, index);
      }
      picked.push({ candidate, behaviour: index });
    }
    for (const id of conjunctionIds) {
      const others = soft.filter(({ conjunction }) => conjunction !== id);
      const found = hard.flatMap((candidate) => withConjunction(candidate, BigInt(id)));
      // Without a flow for the conjunction the next conjunction has its turn.
      more.push(
        this.#table(found, [], doing, known, others.length === 0 ? miss : this.#table([], others, doing, known, miss)),
      );
    }
    const behaviours = [...known, ...more];
    const fieldsAsked = [...new Set(candidates.flatMap(({ asked }) => [...asked.keys()]))];
    const rules = picked.map(
      ({ candidate: { asked, flow }, behaviour }): Rule => ({
        match: fieldsAsked.map((name) => matchOf(name, asked.get(name))),
        behaviour: behaviour >= 0 ? behaviour : known.length + conjunctionIds.indexOf(idOf(again, behaviour)),
        source: flow.source,
      }),
    );
    if (rules.length === 0) return miss;
    const table: Instruction = {
      op: 'table',
      table: {
        name: this.#name,
        keys: fieldsAsked.map((name) => this.#key(name)),
        entries: { kind: 'rules', rules },
        behaviours,
        miss,
      },
    };
    const unsure = fieldsAsked.filter((name) => name.startsWith('doubt '));
    return block(...unsure.map((name) => assign(meta(name, this.#box), fresh(name, 1))), table);
  }

  #key(name: FieldName): TableKey {
    if (name.startsWith('doubt ')) return { of: read(meta(name, this.#box)), width: 1, absent: 'unmatched' };
    if (name === 'in_port' && this.#otherPort) {
      return { of: read(lookedUpPort(this.#box)), width: 16, absent: 'fail' };
    }
    return { of: this.#places.value(name), width: this.#places.width(name), absent: 'unmatched' };
  }
}

function idOf(again: ReadonlyMap<number, number>, behaviour: number): number {
  for (const [id, index] of again) if (index === behaviour) return id;
  return -1;
}

/** Whether an address of Ethernet is of a group. */
const GROUP_BIT = 1n << 40n;

function matchOf(
  name: FieldName,
  asked: { readonly value: bigint; readonly mask: bigint } | undefined,
): Match | undefined {
  if (asked === undefined || asked.mask === 0n) return undefined;
  if (asked.mask === GROUP_BIT && (name === 'eth_dst' || name === 'eth_src'))
    return setOf(asked.value === 0n ? stationAddresses : groupAddresses);
  return { kind: 'mask', ...asked };
}

const clausesOf = ({ actions }: Flow) => actions.filter((action) => action.kind === 'conjunction');

function doubtOf({ doubts, source }: Flow): string {
  return `${source.file}:${source.line}: ${doubts.join('; ')}`;
}

function withConjunction(candidate: Candidate, id: bigint): readonly Candidate[] {
  const asked = candidate.asked.get('conj_id');
  if (asked === undefined) return [candidate];
  if ((id & asked.mask) !== asked.value) return [];
  const rest = new Map(candidate.asked);
  rest.delete('conj_id');
  return [{ ...candidate, asked: rest }];
}

/**
 * Fields that are zero unless a header has a certain shape. Fragments, and the first as well, have ports of zero
 * (`set-frags normal`, ovs-ofctl(8)); so has ARP for anything but IPv4 in Ethernet addresses, and neighbour discovery with
 * a code (ovs-fields(7)).
 */
const shapes: readonly {
  readonly fields: ReadonlySet<FieldName>;
  readonly etherType: number;
  readonly of: FieldName;
  readonly width: number;
  readonly value: bigint;
}[] = [
  {
    fields: new Set(['tp_src', 'tp_dst', 'icmp_type', 'icmp_code']),
    etherType: etherTypes.ipv4,
    of: PIECE,
    width: PIECE_BITS,
    value: 0n,
  },
  {
    fields: new Set(['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha']),
    etherType: etherTypes.arp,
    of: ARP_SHAPE,
    width: ARP_SHAPE_BITS,
    value: 0x0001_0800_06_04n,
  },
  {
    fields: new Set(['nd_target', 'nd_sll', 'nd_tll']),
    etherType: etherTypes.ipv6,
    of: 'icmpv6_code',
    width: 8,
    value: 0n,
  },
];

/** What a flow asks for. */
function candidatesOf(flow: Flow, ports: Ports): readonly Candidate[] {
  const asked = new Map<FieldName, { value: bigint; mask: bigint }>();
  for (const { field, value, mask } of flow.matches) asked.set(field, { value, mask });
  if (flow.inPort !== undefined) {
    const port = ports.find(flow.inPort);
    // A port that the bridge does not have.
    if (port === undefined) return [];
    asked.set('in_port', { value: BigInt(port.number), mask: 0xffffn });
  }
  flow.doubts.forEach((_, i) => asked.set(`doubt ${flow.source.line}.${i}`, { value: 1n, mask: 1n }));
  const { priority } = flow;
  const type = asked.get('eth_type')?.value;
  for (const { fields, etherType, of, width, value } of shapes) {
    const some = flow.matches.filter(({ field }) => fields.has(field));
    if (some.length === 0 || type !== BigInt(etherType)) continue;
    const all = (1n << BigInt(width)) - 1n;
    const candidates: Candidate[] = [{ priority, flow, asked: new Map([[of, { value, mask: all }], ...asked]) }];
    if (some.every((match) => match.value === 0n)) {
      const rest = [...asked].filter(([name]) => !fields.has(name));
      for (let bit = 1n; bit <= all; bit <<= 1n) {
        candidates.push({ priority, flow, asked: new Map([...rest, [of, { value: ~value & bit, mask: bit }]]) });
      }
    }
    return candidates;
  }
  return [{ priority, asked, flow }];
}

/** All ways to meet all clauses of each conjunction. */
function conjunctions(flows: readonly Flow[], ports: Ports, doubt: (what: string) => void): readonly Candidate[] {
  const groups = new Map<string, { id: number; of: number; priority: number; clauses: Map<number, Candidate[]> }>();
  for (const flow of flows) {
    if (flow.doubts.length > 0) doubt(doubtOf(flow));
    for (const { id, clause, of } of clausesOf(flow)) {
      const key = `${flow.priority} ${id}`;
      const group = groups.get(key) ?? { id, of, priority: flow.priority, clauses: new Map<number, Candidate[]>() };
      groups.set(key, group);
      group.clauses.set(clause, [...(group.clauses.get(clause) ?? []), ...candidatesOf(flow, ports)]);
    }
  }
  return [...groups.values()].flatMap(({ id, of, priority, clauses }) => {
    let met: readonly Candidate[] = [];
    for (let clause = 1; clause <= of; clause += 1) {
      const ways = clauses.get(clause) ?? [];
      const product = clause === 1 ? ways.length : met.length * ways.length;
      if (product > PRODUCTS_MAX) {
        doubt(`conjunction ${id} has more than ${PRODUCTS_MAX} combinations`);
        return [];
      }
      met = clause === 1 ? ways : met.flatMap((one) => ways.flatMap((other) => both(one, other)));
    }
    return met.map((one) => ({ ...one, priority, conjunction: id }));
  });
}

function both(one: Candidate, other: Candidate): readonly Candidate[] {
  const asked = new Map(one.asked);
  for (const [name, { value, mask }] of other.asked) {
    const known = asked.get(name) ?? { value: 0n, mask: 0n };
    if (((known.value ^ value) & known.mask & mask) !== 0n) return [];
    asked.set(name, { value: known.value | value, mask: known.mask | mask });
  }
  return [{ ...one, asked }];
}
