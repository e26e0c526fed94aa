import { compare, type Condition, constant, fresh, masked, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { assign, block, type Instruction } from '../ir/instruction.ts';

const PREFIX = 'longer than ';

/** Why a packet was dropped that did not fit: `longer than 1500 bytes`. */
export const tooLong = (than: string) => `${PREFIX}${than}`;
export const isTooLong = (why: string | undefined) => why?.startsWith(PREFIX) ?? false;

const [length, flags, offset] = [field('IPv4.length'), field('IPv4.flags'), field('IPv4.fragment')];
const DF = 2n;
const MF = 1n;

export const mayNotBeFragmented: Condition = masked(read(flags), DF, DF);
export const fits = (bytes: number): Condition => compare(read(length), '<=', constant(bytes, 16));

/** A packet of IPv4 that is too long becomes a first fragment and later ones, each of which fits (RFC 791, section 3.2). */
export function fragments(mtu: number, then: Instruction): Instruction {
  const shorter = assign(length, fresh('length of the fragment', 16, [[21n, BigInt(mtu)]]));
  const more = assign(flags, { kind: 'binary', op: 'or', left: read(flags), right: constant(MF, 3) });
  const later = block(
    shorter,
    assign(flags, fresh('flags of the fragment', 3, [[0n, 1n]])),
    assign(offset, fresh('offset of the fragment', 13, [[1n, 8_191n]])),
    then,
  );
  return { op: 'fork', branches: [block(shorter, more, then), later] };
}
