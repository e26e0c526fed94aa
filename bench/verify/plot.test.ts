import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Case } from './cases.ts';
import { growthPlot, seriesOf } from './plot.ts';
import type { Report } from './report.ts';

const sizes = [10, 100, 1_000, 10_000];
const cases = sizes.map(
  (size): Case => ({
    name: `${size} rules`,
    growth: { of: 'rules of iptables', size },
    counted: 'paths',
    prepare: () => () => size,
  }),
);
const report = (ms: (size: number) => number): Report => ({
  date: '2026-01-01T00:00:00.000Z',
  machine: { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0 },
  outcomes: sizes.map((size) => ({ what: `${size} rules`, count: 1, p50: ms(size), p99: 0, max: 0, paths: 1 })),
});

it('the exponent is that of the power by which time grows', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      fc.double({ min: 0.01, max: 9, noNaN: true }),
      (power, factor) => {
        const [series] = seriesOf(
          report((size) => factor * size ** power),
          cases,
        );
        expect(series!.exponent).toBeCloseTo(power, 6);
      },
    ),
  );
});

it('what is linear is as steep as the dashed lines, and nothing leaves the plot', () => {
  const svg = growthPlot(
    report((size) => size / 5),
    cases,
  );
  const slope = (x1: number, y1: number, x2: number, y2: number) => (y2 - y1) / (x2 - x1);
  const dashed = /class="linear" x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"/
    .exec(svg)!
    .slice(1)
    .map(Number);
  const path = /d="M([\d.]+) ([\d.]+) .*L([\d.]+) ([\d.]+)"/.exec(svg)!.slice(1).map(Number);
  const [ours, reference] = [path, dashed].map((ends) => slope(...(ends as [number, number, number, number])));
  expect(ours).toBeCloseTo(reference!, 2);
  for (const [, x, y] of svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
    expect(Number(x)).toBeLessThan(760);
    expect(Number(y)).toBeLessThan(470);
  }
  expect(svg).not.toContain('NaN');
});
