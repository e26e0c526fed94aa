import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIpv4, ipv4PrefixContains, parseIpv4, parseIpv4Prefix } from './index.ts';

const address = fc.nat(0xffffffff);

describe('IPv4', () => {
  test('addresses survive being written and read', () => {
    fc.assert(
      fc.property(address, (value) => {
        expect(parseIpv4(formatIpv4(value))).toBe(value);
      }),
    );
  });

  test.each(['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '1.2.3.4 ', '1.2.3.-4', '١.2.3.4'])(
    'refuses %j',
    (text) => {
      expect(() => parseIpv4(text)).toThrow(expect.objectContaining({ code: 'SF-FABRIC-ADDRESS' }));
    },
  );

  test('a prefix contains what has its first bits', () => {
    fc.assert(
      fc.property(address, fc.nat(32), address, (value, length, other) => {
        const bits = (one: number) => one.toString(2).padStart(32, '0').slice(0, length);
        const network = Number.parseInt(bits(value).padEnd(32, '0'), 2);
        const prefix = parseIpv4Prefix(`${formatIpv4(network)}/${length}`);
        expect(prefix).toEqual({ network, length });
        expect(ipv4PrefixContains(prefix, value)).toBe(true);
        expect(ipv4PrefixContains(prefix, other)).toBe(bits(other) === bits(value));
      }),
    );
  });

  test('says what is meant when bits are set after the prefix', () => {
    expect(() => parseIpv4Prefix('10.1.2.3/24')).toThrow('10.1.2.0/24');
  });
});
