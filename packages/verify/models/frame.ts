import { any, compare, type Condition, constant, type Expr, fresh, meta, read } from '../ir/expression.ts';
import { etherTypes, field } from '../ir/fields.ts';
import { assign, block, branch, constrain, type Instruction, nothing } from '../ir/instruction.ts';

const ETHER = ['Ether.dst', 'Ether.src', 'Ether.type'] as const;
const VLAN = ['Vlan.pcp', 'Vlan.dei', 'Vlan.id', 'Vlan.type'] as const;
/** IEEE 802.3, and 802.1Q with its tag. */
const FRAME_BITS = 112;
const TAGGED_BITS = 144;

/** Of a frame without a tag: the VLAN in which it is, when that was said. */
export const untaggedVlan = meta('vlan of the frame');

const exists = (name: string): Condition => ({ kind: 'exists', at: field(name) });
const without = (names: readonly string[]): Instruction =>
  block(...names.map((name) => ({ op: 'deallocate', at: field(name), width: field(name).width }) as const));

/** Takes the Ethernet header off a packet that has one; frames for other addresses than these are dropped. */
export function received(own: readonly number[]): Instruction {
  const dst = read(field('Ether.dst'));
  const isOurs = any(...own.map((address) => compare(dst, '==', constant(BigInt(address), 48))));
  return unframed(constrain(isOurs, 'the frame is for another address'));
}

/** Takes the Ethernet header off a packet that has one, after `check`. */
export function unframed(check: Instruction): Instruction {
  return branch(
    exists('Ether.dst'),
    block(
      check,
      branch(exists('Vlan.id'), without(VLAN), nothing),
      without(ETHER),
      branch({ kind: 'exists', at: untaggedVlan }, { op: 'deallocate', at: untaggedVlan }, nothing),
    ),
    nothing,
  );
}

/** Puts a frame around a packet without one. Who the neighbour is, nobody says: anybody but the box itself. */
export function framed(own: readonly number[], etherType: number, vlan: number | undefined): Instruction {
  const put = (name: string, value: Expr): Instruction =>
    block({ op: 'allocate', at: field(name), width: field(name).width }, assign(field(name), value));
  const number = (name: string, value: number | bigint) => put(name, constant(value, field(name).width));
  const bits = vlan === undefined ? FRAME_BITS : TAGGED_BITS;
  return block(
    { op: 'createTag', tag: 'L2', relativeTo: 'L3', offset: -bits },
    put('Ether.dst', fresh('neighbour', 48, othersThan(own))),
    number('Ether.src', BigInt(own[0]!)),
    number('Ether.type', vlan === undefined ? etherType : etherTypes.vlan),
    ...(vlan === undefined
      ? []
      : [number('Vlan.pcp', 0), number('Vlan.dei', 0), number('Vlan.id', vlan), number('Vlan.type', etherType)]),
  );
}

function othersThan(own: readonly number[]): readonly (readonly [bigint, bigint])[] {
  const ranges: (readonly [bigint, bigint])[] = [];
  let from = 0n;
  for (const address of own.map(BigInt).sort((a, b) => (a < b ? -1 : 1))) {
    if (address > from) ranges.push([from, address - 1n]);
    from = address + 1n;
  }
  return [...ranges, [from, (1n << 48n) - 1n]];
}
