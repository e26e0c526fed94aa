import type { Match } from '../ir/table.ts';
import { balanced } from '../solve/balanced.ts';
import { type Diagrams, FALSE, type Node } from './diagrams.ts';

/** The numbers that match; `bits` are the variables of the number, the most significant first. */
export function matchNode(diagrams: Diagrams, bits: readonly number[], match: Match): Node {
  switch (match.kind) {
    case 'range':
      return diagrams.range(bits, match.low, match.high);
    case 'prefix': {
      const mask = ((1n << BigInt(match.length)) - 1n) << BigInt(bits.length - match.length);
      return diagrams.masked(bits, match.value & mask, mask);
    }
    case 'mask':
      return (match.value & ~match.mask) === 0n ? diagrams.masked(bits, match.value, match.mask) : FALSE;
    case 'set': {
      if (match.ranges.every(([low, high]) => low === high))
        return diagrams.oneOf(
          bits,
          match.ranges.map(([low]) => low),
        );
      const ranges = match.ranges.map(([low, high]) => diagrams.range(bits, low, high));
      return balanced(ranges, (a, b) => diagrams.or(a, b)) ?? FALSE;
    }
    case 'other':
      return diagrams.not(matchNode(diagrams, bits, match.of));
  }
}
