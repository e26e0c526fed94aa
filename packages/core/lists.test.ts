import { expect, it } from 'vitest';
import { append, largest, smallest } from './lists.ts';

it('takes lists that are too long for the stack', () => {
  const many = Array.from({ length: 2_000_000 }, (_, i) => i - 1_000);
  expect(largest(many)).toBe(1_998_999);
  expect(smallest(many)).toBe(-1_000);
  expect([largest([]), smallest([])]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  const list = [7];
  append(list, many);
  expect(list).toHaveLength(2_000_001);
});
