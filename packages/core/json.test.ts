import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './json.ts';

/** Objects are made anew with their keys in another order. */
function shuffled(value: unknown, salt: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, salt));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, salt)] as const);
  const rank = (key: string) => (key.length * 31 + salt * ((key.codePointAt(0) ?? 0) + 1)) % 17;
  return Object.fromEntries(entries.toSorted(([a], [b]) => rank(a) - rank(b)));
}

/** A key in the place of the prototype would be none of the object's own. */
const values = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('canonical JSON', () => {
  test('says the same as JSON, whatever the order of the keys', () => {
    fc.assert(
      fc.property(values, fc.nat(1_000), (value, salt) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value, salt))).toBe(text);
      }),
    );
  });

  test('leaves out what JSON leaves out', () => {
    const value = { b: undefined, a: [undefined, Number.NaN, new Date(0)], c: () => 1, d: { e: -0, f: '\ud800"' } };
    expect(canonicalJson(value)).toBe(JSON.stringify({ a: [null, null, new Date(0)], d: { e: 0, f: '\ud800"' } }));
  });

  test('leaves out the fields that are named, at any depth, and nothing else', () => {
    const value = { keep: [{ x: 1, folder: 'a' }], folder: { keep: 1 }, other: 'folder' };
    expect(canonicalJson(value, new Set(['folder']))).toBe('{"keep":[{"x":1}],"other":"folder"}');
  });
});
