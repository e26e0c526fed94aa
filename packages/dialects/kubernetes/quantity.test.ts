import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escaped, expanded, references } from './expansion.ts';
import { formatCores, formatMiB, parseQuantity } from './quantity.ts';

test.each<[string | number, number, number | undefined]>([
  ['100m', 0, 0.1],
  ['1Gi', 20, 1024],
  ['1e3', 0, 1000],
  [0.5, 0, 0.5],
  ['.5', 0, 0.5],
  ['5.', 0, 5],
  ['1E', 0, undefined],
  ['1E2', 0, 100],
  ['128974848', 20, 123],
  ['129M', 20, 129e6 / 2 ** 20],
  ['123Mi', 20, 123],
  ['0.1Mi', 20, 0.1],
  ['1n', 0, 1e-9],
  ['100u', 0, 1e-4],
  ['1Ki', 20, 1 / 1024],
  ['+2k', 0, 2000],
  ['-0', 0, 0],
  ['-1', 0, undefined],
  ['', 0, undefined],
  ['.', 0, undefined],
  ['1 Gi', 0, undefined],
  ['1KI', 0, undefined],
  ['0x10', 0, undefined],
  ['1e999', 0, undefined],
  [`0.${'3'.repeat(40)}`, 0, 1 / 3],
])('%s in units of 2^%i is %s', (text, shift, value) => {
  expect(parseQuantity(text, shift)).toBe(value);
});

test('what is written is read as the same number', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), (thousandths) => {
      const text = formatCores(thousandths / 1_000);
      expect(parseQuantity(text!)).toBe(thousandths / 1_000);
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => {
      expect(parseQuantity(formatMiB(bytes / 2 ** 20)!, 20)).toBe(bytes / 2 ** 20);
    }),
  );
  expect([formatCores(0.0001), formatMiB(0.1), formatMiB(0)]).toEqual([undefined, undefined, '0']);
});

test('a decimal is read as the number that it is nearest to', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (number) => {
      const text = number.toFixed(20);
      expect(parseQuantity(text)).toBe(Number(text));
    }),
  );
});

test('what is escaped is expanded to what it was, whatever is set', () => {
  const dollars = fc.string({ unit: fc.constantFrom('$', '(', ')', 'A', 'x', ' '), maxLength: 12 });
  fc.assert(
    fc.property(dollars, (text) => {
      expect(expanded(escaped(text), { A: 'wrong', x: 'wrong', '': 'wrong' })).toBe(text);
      expect(references(escaped(text))).toEqual([]);
    }),
    { numRuns: 500 },
  );
  expect(expanded('$(A)-$(B)-$$(A)', { A: '1' })).toBe('1-$(B)-$(A)');
});
