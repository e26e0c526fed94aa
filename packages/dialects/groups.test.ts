import fc from 'fast-check';
import { expect, it } from 'vitest';
import { at, beyond, groupAt, put, same, without, type Group } from './groups.ts';

const name = fc.constantFrom('a', 'b', 'c');
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, 'x', null), fc.array(fc.nat(2), { maxLength: 2 }), tie('group')),
  group: fc.dictionary(name, tie('value'), { maxKeys: 3 }),
})).value;
const group = fc.dictionary(name, value, { maxKeys: 3 }) as fc.Arbitrary<Group>;
const path = fc.array(name, { minLength: 1, maxLength: 3 });

it('finds nothing where there is nothing, nor what every object has', () => {
  expect(at({ a: [{ b: 1 }] }, 'a', 0, 'b')).toBe(1);
  for (const name of ['constructor', '__proto__', 'toString']) expect(at({}, name)).toBeUndefined();
  expect(groupAt({ a: [1] }, 'a')).toEqual({});
});

it('puts a value where it is found again, and takes it away with the groups that are left empty', () => {
  fc.assert(
    fc.property(group, path, fc.nat(), (before, where, number) => {
      const after = put(before, where, number);
      expect(at(after, ...where)).toBe(number);
      const away = put(after, where, undefined);
      expect(at(away, ...where)).toBeUndefined();
      expect(put(away, where, number)).toEqual(put(without(after, where), where, number));
    }),
  );
});

it('leaves what a group says beyond another, which with that is all of it', () => {
  const join = (below: Group, above: Group): Group => {
    const inner = (one: string) =>
      typeof above[one] === 'object' && above[one] !== null && !Array.isArray(above[one])
        ? join(groupAt(below, one), above[one] as Group)
        : above[one];
    return { ...below, ...Object.fromEntries(Object.keys(above).map((one) => [one, inner(one)])) };
  };
  fc.assert(
    fc.property(group, (all) => {
      expect(beyond(all, all)).toEqual({});
      expect(beyond(all, {})).toEqual(all);
    }),
  );
  fc.assert(
    fc.property(group, group, (usual, more) => {
      const all = join(usual, more);
      expect(same(join(usual, beyond(all, usual)), all)).toBe(true);
    }),
  );
});
