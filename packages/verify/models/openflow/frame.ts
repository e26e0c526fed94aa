import { compare, constant, type Expr, fresh, type Location, meta, read } from '../../ir/expression.ts';
import { etherTypes, field, fields } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { bits } from './places.ts';

const TAG_BITS = 32;
const ETHER_BITS = 112;
const ether = ['Ether.dst', 'Ether.src', 'Ether.type'] as const;
const vlan = ['Vlan.pcp', 'Vlan.dei', 'Vlan.id', 'Vlan.type'] as const;

const allocate = (name: string, value: Expr): Instruction =>
  block({ op: 'allocate', at: field(name), width: fields[name]!.width }, assign(field(name), value));
const release = (names: readonly string[]): Instruction =>
  block(...names.map((name): Instruction => ({ op: 'deallocate', at: field(name) })));
const move = (offset: number): Instruction => ({ op: 'createTag', tag: 'L2', relativeTo: 'L2', offset });

const kept = {
  'Ether.dst': meta('openflow.kept.dst'),
  'Ether.src': meta('openflow.kept.src'),
  'Ether.type': meta('openflow.kept.type'),
} as const;
const keep = (type: string): Instruction =>
  block(
    assign(kept['Ether.dst'], read(field('Ether.dst'))),
    assign(kept['Ether.src'], read(field('Ether.src'))),
    assign(kept['Ether.type'], read(field(type))),
  );
const forget = block(...Object.values(kept).map((at): Instruction => ({ op: 'deallocate', at })));

/** A packet that comes without a frame gets one: a bridge has nothing but frames. */
export const framed: Instruction = branch(
  { kind: 'exists', at: field('Ether.dst') },
  nothing,
  block(
    { op: 'createTag', tag: 'L2', relativeTo: 'L3', offset: -ETHER_BITS },
    allocate('Ether.dst', fresh('Ether.dst', 48)),
    allocate('Ether.src', fresh('Ether.src', 48)),
    branch(
      compare(read(field('IPv4.version')), '==', constant(4, 4)),
      allocate('Ether.type', constant(etherTypes.ipv4, 16)),
      allocate('Ether.type', constant(etherTypes.ipv6, 16)),
    ),
  ),
);

/** Inside a bridge the tag is in metadata, as OVS keeps it, and the frame has none. */
export function untagInto(tci: Location): Instruction {
  return branch(
    { kind: 'exists', at: field('Vlan.id') },
    block(
      assign(tci, { kind: 'concat', parts: [read(field('Vlan.pcp')), constant(1, 1), read(field('Vlan.id'))] }),
      keep('Vlan.type'),
      release([...ether, ...vlan]),
      move(TAG_BITS),
      ...ether.map((name) => allocate(name, read(kept[name]))),
      forget,
    ),
    assign(tci, constant(0, 16)),
  );
}

/** The tag stands in the frame again when it leaves. */
export function tagFrom(tci: Location): Instruction {
  return branch(
    compare(bits(read(tci), 12, 12), '==', constant(1, 1)),
    block(
      keep('Ether.type'),
      release(ether),
      move(-TAG_BITS),
      allocate('Ether.dst', read(kept['Ether.dst'])),
      allocate('Ether.src', read(kept['Ether.src'])),
      allocate('Ether.type', constant(etherTypes.vlan, 16)),
      allocate('Vlan.pcp', bits(read(tci), 15, 13)),
      allocate('Vlan.dei', constant(0, 1)),
      allocate('Vlan.id', bits(read(tci), 11, 0)),
      allocate('Vlan.type', read(kept['Ether.type'])),
      forget,
    ),
    nothing,
  );
}
