import type { MaskedAddress } from '../incremental/rules.ts';
import type { Match } from '../ir/table.ts';

/** Undefined: any address. */
export function addressMatch(address: MaskedAddress | undefined): Match | undefined {
  if (address === undefined) return undefined;
  const { value, wildcard } = address;
  const mask = (~wildcard & 0xffff_ffff) >>> 0;
  const kept = BigInt((value & mask) >>> 0);
  const length = Math.clz32(wildcard);
  // Most wildcards are ones at the end, and those are intervals.
  const isPrefix = wildcard === (length === 32 ? 0 : 2 ** (32 - length) - 1);
  return isPrefix ? { kind: 'prefix', value: kept, length } : { kind: 'mask', value: kept, mask: BigInt(mask) };
}
