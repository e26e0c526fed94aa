import { expect, test } from 'vitest';
import { timing } from './statistics.ts';

test('quantiles are values that were measured, by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(timing('x', hundred)).toEqual({ what: 'x', count: 100, p50: 50, p99: 99, max: 100 });
  expect(timing('one', [3.14159])).toEqual({ what: 'one', count: 1, p50: 3.14, p99: 3.14, max: 3.14 });
});
