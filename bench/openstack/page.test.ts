import { expect, it } from 'vitest';
import { burstPlot, openstackPage } from './page.ts';
import type { Report } from './report.ts';

const burst = (units: number) => ({ units, poolMs: 0.5, demandMs: 400 * units, poolCalls: 0, demandCalls: 8 * units });
const report: Report = {
  date: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench -- openstack',
  machine: { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0, loadAfter: 1 },
  rows: [{ what: 'one wired port', count: 20, p50: 3, p99: 4, max: 4 }],
  ratios: [
    { what: 'good', ours: 1, other: 100, ratio: 0.01, atMost: 0.05, met: true },
    { what: 'bad', ours: 1, other: 10, ratio: 0.1, atMost: 0.05, met: false },
  ],
  figures: { calls: 7 },
  notes: ['noted'],
  bursts: [1, 50, 200].map(burst),
};

it('the plot holds every point within its panels', () => {
  const svg = burstPlot(report.bursts);
  expect(svg).not.toContain('NaN');
  const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)" r="2.2"/g)];
  expect(points).toHaveLength(12);
  for (const [, x, y] of points) {
    expect(Number(x)).toBeLessThanOrEqual(854);
    expect(Number(y)).toBeGreaterThanOrEqual(46);
    expect(Number(y)).toBeLessThanOrEqual(300);
  }
});

it('the page marks what misses its aim', () => {
  const page = openstackPage(report);
  expect(page).toContain('| bad | **0.1** | 0.05 |');
  expect(page).toContain('| good | 0.01 | 0.05 |');
  expect(page).toContain('| 50 | 0.50 ms | 20.00 s | 40000 | 0 | 400 |');
  expect(page).not.toMatch(/NaN|undefined/);
});
