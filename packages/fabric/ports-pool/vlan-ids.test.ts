import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VlanIds } from '../index.ts';

describe('VlanIds', () => {
  test('gives no id twice in a trunk, whatever is added, refused and removed', () => {
    const trunk = fc.constantFrom('a', 'b');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), trunk, count: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ kind: fc.constantFrom('added' as const, 'refused' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('remove' as const), trunk, pick: fc.nat() }),
      fc.record({ kind: fc.constant('foreign' as const), trunk, id: fc.integer({ min: 1, max: 4094 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ids = new VlanIds();
        const there = { a: new Set<number>(), b: new Set<number>() };
        const under: { trunk: 'a' | 'b'; ids: readonly number[] }[] = [];
        for (const what of steps) {
          if (what.kind === 'take') {
            const taken = ids.take(what.trunk, there[what.trunk], what.count);
            expect(new Set(taken).size).toBe(what.count);
            for (const id of taken) {
              expect(id).toBeGreaterThanOrEqual(1);
              expect(id).toBeLessThanOrEqual(4094);
              expect(there[what.trunk].has(id)).toBe(false);
              expect(under.some((other) => other.trunk === what.trunk && other.ids.includes(id))).toBe(false);
            }
            under.push({ trunk: what.trunk, ids: taken });
          } else if (what.kind === 'remove') {
            const all = [...there[what.trunk]];
            if (all.length > 0) there[what.trunk].delete(all[what.pick % all.length]!);
          } else if (what.kind === 'foreign') {
            // The trunk refuses what is promised to another only when it is there.
            if (!under.some((other) => other.trunk === what.trunk && other.ids.includes(what.id)))
              there[what.trunk].add(what.id);
          } else if (under.length > 0) {
            const [one] = under.splice(what.pick % under.length, 1);
            if (what.kind === 'added') for (const id of one!.ids) there[one!.trunk].add(id);
            ids.settled(one!.trunk, one!.ids);
          }
        }
      }),
    );
  });

  test('all of a trunk, and no more; not the last one that was released first', () => {
    const ids = new VlanIds();
    const all = ids.take('t', new Set(), 4094);
    expect(new Set(all).size).toBe(4094);
    expect(() => ids.take('t', new Set(), 1)).toThrow(expect.objectContaining({ code: 'SF-FABRIC-VLAN' }));
    ids.settled('t', all);
    const [first] = ids.take('t', new Set([1]), 1);
    expect(first).toBe(2);
    ids.settled('t', [2]);
    expect(ids.take('t', new Set([1]), 1)).toEqual([3]);
  });

  test('of a range: what others have outside of it takes nothing from it', () => {
    const ids = new VlanIds({ first: 7, last: 9 });
    expect(ids.take('t', new Set([1, 2, 8, 4_000]), 2)).toEqual([7, 9]);
    expect(() => ids.take('t', new Set([8]), 1)).toThrow(/3 VLAN ids are all a trunk has, and 3 are in use/);
    ids.settled('t', [7]);
    expect(ids.take('t', new Set([8, 9]), 1)).toEqual([7]);
  });
});
