import { any, compare, type Condition, constant, type Expr, fresh, meta, read } from '../ir/expression.ts';
import { etherTypes, field, headerBits } from '../ir/fields.ts';
import { block, branch, constrain, type Instruction, nothing } from '../ir/instruction.ts';
import { moveTag, putHeader, takeHeader } from './headers.ts';

/** Of a frame without a tag: the VLAN in which it is, when that was said. */
export const untaggedVlan = meta('vlan of the frame');

const exists = (name: string): Condition => ({ kind: 'exists', at: field(name) });

/** Takes the Ethernet header off a packet that has one; frames for other addresses than these are dropped. */
export function received(own: readonly number[]): Instruction {
  const dst = read(field('Ether.dst'));
  const isOurs = any(...own.map((address) => compare(dst, '==', constant(BigInt(address), 48))));
  return unframed(constrain(isOurs, 'the frame is for another address'));
}

/** Takes the Ethernet header off a packet that has one, after `check`. */
export function unframed(check: Instruction = nothing): Instruction {
  return branch(
    exists('Ether.dst'),
    block(
      check,
      branch(exists('Vlan.id'), takeHeader('Vlan'), nothing),
      takeHeader('Ether'),
      branch({ kind: 'exists', at: untaggedVlan }, { op: 'deallocate', at: untaggedVlan }, nothing),
    ),
    nothing,
  );
}

/** Puts a frame around a packet without one. Who the neighbour is, nobody says: anybody but the box itself. */
export function framed(own: readonly number[], etherType: number, vlan: number | undefined): Instruction {
  if (vlan === undefined)
    return frame(fresh('neighbour', 48, othersThan(own)), constant(BigInt(own[0]!), 48), etherType);
  return block(
    moveTag('L2', 'L3', -headerBits.tagged),
    putHeader('Ether', { dst: fresh('neighbour', 48, othersThan(own)), src: own[0]!, type: etherTypes.vlan }),
    putHeader('Vlan', { pcp: 0, dei: 0, id: vlan, type: etherType }),
  );
}

/** Puts a frame without a tag around a packet that has none. */
export function frame(dst: Expr, src: Expr, etherType: number): Instruction {
  return block(moveTag('L2', 'L3', -headerBits.ether), putHeader('Ether', { dst, src, type: etherType }));
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
