import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatIpv4,
  formatIpv4Prefix,
  isHostAddress,
  nthAddress,
  parseIpv4,
  parseIpv4Prefix,
  prefixesOverlap,
  prefixHas,
  prefixSize,
  splitPrefix,
  subPrefix,
  type Ipv4Prefix,
} from './ipv4.ts';

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const prefix = fc
  .tuple(address, fc.integer({ min: 0, max: 32 }))
  .map(([base, length]): Ipv4Prefix => ({ base: base - (base % prefixSize(length)), length }));

describe('ipv4', () => {
  test('text and number are the same address', () => {
    fc.assert(fc.property(address, (value) => parseIpv4(formatIpv4(value)) === value));
    fc.assert(fc.property(prefix, (value) => void expect(parseIpv4Prefix(formatIpv4Prefix(value))).toEqual(value)));
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1e1.2.3.4',
    '١.2.3.4',
  ])('%j is no address', (text) => expect(parseIpv4(text)).toBeUndefined());

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.1/24', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '0.0.0.1/0'])(
    '%j is no prefix',
    (text) => expect(parseIpv4Prefix(text)).toBeUndefined(),
  );

  test('containing agrees with the binary definition', () => {
    fc.assert(
      fc.property(prefix, address, (p, a) => {
        const bits = (n: number) => n.toString(2).padStart(32, '0').slice(0, p.length);
        return prefixHas(p, a) === (bits(p.base) === bits(a));
      }),
    );
  });

  test('prefixes overlap when one contains the other, and never in part', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        const inside = (x: Ipv4Prefix, y: Ipv4Prefix) => x.length >= y.length && prefixHas(y, x.base);
        return prefixesOverlap(a, b) === (inside(a, b) || inside(b, a));
      }),
    );
  });

  test('the parts of a split are inside, apart, equal and as large as possible', () => {
    const wide = prefix.filter(({ length }) => length <= 24);
    fc.assert(
      fc.property(wide, fc.integer({ min: 1, max: 64 }), (p, parts) => {
        const split = splitPrefix(p, parts);
        expect(split).toHaveLength(parts);
        for (const [i, part] of split.entries()) {
          expect(prefixHas(p, part.base)).toBe(true);
          expect(parseIpv4Prefix(formatIpv4Prefix(part))).toEqual(part);
          if (i > 0) expect(prefixesOverlap(part, split[i - 1]!)).toBe(false);
        }
        expect(prefixSize(split[0]!.length) * parts).toBeGreaterThan(prefixSize(p.length) / 2);
      }),
    );
  });

  test('what does not fit is refused with a code', () => {
    const p = parseIpv4Prefix('10.0.0.0/30')!;
    expect(() => splitPrefix(p, 5)).toThrow(expect.objectContaining({ code: 'SF-MODEL-PREFIX-TOO-SMALL' }));
    expect(() => subPrefix(p, 29, 0)).toThrow(expect.objectContaining({ code: 'SF-MODEL-PREFIX-TOO-SMALL' }));
    expect(() => nthAddress(p, 4)).toThrow(expect.objectContaining({ code: 'SF-MODEL-PREFIX-TOO-SMALL' }));
    expect(formatIpv4(nthAddress(p, 3))).toBe('10.0.0.3');
  });

  test('network and broadcast are no host addresses, but in a /31 both are', () => {
    const has = (p: string, a: string) => isHostAddress(parseIpv4Prefix(p)!, parseIpv4(a)!);
    expect([has('10.0.0.0/24', '10.0.0.0'), has('10.0.0.0/24', '10.0.0.255'), has('10.0.0.0/24', '10.0.0.1')]).toEqual([
      false,
      false,
      true,
    ]);
    expect([has('10.0.0.0/31', '10.0.0.0'), has('10.0.0.0/31', '10.0.0.1')]).toEqual([true, true]);
  });
});
