import { type Condition, type Expr, type Ranges, within } from '../ir/expression.ts';

const FIRST_BYTES = 256;

/** By the first byte, whose lowest bit says that the address is of a group (IEEE 802, section 8.2). */
const addresses = (bit: 0 | 1): Ranges =>
  Array.from({ length: FIRST_BYTES / 2 }, (_, i) => {
    const first = BigInt(2 * i + bit) << 40n;
    return [first, first + (1n << 40n) - 1n] as const;
  });

/** As ranges and not as a bit: a set of addresses remains a set of ranges, where a bit would need a decision diagram. */
export const groupAddresses = addresses(1);
export const stationAddresses = addresses(0);

export const isGroupAddress = (of: Expr): Condition => within(of, groupAddresses);
