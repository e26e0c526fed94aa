import { expect, test } from 'vitest';
import { wilson } from '../analysis/statistics.ts';
import { tried } from '../testing/campaign.ts';

test('active choice keeps its confidence of 95 % over systems of 4 to 10 parameters', () => {
  const { right, systems, share } = tried(150, { least: 4, most: 10 });
  console.log(`${right} of ${systems} right with ${(share * 100).toFixed(1)} % of the experiments`);
  expect(wilson(right, systems)[0]).toBeGreaterThan(0.9);
  expect(share).toBeLessThan(0.4);
});

test('with experiments that drift it is right about as often as all experiments together', () => {
  const { right, exhaustiveRight, systems, share } = tried(60, { least: 4, most: 5, drift: 0.08, whole: true });
  console.log(`${right} of ${systems}, all experiments ${exhaustiveRight}, with ${(share * 100).toFixed(1)} %`);
  expect(right).toBeGreaterThanOrEqual(exhaustiveRight - 6);
});
