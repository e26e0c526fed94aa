import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FreeNames } from './free-names.ts';
import { Names } from './names.ts';

it('gives the first free of the numbered names', () => {
  const name = fc.constantFrom('a', 'b', 'a-2', 'a-3', 'a-2-2', 'b-3');
  fc.assert(
    fc.property(fc.array(name), fc.array(name, { maxLength: 30 }), (before, wanted) => {
      const names = new FreeNames(before);
      const taken = new Set<string>(before);
      for (const one of wanted) {
        const numbered = [one, ...Array.from({ length: 40 }, (_, i) => `${one}-${i + 2}`)];
        const expected = numbered.find((free) => !taken.has(free))!;
        expect(names.claim(one)).toBe(expected);
        taken.add(expected);
      }
    }),
  );
});

it('makes labels that are unique, and of few steps however alike the names are', () => {
  const alike = Array.from({ length: 20_000 }, (_, i) => `${'x'.repeat(57)}${100_000 + (i % 10_000)}`);
  for (const list of [alike, Array.from({ length: 20_000 }, () => 'web')]) {
    const names = new Names();
    const labels = new Set(list.map((one) => names.fresh(one)));
    expect(labels.size).toBe(list.length);
    expect([...labels].filter((label) => !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))).toEqual([]);
  }
});
