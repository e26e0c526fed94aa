import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Layered } from './layered.ts';

it('a layered map is a map, and its earlier versions stay what they were', () => {
  const change = fc.tuple(fc.nat(20), fc.option(fc.record({ value: fc.nat() }), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const plain = new Map<number, object>();
      let layered = Layered.of<number, object>();
      const versions: (readonly [Layered<number, object>, ReadonlyMap<number, object>])[] = [];
      for (const [key, value] of changes) {
        if (value === undefined) plain.delete(key);
        else plain.set(key, value);
        layered = value === undefined ? layered.without(key) : layered.with(key, value);
        versions.push([layered, new Map(plain)]);
      }
      for (const [version, expected] of versions) {
        expect(new Map(version)).toEqual(expected);
        expect(version.size).toBe(expected.size);
        for (let key = 0; key <= 20; key += 1) expect(version.get(key)).toBe(expected.get(key));
      }
    }),
  );
});
