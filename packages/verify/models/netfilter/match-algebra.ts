import { subtract, union, type Range } from '../../readers/netfilter/addresses.ts';
import type { Match } from '../../ir/table.ts';

/** Matches as ranges of values; undefined where that is not worth it: masks with holes. */
export function rangesOf(match: Match, width: number): readonly Range[] | undefined {
  const max = (1n << BigInt(width)) - 1n;
  switch (match.kind) {
    case 'range':
      return match.low <= match.high ? [[match.low, match.high]] : [];
    case 'prefix':
      return [[match.value, match.value + (1n << BigInt(width - match.length)) - 1n]];
    case 'set':
      return match.ranges;
    case 'mask':
      return maskRanges(match.value, match.mask, width);
    case 'other': {
      const inner = rangesOf(match.of, width);
      return inner && subtract([[0n, max]], inner);
    }
  }
}

const MASK_WIDTH_MAX = 9;

function maskRanges(value: bigint, mask: bigint, width: number): Range[] | undefined {
  const max = (1n << BigInt(width)) - 1n;
  if (mask === 0n) return [[0n, max]];
  if (mask === max) return [[value, value]];
  if (width > MASK_WIDTH_MAX) return undefined;
  const found: Range[] = [];
  for (let each = 0n; each <= max; each += 1n) if ((each & mask) === value) found.push([each, each]);
  return union(found);
}

export function fromRanges(ranges: readonly Range[]): Match {
  return ranges.length === 1 ? { kind: 'range', low: ranges[0]![0], high: ranges[0]![1] } : { kind: 'set', ranges };
}

/** What both match: `never`, one match, or undefined when there is no single match for it. */
export function both(a: Match, b: Match, width: number): Match | 'never' | undefined {
  const left = rangesOf(a, width);
  const right = rangesOf(b, width);
  if (left !== undefined && right !== undefined) {
    const ranges = intersect(left, right);
    return ranges.length === 0 ? 'never' : fromRanges(ranges);
  }
  const masks = [asMask(a, width), asMask(b, width)];
  if (masks[0] === undefined || masks[1] === undefined) return undefined;
  const [one, other] = masks as [{ value: bigint; mask: bigint }, { value: bigint; mask: bigint }];
  const common = one.mask & other.mask;
  if ((one.value & common) !== (other.value & common)) return 'never';
  return { kind: 'mask', value: one.value | other.value, mask: one.mask | other.mask };
}

function asMask(match: Match, width: number): { value: bigint; mask: bigint } | undefined {
  if (match.kind === 'mask') return match;
  if (match.kind !== 'prefix') return undefined;
  const mask = ((1n << BigInt(match.length)) - 1n) << BigInt(width - match.length);
  return { value: match.value, mask };
}

export function intersect(a: readonly Range[], b: readonly Range[]): Range[] {
  const found: Range[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const low = a[i]![0] > b[j]![0] ? a[i]![0] : b[j]![0];
    const high = a[i]![1] < b[j]![1] ? a[i]![1] : b[j]![1];
    if (low <= high) found.push([low, high]);
    if (a[i]![1] < b[j]![1]) i += 1;
    else j += 1;
  }
  return found;
}

export function isNever(match: Match, width: number): boolean {
  return rangesOf(match, width)?.length === 0;
}

export function isAlways(match: Match, width: number): boolean {
  const ranges = rangesOf(match, width);
  return ranges?.length === 1 && ranges[0]![0] === 0n && ranges[0]![1] === (1n << BigInt(width)) - 1n;
}
