import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiagramLimit, Diagrams, FALSE, type Node, TRUE } from './diagrams.ts';

const VARIABLES = 6;
const bits = [0, 1, 2, 3, 4, 5];
const numbers = Array.from({ length: 2 ** VARIABLES }, (_, i) => i);
const valueIn = (n: number) => (variable: number) => ((n >> (VARIABLES - 1 - variable)) & 1) === 1;
const listOf = (d: Diagrams, node: Node) => numbers.filter((n) => d.contains(node, valueIn(n)));

/** A formula, and the same as a function of a number. */
interface Formula {
  readonly make: (d: Diagrams) => Node;
  readonly holds: (n: number) => boolean;
}
const leaf: fc.Arbitrary<Formula> = fc.oneof(
  fc.nat(VARIABLES - 1).map((v) => ({ make: (d: Diagrams) => d.variable(v), holds: (n: number) => valueIn(n)(v) })),
  fc.tuple(fc.nat(63), fc.nat(63)).map(([a, b]) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    return {
      make: (d: Diagrams) => d.range(bits, BigInt(low), BigInt(high)),
      holds: (n: number) => n >= low && n <= high,
    };
  }),
  fc.uniqueArray(fc.nat(63), { maxLength: 8 }).map((list) => ({
    make: (d: Diagrams) =>
      d.oneOf(
        bits,
        list.toSorted((a, b) => a - b).map((n) => BigInt(n)),
      ),
    holds: (n: number) => list.includes(n),
  })),
  fc.tuple(fc.nat(63), fc.nat(63)).map(([value, mask]) => ({
    make: (d: Diagrams) => d.masked(bits, BigInt(value & mask), BigInt(mask)),
    holds: (n: number) => (n & mask) === (value & mask),
  })),
);
const formula: fc.Arbitrary<Formula> = fc.letrec<{ f: Formula }>((tie) => ({
  f: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.tuple(fc.constantFrom('and', 'or', 'xor', 'minus'), tie('f'), tie('f')).map(
      ([op, a, b]): Formula => ({
        make: (d) => d[op as 'and'](a.make(d), b.make(d)),
        holds: (n) => {
          const [x, y] = [a.holds(n), b.holds(n)];
          return op === 'and' ? x && y : op === 'or' ? x || y : op === 'xor' ? x !== y : x && !y;
        },
      }),
    ),
    tie('f').map((a): Formula => ({ make: (d) => d.not(a.make(d)), holds: (n) => !a.holds(n) })),
  ),
})).f;

describe('decision diagrams', () => {
  it('mean what the formula means, and equal sets are equal nodes', () => {
    fc.assert(
      fc.property(formula, formula, (a, b) => {
        const d = new Diagrams(100_000);
        const [x, y] = [a.make(d), b.make(d)];
        const members = numbers.filter((n) => a.holds(n));
        expect(listOf(d, x)).toEqual(members);
        expect(x === y).toBe(numbers.every((n) => a.holds(n) === b.holds(n)));
        expect(d.choose(x, y, d.not(y))).toBe(d.not(d.xor(x, y)));
        expect(d.disjoint(x, y)).toBe(!numbers.some((n) => a.holds(n) && b.holds(n)));
        const picked = d.pick(x);
        expect(picked === undefined).toBe(members.length === 0);
        if (picked !== undefined) expect(d.contains(x, (v) => picked.get(v) ?? false)).toBe(true);
        expect(members.length > 0).toBe(d.holds(x, d.sample(x)));
        const spans = d.ranges(x, bits, 64)!;
        expect(numbers.filter((n) => spans.some(([low, high]) => n >= low && n <= high))).toEqual(members);
      }),
      { numRuns: 300 },
    );
  });

  it('forget variables, and have them replaced', () => {
    fc.assert(
      fc.property(formula, formula, fc.nat(VARIABLES - 1), (a, b, variable) => {
        const d = new Diagrams(100_000);
        const [x, y] = [a.make(d), b.make(d)];
        const bit = 1 << (VARIABLES - 1 - variable);
        const chosen = Uint8Array.from(bits, (v) => (v === variable ? 1 : 0));
        expect(listOf(d, d.exists(x, chosen))).toEqual(numbers.filter((n) => a.holds(n & ~bit) || a.holds(n | bit)));
        expect(listOf(d, d.substitute(x, new Map([[variable, y]])))).toEqual(
          numbers.filter((n) => a.holds(b.holds(n) ? n | bit : n & ~bit)),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('hold ranges and masks of numbers of any width', () => {
    const width = 70;
    const wide = Array.from({ length: width }, (_, i) => i);
    const number = fc.bigInt({ min: 0n, max: (1n << 70n) - 1n });
    fc.assert(
      fc.property(number, number, number, (x, y, z) => {
        const d = new Diagrams(100_000);
        const [low, high] = x < y ? [x, y] : [y, x];
        const [range, masked] = [d.range(wide, low, high), d.masked(wide, x & y, y)];
        for (const n of [z, low, high, low - 1n, high + 1n, (x & y) | (z & ~y)]) {
          if (n < 0n || n >> BigInt(width) > 0n) continue;
          const bits = Uint8Array.from(wide, (i) => Number((n >> BigInt(width - 1 - i)) & 1n));
          expect(d.holds(range, bits)).toBe(low <= n && n <= high);
          expect(d.holds(masked, bits)).toBe((n & y) === (x & y));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('stay what they are while their tables grow', () => {
    const d = new Diagrams(1_000_000);
    const wide = Array.from({ length: 40 }, (_, i) => i);
    const within = new Uint8Array(2 ** 16);
    let set: Node = FALSE;
    for (let i = 0, value = 1; i < 4_000; i += 1, value = (value * 75) % 65_537) {
      within[value] = 1;
      set = d.or(set, d.masked(wide, BigInt(value) << 12n, 0xffffn << 12n));
    }
    expect(d.size).toBeGreaterThan(2 ** 15);
    const of = (value: number) => Uint8Array.from(wide, (i) => (i >= 12 && i < 28 ? (value >> (27 - i)) & 1 : i % 2));
    for (let value = 0; value < 2 ** 16; value += 7) expect(d.holds(set, of(value))).toBe(within[value] === 1);
    expect(d.minus(set, d.and(set, set))).toBe(FALSE);
  });

  it('stop at their limit instead of filling the memory', () => {
    const d = new Diagrams(50);
    const wide = Array.from({ length: 40 }, (_, i) => i);
    expect(() => {
      let set: Node = TRUE;
      for (let i = 0; i < 20; i += 1) set = d.and(set, d.not(d.xor(d.variable(wide[i]!), d.variable(wide[i + 20]!))));
    }).toThrow(DiagramLimit);
  });
});
