import { expect, test } from 'vitest';
import { wilson } from '../analysis/statistics.ts';
import { tried } from '../testing/campaign.ts';

test('active choice keeps its confidence of 95 % over systems of 4 to 10 parameters', () => {
  const { right, systems, share } = tried(150, { least: 4, most: 10 });
  console.log(`${right} of ${systems} right with ${(share * 100).toFixed(1)} % of the experiments`);
  expect(wilson(right, systems)[0]).toBeGreaterThan(0.9);
  expect(share).toBeLessThan(0.4);
});

test('successive halving keeps it too, in less time', () => {
  const { right, systems, share, time } = tried(150, { least: 4, most: 10, halving: true });
  console.log(
    `${right} of ${systems} right with ${(share * 100).toFixed(1)} % of the experiments, ${(time * 100).toFixed(1)} % of the time`,
  );
  expect(wilson(right, systems)[0]).toBeGreaterThan(0.9);
  expect(time).toBeLessThan(tried(150, { least: 4, most: 10 }).time);
}, 600_000);

test('five and six of six to eight parameters that matter take a part of the experiments', () => {
  const options = { least: 6, most: 8, matter: [5, 6] as const };
  for (const halving of [false, true]) {
    const { right, systems, share, time } = tried(60, { ...options, halving });
    console.log(
      `${right} of ${systems}, ${(share * 100).toFixed(1)} % of the experiments, ${(time * 100).toFixed(1)} % of the time`,
    );
    expect(wilson(right, systems)[1]).toBeGreaterThan(0.95);
    expect(share).toBeLessThan(0.4);
  }
}, 600_000);

test('with experiments that drift it is right about as often as all experiments together', () => {
  const { right, exhaustiveRight, systems, share } = tried(60, { least: 4, most: 5, drift: 0.08, whole: true });
  console.log(`${right} of ${systems}, all experiments ${exhaustiveRight}, with ${(share * 100).toFixed(1)} %`);
  expect(right).toBeGreaterThanOrEqual(exhaustiveRight - 6);
});
