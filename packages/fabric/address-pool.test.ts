import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressPool } from './index.ts';

describe('AddressPool', () => {
  test('gives out every host address once, in ascending order, and then none', () => {
    const pool = new AddressPool('10.0.0.0/29');
    expect(pool.gateway).toBe('10.0.0.1');
    const all = Array.from({ length: 5 }, () => pool.take());
    expect(all).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    expect(pool.capacity).toBe(5);
    expect(pool.take()).toBeUndefined();
  });

  test('lets an address rest as long as possible', () => {
    const pool = new AddressPool('10.0.0.0/29', '10.0.0.6');
    expect(pool.take()).toBe('10.0.0.1');
    pool.giveBack('10.0.0.1');
    expect(Array.from({ length: 5 }, () => pool.take())).toEqual([2, 3, 4, 5, 1].map((last) => `10.0.0.${last}`));
  });

  test('knows fixed addresses', () => {
    const pool = new AddressPool('255.255.255.0/24');
    expect(pool.takeFixed('255.255.255.2')).toBe('ok');
    expect(pool.takeFixed('255.255.255.2')).toBe('in-use');
    for (const last of [0, 1, 255]) expect(pool.takeFixed(`255.255.255.${last}`)).toBe('outside');
    expect(pool.takeFixed('10.0.0.2')).toBe('outside');
    expect(pool.take()).toBe('255.255.255.3');
    expect(pool.giveBack('255.255.255.9')).toBe(false);
  });

  test.each(['10.0.0.0/31', '10.0.0.0/7', '10.0.0.1/24', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/024', '10.0.00.0/24'])(
    'refuses %s',
    (prefix) => {
      expect(() => new AddressPool(prefix)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^SF-FABRIC-/) }),
      );
    },
  );

  test('agrees with a set of addresses, whatever is done to it', () => {
    const step = fc.oneof(
      fc.constant({ kind: 'take' as const }),
      fc.record({ kind: fc.constantFrom('fixed' as const, 'back' as const), last: fc.nat(15) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const pool = new AddressPool('10.1.2.0/28');
        const hosts = new Set(Array.from({ length: 13 }, (_, index) => `10.1.2.${index + 2}`));
        const taken = new Set<string>();
        for (const what of steps) {
          if (what.kind === 'take') {
            const address = pool.take();
            expect(address === undefined).toBe(taken.size === hosts.size);
            if (address === undefined) continue;
            expect(hosts.has(address) && !taken.has(address)).toBe(true);
            taken.add(address);
          } else {
            const address = `10.1.2.${what.last}`;
            if (what.kind === 'back') expect(pool.giveBack(address)).toBe(taken.delete(address));
            else {
              const expected = !hosts.has(address) ? 'outside' : taken.has(address) ? 'in-use' : 'ok';
              expect(pool.takeFixed(address)).toBe(expected);
              if (expected === 'ok') taken.add(address);
            }
          }
          expect(pool.size).toBe(taken.size);
        }
      }),
    );
  });
});
