import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attribute, decodeAttributes, encodeAttributes } from './attributes.ts';
import { formatIp, formatMac, networkBytes, parseIp, parseMac, parsePrefix } from './ip-address.ts';
import { decodeRoute, replaceRoute } from './routes.ts';
import { decodeEncapsulation, type Encapsulation, encodeEncapsulation } from './seg6.ts';

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ipv4Text = ipv4.map(formatIp);
const ipv6Text = ipv6.map(formatIp);

const encapsulation: fc.Arbitrary<Encapsulation> = fc.oneof(
  fc.record({
    kind: fc.constant('seg6' as const),
    mode: fc.constantFrom('encap' as const, 'encap.red' as const),
    segments: fc.array(ipv6Text, { minLength: 1, maxLength: 8 }),
  }),
  fc.constant({ kind: 'seg6local', action: 'End' } as const),
  fc.record({ kind: fc.constant('seg6local' as const), action: fc.constant('End.DX4' as const), via: ipv4Text }),
  fc.record({
    kind: fc.constant('seg6local' as const),
    action: fc.constantFrom('End.X' as const, 'End.DX6' as const),
    via: ipv6Text,
  }),
  fc.record({
    kind: fc.constant('seg6local' as const),
    action: fc.constant('End.DT6' as const),
    table: fc.integer({ min: 1, max: 0xffffffff }),
  }),
);

describe('netlink encoding', () => {
  it('reads back every attribute it writes, nested ones too', () => {
    const leaf = fc.record({ type: fc.integer({ min: 1, max: 0x3fff }), value: fc.uint8Array({ maxLength: 40 }) });
    const inner = fc.uniqueArray(leaf, { selector: ({ type }) => type, maxLength: 6 });
    fc.assert(
      fc.property(inner, inner, (flat, nested) => {
        const attributes: Attribute[] = [
          { type: 0x3ffe, value: nested },
          ...flat.filter(({ type }) => type !== 0x3ffe),
        ];
        const decoded = decodeAttributes(encodeAttributes(attributes, Buffer.alloc(7)), 8);
        for (const { type, value } of attributes) {
          if (value instanceof Uint8Array) expect([...decoded.get(type)!]).toEqual([...value]);
        }
        const again = decodeAttributes(decoded.get(0x3ffe)!);
        expect(again.size).toBe(nested.length);
        for (const { type, value } of nested) expect([...again.get(type)!]).toEqual([...value]);
      }),
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (const value of decodeAttributes(Buffer.from(noise)).values()) expect(value.length).toBeLessThan(200);
      }),
    );
  });

  it('prints and parses addresses', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
        expect([...parseIp(formatIp(bytes)).bytes]).toEqual([...bytes]);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        expect([...parseMac(formatMac(bytes))]).toEqual([...bytes]);
      }),
    );
    // RFC 5952: longest run of zeros, the first of equal ones, never a single group.
    expect(formatIp(parseIp('2001:db8:0:0:1:0:0:1').bytes)).toBe('2001:db8::1:0:0:1');
    expect(formatIp(parseIp('2001:db8:0:1:1:1:1:1').bytes)).toBe('2001:db8:0:1:1:1:1:1');
    expect(formatIp(parseIp('::ffff:192.0.2.1').bytes)).toBe('::ffff:c000:201');
    expect(formatIp(networkBytes(parsePrefix('10.1.2.3/20')))).toBe('10.1.0.0');
  });

  it.each(['', '10.0.0', '10.0.0.1/33', '::1/129', 'fe80::1%eth0', '10.0.0.0/8/8', '10.0.0.0/x'])(
    'refuses %j as an address',
    (text) => {
      expect(() => parsePrefix(text)).toThrow(expect.objectContaining({ code: 'SF-LINUX-BAD-ADDRESS' }));
    },
  );

  it('reads back every encapsulation it writes', () => {
    fc.assert(
      fc.property(encapsulation, (encap) => {
        const { type, value } = encodeEncapsulation(encap);
        expect(decodeEncapsulation(type, encodeAttributes(value))).toEqual(encap);
      }),
    );
  });

  it('reads back the routes it writes', () => {
    const route = fc.record(
      {
        destination: fc.tuple(ipv6, fc.integer({ min: 1, max: 128 })).map(([bytes, length]) => {
          const prefix = parsePrefix(`${formatIp(bytes)}/${length}`);
          return `${formatIp(networkBytes(prefix))}/${length}`;
        }),
        table: fc.integer({ min: 1, max: 0xffffffff }),
        via: ipv6Text,
        device: fc.integer({ min: 1, max: 1e6 }),
        metric: fc.integer({ min: 1, max: 1e6 }),
        encap: encapsulation,
      },
      { requiredKeys: ['destination', 'table'] },
    );
    fc.assert(
      fc.property(route, (settings) => {
        const message = { type: 24, flags: 0, body: replaceRoute(settings).body() };
        expect(decodeRoute(message)).toEqual({ ...settings, family: 6, type: 'unicast' });
      }),
    );
  });
});
